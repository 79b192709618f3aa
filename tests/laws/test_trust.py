"""Law: a record can be trusted: nothing is told before what it rests on, what is told late shows, and no case is of one hand alone."""

from typing import Any
from uuid import UUID

import pytest

from db.calendar import local
from db.county.people import PRINCIPALS
from tests.office import DAY, HOUR, Office, now

ENDS: dict[str, dict[str, Any]] = {
    "disputeTerminate": {"reason": "FAR_APART", "routes_told": True},
    "disputeRefuse": {"reason": "不愿再谈。"},
    "disputeWithdraw": {"reason": "不愿再谈。"},
    "agreementDraft": {"form": "ORAL", "content": "两清。"},
}


@pytest.mark.parametrize("mutation", ENDS)
async def test_nothing_ends_before_the_last_session(office: Office, mutation: str) -> None:
    """Nor comes of it."""
    case = await office.mediating()
    held = now() - HOUR
    await office.must(
        "mediator",
        "disputeRecord",
        id=case.key,
        place="调解室",
        result="TO_CONTINUE",
        record="再谈。",
        happened_at=held,
    )
    given: dict[str, Any] = {"id": case.key, **ENDS[mutation]}
    if mutation == "agreementDraft":
        given["dispute_id"] = given.pop("id")
    elif mutation != "disputeTerminate":
        given["party_id"] = case.applicant
    done = await office.do("mediator", mutation, **given, happened_at=held - HOUR)
    assert done.user_errors == [("happenedAt", "TOO_EARLY")]
    assert (await office.do("mediator", mutation, **given)).ok


async def test_what_is_told_late_says_why_and_shows(office: Office) -> None:
    """An old case can be brought in, and nobody can overlook it: in its timeline, on the dispute, in a list of its own."""
    started = now() - 300 * DAY
    case = await office.register(started=started)
    shown = await office.must(
        "mediator",
        "disputeAccept",
        shown="caseNumber lateDays timeline { action lateDays }",
        id=case.key,
        happened_at=started + HOUR,
    )
    assert shown["caseNumber"].startswith(f"({local(now()).year})")
    assert shown["lateDays"] == 300
    assert {one["action"]: one["lateDays"] for one in shown["timeline"]} == {
        "dispute.register": 300,
        "dispute.accept": 299,
    }
    query = "query($n: Int!) { disputes(filter: {lateDaysMin: $n}) { nodes { id } } }"
    assert [f"Dispute:{case.key}"] == [
        one["id"] for one in (await office.gql.data(PRINCIPALS["justice_office"], query, n=300))["disputes"]["nodes"]
    ]
    [event] = await office.events(case, "dispute.accept")
    assert (event["late_days"], event["late_reason"]) == (299, "补录旧案")
    done = await office.do(
        "mediator", "disputeNotify", id=case.key, happened_at=started + 2 * HOUR, late_reason="13800001234 要求补录"
    )
    assert done.user_errors == [("lateReason", "PERSONAL_DATA")]


# -- whose hand


async def test_one_hand_alone_neither_seals_nor_closes(office: Office) -> None:
    """Who registered, accepted, mediated and signed alone needs another; nothing is agreed that was not talked about."""
    written, oral = await office.mediating(), await office.mediating()
    terms = {"form": "ORAL", "content": "两清。"}
    done = await office.do("mediator", "agreementDraft", dispute_id=oral.key, **terms)
    assert done.user_errors == [("id", "NO_SESSION")]
    assert "agree" not in await office.can("mediator", oral)
    for case in (written, oral):
        await office.talk(case)
    # Oral: nobody seals, so somebody else closes.
    await office.must("mediator", "agreementDraft", dispute_id=oral.key, **terms)
    visit = await office.value("SELECT id FROM follow_up WHERE dispute_id = $1", oral.key)
    await office.must("mediator", "followUpComplete", id=visit, method="PHONE", result="NORMAL", satisfaction=5)
    done = await office.do("mediator", "disputeClose", id=oral.key)
    assert done.user_errors == [("id", "SECOND_HAND")]
    assert "close" not in await office.can("mediator", oral)
    assert "close" in await office.can("justice_office", oral)
    query = "query($one: Boolean!) { disputes(filter: {oneHand: $one}, first: 100) { nodes { id oneHand } } }"
    listed = (await office.gql.data(PRINCIPALS["justice_office"], query, one=True))["disputes"]["nodes"]
    assert f"Dispute:{oral.key}" in {one["id"] for one in listed}
    assert all(one["oneHand"] for one in listed)
    await office.must("justice_office", "disputeClose", id=oral.key)
    # Written: another hand seals.
    shown = await office.must("mediator", "agreementDraft", dispute_id=written.key, form="WRITTEN", content="两清。")
    agreement = UUID(shown["id"].partition(":")[2])
    done = await office.do("mediator", "agreementSign", id=agreement, kind="SEAL")
    assert done.user_errors == [("kind", "SECOND_HAND")]
    await office.must("justice_office", "agreementSign", id=agreement, kind="SEAL")
    assert not await office.value("SELECT one_hand FROM dispute WHERE id = $1", written.key)
