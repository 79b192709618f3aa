"""Executes a mutation: each root field is one command, in order, then one planned read of what the client selected of its result.

A field that is refused leaves the others as they are: each is a transaction of its own, and each says in its payload what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from graphql import FieldNode, GraphQLObjectType, GraphQLSchema
from graphql.execution.values import get_variable_values

from db.query.reader import ForeignCursor, Reader, TooLarge, TooSlow
from db.worker import Worker
from db.write.command import Command, KeyReused, Order, UserError
from db.write.executor import CommandExecutor, Receipt
from db.write.transaction import Actor
from policies.grant import Access
from schema.execution.command_input import read_order
from schema.execution.fence import Caller, Fence
from schema.execution.outbox import MISTAKES, Mistaken, substitute
from schema.execution.payload import Payload, payload_of, receipt_data
from schema.execution.plan_cache import Made, PlanCache, plan_weight
from schema.execution.query import formatted
from schema.mutation import COMMAND_OF
from schema.outbox import MAX_ITEMS
from schema.planning.arguments import Argument, Call, arguments_of
from schema.planning.budget import Budget
from schema.planning.context import PlanningContext
from schema.planning.cursors import FOREIGN
from schema.planning.operation import Answer, Operation
from schema.planning.selection import Selection
from schema.refusal import Code, Refusal, TooCostly

MAX_FIELDS = 4
MAX_PLAN_BYTES = 20_000_000


@dataclass(frozen=True)
class _PlannedField:
    """A root field as planned: the command with its payload, or the outbox with what is selected of each result."""

    key: str
    name: str
    argument: Argument | None = None
    payload: Payload | None = None
    results: tuple[tuple[str, Selection | None], ...] = ()

    def input(self, call: Call) -> Any:
        """The coerced input. Raises Refusal."""
        assert self.argument is not None
        return self.argument.read(call)


@dataclass(frozen=True)
class _Run:
    """One execution: the operation, its call, and the fence of its caller."""

    operation: Operation
    call: Call
    fence: Fence[Any]


class MutationExecutor:
    """Mutations of one process. Plans of root fields are kept by document, operation and shape of access."""

    def __init__(
        self,
        schema: GraphQLSchema,
        reader: Reader,
        commands: CommandExecutor,
        *,
        cursor_key: bytes,
        max_price: int = 10**9,
        worker: Worker | None = None,
    ) -> None:
        self._schema, self._reader, self._commands, self._max_price = schema, reader, commands, max_price
        self._cursor_key = cursor_key
        assert schema.mutation_type is not None
        self._root: GraphQLObjectType = schema.mutation_type
        self.plans: PlanCache[tuple[_PlannedField, ...]] = PlanCache(MAX_PLAN_BYTES, worker or Worker())

    async def run(self, operation: Operation, fence: Fence[Any]) -> Answer:
        """The answer of a mutation; every acknowledged field is stored. Raises Refusal where the operation as such is refused."""
        caller = await fence.caller()
        mistaken = Mistaken(self._schema, operation)
        variables = get_variable_values(
            self._schema,
            operation.definition.variable_definitions or (),
            mistaken.variables,
            max_errors=5,
            hide_suggestions=True,
        )
        if isinstance(variables, list):
            await fence.confirm()
            return Answer(None, tuple(formatted(error) for error in variables))
        mistaken.put_back(variables)
        run = _Run(operation, Call(variables, caller.viewer.person_id, self._cursor_key), fence)

        async def attempt(caller: Caller) -> tuple[int, Answer]:
            # Every part compares the epochs by itself: each command in its transaction, each payload with its snapshot.
            return caller.epoch, await self._answer(run, caller)

        return await fence.hold(attempt)

    async def _answer(self, run: _Run, caller: Caller) -> Answer:
        """Raises Stale where the caller's rights have changed before anything was done."""
        # The payloads are planned first: nothing is stored for a request that cannot be answered.
        fields = await self._plan_and_check(run, caller.viewer.access)
        members: list[bytes] = []
        errors: list[dict[str, Any]] = []
        for index, field in enumerate(fields):
            try:
                if field.name == "__typename":
                    data = orjson.dumps(self._root.name)
                elif field.name == "submitOutbox":
                    data = await self._execute_outbox(run, field)
                else:
                    data = await self._execute_field(run, index, field)
            except Refusal as refusal:
                errors.append(refusal.formatted([field.key]))
                data = b"null"
            members.append(orjson.dumps(field.key) + b":" + data)
        # SECURITY: user errors and refusals too are given only to those who are still admitted.
        await run.fence.confirm()
        return Answer(b"{" + b",".join(members) + b"}", tuple(errors))

    # -- planning

    async def _plan_and_check(self, run: _Run, access: Access) -> tuple[_PlannedField, ...]:
        """The root fields, after the values of their payloads were checked. Raises Refusal."""
        fields = await self._plan(run, access)
        for field in fields:
            if field.payload is not None:
                field.payload.values(run.call)
        return fields

    async def _plan(self, run: _Run, access: Access) -> tuple[_PlannedField, ...]:
        """The root fields for callers of this access's shape. Raises Refusal."""

        def make() -> Made[tuple[_PlannedField, ...]]:
            context = PlanningContext(self._schema, run.operation, access, run.call, typed=False)
            # What is wrong with the arguments of one field is said of that field alone, when it is its turn.
            root = [run.operation.definition.selection_set]
            fields = context.fields.collect(root, self._root.name, coerced=False)
            if len(fields) > MAX_FIELDS:
                raise TooCostly(f"一次至多 {MAX_FIELDS} 个变更，请分几次提交。", len(fields), MAX_FIELDS)
            budget = Budget(access, self._max_price)
            planned = tuple(self._plan_field(context, budget, key, nodes) for key, nodes in fields.items())
            statements = [field.payload.statement for field in planned if field.payload is not None]
            constraints = context.constraints.recorded
            weight = plan_weight(context.fields.visited, context.extracts, constraints, *statements)
            return Made(constraints, planned, weight)

        return await self.plans.get(run.operation, access, run.call, make)

    def _plan_field(self, context: PlanningContext, budget: Budget, key: str, nodes: list[FieldNode]) -> _PlannedField:
        name = nodes[0].name.value
        if name == "__typename":
            return _PlannedField(key, name)
        (argument,) = arguments_of(nodes[0], self._root.fields[name]).values()
        if name != "submitOutbox":
            return _PlannedField(key, name, argument, payload_of(context, budget, COMMAND_OF[name], nodes))
        results = tuple(
            (alias, None if below[0].name.value == "__typename" else context.fields.selection(below, "OutboxResult"))
            for alias, below in context.fields.subfields(nodes, "OutboxPayload").items()
        )
        return _PlannedField(key, name, argument, results=results)

    # -- one command

    async def _execute_field(self, run: _Run, index: int, field: _PlannedField) -> bytes:
        command = COMMAND_OF[field.name]
        values = field.input(run.call)
        receipt = await self._execute_command(run, command, read_order(command.input_type, values), values)

        async def read_payload(caller: Caller) -> tuple[int, bytes]:
            payload = (await self._plan(run, caller.viewer.access))[index].payload
            assert payload is not None
            if payload.statement is None or receipt.id is None:
                return caller.epoch, payload.text(receipt, b"{}")
            binds = {**payload.values(run.call), **caller.viewer.values, "shown_id": receipt.id}
            try:
                reading = await self._reader.read(payload.statement, binds)
            except TooSlow as slow:
                message = f"已保存，但读取所选内容超过 {slow.limit_ms} 毫秒，请少取一些，稍后查询。"
                raise TooCostly(message, slow.limit_ms, slow.limit_ms) from None
            except ForeignCursor:
                raise Refusal(Code.BAD_USER_INPUT, f"已保存，但不能返回所选内容。{FOREIGN}") from None
            except TooLarge as large:
                message = f"已保存，但所选内容达 {large.size} 字节，上限 {large.limit} 字节，请少取一些，稍后查询。"
                raise TooCostly(message, large.size, large.limit) from None
            return reading.epoch, payload.text(receipt, reading.data)

        exhausted = Refusal(Code.CONFLICT, "已保存，但访问权正在变更，暂不能返回结果；请稍后查询。")
        return await run.fence.hold(read_payload, exhausted)

    async def _execute_command(self, run: _Run, command: Command, order: Order, values: dict[str, Any]) -> Receipt:
        """What became of the command. Raises Stale where the caller's rights have changed before anything was done, and Refusal."""
        fence = run.fence
        if not fence.confirmed:
            return await self._commit(run, await fence.caller(), command, order, values)
        # Something may be done already, so only this command is tried again.
        first = await fence.caller()

        async def attempt(caller: Caller) -> tuple[int, Receipt]:
            if caller is not first:
                await self._plan_and_check(run, caller.viewer.access)
            return caller.epoch, await self._commit(run, caller, command, order, values)

        return await fence.hold(attempt)

    async def _commit(
        self, run: _Run, caller: Caller, command: Command, order: Order, values: dict[str, Any]
    ) -> Receipt:
        actor = Actor(caller.viewer.access, caller.viewer.person_id, caller.epoch, run.operation.request_id)
        try:
            receipt = await self._commands.execute(
                command,
                actor,
                order,
                key=values.get("idempotencyKey"),
                expected_version=values.get("expectedVersion"),
                late_reason=values.get("lateReason"),
            )
        except KeyReused:
            run.fence.confirmed = True
            message = "这个幂等键已用于另一次内容不同的请求；请换一个新键。"
            raise Refusal(Code.CONFLICT, message) from None
        run.fence.confirmed = True
        return receipt

    # -- the outbox

    async def _execute_outbox(self, run: _Run, field: _PlannedField) -> bytes:
        items = field.input(run.call)
        if len(items) > MAX_ITEMS:
            raise TooCostly(f"一次至多提交 {MAX_ITEMS} 条，请分几次提交。", len(items), MAX_ITEMS)
        global_ids: dict[str, str] = {}
        results: list[dict[str, Any]] = []
        for item in items:
            receipt = await self._execute_item(run, item, global_ids)
            temporary_id = item.get("temporaryId")
            global_id = None if receipt.id is None else f"{receipt.kind}:{receipt.id}"
            if temporary_id is not None and global_id is not None:
                global_ids[temporary_id] = global_id
                global_ids.update((f"{temporary_id}.{path}", part) for path, part in receipt.parts.items())
            results.append({**receipt_data(receipt), "temporaryId": temporary_id, "id": global_id})
        payload = {
            key: "OutboxPayload" if selection is None else [selection.project(result) for result in results]
            for key, selection in field.results
        }
        return orjson.dumps(payload)

    async def _execute_item(self, run: _Run, item: dict[str, Any], global_ids: dict[str, str]) -> Receipt:
        if MISTAKES in item:
            return Receipt("", user_errors=item[MISTAKES])
        chosen = [(name, value) for name, value in item.items() if name in COMMAND_OF and value is not None]
        if len(chosen) != 1:
            return Receipt("", user_errors=(UserError("", "ONE_COMMAND", "每条须且只须写一项要办的事。"),))
        name, values = chosen[0]
        command = COMMAND_OF[name]
        user_errors: list[UserError] = []
        values = substitute(command.input_type, values, global_ids, user_errors)
        if not values.get("idempotencyKey"):
            message = "离线提交的每一条都须有幂等键，重发才不会重复办理。"
            user_errors.append(UserError("idempotencyKey", "REQUIRED", message))
        order = read_order(command.input_type, values)
        named = {user_error.field for user_error in user_errors}
        others = [user_error for user_error in order.user_errors if user_error.field not in named]
        try:
            return await self._execute_command(run, command, Order(order.values, (*user_errors, *others)), values)
        except Refusal as refusal:
            return Receipt(command.shows, user_errors=(UserError("", str(refusal.code), refusal.message),))
