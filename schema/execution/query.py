"""Executes a planned query in place of graphql-core's executor: plan, cost, one statement, JSON text.

With `fast_path` off, or where introspection is asked for as well, graphql-core completes the same JSON instead; both give the
same answer (a law of the tests).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    execute,
    is_introspection_type,
)
from graphql.execution.values import get_variable_values

from db.query.reader import ForeignCursor, Reader, Reading, TooLarge, TooSlow
from db.query.statement import Statement
from db.worker import Worker
from policies.grant import Access
from schema.computation import compute
from schema.execution.fence import NO_EPOCH
from schema.execution.plan_cache import Made, PlanCache, plan_weight
from schema.planning.arguments import Call
from schema.planning.budget import Budget
from schema.planning.cursors import FOREIGN
from schema.planning.operation import Answer, Operation
from schema.planning.planner import Planned, plan_operation
from schema.questions.answer import QuestionRunner, merged
from schema.refusal import Code, Refusal, TooCostly
from schema.viewer import Viewer

MAX_PLAN_BYTES = 50_000_000


@dataclass
class PreparedQuery:
    """A planned operation with its statement."""

    planned: Planned
    statement: Statement


def executable(schema: GraphQLSchema) -> GraphQLSchema:
    """Every field resolves to the value that the plan put under its response key. For graphql-core's executor."""

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
        return source[info.path.key]

    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind):
            kind.is_type_of = None
            for field in kind.fields.values():
                field.resolve = resolve
    node: Any = schema.type_map["Node"]
    node.resolve_type = lambda value, info, abstract: value["-type"]
    return schema


class QueryExecutor:
    """Queries of one process. Plans and statements are kept by document, operation and shape of access."""

    def __init__(
        self,
        schema: GraphQLSchema,
        reader: Reader,
        question_runner: QuestionRunner | None = None,
        *,
        cursor_key: bytes,
        fast_path: bool = True,
        max_cost: int = 20_000,
        max_price: int = 10**9,
        worker: Worker | None = None,
    ) -> None:
        self._cursor_key = cursor_key
        self.schema, self.reader, self.fast_path, self.max_cost = executable(schema), reader, fast_path, max_cost
        self._max_price, self._worker = max_price, worker or Worker()
        self._question_runner = question_runner
        self.plans: PlanCache[PreparedQuery] = PlanCache(MAX_PLAN_BYTES, self._worker)

    async def run(self, operation: Operation, viewer: Viewer, epoch: int | None = None) -> tuple[int, Answer]:
        """The epoch of the snapshot that was read, and the answer. `epoch`: that under which the viewer was read. Raises Refusal."""
        variables = get_variable_values(
            self.schema,
            operation.definition.variable_definitions or (),
            operation.variables,
            max_errors=20,
            hide_suggestions=True,
        )
        if isinstance(variables, list):
            return await self.reader.epoch(), Answer(None, tuple(formatted(error) for error in variables))
        call = Call(variables, viewer.person_id, self._cursor_key)
        by_core = operation.document.introspects or not self.fast_path
        prepared = await self._prepare(operation, viewer.access, call, typed=by_core)
        values, cost = self._values(prepared.planned, viewer, call)
        extensions = {"cost": {"rows": cost, "limit": self.max_cost}}
        reading = await self._read(prepared, values)
        data = reading.data
        errors = tuple(_not_found(key) for key in reading.missing)
        if prepared.planned.questions:
            assert self._question_runner is not None
            now, answers, refused = await self._question_runner.answer(prepared.planned.questions, viewer, call, epoch)
            if now != reading.epoch or (epoch is not None and now != epoch):
                # They were read under different rights: there is no one answer.
                return NO_EPOCH, Answer(None)
            data = await compute(self._worker, merged, prepared.planned.order, data, answers)
            errors += refused
        if by_core:
            data = await compute(self._worker, self._complete, operation, data)
        return reading.epoch, Answer(data, errors, extensions)

    async def _read(self, prepared: PreparedQuery, values: Mapping[str, Any]) -> Reading:
        if not prepared.planned.plan.items:
            return Reading(await self.reader.epoch(), b"{}", ())
        try:
            return await self.reader.read(prepared.statement, values)
        except TooSlow as slow:
            message = f"查询超过 {slow.limit_ms} 毫秒：请缩小范围（加筛选条件、减少每页条数或少取嵌套内容）后重试。"
            raise TooCostly(message, slow.limit_ms, slow.limit_ms) from None
        except ForeignCursor:
            raise Refusal(Code.BAD_USER_INPUT, FOREIGN) from None
        except TooLarge as large:
            message = (
                f"回答达 {large.size} 字节，上限 {large.limit} 字节：请减少每页条数，少取长文本，不要重复取同一内容。"
            )
            raise TooCostly(message, large.size, large.limit) from None

    async def _prepare(self, operation: Operation, access: Access, call: Call, *, typed: bool) -> PreparedQuery:
        def make() -> Made[PreparedQuery]:
            planned = plan_operation(self.schema, operation, access, call, typed=typed)
            budget = Budget(access, self._max_price)
            statement = budget.statement(planned.plan) if planned.plan.items else Statement("", ())
            weight = plan_weight(planned.visited, planned.extracts, planned.constraints, statement)
            return Made(planned.constraints, PreparedQuery(planned, statement), weight)

        return await self.plans.get(operation, access, call, make, typed=typed)

    def _values(self, planned: Planned, viewer: Viewer, call: Call) -> tuple[Mapping[str, Any], int]:
        cost = planned.cost(call)
        if cost > self.max_cost:
            message = f"查询过大：约需 {cost} 行，上限 {self.max_cost} 行。请减少每页条数或嵌套层次，分几次取。"
            raise TooCostly(message, cost, self.max_cost)
        values = {name: extract(call) for name, extract in planned.extracts.items()}
        return values | viewer.values, cost

    def _complete(self, operation: Operation, data: bytes) -> bytes:
        """The data as graphql-core completes it."""
        result = execute(
            self.schema,
            operation.document.ast,
            root_value=orjson.loads(data),
            variable_values=operation.variables,
            operation_name=operation.name,
        )
        assert isinstance(result, ExecutionResult)
        for error in result.errors or ():
            # Planning has refused all that may be refused: this is an error of the service.
            raise error.original_error or error
        return orjson.dumps(result.data)


def formatted(error: GraphQLError) -> dict[str, Any]:
    """graphql-core's own error; `api.http.errors` gives it a code and takes values out of it."""
    return dict(error.formatted)


def _not_found(key: str) -> dict[str, Any]:
    return {
        "message": "没有这个对象，或者您无权查看它；请核对标识。",
        "path": [key],
        "extensions": {"code": str(Code.NOT_FOUND)},
    }
