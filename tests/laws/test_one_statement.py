"""Law: a planned query is one execution of one statement, whatever it asks for; the fence that keeps it fresh costs nothing."""

import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from api.lifespan import READER, WRITER
from db.postgres.address import Address
from tests.laws.callers import EVERYONE, appoint_several
from tests.laws.client import GraphQLClient, open_client
from tests.laws.queries import Query
from tests.laws.test_both_ways import WIDE
from tests.laws.visibility_oracle import TABLES, global_id

QUERIES = 60


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wide(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county, limits=WIDE) as opened:
        await appoint_several(opened.connection)
        yield opened


async def cache_callers(gql: GraphQLClient, *people: str) -> None:
    """Have the callers in the cache, and the use of their tokens recorded. All tokens first: issuing one is a change of rights."""
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
        ids[resource] = [global_id(resource, row["id"]) for row in keys]
    await cache_callers(wide, *EVERYONE)
    answered = 0
    with wide.recorder.recording() as recording:
        for number in range(1000, 1000 + QUERIES):
            dice = random.Random(number)
            query = Query(wide.services.schema, dice, ids)
            await recording.clear()
            response = await wide.ask_with(await wide.token(dice.choice(EVERYONE)), query.text, query.variables)
            read, written = await recording.texts(role=READER), await recording.texts(role=WRITER)
            if wide.documents.find(query.text) is None:
                assert (response.data, read, written) == (None, [], [])
                continue
            assert len(read) == 1, query.text
            assert written == [], query.text
            assert "access_epoch" in read[0]
            answered += response.data is not None
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
    await cache_callers(wide, *people)
    with wide.recorder.recording() as recording:
        for number, person in enumerate(people):
            await wide.data(person, query, n=number + 1, state=["CLOSED", "ARCHIVED"][: number or 1])
        read = await recording.texts(role=READER)
        assert len(read) == 3
        assert len(set(read)) == 1
        # What the statement's shape depends on makes another one: a condition that is not there.
        await wide.data(people[0], query, n=1)
        assert len(set(await recording.texts(role=READER))) == 2


async def test_a_revocation_costs_one_more_look(wide: GraphQLClient) -> None:
    """After any change of rights the next answer is thrown away, the caller read again, and the query asked once more."""
    person = EVERYONE[0]
    await cache_callers(wide, person)
    await wide.connection.execute("UPDATE access_epoch SET epoch = epoch + 1")
    with wide.recorder.recording() as recording:
        await wide.data(person, "{ disputes { totalCount } }")
        assert len(await recording.texts(role=READER)) == 2
        assert len(await recording.texts(role=WRITER)) == 1
        await recording.clear()
        await wide.data(person, "{ disputes { totalCount } }")
        assert len(await recording.texts(role=READER)) == 1
        assert await recording.texts(role=WRITER) == []


@pytest.mark.parametrize("query", ["{ nosuchfield }", "{", "query ($a: Nothing) { __typename }"])
async def test_what_is_no_query_costs_nothing(wide: GraphQLClient, query: str) -> None:
    await cache_callers(wide, EVERYONE[0])
    with wide.recorder.recording() as recording:
        assert (await wide.ask(EVERYONE[0], query)).codes[0] == "BAD_USER_INPUT"
        assert await recording.texts() == []
