"""Why and why not: everybody about themselves, others for whoever may explain, and nothing of a row that the asker does not see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from db.calendar import TODAY_SQL
from db.county.people import ENDED, PRINCIPALS, THREE_POSTS
from db.postgres.address import Address
from db.resources.catalog import RESOURCES
from schema.names import camel
from schema.planning.question import MAX_QUESTIONS
from tests.laws.callers import SEVERAL, appoint_several
from tests.laws.client import GraphQLClient, open_client
from tests.schema.questions.access_questions import (
    AUDITOR,
    BUREAU,
    EXPLAINING,
    GRID,
    MISSING,
    POLICE,
    SECURITY,
    WHY,
    key,
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


async def test_what_is_explained_is_what_is_shown(gql: GraphQLClient) -> None:
    """About oneself, on rows that the asker sees and rows that they do not: the row, each field, and each action by policy."""
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
                for field, answer in answers.items():
                    assert answer["known"] is (seen is not None)
                    form = None
                    if seen is not None:
                        hidden, masked = (field in seen["access"][what] for what in ("hidden", "masked"))
                        form = "HIDDEN" if hidden else "MASKED" if masked else "CLEAR"
                        denied = any(not one["allow"] and one["matched"] for one in answer["rules"])
                        assert answer["visible"]
                        assert [one["decisive"] for one in answer["rules"]].count(True) == (form != "HIDDEN" or denied)
                    assert answer["field"] == form
                    shown[form] += 1
            for action in sorted(RESOURCES[resource].actions)[::6] if seen is not None else ():
                answer = (await gql.data(name, WHY, node=node, action=action))["answer"]
                # What can be done now is what the policy allows, where state and guards allow it at all.
                assert answer["visible"] or action not in seen["access"]["can"]
    assert min(shown.values()) > 5, shown


async def test_a_hidden_row_is_explained_like_one_that_is_missing(gql: GraphQLClient) -> None:
    """To every asker, about themselves or about others, whatever the question."""
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
                assert nothing.data["answer"]["known"] is False
                assert {one["matched"] for one in nothing.data["answer"]["rules"]} <= {None}
                for node in await some(gql, resource, 3):
                    query = "query ($id: ID!) { node(id: $id) { id } }"
                    if (await gql.ask(asker, query, id=node)).data["node"] is None:
                        answer = await gql.ask(asker, WHY, node=node, person=subject, field=field, action=action)
                        assert (answer.text, answer.errors) == (nothing.text, nothing.errors)
                        unseen += 1
        assert unseen or asker == BUREAU


async def test_others_are_for_whoever_may_explain(gql: GraphQLClient) -> None:
    node = (await some(gql, "Dispute", 1))[0]
    for asker in (GRID, POLICE, PRINCIPALS["system_admin"], THREE_POSTS, ENDED):
        refused = []
        for about in (await person(gql, BUREAU), f"Person:{MISSING}"):
            response = await gql.ask(asker, WHY, node=node, person=about)
            refused.append(response.errors)
            assert (response.data, response.codes) == ({"answer": None}, ["FORBIDDEN"])
        # SECURITY: nobody learns whether there is such a person or token.
        assert refused[0] == refused[1]
        prefix = await gql.connection.fetchval(
            "SELECT prefix FROM token WHERE person_id <> $1 LIMIT 1", await key(gql, asker)
        )
        for token in (prefix, "nosuchid"):
            assert (await gql.ask(asker, WHY, node=node, token=token)).errors == refused[0]
            response = await gql.ask(asker, "query ($t: String) { answer: whatCanSee(token: $t) { roles } }", t=token)
            assert response.errors == refused[0]
        assert (await gql.ask(asker, "query ($n: ID!) { answer: whoCanSee(node: $n) { total } }", n=node)).codes == [
            "FORBIDDEN"
        ]
        assert (await gql.data(asker, WHY, node=node, person=await person(gql, asker)))["answer"]["personId"]
    answer = await gql.data(BUREAU, WHY, node=node, person=await person(gql, GRID), field="amountClaimed")
    assert answer["answer"]["roles"] == ["grid_worker"]
    for unknown in ({"person": f"Person:{MISSING}"}, {"token": "nosuchid"}):
        assert (await gql.ask(BUREAU, WHY, node=node, **unknown)).codes == ["NOT_FOUND"]


async def test_a_token_is_what_it_stands_for(gql: GraphQLClient) -> None:
    """A token that is limited to a post is explained by that post alone; the bearer by the token of the request."""
    name = next(iter(SEVERAL))
    post = await gql.connection.fetchval(
        "SELECT id FROM appointment WHERE person_id = $1 AND role = 'police'", await key(gql, name)
    )
    token, whole = await gql.token(name, post), await gql.token(name)
    node = (await some(gql, "Dispute", 1))[0]
    limited = (await gql.ask_with(token, WHY, {"node": node})).data["answer"]
    assert limited["roles"] == ["police"]
    assert (await gql.ask_with(whole, WHY, {"node": node})).data["answer"]["roles"] == ["court", "police"]
    assert (await gql.data(BUREAU, WHY, node=node, token=token[3:11]))["answer"]["roles"] == ["police"]
    assert (await gql.ask_with(whole, WHY, {"node": node, "token": token[3:11]})).data["answer"]["roles"] == ["police"]


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
        ({"asOf": "2199-01-01T00:00:00Z"}, "BAD_USER_INPUT"),
        ({"asOf": "1999-01-01T00:00:00Z"}, "NOT_FOUND"),
    ],
)
async def test_what_cannot_be_asked(gql: GraphQLClient, given: dict[str, Any], code: str) -> None:
    response = await gql.ask(BUREAU, WHY, **{"node": f"Dispute:{MISSING}", **given})
    assert (response.data, response.codes) == ({"answer": None}, [code])


async def test_values_that_the_asker_does_not_read_are_left_out(gql: GraphQLClient) -> None:
    """The police see a dispute of theirs, but neither the squad nor the mediators: no explanation names them."""
    seen = (await gql.data(POLICE, "{ disputes(first: 1) { nodes { id } } }"))["disputes"]["nodes"][0]["id"]
    row = await gql.connection.fetchrow("SELECT * FROM dispute WHERE 'Dispute:' || id = $1", seen)
    mediators = await gql.connection.fetch("SELECT person_id FROM assignment WHERE 'Dispute:' || dispute_id = $1", seen)
    assert row is not None
    secret = [str(one["person_id"]) for one in mediators]
    secret += [str(row[name]) for name in ("team_id", "squad_id", "centre_id") if row[name] is not None]
    assert secret
    for action in sorted(RESOURCES["Dispute"].actions):
        response = await gql.ask(POLICE, WHY, node=seen, action=action)
        text = (response.text or b"").decode()
        assert not [one for one in secret if one in text], action
    assert "不予显示" in text or "承办调解员包括本人" in text


async def test_as_of_the_past(own_county: Address) -> None:
    """The policy of that time and the posts of that day: what has been revoked since is explained as it was."""
    async with open_client(own_county) as gql:
        node = (await gql.data(BUREAU, "{ disputes(first: 1) { nodes { id } } }"))["disputes"]["nodes"][0]["id"]
        query = "query ($n: ID!, $p: ID, $t: DateTime) { answer: explainAccess(node: $n, person: $p, asOf: $t) { policyVersion roles visible } }"
        text = await live(gql)
        await publish(gql, text + EXPLAINING)
        between = await gql.connection.fetchval("SELECT clock_timestamp()")
        await publish(gql, text + EXPLAINING + "p, police, Dispute, read, anywhere, public, allow\n")
        about = await person(gql, POLICE)
        now = (await gql.data(BUREAU, query, n=node, p=about))["answer"]
        then = (await gql.data(BUREAU, query, n=node, p=about, t=between.isoformat()))["answer"]
        assert (now["policyVersion"], then["policyVersion"], now["visible"]) == (3, 2, True)
        # A post that ended the day before counts for the days before.
        async with gql.connection.transaction():
            await gql.connection.execute("SET LOCAL session_replication_role = replica")
            await gql.connection.execute(
                "UPDATE policy_version SET published_at = now() - interval '9 days' WHERE version < 3"
            )
        await gql.connection.execute(
            f"UPDATE appointment SET valid_to = {TODAY_SQL} - 1 WHERE person_id = $1",
            await key(gql, POLICE),
        )
        past = await gql.connection.fetchval("SELECT now() - interval '3 days'")
        assert (await gql.data(BUREAU, query, n=node, p=about))["answer"]["roles"] == []
        assert (await gql.data(BUREAU, query, n=node, p=about, t=past.isoformat()))["answer"]["roles"] == ["police"]
