"""Where PostgreSQL is, and connections to it: addresses and pools.

It knows no table and no rule. A pool belongs to one database role, and every connection in it keeps that role for life.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from db.postgres.address import Address

APPLICATION = "sanlian"

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")


# How every session's statements are planned.
PLANNING = (
    # Many ask at once: one answer does not take the processors of the others, nor start workers for a page.
    "SET max_parallel_workers_per_gather TO 0",
    # A plan for any values looks dear enough to be compiled, which takes longer than to run it.
    "SET jit TO off",
    # The rows of a page are fetched once each: to keep copies of them costs an eighth of a page of 100 (measured).
    "SET enable_memoize TO off",
)


# Is given a session and a connection of its kind, ready for use.
OnConnect = Callable[["Session", "asyncpg.Connection[asyncpg.Record]"], None]


@dataclass(frozen=True)
class Session:
    """What every connection of one kind is like: who it acts as (`role`; None: the user of the address), how long a statement may take,
        how plans are kept, and the times of the tiers. `on_connect` is called with every connection that `connect` opens, once it is prepared
    (to observe its statements).

        json and jsonb arrive as the text that PostgreSQL sent, which is asyncpg's default. Nothing is reset between two uses of a
        connection (that would cost a round trip): change session state only with SET LOCAL.
    """

    address: Address
    role: str | None
    statement_timeout_ms: int
    plan_cache_mode: str = "auto"
    tier_days: Mapping[str, int] = field(default_factory=dict)
    on_connect: OnConnect | None = None

    def __post_init__(self) -> None:
        # SECURITY: SET takes no parameters, so what is put into its text must be a plain identifier or a number.
        if not _IDENTIFIER.fullmatch(self.plan_cache_mode) or (
            self.role is not None and not _IDENTIFIER.fullmatch(self.role)
        ):
            raise ValueError(f"not a plain role name: {self.role!r}")

    def connect_arguments(self) -> dict[str, Any]:
        """Keyword arguments for asyncpg's `connect` and `create_pool`."""
        return {
            **self.address.connect_arguments(),
            # The statements that answer queries are long and few: keep them prepared, whatever their length.
            "statement_cache_size": 512,
            "max_cached_statement_lifetime": 0,
            "max_cacheable_statement_size": 0,
            # A server that is gone cannot time out by itself.
            "command_timeout": self.statement_timeout_ms / 1000 + 5 if self.statement_timeout_ms else None,
            "server_settings": {"application_name": APPLICATION},
        }

    async def prepare(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Make a new connection such a session, for life."""
        settings = [
            "SET timezone TO 'UTC'",
            f"SET statement_timeout TO {int(self.statement_timeout_ms)}",
            f"SET plan_cache_mode TO {self.plan_cache_mode}",
            *PLANNING,
            # SECURITY: names of ours, and numbers.
            *(f"SET {name} TO {int(days)}" for name, days in self.tier_days.items()),
        ]
        if self.role is not None:
            settings.append(f"SET ROLE {self.role}")
        await connection.execute("; ".join(settings))

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection of its own."""
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(**self.connect_arguments())
        try:
            await self.prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        if self.on_connect is not None:
            self.on_connect(self, connection)
        return connection


async def open_pool(session: Session, size: int, least: int = 2) -> "asyncpg.Pool[asyncpg.Record]":
    """A pool of such sessions, for transactions of one snapshot or with others within; `least` are opened at once, the others when
    they are needed. Hold advisory locks only within a transaction: one that is open is rolled back when a connection returns, nothing
    else is."""

    async def keep(_: "asyncpg.Connection[asyncpg.Record]") -> None:
        pass

    return await asyncpg.create_pool(
        **session.connect_arguments(),
        min_size=min(least, size),
        max_size=size,
        init=session.prepare,
        reset=keep,
        max_inactive_connection_lifetime=0,
    )
