"""Databases as clones of a template, which takes a fraction of the time of a migration."""

import asyncio
import base64
import itertools
from collections.abc import Iterator

import asyncpg

from db.postgres.address import Address

# The key of the demo county of the tests, as bytes and as the setting says it: whoever writes to a clone has the same.
KEY = bytes(range(32))
SECRET_KEY = base64.b64encode(KEY).decode()

_numbers = itertools.count(1)


def lend(template: Address) -> Iterator[Address]:
    """A clone of the template, dropped when the generator goes on. For fixtures: `yield from lend(template)`."""
    address = template.with_database(f"test_{next(_numbers)}")
    asyncio.run(clone(template, address))
    yield address
    asyncio.run(administer(address, f"DROP DATABASE {address.database} WITH (FORCE)"))


async def clone(template: Address, address: Address) -> None:
    """Make the database of `address` a copy of the template, to which nobody may be connected."""
    await administer(address, f"CREATE DATABASE {address.database} TEMPLATE {template.database} STRATEGY FILE_COPY")


async def administer(address: Address, statement: str) -> None:
    """Run a statement beside the database of the address, on the same server."""
    connection = await asyncpg.connect(**address.with_database("postgres").connect_arguments())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
