"""Law: a planned query is one execution of one statement, whatever it asks for; the fence that keeps it fresh costs nothing."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from db.engine import Address
from tests.laws.asking import Desk, open_desk
from tests.laws.expected import TABLES, gid
from tests.laws.making import Query
from tests.laws.people import EVERYONE, appoint_several
from tests.laws.test_both_ways import WIDE

QUERIES = 60


class Counted:
    """What ran on the connections of both pools."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.written: list[str] = []

    def clear(self) -> None:
        self.read.clear()
        self.written.clear()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wide(county: Address) -> AsyncIterator[Desk]:
    async with open_desk(county, limits=WIDE) as opened:
        await appoint_several(opened.connection)
        yield opened


@contextmanager
def counting(desk: Desk) -> Iterator[Counted]:
    """Listen to every connection of the reader and the writer; the pools are filled when they are opened."""
    counted, gate = Counted(), desk.parts.gate
    listening: list[tuple[Any, Any]] = []
    pools: Any = (
        (gate._reader._steady, counted.read),
        (gate._reader._adaptive, counted.read),
        (gate._callers._pool, counted.written),
    )
    for pool, told in pools:
        assert pool.get_size() == pool.get_max_size() == 2
        for holder in pool._holders:

            def hear(record: asyncpg.connection.LoggedQuery, told: list[str] = told) -> None:
                # Once in a connection's life, asyncpg looks up the array types that it meets.
                if "typeinfo" not in record.query and "current_setting('jit')" not in record.query:
                    told.append(record.query)

            holder._con.add_query_logger(hear)
            listening.append((holder._con, hear))
    try:
        yield counted
    finally:
        for connection, hear in listening:
            connection.remove_query_logger(hear)


async def know(desk: Desk, *people: str) -> None:
    """Have the callers in the cache, and their use recorded. All tokens first: issuing one is a change of rights."""
    for person in people:
        await desk.token(person)
    for person in people:
        await desk.ask(person, "{ __typename }")
    await desk.parts.gate.close()


async def test_random_queries(wide: Desk) -> None:
    """As random people, once their token is known: one execution, on the reader, that brings the epoch along."""
    ids = {}
    for resource, table in TABLES.items():
        keys = await wide.connection.fetch(f"SELECT id FROM {table} ORDER BY md5(id::text) LIMIT 6")
        ids[resource] = [gid(resource, row["id"]) for row in keys]
    await know(wide, *EVERYONE)
    answered = 0
    with counting(wide) as counted:
        for number in range(1000, 1000 + QUERIES):
            dice = random.Random(number)
            query = Query(wide.parts.schema, dice, ids)
            counted.clear()
            said = await wide.ask_with(await wide.token(dice.choice(EVERYONE)), query.text, query.variables)
            if wide.documents.find(query.text) is None:
                assert (said.data, counted.read, counted.written) == (None, [], [])
                continue
            assert len(counted.read) == 1, query.text
            assert counted.written == [], query.text
            assert "access_epoch" in counted.read[0]
            answered += said.data is not None
    assert answered > QUERIES / 3


async def test_the_statement_is_kept(wide: Desk) -> None:
    """The same document with other values, and another person of the same role, run the same statement text."""
    query = "query ($n: Int, $state: [DisputeState!]) { disputes(first: $n, filter: {state: $state}) { nodes { title } } }"
    others = await wide.connection.fetch(
        "SELECT p.name FROM appointment a JOIN person p ON p.id = a.person_id WHERE a.role = 'justice_office' ORDER BY 1 LIMIT 3"
    )
    people = [row["name"] for row in others]
    assert len(people) == 3
    await know(wide, *people)
    with counting(wide) as counted:
        for number, person in enumerate(people):
            await wide.data(person, query, n=number + 1, state=["CLOSED", "ARCHIVED"][: number or 1])
        assert len(counted.read) == 3
        assert len(set(counted.read)) == 1
        # What the statement's shape depends on makes another one: a condition that is not there.
        await wide.data(people[0], query, n=1)
        assert len(set(counted.read)) == 2


async def test_a_revocation_costs_one_more_look(wide: Desk) -> None:
    """After any change of rights the next answer is thrown away, the caller read again, and the query asked once more."""
    person = EVERYONE[0]
    await know(wide, person)
    await wide.connection.execute("UPDATE access_epoch SET epoch = epoch + 1")
    with counting(wide) as counted:
        await wide.data(person, "{ disputes { totalCount } }")
        assert (len(counted.read), len(counted.written)) == (2, 1)
        counted.clear()
        await wide.data(person, "{ disputes { totalCount } }")
        assert (len(counted.read), len(counted.written)) == (1, 0)


@pytest.mark.parametrize("query", ["{ nosuchfield }", "{", "query ($a: Nothing) { __typename }"])
async def test_what_is_no_query_costs_nothing(wide: Desk, query: str) -> None:
    await know(wide, EVERYONE[0])
    with counting(wide) as counted:
        assert (await wide.ask(EVERYONE[0], query)).codes[0] == "BAD_USER_INPUT"
        assert (counted.read, counted.written) == ([], [])
