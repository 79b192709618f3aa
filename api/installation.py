"""Makes a database ready to serve: the database itself, its newest schema, and the policy that it starts with.

Safe to repeat and safe to run twice at once. A policy that is already there is never touched.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.engine import Address


async def install(address: "Address") -> None:
    """Bring the database at `address` to the state in which `serve` expects it."""
    import asyncpg

    from db.engine import ensure_database
    from db.migrate import migrate
    from db.publication import publish_first
    from policies.compile import POLICY_PATH

    await ensure_database(address)
    await migrate(address)
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        await publish_first(connection, POLICY_PATH.read_text(encoding="utf-8"))
    finally:
        await connection.close()
