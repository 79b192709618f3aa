"""A connection pool that serves its waiters in the order in which they came (first in, first out). It knows no table.

A pool in which newcomers overtake waiters has a long tail of latency when it is busy, and asyncpg's costs more than the query that
it serves (measured: 0.05 ms of 0.07). Here nobody is overtaken, and a slot keeps its connection for life.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from db.postgres.session import MAX_STATEMENT_BYTES, MAX_STATEMENTS, Session

# What the statements that one connection keeps prepared may have of text, in bytes. The server takes up to ninety times as much (measured),
# until the connection ends.
MAX_PREPARED_BYTES = 2_000_000


@dataclass(eq=False, slots=True)
class _Slot:
    connection: asyncpg.Connection[asyncpg.Record] | None = None
    # The texts that the connection keeps prepared, as asyncpg does: the least recently used leaves first.
    prepared: OrderedDict[str, None] = field(default_factory=OrderedDict)
    prepared_bytes: int = 0

    def note(self, sql: str) -> None:
        """The statement is prepared, or used again."""
        if len(sql) > MAX_STATEMENT_BYTES:
            return
        if sql in self.prepared:
            self.prepared.move_to_end(sql)
            return
        self.prepared[sql] = None
        self.prepared_bytes += len(sql)
        if len(self.prepared) > MAX_STATEMENTS:
            self.prepared_bytes -= len(self.prepared.popitem(last=False)[0])


class Pool:
    """At most `size` connections of one kind. Each is opened when it is first needed, and again when it has ended."""

    def __init__(self, session: Session, size: int, max_prepared_bytes: int = MAX_PREPARED_BYTES) -> None:
        self._session, self._size, self._max_prepared_bytes = session, size, max_prepared_bytes
        # Last in, first out among the free: no more connections are opened than are used at once.
        self._free = [_Slot() for _ in range(size)]
        self._waiters: deque[asyncio.Future[_Slot]] = deque()

    @property
    def statement_timeout_ms(self) -> int:
        """How long a statement may take, in milliseconds."""
        return self._session.statement_timeout_ms

    async def fetchrow(self, sql: str, arguments: Sequence[Any] = ()) -> asyncpg.Record | None:
        """The first row of a statement, if it has one. Raises what asyncpg raises."""
        slot = self._free.pop() if self._free else await self._wait()
        try:
            connection = await self._open(slot)
            slot.note(sql)
            return await connection.fetchrow(sql, *arguments)
        finally:
            self._release(slot)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """A connection in a transaction: committed at the end of the block, rolled back where the block or the commit raises."""
        slot = self._free.pop() if self._free else await self._wait()
        try:
            connection = await self._open(slot)
            try:
                await connection.execute("BEGIN")
                yield connection
                # A transaction in which a statement has failed is rolled back by its COMMIT, without an error.
                if await connection.execute("COMMIT") != "COMMIT":
                    raise asyncpg.InFailedSQLTransactionError("rolled back: a statement had failed")
            except BaseException:
                await _roll_back(connection)
                raise
        finally:
            self._release(slot)

    async def close(self) -> None:
        """Close the connections, each when the work on it is done."""
        slots = [self._free.pop() if self._free else await self._wait() for _ in range(self._size)]
        for slot in slots:
            if slot.connection is not None:
                await slot.connection.close()
                slot.connection = None
            self._release(slot)

    async def _open(self, slot: _Slot) -> asyncpg.Connection[asyncpg.Record]:
        connection = slot.connection
        if connection is not None and slot.prepared_bytes > self._max_prepared_bytes:
            # SECURITY: texts are the clients', and there is no end of them; what they took in the server ends with its process.
            await connection.close()
        if connection is None or connection.is_closed():
            connection = slot.connection = await self._session.connect()
            slot.prepared.clear()
            slot.prepared_bytes = 0
        return connection

    async def _wait(self) -> _Slot:
        waiter: asyncio.Future[_Slot] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            # A slot that was handed over just before goes to the next waiter.
            if waiter.done() and not waiter.cancelled():
                self._release(waiter.result())
            raise

    def _release(self, slot: _Slot) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(slot)
                return
        self._free.append(slot)


async def _roll_back(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Leave no transaction open: a connection that cannot be rolled back is ended."""
    # Whether a cancelled statement, or the BEGIN, arrived is not known here: outside a transaction a ROLLBACK only warns.
    try:
        await connection.execute("ROLLBACK")
    except Exception:  # noqa: BLE001  the error of the block is the one to report
        connection.terminate()
    except BaseException:
        connection.terminate()
        raise
