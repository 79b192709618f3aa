"""Judicial confirmation: applied for jointly within thirty days, decided by that court alone."""

import datetime as dt
from uuid import UUID

from db.calendar import COUNTY_TIME
from tests.db.commands.agreeing import (
    AGREED,
    CONFIRM_BY_ON,
    DAY,
    in_force,
)
from tests.office import HOUR, Office, key_of


async def court_of(office: Office) -> UUID:
    """The court that the principal speaks for."""
    return UUID(
        str(
            await office.value(
                "SELECT organization_id FROM appointment WHERE role = 'court' AND person_id = $1",
                await office.person("court"),
            )
        )
    )


async def test_confirmation_is_asked_for_jointly_within_thirty_days(office: Office) -> None:
    """人民调解法 Art. 33; 民诉法解释 Art. 355(5): from 2024-02-20 until 2024-03-21."""
    case, agreement, _ = await in_force(office)
    court = await court_of(office)
    values = {"agreement_id": agreement, "court_id": court, "both_apply": True, "ownership_terms": False}
    last = dt.datetime(2024, 3, 21, 23, 59, tzinfo=COUNTY_TIME)
    for given, wrong in (
        ({"happened_at": last + HOUR}, ("happenedAt", "TOO_LATE")),
        ({"happened_at": AGREED - DAY}, ("happenedAt", "TOO_EARLY")),
        ({"both_apply": False}, ("bothApply", "NOT_JOINT")),
        ({"ownership_terms": True}, ("ownershipTerms", "OWNERSHIP")),
        ({"court_id": await office.organization("POLICE_STATION")}, ("courtId", "NOT_A_COURT")),
    ):
        done = await office.do("mediator", "confirmationApply", **{**values, "happened_at": last, **given})
        assert done.user_errors == [wrong]
    assert not (await office.do("court", "confirmationApply", **values, happened_at=last)).ok
    shown = await office.must(
        "mediator", "confirmationApply", **values, happened_at=last, shown="id appliedOn result court { id }"
    )
    assert (shown["appliedOn"], shown["result"]) == (str(CONFIRM_BY_ON), None)
    referral = await office.row("SELECT * FROM referral WHERE dispute_id = $1 AND kind = 'CONFIRMATION'", case.key)
    assert (referral["organization_id"], referral["state"]) == (court, "SENT")
    assert (await office.events(case, "confirmation.apply"))[0]["actor_id"] == await office.person("mediator")
    # One application at a time, and no change of what the court has before it.
    again = await office.do("mediator", "confirmationApply", **values, happened_at=last)
    assert ("id", "CONFIRMATION") in again.user_errors
    assert await office.can("mediator", case, "Agreement", agreement) == []


async def test_only_the_court_decides_on_its_own_confirmations(office: Office) -> None:
    case, agreement, _ = await in_force(office)
    applied = AGREED + DAY
    shown = await office.must(
        "mediator", "confirmationApply", agreement_id=agreement, court_id=await court_of(office), both_apply=True,
        ownership_terms=False, happened_at=applied,
    )  # fmt: skip
    key = key_of(shown["id"])
    values = {
        "id": key,
        "result": "CONFIRMED",
        "case_number": "（2024）鲁1525诉前调确12号",
        "happened_at": applied + 9 * DAY,
    }
    for role in ("mediator", "justice_office", "bureau_admin", "police"):
        assert not (await office.do(role, "confirmationDecide", **values)).ok
    for given, wrong in (
        ({"case_number": None}, ("caseNumber", "REQUIRED")),
        ({"case_number": "(2024)鲁1525民特12号"}, ("caseNumber", "BAD_CASE_NUMBER")),
        ({"case_number": "(2022)鲁1525诉前调确12号"}, ("caseNumber", "BAD_CASE_NUMBER")),
        ({"happened_at": applied - DAY}, ("happenedAt", "TOO_EARLY")),
    ):
        wrongly = {name: value for name, value in {**values, **given}.items() if value is not None}
        done = await office.do("court", "confirmationDecide", **wrongly)
        assert wrong in done.user_errors
    assert await office.can("court", case, "Confirmation", key) == ["decide"]
    decided = await office.must(
        "court", "confirmationDecide", **values, shown="result caseNumber decidedOn agreement { state }"
    )
    assert decided == {
        "result": "CONFIRMED", "caseNumber": "(2024)鲁1525诉前调确12号", "decidedOn": "2024-03-01",
        "agreement": {"state": "EFFECTIVE"},
    }  # fmt: skip
    assert set((await office.do("court", "confirmationDecide", **values)).codes) == {"WRONG_STATE"}
    # What a court has confirmed is not undone between the parties.
    done = await office.do(
        "mediator", "agreementRescind", id=agreement, both_consent=True, reason="反悔", happened_at=applied + 10 * DAY
    )
    assert done.user_errors == [("id", "CONFIRMATION")]


async def test_after_a_rejection_the_agreement_may_be_varied_and_brought_again(office: Office) -> None:
    case, agreement, (first,) = await in_force(office)
    values = {
        "agreement_id": agreement, "court_id": await court_of(office), "both_apply": True, "ownership_terms": False,
    }  # fmt: skip
    shown = await office.must("mediator", "confirmationApply", **values, happened_at=AGREED + DAY)
    await office.must(
        "court", "confirmationDecide", id=key_of(shown["id"]), result="REJECTED", happened_at=AGREED + 5 * DAY,
        case_number="(2024)鲁1525诉前调确13号",
    )  # fmt: skip
    await office.must(
        "mediator", "agreementVary", id=agreement, happened_at=AGREED + 6 * DAY, both_consent=True, reason="内容不明确",
        obligations=[{"id": first, "content": "补缴 2023 年度物业费"}],
    )  # fmt: skip
    await office.must("mediator", "confirmationApply", **values, happened_at=AGREED + 7 * DAY)
    rows = await office.rows(
        "SELECT state, answered_at FROM referral WHERE dispute_id = $1 AND kind = 'CONFIRMATION'", case.key
    )
    assert [(row["state"], row["answered_at"]) for row in rows] == [("SENT", None)]
