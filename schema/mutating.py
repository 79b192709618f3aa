"""Runs a mutation: each root field is one command, in order, then one planned read of what the client selected of its result.

A field that is refused leaves the others standing: each is a transaction of its own, and each says in its payload what became of it.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from graphql import FieldNode, GraphQLObjectType, GraphQLSchema
from graphql.execution.values import get_argument_values, get_variable_values

from db import plan as p
from db.command import Command, Difference, KeyReused, Mistake
from db.commands.carry_out import Commander, Receipt
from db.desk import Actor, Stale
from db.read import Reader
from db.select import select_plan
from policies.grant import Access
from schema import inputs, outbox
from schema.execution import Viewer, told
from schema.mutation import COMMAND_OF
from schema.operation import Answer, Operation
from schema.planner import Planner
from schema.refusal import Code, Refusal

MOST = 4
ATTEMPTS = 5


@dataclass(frozen=True)
class Standing:
    """A caller as he stands at an epoch."""

    epoch: int
    viewer: Viewer


# The caller as he stands: with True, read anew.
Stand = Callable[[bool], Awaitable[Standing]]


class _Mistaken(Exception):
    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(len(mistakes))
        self.mistakes = mistakes


class Mutator:
    """Mutations of one process."""

    def __init__(self, schema: GraphQLSchema, reader: Reader, commander: Commander) -> None:
        self._schema, self._reader, self._commander = schema, reader, commander

    async def run(self, operation: Operation, stand: Stand) -> Answer:
        """The answer of a mutation; every acknowledged field is stored. Raises Refusal where the operation as such is refused."""
        standing = await stand(True)
        variables = get_variable_values(
            self._schema,
            operation.definition.variable_definitions or (),
            operation.variables,
            max_errors=5,
            hide_suggestions=True,
        )
        if isinstance(variables, list):
            return Answer(None, tuple(told(error) for error in variables))
        root = self._schema.mutation_type
        assert root is not None
        planner = Planner(self._schema, operation, standing.viewer.access, variables, typed=False)
        fields = planner.collect([operation.definition.selection_set], root.name)
        if len(fields) > MOST:
            raise Refusal(Code.TOO_COSTLY, f"一次至多 {MOST} 个变更，请分几次提交。")
        for nodes in fields.values():
            # What the payload asks for is looked at first: nothing is stored for a request that cannot be answered.
            self._rehearse(planner, nodes)
        members: list[bytes] = []
        errors: list[dict[str, Any]] = []
        for key, nodes in fields.items():
            if nodes[0].name.value == "__typename":
                members.append(_member(key, orjson.dumps(root.name)))
                continue
            try:
                if nodes[0].name.value == "submitOutbox":
                    data = await self._outbox(operation, root, nodes, variables, stand)
                else:
                    data = await self._field(operation, root, key, nodes, variables, stand)
            except Refusal as refusal:
                errors.append({"message": refusal.message, "path": [key], "extensions": {"code": str(refusal.code)}})
                data = b"null"
            members.append(_member(key, data))
        return Answer(b"{" + b",".join(members) + b"}", tuple(errors))

    async def _field(
        self,
        operation: Operation,
        root: GraphQLObjectType,
        key: str,
        nodes: list[FieldNode],
        variables: Any,
        stand: Stand,
    ) -> bytes:
        command = COMMAND_OF[nodes[0].name.value]
        given = get_argument_values(root.fields[nodes[0].name.value], nodes[0], variables)["input"]
        try:
            order = _order(command.order, given, "")
        except _Mistaken as mistaken:
            receipt = Receipt(command.shows, mistakes=tuple(mistaken.mistakes))
        else:
            receipt = await self._carry_out(command, order, given, operation, stand)
        return await self._payload(operation, command, receipt, nodes, variables, stand)

    def _rehearse(self, planner: Planner, nodes: list[FieldNode]) -> None:
        """Plans the payload as it will be planned after the change. Raises Refusal."""
        command = COMMAND_OF.get(nodes[0].name.value)
        if command is None:
            return
        shown = command.shows[0].lower() + command.shows[1:]
        for found in planner.below(nodes, command.payload).values():
            if found[0].name.value == shown:
                planner.node(command.shows, found)
        for extract in planner.extracts.values():
            extract(planner.looks.variables)

    async def _outbox(
        self, operation: Operation, root: GraphQLObjectType, nodes: list[FieldNode], variables: Any, stand: Stand
    ) -> bytes:
        items = get_argument_values(root.fields["submitOutbox"], nodes[0], variables)["items"]
        if len(items) > outbox.MOST:
            raise Refusal(Code.TOO_COSTLY, f"一次至多提交 {outbox.MOST} 条，请分几次提交。")
        made: dict[str, str] = {}
        results: list[tuple[str | None, Receipt]] = []
        for item in items:
            receipt = await self._item(item, made, operation, stand)
            temporary = item.get("temporaryId")
            if temporary is not None and receipt.id is not None:
                made[temporary] = f"{receipt.kind}:{receipt.id}"
            results.append((temporary, receipt))
        planner = Planner(self._schema, operation, (await stand(False)).viewer.access, variables, typed=False)
        payload: dict[str, Any] = {}
        for key, found in planner.below(nodes, "OutboxPayload").items():
            if found[0].name.value == "__typename":
                payload[key] = "OutboxPayload"
            else:
                payload[key] = [self._result(planner, found, temporary, receipt) for temporary, receipt in results]
        return orjson.dumps(payload)

    async def _item(self, item: dict[str, Any], made: dict[str, str], operation: Operation, stand: Stand) -> Receipt:
        chosen = [(name, value) for name, value in item.items() if name in COMMAND_OF and value is not None]
        if len(chosen) != 1:
            return Receipt("", mistakes=(Mistake("", "ONE_COMMAND", "每条须且只须写一项要办的事。"),))
        name, given = chosen[0]
        command = COMMAND_OF[name]
        mistakes: list[Mistake] = []
        given = outbox.substitute(given, made, "", mistakes)
        if not given.get("idempotencyKey"):
            mistakes.append(Mistake("idempotencyKey", "REQUIRED", "离线提交的每一条都须有幂等键，重发才不会重复办理。"))
        if mistakes:
            return Receipt(command.shows, mistakes=tuple(mistakes))
        try:
            return await self._carry_out(command, _order(command.order, given, ""), given, operation, stand)
        except _Mistaken as mistaken:
            return Receipt(command.shows, mistakes=tuple(mistaken.mistakes))
        except Refusal as refusal:
            return Receipt(command.shows, mistakes=(Mistake("", str(refusal.code), refusal.message),))

    def _result(
        self, planner: Planner, nodes: list[FieldNode], temporary: str | None, receipt: Receipt
    ) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for key, found in planner.below(nodes, "OutboxResult").items():
            asked = found[0].name.value
            if asked == "temporaryId":
                shown[key] = temporary
            elif asked == "id":
                shown[key] = None if receipt.id is None else f"{receipt.kind}:{receipt.id}"
            else:
                shown[key] = self._plain(planner, asked, found, receipt, "OutboxResult")
        return shown

    async def _carry_out(
        self, command: Command, order: Any, given: dict[str, Any], operation: Operation, stand: Stand
    ) -> Receipt:
        for attempt in range(ATTEMPTS):
            standing = await stand(attempt > 0)
            viewer = standing.viewer
            actor = Actor(viewer.access, viewer.person_id, standing.epoch, operation.request_id)
            try:
                return await self._commander.carry_out(
                    command,
                    actor,
                    order,
                    key=given.get("idempotencyKey"),
                    expected_version=given.get("expectedVersion"),
                )
            except Stale:
                continue
            except KeyReused:
                message = "这个幂等键已用于另一次内容不同的请求；请换一个新键。"
                raise Refusal(Code.CONFLICT, message) from None
        raise Refusal(Code.CONFLICT, "访问权正在变更，请稍后重试。")

    async def _payload(
        self,
        operation: Operation,
        command: Command,
        receipt: Receipt,
        nodes: list[FieldNode],
        variables: Any,
        stand: Stand,
    ) -> bytes:
        name = command.payload
        shown = command.shows[0].lower() + command.shows[1:]
        for attempt in range(ATTEMPTS):
            standing = await stand(attempt > 0)
            access: Access = standing.viewer.access
            planner = Planner(self._schema, operation, access, variables, typed=False)
            lookups: dict[str, p.Lookup] = {}
            members: list[tuple[str, bytes | None]] = []
            for key, found in planner.below(nodes, name).items():
                asked = found[0].name.value
                if asked == shown:
                    lookups[key] = p.Lookup(key, "id", "shown_id", planner.node(command.shows, found))
                    members.append((key, None))
                else:
                    members.append((key, orjson.dumps(self._plain(planner, asked, found, receipt, name))))
            objects: dict[str, bytes] = {}
            epoch = standing.epoch
            if lookups and receipt.id is not None:
                epoch, objects = await self._objects(planner, lookups, receipt.id, standing.viewer)
            if epoch == standing.epoch:
                parts = [_member(key, data if data is not None else objects.get(key, b"null")) for key, data in members]
                return b"{" + b",".join(parts) + b"}"
        raise Refusal(Code.CONFLICT, "已保存，但访问权正在变更，暂不能返回结果；请稍后查询。")

    async def _objects(
        self, planner: Planner, lookups: dict[str, p.Lookup], key: UUID, viewer: Viewer
    ) -> tuple[int, dict[str, bytes]]:
        plan = p.Plan(tuple(lookups.values()), tuple(lookups))
        statement = select_plan(plan, viewer.access)
        values: dict[str, Any] = {name: extract(planner.looks.variables) for name, extract in planner.extracts.items()}
        for slot, claims in enumerate(viewer.access.claims):
            values.update({f"claim_{slot}_{name}": value for name, value in claims.items()})
        values["shown_id"] = key
        reading = await self._reader.read(statement, values)
        return reading.epoch, {name: orjson.dumps(value) for name, value in orjson.loads(reading.data).items()}

    @staticmethod
    def _plain(planner: Planner, asked: str, nodes: list[FieldNode], receipt: Receipt, name: str) -> Any:
        def picked(kind: str, values: dict[str, Any]) -> dict[str, Any]:
            below = planner.below(nodes, kind)
            return {
                key: kind if f[0].name.value == "__typename" else values[f[0].name.value] for key, f in below.items()
            }

        match asked:
            case "__typename":
                return name
            case "replayed":
                return receipt.replayed
            case "revealed":
                if receipt.revealed is None:
                    return None
                return [
                    picked("Revealed", {"field": camel(cell), "value": value})
                    for cell, value in receipt.revealed.items()
                ]
            case "userErrors":
                return [
                    picked("UserError", {"field": one.field, "code": one.code, "message": one.message})
                    for one in receipt.mistakes
                ]
        if receipt.collision is None:
            return None
        collision = receipt.collision
        below = planner.below(nodes, "Conflict")
        listed = {
            key: [_picked(planner, found, "Difference", _difference(one)) for one in collision.differences]
            for key, found in below.items()
            if found[0].name.value == "differences"
        }
        values = {"expectedVersion": collision.expected, "currentVersion": collision.current, "differences": None}
        return {**picked("Conflict", values), **listed}


def _picked(planner: Planner, nodes: list[FieldNode], kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """What is selected of a plain object."""
    below = planner.below(nodes, kind)
    return {key: kind if f[0].name.value == "__typename" else values[f[0].name.value] for key, f in below.items()}


def _difference(one: Difference) -> dict[str, Any]:
    return {"field": camel(one.field), "base": one.base, "yours": one.yours, "theirs": one.theirs}


def _member(key: str, data: bytes) -> bytes:
    return orjson.dumps(key) + b":" + data


def _order(kind: type, given: dict[str, Any], path: str) -> Any:
    """The order from a coerced input. Raises _Mistaken with every wrong global id."""
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for field in dataclasses.fields(kind):
        name = camel(field.name)
        value = given.get(name)
        if value is None:
            continue
        try:
            values[field.name] = _value(hints[field.name], field, value, f"{path}{name}")
        except _Mistaken as mistaken:
            mistakes += mistaken.mistakes
    if mistakes:
        raise _Mistaken(mistakes)
    return kind(**values)


def _value(hint: Any, field: dataclasses.Field[Any], value: Any, path: str) -> Any:
    if isinstance(value, list):
        inner = next(one for one in typing.get_args(hint) if one is not Ellipsis)
        return tuple(_value(inner, field, one, f"{path}.{i}") for i, one in enumerate(value))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        kinds = [hint, *typing.get_args(hint)]
        return _order(
            next(one for one in kinds if isinstance(one, type) and dataclasses.is_dataclass(one)), value, f"{path}."
        )
    if field.metadata["of"] is not None:
        wanted = field.metadata["of"]
        try:
            if inputs.type_of_id(value) != wanted:
                raise inputs.BadValue
            return inputs.uuid_of(value)
        except inputs.BadValue:
            raise _Mistaken([Mistake(path, "BAD_ID", f"标识的写法不对，应形如 {wanted}:0190a6c2-…。")]) from None
    if isinstance(value, str) and "\x00" in value:
        raise _Mistaken([Mistake(path, "BAD_TEXT", "不能含有空字符。")])
    return value


def camel(name: str) -> str:
    """`id_number` is the schema's `idNumber`."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
