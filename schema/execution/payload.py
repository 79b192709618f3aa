"""What is selected of the payload of a command: the object, read under the caller's rights after the command, and its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import FieldNode

from db.query import plan as p
from db.query.statement import Statement
from db.write.command import Command
from db.write.executor import Receipt
from schema.names import camel, snake
from schema.planning.arguments import Call, Extract
from schema.planning.budget import Budget
from schema.planning.context import PlanningContext
from schema.planning.nodes import plan_node
from schema.planning.selection import Selection


@dataclass(frozen=True)
class Payload:
    """A planned payload. `objects`: the response keys under which the object is selected; `statement` reads it (None: it is not selected)."""

    selection: Selection
    objects: tuple[str, ...]
    statement: Statement | None
    extracts: Mapping[str, Extract]

    def values(self, call: Call) -> dict[str, Any]:
        """The values of the statement that come from the call. Raises Refusal."""
        return {name: extract(call) for name, extract in self.extracts.items()}

    def text(self, receipt: Receipt, data: bytes) -> bytes:
        """The payload as JSON text. `data`: the objects read, as one JSON object."""
        payload = {**receipt_data(receipt), **{_object_name(key): None for key in self.objects}}
        payload.update((_object_name(key), orjson.Fragment(text)) for key, text in _members(data, self.objects))
        return orjson.dumps(self.selection.project(payload))


def _object_name(key: str) -> str:
    """The name of an object among the members of a payload: no name of the schema, whatever the response key."""
    return f"={key}"


def _members(data: bytes, keys: tuple[str, ...]) -> list[tuple[str, bytes]]:
    """The members of a JSON object, each as text. `keys`: those of all its members."""
    if data == b"{}":
        return []
    if len(keys) == 1:
        # The text of the only member is that of the object but for its key and the braces.
        return [(keys[0], data[len(keys[0]) + 4 : -1])]
    return [(key, orjson.dumps(value)) for key, value in orjson.loads(data).items()]


def payload_of(context: PlanningContext, budget: Budget, command: Command, nodes: list[FieldNode]) -> Payload:
    """The payload of a command as selected. Raises Refusal."""
    object_field = camel(snake(command.shows))
    lookups: list[p.Lookup] = []
    members: list[tuple[str, str, Selection | None]] = []
    before = set(context.extracts)
    for key, below in context.fields.subfields(nodes, command.payload).items():
        if below[0].name.value == object_field:
            lookups.append(p.Lookup(key, "id", "shown_id", plan_node(context, command.shows, below)))
            members.append((key, _object_name(key), None))
        else:
            members.append(context.fields.member(key, below, command.payload))
    keys = tuple(lookup.key for lookup in lookups)
    statement = budget.statement(p.Plan(tuple(lookups), keys)) if lookups else None
    extracts = {name: extract for name, extract in context.extracts.items() if name not in before}
    return Payload(Selection(command.payload, tuple(members)), keys, statement, extracts)


def receipt_data(receipt: Receipt) -> dict[str, Any]:
    """What became of the command, by the names of the schema."""
    conflict, revealed = receipt.conflict, receipt.revealed
    return {
        "replayed": receipt.replayed,
        "userErrors": [{"field": one.field, "code": one.code, "message": one.message} for one in receipt.user_errors],
        "conflict": None
        if conflict is None
        else {
            "expectedVersion": conflict.expected,
            "currentVersion": conflict.current,
            "differences": [
                {"field": camel(one.field), "base": one.base, "yours": one.yours, "theirs": one.theirs}
                for one in conflict.differences
            ],
        },
        "revealed": None
        if revealed is None
        else [{"field": camel(cell), "value": value} for cell, value in revealed.items()],
    }
