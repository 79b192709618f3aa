"""Connections for reading, handed from one question to the next in the order in which they were asked.

A pool that lets newcomers overtake those who wait has a long tail when it is busy, and asyncpg's costs more than the query that
it serves (measured: 0.05 ms of 0.07); here nobody is overtaken, and a lane keeps its connection for life. It knows no statement.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from db.engine import Session


@dataclass(eq=False, slots=True)
class _Lane:
    connection: asyncpg.Connection[asyncpg.Record] | None = None


class Lanes:
    """At most `size` connections. Each is opened when it is first needed, and anew when the server has ended it."""

    def __init__(self, session: Session, size: int) -> None:
        self._session = session
        # The last lane used is used next: as few connections are open as there are questions at once.
        self._free = [_Lane() for _ in range(size)]
        self._waiting: deque[asyncio.Future[_Lane]] = deque()

    async def fetchrow(self, sql: str, arguments: Sequence[Any] = ()) -> asyncpg.Record:
        """The one row of a statement. Raises what asyncpg raises."""
        lane = self._free.pop() if self._free else await self._turn()
        try:
            connection = lane.connection
            if connection is None or connection.is_closed():
                connection = lane.connection = await self._session.connect()
            row = await connection.fetchrow(sql, *arguments)
        finally:
            self._hand_on(lane)
        assert row is not None
        return row

    async def close(self) -> None:
        """Close the connections of the free lanes."""
        for lane in self._free:
            if lane.connection is not None:
                await lane.connection.close()
                lane.connection = None

    async def _turn(self) -> _Lane:
        turn: asyncio.Future[_Lane] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            # The one who asked has gone: his lane, if he was just given one, goes to the next.
            if turn.done() and not turn.cancelled():
                self._hand_on(turn.result())
            raise

    def _hand_on(self, lane: _Lane) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(lane)
                return
        self._free.append(lane)
