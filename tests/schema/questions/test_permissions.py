"""What somebody can see: as many rows as they count themselves, and nothing for a suspended person."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from db.county.people import ENDED, PRINCIPALS
from db.postgres.address import Address
from tests.laws.callers import appoint_several
from tests.laws.client import GraphQLClient, open_client
from tests.schema.questions.access_questions import (
    BUREAU,
    EXPLAINING,
    GRID,
    POLICE,
    live,
    person,
    publish,
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county) as opened:
        await appoint_several(opened.connection)
        await publish(opened, (await live(opened)) + EXPLAINING)
        yield opened


async def test_as_many_rows_as_the_person_counts(gql: GraphQLClient) -> None:
    query = "query ($p: ID) { answer: whatCanSee(person: $p) { roles rows { resource rows capped } permissions { resource action form condition } } }"
    for name in (GRID, POLICE, PRINCIPALS["mediator"], ENDED):
        answer = (await gql.data(BUREAU, query, p=await person(gql, name)))["answer"]
        assert answer == (await gql.data(name, query))["answer"]
        counts = {one["resource"]: one["rows"] for one in answer["rows"]}
        own = await gql.data(
            name, "{ disputes { totalCount } people { totalCount } followUps { totalCount } events { totalCount } }"
        )
        names = {"disputes": "Dispute", "people": "Person", "followUps": "FollowUp", "events": "Event"}
        assert {what: counts.get(resource, 0) for what, resource in names.items()} == {
            what: one["totalCount"] for what, one in own.items()
        }
        assert {one["resource"] for one in answer["permissions"] if one["action"] == "read"} >= set(counts)


async def test_a_suspended_person_sees_nothing(own_county: Address) -> None:
    async with open_client(own_county) as gql:
        await publish(gql, (await live(gql)) + EXPLAINING)
        about = await person(gql, GRID)
        await gql.connection.execute("UPDATE person SET state = 'SUSPENDED' WHERE name = $1", GRID)
        answer = await gql.data(
            BUREAU,
            "query ($p: ID) { whatCanSee(person: $p) { roles permissions { resource } rows { rows } } }",
            p=about,
        )
        assert answer["whatCanSee"] == {"roles": [], "permissions": [], "rows": []}
