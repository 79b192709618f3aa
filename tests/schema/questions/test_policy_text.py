"""Questions about policy texts and their impact: who may ask, what is answered, and runs in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from db.county.people import PRINCIPALS
from db.postgres.address import Address
from policies.compile import POLICY_PATH
from tests.laws.client import GraphQLClient, open_client

SECURITY, BUREAU, AUDITOR = PRINCIPALS["security_admin"], PRINCIPALS["bureau_admin"], PRINCIPALS["auditor"]
GRID, MEDIATOR = PRINCIPALS["grid_worker"], PRINCIPALS["mediator"]
SHIPPED = POLICY_PATH.read_text(encoding="utf-8")
WIDER = (
    SHIPPED
    + "p, grid_worker, Dispute, read, own_grid and recent, money, allow\np, mediator, Party, read, own_cases, contact, deny\n"
)
IMPACT = """query ($v: Int, $t: String, $a: Int, $r: Boolean! = false) { answer: policyImpact(version: $v, text: $t, against: $a, refresh: $r) {
  state done total exact current digest begunAt endedAt
  roles { name label appointments changes { resource action rowsGained rowsLost cells { fieldClass clear masked hidden } } }
  tokens { name changes { resource action rowsGained rowsLost cells { fieldClass clear masked hidden } } } } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county) as opened:
        yield opened


async def store(gql: GraphQLClient, text: str, version: int) -> None:
    """A draft, past all commands."""
    await gql.connection.execute(
        "INSERT INTO policy_version (version, text, sha256, state)"
        " VALUES ($2, $1, encode(sha256(convert_to($1, 'UTF8')), 'hex'), 'DRAFT') ON CONFLICT DO NOTHING",
        text,
        version,
    )


async def test_who_may_ask(gql: GraphQLClient) -> None:
    await store(gql, WIDER, 7)
    questions = {
        'policyCheck(text: "p, a")': "FORBIDDEN",
        "policyTest": "NOT_FOUND",
        "policyTest(version: 7)": "NOT_FOUND",
        "policyTest(version: 99)": "NOT_FOUND",
        'policyTest(text: "p, a")': "FORBIDDEN",
        'policyTest(tests: "tests: []")': "FORBIDDEN",
        "policyDiff(toVersion: 7)": "NOT_FOUND",
        'policyDiff(toText: "p, a")': "NOT_FOUND",
        "policyMatrix": "NOT_FOUND",
        "policyMatrix(version: 7)": "NOT_FOUND",
        'policyMatrix(text: "p, a")': "FORBIDDEN",
        "policyImpact(version: 7)": "FORBIDDEN",
        'policyImpact(text: "p, a")': "FORBIDDEN",
        'policyImpactSamples(version: 7, role: "police", resource: "Dispute")': "FORBIDDEN",
    }
    for person in (GRID, PRINCIPALS["police"], PRINCIPALS["system_admin"]):
        for question, code in questions.items():
            response = await gql.ask(person, f"{{ answer: {question} {{ __typename }} }}")
            assert (response.data, response.codes) == ({"answer": None}, [code]), question
    assert not await gql.connection.fetchval("SELECT count(*) FROM policy_impact")
    # The auditor reads versions and their content, but neither drafts nor computes impacts.
    for question, code in questions.items():
        codes = (await gql.ask(AUDITOR, f"{{ answer: {question} {{ __typename }} }}")).codes
        expected = [code] if code == "FORBIDDEN" or "99" in question else ["FORBIDDEN"] if "toText" in question else []
        assert codes == expected, question


async def test_all_problems_of_a_text_are_answered_at_once(gql: GraphQLClient) -> None:
    query = "query ($t: String!) { answer: policyCheck(text: $t) { ok problems { line column message } sha256 roles rules } }"
    answer = (await gql.data(SECURITY, query, t=SHIPPED))["answer"]
    assert (answer["ok"], answer["problems"]) == (True, [])
    assert (answer["roles"], answer["rules"] > 400) == (21, True)
    bad = "p3, a, 甲\np, a, Dispute, read, True, public, Deny\np, a, Dispute, read, 9**9**9, public, allow\nq, x\n"
    answer = (await gql.data(SECURITY, query, t=bad))["answer"]
    assert (answer["ok"], answer["sha256"]) == (False, None)
    assert [one["line"] for one in answer["problems"]] == [2, 3, 4]
    assert all(one["column"] > 0 and one["message"] for one in answer["problems"])


async def test_tests_are_run_on_the_policy_and_its_mutants(gql: GraphQLClient) -> None:
    query = """query ($t: String, $s: String) { answer: policyTest(text: $t, tests: $s) { green cases mutants failures { line text }
      survivors { line text } policyProblems { line } testProblems { line column message } } }"""
    answer = (await gql.data(SECURITY, query))["answer"]
    assert answer["green"]
    assert answer["mutants"] > 1000
    answer = (await gql.data(SECURITY, query, t=WIDER))["answer"]
    assert not answer["green"]
    assert answer["failures"]
    assert (await gql.data(SECURITY, query, t="p, a"))["answer"]["policyProblems"]
    assert (await gql.data(SECURITY, query, s="tests: ["))["answer"]["testProblems"]
    small = "p3, a, 甲\np, a, Area, read, True, public, allow\n"
    tests = "people: {某: {role: a}}\ntests:\n- {says: 甲看区划, who: 某, want: {Area: {clear: public}}}\n"
    answer = (await gql.data(SECURITY, query, t=small, s=tests))["answer"]
    assert (answer["green"], answer["cases"], answer["survivors"]) == (True, 1, [])


async def test_differences_are_put_in_words(gql: GraphQLClient) -> None:
    query = """query ($v: Int, $t: String) { answer: policyDiff(toVersion: $v, toText: $t) { widens notes sentences { change text }
      differences { change role resource action fieldClass form before after } } }"""
    answer = (await gql.data(SECURITY, query, t=WIDER))["answer"]
    assert answer["widens"]
    assert {one["change"] for one in answer["sentences"]} == {"WIDENS", "NARROWS"}
    assert any("网格员" in one["text"] and "本网格" in one["text"] for one in answer["sentences"])
    assert {
        "role": "grid_worker",
        "fieldClass": "money",
        "form": "CLEAR",
        "before": None,
        "after": "本网格 且 未结案或结案未满三十日",
    }.items() <= next(one for one in answer["differences"] if one["fieldClass"] == "money").items()
    assert (await gql.data(SECURITY, query, v=1))["answer"] == {
        "widens": False,
        "notes": [],
        "sentences": [],
        "differences": [],
    }
    assert (await gql.ask(SECURITY, query)).codes == ["BAD_USER_INPUT"]
    assert (await gql.ask(SECURITY, query, t="p, a")).codes == ["BAD_USER_INPUT"]


async def test_the_matrix(gql: GraphQLClient) -> None:
    query = """query ($r: [String!], $o: [String!]) { answer: policyMatrix(roles: $r, resources: $o) {
      sha256 entries { role roleLabel resource action fieldClass form condition lines } } }"""
    whole = (await gql.data(AUDITOR, query))["answer"]["entries"]
    assert len(whole) > 1000
    some = (await gql.data(AUDITOR, query, r=["police"], o=["Dispute"]))["answer"]["entries"]
    assert some == [one for one in whole if (one["role"], one["resource"]) == ("police", "Dispute")] != []
    assert (await gql.ask(AUDITOR, query, r=["nobody"])).codes == ["BAD_USER_INPUT"]


async def done(gql: GraphQLClient, person: str, **variables: Any) -> Any:
    """The impact, once it is computed."""
    for _ in range(60):
        answer = (await gql.data(person, IMPACT, **variables))["answer"]
        if answer["state"] != "RUNNING":
            return answer
        variables["r"] = False
    raise AssertionError("it never ends")


async def test_an_impact_is_computed_once_and_stored(gql: GraphQLClient) -> None:
    await store(gql, WIDER, 7)
    for person in (SECURITY, BUREAU):
        await gql.token(person)
    answer = await done(gql, SECURITY, t=WIDER)
    assert (answer["state"], answer["exact"], answer["current"], answer["done"]) == (
        "DONE",
        True,
        True,
        answer["total"],
    )
    assert {one["name"] for one in answer["roles"]} == {"grid_worker", "mediator", "squad_member"}
    gains = next(one for one in answer["roles"] if one["name"] == "grid_worker")["changes"]
    assert [(one["resource"], one["action"]) for one in gains] == [("Dispute", "read")]
    assert (gains[0]["rowsGained"], gains[0]["cells"][0]["clear"] > 0) == (0, True)
    # The same text as a stored version is the same impact, for whoever may ask.
    assert await done(gql, BUREAU, v=7) == answer
    assert await gql.connection.fetchval("SELECT count(*) FROM policy_impact") == 1
    again = await done(gql, SECURITY, t=WIDER, r=True)
    assert (again["digest"], again["roles"]) == (answer["digest"], answer["roles"])
    assert again["begunAt"] > answer["begunAt"]
    lost = next(one for one in answer["roles"] if one["name"] == "mediator")["changes"][0]
    assert (lost["resource"], lost["cells"][0]["fieldClass"], lost["cells"][0]["clear"]) == ("Party", "contact", 0)
    assert lost["cells"][0]["hidden"] > 0


async def test_a_token_counts_with_all_its_appointments(gql: GraphQLClient) -> None:
    """What the bearer of a token will lose is what they read now."""
    prefix = (await gql.token(MEDIATOR))[3:11]
    answer = await done(gql, SECURITY, t=WIDER, r=True)
    change = next(one for one in answer["tokens"] if one["name"] == prefix)["changes"]
    parties = await gql.data(MEDIATOR, "{ disputes(first: 200) { nodes { parties { access { hidden } } } } }")
    rows = [one for dispute in parties["disputes"]["nodes"] for one in dispute["parties"]]
    clear = sum("phone" not in one["access"]["hidden"] for one in rows)
    fields = change[0]["cells"][0]["hidden"] / clear
    assert change[0]["resource"] == "Party"
    assert fields == int(fields) > 0


async def test_samples_are_rows_that_the_asker_sees(gql: GraphQLClient) -> None:
    text = SHIPPED + "p, police, Dispute, read, anywhere, public|status, allow\n"
    await store(gql, text, 8)
    query = 'query ($v: Int) { answer: policyImpactSamples(version: $v, role: "police", resource: "Dispute") { gained lost } }'
    answer = (await gql.data(BUREAU, query, v=8))["answer"]
    assert len(answer["gained"]) == 5
    seen = await gql.data(BUREAU, "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=answer["gained"])
    assert all(seen["nodes"])
    assert answer["lost"] == []
    # The security administrator sees no dispute.
    assert (await gql.data(SECURITY, query, v=8))["answer"] == {"gained": [], "lost": []}


async def test_a_run_that_was_cut_off_is_begun_again(own_county: Address) -> None:
    async with open_client(own_county) as gql:
        before, after = [
            await gql.connection.fetchval("SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')", text)
            for text in (SHIPPED, WIDER)
        ]
        for age, state in ((1, "RUNNING"), (60, "DONE")):
            await gql.connection.execute(
                "INSERT INTO policy_impact (sha256, against_sha256, state, done, total, beat_at)"
                " VALUES ($1, $2, 'RUNNING', 3, 9, now() - make_interval(secs => $3))"
                " ON CONFLICT (sha256, against_sha256) DO UPDATE SET beat_at = excluded.beat_at",
                after,
                before,
                float(age),
            )
            answer = (await gql.data(SECURITY, IMPACT, t=WIDER))["answer"]
            if state == "RUNNING":
                # Another process computes it: its progress is answered, and no second run begins.
                assert (answer["state"], answer["done"], answer["total"], answer["roles"]) == ("RUNNING", 3, 9, None)
            else:
                assert (await done(gql, SECURITY, t=WIDER))["state"] == "DONE"


async def test_two_who_ask_at_once_share_one_run(own_county: Address) -> None:
    async with open_client(own_county) as gql, open_client(own_county) as other:
        token = await gql.token(SECURITY)
        responses = await asyncio.gather(
            *(one.ask_with(token, IMPACT, {"t": WIDER}) for one in (gql, other, gql, other))
        )
        assert all(not one.errors for one in responses)
        assert len({one.data["answer"]["begunAt"] for one in responses}) == 1
        assert await gql.connection.fetchval("SELECT count(*) FROM policy_impact") == 1


async def test_so_many_questions_at_once_and_no_more(gql: GraphQLClient) -> None:
    parts = " ".join(f"q{number}: whatCanSee {{ policyVersion }}" for number in range(6))
    assert (await gql.ask(GRID, f"{{ {parts} }}")).codes == ["TOO_COSTLY"]
    dear = " ".join(f"q{number}: policyImpact {{ state }}" for number in range(5))
    assert (await gql.ask(SECURITY, f"{{ {dear} }}")).codes == ["TOO_COSTLY"]


async def test_a_question_beside_rows_keeps_the_order_of_both(gql: GraphQLClient) -> None:
    response = await gql.ask(
        GRID,
        '{ b: whatCanSee { __typename roles } a: viewer { roles } c: whoCanSee(node: "x") { total } d: __typename }',
    )
    assert list(response.data) == ["b", "a", "c", "d"]
    assert response.data["b"]["__typename"] == "Permissions"
    assert (response.data["c"], response.codes) == (None, ["BAD_USER_INPUT"])


async def test_nothing_is_answered_nor_begun_under_rights_that_have_ended(own_county: Address) -> None:
    """The caller is in the cache of the process when another version takes their right away."""
    async with open_client(own_county) as gql:
        query = '{ answer: policyMatrix(roles: ["court"]) { sha256 } }'
        assert (await gql.data(SECURITY, query))["answer"]
        less = "\n".join(
            line for line in SHIPPED.split("\n") if not line.startswith("p, security_admin, PolicyVersion,")
        )
        async with gql.connection.transaction():
            await gql.connection.execute("SET LOCAL session_replication_role = replica")
            await gql.connection.execute("UPDATE policy_version SET state = 'RETIRED'")
            await gql.connection.execute(
                "INSERT INTO policy_version (version, text, sha256, state, published_at)"
                " VALUES (2, $1, encode(sha256(convert_to($1, 'UTF8')), 'hex'), 'PUBLISHED', now())",
                less,
            )
            await gql.connection.execute("UPDATE access_epoch SET epoch = epoch + 1")
        assert (await gql.ask(SECURITY, IMPACT, v=1)).codes == ["FORBIDDEN"]
        assert (await gql.ask(SECURITY, query)).codes == ["NOT_FOUND"]
        assert not await gql.connection.fetchval("SELECT count(*) FROM policy_impact")
        # Whoever still may is answered under the new version.
        assert (await gql.data(AUDITOR, query))["answer"]
        assert (await gql.data(AUDITOR, "{ whatCanSee { policyVersion } }"))["whatCanSee"]["policyVersion"] == 2
