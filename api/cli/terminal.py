"""What the commands of the command line share: settings, a database for as long as it is needed, and how a command ends."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from api.settings import Settings
    from db.postgres.address import Address

T = TypeVar("T")

BAD_SETTINGS = 2
FAILED = 1
NOT_INSTALLED = "数据库还没有建好，请先执行 python -m api migrate 或 python -m api demo。"


class CommandFailed(Exception):
    """A command cannot do what it was asked; the message (Chinese) says why."""


def stop(message: str, code: int = FAILED) -> NoReturn:
    """End the command with a sentence on standard error and an exit code."""
    typer.echo(message, err=True)
    raise SystemExit(code)


def settings_or_stop() -> "Settings":
    """The settings of the environment; from here on the log of the process obeys them."""
    from api.logging import configure
    from api.settings import BadSettings, load

    try:
        settings = load()
    except BadSettings as error:
        stop(str(error), BAD_SETTINGS)
    configure(settings.log_level)
    return settings


@contextmanager
def database(settings: "Settings", *, brief: bool = True) -> "Iterator[Address]":
    """The database of the settings; the embedded server is started for as long as needed, or joined."""
    if settings.address is not None:
        yield settings.address
        return
    from db.postgres.embedded.server import EmbeddedServer

    with EmbeddedServer.start(settings.home, brief=brief) as server:
        yield server.address


def ask(question: Callable[[Any], Awaitable[T]]) -> T:
    """The result of a function of one connection to a migrated database."""
    import asyncpg

    async def answer(address: "Address") -> T:
        connection = await asyncpg.connect(**address.connect_arguments())
        try:
            return await question(connection)
        finally:
            await connection.close()

    with database(settings_or_stop()) as address:
        try:
            return asyncio.run(answer(address))
        except (asyncpg.InvalidCatalogNameError, asyncpg.UndefinedTableError):
            stop(NOT_INSTALLED)


def exit_on_sigterm() -> None:
    """Make SIGTERM unwind the stack like Ctrl-C, so that the embedded server is stopped in order."""

    def leave(number: int, frame: object) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
