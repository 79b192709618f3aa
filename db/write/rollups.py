"""Moves what commands have added to the metrics into the sums that statistics read (migration 0007)."""

from __future__ import annotations

from typing import Any

import asyncpg


async def compact(connection: asyncpg.Connection[Any]) -> int:
    """Move the changes that have gathered into the sums; returns how many there were. Answers are the same before and after, and meanwhile."""
    return int(await connection.fetchval("SELECT tally_fold()"))
