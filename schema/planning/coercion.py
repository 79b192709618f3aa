"""Input values: which conditions a filter type declares, and how a value becomes the value of a bind."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any

from graphql import GraphQLInputType, GraphQLSchema, get_named_type

from db.canonical.forms import CANONICAL, area_code, fold
from db.resources.catalog import RESOURCES

# As the service writes it (RFC 9562, in lower case): one row has one identifier.
_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AREA = re.compile(r"[0-9]{6}|[0-9]{9}|[0-9]{12}|[0-9]{15}")
MAX_TEXT = 100
NOT_TEXT = "不能含有控制字符。"
# Control characters, and halves of surrogate pairs.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class BadValue(Exception):
    """The value cannot be used; the message says what it should be."""


@cache
def conditions(schema: GraphQLSchema, kind: GraphQLInputType) -> dict[str, tuple[str, str]]:
    """The conditions of a filter type: GraphQL name -> (catalog field, operator), as `schema.node.condition` declared them."""
    definition: Any = get_named_type(kind)
    return {
        name: field.extensions["strawberry-definition"].metadata["condition"]
        for name, field in definition.fields.items()
    }


def is_text(value: str) -> bool:
    """Whether a text holds no control character but tabulators and line ends, and can be written as UTF-8. PostgreSQL holds no NUL."""
    return _UNWRITABLE.search(value) is None


def plain(value: Any) -> Any:
    """The value as coerced; enums as their codes."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str) and not is_text(value):
        raise BadValue(NOT_TEXT)
    return value.value if isinstance(value, Enum) else value


def text(value: Any) -> str:
    """A text."""
    return str(plain(value))


def code(value: Any) -> str | None:
    """An enum's code, or None."""
    return str(value.value) if isinstance(value, Enum) else value


def canonical(resource: str, name: str) -> Callable[[Any], Any]:
    """How a value is compared with a column: a text in the canonical form that the column declares. A code of no area is a BadValue."""
    column = RESOURCES[resource].table.c.get(name)
    form = None if column is None else column.info.get("form")
    if form == "area_code":
        return area
    return plain if form is None else lambda value: CANONICAL[form](text(value))


def search(value: Any) -> str:
    """A text to search for."""
    words = fold(text(value))
    if len(words) > MAX_TEXT:
        raise BadValue(f"检索词至多 {MAX_TEXT} 个字。")
    # A word of one character is looked up beside a longer one: alone, no index leads to it.
    if not any(sum(character.isalnum() for character in word) >= 2 for word in words.split()):
        raise BadValue("检索词中至少要有一个词不少于两个字，标点不算。")
    return words


def area(value: Any) -> str:
    """A division code, also one of statistics, which zeros pad to twelve digits."""
    if not _AREA.fullmatch(str(value)):
        raise BadValue("区划代码应为 6、9、12 或 15 位数字。")
    return area_code(str(value))


def type_of_id(value: Any) -> str | None:
    """The type that a global id names; None for what is no global id."""
    return value.partition(":")[0] if isinstance(value, str) and ":" in value else None


def types_of_ids(value: Any) -> tuple[str | None, ...] | None:
    """The types that a list of global ids names, each once, in order."""
    if not isinstance(value, list):
        return None
    return tuple(dict.fromkeys(type_of_id(item) for item in value))


def key_of(value: Any, wanted: str | None) -> uuid.UUID:
    """The key in a global id of the type that is wanted, of any type for None. Raises BadValue, which names the type."""
    kind, _, key = str(value).partition(":")
    if _KEY.fullmatch(key) and kind in RESOURCES and wanted in (None, kind):
        return uuid.UUID(key)
    raise BadValue(bad_id(wanted))


def bad_id(wanted: str | None) -> str:
    """What is said of a value that is no global id of the type that is wanted."""
    if wanted is None:
        return "标识的写法不对，应形如 Dispute:0190a6c2-…。"
    return f"标识的写法不对，应为{RESOURCES[wanted].label}的标识，形如 {wanted}:0190a6c2-…。"


def order_keys(value: Any) -> tuple[tuple[str, bool], ...]:
    """The keys of an order: (catalog field, descending), a field only once."""
    keys: dict[str, bool] = {}
    for key in value or ():
        keys.setdefault(str(code(key["field"])).lower(), code(key.get("direction")) != "ASC")
    return tuple(keys.items())


# Operators of which the statement's shape depends on the value, with what the shape depends on.
STRUCTURAL: dict[str, Callable[[Any], Any]] = {
    "flag": bool,
    "present": bool,
    "area": lambda value: len(area_code(value)) if _AREA.fullmatch(value) else 6,
}

# Operators that compare with the key of a relation's row; the type that the value names is that of the relation.
OF_RELATION = ("is", "mediator")

CONVERT: dict[str, Callable[[Any], Any]] = {
    "area": area,
    "text": search,
}
