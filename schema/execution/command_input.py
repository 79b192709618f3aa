"""From a coerced input to the order of a command: global ids become keys, enums codes, lists tuples. It knows no command by name."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any

from db.write.command import UserError
from schema.names import camel
from schema.planning import coercion

# The value of a field, with the path under which a mistake in it is told. May raise Mistaken.
_Convert = Callable[[Any, str], Any]


class BadInput(Exception):
    """The input is wrong in what its type cannot say."""

    def __init__(self, *user_errors: UserError) -> None:
        super().__init__(len(user_errors))
        self.user_errors = user_errors


def read_input(kind: type, given: dict[str, Any], path: str = "") -> Any:
    """The order from a coerced input. Raises Mistaken with every wrong global id."""
    values: dict[str, Any] = {}
    user_errors: list[UserError] = []
    for field, name, convert in _fields(kind):
        value = given.get(name)
        if value is None:
            continue
        try:
            values[field] = convert(value, f"{path}{name}")
        except BadInput as bad:
            user_errors += bad.user_errors
    if user_errors:
        raise BadInput(*user_errors)
    return kind(**values)


@cache
def _fields(kind: type) -> tuple[tuple[str, str, _Convert], ...]:
    """The fields of an order: its name, that of the input, and how the value is read."""
    hints = typing.get_type_hints(kind)
    return tuple((one.name, camel(one.name), _convert(hints[one.name], one)) for one in dataclasses.fields(kind))


def _convert(hint: Any, field: dataclasses.Field[Any]) -> _Convert:
    inside = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        each = _convert(inside[0], field)
        return lambda value, path: tuple(each(one, f"{path}.{i}") for i, one in enumerate(value))
    if inside:
        return _convert(inside[0], field)  # of `... | None`
    if dataclasses.is_dataclass(hint):
        of: Any = hint
        return lambda value, path: read_input(of, value, f"{path}.")
    if field.metadata["of"] is not None:
        return _key_of(field.metadata["of"])
    return _plain(field.metadata["longest"])


def _key_of(wanted: str) -> _Convert:
    def convert(value: Any, path: str) -> Any:
        try:
            if coercion.type_of_id(value) != wanted:
                raise coercion.BadValue
            return coercion.uuid_of(value)
        except coercion.BadValue:
            raise BadInput(UserError(path, "BAD_ID", f"标识的写法不对，应形如 {wanted}:0190a6c2-…。")) from None

    return convert


def _plain(longest: int) -> _Convert:
    def convert(value: Any, path: str) -> Any:
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, str) and "\x00" in value:
            raise BadInput(UserError(path, "BAD_TEXT", "不能含有空字符。"))
        if isinstance(value, str) and len(value) > longest:
            raise BadInput(UserError(path, "TOO_LONG", f"至多 {longest} 字。"))
        return value

    return convert
