"""Root fields that are answered by Python instead of the planned statement: what is asked about the policy itself.

All questions of an operation are answered from one snapshot, which tells its epoch like any other reading, so they stand behind the
same fence. It knows no question; those are declared with `asked` beside their types.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
import orjson
import strawberry

from db.policy_admin.impact.runs import ImpactRuns
from db.query import plan as p
from db.query.epoch import read_epoch
from db.query.select import select_plan
from db.worker import Busy, TooLong, Worker
from policies.grant import Access
from policies.policy import Policy
from schema.names import camel
from schema.page import planned
from schema.planning import coercion
from schema.planning.question import QUESTIONS, Question, QuestionDefinition
from schema.refusal import Code, Refusal

if TYPE_CHECKING:
    from schema.viewer import Viewer

T = TypeVar("T")


@dataclass
class Asking:
    """Whoever asks, and what he is answered from: a connection in one snapshot, and a place for heavy thinking."""

    viewer: Viewer
    connection: Any
    worker: Worker
    runs: ImpactRuns

    @property
    def access(self) -> Access:
        return self.viewer.access

    @property
    def live(self) -> Policy:
        return self.viewer.access.policy

    async def read(self, plan: p.Plan, access: Access, values: Mapping[str, Any]) -> Any:
        """The data of a plan in this snapshot, as somebody sees it."""
        statement = select_plan(plan, access)
        row = await self.connection.fetchrow(statement.sql, *(values[name] for name in statement.binds))
        assert row is not None
        return orjson.loads(row["data"])

    async def think(self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of work that would hold up the event loop. Raises Refusal where it takes too long or too many want some."""
        try:
            return await self.worker.do(work, *arguments)
        except TooLong:
            raise Refusal(Code.TOO_COSTLY, "计算超时：请缩小策略或测试后重试。") from None
        except Busy:
            raise Refusal(Code.TOO_COSTLY, "正在计算的请求过多，请稍后重试。") from None


def asked(description: str, cost: int) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """Declare a question: a root field with the arguments and the result of the function, whose first parameter is the Asking."""

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

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], worker: Worker, runs: ImpactRuns) -> None:
        self._pool, self._worker, self._runs = pool, worker, runs

    async def answer(
        self, questions: Sequence[Question], viewer: Viewer, variables: Any, epoch: int | None
    ) -> tuple[int, dict[str, Any], tuple[dict[str, Any], ...]]:
        """The epoch of the snapshot, the answers by response key, and the errors of those that are refused."""
        answers: dict[str, Any] = {}
        errors: list[dict[str, Any]] = []
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            now = await read_epoch(connection)
            if epoch is not None and now != epoch:
                # SECURITY: nothing is worked out, nor begun, under rights that have ended.
                return now, {}, ()
            asking = Asking(viewer, connection, self._worker, self._runs)
            for one in questions:
                try:
                    # A question that was given up leaves the snapshot as it was.
                    async with connection.transaction():
                        answers[one.key] = one.selection.project(await self._one(asking, one, variables))
                except Refusal as refusal:
                    answers[one.key] = None
                    extensions = {"code": str(refusal.code)}
                    errors.append({"message": refusal.message, "path": [one.key], "extensions": extensions})
        return now, answers, tuple(errors)

    async def _one(self, asking: Asking, question: Question, variables: Any) -> Any:
        values: dict[str, Any] = {}
        for name, source in question.arguments.items():
            try:
                value = coercion.plain(source.read(variables))
            except coercion.BadValue as bad:
                raise Refusal(Code.BAD_USER_INPUT, f"{camel(name)}：{bad}") from None
            # What is not given, or null, is what the question takes it for.
            if value is not None:
                values[name] = value
        try:
            return _told(await QUESTIONS[question.name].answer(asking, **values))
        except asyncpg.QueryCanceledError:
            # Its time was up.
            raise Refusal(Code.TOO_COSTLY, "查询超时：请缩小范围后重试。") from None


def _told(value: Any) -> Any:
    """The value in the names of the schema."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {camel(field.name): _told(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [_told(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    return value


def merged(order: Sequence[str], data: bytes, answers: Mapping[str, Any]) -> bytes:
    """One JSON object of what was read and what was answered, its members in the order of the operation."""
    read = orjson.loads(data)
    return orjson.dumps({key: answers[key] if key in answers else read[key] for key in order})
