"""What the database tests share: a connection, and a small dispute whose parts each have a reason to exist."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from db.postgres.address import Address


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection as the owner of the database, closed at the end."""
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        yield connection
    finally:
        await connection.close()
