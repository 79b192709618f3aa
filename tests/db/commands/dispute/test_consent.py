"""Consent: mediation begins with the last one, after notification; and who mediates at which tier."""

import asyncio

import pytest

from tests.office import HOUR, Case, Office


async def _agree_to_mediate(office: Office, case: Case, party: object, **given: object) -> object:
    return await office.do(
        "mediator",
        "disputeConsent",
        shown="state",
        id=case.key,
        party_id=party,
        happened_at=case.started + 3 * HOUR,
        **given,
    )


# -- consent and refusal


async def test_mediation_begins_with_the_last_consent(office: Office) -> None:
    case = await office.accepted()
    assert (await _agree_to_mediate(office, case, case.applicant)).shown == {"state": "ACCEPTED"}
    assert (await _agree_to_mediate(office, case, case.respondent)).shown == {"state": "MEDIATING"}
    first, second = await office.events(case, "dispute.consent")
    assert (first["from_state"], first["to_state"]) == (None, None)
    assert (second["from_state"], second["to_state"]) == ("ACCEPTED", "MEDIATING")
    assert (await office.dispute(case))["version"] == 5


async def test_two_consents_at_once_still_begin_mediation(office: Office) -> None:
    case = await office.accepted()
    done = await asyncio.gather(*(_agree_to_mediate(office, case, one) for one in (case.applicant, case.respondent)))
    assert all(one.ok for one in done)
    assert (await office.dispute(case))["state"] == "MEDIATING"


async def test_nobody_consents_before_the_parties_are_notified(office: Office) -> None:
    case = await office.register()
    await office.must("mediator", "disputeAccept", id=case.key, happened_at=case.started + HOUR)
    done = await _agree_to_mediate(office, case, case.applicant)
    assert done.user_errors == [("id", "NOT_NOTIFIED")]
    assert "consent" not in await office.can("mediator", case)


async def test_one_side_alone_is_not_mediated_with(office: Office) -> None:
    case = await office.accepted(parties=[{"side": "APPLICANT", "kind": "OWNER", "name": "李龙"}] * 2)
    for row in await office.rows("SELECT id FROM party WHERE dispute_id = $1", case.key):
        assert (await _agree_to_mediate(office, case, row["id"])).ok
    assert (await office.dispute(case))["state"] == "ACCEPTED"


async def test_all_user_errors_of_a_consent_come_at_once(office: Office) -> None:
    case, other = await office.accepted(), await office.accepted()
    done = await office.do(
        "mediator", "disputeConsent", id=case.key, party_id=other.applicant, happened_at=case.started + HOUR
    )
    assert done.user_errors == [("happenedAt", "TOO_EARLY"), ("partyId", "NOT_FOUND")]
    assert not await office.events(case, "dispute.consent")


# -- ends


# -- measures


# -- sessions


# -- risk


# -- extension


# -- who


@pytest.mark.parametrize(("tier", "role"), [("SQUAD", "squad_member"), ("CENTRE", "centre_staff")])
async def test_the_tier_that_owns_it_mediates(office: Office, tier: str, role: str) -> None:
    case = await office.accepted()
    wanted = {"consent", "refuse", "measure", "assess", "report", "extend", "terminate", "withdraw", "add"}
    assert not wanted & set(await office.can(role, case))
    await office.at_tier(case, tier)
    assert wanted <= set(await office.can(role, case))
    for party in (case.applicant, case.respondent):
        await office.must(role, "disputeConsent", id=case.key, party_id=party)
    assert "record" in await office.can(role, case)
    await office.must(role, "disputeRecord", id=case.key, place="中心", result="TO_CONTINUE", record="…")


@pytest.mark.parametrize("role", ["legal_adviser", "law_leader", "police", "court", "housing", "analyst", "auditor"])
async def test_others_do_not(office: Office, role: str) -> None:
    case = await office.mediating()
    for mutation, given in (
        ("disputeRefuse", {"party_id": case.applicant, "reason": "不愿"}),
        ("disputeRecord", {"place": "室", "result": "AGREED", "record": "…"}),
        ("disputeTerminate", {"reason": "FAR_APART", "routes_told": True}),
    ):
        done = await office.do(role, mutation, id=case.key, **given)
        assert done.codes in (["NOT_FOUND"], ["FORBIDDEN"])
    assert (await office.dispute(case))["version"] == 5
