"""`totalCount`: whole up to its bound, and beyond it only on request; of visible rows, through every access path, at the root and below."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from db.county.people import PRINCIPALS
from db.postgres.address import Address
from db.query.count import COUNT_CAP
from tests.laws.client import COUNTS, GraphQLClient, open_client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(large_county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(large_county) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def both(gql: GraphQLClient) -> str:
    """The busiest mediator, who is an analyst as well from here on: their cases are found by either access path."""
    name: str = await gql.connection.fetchval(
        """WITH busy AS (
             SELECT person_id FROM assignment WHERE ended_at IS NULL GROUP BY person_id ORDER BY count(*) DESC, person_id LIMIT 1
           ), appointed AS (
             INSERT INTO appointment (role, valid_from, person_id, organization_id, area_code)
             SELECT role, valid_from, busy.person_id, organization_id, area_code FROM busy, appointment WHERE role = 'analyst' LIMIT 1
           )
           SELECT person.name FROM busy JOIN person ON person.id = busy.person_id"""
    )
    return name


async def counts(gql: GraphQLClient, person: str, arguments: str = "") -> dict[str, Any]:
    counted: dict[str, Any] = (await gql.data(person, f"{{ disputes{arguments} {{ {COUNTS} }} }}"))["disputes"]
    return counted


def counts_of(rows: int) -> dict[str, Any]:
    """The counts of a list of so many rows."""
    return {"totalCount": min(rows, COUNT_CAP), "exact": rows, "totalCountCapped": rows > COUNT_CAP}


async def test_a_count_goes_to_its_bound(gql: GraphQLClient, both: str) -> None:
    """A scope that is one index scan, and a union of scopes in which some rows are found twice; a condition that all of them meet."""
    rows = await gql.connection.fetchval("SELECT count(*) FROM dispute")
    assert rows > COUNT_CAP
    every = '(filter: {registeredFrom: "1990-01-01"})'
    assert await counts(gql, PRINCIPALS["analyst"], every) == await counts(gql, both, every) == counts_of(rows)


async def test_a_whole_scope_is_counted_to_the_end(gql: GraphQLClient, both: str) -> None:
    """Without a condition the number comes from the rollups, for one scope and for a union with it."""
    rows = await gql.connection.fetchval("SELECT count(*) FROM dispute")
    whole = {"totalCount": rows, "exact": rows, "totalCountCapped": False}
    assert await counts(gql, PRINCIPALS["analyst"]) == await counts(gql, both) == whole


async def test_at_the_bound(gql: GraphQLClient) -> None:
    """One row more than a count goes to, just as many, and one less."""
    day = await gql.connection.fetchval(
        "SELECT occurred_on FROM dispute ORDER BY occurred_on OFFSET $1 LIMIT 1", COUNT_CAP
    )
    counted = "SELECT count(*) FROM dispute WHERE occurred_on <= $1"
    later = """UPDATE dispute SET occurred_on = $1::date + 1
                WHERE id IN (SELECT id FROM dispute WHERE occurred_on = $1 ORDER BY id LIMIT $2)"""
    # Archived disputes never change, so the triggers stay out.
    await gql.connection.execute("SET session_replication_role = replica")
    for wanted in (COUNT_CAP + 1, COUNT_CAP, COUNT_CAP - 1):
        await gql.connection.execute(later, day, await gql.connection.fetchval(counted, day) - wanted)
        assert await counts(gql, PRINCIPALS["analyst"], f'(filter: {{occurredTo: "{day}"}})') == counts_of(wanted)


async def test_below_a_row(gql: GraphQLClient) -> None:
    """The lists of nested rows are bounded one by one."""
    query = f"{{ areas(filter: {{level: [COUNTY, TOWN]}}, first: 25) {{ nodes {{ code disputes {{ {COUNTS} }} }} }} }}"
    areas = (await gql.data(PRINCIPALS["analyst"], query))["areas"]["nodes"]
    by_town = await gql.connection.fetch("SELECT town_code, count(*) FROM dispute GROUP BY town_code")
    rows: dict[str, int] = dict(by_town)
    for area in areas:
        wanted = sum(rows.values()) if len(area["code"]) == 6 else rows.get(area["code"], 0)
        assert area["disputes"] == counts_of(wanted), area["code"]
    assert sum(area["disputes"]["totalCountCapped"] for area in areas) == 1


async def test_shown_several_times_counted_once(gql: GraphQLClient, both: str) -> None:
    """A page and its counts under several names, also where the page is empty."""
    query = """query ($all: Boolean, $q: String) { disputes(first: 2, filter: {caseNumber: $q, registeredFrom: "1990-01-01"}) {
      a: totalCount b: totalCount(exact: $all) totalCountCapped nodes { id } pageInfo { hasNextPage } } }"""
    for person in (PRINCIPALS["analyst"], both):
        rows = await gql.connection.fetchval("SELECT count(*) FROM dispute")
        for exact in (True, False, None):
            page = (await gql.data(person, query, all=exact))["disputes"]
            assert (page["a"], page["b"], page["totalCountCapped"]) == (
                COUNT_CAP,
                rows if exact else COUNT_CAP,
                True,
            )
            assert len(page["nodes"]) == 2
            assert page["pageInfo"]["hasNextPage"] is True
            none = (await gql.data(person, query, all=exact, q="no such number"))["disputes"]
            assert none == {"a": 0, "b": 0, "totalCountCapped": False, "nodes": [], "pageInfo": {"hasNextPage": False}}
