"""A server on a socket, started here for `serve` and `demo`: the port, the processes, the end."""

import asyncio
import errno
import socket
from typing import TYPE_CHECKING, Any

import typer

from api.cli.terminal import NOT_INSTALLED, database, exit_on_sigterm, settings_or_stop, stop
from api.settings import Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from db.postgres.address import Address

_GRACE_SECONDS = 10
# The import path of `create`, which every process of several calls by itself.
_FACTORY = f"{__name__}:create"


class CannotServe(Exception):
    """Nothing can be served this way; the message (Chinese) says why and what to do."""


def serve(settings: Settings) -> None:
    """`python -m api serve`: serve until Ctrl-C or SIGTERM. An embedded database is installed first, one of your own by `migrate`.

    Raises CannotServe, BadSettings, EmbeddedServerError, what asyncpg raises where the database cannot be reached; SystemExit where it is missing.
    """
    from db.install import install

    exit_on_sigterm()
    settings.key()  # made here if need be, before several processes want it
    with listen(settings.host, settings.port) as listener, database(settings, brief=False) as address:
        if settings.address is not None:
            _check(address)
        else:
            for line in asyncio.run(install(address)).broken:
                typer.echo(line, err=True)
        run(settings, address, listener, workers=settings.workers)


def _check(address: "Address") -> None:
    """Connect once before uvicorn starts, whose processes would end with a traceback; end the command where the database does not exist."""
    import asyncpg

    from db.postgres.databases import check_reachable

    try:
        asyncio.run(check_reachable(address))
    except asyncpg.InvalidCatalogNameError:
        stop(NOT_INSTALLED)


def create() -> "Starlette":
    """The application of one process of `serve`; also for an ASGI server of your own choice."""
    from api.app import build

    settings = settings_or_stop()
    if settings.address is not None:
        return build(settings, settings.address)
    from db.postgres.embedded.server import EmbeddedServer

    return build(settings, EmbeddedServer.start(settings.home).address)


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything slow or lasting is done. Raises CannotServe."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        raise CannotServe(f"SANLIAN_HOST 不是本机的地址：{host}") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)  # only a socket that listens keeps a second one from taking the port
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotServe(f"端口 {port} 已被占用，请停掉占用它的程序，或换一个端口。") from None
        if error.errno == errno.EACCES:
            raise CannotServe(f"没有权限监听端口 {port}，请换一个 1024 以上的端口。") from None
        raise CannotServe(f"无法监听 {host}:{port}：{error.strerror}") from None
    listener.set_inheritable(True)
    return listener


def run(settings: Settings, address: "Address", listener: socket.socket, *, workers: int) -> None:
    """Serve the database at `address` until Ctrl-C or SIGTERM; several processes each open their own application (`create`)."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from api.app import build
    from api.http.connection import BoundedConnection

    application: Any = _FACTORY if workers > 1 else build(settings, address)
    config = uvicorn.Config(
        application,
        factory=workers > 1,
        workers=workers,
        loop="uvloop",
        http=BoundedConnection,
        ws="none",
        lifespan="on",
        # Uvicorn's events go where ours go (`api.logging`).
        log_config=None,
        log_level=settings.log_level,
        # SECURITY: a query in an address would end up in the access log, with whatever a client wrote into it.
        access_log=False,
        server_header=False,
        # The service asks nothing of the address that a request comes from.
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    try:
        if workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # the server has finished in order and passes the signal on
