"""Questions about access: everybody about himself, others for whoever may explain, and nothing of a row that the asker does not see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from db.county.people import ENDED, PRINCIPALS, THREE_POSTS
from db.postgres.address import Address
from db.resources.catalog import RESOURCES
from schema.names import camel
from schema.planning.question import MAX_QUESTIONS
from tests.laws.client import GraphQLClient, open_client
from tests.laws.expected import TABLES
from tests.laws.people import SEVERAL, TYPICAL, appoint_several

SECURITY, AUDITOR, BUREAU = PRINCIPALS["security_admin"], PRINCIPALS["auditor"], PRINCIPALS["bureau_admin"]
GRID, POLICE = PRINCIPALS["grid_worker"], PRINCIPALS["police"]
MISSING = "00000000-0000-4000-8000-000000000000"
WHY = """query ($node: ID!, $person: ID, $token: String, $field: String, $action: String! = "read", $asOf: DateTime) {
  told: explainAccess(node: $node, person: $person, token: $token, field: $field, action: $action, asOf: $asOf) {
    policyVersion personId roles known visible field
    rules { line role roleLabel allow condition fields matched failed decisive }
    changes { line role roleLabel held needs } } }"""
# The county's own bureau may explain here, so that one who sees rows asks about others.
EXPLAINING = "p, bureau_admin, PolicyVersion, explain, anywhere, -, allow\n"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county) as opened:
        await appoint_several(opened.connection)
        await publish(opened, (await live(opened)) + EXPLAINING)
        yield opened


async def live(gql: GraphQLClient) -> str:
    text: str = await gql.connection.fetchval("SELECT text FROM policy_version WHERE state = 'PUBLISHED'")
    return text


async def publish(gql: GraphQLClient, text: str) -> None:
    """Another version, past all commands: how it comes to be is not asked here."""
    async with gql.connection.transaction():
        await gql.connection.execute("SET LOCAL session_replication_role = replica")
        await gql.connection.execute("UPDATE policy_version SET state = 'RETIRED' WHERE state = 'PUBLISHED'")
        await gql.connection.execute(
            "INSERT INTO policy_version (version, text, sha256, state, published_at)"
            " SELECT max(version) + 1, $1, encode(sha256(convert_to($1, 'UTF8')), 'hex'), 'PUBLISHED', clock_timestamp()"
            " FROM policy_version",
            text,
        )
        await gql.connection.execute("UPDATE access_epoch SET epoch = epoch + 1")


async def person(gql: GraphQLClient, name: str) -> str:
    return f"Person:{await gql.connection.fetchval('SELECT id FROM person WHERE name = $1', name)}"


async def some(gql: GraphQLClient, resource: str, count: int) -> list[str]:
    rows = await gql.connection.fetch(f"SELECT id FROM {TABLES[resource]} ORDER BY md5(id::text) LIMIT $1", count)
    return [f"{resource}:{row['id']}" for row in rows]


async def test_what_is_explained_is_what_is_shown(gql: GraphQLClient) -> None:
    """For himself, on rows that he sees and rows that he does not: the row, each field, and what he can do by policy."""
    shown = {"CLEAR": 0, "MASKED": 0, "HIDDEN": 0, None: 0}
    lists = {"Dispute": "disputes(first: 2) { nodes { id } }", "FollowUp": "followUps(first: 1) { nodes { id } }"}
    for name in (
        GRID,
        PRINCIPALS["law_leader"],
        PRINCIPALS["court"],
        PRINCIPALS["justice_office"],
        THREE_POSTS,
        "多职乙",
    ):
        own = await gql.data(
            name, f"{{ {' '.join(lists.values())} p: disputes(first: 2) {{ nodes {{ parties {{ id }} }} }} }}"
        )
        nodes = [one["id"] for what in ("disputes", "followUps") for one in own[what]["nodes"]]
        nodes += [one["id"] for dispute in own["p"]["nodes"] for one in dispute["parties"]][:3]
        for node in (*nodes, *(await some(gql, "Dispute", 1))):
            resource = node.partition(":")[0]
            kind: Any = gql.services.schema.type_map[resource]
            names = [camel(one) for one in RESOURCES[resource].fields if camel(one) in kind.fields]
            query = "query ($id: ID!) { node(id: $id) { access { hidden masked can } } }"
            seen = (await gql.ask(name, query, id=node)).data["node"]
            for start in range(0, len(names), MAX_QUESTIONS):
                asked = names[start : start + MAX_QUESTIONS]
                below = "known visible field rules { allow matched decisive }"
                parts = [f'{one}: explainAccess(node: $n, field: "{one}") {{ {below} }}' for one in asked]
                answers = await gql.data(name, f"query ($n: ID!) {{ {' '.join(parts)} }}", n=node)
                for field, told in answers.items():
                    assert told["known"] is (seen is not None)
                    form = None
                    if seen is not None:
                        hidden, masked = (field in seen["access"][what] for what in ("hidden", "masked"))
                        form = "HIDDEN" if hidden else "MASKED" if masked else "CLEAR"
                        denied = any(not one["allow"] and one["matched"] for one in told["rules"])
                        assert told["visible"]
                        assert [one["decisive"] for one in told["rules"]].count(True) == (form != "HIDDEN" or denied)
                    assert told["field"] == form
                    shown[form] += 1
            for action in sorted(RESOURCES[resource].actions)[::6] if seen is not None else ():
                told = (await gql.data(name, WHY, node=node, action=action))["told"]
                # What can be done now is what the policy lets him do, where state and guards let it be done at all.
                assert told["visible"] or action not in seen["access"]["can"]
    assert min(shown.values()) > 5, shown


async def test_a_row_that_he_does_not_see_is_explained_like_one_that_is_not_there(gql: GraphQLClient) -> None:
    """To whoever asks, about himself or about others, whatever he asks."""
    for asker, about in (
        (GRID, None),
        (POLICE, None),
        (SECURITY, GRID),
        (SECURITY, BUREAU),
        (BUREAU, POLICE),
        (AUDITOR, None),
    ):
        subject = None if about is None else await person(gql, about)
        unseen = 0
        for resource in ("Dispute", "Party", "Note", "Event"):
            field = camel(next(iter(RESOURCES[resource].fields)))
            for action in ("read", *sorted(RESOURCES[resource].actions)[:1]):
                nothing = await gql.ask(
                    asker, WHY, node=f"{resource}:{MISSING}", person=subject, field=field, action=action
                )
                assert nothing.data["told"]["known"] is False
                assert {one["matched"] for one in nothing.data["told"]["rules"]} <= {None}
                for node in await some(gql, resource, 3):
                    query = "query ($id: ID!) { node(id: $id) { id } }"
                    if (await gql.ask(asker, query, id=node)).data["node"] is None:
                        told = await gql.ask(asker, WHY, node=node, person=subject, field=field, action=action)
                        assert (told.text, told.errors) == (nothing.text, nothing.errors)
                        unseen += 1
        assert unseen or asker == BUREAU


async def test_others_are_for_whoever_may_explain(gql: GraphQLClient) -> None:
    node = (await some(gql, "Dispute", 1))[0]
    for asker in (GRID, POLICE, PRINCIPALS["system_admin"], THREE_POSTS, ENDED):
        refused = []
        for about in (await person(gql, BUREAU), f"Person:{MISSING}"):
            said = await gql.ask(asker, WHY, node=node, person=about)
            refused.append(said.errors)
            assert (said.data, said.codes) == ({"told": None}, ["FORBIDDEN"])
        # Whether there is such a person or token is told to nobody.
        assert refused[0] == refused[1]
        prefix = await gql.connection.fetchval(
            "SELECT prefix FROM token WHERE person_id <> $1 LIMIT 1", await key(gql, asker)
        )
        for token in (prefix, "nosuchid"):
            assert (await gql.ask(asker, WHY, node=node, token=token)).errors == refused[0]
            said = await gql.ask(asker, "query ($t: String) { told: whatCanSee(token: $t) { roles } }", t=token)
            assert said.errors == refused[0]
        assert (await gql.ask(asker, "query ($n: ID!) { told: whoCanSee(node: $n) { total } }", n=node)).codes == [
            "FORBIDDEN"
        ]
        assert (await gql.data(asker, WHY, node=node, person=await person(gql, asker)))["told"]["personId"]
    told = await gql.data(BUREAU, WHY, node=node, person=await person(gql, GRID), field="amountClaimed")
    assert told["told"]["roles"] == ["grid_worker"]
    for unknown in ({"person": f"Person:{MISSING}"}, {"token": "nosuchid"}):
        assert (await gql.ask(BUREAU, WHY, node=node, **unknown)).codes == ["NOT_FOUND"]


async def key(gql: GraphQLClient, name: str) -> Any:
    return await gql.connection.fetchval("SELECT id FROM person WHERE name = $1", name)


async def test_a_token_is_what_it_stands_for(gql: GraphQLClient) -> None:
    """One that is limited to a post is explained by that post alone; the bearer himself by what he asks with."""
    name = next(iter(SEVERAL))
    post = await gql.connection.fetchval(
        "SELECT id FROM appointment WHERE person_id = $1 AND role = 'police'", await key(gql, name)
    )
    token, whole = await gql.token(name, post), await gql.token(name)
    node = (await some(gql, "Dispute", 1))[0]
    limited = (await gql.ask_with(token, WHY, {"node": node})).data["told"]
    assert limited["roles"] == ["police"]
    assert (await gql.ask_with(whole, WHY, {"node": node})).data["told"]["roles"] == ["court", "police"]
    assert (await gql.data(BUREAU, WHY, node=node, token=token[3:11]))["told"]["roles"] == ["police"]
    assert (await gql.ask_with(whole, WHY, {"node": node, "token": token[3:11]})).data["told"]["roles"] == ["police"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"node": "Dispute:junk"}, "BAD_USER_INPUT"),
        ({"node": "Nothing:" + MISSING}, "BAD_USER_INPUT"),
        ({"field": "nosuchfield"}, "BAD_USER_INPUT"),
        ({"field": "case\u0000Number"}, "BAD_USER_INPUT"),
        ({"action": "fly"}, "BAD_USER_INPUT"),
        ({"person": "junk"}, "BAD_USER_INPUT"),
        ({"person": "Person:" + MISSING, "token": "abcdefgh"}, "BAD_USER_INPUT"),
        ({"asOf": "2999-01-01T00:00:00Z"}, "BAD_USER_INPUT"),
        ({"asOf": "1999-01-01T00:00:00Z"}, "NOT_FOUND"),
    ],
)
async def test_what_cannot_be_asked(gql: GraphQLClient, given: dict[str, Any], code: str) -> None:
    said = await gql.ask(BUREAU, WHY, **{"node": f"Dispute:{MISSING}", **given})
    assert (said.data, said.codes) == ({"told": None}, [code])


async def test_values_that_the_asker_does_not_read_are_not_told(gql: GraphQLClient) -> None:
    """The police see a dispute of theirs, but neither the squad nor the mediators: no explanation names them."""
    seen = (await gql.data(POLICE, "{ disputes(first: 1) { nodes { id } } }"))["disputes"]["nodes"][0]["id"]
    row = await gql.connection.fetchrow("SELECT * FROM dispute WHERE 'Dispute:' || id = $1", seen)
    mediators = await gql.connection.fetch("SELECT person_id FROM assignment WHERE 'Dispute:' || dispute_id = $1", seen)
    assert row is not None
    secret = [str(one["person_id"]) for one in mediators]
    secret += [str(row[name]) for name in ("team_id", "squad_id", "centre_id") if row[name] is not None]
    assert secret
    for action in sorted(RESOURCES["Dispute"].actions):
        said = await gql.ask(POLICE, WHY, node=seen, action=action)
        text = (said.text or b"").decode()
        assert not [one for one in secret if one in text], action
    assert "不予显示" in text or "承办调解员包括本人" in text


async def test_who_sees_a_row_is_whoever_sees_it(gql: GraphQLClient) -> None:
    """Everybody is asked; whoever is listed gets the row or the field, and nobody else."""
    query = """query ($n: ID!, $f: String, $o: Int! = 0) { told: whoCanSee(node: $n, field: $f, first: 100, offset: $o) {
      total nextOffset people { personId name form role line organizationId areaCode } } }"""
    for node in await some(gql, "Dispute", 2):
        for field in (None, "amountClaimed"):
            listed: dict[str, Any] = {}
            offset: int | None = 0
            while offset is not None:
                told = (await gql.data(BUREAU, query, n=node, f=field, o=offset))["told"]
                listed.update({one["name"]: one for one in told["people"]})
                offset = told["nextOffset"]
            assert told["total"] == len(listed) > 1
            for name in TYPICAL:
                seen = (await gql.ask(name, "query ($id: ID!) { node(id: $id) { access { hidden } } }", id=node)).data[
                    "node"
                ]
                sees = seen is not None and (field is None or field not in seen["access"]["hidden"])
                assert (name in listed) is sees, (name, field)


async def test_who_sees_is_not_told_of_rows_that_the_asker_does_not_see(gql: GraphQLClient) -> None:
    query = "query ($n: ID!) { told: whoCanSee(node: $n) { total } }"
    nothing = await gql.ask(SECURITY, query, n=f"Dispute:{MISSING}")
    assert nothing.codes == ["NOT_FOUND"]
    for node in await some(gql, "Dispute", 3):
        assert (await gql.ask(SECURITY, query, n=node)).errors == nothing.errors
    assert (await gql.data(SECURITY, query, n=await person(gql, GRID)))["told"]["total"] > 100


async def test_what_somebody_sees_is_as_many_rows_as_he_counts(gql: GraphQLClient) -> None:
    query = "query ($p: ID) { told: whatCanSee(person: $p) { roles rows { resource rows capped } permissions { resource action form condition } } }"
    for name in (GRID, POLICE, PRINCIPALS["mediator"], ENDED):
        told = (await gql.data(BUREAU, query, p=await person(gql, name)))["told"]
        assert told == (await gql.data(name, query))["told"]
        counts = {one["resource"]: one["rows"] for one in told["rows"]}
        own = await gql.data(
            name, "{ disputes { totalCount } people { totalCount } followUps { totalCount } events { totalCount } }"
        )
        names = {"disputes": "Dispute", "people": "Person", "followUps": "FollowUp", "events": "Event"}
        assert {what: counts.get(resource, 0) for what, resource in names.items()} == {
            what: one["totalCount"] for what, one in own.items()
        }
        assert {one["resource"] for one in told["permissions"] if one["action"] == "read"} >= set(counts)


async def test_as_of_the_past(own_county: Address) -> None:
    """The policy of that time and the posts of that day: what has been revoked since is explained as it was."""
    async with open_client(own_county) as gql:
        node = (await gql.data(BUREAU, "{ disputes(first: 1) { nodes { id } } }"))["disputes"]["nodes"][0]["id"]
        query = "query ($n: ID!, $p: ID, $t: DateTime) { told: explainAccess(node: $n, person: $p, asOf: $t) { policyVersion roles visible } }"
        text = await live(gql)
        await publish(gql, text + EXPLAINING)
        between = await gql.connection.fetchval("SELECT clock_timestamp()")
        await publish(gql, text + EXPLAINING + "p, police, Dispute, read, anywhere, public, allow\n")
        about = await person(gql, POLICE)
        now = (await gql.data(BUREAU, query, n=node, p=about))["told"]
        then = (await gql.data(BUREAU, query, n=node, p=about, t=between.isoformat()))["told"]
        assert (now["policyVersion"], then["policyVersion"], now["visible"]) == (3, 2, True)
        # A post that ended the day before counts for the days before.
        async with gql.connection.transaction():
            await gql.connection.execute("SET LOCAL session_replication_role = replica")
            await gql.connection.execute(
                "UPDATE policy_version SET published_at = now() - interval '9 days' WHERE version < 3"
            )
        await gql.connection.execute(
            "UPDATE appointment SET valid_to = (now() AT TIME ZONE 'Asia/Shanghai')::date - 1 WHERE person_id = $1",
            await key(gql, POLICE),
        )
        past = await gql.connection.fetchval("SELECT now() - interval '3 days'")
        assert (await gql.data(BUREAU, query, n=node, p=about))["told"]["roles"] == []
        assert (await gql.data(BUREAU, query, n=node, p=about, t=past.isoformat()))["told"]["roles"] == ["police"]


async def test_a_suspended_person_sees_nothing(own_county: Address) -> None:
    async with open_client(own_county) as gql:
        await publish(gql, (await live(gql)) + EXPLAINING)
        about = await person(gql, GRID)
        await gql.connection.execute("UPDATE person SET state = 'SUSPENDED' WHERE name = $1", GRID)
        told = await gql.data(
            BUREAU,
            "query ($p: ID) { whatCanSee(person: $p) { roles permissions { resource } rows { rows } } }",
            p=about,
        )
        assert told["whatCanSee"] == {"roles": [], "permissions": [], "rows": []}
