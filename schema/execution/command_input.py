"""From a coerced GraphQL input to a command's input: global ids become keys, enums codes, lists tuples. It knows no command by name."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any

from db.canonical.forms import CANONICAL
from db.write.command import Order, UserError
from schema.names import camel
from schema.planning import coercion

# The value of a field, converted; the path is that of the field in the input. May raise BadInput.
_Convert = Callable[[Any, str], Any]


class BadInput(Exception):
    """The input is wrong in what its GraphQL type cannot say."""

    def __init__(self, *user_errors: UserError) -> None:
        super().__init__(len(user_errors))
        self.user_errors = user_errors


def read_order(input_type: type, coerced: dict[str, Any], path: str = "") -> Order:
    """The input of a command, of the dataclass `input_type`, with all that is wrong with it."""
    values: dict[str, Any] = {}
    user_errors: list[UserError] = []
    for field, name, convert in _fields(input_type):
        value = coerced.get(name)
        if value is None:
            continue
        try:
            values[field] = convert(value, f"{path}{name}")
        except BadInput as bad:
            user_errors += bad.user_errors
    return Order(values, tuple(user_errors))


def _read_nested(input_type: type, coerced: dict[str, Any], path: str) -> Any:
    """An instance of the dataclass `input_type`. Raises BadInput with all that is wrong."""
    order = read_order(input_type, coerced, path)
    if order.user_errors:
        raise BadInput(*order.user_errors)
    return input_type(**order.values)


@cache
def _fields(input_type: type) -> tuple[tuple[str, str, _Convert], ...]:
    """The fields of an input type: Python name, GraphQL name, and how the value is converted."""
    hints = typing.get_type_hints(input_type)
    fields = dataclasses.fields(input_type)
    return tuple((field.name, camel(field.name), _converter(hints[field.name], field)) for field in fields)


def _converter(hint: Any, field: dataclasses.Field[Any]) -> _Convert:
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        convert = _converter(arguments[0], field)
        return lambda value, path: tuple(convert(item, f"{path}.{i}") for i, item in enumerate(value))
    if arguments:
        return _converter(arguments[0], field)  # of `... | None`
    if dataclasses.is_dataclass(hint):
        nested: Any = hint
        return lambda value, path: _read_nested(nested, value, f"{path}.")
    if field.metadata["of"] is not None:
        return _key_of(field.metadata["of"])
    form = "code" if field.metadata["codes"] is not None else field.metadata["form"]
    return _scalar(field.metadata["longest"], CANONICAL[form])


def _key_of(resource: str) -> _Convert:
    """The key in a global id of the resource."""

    def convert(value: Any, path: str) -> Any:
        try:
            return coercion.key_of(value, resource)
        except coercion.BadValue as bad:
            raise BadInput(UserError(path, "BAD_ID", str(bad))) from None

    return convert


def _scalar(max_length: int, canonical: Callable[[str], str]) -> _Convert:
    """A scalar or an enum; a text in its canonical form, of at most so many characters."""

    def convert(value: Any, path: str) -> Any:
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, str) and not coercion.is_text(value):
            raise BadInput(UserError(path, "BAD_TEXT", coercion.NOT_TEXT))
        if isinstance(value, str) and len(value) > max_length:
            raise BadInput(UserError(path, "TOO_LONG", f"至多 {max_length} 字。"))
        return canonical(value) if isinstance(value, str) else value

    return convert
