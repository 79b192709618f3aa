"""Law: a planned query is one execution of one statement, whatever it asks for; the fence that keeps it fresh costs nothing."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from db.postgres.address import Address
from tests.laws.client import GraphQLClient, open_client
from tests.laws.expected import TABLES, gid
from tests.laws.people import EVERYONE, appoint_several
from tests.laws.queries import Query
from tests.laws.test_both_ways import WIDE

QUERIES = 60


class Counted:
    """What ran on the connections of both roles."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.written: list[str] = []

    async def heard(self) -> tuple[list[str], list[str]]:
        """What was read and written. asyncpg tells of a statement in the next turn of the event loop."""
        await asyncio.sleep(0)
        return self.read, self.written

    def clear(self) -> None:
        self.read.clear()
        self.written.clear()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wide(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county, limits=WIDE) as opened:
        await appoint_several(opened.connection)
        yield opened


@asynccontextmanager
async def counting(gql: GraphQLClient) -> AsyncIterator[Counted]:
    """Listen to every connection of the reader's pool and of the writer's."""
    counted, gate = Counted(), gql.services.gate
    listening: list[tuple[Any, Any]] = []
    writer = gate._callers._pool
    for pool, told in (
        (gate._reader._steady, counted.read),
        (gate._reader._adaptive, counted.read),
        (writer, counted.written),
    ):
        # A slot opens its connection when it is needed: two questions at once need both.
        await asyncio.gather(*(pool.fetchrow("SELECT pg_sleep(0.02)") for _ in range(2)))
        listening += [(slot.connection, told) for slot in pool._free]

    def hearing(told: list[str]) -> Callable[[asyncpg.connection.LoggedQuery], None]:
        def hear(record: asyncpg.connection.LoggedQuery) -> None:
            # Once in a connection's life, asyncpg looks up the array types that it meets.
            if "typeinfo" not in record.query and "current_setting('jit')" not in record.query:
                told.append(record.query)

        return hear

    loggers = [(connection, hearing(told)) for connection, told in listening]
    assert len(loggers) == 6
    for connection, hear in loggers:
        connection.add_query_logger(hear)
    try:
        yield counted
    finally:
        for connection, hear in loggers:
            connection.remove_query_logger(hear)


async def know(gql: GraphQLClient, *people: str) -> None:
    """Have the callers in the cache, and their use recorded. All tokens first: issuing one is a change of rights."""
    for person in people:
        await gql.token(person)
    for person in people:
        await gql.ask(person, "{ __typename }")
    await gql.services.gate.close()


async def test_random_queries(wide: GraphQLClient) -> None:
    """As random people, once their token is known: one execution, on the reader, that brings the epoch along."""
    ids = {}
    for resource, table in TABLES.items():
        keys = await wide.connection.fetch(f"SELECT id FROM {table} ORDER BY md5(id::text) LIMIT 6")
        ids[resource] = [gid(resource, row["id"]) for row in keys]
    await know(wide, *EVERYONE)
    answered = 0
    async with counting(wide) as counted:
        for number in range(1000, 1000 + QUERIES):
            dice = random.Random(number)
            query = Query(wide.services.schema, dice, ids)
            counted.clear()
            said = await wide.ask_with(await wide.token(dice.choice(EVERYONE)), query.text, query.variables)
            read, written = await counted.heard()
            if wide.documents.find(query.text) is None:
                assert (said.data, read, written) == (None, [], [])
                continue
            assert len(read) == 1, query.text
            assert written == [], query.text
            assert "access_epoch" in read[0]
            answered += said.data is not None
    assert answered > QUERIES / 3


async def test_the_statement_is_kept(wide: GraphQLClient) -> None:
    """The same document with other values, and another person of the same role, run the same statement text."""
    query = (
        "query ($n: Int, $state: [DisputeState!]) { disputes(first: $n, filter: {state: $state}) { nodes { title } } }"
    )
    others = await wide.connection.fetch(
        "SELECT p.name FROM appointment a JOIN person p ON p.id = a.person_id WHERE a.role = 'justice_office' ORDER BY 1 LIMIT 3"
    )
    people = [row["name"] for row in others]
    assert len(people) == 3
    await know(wide, *people)
    async with counting(wide) as counted:
        for number, person in enumerate(people):
            await wide.data(person, query, n=number + 1, state=["CLOSED", "ARCHIVED"][: number or 1])
        read, _ = await counted.heard()
        assert len(read) == 3
        assert len(set(read)) == 1
        # What the statement's shape depends on makes another one: a condition that is not there.
        await wide.data(people[0], query, n=1)
        assert len(set((await counted.heard())[0])) == 2


async def test_a_revocation_costs_one_more_look(wide: GraphQLClient) -> None:
    """After any change of rights the next answer is thrown away, the caller read again, and the query asked once more."""
    person = EVERYONE[0]
    await know(wide, person)
    await wide.connection.execute("UPDATE access_epoch SET epoch = epoch + 1")
    async with counting(wide) as counted:
        await wide.data(person, "{ disputes { totalCount } }")
        assert [len(told) for told in await counted.heard()] == [2, 1]
        counted.clear()
        await wide.data(person, "{ disputes { totalCount } }")
        assert [len(told) for told in await counted.heard()] == [1, 0]


@pytest.mark.parametrize("query", ["{ nosuchfield }", "{", "query ($a: Nothing) { __typename }"])
async def test_what_is_no_query_costs_nothing(wide: GraphQLClient, query: str) -> None:
    await know(wide, EVERYONE[0])
    async with counting(wide) as counted:
        assert (await wide.ask(EVERYONE[0], query)).codes[0] == "BAD_USER_INPUT"
        assert await counted.heard() == ([], [])
