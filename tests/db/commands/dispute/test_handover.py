"""Escalate, take, return: exactly one tier owns a case after every step, whoever tries whatever in whatever order."""

import random
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.office import HOUR, Case, Office, now

REASON = {"reason": "涉及多户，一时难以化解。", "handover": "已调解两次，分歧在于收费标准。"}
OWNER = {"SQUAD": "squad_id", "CENTRE": "centre_id"}


async def _receivers(office: Office) -> dict[str, UUID]:
    return {"SQUAD": await _organization(office, "squad_member"), "CENTRE": await _organization(office, "centre_staff")}


async def _organization(office: Office, role: str) -> UUID:
    person = await office.person(role)
    return UUID(
        str(
            await office.value(
                "SELECT organization_id FROM appointment WHERE role = $1 AND person_id = $2", role, person
            )
        )
    )


async def _escalations(office: Office, case: Case) -> list[Any]:
    return await office.rows("SELECT * FROM escalation WHERE dispute_id = $1 ORDER BY sent_at, id", case.key)


async def _one_owner(office: Office, case: Case) -> None:
    """The tier follows from the answered hand-overs alone, and each place is held by its owner or by the receiver that is asked."""
    row, steps = await office.dispute(case), await _escalations(office, case)
    taken = [one for one in steps if one["state"] == "TAKEN"]
    waiting = [one for one in steps if one["state"] == "SENT"]
    assert len(waiting) <= 1
    assert row["tier"] == (taken[-1]["to_tier"] if taken else "TEAM")
    held = {one["to_tier"]: one["organization_id"] for one in (*taken, *waiting)}
    for tier, column in OWNER.items():
        assert row[column] == held.get(tier), (tier, steps)
    # Nobody but the tier that owns it or is asked may take part as a tier: what the policy offers follows the owner.
    for role, tier in (("squad_member", "SQUAD"), ("centre_staff", "CENTRE")):
        can = await office.can(role, case)
        assert ("take" in can) == ("return" in can) == bool(waiting and waiting[0]["to_tier"] == tier), (role, can)
        assert ("assign" in can) == (row["tier"] == tier), (role, can)
    leads = await office.value(
        "SELECT count(*) FROM assignment WHERE dispute_id = $1 AND is_lead AND ended_at IS NULL", case.key
    )
    assert leads == 1


async def test_up_two_tiers(office: Office) -> None:
    case, to = await office.accepted(), await _receivers(office)
    await office.must(
        "mediator",
        "disputeEscalate",
        id=case.key,
        organization_id=to["SQUAD"],
        happened_at=case.started + 5 * HOUR,
        **REASON,
    )
    await _one_owner(office, case)
    # The lower tier still owns it; the squad sees what it is asked to take.
    assert (await office.dispute(case))["tier"] == "TEAM"
    query = (
        "query($id: ID!) { node(id: $id) { ... on Dispute { tier summary escalations { state reason handover } } } }"
    )
    data = await office.gql.data("冯立新", query, id=f"Dispute:{case.key}")
    assert data["node"]["escalations"] == [{"state": "SENT", **REASON}]
    assert "escalate" not in await office.can("mediator", case)
    shown = await office.must(
        "squad_member", "disputeTake", shown="tier squad { id }", id=case.key, happened_at=case.started + 6 * HOUR
    )
    assert shown == {"tier": "SQUAD", "squad": {"id": f"Organization:{to['SQUAD']}"}}
    await _one_owner(office, case)
    # S16: the team keeps the follow view and has no more to do.
    assert await office.can("grid_worker", case) == []
    assert "escalate" not in await office.can("legal_adviser", case)
    await office.must(
        "squad_member",
        "disputeEscalate",
        id=case.key,
        organization_id=to["CENTRE"],
        happened_at=case.started + 7 * HOUR,
        **REASON,
    )
    await _one_owner(office, case)
    await office.must(
        "centre_staff", "disputeTake", id=case.key, happened_at=case.started + 8 * HOUR, answer="三个工作日内召集。"
    )
    await _one_owner(office, case)
    row = await office.dispute(case)
    assert (row["tier"], row["squad_id"], row["centre_id"]) == ("CENTRE", to["SQUAD"], to["CENTRE"])
    assert (
        await office.do("centre_staff", "disputeEscalate", id=case.key, organization_id=to["CENTRE"], **REASON)
    ).codes
    assert [one["action"] for one in await office.events(case)][-4:] == [
        "dispute.escalate",
        "dispute.take",
        "dispute.escalate",
        "dispute.take",
    ]


async def test_returned_it_is_not_visible_and_may_be_sent_again(office: Office) -> None:
    case, to = await office.accepted(), await _receivers(office)
    await office.must("grid_worker", "disputeEscalate", id=case.key, organization_id=to["SQUAD"], **REASON)
    done = await office.do("squad_member", "disputeReturn", id=case.key, reason=" ")
    assert done.user_errors == [("reason", "REQUIRED")]
    done = await office.do("squad_member", "disputeReturn", id=case.key, reason="仍可由团队调解。")
    # It is stored, and the squad no longer sees it.
    assert done.ok
    assert done.shown is None
    await _one_owner(office, case)
    assert await office.can("squad_member", case) == []
    assert (await office.do("squad_member", "disputeTake", id=case.key)).codes == ["NOT_FOUND"]
    [step] = await _escalations(office, case)
    assert (step["state"], step["answer"]) == ("RETURNED", "仍可由团队调解。")
    early = {"happened_at": step["sent_at"] - HOUR, "organization_id": to["SQUAD"], **REASON}
    assert (await office.do("mediator", "disputeEscalate", id=case.key, **early)).codes == ["TOO_EARLY"]
    await office.must("legal_adviser", "disputeEscalate", id=case.key, organization_id=to["SQUAD"], **REASON)
    await _one_owner(office, case)


async def test_a_tier_is_skipped_only_at_high_risk(office: Office) -> None:
    case, to = await office.accepted(), await _receivers(office)
    done = await office.do("mediator", "disputeEscalate", id=case.key, organization_id=to["CENTRE"], **REASON)
    assert done.user_errors == [("organizationId", "SKIPS_A_TIER")]
    await office.execute("UPDATE dispute SET risk_level = 'HIGH' WHERE id = $1", case.key)
    await office.must("justice_office", "disputeEscalate", id=case.key, organization_id=to["CENTRE"], **REASON)
    await _one_owner(office, case)
    await office.must("centre_staff", "disputeTake", id=case.key)
    await _one_owner(office, case)


async def test_not_to_anybody(office: Office) -> None:
    case = await office.accepted()
    station = await office.organization("POLICE_STATION")
    done = await office.do("mediator", "disputeEscalate", id=case.key, organization_id=station, reason="", handover=" ")
    assert done.user_errors == [("reason", "REQUIRED"), ("handover", "REQUIRED"), ("organizationId", "NOT_A_TIER")]
    elsewhere = await office.value(
        "SELECT id FROM organization WHERE kind = 'CENTRE' AND area_code <> '371525002' LIMIT 1"
    )
    done = await office.do("mediator", "disputeEscalate", id=case.key, organization_id=elsewhere, **REASON)
    assert done.user_errors == [("organizationId", "OUT_OF_AREA")]
    done = await office.do("mediator", "disputeEscalate", id=case.key, organization_id=uuid4(), **REASON)
    assert done.user_errors == [("organizationId", "NOT_FOUND")]
    # Somebody who escalates nothing learns nothing about the case.
    done = await office.do("housing", "disputeEscalate", id=case.key, organization_id=station, **REASON)
    assert done.user_errors == [("id", "FORBIDDEN")]
    assert not await _escalations(office, case)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_tried_one_tier_owns_it(office: Office, seed: int) -> None:
    """Random steps by random people: most are refused; after each, whether stored or not, exactly one tier owns the case."""
    draw = random.Random(seed)
    case, to = await office.accepted(), await _receivers(office)
    if draw.random() < 0.5:
        await office.execute("UPDATE dispute SET risk_level = 'HIGH' WHERE id = $1", case.key)
    stored = []
    for step in range(16):
        verb = draw.choice(("Escalate", "Escalate", "Take", "Take", "Return"))
        lower, upper = ("mediator", "grid_worker", "squad_member", "justice_office"), ("squad_member", "centre_staff")
        who = draw.choice((lower if verb == "Escalate" else upper) if draw.random() < 0.8 else (*lower, *upper))
        if step == 0:
            verb, who = "Escalate", "mediator"
        values: dict[str, Any] = {"id": case.key}
        if verb == "Escalate":
            values |= {"organization_id": to[draw.choice(("SQUAD", "CENTRE")) if step else "SQUAD"], **REASON}
        elif verb == "Return":
            values |= {"reason": "请继续调解。"}
        before = (await office.dispute(case))["version"]
        done = await office.do(who, f"dispute{verb}", **values)
        assert not done.response.errors
        assert (await office.dispute(case))["version"] == before + done.ok
        if done.ok:
            stored.append(verb)
        await _one_owner(office, case)
    assert len(stored) > 1


async def test_sent_again_by_a_bad_network_it_is_answered_again(office: Office) -> None:
    """A caller who has left by the command still gets the answer that it is stored."""
    case, to = await office.accepted(), await _receivers(office)
    await office.must("mediator", "disputeEscalate", id=case.key, organization_id=to["SQUAD"], **REASON)
    values = {"id": case.key, "reason": "请继续调解。", "happened_at": now(), "idempotency_key": f"return-{case.key}"}
    first = await office.do("squad_member", "disputeReturn", **values)
    again = await office.do("squad_member", "disputeReturn", **values)
    assert first.ok
    assert again.ok
    assert (first.payload["replayed"], again.payload["replayed"]) == (False, True)
    assert len(await office.events(case, "dispute.return")) == 1
