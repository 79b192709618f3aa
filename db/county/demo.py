"""The demo county in the database of `python -m api demo`: made by one process at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from db.county.scale import extend
from db.postgres.address import Address
from db.postgres.advisory_locks import AdvisoryLock
from db.postgres.connection import Connection


@asynccontextmanager
async def demo_connection(address: Address) -> AsyncIterator[Any]:
    """A connection to the database of the demo, for one process at a time: the second to ask waits, and then finds what the first made."""
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", AdvisoryLock.DEMO)
        yield connection
    finally:
        await connection.close()


async def extend_and_vacuum(connection: Connection, disputes: int, progress: Callable[[int, int], None]) -> int:
    """Add synthetic disputes until there are so many of them; the number added. `progress` hears how many are done, of how many."""
    added = await extend(connection, disputes, progress)
    if added:
        # Counts and index-only scans are quick once the pages are known to be visible to all.
        await connection.execute("VACUUM (ANALYZE) dispute, party, assignment, referral")
    return added
