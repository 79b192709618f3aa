"""Policy versions in the database: the live one, and the first one of a new installation."""

from __future__ import annotations

from typing import Any

from db.catalog import CATALOG
from policies.compile import Policy, compile_policy


async def publish_first(connection: Any, text: str) -> int:
    """Publish the text as version 1 where no policy was ever stored; the number of the live version, whatever it is.

    Raises PolicyRefused: a text that cannot be explained is never stored as published.
    """
    policy = compile_policy(text, CATALOG, 1)
    await connection.execute(
        "INSERT INTO policy_version (id, text, sha256, state, note, published_at)"
        " SELECT 1, $1, $2, 'PUBLISHED', '初始策略', now() WHERE NOT EXISTS (SELECT FROM policy_version) ON CONFLICT DO NOTHING",
        policy.text,
        policy.sha256,
    )
    return int(await connection.fetchval("SELECT id FROM policy_version WHERE state = 'PUBLISHED'"))


async def live_policy(connection: Any) -> Policy:
    """The policy in force. Raises LookupError where none is published."""
    row = await connection.fetchrow("SELECT id, text FROM policy_version WHERE state = 'PUBLISHED'")
    if row is None:
        raise LookupError("no policy is published")
    return compile_policy(row["text"], CATALOG, row["id"])
