"""The database itself: created where the server lacks it."""

import asyncpg

from db.postgres.address import Address


async def ensure_database(address: Address) -> None:
    """Create the database if the server lacks it, ordered by code point: the same order on every server."""
    try:
        connection = await asyncpg.connect(**address.connect_arguments())
    except asyncpg.InvalidCatalogNameError:
        pass
    else:
        await connection.close()
        return
    name = '"' + address.database.replace('"', '""') + '"'
    connection = await asyncpg.connect(**address.with_database("postgres").connect_arguments())
    try:
        await connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' "
            "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
        )
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        pass  # another process was quicker
    finally:
        await connection.close()
