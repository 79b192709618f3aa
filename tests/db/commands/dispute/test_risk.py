"""Risk: a high one is reported or a reason recorded; a report opens the dispute to that station alone."""

import pytest

from db.tables.dispute import RISK_LEVELS
from tests.office import Office, name_of


async def test_a_high_risk_is_reported_or_it_is_written_why_not(office: Office) -> None:
    case = await office.mediating()
    given = {"id": case.key, "level": "HIGH", "reason": "扬言报复"}
    assert (await office.do("mediator", "disputeAssess", **given)).user_errors == [
        ("reportedToPolice", "REPORT_REQUIRED")
    ]
    assert (await office.do("mediator", "disputeAssess", **given, reported_to_police=True)).user_errors == [
        ("reportReason", "REQUIRED")
    ]
    shown = await office.must(
        "mediator",
        "disputeAssess",
        shown="riskLevel referrals { kind state organization { kind } } alerts { rule state }",
        **given,
        reported_to_police=True,
        report_reason="一方扬言报复，请关注",
    )
    assert shown == {
        "riskLevel": "HIGH",
        "referrals": [{"kind": "RISK_REPORT", "state": "SENT", "organization": {"kind": "POLICE_STATION"}}],
        "alerts": [{"rule": "HIGH_RISK", "state": "OPEN"}],
    }
    # The report is made, so the next assessment stands without another.
    await office.must("mediator", "disputeAssess", **given)
    rows = await office.rows("SELECT * FROM assessment WHERE dispute_id = $1", case.key)
    assert [row["reported"] for row in rows] == [True, True]
    assert await office.value("SELECT count(*) FROM alert WHERE dispute_id = $1", case.key) == 1


async def test_a_written_reason_stands_for_the_report(office: Office) -> None:
    case = await office.mediating()
    await office.must(
        "mediator",
        "disputeAssess",
        id=case.key,
        level="HIGH",
        reason="情绪激动",
        no_report_reason="已当场平复，家属陪同",
    )
    row = await office.row("SELECT * FROM assessment WHERE dispute_id = $1", case.key)
    assert (row["reported"], row["reason"]) == (False, "情绪激动\n不报送派出所的理由：已当场平复，家属陪同")


@pytest.mark.parametrize("level", RISK_LEVELS[:2])
async def test_a_lower_risk_needs_no_report(office: Office, level: str) -> None:
    case = await office.mediating()
    await office.must("mediator", "disputeAssess", id=case.key, level=level, reason="平稳")
    assert (await office.dispute(case))["risk_level"] == level
    assert await office.value("SELECT count(*) FROM alert WHERE dispute_id = $1", case.key) == 0


async def test_assessing_does_not_open_a_dispute_to_the_police(office: Office) -> None:
    case = await office.mediating()
    given = {"id": case.key, "level": "HIGH", "reason": "扬言报复"}
    done = await office.do("grid_worker", "disputeAssess", **given, reported_to_police=True, report_reason="请关注")
    assert done.user_errors == [("reportedToPolice", "FORBIDDEN")]
    assert await office.value("SELECT count(*) FROM referral WHERE dispute_id = $1", case.key) == 0


async def test_a_report_opens_the_dispute_to_that_station(office: Office) -> None:
    case = await office.mediating()
    seen = "query($id: ID!) { node(id: $id) { id } }"
    before = await office.gql.ask(name_of("police"), seen, id=f"Dispute:{case.key}")
    assert before.data == {"node": None}
    court = await office.organization("COURT")
    done = await office.do("mediator", "disputeReport", id=case.key, reason="请关注", police_id=court)
    assert done.user_errors == [("policeId", "NOT_POLICE")]
    await office.must("mediator", "disputeReport", id=case.key, reason="请关注")
    assert (await office.gql.data(name_of("police"), seen, id=f"Dispute:{case.key}"))["node"]
    await office.execute("UPDATE referral SET state = 'TAKEN', answered_at = now() WHERE dispute_id = $1", case.key)
    await office.must("mediator", "disputeReport", id=case.key, reason="再次扬言")
    row = await office.row("SELECT * FROM referral WHERE dispute_id = $1", case.key)
    assert row["state"] == "SENT"
    assert row["reason"].startswith("请关注\n")
    assert row["reason"].endswith("再次报送：再次扬言")
