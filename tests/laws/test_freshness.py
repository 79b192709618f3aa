"""Law: what ends a right is in force for the very next query, on every process, with nothing sent between them."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from db.county.people import ENDED, FUTURE, PRINCIPALS, SUSPENDED, THREE_POSTS
from db.identity import tokens
from policies.compile import POLICY_PATH
from tests.laws.client import GraphQLClient
from tests.laws.two_processes import COUNT, POLICY, WITH_MONEY, ask_both, publish
from tests.laws.visibility_oracle import PolicyText, Rights, Snapshot, global_id

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
    """Each way shuts the door of one mediator, and of nobody else."""
    rows = await two[0].connection.fetch(
        "SELECT DISTINCT p.id, p.name FROM person p JOIN assignment s ON s.person_id = p.id ORDER BY p.name LIMIT $1",
        len(SHUT),
    )
    mediators = dict(zip(SHUT, rows, strict=True))
    tokens_of = {name: await two[0].token(row["name"]) for name, row in mediators.items()}
    for name, row in mediators.items():
        for _ in range(2):
            assert (await ask_both(two, tokens_of[name])).data["disputes"]["totalCount"] > 0
        await SHUT[name](two[0], row["id"])
        for query in (
            COUNT,
            "{ __typename }",
            "{ __schema { queryType { name } } }",
            "{ disputes(first: 0) { totalCount } }",
        ):
            response = await ask_both(two, tokens_of[name], query)
            assert (response.data, response.codes) == (None, ["UNAUTHENTICATED"]), (name, query)


def without(*starts: str) -> Change:
    """Publish the policy without some of its lines."""
    lines = POLICY_PATH.read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(starts))
    return lambda gql, _: publish(gql, text)


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


# A role, and what changes the rights of its principal; the new rights are computed from the rows after the change.
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
    snapshot = await Snapshot.read(connection)
    live = PolicyText(await connection.fetchval("SELECT text FROM policy_version WHERE state = 'PUBLISHED'"))
    rights = Rights(snapshot, snapshot.appointments(PRINCIPALS[role]), live)
    assert after.data["disputes"]["totalCount"] == len(rights.ids("Dispute"))
    parties = {one["id"] for dispute in after.data["disputes"]["nodes"] for one in dispute["parties"]}
    assert parties == {
        global_id("Party", key)
        for key in rights.ids("Party")
        if snapshot.rows["Party"][key]["dispute_id"] in rights.ids("Dispute")
    }


async def test_a_filter_that_was_refused_is_answered_under_the_new_policy(
    two: tuple[GraphQLClient, GraphQLClient],
) -> None:
    """A refusal is as fresh as an answer."""
    query = '{ disputes(filter: {amountMin: "0"}) { totalCount } }'
    token = await two[0].token(PRINCIPALS["grid_worker"])
    assert (await ask_both(two, token, query)).codes == ["FIELD_NOT_READABLE"]
    await publish(two[0], WITH_MONEY)
    assert (await ask_both(two, token, query)).data["disputes"]["totalCount"] > 0
    await publish(two[0], POLICY)
    assert (await ask_both(two, token, query)).codes == ["FIELD_NOT_READABLE"]


async def test_without_a_policy_nothing_is_answered(two: tuple[GraphQLClient, GraphQLClient]) -> None:
    token = await two[0].token(PRINCIPALS["bureau_admin"])
    await ask_both(two, token)
    await two[0].connection.execute("UPDATE policy_version SET state = 'RETIRED'")
    response = await ask_both(two, token)
    assert (response.data, response.codes) == (None, ["INTERNAL"])


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
    snapshot = await Snapshot.read(gql.connection)
    appointments = snapshot.appointments(THREE_POSTS)
    query = "{ viewer { roles } disputes(first: 200) { nodes { id } } }"
    seen = []
    for row in snapshot.find("Appointment", person_id=person):
        response = await ask_both(two, await gql.token(THREE_POSTS, row["id"]), query)
        (post,) = [
            one for one in appointments if (one.role, one.claims["area_code"]) == (row["role"], row["area_code"])
        ]
        wanted = {global_id("Dispute", key) for key in Rights(snapshot, [post]).ids("Dispute")}
        assert {node["id"] for node in response.data["disputes"]["nodes"]} == wanted
        assert row["role"] in response.data["viewer"]["roles"]
        seen.append(wanted)
    assert len(seen) == 3
    response = await ask_both(two, await gql.token(THREE_POSTS), query)
    assert {node["id"] for node in response.data["disputes"]["nodes"]} == set().union(*seen)


async def test_a_token_of_an_appointment_that_ended_opens_nothing(two: tuple[GraphQLClient, GraphQLClient]) -> None:
    gql = two[0]
    for name in (ENDED, FUTURE):
        appointment = await gql.connection.fetchval(
            "SELECT a.id FROM appointment a JOIN person p ON p.id = a.person_id WHERE p.name = $1", name
        )
        response = await ask_both(two, await gql.token(name, appointment), "{ viewer { roles } areas { totalCount } }")
        assert response.data == {"viewer": {"roles": []}, "areas": {"totalCount": 0}}


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
