"""The golden journey: the case that the model is known for, over HTTP, each step by the role whose step it is, dated as it happened.

At every step each role with a token sees exactly the rows and cells that the policy's text gives it (onlooker.py).
"""

import datetime as dt
from typing import Any

from tests.journeys.role_views import RoleViews
from tests.journeys.service import at, one
from tests.office import Case, Office, key_of, name_of, now

FIRST, AGREED = "2023-12-27", "2024-02-20"
NOTES = {
    "SHARED": "物业公司同意先为水卡充值，李某同意坐下来谈。",
    "TEAM": "单元门灯确已损坏两个月，建议先修门灯再谈欠费。",
    "CAUCUS": "李某私下表示只要门灯修好，愿意一次付清。",
}
TERMS = "一、业主补缴物业费1860元，于签约当日付清；二、今后不以停止充值等方式催交费用。"
# The other journeys of the same county come later.
STATISTICS = '{ statistics(period: {from: "2023-01-01", to: "2024-04-30"}) { resolved followedUp followUpRate } }'
CLOCKS = "query($id: ID!) { dispute(id: $id) { clocks { name dueOn state } } }"


async def test_the_case_of_the_article(office: Office) -> None:
    """From the refused water card to the archive."""
    before = (await office.gql.data("罗明远", STATISTICS))["statistics"]
    case = await office.register(
        started=at(FIRST, "09:10"), title="拒绝水卡充值纠纷", sub_category="P02", utility_cut="WATER", amount_claimed="1860.00",
    )  # fmt: skip
    onlookers = RoleViews(office, case)
    seen = await onlookers.look()
    # Registered by the mediator, who thereby leads; the others see what their place gives them.
    assert {role for role, dispute in seen.items() if dispute} == {
        "grid_worker", "legal_adviser", "law_leader", "mediator", "centre_staff", "justice_office", "bureau_admin", "analyst",
    }  # fmt: skip
    alert = await one(office, "alert", case)
    shown = (await office.gql.data("郑秀兰", _ALERT, id=f"Alert:{alert}"))["node"]
    assert (shown["rule"], shown["state"]) == ("UTILITY_CUTOFF", "OPEN")
    assert "九百四十四" in shown["legalBasis"]

    await _intake(office, case, onlookers)
    await _mediation(office, case, onlookers)
    await _agreement(office, case, onlookers)
    await _performance(office, case, onlookers, alert)
    await _archive(office, case, onlookers)

    after = (await office.gql.data("罗明远", STATISTICS))["statistics"]
    assert (before["resolved"], after["resolved"]) == (117, 118)
    assert (after["followedUp"], after["followUpRate"]) == (118, 1.0)
    assert onlookers.cells > 10_000


_ALERT = "query($id: ID!) { node(id: $id) { ... on Alert { rule state legalBasis } } }"


async def _intake(office: Office, case: Case, onlookers: RoleViews) -> None:
    shown = await office.must(
        "mediator", "disputeAccept", id=case.key, happened_at=at(FIRST, "09:30"), shown="caseNumber dueOn state"
    )
    assert shown["state"] == "ACCEPTED"
    # Brought in afterwards, with the reason for it: the number is one of the year in which it is allotted.
    assert shown["caseNumber"].startswith(f"({now().year})崇文人调字第")
    assert shown["dueOn"] == "2024-01-29"
    await onlookers.look()
    await office.must("mediator", "disputeNotify", id=case.key, happened_at=at(FIRST, "09:45"))
    # Water first: the grid worker goes there, the mediator records when it flows again.
    await office.must("grid_worker", "disputeMeasure", id=case.key, kind="WATER", happened_at=at(FIRST, "10:00"))
    measure = await one(office, "measure", case)
    await onlookers.look()
    shown = await office.must(
        "mediator", "disputeMeasure", id=case.key, measure_id=measure, happened_at=at(FIRST, "15:30"), agreed_by="物业公司",
        shown="measures { kind hoursToRestore }",
    )  # fmt: skip
    assert shown["measures"] == [{"kind": "WATER", "hoursToRestore": 5.5}]
    housing = await office.organization("HOUSING_DEPARTMENT")
    await office.must(
        "mediator", "disputeRefer", id=case.key, kind="LEAD", organization_id=housing, reason="以停水催交物业费",
        happened_at=at(FIRST, "16:00"),
    )  # fmt: skip
    seen = await onlookers.look()
    assert seen["housing"]["summary"] is None
    lead = await one(office, "referral", case)
    await office.must(
        "housing", "referralAnswer", id=lead, answer="DONE", reply="已约谈物业公司。", happened_at=at("2023-12-29")
    )
    await onlookers.look()
    for party, state in ((case.applicant, "ACCEPTED"), (case.respondent, "MEDIATING")):
        shown = await office.must(
            "mediator", "disputeConsent", id=case.key, party_id=party, happened_at=at(FIRST, "17:00"), shown="state"
        )
        assert shown["state"] == state
        await onlookers.look()


async def _mediation(office: Office, case: Case, onlookers: RoleViews) -> None:
    await office.must(
        "grid_worker", "visitRecord", dispute_id=case.key, kind="HOME_VISIT", note="门灯已坏两个月。", happened_at=at("2024-01-04"),
        factor={"kind": "DISSATISFACTION", "severity": "MEDIUM", "suggestion": "先修门灯。"},
    )  # fmt: skip
    await office.must(
        "legal_adviser", "disputeOpine", id=case.key, text="不得以停水催交物业费。", happened_at=at("2024-01-05")
    )
    await onlookers.look()
    await office.must(
        "mediator", "disputeRecord", id=case.key, place="崇文街道调解室", result="TO_CONTINUE", record="双方各执一词。",
        happened_at=at("2024-01-11", "15:00"), notes=[{"visibility": who, "text": text} for who, text in NOTES.items()],
    )  # fmt: skip
    await onlookers.look()
    for role, read in {
        "mediator": {"SHARED", "TEAM", "CAUCUS"}, "legal_adviser": {"SHARED"}, "justice_office": {"SHARED", "TEAM"},
        "bureau_admin": {"SHARED", "TEAM"}, "grid_worker": set(), "analyst": set(), "police": set(), "auditor": set(),
    }.items():  # fmt: skip
        assert await _notes(office, role, case) == {NOTES[one] for one in read}, role
    shown = await office.must(
        "mediator", "disputeExtend", id=case.key, to_on=dt.date(2024, 2, 29), party_ids=[case.applicant, case.respondent],
        happened_at=at("2024-01-26"), shown="dueOn extensions { fromOn toOn consentedOn }",
    )  # fmt: skip
    assert shown == {
        "dueOn": "2024-02-29",
        "extensions": [{"fromOn": "2024-01-29", "toOn": "2024-02-29", "consentedOn": "2024-01-26"}],
    }
    await office.must(
        "mediator", "disputeRecord", id=case.key, place="崇文街道调解室", result="AGREED", record="双方达成一致。",
        happened_at=at(AGREED, "09:30"),
    )  # fmt: skip
    await onlookers.look()


async def _notes(office: Office, role: str, case: Case) -> set[str]:
    query = "query($id: ID!) { nodes(ids: [$id]) { ... on Dispute { notes { text } } } }"
    (found,) = (await office.gql.data(name_of(role), query, id=f"Dispute:{case.key}"))["nodes"]
    return {one["text"] for one in found["notes"]} if found else set()


async def _agreement(office: Office, case: Case, onlookers: RoleViews) -> None:
    pay = {
        "party_id": case.applicant, "kind": "PAY", "content": "补缴物业费", "amount": "1860.00", "due_on": dt.date(2024, 2, 20),
        "place": "物业服务中心", "manner": "转账",
    }  # fmt: skip
    shown = await office.must(
        "mediator", "agreementDraft", dispute_id=case.key, form="WRITTEN", content=TERMS, obligations=[pay],
        happened_at=at(AGREED, "10:00"), shown="id state obligations { state }",
    )  # fmt: skip
    assert (shown["state"], shown["obligations"]) == ("DRAFT", [{"state": "DRAFT"}])
    agreement = key_of(shown["id"])
    await onlookers.look()
    signatures: list[dict[str, Any]] = [
        {"kind": "PARTY", "party_id": case.applicant}, {"kind": "PARTY", "party_id": case.respondent}, {"kind": "MEDIATOR"},
        {"kind": "SEAL"},
    ]  # fmt: skip
    for number, signature in enumerate(signatures):
        # The seal is of another hand: the justice office records it.
        shown = await office.sign(
            agreement,
            at(AGREED, "10:40"),
            "state effectiveOn confirmByOn signatures { kind } dispute { state }",
            **signature,
        )
        assert shown["state"] == ("EFFECTIVE" if number == 3 else "DRAFT")
        assert shown["dispute"]["state"] == ("AGREED" if number == 3 else "MEDIATING")
    assert (shown["effectiveOn"], shown["confirmByOn"]) == (AGREED, "2024-03-21")
    clocks = (await office.gql.data(name_of("mediator"), CLOCKS, id=f"Dispute:{case.key}"))["dispute"]["clocks"]
    due = {one["name"]: one["dueOn"] for one in clocks}
    assert (due["MEDIATION_MONTH"], due["CONFIRMATION"]) == ("2024-02-29", "2024-03-21")
    seen = await onlookers.look()
    accepted = (await office.dispute(case))["accepted_at"].date()
    assert (dt.date.fromisoformat(shown["effectiveOn"]) - accepted).days == 55
    assert seen["analyst"]["amountClaimed"] is None
    assert await _terms(office, "justice_office", case) == {TERMS}
    assert await _terms(office, "grid_worker", case) == await _terms(office, "analyst", case) == {None}


async def _terms(office: Office, role: str, case: Case) -> set[str | None]:
    query = "query($id: ID!) { node(id: $id) { ... on Dispute { agreements { content } } } }"
    found = await office.gql.data(name_of(role), query, id=f"Dispute:{case.key}")
    return {one["content"] for one in found["node"]["agreements"]}


async def _performance(office: Office, case: Case, onlookers: RoleViews, alert: Any) -> None:
    obligation = await one(office, "obligation", case)
    shown = await office.must(
        "mediator", "obligationPerform", id=obligation, evidence="收款收据第2024022001号", happened_at=at(AGREED, "11:20"),
        shown="state performedOn watched dispute { state followUps { id dueOn doneAt } }",
    )  # fmt: skip
    assert (shown["state"], shown["performedOn"], shown["watched"]) == ("PERFORMED", AGREED, False)
    assert shown["dispute"]["state"] == "PERFORMED"
    (due,) = shown["dispute"]["followUps"]
    assert (due["dueOn"], due["doneAt"]) == ("2024-03-06", None)
    await onlookers.look()
    refused = await office.do("mediator", "disputeClose", id=case.key, happened_at=at("2024-02-27"))
    assert {code for _, code in refused.user_errors} == {"NOT_VISITED", "VISIT_DUE", "ALERT_OPEN"}
    shown = await office.must(
        "mediator", "followUpComplete", id=key_of(due["id"]), method="VISIT", result="NORMAL", satisfaction=5,
        happened_at=at("2024-02-26"), shown="doneAt satisfaction",
    )  # fmt: skip
    assert shown == {"doneAt": "2024-02-26", "satisfaction": 5}
    await onlookers.look()
    refused = await office.do("mediator", "disputeClose", id=case.key, happened_at=at("2024-02-27"))
    assert refused.user_errors == [("id", "ALERT_OPEN")]
    refused = await office.do("mediator", "alertClose", id=alert, note="  ", happened_at=at("2024-02-26", "16:00"))
    assert refused.user_errors == [("note", "REQUIRED")]
    shown = await office.must(
        "mediator",
        "alertClose",
        id=alert,
        note="当日恢复供水。",
        happened_at=at("2024-02-26", "16:00"),
        shown="state note",
    )
    assert shown == {"state": "CLOSED", "note": "当日恢复供水。"}
    shown = await office.must("mediator", "disputeClose", id=case.key, happened_at=at("2024-02-27"), shown="state")
    assert shown["state"] == "CLOSED"
    await onlookers.look()


async def _archive(office: Office, case: Case, onlookers: RoleViews) -> None:
    shown = await office.must(
        "justice_office", "disputeArchive", id=case.key, happened_at=at("2024-03-01"), shown="state access { can }"
    )
    assert shown["state"] == "ARCHIVED"
    assert set(shown["access"]["can"]) <= {"reopen"}
    await onlookers.look()
    row, events = await office.dispute(case), await office.events(case)
    obligation, agreement = await one(office, "obligation", case), await one(office, "agreement", case)
    visit, referral, alert = [await one(office, name, case) for name in ("follow_up", "referral", "alert")]
    housing = await office.organization("HOUSING_DEPARTMENT")
    attempts: dict[str, dict[str, Any]] = {
        "disputeNotify": {"id": case.key}, "disputeConsent": {"id": case.key, "party_id": case.applicant},
        "disputeMeasure": {"id": case.key, "kind": "WATER"}, "disputeClose": {"id": case.key},
        "disputeAssess": {"id": case.key, "level": "LOW", "reason": "平稳"},
        "partyUpdate": {"id": case.applicant, "name": "某人"}, "obligationPerform": {"id": obligation, "evidence": "收据"},
        "agreementSign": {"id": agreement, "kind": "SEAL"},
        "agreementRescind": {"id": agreement, "both_consent": True, "reason": "反悔"},
        "followUpComplete": {"id": visit, "method": "PHONE", "result": "NORMAL", "satisfaction": 5},
        "alertClose": {"id": alert, "note": "再关一次"}, "alertHandle": {"id": alert},
        "disputeRefer": {"id": case.key, "kind": "LEAD", "organization_id": housing, "reason": "线索"},
        "visitRecord": {"dispute_id": case.key, "kind": "HOME_VISIT", "note": "走访"},
        "followUpSchedule": {"dispute_id": case.key, "due_on": dt.date(2030, 1, 1)},
    }  # fmt: skip
    for mutation, given in attempts.items():
        done = await office.do("mediator", mutation, **given)
        assert not done.ok, mutation
        assert not done.response.errors, (mutation, done.response.errors)
    for person in ("grid_worker", "justice_office", "bureau_admin"):
        done = await office.do(person, "disputeAssess", id=case.key, level="LOW", reason="平稳")
        assert not done.ok
    done = await office.do("housing", "referralAnswer", id=referral, answer="RETURNED", reply="再答")
    assert not done.ok
    assert await office.dispute(case) == row
    assert await office.events(case) == events
