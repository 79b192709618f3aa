"""One database of a server: whether it can be reached, and CREATE DATABASE where the server lacks it."""

import asyncpg

from db.postgres.address import Address


async def check_reachable(address: Address) -> None:
    """Connect once. Raises what asyncpg raises, where the server or the database cannot be reached or refuses the user."""
    connection = await asyncpg.connect(**address.connect_arguments())
    await connection.close()


async def ensure_database(address: Address) -> None:
    """Create the database if the server lacks it, collated by code point (C.UTF-8 of PostgreSQL itself): the same order on every server.

    Safe to run twice at once. Raises what asyncpg raises, where the user may neither connect nor create databases.
    """
    try:
        await check_reachable(address)
    except asyncpg.InvalidCatalogNameError:
        pass
    else:
        return
    name = '"' + address.database.replace('"', '""') + '"'
    connection = await asyncpg.connect(**address.with_database("postgres").connect_arguments())
    try:
        await connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' "
            "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
        )
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        pass  # another process has just made it
    finally:
        await connection.close()
