"""Consent and refusal, interim measures, sessions, risk, extension, and the ends without agreement."""

import asyncio
import datetime as dt

import pytest

from db.tables.dispute import RISK_LEVELS
from tests.office import DAY, HOUR, ID_NUMBERS, Case, Office, key_of, name_of, now


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


async def test_nobody_consents_before_he_is_told_his_rights(office: Office) -> None:
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


async def test_a_refusal_ends_mediation(office: Office) -> None:
    case = await office.mediating()
    shown = await office.must(
        "mediator", "disputeRefuse", shown="state concludedAt", id=case.key, party_id=case.respondent, reason="不愿调解"
    )
    assert shown["state"] == "REFUSED"
    assert shown["concludedAt"]
    done = await office.do("mediator", "disputeRecord", id=case.key, place="调解室", result="TO_CONTINUE", record="…")
    assert done.codes == ["WRONG_STATE"]
    assert not {"record", "consent", "extend"} & set(await office.can("mediator", case))


async def test_a_party_may_refuse_before_acceptance(office: Office) -> None:
    case = await office.register()
    await office.must("mediator", "disputeRefuse", id=case.key, party_id=case.respondent, reason="不愿调解")
    assert (await office.dispute(case))["state"] == "REFUSED"


async def test_a_third_party_who_refuses_only_stays_out(office: Office) -> None:
    case = await office.mediating()
    third = await office.must(
        "mediator", "partyAdd", id=case.key, party={"side": "THIRD", "kind": "UTILITY", "name": "示例水务"}
    )
    shown = await office.must(
        "mediator", "disputeRefuse", shown="state", id=case.key, party_id=key_of(third["id"]), reason="与本案无关"
    )
    assert shown == {"state": "MEDIATING"}


async def test_a_reason_carries_no_number_of_a_person(office: Office) -> None:
    case = await office.mediating()
    for reason in (f"证件 {ID_NUMBERS[0]}", "电话13800000000"):
        done = await office.do("mediator", "disputeRefuse", id=case.key, party_id=case.respondent, reason=reason)
        assert done.user_errors == [("reason", "PERSONAL_DATA")]
        assert "138" not in str(done.payload)


# -- ends


async def test_the_applicant_takes_his_application_back(office: Office) -> None:
    case = await office.mediating()
    done = await office.do("mediator", "disputeWithdraw", id=case.key, party_id=case.respondent, reason="已和解")
    assert done.user_errors == [("partyId", "NOT_APPLICANT")]
    shown = await office.must(
        "mediator", "disputeWithdraw", shown="state", id=case.key, party_id=case.applicant, reason="已自行和解"
    )
    assert shown == {"state": "WITHDRAWN"}
    assert (await office.events(case, "dispute.withdraw"))[0]["reason"] == "已自行和解"


async def test_one_of_two_applicants_cannot_end_it_for_both(office: Office) -> None:
    case = await office.mediating()
    await office.must("mediator", "partyAdd", id=case.key, party={"side": "APPLICANT", "kind": "OWNER", "name": "赵某"})
    done = await office.do("mediator", "disputeWithdraw", id=case.key, party_id=case.applicant, reason="已和解")
    assert done.user_errors == [("id", "OTHER_APPLICANTS")]
    assert "withdraw" not in await office.can("mediator", case)


async def test_mediation_fails_only_when_the_routes_are_told(office: Office) -> None:
    case = await office.mediating()
    done = await office.do("mediator", "disputeTerminate", id=case.key, reason="OTHER_END", routes_told=False)
    assert sorted(done.user_errors) == [("explanation", "REQUIRED"), ("routesTold", "ROUTES_NOT_TOLD")]
    done = await office.do("mediator", "disputeTerminate", id=case.key, reason="EXPIRED", routes_told=True)
    assert done.user_errors == [("reason", "NOT_EXPIRED")]
    shown = await office.must(
        "mediator",
        "disputeTerminate",
        shown="state outcome concludedAt",
        id=case.key,
        reason="FAR_APART",
        routes_told=True,
        explanation="对减免比例分歧较大",
    )
    assert shown["state"] == "FAILED"
    assert shown["outcome"] == "分歧较大，难以达成协议：对减免比例分歧较大"
    row = await office.dispute(case)
    assert "仲裁" in row["advice"]
    assert row["concluded_at"] is not None
    assert (await office.events(case, "dispute.terminate"))[0]["reason"] == "FAR_APART"


async def test_an_expired_month_is_a_reason(office: Office) -> None:
    case = await office.mediating(started=now() - 60 * DAY)
    await office.must("mediator", "disputeTerminate", id=case.key, reason="EXPIRED", routes_told=True)


# -- measures


async def test_a_measure_tells_how_long_it_took(office: Office) -> None:
    case = await office.register(sub_category="P02", utility_cut="WATER")
    shown = await office.must(
        "mediator",
        "disputeMeasure",
        shown="state measures { kind hoursToRestore agreedBy }",
        id=case.key,
        kind="WATER",
        happened_at=case.started + HOUR,
        done_at=case.started + 4 * HOUR,
        agreed_by="项目经理",
    )
    assert shown == {
        "state": "REGISTERED",
        "measures": [{"kind": "WATER", "hoursToRestore": 3.0, "agreedBy": "项目经理"}],
    }


async def test_an_open_measure_is_completed_once(office: Office) -> None:
    case = await office.accepted()
    await office.must("grid_worker", "disputeMeasure", id=case.key, kind="POWER", happened_at=case.started + HOUR)
    key = await office.value("SELECT id FROM measure WHERE dispute_id = $1", case.key)
    done = await office.do(
        "grid_worker", "disputeMeasure", id=case.key, measure_id=key, kind="POWER", happened_at=case.started
    )
    assert sorted(done.user_errors) == [("happenedAt", "TOO_EARLY"), ("kind", "NOT_BOTH")]
    again = {"id": case.key, "measure_id": key, "happened_at": case.started + 25 * HOUR}
    await office.must("grid_worker", "disputeMeasure", **again, evidence="现场照片")
    row = await office.row("SELECT * FROM measure WHERE id = $1", key)
    assert (row["hours_to_restore"], row["evidence"]) == (24, "现场照片")
    assert (await office.do("grid_worker", "disputeMeasure", **again)).user_errors == [("measureId", "ALREADY")]


async def test_a_measure_needs_a_kind_and_an_order_of_times(office: Office) -> None:
    case = await office.accepted()
    done = await office.do(
        "mediator",
        "disputeMeasure",
        id=case.key,
        happened_at=case.started + HOUR,
        done_at=case.started,
        evidence=" ",
    )
    assert sorted(done.user_errors) == [("doneAt", "TOO_EARLY"), ("evidence", "REQUIRED"), ("kind", "REQUIRED")]


# -- sessions


async def _invite(office: Office, case: Case, kind: str, sent_at: dt.datetime) -> object:
    organization = await office.organization(kind)
    await office.execute(
        "INSERT INTO referral (dispute_id, dispute_registered_at, organization_id, kind, state, sent_at, reason)"
        " SELECT id, registered_at, $2, 'INVITATION', 'TAKEN', $3, '联动调解' FROM dispute WHERE id = $1",
        case.key,
        organization,
        sent_at,
    )
    return organization


async def test_a_session_keeps_its_notes_within_their_circles(office: Office) -> None:
    case = await office.mediating()
    police = await _invite(office, case, "POLICE_STATION", case.started + 4 * HOUR)
    held = case.started + 5 * HOUR
    await office.must(
        "mediator",
        "disputeRecord",
        id=case.key,
        happened_at=held,
        place="调解室",
        result="TO_CONTINUE",
        record="双方陈述。",
        is_joint=True,
        organization_ids=[police],
        notes=[
            {"visibility": "SHARED", "text": "双方同意再议。"},
            {"visibility": "TEAM", "text": "公司愿意让步。"},
            {"visibility": "CAUCUS", "text": "底线。"},
        ],
    )
    query = "query($id: ID!) { node(id: $id) { ... on Dispute { sessions { result record notes { text } attendances { id } } } } }"
    mine = (await office.gql.data(name_of("mediator"), query, id=f"Dispute:{case.key}"))["node"]["sessions"][0]
    assert {one["text"] for one in mine["notes"]} == {"双方同意再议。", "公司愿意让步。", "底线。"}
    theirs = (await office.gql.data(name_of("police"), query, id=f"Dispute:{case.key}"))["node"]["sessions"][0]
    assert [one["text"] for one in theirs["notes"]] == ["双方同意再议。"]
    supervisor = (await office.gql.data(name_of("justice_office"), query, id=f"Dispute:{case.key}"))["node"]
    assert {one["text"] for one in supervisor["sessions"][0]["notes"]} == {"双方同意再议。", "公司愿意让步。"}
    author = await office.value("SELECT DISTINCT author_id FROM note WHERE dispute_id = $1", case.key)
    assert author == await office.person("mediator")
    assert "底线" not in str([dict(one) for one in await office.events(case)])


async def test_a_session_is_attended_by_invitation_only(office: Office) -> None:
    case = await office.mediating()
    police, court = await _invite(office, case, "POLICE_STATION", now() - HOUR), await office.organization("COURT")
    given = {"id": case.key, "place": "调解室", "result": "NOT_AGREED", "record": "未达成。"}
    done = await office.do(
        "mediator",
        "disputeRecord",
        **given,
        happened_at=now() - 2 * HOUR,
        organization_ids=[court, police, police],
        notes=[{"visibility": "TEAM", "text": " "}],
    )
    assert sorted(done.user_errors) == [
        ("isJoint", "NOT_JOINT"),
        ("notes.0.text", "REQUIRED"),
        ("organizationIds.0", "NOT_INVITED"),
        ("organizationIds.1", "TOO_EARLY"),
        ("organizationIds.2", "DUPLICATE"),
    ]
    assert (await office.do("mediator", "disputeRecord", **given, is_joint=True)).user_errors == [
        ("organizationIds", "REQUIRED")
    ]
    assert await office.value("SELECT count(*) FROM session WHERE dispute_id = $1", case.key) == 0


async def test_no_session_before_mediation_begins(office: Office) -> None:
    accepted, mediating = await office.accepted(), await office.mediating()
    given = {"place": "调解室", "result": "TO_CONTINUE", "record": "…"}
    assert (await office.do("mediator", "disputeRecord", id=accepted.key, **given)).codes == ["WRONG_STATE"]
    early = await office.do("mediator", "disputeRecord", id=mediating.key, happened_at=mediating.started, **given)
    assert early.user_errors == [("happenedAt", "TOO_EARLY")]


# -- risk


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


# -- extension


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
