"""Agreements: what takes effect when, what may be agreed, varied and undone, and what goes to the court. Dates of the seed case."""

import datetime as dt
from uuid import UUID

import asyncpg
import pytest

from db.calendar import COUNTY_TIME
from tests.db.commands.agreeing import (
    AGREED,
    AGREED_ON,
    CONFIRM_BY_ON,
    DAY,
    STARTED,
    drafted,
    in_force,
    owed,
    pay,
    sign_all,
)
from tests.office import HOUR, Case, Office, key_of

HOLDERS_ONLY = ("grid_worker", "law_leader", "legal_adviser", "justice_office", "court", "bureau_admin", "housing")


async def state_of(office: Office, case: Case) -> str:
    return str((await office.dispute(case))["state"])


async def test_a_written_agreement_takes_effect_with_the_last_signature(office: Office) -> None:
    """人民调解法 Art. 29, Art. 33: 2024-02-20 gives 2024-03-21."""
    case, agreement = await drafted(office)
    assert await office.value("SELECT copies FROM agreement WHERE id = $1", agreement) == 3
    assert await office.value("SELECT state FROM obligation WHERE agreement_id = $1", agreement) == "DRAFT"
    signers = [
        {"kind": "SEAL"},
        {"kind": "PARTY", "party_id": case.respondent},
        {"kind": "MEDIATOR"},
        {"kind": "PARTY", "party_id": case.applicant},
    ]
    for number, signer in enumerate(signers, 1):
        assert await state_of(office, case) == "MEDIATING"
        shown = await office.sign(
            agreement, AGREED + number * HOUR, "state effectiveOn confirmByOn signatures { kind signedOn }", **signer
        )
        assert len(shown["signatures"]) == number
        assert shown["state"] == ("EFFECTIVE" if number == 4 else "DRAFT")
    assert (shown["effectiveOn"], shown["confirmByOn"]) == (str(AGREED_ON), str(CONFIRM_BY_ON))
    row = await office.dispute(case)
    assert row["state"] == "AGREED"
    assert row["concluded_at"] == AGREED + 4 * HOUR
    assert (row["concluded_at"].astimezone(COUNTY_TIME).date() - STARTED.date()).days == 55
    assert await office.value("SELECT state FROM obligation WHERE agreement_id = $1", agreement) == "PENDING"
    last = (await office.events(case, "agreement.sign"))[-1]
    assert (last["from_state"], last["to_state"]) == ("MEDIATING", "AGREED")


async def test_effect_is_the_day_of_the_latest_signature_in_whatever_order_they_are_recorded(office: Office) -> None:
    case, agreement = await drafted(office)
    later = AGREED + 2 * DAY
    await office.sign(agreement, later, kind="SEAL")
    shown = await sign_all(office, case, agreement, sealed=True)
    assert shown == {"state": "EFFECTIVE", "effectiveOn": "2024-02-22", "confirmByOn": "2024-03-25"}
    assert (await office.dispute(case))["concluded_at"].astimezone(COUNTY_TIME).date() == dt.date(2024, 2, 22)


async def test_signing_again_changes_nothing(office: Office) -> None:
    case, agreement = await drafted(office)
    versions = []
    for day in range(3):
        await office.must(
            "mediator", "agreementSign", id=agreement, kind="PARTY", party_id=case.applicant,
            happened_at=AGREED + day * DAY,
        )  # fmt: skip
        versions.append((await office.dispute(case))["version"])
    assert len(set(versions)) == 1
    rows = await office.rows("SELECT signed_on FROM signature WHERE agreement_id = $1", agreement)
    assert [row["signed_on"] for row in rows] == [AGREED_ON]


async def test_who_signs_must_be_named_and_belong_to_the_dispute(office: Office) -> None:
    case, agreement = await drafted(office)
    other, _ = await drafted(office)
    stranger = await office.person("court")
    for given, wrong in (
        ({"kind": "PARTY"}, ("partyId", "REQUIRED")),
        ({"kind": "PARTY", "party_id": other.applicant}, ("partyId", "NOT_FOUND")),
        ({"kind": "SEAL", "party_id": case.applicant}, ("partyId", "NOT_APPLICABLE")),
        ({"kind": "MEDIATOR", "person_id": stranger}, ("personId", "NOT_ASSIGNED")),
        ({"kind": "SEAL", "happened_at": AGREED - DAY}, ("happenedAt", "TOO_EARLY")),
    ):
        done = await office.do("mediator", "agreementSign", id=agreement, **{"happened_at": AGREED, **given})
        assert done.user_errors == [wrong]
    assert await office.value("SELECT count(*) FROM signature WHERE agreement_id = $1", agreement) == 0


async def test_the_database_too_keeps_an_unsigned_agreement_from_effect(office: Office) -> None:
    _, agreement = await drafted(office)
    with pytest.raises(asyncpg.CheckViolationError, match="takes effect when"):
        await office.execute(
            "UPDATE agreement SET state = 'EFFECTIVE', effective_on = agreed_on WHERE id = $1", agreement
        )


async def test_a_party_that_has_withdrawn_signs_nothing(office: Office) -> None:
    case = await office.mediating(STARTED)
    third = await office.value(
        "INSERT INTO party (dispute_id, side, kind, name, is_natural_person, consent, consent_on,"
        " withdrawn_on) VALUES ($1, 'RESPONDENT', 'OWNER', '赵某', true, 'CONSENTED', '2023-12-28', '2024-01-05') RETURNING id",
        case.key,
    )
    _, agreement = await drafted(office, case=case)
    done = await office.do(
        "mediator", "agreementSign", id=agreement, kind="PARTY", party_id=UUID(str(third)), happened_at=AGREED
    )
    assert done.user_errors == [("partyId", "NOT_FOUND")]
    assert (await sign_all(office, case, agreement))["state"] == "EFFECTIVE"


async def test_an_oral_agreement_takes_effect_when_reached(office: Office) -> None:
    """Arts. 28, 30."""
    case, agreement = await drafted(office, form="ORAL")
    row = await office.row("SELECT * FROM agreement WHERE id = $1", agreement)
    assert (row["state"], row["effective_on"], row["confirm_by_on"]) == ("EFFECTIVE", AGREED_ON, CONFIRM_BY_ON)
    assert row["copies"] is None
    assert (await office.dispute(case))["concluded_at"] == AGREED
    assert await state_of(office, case) == "AGREED"
    event = (await office.events(case, "agreement.draft"))[0]
    assert (event["from_state"], event["to_state"]) == ("MEDIATING", "AGREED")
    done = await office.do("mediator", "agreementSign", id=agreement, kind="SEAL", happened_at=AGREED)
    assert set(done.codes) == {"WRONG_STATE"}


async def test_an_agreement_that_asks_nothing_more_is_performed(office: Office) -> None:
    case = await office.mediating(STARTED)
    await office.talk(case)
    await office.must(
        "mediator",
        "agreementDraft",
        dispute_id=case.key,
        happened_at=AGREED,
        form="ORAL",
        content="误会消除，双方和好。",
    )
    assert await state_of(office, case) == "PERFORMED"
    assert await office.value("SELECT due_on FROM follow_up WHERE dispute_id = $1", case.key) == dt.date(2024, 3, 6)


async def test_instalments_become_obligations(office: Office) -> None:
    case = await office.mediating(STARTED)
    instalments = [
        {"due_on": dt.date(2024, 3, 1), "amount": "800.00"},
        {"due_on": dt.date(2024, 4, 1), "amount": "1060.00"},
    ]
    term = pay(case, instalments=instalments, place="物业服务中心", manner="转账")
    del term["due_on"]
    _, agreement = await drafted(office, term, case=case)
    rows = await office.rows(
        "SELECT content, amount, due_on, place, manner FROM obligation WHERE agreement_id = $1 ORDER BY due_on",
        agreement,
    )
    assert [(str(row["amount"]), row["due_on"]) for row in rows] == [
        ("800.00", dt.date(2024, 3, 1)),
        ("1060.00", dt.date(2024, 4, 1)),
    ]
    assert rows[0]["content"] == "补缴物业费（第1期，共2期）"
    assert {(row["place"], row["manner"]) for row in rows} == {("物业服务中心", "转账")}


async def test_every_user_error_of_a_draft_is_reported_at_once(office: Office) -> None:
    case = await office.mediating(STARTED)
    await office.talk(case)
    other = await office.register(started=STARTED)
    day = dt.date(2024, 3, 1)
    terms = [
        pay(case, party_id=other.applicant),
        {"party_id": case.respondent, "kind": "REFUND", "content": " ", "due_on": AGREED_ON - DAY},
        pay(case, "-1.00"),
        pay(case, due_on=day, instalments=[{"due_on": day, "amount": "800"}, {"due_on": day, "amount": "1000"}]),
    ]
    done = await office.do(
        "mediator",
        "agreementDraft",
        dispute_id=case.key,
        happened_at=AGREED,
        form="WRITTEN",
        content="",
        obligations=terms,
    )
    assert sorted(done.user_errors) == [
        ("content", "REQUIRED"),
        ("obligations.0.partyId", "NOT_FOUND"),
        ("obligations.1.amount", "REQUIRED"),
        ("obligations.1.content", "REQUIRED"),
        ("obligations.1.dueOn", "OUT_OF_ORDER"),
        ("obligations.2.amount", "NEGATIVE"),
        ("obligations.3.instalments", "BAD_SUM"),
        ("obligations.3.instalments.1.dueOn", "OUT_OF_ORDER"),
    ]
    assert await office.value("SELECT count(*) FROM agreement WHERE dispute_id = $1", case.key) == 0
    done = await office.do(
        "mediator", "agreementDraft", dispute_id=case.key, happened_at=AGREED, form="WRITTEN", content="一致",
        obligations=[pay(case, "1.005")],
    )  # fmt: skip
    assert done.response.errors
    early = await office.do(
        "mediator", "agreementDraft", dispute_id=case.key, happened_at=STARTED, form="ORAL", content="一致"
    )
    assert early.user_errors == [("happenedAt", "TOO_EARLY")]
    future = await office.do(
        "mediator", "agreementDraft", dispute_id=case.key, happened_at=dt.datetime(2099, 1, 1, tzinfo=COUNTY_TIME),
        form="ORAL", content="一致",
    )  # fmt: skip
    assert future.user_errors == [("happenedAt", "IN_FUTURE")]


async def test_nothing_is_agreed_without_consent(office: Office) -> None:
    """Arts. 3, 17."""
    case = await office.accepted(STARTED)
    values = {"dispute_id": case.key, "happened_at": AGREED, "form": "ORAL", "content": "一致"}
    done = await office.do("mediator", "agreementDraft", **values)
    assert done.user_errors
    assert "agree" not in await office.can("mediator", case)
    for party in (case.applicant, case.respondent):
        await office.must("mediator", "disputeConsent", id=case.key, party_id=party, happened_at=STARTED + 3 * HOUR)
    await office.talk(case)
    assert "agree" in await office.can("mediator", case)


async def test_only_who_holds_the_case_agrees(office: Office) -> None:
    case, agreement = await drafted(office)
    values = {"dispute_id": case.key, "happened_at": AGREED, "form": "ORAL", "content": "一致"}
    for role in HOLDERS_ONLY:
        assert not (await office.do(role, "agreementDraft", **values)).ok
        if role != "justice_office":
            assert not (await office.do(role, "agreementSign", id=agreement, kind="SEAL", happened_at=AGREED)).ok
    for tier, role, others in (("SQUAD", "squad_member", "centre_staff"), ("CENTRE", "centre_staff", "squad_member")):
        await office.at_tier(case, tier)
        assert "agree" in await office.can(role, case)
        assert "sign" in await office.can(role, case, "Agreement", agreement)
        assert "sign" not in await office.can(others, case, "Agreement", agreement)
    await office.must("centre_staff", "agreementSign", id=agreement, kind="SEAL", happened_at=AGREED)
    done = await office.do("centre_staff", "agreementSign", id=agreement, kind="MEDIATOR", happened_at=AGREED)
    assert done.user_errors == [("personId", "NOT_ASSIGNED")]
    mediator = await office.person("mediator")
    await office.must(
        "centre_staff", "agreementSign", id=agreement, kind="MEDIATOR", person_id=mediator, happened_at=AGREED
    )


async def test_what_access_can_says_of_an_agreement_is_what_happens(office: Office) -> None:
    case, agreement = await drafted(office)
    assert await office.can("mediator", case, "Agreement", agreement) == ["sign"]
    assert not (await office.do("mediator", "agreementRescind", id=agreement, both_consent=True, reason="变")).ok
    await sign_all(office, case, agreement)
    assert sorted(await office.can("mediator", case, "Agreement", agreement)) == ["apply", "rescind", "sue", "vary"]
    assert await office.can("grid_worker", case, "Agreement", agreement) == []


async def test_an_agreement_is_varied_with_the_consent_of_both(office: Office) -> None:
    """若干规定 Art. 37."""
    case, agreement, (first,) = await in_force(office)
    at = AGREED + 5 * DAY
    change = {"id": first, "due_on": dt.date(2024, 3, 15), "amount": "1500.00"}
    done = await office.do(
        "mediator",
        "agreementVary",
        id=agreement,
        happened_at=at,
        both_consent=False,
        reason="失业",
        obligations=[change],
    )
    assert done.user_errors == [("bothConsent", "NO_CONSENT")]
    shown = await office.must(
        "mediator", "agreementVary", id=agreement, happened_at=at, both_consent=True, reason="失业",
        content="改为一次付清 1500 元。", obligations=[change],
        shown="state content effectiveOn confirmByOn obligations { dueOn amount state }",
    )  # fmt: skip
    assert shown == {
        "state": "VARIED", "content": "改为一次付清 1500 元。", "effectiveOn": str(AGREED_ON),
        "confirmByOn": str(CONFIRM_BY_ON),
        "obligations": [{"dueOn": "2024-03-15", "amount": "1500.00", "state": "PENDING"}],
    }  # fmt: skip
    assert await state_of(office, case) == "AGREED"
    await office.must("mediator", "obligationPerform", id=first, happened_at=at, amount="500", evidence="收据1")
    for change, wrong in (
        ({"id": first, "amount": "500.00"}, ("obligations.0.amount", "TOO_SMALL")),
        ({"id": first, "due_on": dt.date(2024, 2, 21)}, ("obligations.0.dueOn", "OUT_OF_ORDER")),
        ({"id": first}, ("obligations.0", "NOTHING_CHANGED")),
        ({"id": agreement, "due_on": dt.date(2024, 4, 1)}, ("obligations.0.id", "NOT_FOUND")),
    ):
        done = await office.do(
            "mediator",
            "agreementVary",
            id=agreement,
            happened_at=at,
            both_consent=True,
            reason="再变",
            obligations=[change],
        )
        assert done.user_errors == [wrong]


async def test_a_rescinded_agreement_is_mediated_again(office: Office) -> None:
    """若干规定 Arts. 33, 37. The month ends on 2024-04-04, in the holidays of 清明, and so on the 7th, a make-up day."""
    case, agreement, _ = await in_force(office)
    at = dt.datetime(2024, 3, 4, 9, tzinfo=COUNTY_TIME)
    values = {"id": agreement, "happened_at": at, "reason": "房屋已出售"}
    done = await office.do("mediator", "agreementRescind", **values, both_consent=False)
    assert done.user_errors == [("bothConsent", "NO_CONSENT")]
    shown = await office.must(
        "mediator", "agreementRescind", **values, both_consent=True, shown="state obligations { state }"
    )
    assert shown == {"state": "RESCINDED", "obligations": [{"state": "RESCINDED"}]}
    row = await office.dispute(case)
    assert (row["state"], row["concluded_at"], row["due_on"]) == ("MEDIATING", None, dt.date(2024, 4, 7))
    assert await office.can("mediator", case, "Agreement", agreement) == []
    values = {
        "dispute_id": case.key, "form": "WRITTEN", "content": "再次达成一致。",
        "obligations": [pay(case, "1200.00", dt.date(2024, 4, 1))],
    }  # fmt: skip
    early = await office.do("mediator", "agreementDraft", **values, happened_at=AGREED)
    assert early.user_errors == [("happenedAt", "TOO_EARLY")]
    again = await office.must("mediator", "agreementDraft", **values, happened_at=at + HOUR)
    await sign_all(office, case, key_of(again["id"]), at + DAY)
    assert await state_of(office, case) == "AGREED"


# -- court confirmation


async def test_the_events_of_an_agreement_belong_to_its_dispute_and_hold_no_text(office: Office) -> None:
    case, agreement, _ = await in_force(office)
    events = await office.events(case)
    named = [event["action"] for event in events if event["action"].startswith("agreement.")]
    assert named == ["agreement.draft"] + ["agreement.sign"] * 4
    assert all("双方达成一致" not in str(event["changes"]) for event in events)
    assert await owed(office, agreement)
