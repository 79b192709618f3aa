"""Root fields that are answered by Python instead of the planned statement: questions about the policy itself.

All questions of an operation are answered from one snapshot, whose epoch is returned like that of any other reading, so they stand
behind the same fence. This module knows no question; those are declared with `question` beside their types.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

import asyncpg
import orjson
import strawberry

from db.policy_admin.impact.runs import ImpactRuns
from db.postgres.connection import Connection
from db.query import plan as p
from db.query.epoch import read_epoch
from db.query.select import select_plan
from db.worker import Worker
from policies.grant import Access
from policies.policy import Policy
from schema.computation import compute
from schema.names import camel
from schema.page import planned
from schema.planning import coercion
from schema.planning.arguments import Call
from schema.planning.question import QUESTIONS, Question, QuestionDefinition
from schema.questions.turns import Turns
from schema.refusal import Code, Refusal, TooCostly
from schema.viewer import Viewer

T = TypeVar("T")


@dataclass
class QuestionContext:
    """What a question is answered with: the asker, a connection in one snapshot, workers for heavy computation and for planning,
    the impact runs."""

    viewer: Viewer
    connection: Connection
    worker: Worker
    planner: Worker
    runs: ImpactRuns
    statement_timeout_ms: int

    @property
    def access(self) -> Access:
        """The access of the asker."""
        return self.viewer.access

    @property
    def live(self) -> Policy:
        """The policy in force."""
        return self.viewer.access.policy

    async def read(self, plan: p.Plan, access: Access, values: Mapping[str, Any]) -> Any:
        """The data of a plan in this snapshot, as an access sees it."""
        statement = await compute(self.planner, select_plan, plan, access)
        row = await self.connection.fetchrow(statement.sql, *(values[name] for name in statement.binds))
        assert row is not None
        if row["excess"] is not None:
            size, limit = row["excess"]
            raise TooCostly(f"所读内容达 {size} 字节，上限 {limit} 字节：请缩小范围。", size, limit)
        return orjson.loads(row["data"])

    async def compute(self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of heavy work (`schema.computation`)."""
        return await compute(self.worker, work, *arguments)


def question(description: str, cost: int) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """Declare a question: a root field with the arguments and the result of the function, whose first parameter is the QuestionContext.

    `cost`: rows that the question counts for in the cost of an operation.
    """

    def declare(answer: Callable[..., Awaitable[Any]]) -> Any:
        QUESTIONS[camel(answer.__name__)] = QuestionDefinition(answer, cost)
        signature = inspect.signature(answer)

        def resolve() -> Any:
            return planned()

        resolve.__name__ = answer.__name__
        resolve.__module__ = answer.__module__
        parameters = list(signature.parameters.values())[1:]
        resolve.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        resolve.__annotations__ = {
            **{one.name: one.annotation for one in parameters},
            "return": signature.return_annotation,
        }
        return strawberry.field(resolver=resolve, description=description)

    return declare


class QuestionRunner:
    """Answers the questions of one process."""

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        worker: Worker,
        planner: Worker,
        runs: ImpactRuns,
        statement_timeout_ms: int,
    ) -> None:
        self._pool, self._worker, self._planner, self._runs = pool, worker, planner, runs
        self._statement_timeout_ms = statement_timeout_ms
        self._turns = Turns()

    async def answer(
        self, questions: Sequence[Question], viewer: Viewer, call: Call, epoch: int | None
    ) -> tuple[int, dict[str, Any], tuple[dict[str, Any], ...]]:
        """The epoch of the snapshot, the answers by response key, and the errors of the questions that are refused. Raises Refusal."""
        async with self._turns.take(viewer.person_id):
            return await self._answer_all(questions, viewer, call, epoch)

    async def _answer_all(
        self, questions: Sequence[Question], viewer: Viewer, call: Call, epoch: int | None
    ) -> tuple[int, dict[str, Any], tuple[dict[str, Any], ...]]:
        answers: dict[str, Any] = {}
        errors: list[dict[str, Any]] = []
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            now = await read_epoch(connection)
            if epoch is not None and now != epoch:
                # SECURITY: nothing is computed, nor begun, under rights that have ended.
                return now, {}, ()
            context = QuestionContext(
                viewer, connection, self._worker, self._planner, self._runs, self._statement_timeout_ms
            )
            for one in questions:
                try:
                    # A question that was given up leaves the snapshot as it was.
                    async with connection.transaction():
                        answers[one.key] = one.selection.project(await self._answer(context, one, call))
                except Refusal as refusal:
                    answers[one.key] = None
                    errors.append(refusal.formatted([one.key]))
        return now, answers, tuple(errors)

    async def _answer(self, context: QuestionContext, asked: Question, call: Call) -> Any:
        values: dict[str, Any] = {}
        for name, argument in asked.arguments.items():
            try:
                value = coercion.plain(argument.read(call))
            except coercion.BadValue as bad:
                raise Refusal(Code.BAD_USER_INPUT, f"{camel(name)}：{bad}") from None
            # An argument that is absent, or null, has the default of the function's parameter.
            if value is not None:
                values[name] = value
        try:
            return _graphql_value(await QUESTIONS[asked.name].answer(context, **values))
        except asyncpg.QueryCanceledError:
            # The statement reached its time limit.
            limit_ms = context.statement_timeout_ms
            raise TooCostly(f"查询超过 {limit_ms} 毫秒：请缩小范围后重试。", limit_ms, limit_ms) from None


def _graphql_value(value: Any) -> Any:
    """The value by the names of the schema: objects as dicts, enums as their codes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {camel(field.name): _graphql_value(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [_graphql_value(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    return value


def merged(order: Sequence[str], data: bytes, answers: Mapping[str, Any]) -> bytes:
    """One JSON object of what was read and what was answered, its members in the order of the operation."""
    read = orjson.loads(data)
    return orjson.dumps({key: answers[key] if key in answers else read[key] for key in order})
