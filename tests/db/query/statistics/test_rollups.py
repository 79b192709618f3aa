"""Measures and rollups follow the register: in the transaction of each change, with many writers at once, and while they are compacted."""

import asyncio
import random
from typing import Any

import asyncpg
import pytest

from db.postgres.address import Address
from db.write import executor
from db.write.rollups import compact
from tests.db.world import connected
from tests.laws.random_changes import change
from tests.office import open_office

# Every dispute whose measures differ from what its rows say, in either direction.
DIFFERING = """
SELECT dispute_id FROM (TABLE tally EXCEPT TABLE tally_reckoning) AS one UNION
SELECT dispute_id FROM (TABLE tally_reckoning EXCEPT TABLE tally) AS other
"""
# In one snapshot: all disputes and ratings, and how many of them the rollups with the changes have.
COUNTS = """
SELECT (SELECT count(*) FROM dispute),
    (SELECT coalesce(sum(registered), 0) FROM tally_sum WHERE scope_kind = 'county_code' AND group_kind = 'STATE' AND grain = 'YEAR')
    + (SELECT coalesce(sum(weight), 0) FROM tally_change),
    (SELECT count(*) FROM follow_up WHERE done_at IS NOT NULL AND satisfaction IS NOT NULL AND dispute_id IN (
        SELECT dispute_id FROM tally WHERE resolved = 1)),
    (SELECT coalesce(sum(ratings), 0) FROM tally_sum WHERE scope_kind = 'county_code' AND group_kind = 'TOWN' AND grain = 'MONTH')
    + (SELECT coalesce(sum(weight * ratings), 0) FROM tally_change)
"""
REGISTER = """
INSERT INTO dispute (title, category, sub_category, source, state, tier, risk_level, people_count, summary, registered_at, grid_code, compound_id)
SELECT title, category, sub_category, source, 'REGISTERED', 'TEAM', risk_level, 2, summary, now(), grid_code, compound_id
FROM dispute ORDER BY id LIMIT 1
"""
VISIT = """
INSERT INTO follow_up (dispute_id, due_on, done_at, method, result, satisfaction)
SELECT id, current_date, current_date, 'PHONE', 'NORMAL', 5 FROM dispute WHERE state = 'CLOSED' ORDER BY id LIMIT 1
"""


async def counts_agree(connection: Any) -> None:
    disputes, summed_disputes, ratings, summed_ratings = await connection.fetchrow(COUNTS)
    assert (disputes, ratings) == (summed_disputes, summed_ratings)


async def test_a_loaded_county_has_its_tallies(county: Address) -> None:
    async with connected(county) as connection:
        assert await connection.fetch(DIFFERING) == []
        assert await connection.fetchval("SELECT count(*) FROM tally WHERE resolved = 1") > 100
        await counts_agree(connection)


async def test_only_what_matters_is_written(own_county: Address) -> None:
    """A change of words, a plan for a visit and a draft touch no measures; a change that is rolled back leaves nothing."""
    async with connected(own_county) as connection:
        await compact(connection)
        dispute = await connection.fetchval("SELECT id FROM dispute WHERE state = 'CLOSED' ORDER BY id LIMIT 1")
        before = await connection.fetchval("SELECT xmin::text || ctid::text FROM tally WHERE dispute_id = $1", dispute)
        await connection.execute("UPDATE dispute SET title = '新标题', version = version + 1 WHERE id = $1", dispute)
        await connection.execute("INSERT INTO follow_up (dispute_id, due_on) VALUES ($1, current_date)", dispute)
        await connection.execute(
            "INSERT INTO agreement (dispute_id, form, scope, state, content, agreed_on) VALUES ($1, 'ORAL', 'FULL', 'DRAFT', '约定', current_date)",
            dispute,
        )
        await connection.execute("UPDATE dispute SET tier = tier, state = state WHERE id = $1", dispute)
        rolled_back = connection.transaction()
        await rolled_back.start()
        await connection.execute(VISIT)
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert await connection.fetchval("SELECT count(*) FROM tally_change") == 2
        await rolled_back.rollback()
        assert await connection.fetchval("SELECT count(*) FROM tally_change") == 0
        assert before == await connection.fetchval(
            "SELECT xmin::text || ctid::text FROM tally WHERE dispute_id = $1", dispute
        )
        await connection.execute(VISIT)
        weights = [row["weight"] for row in await connection.fetch("SELECT weight FROM tally_change ORDER BY weight")]
        assert weights == [-1, 1]


async def test_two_changes_to_one_dispute_both_count(own_county: Address) -> None:
    """Neither sees the other's row before it commits; the later one waits for the row of measures and then computes them again."""
    async with connected(own_county) as one, connected(own_county) as other:
        dispute = await one.fetchval("SELECT id FROM dispute WHERE state = 'CLOSED' ORDER BY id LIMIT 1")
        before = await one.fetchval("SELECT ratings FROM tally WHERE dispute_id = $1", dispute)
        first, second = one.transaction(), other.transaction()
        await first.start()
        await second.start()
        await one.execute(VISIT)
        await other.execute(VISIT)
        await one.execute("SET CONSTRAINTS ALL IMMEDIATE")
        ending = asyncio.create_task(second.commit())
        await asyncio.wait({ending}, timeout=0.2)
        assert not ending.done()
        await first.commit()
        await ending
        assert await one.fetchval("SELECT ratings FROM tally WHERE dispute_id = $1", dispute) == before + 2
        assert await one.fetch(DIFFERING) == []
        await counts_agree(one)


async def test_writers_folders_and_readers_at_once(own_county: Address) -> None:
    """Whoever reads finds, at every instant, in sums and changes exactly what is in the register."""
    done = asyncio.Event()

    async def write(number: int) -> None:
        async with connected(own_county) as connection:
            for turn in range(40):
                await connection.execute(REGISTER if (turn + number) % 2 else VISIT)

    async def fold_on() -> int:
        folded = 0
        async with connected(own_county) as connection:
            while not done.is_set():
                folded += await compact(connection)
        return folded

    async def read() -> int:
        comparisons = 0
        async with connected(own_county) as connection:
            while not done.is_set():
                await counts_agree(connection)
                comparisons += 1
        return comparisons

    folding, reading = [asyncio.create_task(fold_on()) for _ in range(2)], asyncio.create_task(read())
    await asyncio.gather(*(write(number) for number in range(3)))
    done.set()
    assert sum(await asyncio.gather(*folding)) > 100
    assert await reading > 5
    async with connected(own_county) as connection:
        await compact(connection)
        await counts_agree(connection)
        assert await connection.fetch(DIFFERING) == []


async def test_a_rebuild_is_what_had_come_to_be(own_county: Address) -> None:
    dice = random.Random(7)
    async with connected(own_county) as connection:
        for number in range(120):
            await change(connection, dice, 1 + number % 3)
            if number % 25 == 0:
                await compact(connection)
        assert await connection.fetch(DIFFERING) == []
        await compact(connection)
        tables = [f"SELECT * FROM {table} ORDER BY {table}" for table in ("tally_sum", "tally_days")]
        before = [await connection.fetch(statement) for statement in tables]
        await connection.execute("SELECT tally_rebuild()")
        assert [await connection.fetch(statement) for statement in tables] == before
        assert await connection.fetchval("SELECT count(*) FROM tally_change") == 0


async def test_two_folds_do_not_wait_for_each_other(own_county: Address) -> None:
    async with connected(own_county) as one, connected(own_county) as other:
        async with one.transaction():
            assert await compact(one) > 100
            assert await compact(other) == 0
            await counts_agree(other)
        await counts_agree(other)


async def test_the_writer_may_fold_and_nothing_else(own_county: Address) -> None:
    async with connected(own_county) as connection:
        await connection.execute("SET ROLE sanlian_writer")
        assert await compact(connection) > 100
        await connection.execute(REGISTER)
        assert await connection.fetchval("SELECT sum(weight) FROM tally_change") == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DELETE FROM tally_change")


async def test_the_application_folds_after_so_many_commands(
    own_county: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "COMPACT_AFTER", 3)
    async with open_office(own_county) as office:
        await compact(office.gql.connection)
        for _ in range(3):
            await office.register()
        for _ in range(100):
            if not await office.value("SELECT count(*) FROM tally_change"):
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("nothing was folded")
        await counts_agree(office.gql.connection)
