"""Items of an outbox: each is coerced by itself, and later ones name what earlier ones made."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_list_type,
    type_from_ast,
    validate_input_value,
)
from graphql.execution.values import VariableValues

from db.write.command import UserError
from schema.names import camel
from schema.outbox import ITEM, TEMPORARY
from schema.planning.operation import Operation

# Where an item that cannot be coerced has its mistakes: no name of a field.
MISTAKES = ""
# What a mistaken item is coerced as: an item of nothing, which is valid.
_NOTHING: dict[str, Any] = {}


class Mistaken:
    """The items in the variables of a call that are not of their type, each with its mistakes; the others go on without them."""

    def __init__(self, schema: GraphQLSchema, operation: Operation) -> None:
        self.variables = dict(operation.variables)
        self._items: dict[tuple[str, int | None], dict[str, Any]] = {}
        item_type: Any = schema.type_map.get(ITEM)
        for definition in operation.definition.variable_definitions or ():
            name, kind = definition.variable.name.value, _type_of(schema, definition.type)
            value = operation.variables.get(name)
            if kind is None or get_named_type(kind) is not item_type or value is None:
                continue
            if not is_list_type(get_nullable_type(kind)):
                self.variables[name] = self._spared(name, None, value, item_type)
            elif isinstance(value, list):
                self.variables[name] = [self._spared(name, i, one, item_type) for i, one in enumerate(value)]

    def _spared(self, name: str, index: int | None, item: Any, item_type: Any) -> Any:
        mistakes: dict[str, UserError] = {}

        def note(error: GraphQLError, path: list[str | int]) -> None:
            field = ".".join(map(str, path[1:]))
            message = "此项缺少、多余，或者值不合其类型，请对照接口文档改正。"
            mistakes.setdefault(field, UserError(field, "BAD_VALUE", message))

        if item is None:
            note(GraphQLError(""), [])
        else:
            validate_input_value(item, item_type, note, hide_suggestions=True)
        if not mistakes:
            return item
        temporary_id = item.get("temporaryId") if isinstance(item, dict) else None
        self._items[name, index] = {
            MISTAKES: tuple(mistakes.values()),
            "temporaryId": temporary_id if isinstance(temporary_id, str) else None,
        }
        return _NOTHING

    def put_back(self, variables: VariableValues) -> None:
        """Put the mistaken items in the place of those that were coerced for them."""
        for (name, index), item in self._items.items():
            if index is None:
                variables.coerced[name] = item
            else:
                variables.coerced[name][index] = item


def _type_of(schema: GraphQLSchema, node: Any) -> Any:
    return type_from_ast(schema, node)


def substitute(
    input_type: type,
    values: Mapping[str, Any],
    global_ids: Mapping[str, str],
    user_errors: list[UserError],
    path: str = "",
) -> dict[str, Any]:
    """The coerced input of a command with the temporary ids in its fields of ids replaced by global ids; any other text is a text.

    `global_ids`: those of the objects made so far, by temporary id. A temporary id without an object adds to `user_errors`.
    """
    replaced = dict(values)
    hints = typing.get_type_hints(input_type)
    for field in dataclasses.fields(input_type):
        name = camel(field.name)
        value = replaced.get(name)
        if value is None:
            continue
        nested = [
            one for one in (hints[field.name], *typing.get_args(hints[field.name])) if dataclasses.is_dataclass(one)
        ]
        listed = isinstance(value, list)
        ones = [
            (f"{path}{name}.{i}" if listed else f"{path}{name}", one)
            for i, one in enumerate(value if listed else [value])
        ]
        if nested:
            inner: Any = nested[0]
            new: list[Any] = [substitute(inner, one, global_ids, user_errors, f"{at}.") for at, one in ones]
        elif field.metadata["of"] is not None:
            new = [_global_id(one, global_ids, user_errors, at) for at, one in ones]
        else:
            continue
        replaced[name] = new if listed else new[0]
    return replaced


def _global_id(value: str, global_ids: Mapping[str, str], user_errors: list[UserError], path: str) -> str:
    if not value.startswith(TEMPORARY):
        return value
    if value not in global_ids:
        message = "没有这个临时标识，或者建立它的那一条没有保存。"
        user_errors.append(UserError(path, "UNKNOWN_TEMPORARY_ID", message))
    return global_ids.get(value, value)
