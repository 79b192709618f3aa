"""The third journey: an agreement in instalments, one of them overdue and urged, excused in part, and in the end a rebound."""

import datetime as dt
from typing import Any
from uuid import UUID

from db.calendar import COUNTY_TIME
from tests.journeys.role_views import RoleViews
from tests.journeys.service import one
from tests.office import DAY, Case, Office, key_of, name_of, now

RATE = '{ statistics(period: {from: "%s"}) { resolved reboundRate } }'


async def test_paid_in_instalments_and_come_back(office: Office) -> None:
    """What is owed is watched until it is performed; a rebound is a new dispute, linked to the old one, and counted."""
    started = now() - 100 * DAY
    case = await office.mediating(started)
    await office.talk(case)
    onlookers = RoleViews(office, case)
    agreement = await _agree(office, case, started + 10 * DAY)
    await onlookers.look()
    await _perform(office, case, onlookers, started)
    shown = await office.must(
        "mediator",
        "disputeClose",
        id=case.key,
        happened_at=started + 72 * DAY,
        outcome="分期履行完毕。",
        shown="state closedAt",
    )
    assert shown["state"] == "CLOSED"
    await onlookers.look()
    await _rebound(office, case, started)
    await onlookers.look()
    assert (await office.row("SELECT state FROM agreement WHERE id = $1", agreement))["state"] == "EFFECTIVE"


async def _agree(office: Office, case: Case, agreed: dt.datetime) -> UUID:
    """Two instalments, one of them due before today, and a service to be rendered."""
    instalments = [
        {"due_on": _day(agreed + 20 * DAY), "amount": "600.00"}, {"due_on": _day(agreed + 50 * DAY), "amount": "400.00"},
    ]  # fmt: skip
    terms: list[dict[str, Any]] = [
        {
            "party_id": case.applicant,
            "kind": "PAY",
            "content": "补缴物业费",
            "amount": "1000.00",
            "instalments": instalments,
        },
        {"party_id": case.respondent, "kind": "REPAIR", "content": "修好单元门灯", "due_on": _day(agreed + 5 * DAY)},
    ]
    bad = [{**terms[0], "amount": "1000.01"}]
    refused = await office.do(
        "mediator",
        "agreementDraft",
        dispute_id=case.key,
        form="WRITTEN",
        content="分期。",
        obligations=bad,
        happened_at=agreed,
    )
    assert refused.user_errors == [("obligations.0.instalments", "BAD_SUM")]
    shown = await office.must(
        "mediator", "agreementDraft", dispute_id=case.key, form="WRITTEN", content="分期补缴。", obligations=terms,
        happened_at=agreed, shown="id obligations { amount dueOn state }",
    )  # fmt: skip
    assert len(shown["obligations"]) == 3
    key = key_of(shown["id"])
    for signature in (
        {"kind": "PARTY", "party_id": case.applicant},
        {"kind": "PARTY", "party_id": case.respondent},
        {"kind": "MEDIATOR"},
        {"kind": "SEAL"},
    ):
        shown = await office.sign(key, agreed, "state dispute { state }", **signature)
    assert shown == {"state": "EFFECTIVE", "dispute": {"state": "AGREED"}}
    return key


async def _perform(office: Office, case: Case, onlookers: RoleViews, started: dt.datetime) -> None:
    lamp = await one(office, "obligation", case, "kind = 'REPAIR'")
    first = await one(office, "obligation", case, "amount = 600")
    last = await one(office, "obligation", case, "amount = 400")
    assert await _overdue(office, case) == {lamp, first, last}
    shown = await office.must(
        "mediator", "obligationPerform", id=first, amount="250.00", evidence="收据一", happened_at=started + 25 * DAY,
        shown="state watched overdue dispute { state }",
    )  # fmt: skip
    assert shown == {"state": "PARTLY_PERFORMED", "watched": True, "overdue": True, "dispute": {"state": "PERFORMING"}}
    # Both sides are urged: the one who owes, and the one who must allow the performance.
    for party in (case.applicant, case.respondent):
        await office.must(
            "mediator", "obligationUrge", id=first, party_id=party, method="PHONE", result="答应月底前付清。",
            happened_at=started + 40 * DAY,
        )  # fmt: skip
    await onlookers.look()
    refused = await office.do(
        "mediator", "obligationPerform", id=first, amount="350.01", evidence="收据二", happened_at=started + 45 * DAY
    )
    assert refused.user_errors == [("amount", "TOO_MUCH")]
    await office.must("mediator", "obligationPerform", id=first, evidence="收据二", happened_at=started + 45 * DAY)
    await office.must(
        "mediator", "obligationPerform", id=lamp, both_confirmed="双方到场确认。", happened_at=started + 46 * DAY
    )
    refused = await office.do("mediator", "disputeClose", id=case.key, happened_at=started + 50 * DAY)
    assert not refused.ok
    shown = await office.must(
        "mediator", "obligationRelease", id=last, consent="书面同意", happened_at=started + 60 * DAY,
        party_ids=[case.respondent],
        shown="state dispute { state followUps { id dueOn } }",
    )  # fmt: skip
    assert (shown["state"], shown["dispute"]["state"]) == ("RELEASED", "UNPERFORMED")
    assert await _overdue(office, case) == set()
    (visit,) = shown["dispute"]["followUps"]
    # Dissatisfied: a second visit within a week, and an alert that must be seen to before the end.
    shown = await office.must(
        "mediator", "followUpComplete", id=key_of(visit["id"]), method="PHONE", result="NORMAL", satisfaction=2,
        happened_at=started + 65 * DAY, shown="dispute { followUps { id doneAt } alerts { id rule state } }",
    )  # fmt: skip
    (second,) = (one for one in shown["dispute"]["followUps"] if one["doneAt"] is None)
    (alert,) = (one for one in shown["dispute"]["alerts"] if one["rule"] == "DISSATISFIED")
    refused = await office.do("mediator", "disputeClose", id=case.key, happened_at=started + 66 * DAY)
    assert {code for _, code in refused.user_errors} == {"VISIT_DUE", "ALERT_OPEN"}
    await office.must(
        "mediator", "followUpComplete", id=key_of(second["id"]), method="VISIT", result="NORMAL", satisfaction=4,
        happened_at=started + 70 * DAY,
    )  # fmt: skip
    await office.must("mediator", "alertHandle", id=key_of(alert["id"]), happened_at=started + 70 * DAY)
    await office.must(
        "mediator", "alertClose", id=key_of(alert["id"]), note="再次回访，已满意。", happened_at=started + 71 * DAY
    )
    await onlookers.look()


async def _overdue(office: Office, case: Case) -> set[UUID]:
    query = "query($id: ID!) { node(id: $id) { ... on Dispute { obligations { id overdue } } } }"
    found = (await office.gql.data(name_of("mediator"), query, id=f"Dispute:{case.key}"))["node"]["obligations"]
    return {key_of(one["id"]) for one in found if one["overdue"]}


async def _rebound(office: Office, case: Case, started: dt.datetime) -> None:
    query = RATE % (started + DAY).date().isoformat()
    person = name_of("bureau_admin")
    before = (await office.gql.data(person, query))["statistics"]
    shown = await office.must(
        "mediator", "disputeReopen", id=case.key, reason="门灯又坏，业主再次拒交。", summary="门灯修后又坏。",
        happened_at=started + 90 * DAY,
        shown="id state tier riskLevel caseNumber previous { id } parties { name phone idNumber consent } leadMediator { name }",
    )  # fmt: skip
    assert (shown["state"], shown["tier"], shown["riskLevel"], shown["caseNumber"]) == (
        "REGISTERED",
        "TEAM",
        "MEDIUM",
        None,
    )
    assert shown["previous"] == {"id": f"Dispute:{case.key}"}
    assert shown["leadMediator"] == {"name": name_of("mediator")}
    assert {one["consent"] for one in shown["parties"]} == {None}
    assert {one["name"] for one in shown["parties"]} == {"李龙", "聊城示例物业服务有限公司"}
    again = await office.do("mediator", "disputeReopen", id=case.key, reason="再来一次。")
    assert again.user_errors == [("id", "REOPENED")]
    # The ID number of the copy opens in its own row.
    copied = key_of(shown["id"])
    party = await office.value("SELECT id FROM party WHERE dispute_id = $1 AND side = 'APPLICANT'", copied)
    done = await office.do(
        "mediator",
        "partyReveal",
        id=party,
        fields=["ID_NUMBER"],
        reason="制作文书需要",
        and_show="revealed { field value }",
    )
    assert done.payload is not None
    assert done.payload["revealed"] == [{"field": "idNumber", "value": "371525190001010016"}]
    await RoleViews(office, Case(copied, party, party, started)).look()
    after = (await office.gql.data(person, query))["statistics"]
    assert before["resolved"] == after["resolved"]
    closed = await office.value(
        "SELECT count(*) FROM dispute WHERE closed_at IS NOT NULL AND state IN ('CLOSED', 'ARCHIVED') AND concluded_at >= $1",
        (started + DAY).astimezone(COUNTY_TIME).replace(hour=0, minute=0, second=0, microsecond=0),
    )
    assert (before["reboundRate"] or 0.0) + 1 / closed == round(after["reboundRate"], 4) or closed > 1
    assert after["reboundRate"] > (before["reboundRate"] or 0.0)


def _day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(COUNTY_TIME).date()
