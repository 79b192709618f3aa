"""What the database tests share: connections, rows of the demo county, and the refusal of a statement by name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from db.postgres.address import Address

# Rows of the demo county, as SQL.
OPEN = "(SELECT id FROM dispute WHERE state = 'MEDIATING' AND tier = 'TEAM' ORDER BY case_number LIMIT 1)"
PRINCIPAL = "(SELECT id FROM person WHERE name = '郑秀兰')"
AUDITOR = "(SELECT id FROM person WHERE name = '秦守正')"
POLICY_VERSION = """INSERT INTO policy_version (version, text, sha256, state, published_at)
    SELECT {id}, text, encode(sha256(convert_to(text, 'UTF8')), 'hex'), '{state}', {published}
    FROM (VALUES ('p, mediator, Dispute, read, true, public, allow')) AS version (text)"""


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection as the owner of the database, closed at the end."""
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def undone(address: Address) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A transaction that is rolled back at the end."""
    async with connected(address) as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            yield connection
        finally:
            await transaction.rollback()


async def refused(connection: "asyncpg.Connection[Any]", name: str, statement: str) -> None:
    """The statement breaks the constraint of that name, now or at the commit."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        await connection.execute(f"{statement}; SET CONSTRAINTS ALL IMMEDIATE")
    assert caught.value.constraint_name == name
