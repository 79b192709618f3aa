"""The database itself, made where the server lacks it."""

import asyncpg

from db.postgres.address import Address
from db.postgres.databases import ensure_database


async def test_database_is_made_once_and_ordered_by_code_point(database: Address) -> None:
    address = database.with_database('odd "name" 库')
    await ensure_database(address)
    await ensure_database(address)
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        letters = "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b', 'B', '啊', 'a']) AS x"
        assert await connection.fetchval(letters) == "Bab啊"
    finally:
        await connection.close()
