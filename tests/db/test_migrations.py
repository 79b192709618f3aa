"""The migrations bring an empty database to exactly the tables that db/tables declares."""

import asyncio

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
    "SELECT string_agg(pg_get_functiondef(oid), ';' ORDER BY proname = 'bigrams', proname) FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace AND proname IN ('folded', 'searched', 'bigrams')"
)
# What PostgreSQL evaluates by itself when a dump is restored: each as an expression over a row of its table.
EVALUATED = """
SELECT 'SELECT count((' || pg_get_expr(adbin, adrelid) || ')::text) FROM ' || adrelid::regclass AS statement
FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum AND attgenerated <> ''
WHERE adrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
UNION ALL
SELECT 'SELECT count((' || pg_get_expr(conbin, conrelid) || ')::text) FROM ' || conrelid::regclass FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype = 'c'
UNION ALL
SELECT 'SELECT count((' || coalesce(pg_get_expr(indexprs, indrelid), '0') || ')::text) FROM ' || indrelid::regclass
    || coalesce(' WHERE ' || pg_get_expr(indpred, indrelid), '')
FROM pg_index JOIN pg_class ON oid = indrelid AND relnamespace = 'public'::regnamespace WHERE num_nonnulls(indexprs, indpred) > 0
UNION ALL
SELECT 'SELECT ' || oid::regproc || '(' || (SELECT string_agg(
        CASE kind::regtype::text WHEN 'text' THEN $s$'某 路'::text$s$ WHEN 'date' THEN 'current_date' WHEN 'uuid' THEN 'uuidv7()'
            WHEN 'uuid[]' THEN 'ARRAY[uuidv7()]' WHEN 'text[]' THEN $s$'{某路}'::text[]$s$ ELSE 'NULL::' || kind::regtype END, ', ' ORDER BY place)
    FROM unnest(proargtypes) WITH ORDINALITY AS argument (kind, place)) || ')'
FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'sql')
"""


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


async def test_what_the_database_evaluates_needs_no_search_path(county: Address) -> None:
    """A dump is restored without one: generated columns, checks and indexes name the schema of what they stand on, to the last function."""
    async with connected(county) as connection:
        await connection.execute("SET search_path = ''")
        statements = [row["statement"] for row in await connection.fetch(EVALUATED)]
        for function in ("public.bigrams(", "public.searched(", "public.search_patterns("):
            assert any(function in statement for statement in statements)
        for statement in statements:
            await connection.fetch(statement)


async def test_earlier_events_move_to_the_row_that_their_command_made(own_county: Address) -> None:
    """By the row that they name, else by the only one that fits; where there is none, no row has their key."""
    script = ScriptDirectory.from_config(configuration())
    module = next(one.module for one in script.walk_revisions() if one.doc.startswith("Events are filed under"))
    async with connected(own_county) as connection:
        dispute, lead = await connection.fetchrow(
            "SELECT a.dispute_id, a.person_id FROM assignment a JOIN dispute d ON d.id = a.dispute_id AND d.state = 'MEDIATING' LIMIT 1"
        )
        await connection.execute(
            "INSERT INTO assessment (dispute_id, assessor_id, level, assessed_at, reason, reported)"
            " VALUES ($1, $2, 'LOW', '2024-01-05T09:00Z', '平稳', false)", dispute, lead,
        )  # fmt: skip
        old = {
            "dispute.assign": (
                "2024-01-04T09:00Z", f'[["Assignment", "{lead}", "ended_at", "x"], ["Assignment", "{dispute}", "is_lead", "true"]]',
            ),
            "dispute.assess": ("2024-01-05T09:00Z", f'[["Dispute", "{dispute}", "risk_level", "LOW"]]'),
            "dispute.report": ("2024-01-06T09:00Z", None),
            "dispute.close": ("2024-01-07T09:00Z", None),
        }  # fmt: skip
        for action, (happened, changes) in old.items():
            await connection.execute(
                "INSERT INTO event (dispute_id, actor_id, at, happened_at, action, resource, resource_id, changes)"
                " VALUES ($1, $2, now(), $3::text::timestamptz, $4, 'Dispute', $1, $5)", dispute, lead, happened, action, changes,
            )  # fmt: skip
        await connection.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
        await connection.execute(module.MOVE)
        moved = await connection.fetch(
            "SELECT action, resource, resource_id FROM event WHERE at > now() - interval '1 hour'"
        )
        assessment = await connection.fetchval("SELECT id FROM assessment WHERE dispute_id = $1", dispute)
    assert {row["action"]: (row["resource"], row["resource_id"]) for row in moved} == {
        "dispute.assign": ("Assignment", dispute),
        "dispute.assess": ("Assessment", assessment),
        "dispute.report": ("Referral", dispute),
        "dispute.close": ("Dispute", dispute),
    }


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
