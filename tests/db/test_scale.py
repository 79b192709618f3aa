"""The county with synthetic disputes: every key holds, the statistics since 2023 do not change, and indexes and triggers are restored."""

import asyncpg
import pytest

from db.county import scale
from db.county.people import PRINCIPALS
from db.postgres.address import Address
from tests.db.world import connected

RESOLVED = "result = 'PERFORMED' AND concluded_at >= '2023-01-01+08'"

# Every foreign key: rows whose target is missing. The bulk load leaves them unchecked.
ORPHANS = """
SELECT conrelid::regclass::text AS source, confrelid::regclass::text AS target,
    (SELECT string_agg(format('a.%I = b.%I', s.attname, t.attname), ' AND ')
     FROM unnest(conkey, confkey) AS pair (c, f)
     JOIN pg_attribute s ON s.attrelid = conrelid AND s.attnum = c
     JOIN pg_attribute t ON t.attrelid = confrelid AND t.attnum = f) AS matches,
    (SELECT string_agg(format('a.%I IS NOT NULL', attname), ' AND ') FROM pg_attribute
     WHERE attrelid = conrelid AND attnum = ANY (conkey)) AS present
FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace
"""


async def test_synthetic_disputes_do_not_change_the_statistics_since_2023(own_county: Address) -> None:
    progress: list[tuple[int, int]] = []
    async with connected(own_county) as connection:
        epoch = await connection.fetchval("SELECT epoch FROM access_epoch")
        assert await scale.extend(connection, 3_900, lambda done, total: progress.append((done, total))) == 3_900
        assert await scale.extend(connection, 3_900) == 0
        assert await scale.extend(connection, 4_000) == 100
        assert progress[-1] == (3_900, 3_900)
        assert await connection.fetchval("SELECT epoch FROM access_epoch") > epoch
        assert await connection.fetchval("SELECT count(*) FROM dispute") == 4_200
        assert await connection.fetchval(f"SELECT count(*) FROM dispute WHERE {RESOLVED}") == 117
        assert await connection.fetchval("SELECT count(*) FROM tally") == 4_200
        resolved = "SELECT sum(resolved) FROM tally_sum WHERE scope_kind = 'county_code' AND group_kind = 'TIER' AND grain = 'YEAR'"
        assert await connection.fetchval(f"{resolved} AND starts_on >= '2023-01-01'") == 117
        assert await connection.fetchval(
            "SELECT max(concluded_at) < '2023-01-01+08' FROM dispute WHERE case_sequence > 100000"
        )
        for key in await connection.fetch(ORPHANS):
            orphan = (
                f"SELECT EXISTS (SELECT FROM {key['source']} AS a WHERE {key['present']}"
                f" AND NOT EXISTS (SELECT FROM {key['target']} AS b WHERE {key['matches']}))"
            )
            assert not await connection.fetchval(orphan), (key["source"], key["target"])
        # The triggers, which were disabled, accept what was written.
        await connection.execute("UPDATE team SET name = name; UPDATE obligation SET place = 'x' WHERE dispute_id IN"
                                 " (SELECT id FROM dispute WHERE state <> 'ARCHIVED')")  # fmt: skip
        principal = PRINCIPALS["mediator"]
        cases = f"SELECT count(*) FROM assignment WHERE person_id = (SELECT id FROM person WHERE name = '{principal}')"
        assert await connection.fetchval(cases) < 500
        busiest = "SELECT max(n) FROM (SELECT count(*) AS n FROM assignment GROUP BY person_id) AS x"
        assert await connection.fetchval(busiest) < 700


async def test_one_synthetic_dispute_in_fifty_is_open(own_county: Address) -> None:
    """Each open state is there, with what it has and still owes."""
    synthetic = "case_sequence > 100000"
    owed = "EXISTS (SELECT FROM obligation WHERE dispute_id = dispute.id AND state = 'PENDING')"
    unvisited = (
        "EXISTS (SELECT FROM follow_up WHERE dispute_id = dispute.id AND done_at IS NULL AND due_on < '2023-01-01')"
    )
    async with connected(own_county) as connection:
        await scale.extend(connection, 4_000)
        states = {
            row["state"]: tuple(row)[1:]
            for row in await connection.fetch(
                "SELECT state, count(*), bool_and(concluded_at IS NULL), bool_and(closed_at IS NULL), bool_or(closed_at IS NULL),"
                f" bool_and({owed}), bool_or({owed}), bool_and({unvisited}), bool_or({unvisited})"
                f" FROM dispute WHERE {synthetic} GROUP BY state"
            )
        }
        in_progress = {state: found for state, found in states.items() if found[2]}
        assert set(in_progress) == {"ACCEPTED", "MEDIATING", "PERFORMING", "PERFORMED"}
        assert 60 <= sum(found[0] for found in in_progress.values()) <= 100
        for state, (_, unconcluded, unclosed, some_unclosed, all_owe, one_owes, all_wait, one_waits) in states.items():
            assert unconcluded == (state in {"ACCEPTED", "MEDIATING"}), state
            assert unclosed == some_unclosed == (state in in_progress), state
            assert all_owe == one_owes == (state == "PERFORMING"), state
            assert all_wait == one_waits == (state == "PERFORMED"), state
        # Open disputes lie in many grids.
        grids = f"SELECT count(DISTINCT grid_code) FROM dispute WHERE {synthetic} AND state NOT IN ('ARCHIVED', 'CLOSED', 'FAILED', 'WITHDRAWN')"
        assert await connection.fetchval(grids) > 20


async def test_indexes_come_back_after_a_bulk_load(own_county: Address) -> None:
    async with connected(own_county) as connection:
        listed = "SELECT array_agg(indexdef ORDER BY indexdef) FROM pg_indexes WHERE schemaname = 'public'"
        before = await connection.fetchval(listed)
        await scale.extend(connection, 1_000)
        assert await connection.fetchval(listed) == before


async def test_scale_works_without_superuser_rights(own_county: Address) -> None:
    """The owner of the tables need not be a superuser: then the triggers are disabled table by table."""
    async with connected(own_county) as connection:
        await connection.execute("DROP ROLE IF EXISTS sanlian_test_owner; CREATE ROLE sanlian_test_owner")
        try:
            await connection.execute("GRANT CREATE, USAGE ON SCHEMA public TO sanlian_test_owner")
            for table in await connection.fetch(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' UNION SELECT viewname FROM pg_views WHERE schemaname = 'public'"
            ):
                await connection.execute(f"ALTER TABLE {table[0]} OWNER TO sanlian_test_owner")
            await connection.execute("SET ROLE sanlian_test_owner")
            assert await scale.extend(connection, 300) == 300
            await connection.execute("RESET ROLE")
            off = "SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O' AND NOT tgisinternal"
            assert await connection.fetchval(off) == 0
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute("UPDATE dispute SET title = 'x' WHERE state = 'ARCHIVED'")
        finally:
            await connection.execute(
                "RESET ROLE; REASSIGN OWNED BY sanlian_test_owner TO CURRENT_USER; DROP OWNED BY sanlian_test_owner; DROP ROLE sanlian_test_owner"
            )


async def test_a_database_without_a_county_is_refused(database: Address) -> None:
    async with connected(database) as connection:
        with pytest.raises(scale.NoCounty):
            await scale.extend(connection, 10)
