"""Runs a mutation: each root field is one command, in order, then one planned read of what the client selected of its result.

A field that is refused leaves the others standing: each is a transaction of its own, and each says in its payload what became of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import FieldNode, GraphQLObjectType, GraphQLSchema
from graphql.execution.values import get_variable_values

from db.lru_cache import LruCache
from db.query.reader import Reader, TooSlow
from db.write.command import Command, KeyReused, UserError
from db.write.executor import Commander, Receipt
from db.write.transaction import Actor, Stale
from policies.grant import Access
from schema import outbox
from schema.execution.command_input import BadInput, read_input
from schema.execution.outbox import substitute
from schema.execution.payload import Payload, payload_of, plain
from schema.execution.query import told
from schema.mutation import COMMAND_OF
from schema.planning.arguments import Argument, Constraint, arguments_of, satisfied
from schema.planning.context import PlanningContext
from schema.planning.operation import Answer, Operation
from schema.planning.selection import Selection
from schema.refusal import Code, Refusal
from schema.viewer import Viewer

MOST = 4
ATTEMPTS = 5
CACHED = 1000
VARIANTS = 16


@dataclass(frozen=True)
class Standing:
    """A caller as he stands at an epoch."""

    epoch: int
    viewer: Viewer


# The caller as he stands: with True, read anew.
Stand = Callable[[bool], Awaitable[Standing]]


class _Moved(Exception):
    """The caller's rights have changed before anything was done: begin again."""


_RESTLESS = Refusal(Code.CONFLICT, "访问权正在变更，请稍后重试。")


class _Asker:
    """Whoever asks, as he stands; `confirmed` once the database has said in this operation that he still stands so."""

    def __init__(self, stand: Stand, standing: Standing) -> None:
        self._stand, self.now, self.confirmed = stand, standing, False

    async def anew(self) -> None:
        """Read him again. Raises Refusal where he is no longer admitted."""
        self.now = await self._stand(True)


@dataclass(frozen=True)
class _Field:
    """A root field as planned: the command with its payload, or the outbox with what is shown of each result."""

    key: str
    name: str
    given: Argument | None = None
    payload: Payload | None = None
    results: tuple[tuple[str, Selection | None], ...] = ()


@dataclass(frozen=True)
class _Planned:
    fields: tuple[_Field, ...]
    constraints: list[Constraint]


class Mutator:
    """Mutations of one process. What the fields ask for is kept by document, operation and shape of access."""

    def __init__(self, schema: GraphQLSchema, reader: Reader, commander: Commander) -> None:
        self._schema, self._reader, self._commander = schema, reader, commander
        assert schema.mutation_type is not None
        self._root: GraphQLObjectType = schema.mutation_type
        self._planned: LruCache[list[_Planned]] = LruCache(CACHED)

    async def run(self, operation: Operation, stand: Stand) -> Answer:
        """The answer of a mutation; every acknowledged field is stored. Raises Refusal where the operation as such is refused."""
        asker = _Asker(stand, await stand(False))
        variables = get_variable_values(
            self._schema,
            operation.definition.variable_definitions or (),
            operation.variables,
            max_errors=5,
            hide_suggestions=True,
        )
        if isinstance(variables, list):
            await self._confirm(asker)
            return Answer(None, tuple(told(error) for error in variables))
        for _ in range(ATTEMPTS):
            try:
                return await self._answer(operation, variables, asker)
            except _Moved:
                await asker.anew()
        raise _RESTLESS

    async def _answer(self, operation: Operation, variables: Any, asker: _Asker) -> Answer:
        # What the payload asks for is looked at first: nothing is stored for a request that cannot be answered.
        fields = await self._rehearse(operation, variables, asker)
        members: list[bytes] = []
        errors: list[dict[str, Any]] = []
        for place, field in enumerate(fields):
            try:
                if field.name == "__typename":
                    data = orjson.dumps(self._root.name)
                elif field.name == "submitOutbox":
                    data = await self._outbox(operation, field, variables, asker)
                else:
                    data = await self._field(operation, place, field, variables, asker)
            except Refusal as refusal:
                errors.append(
                    {"message": refusal.message, "path": [field.key], "extensions": {"code": str(refusal.code)}}
                )
                data = b"null"
            members.append(_member(field.key, data))
        await self._confirm(asker)
        return Answer(b"{" + b",".join(members) + b"}", tuple(errors))

    async def _confirm(self, asker: _Asker) -> bool:
        """Whether the caller stood as we knew him; otherwise he is read again. What a transaction of this operation has told is known."""
        # SECURITY: mistakes and refusals too are told only to those who are still admitted.
        if asker.confirmed:
            return True
        asker.confirmed = True
        if await self._reader.epoch() == asker.now.epoch:
            return True
        await asker.anew()
        return False

    # -- planning

    async def _rehearse(self, operation: Operation, variables: Any, asker: _Asker) -> tuple[_Field, ...]:
        try:
            return self._rehearsed(operation, asker.now.viewer.access, variables)
        except Refusal:
            # SECURITY: what is refused is refused under current rights too.
            if await self._confirm(asker):
                raise
            return self._rehearsed(operation, asker.now.viewer.access, variables)

    def _rehearsed(self, operation: Operation, access: Access, variables: Any) -> tuple[_Field, ...]:
        fields = self._plan(operation, access, variables)
        for field in fields:
            if field.payload is not None:
                field.payload.values(variables)
        return fields

    def _plan(self, operation: Operation, access: Access, variables: Any) -> tuple[_Field, ...]:
        """The root fields for callers of this access's shape. Raises Refusal."""
        name = operation.definition.name and operation.definition.name.value
        variants = self._planned.get((operation.document, name, access.shape), list)
        for known in variants:
            if satisfied(known.constraints, variables):
                return known.fields
        context = PlanningContext(self._schema, operation, access, variables, typed=False)
        found = context.fields.collect([operation.definition.selection_set], self._root.name)
        if len(found) > MOST:
            raise Refusal(Code.TOO_COSTLY, f"一次至多 {MOST} 个变更，请分几次提交。")
        fields = tuple(self._planned_field(context, key, nodes) for key, nodes in found.items())
        if len(variants) >= VARIANTS:
            variants.pop(0)
        variants.append(_Planned(fields, context.constraints.recorded))
        return fields

    def _planned_field(self, context: PlanningContext, key: str, nodes: list[FieldNode]) -> _Field:
        name = nodes[0].name.value
        if name == "__typename":
            return _Field(key, name)
        (given,) = arguments_of(nodes[0], self._root.fields[name]).values()
        if name != "submitOutbox":
            return _Field(key, name, given, payload_of(context, COMMAND_OF[name], nodes))
        results = tuple(
            (one, None if found[0].name.value == "__typename" else context.fields.selection(found, "OutboxResult"))
            for one, found in context.fields.subfields(nodes, "OutboxPayload").items()
        )
        return _Field(key, name, given, results=results)

    # -- one command

    async def _field(self, operation: Operation, place: int, field: _Field, variables: Any, asker: _Asker) -> bytes:
        command = COMMAND_OF[field.name]
        given = _given(field, variables)
        try:
            read = read_input(command.input_type, given)
        except BadInput as bad:
            receipt = Receipt(command.shows, user_errors=bad.user_errors)
        else:
            receipt = await self._carry_out(command, read, given, operation, variables, asker)
        for attempt in range(ATTEMPTS):
            if attempt:
                await asker.anew()
            viewer = asker.now.viewer
            payload = self._plan(operation, viewer.access, variables)[place].payload
            assert payload is not None
            if payload.statement is None or receipt.id is None:
                return payload.text(receipt, b"{}")
            values = {**payload.values(variables), **viewer.values, "shown_id": receipt.id}
            try:
                reading = await self._reader.read(payload.statement, values)
            except TooSlow:
                raise Refusal(Code.TOO_COSTLY, "已保存，但读取所选内容超时，请少取一些，稍后查询。") from None
            if reading.epoch == asker.now.epoch:
                return payload.text(receipt, reading.data)
        raise Refusal(Code.CONFLICT, "已保存，但访问权正在变更，暂不能返回结果；请稍后查询。")

    async def _carry_out(
        self, command: Command, input: Any, given: dict[str, Any], operation: Operation, variables: Any, asker: _Asker
    ) -> Receipt:
        for _ in range(ATTEMPTS):
            viewer = asker.now.viewer
            actor = Actor(viewer.access, viewer.person_id, asker.now.epoch, operation.request_id)
            try:
                receipt = await self._commander.carry_out(
                    command,
                    actor,
                    input,
                    key=given.get("idempotencyKey"),
                    expected_version=given.get("expectedVersion"),
                )
            except Stale:
                if not asker.confirmed:
                    raise _Moved from None
                await asker.anew()
                self._rehearsed(operation, asker.now.viewer.access, variables)
                continue
            except KeyReused:
                asker.confirmed = True
                message = "这个幂等键已用于另一次内容不同的请求；请换一个新键。"
                raise Refusal(Code.CONFLICT, message) from None
            asker.confirmed = True
            return receipt
        raise _RESTLESS

    # -- the outbox

    async def _outbox(self, operation: Operation, field: _Field, variables: Any, asker: _Asker) -> bytes:
        items = _given(field, variables)
        if len(items) > outbox.MOST:
            raise Refusal(Code.TOO_COSTLY, f"一次至多提交 {outbox.MOST} 条，请分几次提交。")
        made: dict[str, str] = {}
        results: list[dict[str, Any]] = []
        for item in items:
            receipt = await self._item(item, made, operation, variables, asker)
            temporary = item.get("temporaryId")
            key = None if receipt.id is None else f"{receipt.kind}:{receipt.id}"
            if temporary is not None and key is not None:
                made[temporary] = key
            results.append({**plain(receipt), "temporaryId": temporary, "id": key})
        shown = {
            key: "OutboxPayload" if selection is None else [selection.project(one) for one in results]
            for key, selection in field.results
        }
        return orjson.dumps(shown)

    async def _item(
        self, item: dict[str, Any], made: dict[str, str], operation: Operation, variables: Any, asker: _Asker
    ) -> Receipt:
        chosen = [(name, value) for name, value in item.items() if name in COMMAND_OF and value is not None]
        if len(chosen) != 1:
            return Receipt("", user_errors=(UserError("", "ONE_COMMAND", "每条须且只须写一项要办的事。"),))
        name, given = chosen[0]
        command = COMMAND_OF[name]
        user_errors: list[UserError] = []
        given = substitute(given, made, "", user_errors)
        if not given.get("idempotencyKey"):
            user_errors.append(
                UserError("idempotencyKey", "REQUIRED", "离线提交的每一条都须有幂等键，重发才不会重复办理。")
            )
        if user_errors:
            return Receipt(command.shows, user_errors=tuple(user_errors))
        try:
            return await self._carry_out(
                command, read_input(command.input_type, given), given, operation, variables, asker
            )
        except BadInput as bad:
            return Receipt(command.shows, user_errors=bad.user_errors)
        except Refusal as refusal:
            return Receipt(command.shows, user_errors=(UserError("", str(refusal.code), refusal.message),))


def _given(field: _Field, variables: Any) -> Any:
    """The input. Raises Refusal: a variable with a default may be null where the input must not."""
    assert field.given is not None
    value = field.given.read(variables)
    if value is None:
        raise Refusal(Code.BAD_USER_INPUT, "输入中有一项不能为 null。")
    return value


def _member(key: str, data: bytes) -> bytes:
    return orjson.dumps(key) + b":" + data
