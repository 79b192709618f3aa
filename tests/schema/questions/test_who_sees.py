"""Who can see a row: whoever gets it when they ask for it, and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from db.postgres.address import Address
from tests.laws.callers import TYPICAL, appoint_several
from tests.laws.client import GraphQLClient, open_client
from tests.schema.questions.access_questions import (
    BUREAU,
    EXPLAINING,
    GRID,
    MISSING,
    SECURITY,
    live,
    person,
    publish,
    some,
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county) as opened:
        await appoint_several(opened.connection)
        await publish(opened, (await live(opened)) + EXPLAINING)
        yield opened


async def test_who_sees_a_row_is_whoever_sees_it(gql: GraphQLClient) -> None:
    """Everybody is asked; whoever is listed gets the row or the field, and nobody else."""
    query = """query ($n: ID!, $f: String, $o: Int! = 0) { answer: whoCanSee(node: $n, field: $f, first: 100, offset: $o) {
      total nextOffset people { personId name form role line organizationId areaCode } } }"""
    for node in await some(gql, "Dispute", 2):
        for field in (None, "amountClaimed"):
            listed: dict[str, Any] = {}
            offset: int | None = 0
            while offset is not None:
                answer = (await gql.data(BUREAU, query, n=node, f=field, o=offset))["answer"]
                listed.update({one["name"]: one for one in answer["people"]})
                offset = answer["nextOffset"]
            assert answer["total"] == len(listed) > 1
            for name in TYPICAL:
                seen = (await gql.ask(name, "query ($id: ID!) { node(id: $id) { access { hidden } } }", id=node)).data[
                    "node"
                ]
                sees = seen is not None and (field is None or field not in seen["access"]["hidden"])
                assert (name in listed) is sees, (name, field)


async def test_a_hidden_row_is_refused_like_one_that_is_missing(gql: GraphQLClient) -> None:
    query = "query ($n: ID!) { answer: whoCanSee(node: $n) { total } }"
    nothing = await gql.ask(SECURITY, query, n=f"Dispute:{MISSING}")
    assert nothing.codes == ["NOT_FOUND"]
    for node in await some(gql, "Dispute", 3):
        assert (await gql.ask(SECURITY, query, n=node)).errors == nothing.errors
    assert (await gql.data(SECURITY, query, n=await person(gql, GRID)))["answer"]["total"] > 100
