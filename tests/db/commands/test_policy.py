"""Versions of the policy through the commands: drafted with all errors at once, approved by others, published, undone; lock-outs refused."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from db.county.people import PRINCIPALS
from db.postgres.address import Address
from tests.db.commands.drafting import (
    POLICY,
    SECOND,
    SHOWN,
    TESTS,
    approved,
    drafted,
    gaining,
    less,
    live,
    second_administrator,
)
from tests.office import Done, Office, key_of, open_office


@pytest_asyncio.fixture(loop_scope="session")
async def gql(own_county: Address) -> AsyncIterator[Office]:
    """An office on a county of this test alone, with a second security administrator at another organization."""
    async with open_office(own_county) as office:
        await second_administrator(office)
        yield office


async def test_from_a_draft_to_the_live_policy_and_back(gql: Office) -> None:
    await gql.execute(
        "INSERT INTO inspection (grid_code, person_id, inspected_on, found_count)"
        " SELECT grid_code, (SELECT id FROM person LIMIT 1), current_date, 0 FROM team LIMIT 1"
    )
    query = "{ viewer { policyVersion } inspections { totalCount } }"
    viewer = await gql.gql.data(PRINCIPALS["analyst"], query)
    assert viewer == {"viewer": {"policyVersion": 1}, "inspections": {"totalCount": 1}}
    draft = await drafted(gql, **less())
    assert (draft["version"], draft["state"], draft["green"], draft["widens"]) == (2, "DRAFT", True, False)
    assert draft["parent"] == draft["base"] == {"version": 1}
    assert draft["author"] == {"name": PRINCIPALS["security_admin"]}
    assert draft["differences"] == ["- 司法局统计分析人员：不再可以看到排查（公开信息），原范围：本县"]
    assert (draft["gains"], draft["approvalsNeeded"], draft["failures"], draft["survivors"]) == ([], 1, [], [])
    assert draft["access"]["can"] == ["draft"]
    assert await live(gql) == 1

    seen = await gql.gql.ask(PRINCIPALS["bureau_admin"], "{ policyVersions { nodes { version access { can } } } }")
    assert seen.data["policyVersions"]["nodes"] == [
        {"version": 2, "access": {"can": ["approve"]}},
        {"version": 1, "access": {"can": []}},
    ]
    one = await approved(gql, draft)
    assert (one["state"], one["approver"]) == ("APPROVED", {"name": PRINCIPALS["bureau_admin"]})
    epoch = await gql.value("SELECT epoch FROM access_epoch")
    done = await gql.must("security_admin", "policyPublish", shown=SHOWN, id=key_of(draft["id"]))
    assert done["state"] == "PUBLISHED"
    assert done["publishedAt"]
    assert await gql.value("SELECT epoch FROM access_epoch") > epoch
    assert await live(gql) == 2
    viewer = await gql.gql.data(PRINCIPALS["analyst"], query)
    assert viewer == {"viewer": {"policyVersion": 2}, "inspections": {"totalCount": 0}}

    first = await gql.value("SELECT id FROM policy_version WHERE version = 1")
    back = await gql.must("security_admin", "policyRollback", shown=SHOWN, id=first, note="误收")
    assert (back["version"], back["state"], back["rollback"], back["text"]) == (3, "PUBLISHED", True, POLICY)
    assert (back["parent"], back["base"]) == ({"version": 1}, {"version": 2})
    assert back["differences"] == ["+ 司法局统计分析人员：现在可以看到排查（公开信息），范围：本县"]
    assert await live(gql) == 3
    states = await gql.rows("SELECT state FROM policy_version ORDER BY version")
    assert [row["state"] for row in states] == ["RETIRED", "RETIRED", "PUBLISHED"]
    events = await gql.rows(
        "SELECT e.action, p.name, e.resource, e.policy_version, e.reason FROM event e JOIN person p ON p.id = e.actor_id"
        " WHERE e.resource = 'PolicyVersion' ORDER BY e.at, e.id"
    )
    assert [tuple(row)[:4] for row in events] == [
        ("policy.draft", PRINCIPALS["security_admin"], "PolicyVersion", 1),
        ("policy.approve", PRINCIPALS["bureau_admin"], "PolicyVersion", 1),
        ("policy.publish", PRINCIPALS["security_admin"], "PolicyVersion", 1),
        ("policy.rollback", PRINCIPALS["security_admin"], "PolicyVersion", 2),
    ]
    again = await gql.do("security_admin", "policyRollback", id=first, note="再退")
    assert again.user_errors == [("id", "UNCHANGED")]


@pytest.mark.parametrize("who", ["mediator", "system_admin", "analyst", "justice_office", "grid_worker", "court"])
async def test_nobody_else_sees_or_drafts(office: Office, who: str) -> None:
    version = await office.value("SELECT id FROM policy_version WHERE version = 1")
    response = await office.gql.ask(
        PRINCIPALS[who],
        "query($id: ID!) { policyVersions { totalCount } node(id: $id) { id } }",
        id=f"PolicyVersion:{version}",
    )
    assert response.data == {"policyVersions": {"totalCount": 0}, "node": None}
    assert (await office.do(who, "policyDraft", note="试改", text=POLICY + "\n")).user_errors == [("", "FORBIDDEN")]
    for mutation, more in (
        ("policyApprove", {"digest": "x"}),
        ("policyPublish", {}),
        ("policyRollback", {"note": "试"}),
    ):
        assert (await office.do(who, mutation, id=version, **more)).user_errors == [("id", "FORBIDDEN")]


@pytest.mark.parametrize(
    ("who", "mutations"),
    [
        ("auditor", ("policyDraft", "policyApprove", "policyPublish", "policyRollback")),
        ("bureau_admin", ("policyDraft", "policyPublish", "policyRollback")),
    ],
)
async def test_whoever_may_only_look_does_nothing(office: Office, who: str, mutations: tuple[str, ...]) -> None:
    version = await office.value("SELECT id FROM policy_version WHERE version = 1")
    given: dict[str, dict[str, Any]] = {
        "policyDraft": {"note": "试改", "text": POLICY + "\n"},
        "policyApprove": {"id": version, "digest": "x"},
        "policyPublish": {"id": version},
        "policyRollback": {"id": version, "note": "试"},
    }
    for mutation in mutations:
        assert [code for _, code in (await office.do(who, mutation, **given[mutation])).user_errors] == ["FORBIDDEN"]


async def test_four_eyes(gql: Office) -> None:
    draft = await drafted(gql, **less())
    key, digest = key_of(draft["id"]), draft["digest"]
    own = await gql.do("security_admin", "policyApprove", id=key, digest=digest)
    assert own.user_errors == [("id", "OWN_DRAFT")]
    early = await gql.do("security_admin", "policyPublish", id=key)
    assert early.user_errors == [("id", "WRONG_STATE")]
    stale = await gql.do("bureau_admin", "policyApprove", id=key, digest=draft["sha256"])
    assert stale.user_errors == [("digest", "STALE")]
    await approved(gql, draft)
    twice = await gql.do("bureau_admin", "policyApprove", id=key, digest=digest)
    assert twice.user_errors == [("id", "ALREADY")]

    # Its impact becomes known: the approval is void, and the digest another.
    await gql.execute("UPDATE policy_version SET impact_sha256 = encode(sha256('x'), 'hex') WHERE id = $1", key)
    void = await gql.do("security_admin", "policyPublish", id=key)
    assert void.user_errors == [("id", "WRONG_STATE")]
    assert (await gql.do("bureau_admin", "policyApprove", id=key, digest=digest)).user_errors == [("digest", "STALE")]
    digest = await gql.value("SELECT digest FROM policy_version WHERE id = $1", key)
    await gql.must(SECOND, "policyApprove", id=key, digest=digest)

    # Whoever approved must still be able to.
    await gql.execute("UPDATE person SET state = 'SUSPENDED' WHERE name = $1", SECOND)
    gone = await gql.do("security_admin", "policyPublish", id=key)
    assert gone.user_errors == [("id", "APPROVER_GONE")]
    await gql.execute("UPDATE person SET state = 'ACTIVE' WHERE name = $1", SECOND)
    await gql.must("security_admin", "policyPublish", id=key)


async def test_whoever_gains_needs_somebody_of_another_organization(gql: Office) -> None:
    draft = await drafted(gql, **gaining())
    assert draft["green"], (draft["failures"], draft["survivors"])
    assert draft["approvalsNeeded"] == 2
    assert draft["gains"] == ["全体登录者、安全管理员：查看机构的工作电话，由「无」变为「不限」"] or any(
        "安全管理员" in one and "工作电话" in one for one in draft["gains"]
    )
    one = await approved(gql, draft)
    assert one["state"] == "DRAFT"
    assert (await gql.do("security_admin", "policyPublish", id=key_of(draft["id"]))).user_errors == [
        ("id", "WRONG_STATE")
    ]
    # A colleague of the first approver's house is not enough.
    await gql.execute(
        "INSERT INTO appointment (role, valid_from, person_id, organization_id, area_code)"
        " SELECT 'bureau_admin', '2024-01-01', p.id, a.organization_id, a.area_code FROM person p, appointment a"
        " WHERE p.name = $1 AND a.role = 'bureau_admin'",
        PRINCIPALS["analyst"],
    )
    same = await gql.do("analyst", "policyApprove", id=key_of(draft["id"]), digest=draft["digest"])
    assert same.user_errors == [("id", "SAME_ORGANIZATION")]
    # Nor does it help that the author is gone by then.
    state = "UPDATE person SET state = $2 WHERE name = $1"
    await gql.execute(state, PRINCIPALS["security_admin"], "SUSPENDED")
    same = await gql.do("analyst", "policyApprove", id=key_of(draft["id"]), digest=draft["digest"])
    assert same.user_errors == [("id", "SAME_ORGANIZATION")]
    await gql.execute(state, PRINCIPALS["security_admin"], "ACTIVE")
    two = await approved(gql, draft, SECOND)
    assert (two["state"], two["secondApprover"]) == ("APPROVED", {"name": SECOND})
    # The approver moves to the author's organization before it is published: that is checked again.
    moved = "UPDATE appointment SET organization_id = (SELECT organization_id FROM appointment WHERE role = 'auditor') WHERE person_id = $1"
    home = await gql.value("SELECT organization_id FROM appointment WHERE person_id = $1", await gql.person(SECOND))
    await gql.execute(moved, await gql.person(SECOND))
    assert (await gql.do("security_admin", "policyPublish", id=key_of(draft["id"]))).user_errors == [
        ("id", "SECOND_APPROVER")
    ]
    await gql.execute(
        "UPDATE appointment SET organization_id = $2 WHERE person_id = $1", await gql.person(SECOND), home
    )
    await gql.must("security_admin", "policyPublish", id=key_of(draft["id"]))

    # Away with it again by going back; but going there again gains, so that one alone cannot.
    first, wide = await gql.rows("SELECT id FROM policy_version WHERE version < 3 ORDER BY version")
    await gql.must("security_admin", "policyRollback", id=first["id"], note="收回")
    assert (await gql.do("security_admin", "policyRollback", id=wide["id"], note="再给")).user_errors == [
        ("id", "NEEDS_APPROVAL")
    ]


async def test_somebody_must_be_left_in_charge(gql: Office) -> None:
    lines = [
        line
        for line in POLICY.splitlines(keepends=True)
        if not line.startswith("p, security_admin, PolicyVersion, publish")
    ]
    tests = TESTS.replace("can: 起草 批准 发布 回退", "can: 起草 批准 回退")
    draft = await drafted(gql, text="".join(lines), tests=tests)
    assert draft["green"]
    await approved(gql, draft)
    assert (await gql.do("security_admin", "policyPublish", id=key_of(draft["id"]))).user_errors == [
        ("id", "LOCKED_OUT")
    ]
    assert await live(gql) == 1


async def test_of_two_at_once_one_wins(gql: Office) -> None:
    line = "p, analyst, Visit, read, in_county, public, allow\n"
    tests = TESTS.replace("预警 层级移交 走访 排查: {clear: 公开信息}", "预警 层级移交 排查: {clear: 公开信息}")
    one, other = await drafted(gql, **less()), await drafted(gql, text=POLICY.replace(line, ""), tests=tests)
    assert one["green"], one["failures"]
    assert other["green"], other["failures"]
    await approved(gql, one)
    await approved(gql, other)
    done: list[Done] = list(
        await asyncio.gather(
            *(
                gql.do(who, "policyPublish", id=key_of(draft["id"]))
                for who, draft in (("security_admin", one), (SECOND, other))
            )
        )
    )
    assert sorted(len(each.user_errors) for each in done) == [0, 1], [each.payload for each in done]
    assert [each.user_errors for each in done if each.user_errors] == [[("id", "CONFLICT")]]
    assert await live(gql) in (2, 3)
    # The other one was read against what is no more.
    left = other if done[0].ok else one
    assert (await gql.do(SECOND, "policyPublish", id=key_of(left["id"]))).user_errors == [("id", "CONFLICT")]


async def test_a_version_that_no_longer_compiles_is_not_published(gql: Office) -> None:
    draft = await drafted(gql, **less())
    await approved(gql, draft)
    # As if written for another catalog: past the commands, and with every hash right.
    bad = draft["text"] + "p, everyone, Parcel, read, anywhere, public, allow\n"
    key = await gql.value(
        "INSERT INTO policy_version (version, text, sha256, tests, proof_sha256, state, green, base_id, author_id, approver_id,"
        " approved_digest, approved_at)"
        " SELECT 3, $1, encode(sha256(convert_to($1, 'UTF8')), 'hex'), tests, proof_sha256, 'APPROVED', true, base_id, author_id, approver_id,"
        " encode(sha256(decode(encode(sha256(convert_to($1, 'UTF8')), 'hex') || proof_sha256, 'hex')), 'hex'), now()"
        " FROM policy_version WHERE version = 2 RETURNING id",
        bad,
    )
    done = await gql.do("security_admin", "policyPublish", id=key)
    assert done.user_errors == [("id", "OUTDATED")]
    assert done.payload is not None
    assert "Parcel" in done.payload["userErrors"][0]["message"]
    assert await live(gql) == 1


async def test_a_request_is_carried_out_once(gql: Office) -> None:
    given = {"note": "试改", "idempotency_key": "k1", **less()}
    one = await gql.must("security_admin", "policyDraft", **given)
    two = await gql.do("security_admin", "policyDraft", **given)
    assert two.shown == one
    assert two.payload is not None
    assert two.payload["replayed"] is True
    assert await gql.value("SELECT count(*) FROM policy_version") == 2
