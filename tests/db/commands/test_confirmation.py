"""Judicial confirmation: applied for jointly within thirty days, decided by that court alone."""

import datetime as dt
from uuid import UUID

from db.calendar import local
from tests.db.commands.agreeing import AGREED, DAY, in_force, pay
from tests.office import Case, Office, key_of


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


async def _recent(office: Office) -> tuple[Case, UUID, list[UUID], dt.datetime]:
    """An agreement of the last days, and when it was made."""
    case = await office.mediating()
    agreed = local(case.started + DAY)
    due = pay(case, due_on=agreed.date() + 30 * DAY)
    return *await in_force(office, due, case=case, agreed=agreed), agreed


async def test_confirmation_is_asked_for_jointly_within_thirty_days(office: Office) -> None:
    """《人民调解法》 Art. 33; 民诉法解释 Art. 355(5). The day of recording counts: an earlier one that is told opens no window again."""
    court = await court_of(office)
    _, old, _ = await in_force(office)
    told = {"court_id": court, "both_apply": True, "ownership_terms": False, "happened_at": AGREED + DAY}
    done = await office.do("mediator", "confirmationApply", agreement_id=old, **told)
    assert done.user_errors == [("happenedAt", "TOO_LATE")]
    case, agreement, _, agreed = await _recent(office)
    last = agreed + 2 * DAY
    values = {"agreement_id": agreement, "court_id": court, "both_apply": True, "ownership_terms": False}
    for given, wrong in (
        ({"happened_at": agreed - DAY}, ("happenedAt", "TOO_EARLY")),
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
    assert (shown["appliedOn"], shown["result"]) == (str(last.date()), None)
    referral = await office.row("SELECT * FROM referral WHERE dispute_id = $1 AND kind = 'CONFIRMATION'", case.key)
    assert (referral["organization_id"], referral["state"]) == (court, "SENT")
    assert (await office.events(case, "confirmation.apply"))[0]["actor_id"] == await office.person("mediator")
    # One application at a time, and no change of what the court has before it.
    again = await office.do("mediator", "confirmationApply", **values, happened_at=last)
    assert ("id", "CONFIRMATION") in again.user_errors
    assert await office.can("mediator", case, "Agreement", agreement) == []


async def test_only_the_court_decides_on_its_own_confirmations(office: Office) -> None:
    case, agreement, _, agreed = await _recent(office)
    applied, year = agreed + DAY, agreed.year
    shown = await office.must(
        "mediator", "confirmationApply", agreement_id=agreement, court_id=await court_of(office), both_apply=True,
        ownership_terms=False, happened_at=applied,
    )  # fmt: skip
    key = key_of(shown["id"])
    values = {
        "id": key,
        "result": "CONFIRMED",
        "case_number": f"（{year}）鲁1525诉前调确12号",
        "happened_at": applied + 2 * DAY,
    }
    for role in ("mediator", "justice_office", "bureau_admin", "police"):
        assert not (await office.do(role, "confirmationDecide", **values)).ok
    for given, wrong in (
        ({"case_number": None}, ("caseNumber", "REQUIRED")),
        ({"case_number": f"({year})鲁1525民特12号"}, ("caseNumber", "BAD_CASE_NUMBER")),
        ({"case_number": f"({year - 2})鲁1525诉前调确12号"}, ("caseNumber", "BAD_CASE_NUMBER")),
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
        "result": "CONFIRMED", "caseNumber": f"({year})鲁1525诉前调确12号", "decidedOn": str((applied + 2 * DAY).date()),
        "agreement": {"state": "EFFECTIVE"},
    }  # fmt: skip
    assert set((await office.do("court", "confirmationDecide", **values)).codes) == {"WRONG_STATE"}
    # What a court has confirmed is not undone between the parties.
    done = await office.do(
        "mediator", "agreementRescind", id=agreement, both_consent=True, reason="反悔", happened_at=applied + 3 * DAY
    )
    assert done.user_errors == [("id", "CONFIRMATION")]


async def test_after_a_rejection_the_agreement_may_be_varied_and_brought_again(office: Office) -> None:
    case, agreement, (first,), agreed = await _recent(office)
    values = {
        "agreement_id": agreement, "court_id": await court_of(office), "both_apply": True, "ownership_terms": False,
    }  # fmt: skip
    shown = await office.must("mediator", "confirmationApply", **values, happened_at=agreed + DAY)
    await office.must(
        "court", "confirmationDecide", id=key_of(shown["id"]), result="REJECTED", happened_at=agreed + 2 * DAY,
        case_number=f"({agreed.year})鲁1525诉前调确13号",
    )  # fmt: skip
    await office.must(
        "mediator", "agreementVary", id=agreement, happened_at=agreed + 3 * DAY, both_consent=True, reason="内容不明确",
        obligations=[{"id": first, "content": "补缴 2023 年度物业费"}],
    )  # fmt: skip
    await office.must("mediator", "confirmationApply", **values, happened_at=agreed + 4 * DAY)
    rows = await office.rows(
        "SELECT state, answered_at FROM referral WHERE dispute_id = $1 AND kind = 'CONFIRMATION'", case.key
    )
    assert [(row["state"], row["answered_at"]) for row in rows] == [("SENT", None)]
