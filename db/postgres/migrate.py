"""Brings a database to the newest schema with alembic, configured in code. It knows nothing of what the tables hold.

Safe to run again, and safe to run twice at once: the second run waits for the first and then finds nothing to do.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from db.postgres.address import Address
from db.postgres.advisory_locks import AdvisoryLock

SCRIPTS = Path(__file__).parents[1] / "migrations"

# How long a migration waits for one lock. Whatever else uses that table meanwhile queues behind it, so a running service would stand
# still for as long; yet it outlasts the statements of queries and commands, which may take 5 seconds by default (`api.settings`).
LOCK_SECONDS = 30
# What sorting for an index may use: those of `dispute` are made anew.
INDEX_MEMORY = "512MB"
_LOCK_NOT_AVAILABLE, _DEADLOCK = "55P03", "40P01"


class LockTimeout(Exception):
    """A table stayed locked by another session, or each of the two waited for the other. Nothing was changed; the message (Chinese) is for
    the person at the terminal."""


def configuration(connection: Connection | None = None) -> Config:
    """What alembic would read from alembic.ini; `connection` is what the migrations run on."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def migrate(address: Address) -> tuple[str, ...]:
    """Run every migration that the database lacks, in one transaction: all of them or none. Raises LockTimeout.

    Returns what they could not decide about the rows that are there, in sentences (Chinese) for the person at the terminal.
    """

    def upgrade(connection: Connection) -> tuple[str, ...]:
        config = configuration(connection)
        command.upgrade(config, "head")
        return tuple(config.attributes.get("notes", ()))

    async with migration_transaction(address) as connection:
        return await connection.run_sync(upgrade)


async def revise(address: Address, message: str) -> Path | None:
    """Write the next migration, from what `db/tables` says and the migrated database at `address` lacks. Raises LockTimeout.

    Its number is the next free one. Returns its path, None where nothing is lacking and nothing was written.
    """
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    number = f"{int(head or 0) + 1:04d}"
    written: list[Path] = []

    def write(connection: Connection) -> None:
        config = configuration(connection)
        config.cmd_opts = Namespace(quiet=True)
        script = command.revision(
            config, message, autogenerate=True, rev_id=number, process_revision_directives=_drop_empty
        )
        if isinstance(script, Script):
            written.append(Path(script.path))

    async with migration_transaction(address) as connection:
        await connection.run_sync(write)
    return written[0] if written else None


def _drop_empty(context: Any, revision: Any, directives: list[Any]) -> None:
    """Alembic's hook before a migration is written: one without operations is not."""
    if directives[0].upgrade_ops.is_empty():
        directives.clear()


@asynccontextmanager
async def migration_transaction(address: Address) -> AsyncIterator[AsyncConnection]:
    """A transaction for migrations alone, one at a time in a database, with time limits of its own."""
    engine = create_async_engine(address.url(), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            # A migration of ten million rows takes minutes: no limit of the database or the role may cut it short.
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            # Released by the commit; who waits here reads the revision only after it. Before the lock timeout is set: the other
            # migration may take its minutes.
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({AdvisoryLock.MIGRATE})"))
            await connection.execute(text(f"SET LOCAL lock_timeout = {int(LOCK_SECONDS * 1000)}"))
            await connection.execute(text(f"SET LOCAL maintenance_work_mem = '{INDEX_MEMORY}'"))
            yield connection
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state not in (_LOCK_NOT_AVAILABLE, _DEADLOCK):
            raise
        why = "与迁移互相等待" if state == _DEADLOCK else f"等了 {LOCK_SECONDS} 秒仍未释放"
        raise LockTimeout(
            f"有会话占用着要迁移的表，{why}；迁移已全部撤回，数据库没有改动。"
            "请先停下服务，结束占用它的备份或未提交的事务（见 pg_stat_activity），再执行一次。"
        ) from error
    finally:
        await engine.dispose()
