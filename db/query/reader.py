"""Runs a statement with its values on the reader's connections: one execution, one answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from db.postgres.pool import Pool
from db.query.epoch import read_epoch
from db.query.statement import Statement


class TooSlow(Exception):
    """The statement was given up at its time limit."""


@dataclass(frozen=True)
class Reading:
    """JSON text of the data, the keys of single objects that were not found, and the epoch of the snapshot that was read."""

    epoch: int
    data: bytes
    missing: tuple[str, ...]


# How often certain codes must be asked for before they have a statement of their own, how many such sets are remembered, and how many
# codes a set may have.
OFTEN, _REMEMBERED, MOST_CODES = 16, 256, 24


class Reader:
    """Reads for one process. Where one plan is good for all values it is kept; where codes decide on it (the state, a level) one is kept
    for each set of codes that is asked for often, as every screen with a filter does; the others are planned each time."""

    def __init__(self, steady: Pool, adaptive: Pool) -> None:
        self._steady, self._adaptive = steady, adaptive
        self._asked: OrderedDict[tuple[str, tuple[tuple[str, ...], ...]], tuple[int, Statement | None]] = OrderedDict()

    async def read(self, statement: Statement, values: Mapping[str, Any]) -> Reading:
        """The answer of a planned query. Raises TooSlow."""
        pool = self._steady
        if statement.plan_sensitive != ():
            settled = self._settled(statement, values)
            if settled is None:
                pool = self._adaptive
            else:
                statement = settled
        arguments: Sequence[Any] = [values[name] for name in statement.binds]
        try:
            row = await pool.fetchrow(statement.sql, arguments)
        except (asyncpg.QueryCanceledError, TimeoutError):
            raise TooSlow from None
        assert row is not None
        epoch, data, missing = row
        return Reading(epoch, data, tuple(missing))

    def _settled(self, statement: Statement, values: Mapping[str, Any]) -> Statement | None:
        """The statement for these very codes, if they are asked for often."""
        if statement.plan_sensitive is None:
            return None
        codes = {name: tuple(values[name]) for name in statement.plan_sensitive}
        if sum(map(len, codes.values())) > MOST_CODES:
            return None
        key = (statement.sql, tuple(codes.values()))
        times, settled = self._asked.pop(key, (0, None))
        if times == OFTEN:
            settled = statement.settled(codes)
        self._asked[key] = (times + 1, settled)
        if len(self._asked) > _REMEMBERED:
            self._asked.popitem(last=False)
        return settled

    async def epoch(self) -> int:
        """The epoch now, for answers that need no data."""
        return await read_epoch(self._steady)

    async def close(self) -> None:
        """Close the connections."""
        await self._steady.close()
        await self._adaptive.close()
