"""Runs a statement with its values on the reader's connections: one execution, one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from db.lanes import Lanes
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

    def __init__(self, steady: Lanes, adaptive: Lanes) -> None:
        self._steady, self._adaptive = steady, adaptive

    async def read(self, statement: Statement, values: Mapping[str, Any]) -> Reading:
        """The answer of a planned query. Raises TooSlow."""
        arguments: Sequence[Any] = [values[name] for name in statement.binds]
        lanes = self._steady if statement.steady else self._adaptive
        try:
            row = await lanes.fetchrow(statement.sql, arguments)
        except (asyncpg.QueryCanceledError, TimeoutError):
            raise TooSlow from None
        assert row is not None
        epoch, data, missing = row
        return Reading(epoch, data, tuple(missing))

    async def epoch(self) -> int:
        """The epoch now, for answers that need no data."""
        row = await self._steady.fetchrow("SELECT epoch FROM access_epoch")
        assert row is not None
        return int(row["epoch"])

    async def close(self) -> None:
        """Close the connections."""
        await self._steady.close()
        await self._adaptive.close()
