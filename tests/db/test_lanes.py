"""Lanes: in order of asking, never more at once than there are connections, and none is lost."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from db.engine import Address, Session
from db.lanes import Lanes


@pytest_asyncio.fixture(loop_scope="session")
async def lanes(database: Address) -> AsyncIterator[Lanes]:
    """Two lanes."""
    opened = Lanes(Session(database, "sanlian_reader", 5000), 2)
    yield opened
    await opened.close()


async def test_nobody_is_overtaken(lanes: Lanes) -> None:
    """Two slow questions hold both lanes; those behind them are answered in their order, and one who comes last is last."""
    answered: list[int] = []

    async def ask(number: int, seconds: float) -> None:
        await lanes.fetchrow("SELECT pg_sleep($1)", [seconds])
        answered.append(number)
        if number == 0:
            late.append(asyncio.ensure_future(ask(99, 0.0)))

    late: list[asyncio.Future[None]] = []
    await asyncio.gather(
        ask(0, 0.1), ask(1, 5.0), *(ask(number, 0.01) for number in range(2, 12)), return_exceptions=True
    )
    await asyncio.gather(*late)
    assert [number for number in answered if number > 1] == [*range(2, 12), 99]


async def test_as_few_connections_as_there_are_questions_at_once(lanes: Lanes) -> None:
    backends = {(await lanes.fetchrow("SELECT pg_backend_pid()"))[0] for _ in range(5)}
    assert len(backends) == 1
    busy = await asyncio.gather(*(lanes.fetchrow("SELECT pg_backend_pid(), pg_sleep(0.05)") for _ in range(6)))
    assert len({row[0] for row in busy}) == 2


async def test_a_connection_that_the_server_ended_is_opened_anew(database: Address, lanes: Lanes) -> None:
    (backend,) = await lanes.fetchrow("SELECT pg_backend_pid()")
    other = await asyncpg.connect(**database.connect_arguments())
    try:
        assert await other.fetchval("SELECT pg_terminate_backend($1, 5000)", backend)  # waits for its end
    finally:
        await other.close()
    await asyncio.sleep(0.05)  # until the end of the connection has arrived here
    assert (await lanes.fetchrow("SELECT pg_backend_pid()"))[0] != backend


async def test_who_stops_waiting_takes_no_lane_with_him(lanes: Lanes) -> None:
    """Cancelled in the queue, at the very moment of his turn, or while his statement runs: both lanes are free afterwards."""
    slow = [asyncio.ensure_future(lanes.fetchrow("SELECT pg_sleep(0.05)")) for _ in range(2)]
    await asyncio.sleep(0)
    queued = [asyncio.ensure_future(lanes.fetchrow("SELECT 1")) for _ in range(4)]
    await asyncio.sleep(0)
    queued[0].cancel()
    await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
    queued[1].cancel()
    running = asyncio.ensure_future(lanes.fetchrow("SELECT pg_sleep(5)"))
    await asyncio.gather(*slow, *queued, return_exceptions=True)
    await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    async with asyncio.timeout(3):
        busy = await asyncio.gather(*(lanes.fetchrow("SELECT pg_backend_pid(), pg_sleep(0.05)") for _ in range(4)))
    assert len({row[0] for row in busy}) == 2
