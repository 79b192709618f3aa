"""Moves what commands have added to the metrics into the sums that statistics read (migration 0007)."""

from __future__ import annotations

from db.postgres.connection import Connection


async def compact(connection: Connection) -> int:
    """Move the changes that have gathered into the sums; returns how many there were. Answers are the same before and after, and meanwhile."""
    return int(await connection.fetchval("SELECT tally_fold()"))
