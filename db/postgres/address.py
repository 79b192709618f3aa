"""Where PostgreSQL is: the address of one database, read from a URL and written as one. It opens no connection."""

import ssl as tls
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

_CONNECT_SECONDS = 10.0
_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
# What libpq calls sslmode.
_TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True)
class Address:
    """One database of one server. `host` is a name, an IP address, or the directory of a Unix socket; `tls` is libpq's sslmode."""

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
            # SECURITY: an option that was dropped in silence (sslrootcert, say) would weaken the connection.
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
    """asyncpg's `ssl` argument. To verify it would look for ~/.postgresql/root.crt; a server has the trust store of its system."""
    if mode not in ("verify-ca", "verify-full"):
        return mode
    context = tls.create_default_context()
    context.check_hostname = mode == "verify-full"
    return context
