"""Policies as texts and their impact, asked as GraphQL: who may, what comes back, and runs that go on behind."""

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
IMPACT = """query ($v: Int, $t: String, $a: Int, $r: Boolean! = false) { told: policyImpact(version: $v, text: $t, against: $a, refresh: $r) {
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


async def test_nothing_of_it_is_for_those_who_have_no_part_in_it(gql: GraphQLClient) -> None:
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
            said = await gql.ask(person, f"{{ told: {question} {{ __typename }} }}")
            assert (said.data, said.codes) == ({"told": None}, [code]), question
    assert not await gql.connection.fetchval("SELECT count(*) FROM policy_impact")
    # The auditor reads versions and their content, but neither drafts nor computes impacts.
    for question, code in questions.items():
        codes = (await gql.ask(AUDITOR, f"{{ told: {question} {{ __typename }} }}")).codes
        expected = [code] if code == "FORBIDDEN" or "99" in question else ["FORBIDDEN"] if "toText" in question else []
        assert codes == expected, question


async def test_a_text_is_checked_with_all_its_mistakes(gql: GraphQLClient) -> None:
    query = (
        "query ($t: String!) { told: policyCheck(text: $t) { ok problems { line column message } sha256 roles rules } }"
    )
    told = (await gql.data(SECURITY, query, t=SHIPPED))["told"]
    assert (told["ok"], told["problems"]) == (True, [])
    assert (told["roles"], told["rules"] > 400) == (21, True)
    bad = "p3, a, 甲\np, a, Dispute, read, True, public, Deny\np, a, Dispute, read, 9**9**9, public, allow\nq, x\n"
    told = (await gql.data(SECURITY, query, t=bad))["told"]
    assert (told["ok"], told["sha256"]) == (False, None)
    assert [one["line"] for one in told["problems"]] == [2, 3, 4]
    assert all(one["column"] > 0 and one["message"] for one in told["problems"])


async def test_tests_are_run_and_mutants_looked_for(gql: GraphQLClient) -> None:
    query = """query ($t: String, $s: String) { told: policyTest(text: $t, tests: $s) { green cases mutants failures { line text }
      survivors { line text } policyProblems { line } testProblems { line column message } } }"""
    told = (await gql.data(SECURITY, query))["told"]
    assert told["green"]
    assert told["mutants"] > 1000
    told = (await gql.data(SECURITY, query, t=WIDER))["told"]
    assert not told["green"]
    assert told["failures"]
    assert (await gql.data(SECURITY, query, t="p, a"))["told"]["policyProblems"]
    assert (await gql.data(SECURITY, query, s="tests: ["))["told"]["testProblems"]
    small = "p3, a, 甲\np, a, Area, read, True, public, allow\n"
    tests = "people: {某: {role: a}}\ntests:\n- {says: 甲看区划, who: 某, want: {Area: {clear: public}}}\n"
    told = (await gql.data(SECURITY, query, t=small, s=tests))["told"]
    assert (told["green"], told["cases"], told["survivors"]) == (True, 1, [])


async def test_differences_are_told_in_words(gql: GraphQLClient) -> None:
    query = """query ($v: Int, $t: String) { told: policyDiff(toVersion: $v, toText: $t) { widens notes sentences { change text }
      differences { change role resource action fieldClass form before after } } }"""
    told = (await gql.data(SECURITY, query, t=WIDER))["told"]
    assert told["widens"]
    assert {one["change"] for one in told["sentences"]} == {"WIDENS", "NARROWS"}
    assert any("网格员" in one["text"] and "本网格" in one["text"] for one in told["sentences"])
    assert {
        "role": "grid_worker",
        "fieldClass": "money",
        "form": "CLEAR",
        "before": None,
        "after": "本网格 且 未结案或结案未满三十日",
    }.items() <= next(one for one in told["differences"] if one["fieldClass"] == "money").items()
    assert (await gql.data(SECURITY, query, v=1))["told"] == {
        "widens": False,
        "notes": [],
        "sentences": [],
        "differences": [],
    }
    assert (await gql.ask(SECURITY, query)).codes == ["BAD_USER_INPUT"]
    assert (await gql.ask(SECURITY, query, t="p, a")).codes == ["BAD_USER_INPUT"]


async def test_the_whole_is_a_table(gql: GraphQLClient) -> None:
    query = """query ($r: [String!], $o: [String!]) { told: policyMatrix(roles: $r, resources: $o) {
      sha256 entries { role roleLabel resource action fieldClass form condition lines } } }"""
    whole = (await gql.data(AUDITOR, query))["told"]["entries"]
    assert len(whole) > 1000
    some = (await gql.data(AUDITOR, query, r=["police"], o=["Dispute"]))["told"]["entries"]
    assert some == [one for one in whole if (one["role"], one["resource"]) == ("police", "Dispute")] != []
    assert (await gql.ask(AUDITOR, query, r=["nobody"])).codes == ["BAD_USER_INPUT"]


async def done(gql: GraphQLClient, person: str, **variables: Any) -> Any:
    """The impact, once it is worked out."""
    for _ in range(60):
        told = (await gql.data(person, IMPACT, **variables))["told"]
        if told["state"] != "RUNNING":
            return told
        variables["r"] = False
    raise AssertionError("it never ends")


async def test_an_impact_is_worked_out_once_and_kept(gql: GraphQLClient) -> None:
    await store(gql, WIDER, 7)
    for person in (SECURITY, BUREAU):
        await gql.token(person)
    told = await done(gql, SECURITY, t=WIDER)
    assert (told["state"], told["exact"], told["current"], told["done"]) == ("DONE", True, True, told["total"])
    assert {one["name"] for one in told["roles"]} == {"grid_worker", "mediator", "squad_member"}
    gains = next(one for one in told["roles"] if one["name"] == "grid_worker")["changes"]
    assert [(one["resource"], one["action"]) for one in gains] == [("Dispute", "read")]
    assert (gains[0]["rowsGained"], gains[0]["cells"][0]["clear"] > 0) == (0, True)
    # The same text as a stored version is the same impact, for whoever may ask.
    assert await done(gql, BUREAU, v=7) == told
    assert await gql.connection.fetchval("SELECT count(*) FROM policy_impact") == 1
    again = await done(gql, SECURITY, t=WIDER, r=True)
    assert (again["digest"], again["roles"]) == (told["digest"], told["roles"])
    assert again["begunAt"] > told["begunAt"]
    lost = next(one for one in told["roles"] if one["name"] == "mediator")["changes"][0]
    assert (lost["resource"], lost["cells"][0]["fieldClass"], lost["cells"][0]["clear"]) == ("Party", "contact", 0)
    assert lost["cells"][0]["hidden"] > 0


async def test_tokens_are_counted_with_all_that_they_stand_for(gql: GraphQLClient) -> None:
    """What the bearer of a token will lose is what they read now."""
    prefix = (await gql.token(MEDIATOR))[3:11]
    told = await done(gql, SECURITY, t=WIDER, r=True)
    change = next(one for one in told["tokens"] if one["name"] == prefix)["changes"]
    parties = await gql.data(MEDIATOR, "{ disputes(first: 200) { nodes { parties { access { hidden } } } } }")
    rows = [one for dispute in parties["disputes"]["nodes"] for one in dispute["parties"]]
    clear = sum("phone" not in one["access"]["hidden"] for one in rows)
    fields = change[0]["cells"][0]["hidden"] / clear
    assert change[0]["resource"] == "Party"
    assert fields == int(fields) > 0


async def test_samples_are_rows_that_the_asker_sees(gql: GraphQLClient) -> None:
    text = SHIPPED + "p, police, Dispute, read, anywhere, public|status, allow\n"
    await store(gql, text, 8)
    query = 'query ($v: Int) { told: policyImpactSamples(version: $v, role: "police", resource: "Dispute") { gained lost } }'
    told = (await gql.data(BUREAU, query, v=8))["told"]
    assert len(told["gained"]) == 5
    seen = await gql.data(BUREAU, "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=told["gained"])
    assert all(seen["nodes"])
    assert told["lost"] == []
    # The security administrator sees no dispute.
    assert (await gql.data(SECURITY, query, v=8))["told"] == {"gained": [], "lost": []}


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
            told = (await gql.data(SECURITY, IMPACT, t=WIDER))["told"]
            if state == "RUNNING":
                # Another process is at it: how far it is, and no second run.
                assert (told["state"], told["done"], told["total"], told["roles"]) == ("RUNNING", 3, 9, None)
            else:
                assert (await done(gql, SECURITY, t=WIDER))["state"] == "DONE"


async def test_two_who_ask_at_once_share_one_run(own_county: Address) -> None:
    async with open_client(own_county) as gql, open_client(own_county) as other:
        token = await gql.token(SECURITY)
        said = await asyncio.gather(*(one.ask_with(token, IMPACT, {"t": WIDER}) for one in (gql, other, gql, other)))
        assert all(not one.errors for one in said)
        assert len({one.data["told"]["begunAt"] for one in said}) == 1
        assert await gql.connection.fetchval("SELECT count(*) FROM policy_impact") == 1


async def test_so_many_questions_at_once_and_no_more(gql: GraphQLClient) -> None:
    parts = " ".join(f"q{number}: whatCanSee {{ policyVersion }}" for number in range(6))
    assert (await gql.ask(GRID, f"{{ {parts} }}")).codes == ["TOO_COSTLY"]
    dear = " ".join(f"q{number}: policyImpact {{ state }}" for number in range(5))
    assert (await gql.ask(SECURITY, f"{{ {dear} }}")).codes == ["TOO_COSTLY"]


async def test_a_question_beside_rows_keeps_the_order_of_both(gql: GraphQLClient) -> None:
    said = await gql.ask(
        GRID,
        '{ b: whatCanSee { __typename roles } a: viewer { roles } c: whoCanSee(node: "x") { total } d: __typename }',
    )
    assert list(said.data) == ["b", "a", "c", "d"]
    assert said.data["b"]["__typename"] == "Permissions"
    assert (said.data["c"], said.codes) == (None, ["BAD_USER_INPUT"])


async def test_nothing_is_answered_nor_begun_under_rights_that_have_ended(own_county: Address) -> None:
    """The caller is in the cache of the process when another version takes their right away."""
    async with open_client(own_county) as gql:
        query = '{ told: policyMatrix(roles: ["court"]) { sha256 } }'
        assert (await gql.data(SECURITY, query))["told"]
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
        assert (await gql.data(AUDITOR, query))["told"]
        assert (await gql.data(AUDITOR, "{ whatCanSee { policyVersion } }"))["whatCanSee"]["policyVersion"] == 2
