"""What the roles of the database may do: the reader reads all but secrets, the writer rewrites no history."""

import asyncio

import asyncpg
import pytest

from db.postgres.address import Address
from db.tables import metadata
from tests.db.world import connected

# SECURITY: what the reader has no business with. A table that is added is readable, or stands here for a reason.
CLOSED_TO_READER = {
    "request",  # receipts hold what one person was told
    "case_counter",  # of the writer alone
    "policy_impact",  # told by whoever may ask for an impact
}
# The hash of a token is a credential.
SECRETS = {"id_number_cipher": "party", "id_number_hash": "party", "hash": "token"}


async def test_the_reader_reads_everything_but_secrets(county: Address) -> None:
    async with connected(county) as connection:
        await connection.execute("SET ROLE sanlian_reader")
        for table in metadata.sorted_tables:
            if table.name in CLOSED_TO_READER:
                continue
            readable = [column.name for column in table.c if column.name not in SECRETS]
            await connection.execute(f"SELECT {', '.join(readable)} FROM {table.name} LIMIT 1")
        for secret in (
            *(f"1 FROM {table}" for table in CLOSED_TO_READER),
            *(f"{name} FROM {table}" for name, table in SECRETS.items()),
            "hash FROM token",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"SELECT {secret}")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO area (code, name, level) VALUES ('371526', '某县', 'COUNTY')",
        "UPDATE dispute SET title = title",
        "DELETE FROM note",
        "SELECT FROM dispute FOR UPDATE",
        "INSERT INTO tally_change SELECT 1, * FROM tally",
        "SELECT tally_fold()",
        "SELECT tally_refresh(NULL)",
        "SELECT tally_rebuild()",
    ],
)
async def test_the_reader_writes_nothing(county: Address, statement: str) -> None:
    async with connected(county) as connection:
        await connection.execute("SET ROLE sanlian_reader")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM dispute",
        "DELETE FROM token",
        "TRUNCATE note",
        "UPDATE event SET reason = ''",
        "DELETE FROM event",
        "UPDATE policy_version SET text = ''",
        "UPDATE policy_version SET sha256 = ''",
        "UPDATE access_epoch SET epoch = 1",
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "CREATE TABLE loot (id int)",
        "INSERT INTO tally_change SELECT 1, * FROM tally",
        "UPDATE tally_sum SET resolved = 0",
        "DELETE FROM tally_days",
        "UPDATE tally SET resolved = 1",
        "SELECT tally_refresh(NULL)",
        "SELECT tally_rebuild()",
        "SET session_replication_role = replica",
    ],
)
async def test_the_writer_deletes_nothing_and_rewrites_no_history(county: Address, statement: str) -> None:
    async with connected(county) as connection:
        await connection.execute("SET ROLE sanlian_writer")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


async def test_the_writer_bumps_the_epoch_by_what_it_does(own_county: Address) -> None:
    """It has no right on the epoch; the trigger has."""
    async with connected(own_county) as connection:
        await connection.execute("SET ROLE sanlian_writer")
        before = await connection.fetchval("SELECT epoch FROM access_epoch")
        await connection.execute("UPDATE person SET state = 'SUSPENDED' WHERE name = '周巧云'")
        assert await connection.fetchval("SELECT epoch FROM access_epoch") > before


def test_a_login_as_reader_is_read_only(database: Address) -> None:
    async def settings() -> list[str]:
        async with connected(database) as connection:
            return await connection.fetchval(
                "SELECT setconfig FROM pg_db_role_setting JOIN pg_roles ON pg_roles.oid = setrole"
                " WHERE rolname = 'sanlian_reader' AND setdatabase = 0"
            )

    assert "default_transaction_read_only=on" in asyncio.run(settings())
