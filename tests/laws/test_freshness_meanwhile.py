"""Law: a right that ends while a request is under way, or before a mutation, ends its answer; over the network too."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx2
import pytest

from api.app import build
from api.settings import Settings
from db.county.people import PRINCIPALS
from db.identity import tokens
from db.postgres.address import Address
from db.query.reader import Reader
from tests.laws.client import GraphQLClient, Response, open_client
from tests.laws.two_processes import COUNT, POLICY, WITH_MONEY, publish
from tests.server import serve

# What may be wrong with a mutation before the database is asked: those who are admitted are told of it, and nobody else.
_NOTIFY = 'mutation($at: DateTime!) { disputeNotify(input: {id: "%s", happenedAt: $at}) { userErrors { code } dispute { %s } } }'
# What a grid worker may do: they are told that the row is not there, not that they may not.
_MEASURE = 'mutation($at: DateTime!) { disputeMeasure(input: {id: "%s", happenedAt: $at, kind: WATER}) { userErrors { code } dispute { %s } } }'
NOWHERE, THEN = "Dispute:00000000-0000-7000-8000-000000000000", "2024-01-01T09:00:00+08:00"
MUTATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing wrong": (_NOTIFY % (NOWHERE, "id"), {"at": THEN}),
    "a wrong id": (_NOTIFY % ("nonsense", "id"), {"at": THEN}),
    "a wrong variable": (_NOTIFY % (NOWHERE, "id"), {"at": "nonsense"}),
    "a wrong page": (_NOTIFY % (NOWHERE, "events(first: 9999) { totalCount }"), {"at": THEN}),
    "no change": ("mutation { __typename }", {}),
}


@pytest.mark.parametrize("name", MUTATIONS)
async def test_the_door_is_shut_to_changes(two: tuple[GraphQLClient, GraphQLClient], name: str) -> None:
    """Whoever is in the cache of a process and no longer admitted is told nothing, not even what is wrong."""
    gql, (query, values) = two[0], MUTATIONS[name]
    token = await gql.token(PRINCIPALS["mediator"])
    for one in two:
        response = await one.ask_with(token, query, values)
        assert "UNAUTHENTICATED" not in response.codes
    await gql.connection.execute("UPDATE token SET revoked_at = now()")
    for one in two:
        response = await one.ask_with(token, query, values)
        assert (response.data, response.codes) == (None, ["UNAUTHENTICATED"])


async def test_a_selection_that_was_refused_is_planned_under_the_new_policy(
    two: tuple[GraphQLClient, GraphQLClient],
) -> None:
    """What a payload may ask for is decided by the rights of the moment, whether they grew or shrank."""
    gql = two[0]
    nested = 'compound { disputes(filter: {amountMin: "0"}) { totalCount } }'
    query = _MEASURE % (NOWHERE, nested)
    token = await gql.token(PRINCIPALS["grid_worker"])
    for policy in (POLICY, WITH_MONEY, POLICY):
        await publish(gql, policy)
        for one in two:
            response = await one.ask_with(token, query, {"at": THEN})
            if policy == POLICY:
                assert (response.data, response.codes) == (None, ["FIELD_NOT_READABLE"])
            else:
                assert (response.data["disputeMeasure"]["userErrors"], response.codes) == ([{"code": "NOT_FOUND"}], [])


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have a statement run before each of the next `times` reads: after the look at the caller, before that at the data."""

    def interrupt(gql: GraphQLClient, text: str, person: UUID, times: int = 1) -> None:
        remaining = [text] * times

        def interrupted(read: Any) -> Any:
            async def run(reader: Reader, *arguments: Any) -> Any:
                if remaining:
                    await gql.connection.execute(remaining.pop(), person)
                return await read(reader, *arguments)

            return run

        for name in ("read", "epoch"):
            monkeypatch.setattr(Reader, name, interrupted(getattr(Reader, name)))

    return interrupt


@pytest.mark.parametrize(
    "query", [COUNT, "{ __schema { queryType { name } } }", "{ disputes(first: 0) { totalCount } }"]
)
async def test_a_right_that_ends_meanwhile(
    two: tuple[GraphQLClient, GraphQLClient], interrupt: Any, query: str
) -> None:
    """Between the look at the caller and the reading of the rows: the answer and even the refusal are withheld."""
    gql = two[0]
    person = await gql.connection.fetchval("SELECT id FROM person WHERE name = $1", PRINCIPALS["mediator"])
    token = await gql.token(PRINCIPALS["mediator"])
    await gql.ask_with(token, query, {})
    interrupt(gql, "UPDATE token SET revoked_at = now() WHERE person_id = $1", person)
    response = await gql.ask_with(token, query, {})
    assert (response.data, response.codes) == (None, ["UNAUTHENTICATED"])


async def test_a_scope_that_changes_meanwhile(two: tuple[GraphQLClient, GraphQLClient], interrupt: Any) -> None:
    """The answer is that of the new scope."""
    gql = two[0]
    person = await gql.connection.fetchval("SELECT id FROM person WHERE name = $1", PRINCIPALS["justice_office"])
    token = await gql.token(PRINCIPALS["justice_office"])
    query = "{ disputes(first: 200) { nodes { area { code } } } }"
    before = await gql.ask_with(token, query, {})
    interrupt(gql, "UPDATE appointment SET area_code = '371525001' WHERE person_id = $1", person)
    after = await gql.ask_with(token, query, {})

    def towns(response: Response) -> set[str]:
        return {node["area"]["code"][:9] for node in response.data["disputes"]["nodes"]}

    assert (towns(before), towns(after)) == ({"371525002"}, {"371525001"})


async def test_without_rest_there_is_no_answer(two: tuple[GraphQLClient, GraphQLClient], interrupt: Any) -> None:
    """Rights that change with every attempt give a conflict in the end, never an answer under old rights."""
    gql = two[0]
    person = await gql.connection.fetchval("SELECT id FROM person WHERE name = $1", PRINCIPALS["mediator"])
    token = await gql.token(PRINCIPALS["mediator"])
    await gql.ask_with(token, COUNT, {})
    interrupt(gql, "UPDATE appointment SET area_code = area_code WHERE person_id = $1", person, times=99)
    assert (await gql.ask_with(token, COUNT, {})).codes == ["CONFLICT"]


def test_over_the_network(own_county: Address) -> None:
    """Two servers: both answer, the token is revoked, both say 401."""

    async def prepare() -> str:
        async with open_client(own_county) as gql:
            return await gql.token(PRINCIPALS["mediator"])

    async def revoke(token: str) -> None:
        async with open_client(own_county) as gql:
            await tokens.revoke(gql.connection, token.split("_")[1])

    token = asyncio.run(prepare())
    settings = Settings(pool_size=2)
    headers = {"Authorization": f"Bearer {token}"}
    with (
        serve(build(settings, own_county), token) as one,
        serve(build(settings, own_county), token) as other,
        httpx2.Client(headers=headers, trust_env=False) as client,
    ):
        for served in (one, other, one, other):
            answer = client.post(f"{served.url}/graphql", json={"query": COUNT})
            assert answer.status_code == 200
            assert answer.json()["data"]["disputes"]["totalCount"] > 0
        asyncio.run(revoke(token))
        for served in (one, other):
            answer = client.post(f"{served.url}/graphql", json={"query": COUNT})
            assert (answer.status_code, answer.json().get("data")) == (401, None)
            assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
