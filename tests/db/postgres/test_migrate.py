"""Migrations and their time limits: they neither wait for ever behind a lock nor are cut short by the database."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.postgres.address import Address
from db.postgres.advisory_locks import AdvisoryLock
from db.postgres.databases import ensure_database
from db.postgres.migrate import LOCK_SECONDS, LockTimeout, configuration, migrate, migration_transaction
from tests.db.world import connected

BEFORE_LAST = "0013"
# The first migration of those that lock what they change before anything else, and the one before it.
UNLOCKED, LOCKING = "0014", "0015"
# Tables that this transaction keeps others from writing, or writes to itself.
HELD = """
SELECT array_agg(DISTINCT relation ORDER BY relation) FROM pg_locks JOIN pg_class ON pg_class.oid = relation
WHERE pid = pg_backend_pid() AND relkind = 'r' AND relnamespace = 'public'::regnamespace AND relation = ANY ($1::oid[])
    AND mode NOT IN ('AccessShareLock', 'RowShareLock')
"""
TABLES = """
SELECT array_agg(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
"""
VERSION = "SELECT version_num FROM alembic_version"


@pytest_asyncio.fixture(loop_scope="session")
async def older(database: Address) -> AsyncIterator[Address]:
    """A database that lacks the last migrations, which make indexes of `dispute` anew."""
    address = database.with_database(f"{database.database}_older")
    await ensure_database(address)
    engine = create_async_engine(address.url(), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(configuration(sync), BEFORE_LAST))
    await engine.dispose()
    yield address
    async with connected(database) as connection:
        await connection.execute(f"DROP DATABASE {address.database} WITH (FORCE)")


async def test_a_table_that_stays_locked_ends_the_migration(older: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup, or a transaction that was forgotten, has read the table: nothing is changed, and the next run succeeds."""
    monkeypatch.setattr("db.postgres.migrate.LOCK_SECONDS", 0.5)
    async with connected(older) as reader:
        async with reader.transaction():
            await reader.fetch("SELECT id FROM dispute LIMIT 1")
            with pytest.raises(LockTimeout, match=r"等了 0\.5 秒仍未释放.*没有改动"):
                await migrate(older)
            assert await reader.fetchval(VERSION) == BEFORE_LAST
        await migrate(older)
        assert await reader.fetchval(VERSION) == ScriptDirectory.from_config(configuration()).get_current_head()


async def test_everything_is_locked_before_anything_is_changed(database: Address) -> None:
    """Else a service that runs and the migration could each wait for what the other holds."""
    address = database.with_database(f"{database.database}_unlocked")
    await ensure_database(address)

    def held(sync: Connection) -> tuple[list[int], list[int]]:
        command.upgrade(configuration(sync), UNLOCKED)
        sync.commit()
        tables = sync.exec_driver_sql(TABLES).scalar_one()
        command.upgrade(configuration(sync), LOCKING)
        first = sync.exec_driver_sql(HELD, (tables,)).scalar_one()
        command.upgrade(configuration(sync), "head")
        return first, sync.exec_driver_sql(HELD, (tables,)).scalar_one()

    try:
        engine = create_async_engine(address.url(), poolclass=NullPool)
        async with engine.connect() as connection:
            first, last = await connection.run_sync(held)
        await engine.dispose()
        assert first == last != []
    finally:
        async with connected(database) as owner:
            await owner.execute(f"DROP DATABASE {address.database} WITH (FORCE)")


async def test_a_deadlock_is_told_as_a_lock(database: Address) -> None:
    """Another session holds what the migration waits for, and waits for what the migration holds."""
    waiting: list[asyncio.Future[str]] = []

    async def lock_the_other_way(other: "asyncpg.Connection[Any]") -> None:
        async with migration_transaction(database) as connection:
            await connection.exec_driver_sql("SET LOCAL deadlock_timeout = '100ms'")
            await connection.exec_driver_sql("LOCK TABLE event")
            waiting.append(asyncio.ensure_future(other.execute("LOCK TABLE event")))
            await connection.exec_driver_sql("LOCK TABLE dispute")

    async with connected(database) as other, other.transaction():
        await other.execute("SET LOCAL deadlock_timeout = '1min'; LOCK TABLE dispute")
        with pytest.raises(LockTimeout, match=r"与迁移互相等待.*没有改动"):
            await lock_the_other_way(other)
        await asyncio.gather(*waiting)


async def test_a_migration_in_progress_is_waited_for(older: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes: longer here than a table is waited for."""
    monkeypatch.setattr("db.postgres.migrate.LOCK_SECONDS", 0.2)
    async with connected(older) as other:
        async with other.transaction():
            await other.execute(f"SELECT pg_advisory_xact_lock({AdvisoryLock.MIGRATE})")
            waiting = asyncio.ensure_future(migrate(older))
            await asyncio.sleep(0.8)
            assert not waiting.done()
        await waiting


async def test_the_limits_of_the_database_do_not_cut_a_migration_short(older: Address) -> None:
    async with connected(older) as owner:
        await owner.execute(f"ALTER DATABASE {older.database} SET statement_timeout = '7s'")
        await owner.execute(f"ALTER DATABASE {older.database} SET lock_timeout = '1h'")
    async with migration_transaction(older) as connection:
        limits = [(await connection.exec_driver_sql(f"SHOW {name}_timeout")).scalar() for name in ("statement", "lock")]
    assert limits == ["0", f"{LOCK_SECONDS}s"]


async def test_another_error_of_a_migration_stays_itself(older: Address) -> None:
    async def fail() -> None:
        async with migration_transaction(older) as connection:
            await connection.exec_driver_sql("SELECT 1 / 0")

    with pytest.raises(Exception, match="division by zero") as failure:
        await fail()
    assert not isinstance(failure.value, LockTimeout)
