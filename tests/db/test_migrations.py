"""The migrations bring an empty database to exactly the tables that db/tables declares, and its roles to what they may do."""

import asyncio

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.postgres.address import Address
from db.postgres.databases import ensure_database
from db.postgres.migrate import configuration, migrate
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

# Everything of a schema that the tables decide, one line each: columns, comments, constraints and indexes.
SHAPE = """
SELECT 'table ' || c.relname || ' ' || coalesce(obj_description(c.oid), '') AS line FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'alembic_version'
UNION ALL
SELECT concat_ws(' ', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated,
    pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'alembic_version'
UNION ALL
SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype <> 't'
    AND conrelid IS DISTINCT FROM to_regclass('alembic_version')
UNION ALL
SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
FUNCTIONS = (
    "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = 'bigrams'"
)


async def test_alembic_sees_no_difference_to_the_tables(database: Address) -> None:
    engine = create_async_engine(database.url(), poolclass=NullPool)
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts={"compare_type": True}), metadata)
        )
    await engine.dispose()
    assert differences == []


async def test_the_schema_is_the_one_that_the_tables_describe(database: Address) -> None:
    """Alembic compares no check constraints, expressions or predicates; this does."""
    created = database.with_database(f"{database.database}_created")
    await ensure_database(created)
    try:
        async with connected(database) as connection:
            migrated = {row["line"] for row in await connection.fetch(SHAPE)}
            bigrams = await connection.fetchval(FUNCTIONS)
        async with connected(created) as connection:
            await connection.execute(bigrams)
            await connection.execute("CREATE TYPE uuid_range AS RANGE (subtype = uuid)")
        engine = create_async_engine(created.url(), poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        await engine.dispose()
        async with connected(created) as connection:
            described = {row["line"] for row in await connection.fetch(SHAPE)}
        assert sorted(migrated - described) == []
        assert sorted(described - migrated) == []
    finally:
        async with connected(database) as connection:
            await connection.execute(f"DROP DATABASE {created.database} WITH (FORCE)")


async def test_two_at_once_and_once_more(database: Address) -> None:
    fresh = database.with_database(f"{database.database}_fresh")
    await ensure_database(fresh)
    try:
        await asyncio.gather(migrate(fresh), migrate(fresh))
        await migrate(fresh)
        async with connected(fresh) as connection:
            head = ScriptDirectory.from_config(configuration()).get_current_head()
            assert await connection.fetchval("SELECT version_num FROM alembic_version") == head
            assert await connection.fetchval("SELECT count(*) FROM access_epoch") == 1
    finally:
        async with connected(database) as connection:
            await connection.execute(f"DROP DATABASE {fresh.database} WITH (FORCE)")


async def test_the_migrations_print_as_sql_for_an_administrator(capsys: pytest.CaptureFixture[str]) -> None:
    command.upgrade(configuration(), "head", sql=True)
    printed = capsys.readouterr().out
    assert "CREATE TABLE dispute" in printed
    assert "CREATE FUNCTION bigrams" in printed


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


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("mask_name('李龙')", "李*"),
        ("mask_name('王小明')", "王**"),
        ("mask_name('欧阳小小明')", "欧**"),
        ("mask_name('李')", "*"),
        ("mask_name('')", ""),
        ("mask_name(NULL)", None),
        ("mask_phone('13812345678')", "138****5678"),
        ("mask_phone('0635-8881234')", "0635-*****34"),
        ("mask_phone('010-88812345')", "010-******45"),
        ("mask_phone('06358881234')", "***********"),
        ("mask_phone('+8613812345678')", "**************"),
        ("mask_phone('8881234')", "*******"),
        ("mask_phone(NULL)", None),
        ("mask_address('冠县崇文街道听松苑6号楼2单元1501室')", "冠县崇文街道听松苑*号楼*单元*室"),
        ("mask_address('十二号楼B座二〇一室')", "*号楼*座*室"),
        ("mask_address('六号楼Ａ座１２室')", "*号楼*座*室"),
        ("mask_address(NULL)", None),
        ("bigrams('水卡充值')", ["充值", "卡充", "水卡"]),
        ("bigrams('A座 Unit，好！')", ["a座", "it", "ni", "un", "好"]),
        ("bigrams('…，。')", []),
        ("bigrams('')", []),
        ("bigrams(NULL)", None),
    ],
)
async def test_masks_and_grams(county: Address, call: str, expected: object) -> None:
    async with connected(county) as connection:
        assert await connection.fetchval(f"SELECT {call}") == expected


async def test_masks_are_put_into_the_query(county: Address) -> None:
    """A call per row would be slow, and is what a function becomes that cannot be inlined."""
    async with connected(county) as connection:
        plan = await connection.fetch(
            "EXPLAIN (VERBOSE, COSTS OFF) SELECT mask_name(name), mask_phone(phone), mask_address(address) FROM party"
        )
    assert "mask_" not in "\n".join(row[0] for row in plan)
