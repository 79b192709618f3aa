"""Columns that a statement may do without: a SELECT is compiled once with all of them, and those that are not wanted are taken out."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import Label

from db.resources.resource import Sql

_COLUMN = re.compile(r", \x04(\w+)\x05([^\x06]*)\x06")
_LEFT_OUT = re.compile(r", \x04(\w+)\x05[^\x06]*\x06 AS \1\b")


class _Optional(ColumnElement[Any]):
    inherit_cache = False

    def __init__(self, name: str, element: Sql) -> None:
        self.name, self.element, self.type = name, element, element.type


@compiles(_Optional)
def _compile_optional(column: _Optional, compiler: Any, **options: Any) -> str:
    return f"\x04{column.name}\x05{compiler.process(column.element, **options)}\x06"


def optional(name: str, value: Sql) -> Label[Any]:
    """A column under its name, behind others, which `with_columns` may leave out. It brings no FROM element of its own."""
    return _Optional(name, value).label(name)


def with_columns(sql: str, names: Collection[str]) -> str:
    """The compiled text with those of its optional columns that have these names."""
    return _COLUMN.sub(r", \2", _LEFT_OUT.sub(lambda match: match[0] if match[1] in names else "", sql))
