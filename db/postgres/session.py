"""What a connection to PostgreSQL is like before its first statement: its role, its time limits and how its statements are planned.

It knows no table and no rule. A session belongs to one database role, and every connection keeps that role for life.
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
    # Many queries run at once: none takes the processors of the others, nor starts workers for a page.
    "SET max_parallel_workers_per_gather TO 0",
    # The estimated cost of a generic plan is high enough for JIT compilation, which takes longer than the plan itself.
    "SET jit TO off",
    # The rows of a page are fetched once each: to memoize them costs an eighth of a page of 100 (measured).
    "SET enable_memoize TO off",
)

# How many statements a connection keeps prepared, and the length of the longest: those that answer queries are long and few. All of them
# together are bounded by the pool.
MAX_STATEMENTS, MAX_STATEMENT_BYTES = 512, 65_536

# Called with a session and a new connection of it, ready for use.
OnConnect = Callable[["Session", "asyncpg.Connection[asyncpg.Record]"], None]


@dataclass(frozen=True)
class Session:
    """What every connection of one kind is like.

    `role`: who it acts as; None for the user of the address. `statement_timeout_ms`: how long a statement may take, in milliseconds;
    0 for as long as it needs. `plan_cache_mode`: PostgreSQL's setting. `settings`: more settings, numbers by name: the days of each tier
    (`db.query.clocks`), the bytes of an answer (`db.query.select`). `on_connect`: called with every connection that `connect` opens, once
    it is prepared (to observe its statements). Raises ValueError for a role or mode that is no plain identifier.

    json and jsonb arrive as the text that PostgreSQL sent, which is asyncpg's default. Nothing is reset between two uses of a
    connection (that would cost a round trip): change session state only with SET LOCAL.
    """

    address: Address
    role: str | None
    statement_timeout_ms: int
    plan_cache_mode: str = "auto"
    settings: Mapping[str, int] = field(default_factory=dict)
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
            "statement_cache_size": MAX_STATEMENTS,
            "max_cached_statement_lifetime": 0,
            "max_cacheable_statement_size": MAX_STATEMENT_BYTES,
            # A server that is gone cannot time out by itself.
            "command_timeout": self.statement_timeout_ms / 1000 + 5 if self.statement_timeout_ms else None,
            "server_settings": {"application_name": APPLICATION},
        }

    async def prepare(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Make a new connection such a session, for life. Raises what asyncpg raises."""
        settings = [
            "SET timezone TO 'UTC'",
            f"SET statement_timeout TO {int(self.statement_timeout_ms)}",
            f"SET plan_cache_mode TO {self.plan_cache_mode}",
            *PLANNING,
            # SECURITY: names from the code, and numbers.
            *(f"SET {name} TO {int(value)}" for name, value in self.settings.items()),
        ]
        if self.role is not None:
            settings.append(f"SET ROLE {self.role}")
        await connection.execute("; ".join(settings))

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A new connection of this kind. Raises what asyncpg raises; the connection is then ended."""
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
    """asyncpg's pool of such sessions, for what needs a transaction of one snapshot, or one within another.

    `least` connections are opened at once, the others, up to `size`, when they are needed. A transaction that is open when a
    connection returns is rolled back; nothing else is reset, so hold advisory locks only within a transaction.
    """

    async def no_reset(_: "asyncpg.Connection[asyncpg.Record]") -> None:
        pass

    return await asyncpg.create_pool(
        **session.connect_arguments(),
        min_size=min(least, size),
        max_size=size,
        init=session.prepare,
        reset=no_reset,
        max_inactive_connection_lifetime=0,
    )
