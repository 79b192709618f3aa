"""The pool: first come, first served; never more at once than its size; no slot is lost, and no transaction is left open."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from db.postgres.address import Address
from db.postgres.pool import Pool
from db.postgres.session import MAX_STATEMENT_BYTES, Session


@pytest_asyncio.fixture(loop_scope="session")
async def pool(database: Address) -> AsyncIterator[Pool]:
    """A pool of two connections."""
    opened = Pool(Session(database, "sanlian_reader", 5000), 2)
    yield opened
    await opened.close()


async def one(pool: Pool, sql: str, *arguments: Any) -> Any:
    """The first value of a statement."""
    row = await pool.fetchrow(sql, arguments)
    assert row is not None
    return row[0]


async def test_nobody_is_overtaken(pool: Pool) -> None:
    """Two slow statements hold both connections; those behind them run in their order, and a newcomer runs last."""
    answered: list[int] = []

    async def ask(number: int, seconds: float) -> None:
        await pool.fetchrow("SELECT pg_sleep($1)", [seconds])
        answered.append(number)
        if number == 0:
            late.append(asyncio.ensure_future(ask(99, 0.0)))

    late: list[asyncio.Future[None]] = []
    await asyncio.gather(
        ask(0, 0.1), ask(1, 5.0), *(ask(number, 0.01) for number in range(2, 12)), return_exceptions=True
    )
    await asyncio.gather(*late)
    assert [number for number in answered if number > 1] == [*range(2, 12), 99]


async def test_no_more_connections_are_opened_than_are_used_at_once(pool: Pool) -> None:
    backends = {await one(pool, "SELECT pg_backend_pid()") for _ in range(5)}
    assert len(backends) == 1
    busy = await asyncio.gather(*(one(pool, "SELECT pg_backend_pid(), pg_sleep(0.05)") for _ in range(6)))
    assert len(set(busy)) == 2


async def test_a_connection_that_the_server_ended_is_opened_anew(database: Address, pool: Pool) -> None:
    backend = await one(pool, "SELECT pg_backend_pid()")
    await end(database, backend)
    assert await one(pool, "SELECT pg_backend_pid()") != backend


async def end(database: Address, backend: int) -> None:
    """End a connection from the side of the server."""
    other = await asyncpg.connect(**database.connect_arguments())
    try:
        assert await other.fetchval("SELECT pg_terminate_backend($1, 5000)", backend)  # waits for its end
    finally:
        await other.close()
    await asyncio.sleep(0.05)  # until the end of the connection has arrived here


async def test_a_cancelled_waiter_keeps_no_slot(pool: Pool) -> None:
    """Cancelled in the queue, at the very moment of being served, or while its statement runs: both slots are free afterwards."""
    slow = [asyncio.ensure_future(pool.fetchrow("SELECT pg_sleep(0.05)")) for _ in range(2)]
    await asyncio.sleep(0)
    queued = [asyncio.ensure_future(pool.fetchrow("SELECT 1")) for _ in range(4)]
    await asyncio.sleep(0)
    queued[0].cancel()
    await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
    queued[1].cancel()
    running = asyncio.ensure_future(pool.fetchrow("SELECT pg_sleep(5)"))
    await asyncio.gather(*slow, *queued, return_exceptions=True)
    await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    async with asyncio.timeout(3):
        busy = await asyncio.gather(*(one(pool, "SELECT pg_backend_pid(), pg_sleep(0.05)") for _ in range(4)))
    assert len(set(busy)) == 2


# -- transactions

_BACKEND = "SELECT pg_backend_pid()"


def write(word: str) -> str:
    return f"INSERT INTO kept (word) VALUES ('{word}')"


@asynccontextmanager
async def writing(database: Address, size: int = 1) -> AsyncIterator[tuple[Pool, "asyncpg.Connection[Any]"]]:
    """A pool, and a connection beside it, with an empty table that both see. Its checks are deferred to the commit."""
    beside = await asyncpg.connect(**database.connect_arguments())
    pool = Pool(Session(database, None, 2000), size)
    try:
        await beside.execute("CREATE TABLE kept (word text UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        yield pool, beside
    finally:
        await pool.close()
        await beside.execute("DROP TABLE kept")
        await beside.close()


async def words(beside: "asyncpg.Connection[Any]") -> list[str]:
    return [row["word"] for row in await beside.fetch("SELECT word FROM kept ORDER BY word")]


async def idle(pool: Pool, beside: "asyncpg.Connection[Any]") -> bool:
    """Whether the connection that is used next is in no transaction."""
    backend = await one(pool, _BACKEND)
    return bool(await beside.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", backend) == "idle")


async def carry_out(pool: Pool, *statements: str) -> None:
    """The statements in one transaction."""
    async with pool.transaction() as connection:
        for statement in statements:
            await connection.execute(statement)


async def test_what_a_transaction_did_is_stored_at_its_end(database: Address) -> None:
    async with writing(database) as (pool, beside):
        async with pool.transaction() as connection:
            await connection.execute(write("甲"))
            assert await words(beside) == []
        assert await words(beside) == ["甲"]
        assert await idle(pool, beside)


async def test_a_block_that_raises_stores_nothing(database: Address) -> None:
    """Its own error, a statement's, or the commit's: rolled back, and the same connection serves the next."""

    async def give_up(pool: Pool) -> None:
        async with pool.transaction() as connection:
            await connection.execute(write("甲"))
            raise LookupError

    async with writing(database) as (pool, beside):
        backend = await one(pool, _BACKEND)
        with pytest.raises(LookupError):
            await give_up(pool)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await carry_out(pool, write("乙"), "SELECT 1 / 0")
        with pytest.raises(asyncpg.UniqueViolationError):
            await carry_out(pool, write("丙"), write("丙"))
        assert await words(beside) == []
        assert await idle(pool, beside)
        assert await one(pool, _BACKEND) == backend


async def test_a_failed_statement_is_never_taken_for_stored(database: Address) -> None:
    """Whoever goes on after an error is told at the commit: PostgreSQL itself answers it with a rollback and no error."""

    async def go_on(pool: Pool) -> None:
        async with pool.transaction() as connection:
            await connection.execute(write("甲"))
            with pytest.raises(asyncpg.DivisionByZeroError):
                await connection.execute("SELECT 1 / 0")

    async with writing(database) as (pool, beside):
        with pytest.raises(asyncpg.InFailedSQLTransactionError):
            await go_on(pool)
        assert await words(beside) == []
        assert await idle(pool, beside)


@pytest.mark.parametrize("twice", [False, True])
async def test_whoever_is_cancelled_leaves_no_transaction_open(database: Address, twice: bool) -> None:
    """At any moment from the BEGIN to the COMMIT, or once more while it is rolled back."""
    ends = set()
    async with writing(database) as (pool, beside):
        for number in range(60):
            await one(pool, _BACKEND)
            word = f"{number}"
            working = asyncio.ensure_future(carry_out(pool, write(word), "SELECT pg_sleep(0.001)", "SELECT 1"))
            await asyncio.sleep(number / 10_000)
            working.cancel()
            if twice:
                await asyncio.sleep(0)
                working.cancel()
            (failed,) = await asyncio.gather(working, return_exceptions=True)
            ends.add(type(failed))
            async with asyncio.timeout(3):
                assert await idle(pool, beside)
                # Cancelled in the commit, it may be stored without being acknowledged; never the other way round.
                assert failed is not None or word in await words(beside)
                await carry_out(pool, write(f"{number} after"))
            assert f"{number} after" in await words(beside)
    assert asyncio.CancelledError in ends


async def test_a_cancelled_statement_is_not_stored(database: Address) -> None:
    async with writing(database) as (pool, beside):
        working = asyncio.ensure_future(carry_out(pool, write("甲"), "SELECT pg_sleep(5)"))
        await asyncio.sleep(0.1)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        assert await idle(pool, beside)
        assert await words(beside) == []


async def test_a_transaction_whose_connection_ends_is_not_stored(database: Address) -> None:
    """The server ends it in the middle: the block fails, and the next one has a new connection."""
    async with writing(database) as (pool, beside):
        backend = await one(pool, _BACKEND)
        working = asyncio.ensure_future(carry_out(pool, write("甲"), "SELECT pg_sleep(2)", write("乙")))
        await asyncio.sleep(0.05)
        await end(database, backend)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await working
        await carry_out(pool, write("丙"))
        assert await words(beside) == ["丙"]
        assert await one(pool, _BACKEND) != backend


async def test_closing_waits_for_the_work_on_hand(database: Address) -> None:
    async with writing(database) as (pool, beside):
        working = asyncio.ensure_future(carry_out(pool, "SELECT pg_sleep(0.1)", write("甲")))
        await asyncio.sleep(0.02)
        await pool.close()
        assert await words(beside) == ["甲"]
        await working


async def test_prepared_statements_are_bounded_in_bytes(database: Address) -> None:
    """Texts of all lengths, new ones and known ones: what a server process keeps prepared stays under the bound, and those in use stay."""
    bound, dice, backends = 20_000, random.Random(5), set()
    small = Pool(Session(database, "sanlian_reader", 5000), 1, max_prepared_bytes=bound)
    try:
        for number in range(120):
            length = dice.choice((10, 300, 3_000, 9_000, MAX_STATEMENT_BYTES))
            await small.fetchrow(f"SELECT {number}, '{'x' * length}'")
            backends.add(await one(small, _BACKEND))
            kept = await one(small, "SELECT coalesce(sum(length(statement)), 0) FROM pg_prepared_statements")
            assert kept <= bound + 10_000
        assert 1 < len(backends) < 60
        backend = await one(small, _BACKEND)
        for _ in range(200):
            assert await one(small, _BACKEND) == backend
    finally:
        await small.close()
