"""Law: what ends a right is in force for the very next request, on every process, with nothing said between them."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio

from api.app import build
from api.settings import Settings
from db.county.people import ENDED, FUTURE, PRINCIPALS, SUSPENDED, THREE_POSTS
from db.identity import tokens
from db.postgres.address import Address
from db.query.reader import Reader
from policies.compile import POLICY_PATH
from tests.laws.client import GraphQLClient, Said, open_client
from tests.laws.expected import Rights, Text, World, gid
from tests.server import serve

COUNT = "{ disputes(first: 200) { totalCount nodes { parties { id name } } } }"


@pytest_asyncio.fixture(loop_scope="session")
async def two(own_county: Address) -> AsyncIterator[tuple[GraphQLClient, GraphQLClient]]:
    """Two processes on one database, which the test may change."""
    async with open_client(own_county) as one, open_client(own_county) as other:
        yield one, other


async def ask_both(two: tuple[GraphQLClient, GraphQLClient], token: str, query: str = COUNT) -> Said:
    """The same answer from both."""
    first, second = await asyncio.gather(*(gql.ask_with(token, query, {}) for gql in two))
    assert first == second
    return first


Change = Callable[[GraphQLClient, UUID], Awaitable[object]]


def sql(text: str) -> Change:
    """A statement about the person $1."""
    return lambda gql, person: gql.connection.execute(text, person)


SHUT: dict[str, Change] = {
    "token revoked": sql("UPDATE token SET revoked_at = now() WHERE person_id = $1"),
    "token ended": sql("UPDATE token SET expires_at = now() - interval '1 second' WHERE person_id = $1"),
    "token deleted": sql("DELETE FROM token WHERE person_id = $1"),
    "token given to a person who is suspended": sql(
        f"UPDATE token SET person_id = (SELECT id FROM person WHERE name = '{SUSPENDED}') WHERE person_id = $1"
    ),
    "token made another": sql("UPDATE token SET hash = sha256('other') WHERE person_id = $1"),
    "person suspended": sql("UPDATE person SET state = 'SUSPENDED' WHERE id = $1"),
}


async def test_the_door_is_shut(two: tuple[GraphQLClient, GraphQLClient]) -> None:
    """Each way shuts the door of one mediator, and of him alone."""
    rows = await two[0].connection.fetch(
        "SELECT DISTINCT p.id, p.name FROM person p JOIN assignment s ON s.person_id = p.id ORDER BY p.name LIMIT $1",
        len(SHUT),
    )
    found = dict(zip(SHUT, rows, strict=True))
    tokens_of = {name: await two[0].token(row["name"]) for name, row in found.items()}
    for name, row in found.items():
        for _ in range(2):
            assert (await ask_both(two, tokens_of[name])).data["disputes"]["totalCount"] > 0
        await SHUT[name](two[0], row["id"])
        for query in (
            COUNT,
            "{ __typename }",
            "{ __schema { queryType { name } } }",
            "{ disputes(first: 0) { totalCount } }",
        ):
            said = await ask_both(two, tokens_of[name], query)
            assert (said.data, said.codes) == (None, ["UNAUTHENTICATED"]), (name, query)


async def _publish(gql: GraphQLClient, text: str) -> None:
    async with gql.connection.transaction():
        await gql.connection.execute("UPDATE policy_version SET state = 'RETIRED' WHERE state = 'PUBLISHED'")
        await gql.connection.execute(
            "INSERT INTO policy_version (version, text, sha256, state, published_at)"
            " SELECT max(version) + 1, $1, encode(sha256(convert_to($1, 'UTF8')), 'hex'), 'PUBLISHED', now() FROM policy_version",
            text,
        )


def without(*starts: str) -> Change:
    """Publish the policy without some of its lines."""
    lines = POLICY_PATH.read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(starts))
    return lambda gql, _: _publish(gql, text)


async def _leave(gql: GraphQLClient, person: UUID) -> None:
    async with gql.connection.transaction():
        left = await gql.connection.fetch(
            "UPDATE team_member SET valid_to = current_date - 2 WHERE person_id = $1 RETURNING team_id, role", person
        )
        for row in left:
            await gql.connection.execute(
                "INSERT INTO team_member (role, valid_from, team_id, person_id)"
                " SELECT $1, current_date - 1, $2, id FROM person WHERE name = $3",
                row["role"],
                row["team_id"],
                PRINCIPALS["analyst"],
            )


# Who, and what changes his rights; the new rights are reckoned from the rows as they are then.
CHANGED: dict[str, tuple[str, Change]] = {
    "appointment ended": (
        "grid_worker",
        sql("UPDATE appointment SET valid_to = current_date - 2 WHERE person_id = $1"),
    ),
    "appointment not yet begun": (
        "justice_office",
        sql("UPDATE appointment SET valid_from = current_date + 2 WHERE person_id = $1"),
    ),
    "appointment deleted": ("court", sql("DELETE FROM appointment WHERE person_id = $1")),
    "another area": (
        "justice_office",
        sql("UPDATE appointment SET area_code = '371525001' WHERE person_id = $1"),
    ),
    "another role": ("bureau_admin", sql("UPDATE appointment SET role = 'housing' WHERE person_id = $1")),
    "another organization": (
        "police",
        sql(
            "UPDATE appointment SET organization_id = (SELECT id FROM organization WHERE kind = 'POLICE_STATION'"
            " AND id <> appointment.organization_id ORDER BY id LIMIT 1) WHERE person_id = $1"
        ),
    ),
    "appointed once more": (
        "grid_worker",
        sql(
            "INSERT INTO appointment (role, valid_from, person_id, organization_id, area_code)"
            " SELECT 'justice_office', '2022-01-01', $1, organization_id, '371525001' FROM appointment WHERE person_id = $1"
        ),
    ),
    "out of the team": (
        "law_leader",
        sql(
            "UPDATE team_member SET person_id = (SELECT person_id FROM team_member WHERE role = 'LAW_LEADER'"
            " AND person_id <> $1 LIMIT 1) WHERE person_id = $1"
        ),
    ),
    "membership ended": (
        "legal_adviser",
        _leave,
    ),
    "team dissolved": (
        "legal_adviser",
        sql(
            "UPDATE team SET state = 'DISSOLVED', dissolved_on = current_date"
            " WHERE id IN (SELECT team_id FROM team_member WHERE person_id = $1)"
        ),
    ),
    "policy without rows": ("mediator", without("p, mediator, Party")),
    "policy without a role": ("justice_office", without("p, justice_office, Dispute")),
    "policy without own rules": ("squad_member", without("p, squad_member, Dispute", "p, squad_member, Party")),
}


@pytest.mark.parametrize("name", CHANGED)
async def test_rights_change(two: tuple[GraphQLClient, GraphQLClient], name: str) -> None:
    role, change = CHANGED[name]
    connection = two[0].connection
    person = await connection.fetchval("SELECT id FROM person WHERE name = $1", PRINCIPALS[role])
    token = await two[0].token(PRINCIPALS[role])
    before = await ask_both(two, token)
    await change(two[0], person)
    after = await ask_both(two, token)
    assert before != after
    world = await World.read(connection)
    live = Text(await connection.fetchval("SELECT text FROM policy_version WHERE state = 'PUBLISHED'"))
    rights = Rights(world, world.posts(PRINCIPALS[role]), live)
    assert after.data["disputes"]["totalCount"] == len(rights.ids("Dispute"))
    parties = {one["id"] for dispute in after.data["disputes"]["nodes"] for one in dispute["parties"]}
    assert parties == {
        gid("Party", key)
        for key in rights.ids("Party")
        if world.rows["Party"][key]["dispute_id"] in rights.ids("Dispute")
    }


POLICY = POLICY_PATH.read_text(encoding="utf-8")
WITH_MONEY = POLICY.replace(
    "p, grid_worker, Dispute, read, own_grid, public|status,",
    "p, grid_worker, Dispute, read, own_grid, public|status|money,",
)
assert WITH_MONEY != POLICY


async def test_a_filter_that_was_refused_is_answered_under_the_new_policy(
    two: tuple[GraphQLClient, GraphQLClient],
) -> None:
    """A refusal is as fresh as an answer."""
    query = '{ disputes(filter: {amountMin: "0"}) { totalCount } }'
    token = await two[0].token(PRINCIPALS["grid_worker"])
    assert (await ask_both(two, token, query)).codes == ["FIELD_NOT_READABLE"]
    await _publish(two[0], WITH_MONEY)
    assert (await ask_both(two, token, query)).data["disputes"]["totalCount"] > 0
    await _publish(two[0], POLICY)
    assert (await ask_both(two, token, query)).codes == ["FIELD_NOT_READABLE"]


async def test_without_a_policy_nothing_is_answered(two: tuple[GraphQLClient, GraphQLClient]) -> None:
    token = await two[0].token(PRINCIPALS["bureau_admin"])
    await ask_both(two, token)
    await two[0].connection.execute("UPDATE policy_version SET state = 'RETIRED'")
    said = await ask_both(two, token)
    assert (said.data, said.codes) == (None, ["INTERNAL"])


async def test_using_a_token_changes_no_right(two: tuple[GraphQLClient, GraphQLClient]) -> None:
    """The time of last use is recorded, and bumps no epoch: nobody is read anew because of it."""
    gql = two[0]
    token = await gql.token(PRINCIPALS["mediator"])
    epoch = await gql.connection.fetchval("SELECT epoch FROM access_epoch")
    await gql.ask_with(token, COUNT, {})
    await gql.services.gate.close()
    assert await gql.connection.fetchval("SELECT max(last_used_at) FROM token") is not None
    assert await gql.connection.fetchval("SELECT epoch FROM access_epoch") == epoch


async def test_a_token_of_one_appointment_has_only_that(two: tuple[GraphQLClient, GraphQLClient]) -> None:
    """Each appointment by itself, and all together for a token without one."""
    gql = two[0]
    person = await gql.connection.fetchval("SELECT id FROM person WHERE name = $1", THREE_POSTS)
    world = await World.read(gql.connection)
    posts = world.posts(THREE_POSTS)
    query = "{ viewer { roles } disputes(first: 200) { nodes { id } } }"
    seen = []
    for row in world.find("Appointment", person_id=person):
        said = await ask_both(two, await gql.token(THREE_POSTS, row["id"]), query)
        (post,) = [one for one in posts if (one.role, one.claims["area_code"]) == (row["role"], row["area_code"])]
        wanted = {gid("Dispute", key) for key in Rights(world, [post]).ids("Dispute")}
        assert {node["id"] for node in said.data["disputes"]["nodes"]} == wanted
        assert row["role"] in said.data["viewer"]["roles"]
        seen.append(wanted)
    assert len(seen) == 3
    said = await ask_both(two, await gql.token(THREE_POSTS), query)
    assert {node["id"] for node in said.data["disputes"]["nodes"]} == set().union(*seen)


async def test_a_token_of_an_appointment_that_ended_opens_nothing(two: tuple[GraphQLClient, GraphQLClient]) -> None:
    gql = two[0]
    for name in (ENDED, FUTURE):
        appointment = await gql.connection.fetchval(
            "SELECT a.id FROM appointment a JOIN person p ON p.id = a.person_id WHERE p.name = $1", name
        )
        said = await ask_both(two, await gql.token(name, appointment), "{ viewer { roles } areas { totalCount } }")
        assert said.data == {"viewer": {"roles": []}, "areas": {"totalCount": 0}}


async def test_a_token_ends_by_the_clock(two: tuple[GraphQLClient, GraphQLClient]) -> None:
    """No change of the database, no new epoch: the time itself ends it, for those who have it in their cache too."""
    gql = two[0]
    person = await gql.connection.fetchval("SELECT id FROM person WHERE name = $1", PRINCIPALS["court"])
    issued = await tokens.issue(gql.connection, person_id=person, label="short", days=1)
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
    await gql.connection.execute("UPDATE token SET expires_at = $2 WHERE prefix = $1", issued.prefix, ends)
    assert (await ask_both(two, issued.text)).codes == []
    await asyncio.sleep((ends - dt.datetime.now(dt.UTC)).total_seconds() + 0.05)
    assert (await ask_both(two, issued.text)).codes == ["UNAUTHENTICATED"]


async def test_a_person_who_is_suspended_has_no_door(two: tuple[GraphQLClient, GraphQLClient]) -> None:
    assert (await ask_both(two, await two[0].token(SUSPENDED))).codes == ["UNAUTHENTICATED"]
    assert (await ask_both(two, "sl_aaaaaaaa_" + "a" * 43)).codes == ["UNAUTHENTICATED"]


# -- changes

# What may be wrong with a mutation before the database is asked: each is told to those who are admitted, and to nobody else.
_NOTIFY = 'mutation($at: DateTime!) { disputeNotify(input: {id: "%s", happenedAt: $at}) { userErrors { code } dispute { %s } } }'
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
        said = await one.ask_with(token, query, values)
        assert "UNAUTHENTICATED" not in said.codes
    await gql.connection.execute("UPDATE token SET revoked_at = now()")
    for one in two:
        said = await one.ask_with(token, query, values)
        assert (said.data, said.codes) == (None, ["UNAUTHENTICATED"])


async def test_a_selection_that_was_refused_is_planned_under_the_new_policy(
    two: tuple[GraphQLClient, GraphQLClient],
) -> None:
    """What a payload may ask for is decided by the rights of the moment, whether they grew or shrank."""
    gql = two[0]
    nested = 'compound { disputes(filter: {amountMin: "0"}) { totalCount } }'
    query = _NOTIFY % (NOWHERE, nested)
    token = await gql.token(PRINCIPALS["grid_worker"])
    for policy in (POLICY, WITH_MONEY, POLICY):
        await _publish(gql, policy)
        for one in two:
            said = await one.ask_with(token, query, {"at": THEN})
            if policy == POLICY:
                assert (said.data, said.codes) == (None, ["FIELD_NOT_READABLE"])
            else:
                assert (said.data["disputeNotify"]["userErrors"], said.codes) == ([{"code": "NOT_FOUND"}], [])


# -- in the middle of a request


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
    said = await gql.ask_with(token, query, {})
    assert (said.data, said.codes) == (None, ["UNAUTHENTICATED"])


async def test_a_scope_that_changes_meanwhile(two: tuple[GraphQLClient, GraphQLClient], interrupt: Any) -> None:
    """The answer is that of the new scope."""
    gql = two[0]
    person = await gql.connection.fetchval("SELECT id FROM person WHERE name = $1", PRINCIPALS["justice_office"])
    token = await gql.token(PRINCIPALS["justice_office"])
    query = "{ disputes(first: 200) { nodes { area { code } } } }"
    before = await gql.ask_with(token, query, {})
    interrupt(gql, "UPDATE appointment SET area_code = '371525001' WHERE person_id = $1", person)
    after = await gql.ask_with(token, query, {})

    def towns(said: Said) -> set[str]:
        return {node["area"]["code"][:9] for node in said.data["disputes"]["nodes"]}

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
