"""Where PostgreSQL is, and connections to it: addresses and pools.

It knows no table and no rule. A pool belongs to one database role, and every connection in it keeps that role for life.
"""

import re
import ssl as tls
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

import asyncpg

APPLICATION = "sanlian"

_CONNECT_SECONDS = 10.0
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True)
class Address:
    """One database of one server. `host` is a name, a number, or the directory of a Unix socket."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(default=None, repr=False)
    tls: str | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `postgresql://user:password@host:port/database?sslmode=require`; `?host=/directory` for a socket.

        Raises ValueError with a sentence (Chinese) that never repeats the URL: it may hold a password.
        """
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError:
            raise ValueError("数据库地址写得不对，应为 postgresql://用户:密码@主机:端口/库名") from None
        if parts.scheme not in _SCHEMES:
            raise ValueError("数据库地址应以 postgresql:// 开头")
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        host = query.pop("host", None) or unquote(parts.hostname or "")
        mode = query.pop("sslmode", None) or query.pop("ssl", None)
        user = unquote(parts.username or query.pop("user", ""))
        database = unquote(parts.path.removeprefix("/"))
        if not host or not user or not database or "/" in database:
            raise ValueError("数据库地址里应写明用户、主机（或 ?host=套接字目录）和库名")
        if "," in host:
            raise ValueError("数据库地址只支持一台主机")
        if mode is not None and mode not in _TLS_MODES:
            raise ValueError(f"数据库地址里的 sslmode 应为 {'、'.join(_TLS_MODES)} 之一")
        if query:
            # SECURITY: an option that we dropped in silence (sslrootcert, say) would weaken the connection.
            raise ValueError(f"数据库地址里有不支持的选项：{'、'.join(sorted(query))}")
        password = None if parts.password is None else unquote(parts.password)
        return cls(host=host, port=port or 5432, database=database, user=user, password=password, tls=mode)

    def with_database(self, name: str) -> Self:
        """The same server and user, another database."""
        return replace(self, database=name)

    def connect_arguments(self) -> dict[str, Any]:
        """Keyword arguments for asyncpg's `connect` and `create_pool`."""
        arguments: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "database": self.database,
            "user": self.user,
            "password": self.password,
            "timeout": _CONNECT_SECONDS,
        }
        if self.tls is not None:
            arguments["ssl"] = _system_trust(self.tls)
        return arguments

    def url(self) -> str:
        """The address for SQLAlchemy's asyncpg dialect. It holds the password: never print it."""
        access = quote(self.user, safe="")
        if self.password is not None:
            access += ":" + quote(self.password, safe="")
        query = {} if self.tls is None else {"ssl": self.tls}
        if self.host.startswith("/"):
            query |= {"host": self.host, "port": str(self.port)}
            place = ""
        else:
            place = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        suffix = f"?{urlencode(query)}" if query else ""
        return f"postgresql+asyncpg://{access}@{place}/{quote(self.database, safe='')}{suffix}"


def _system_trust(mode: str) -> "str | tls.SSLContext":
    """asyncpg looks for ~/.postgresql/root.crt when it has to verify; the system's trust store is what a server has."""
    if mode not in ("verify-ca", "verify-full"):
        return mode
    context = tls.create_default_context()
    context.check_hostname = mode == "verify-full"
    return context


# How every session's statements are planned.
PLANNING = (
    # Many ask at once: one answer does not take the processors of the others, nor start workers for a page.
    "SET max_parallel_workers_per_gather TO 0",
    # A plan for any values looks dear enough to be compiled, which takes longer than to run it.
    "SET jit TO off",
    # The rows of a page are fetched once each: to keep copies of them costs an eighth of a page of 100 (measured).
    "SET enable_memoize TO off",
)


@dataclass(frozen=True)
class Session:
    """What every connection of one kind is like: who it acts as (`role`; None: the user of the address), how long a statement may take,
    how plans are kept, and the times of the tiers.

    json and jsonb arrive as the text that PostgreSQL sent, which is asyncpg's default. Nothing is reset between two uses of a
    connection (that would cost a round trip): change session state only with SET LOCAL.
    """

    address: Address
    role: str | None
    statement_timeout_ms: int
    plan_cache_mode: str = "auto"
    tier_days: Mapping[str, int] = field(default_factory=dict)

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


async def ensure_database(address: Address) -> None:
    """Create the database if the server lacks it, ordered by code point: the same order on every server."""
    try:
        connection = await asyncpg.connect(**address.connect_arguments())
    except asyncpg.InvalidCatalogNameError:
        pass
    else:
        await connection.close()
        return
    name = '"' + address.database.replace('"', '""') + '"'
    connection = await asyncpg.connect(**address.with_database("postgres").connect_arguments())
    try:
        await connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' "
            "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
        )
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        pass  # another process was quicker
    finally:
        await connection.close()
