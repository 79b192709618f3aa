"""Brings what commands have added to the figures into the sums that statistics read (migration 0007)."""

from __future__ import annotations

from typing import Any


async def compact(connection: Any) -> int:
    """Move the changes that have gathered into the sums; how many there were. Answers are the same before and after, and meanwhile."""
    return int(await connection.fetchval("SELECT tally_fold()"))
