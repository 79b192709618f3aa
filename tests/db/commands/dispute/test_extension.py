"""The term of mediation is prolonged with the consent of both sides, before it expires."""

import datetime as dt

from tests.office import DAY, Office, now


async def test_the_month_is_prolonged_with_the_consent_of_both(office: Office) -> None:
    case = await office.mediating()
    due = (await office.dispute(case))["due_on"]
    both = [case.applicant, case.respondent]
    given = {"id": case.key, "to_on": due + 20 * DAY}
    done = await office.do("mediator", "disputeExtend", **given, party_ids=[case.applicant])
    assert done.user_errors == [("partyIds", "NO_CONSENT")]
    shown = await office.must(
        "mediator", "disputeExtend", shown="dueOn extensions { fromOn toOn consentedOn }", **given, party_ids=both
    )
    assert shown["dueOn"] == (due + 20 * DAY).isoformat()
    assert [(one["fromOn"], one["toOn"]) for one in shown["extensions"]] == [
        (due.isoformat(), (due + 20 * DAY).isoformat())
    ]
    for number in (21, 22):
        await office.must("mediator", "disputeExtend", id=case.key, to_on=due + number * DAY, party_ids=both)
    assert "extend" not in await office.can("mediator", case)
    done = await office.do("mediator", "disputeExtend", id=case.key, to_on=due + 30 * DAY, party_ids=both)
    assert done.user_errors == [("id", "TOO_MANY")]


async def test_no_extension_after_expiry(office: Office) -> None:
    case = await office.mediating(started=now() - 60 * DAY)
    due = (await office.dispute(case))["due_on"]
    both = [case.applicant, case.respondent]
    done = await office.do("mediator", "disputeExtend", id=case.key, to_on=due, party_ids=both)
    assert sorted(done.user_errors) == [("happenedAt", "EXPIRED"), ("toOn", "TOO_EARLY")]
    # Consent given in time may be recorded late.
    in_time = dt.datetime.combine(due, dt.time(9), dt.UTC) - DAY
    await office.must(
        "mediator", "disputeExtend", id=case.key, to_on=due + 10 * DAY, party_ids=both, happened_at=in_time
    )
    assert (await office.dispute(case))["due_on"] == due + 10 * DAY


async def test_consent_lies_between_acceptance_and_decision(office: Office) -> None:
    case = await office.mediating()
    due = (await office.dispute(case))["due_on"]
    both = [case.applicant, case.respondent]
    for consented in (case.started.date() - 2 * DAY, now().date() + 2 * DAY):
        done = await office.do(
            "mediator", "disputeExtend", id=case.key, to_on=due + 200 * DAY, party_ids=both, consented_on=consented
        )
        assert sorted(done.user_errors) == [("consentedOn", "OUT_OF_ORDER"), ("toOn", "TOO_LATE")]
