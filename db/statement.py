"""The last step to SQL text: one JSON row from expressions, and a statement compiled once for asyncpg."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, ColumnElement, literal_column
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import JSON

_DIALECT: Any = asyncpg_dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Statement:
    """SQL text with numbered parameters; `binds` names the value of each, in order."""

    sql: str
    binds: tuple[str, ...]


class JsonRow(ColumnElement[Any]):
    """`(SELECT row_to_json(j) FROM (SELECT a AS "x", ...) j)`: one JSON object from named expressions of the enclosing row.

    Measured faster than json_build_object. Keys are GraphQL names of at most 63 characters (`api.limits`), so PostgreSQL
    does not cut them; they contain no quotes.
    """

    inherit_cache = False
    type = JSON()

    def __init__(self, members: Sequence[tuple[str, ColumnElement[Any]]]) -> None:
        self.members = tuple(members)


@compiles(JsonRow)
def _compile_json_row(element: JsonRow, compiler: Any, **options: Any) -> str:
    options.pop("within_columns_clause", None)
    options.pop("add_to_result_map", None)
    columns = ", ".join(f'{compiler.process(value, **options)} AS "{key}"' for key, value in element.members)
    return f"(SELECT row_to_json(j) FROM (SELECT {columns}) j)"  # noqa: S608  made of compiled expressions


def text_array(values: Sequence[str]) -> ColumnElement[Any]:
    """A constant array of names of ours (GraphQL names, never user input)."""
    return literal_column("'{" + ",".join(values) + "}'::text[]")


def compile_statement(statement: ClauseElement) -> Statement:
    """SQL text for asyncpg."""
    compiled = statement.compile(dialect=_DIALECT)
    return Statement(str(compiled), tuple(compiled.positiontup or ()))  # type: ignore[attr-defined]
