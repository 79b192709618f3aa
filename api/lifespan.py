"""Opens what one process needs to answer: connections, policies, callers, schema; and closes it again."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from graphql import GraphQLSchema

from api.caller import Callers
from api.gate import Gate
from api.http.endpoint import OperationGate
from api.settings import Settings
from db.crypto import Cipher, cursor_key
from db.policy_admin.impact.runs import BATCH_MS, ImpactRuns
from db.policy_admin.versions import CompiledVersions
from db.postgres.address import Address
from db.postgres.pool import Pool
from db.postgres.session import OnConnect, Session, open_pool
from db.query.clocks import tier_setting
from db.query.reader import Reader
from db.query.select import MAX_BYTES_SETTING
from db.worker import Worker
from db.write.executor import CommandExecutor
from schema.execution.mutation import MutationExecutor
from schema.execution.plan_cache import MAX_WAITING
from schema.execution.query import QueryExecutor
from schema.questions.answer import QuestionRunner
from schema.sdl import graphql_schema

READER, WRITER = "sanlian_reader", "sanlian_writer"
# Connections of a process for look-ups of callers, and for questions.
LOOKUPS, QUESTIONS = 2, 4


@dataclass(frozen=True, slots=True)
class Services:
    """What is open while the application serves."""

    schema: GraphQLSchema
    gate: OperationGate
    ready: Callable[[], Awaitable[bool]]  # a database round trip works and a policy is loaded
    planner: Worker  # for what is computed of a new text


def _reading(settings: Settings, address: Address, on_connect: OnConnect | None) -> tuple[Session, Reader]:
    """The session of what is read, and the reader of queries."""
    numbers = {
        MAX_BYTES_SETTING: settings.max_answer_bytes,
        tier_setting("TEAM"): settings.tier_days_team,
        tier_setting("SQUAD"): settings.tier_days_squad,
        tier_setting("CENTRE"): settings.tier_days_centre,
    }
    session = Session(address, READER, settings.statement_timeout_ms, settings=numbers, on_connect=on_connect)
    # The values of a filter decide on the access path, so they are planned for each time: a plan for any value only looks as cheap.
    custom = dataclasses.replace(session, plan_cache_mode="force_custom_plan")
    # Measured at a million disputes: planning anew costs a page more than running it, and one plan serves every value.
    generic = dataclasses.replace(session, plan_cache_mode="force_generic_plan")
    return session, Reader(Pool(generic, settings.pool_size), Pool(custom, max(2, settings.pool_size // 2)))


def _query_executor(
    settings: Settings, schema: GraphQLSchema, reader: Reader, question_runner: QuestionRunner, planner: Worker
) -> QueryExecutor:
    return QueryExecutor(
        schema,
        reader,
        question_runner,
        cursor_key=cursor_key(settings.key()),
        fast_path=settings.fast_path,
        max_cost=settings.max_cost,
        max_price=settings.max_price,
        worker=planner,
    )


@asynccontextmanager
async def open_services(
    settings: Settings, address: Address, on_connect: OnConnect | None = None
) -> AsyncIterator[Services]:
    """The services of an application, for as long as it serves. `on_connect`: see `Session`."""
    timeout = settings.statement_timeout_ms
    session, reader = _reading(settings, address, on_connect)
    writing = Session(address, WRITER, timeout, on_connect=on_connect)
    writers = Pool(writing, max(2, settings.pool_size))
    # Who asks and whether the service is ready is found out beside whatever commands are under way.
    lookups = Pool(writing, LOOKUPS)
    # For questions about the policy: seldom, and in transactions.
    question_pool = await open_pool(session, QUESTIONS, least=0)
    impact_pool = await open_pool(dataclasses.replace(session, statement_timeout_ms=BATCH_MS), 1, least=0)
    # One for questions about the policy, which may take long, one for what every new text needs, and one for new policies.
    worker, planner, drafting = Worker(), Worker(pending=MAX_WAITING), Worker()
    try:
        # A database that cannot be reached ends the start, not the first request.
        async with writers.transaction():
            pass
        schema = graphql_schema()
        policies = CompiledVersions(lookups)
        runs = ImpactRuns(impact_pool, writers, worker)
        question_runner = QuestionRunner(question_pool, worker, planner, runs, timeout)
        executor = _query_executor(settings, schema, reader, question_runner, planner)
        commands = CommandExecutor(writers, Cipher(settings.key()), drafting)
        marks = cursor_key(settings.key())
        mutator = MutationExecutor(
            schema, reader, commands, cursor_key=marks, max_price=settings.max_price, worker=planner
        )
        gate = Gate(Callers(lookups, policies), executor, mutator, reader)

        async def ready() -> bool:
            await policies.live()
            return True

        yield Services(schema, gate, ready, planner)
        await gate.close()
        await runs.close()
    finally:
        worker.close()
        planner.close()
        drafting.close()
        await impact_pool.close()
        await reader.close()
        await question_pool.close()
        await lookups.close()
        await writers.close()
