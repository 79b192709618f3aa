"""Makes a database ready to serve: the database itself, its newest schema, and the policy that it starts with.

Safe to repeat and safe to run twice at once. A policy that is already there is never touched.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from db.engine import Address

_LOCK = 0x5A17_11A7


async def install(address: "Address") -> None:
    """Bring the database at `address` to the state in which `serve` expects it."""
    import asyncpg

    from db.engine import ensure_database
    from db.migrate import migrate

    await ensure_database(address)
    await migrate(address)
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        await _publish_first(connection)
    finally:
        await connection.close()


async def _publish_first(connection: Any) -> None:
    from db.catalog import CATALOG
    from policies.compile import POLICY_PATH, compile_policy

    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await connection.fetchval("SELECT EXISTS (SELECT FROM policy_version)"):
            return
        policy = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG)
        await connection.execute(
            "INSERT INTO policy_version (text, sha256, state, note, published_at)"
            " VALUES ($1, $2, 'PUBLISHED', $3, now())",
            policy.text,
            policy.sha256,
            "初始策略",
        )
