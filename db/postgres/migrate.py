"""Brings a database to the newest schema with alembic, configured in code. It knows nothing of what the tables hold.

Safe to run again, and safe to run twice at once: the second run waits for the first and then finds nothing to do.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.postgres.address import Address
from db.postgres.advisory_locks import AdvisoryLock

SCRIPTS = Path(__file__).parents[1] / "migrations"


def configuration(connection: Connection | None = None) -> Config:
    """What alembic would read from alembic.ini; `connection` is what the migrations run on."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def migrate(address: Address) -> None:
    """Run every migration that the database lacks, in one transaction: all of them or none."""
    engine = create_async_engine(address.url(), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            # Released by the commit. Whoever waits here reads the revision only after it.
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({AdvisoryLock.MIGRATE})"))
            await connection.run_sync(lambda sync: command.upgrade(configuration(sync), "head"))
    finally:
        await engine.dispose()


async def revise(address: Address, message: str, number: str) -> None:
    """Write a new migration from what `db/tables` says and the migrated database at `address` lacks."""
    engine = create_async_engine(address.url(), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(
                lambda sync: command.revision(configuration(sync), message, autogenerate=True, rev_id=number)
            )
    finally:
        await engine.dispose()
