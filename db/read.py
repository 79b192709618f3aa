"""Runs a statement with its values on the reader's pool: one execution, one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from db.statement import Statement


class TooSlow(Exception):
    """The statement was given up at its time limit."""


@dataclass(frozen=True)
class Reading:
    """JSON text of the data, the keys of single objects that were not found, and the epoch of the snapshot that was read."""

    epoch: int
    data: bytes
    missing: tuple[str, ...]


class Reader:
    """Reads for one process: steady statements on connections that keep one plan for all values, the others where each set of
    values may get a plan of its own."""

    def __init__(
        self, steady: asyncpg.Pool[asyncpg.Record], adaptive: asyncpg.Pool[asyncpg.Record] | None = None
    ) -> None:
        self._steady, self._adaptive = steady, adaptive or steady

    async def read(self, statement: Statement, values: Mapping[str, Any]) -> Reading:
        """The answer of a planned query. Raises TooSlow."""
        arguments: Sequence[Any] = [values[name] for name in statement.binds]
        try:
            row = await (self._steady if statement.steady else self._adaptive).fetchrow(statement.sql, *arguments)
        except (asyncpg.QueryCanceledError, TimeoutError):
            raise TooSlow from None
        assert row is not None
        return Reading(row["epoch"], row["data"], tuple(row["missing"]))

    async def epoch(self) -> int:
        """The epoch now, for answers that need no data."""
        return int(await self._steady.fetchval("SELECT epoch FROM access_epoch"))
