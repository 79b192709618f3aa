"""Runs a statement with its values on the reader's connections: one execution, one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import asyncpg

from db.lru_cache import LruCache
from db.postgres.pool import Pool
from db.query.epoch import read_epoch
from db.query.statement import PlanMode, Statement


class TooSlow(Exception):
    """The statement was cancelled at its time limit of `limit_ms` milliseconds."""

    def __init__(self, limit_ms: int) -> None:
        super().__init__(limit_ms)
        self.limit_ms = limit_ms


class ForeignCursor(Exception):
    """A cursor belongs to the list of another row than the one that it is used below."""


# What the function `cursor_of_row` of the database raises.
_FOREIGN_CURSOR = "SL001"


class TooLarge(Exception):
    """The answer has more bytes than may leave the database."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size, self.limit = size, limit


@dataclass(frozen=True)
class Reading:
    """JSON text of the data, the keys of single objects that were not found, and the epoch of the snapshot that was read."""

    epoch: int
    data: bytes
    missing: tuple[str, ...]


# How often certain codes must be asked for before they have a statement of their own, how many such sets are remembered, and how many
# codes a set may have.
OFTEN, _REMEMBERED_BYTES, MOST_CODES = 16, 5_000_000, 24

# A statement and the codes of its plan-sensitive binds.
_CodeSet = tuple[str, tuple[tuple[str, ...], ...]]


class _Asked(NamedTuple):
    """How often a set of codes was asked for, its statement from the time when that is often, and the bytes of both texts."""

    times: int
    with_codes: Statement | None
    weight: int


class Reader:
    """Reads for one process, each statement in its plan mode (`db.query.statement.PlanMode`).

    A PER_CODES statement has a generic plan for each set of codes that is asked for often, as every screen with a filter does.
    """

    def __init__(self, generic: Pool, custom: Pool) -> None:
        self._generic, self._custom = generic, custom
        # The sets of codes last asked for: how often, and the statement of those that are asked for often.
        self._code_sets: LruCache[_Asked] = LruCache(_REMEMBERED_BYTES, lambda asked: asked.weight)

    async def read(self, statement: Statement, values: Mapping[str, Any]) -> Reading:
        """The answer of a planned query. Raises TooSlow, TooLarge and ForeignCursor."""
        pool = self._generic
        match statement.planning.mode:
            case PlanMode.CUSTOM:
                pool = self._custom
            case PlanMode.PER_CODES:
                with_codes = self._with_codes(statement, values)
                if with_codes is None:
                    pool = self._custom
                else:
                    statement = with_codes
        arguments: Sequence[Any] = [values[name] for name in statement.binds]
        try:
            row = await pool.fetchrow(statement.sql, arguments)
        except (asyncpg.QueryCanceledError, TimeoutError):
            raise TooSlow(pool.statement_timeout_ms) from None
        except asyncpg.PostgresError as error:
            if error.sqlstate == _FOREIGN_CURSOR:
                raise ForeignCursor from None
            raise
        assert row is not None
        epoch, data, missing, excess = row
        if excess is not None:
            raise TooLarge(*excess)
        return Reading(epoch, data, tuple(missing))

    def _with_codes(self, statement: Statement, values: Mapping[str, Any]) -> Statement | None:
        """The statement for these very codes, if they are asked for often."""
        codes = {name: tuple(values[name]) for name in statement.planning.plan_sensitive}
        if sum(map(len, codes.values())) > MOST_CODES:
            return None
        key = (statement.sql, tuple(codes.values()))
        times, with_codes, weight = self._code_sets.find(key) or _Asked(0, None, 500 + len(statement.sql))
        if times == OFTEN:
            with_codes = statement.with_codes(codes)
            weight += 0 if with_codes is None else len(with_codes.sql)
        self._code_sets.store(key, _Asked(times + 1, with_codes, weight))
        return with_codes

    async def epoch(self) -> int:
        """The epoch now, for answers that need no data."""
        return await read_epoch(self._generic)

    async def close(self) -> None:
        """Close the connections."""
        await self._generic.close()
        await self._custom.close()
