"""Close, archive, reopen: closed only when done, archived for good, and a rebound is a new dispute beside the old one."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from db.crypto import Cipher
from schema.mutation import COMMAND_OF
from tests.databases import KEY
from tests.office import DAY, HOUR, ID_NUMBERS, Case, Office, key_of, name_of, now


async def _performed(office: Office) -> Case:
    """A case whose agreement is performed, visited a day ago; made past all commands, which have tests of their own."""
    case = await office.mediating()
    agreement, obligation = uuid4(), uuid4()
    day = (case.started + DAY).date()
    await office.execute(
        "INSERT INTO agreement (id, dispute_id, form, scope, state, content, agreed_on, effective_on)"
        " VALUES ($1, $2, 'ORAL', 'FULL', 'EFFECTIVE', '补交物业费', $3, $3)",
        agreement,
        case.key,
        day,
    )
    async with office.gql.connection.transaction():
        await office.execute(
            "INSERT INTO obligation (id, dispute_id, agreement_id, party_id, kind, content, due_on, state, performed_on)"
            " VALUES ($1, $2, $3, $4, 'PAY', '补交物业费', $5, 'PERFORMED', $5)",
            obligation,
            case.key,
            agreement,
            case.applicant,
            day,
        )
        await office.execute(
            "INSERT INTO performance (dispute_id, obligation_id, kind, occurred_on, recorded_at, evidence)"
            " VALUES ($1, $2, 'PERFORM', $3, now(), '收据')",
            case.key,
            obligation,
            day,
        )
    await office.execute(
        "INSERT INTO follow_up (dispute_id, due_on, done_at, method, result, satisfaction)"
        " VALUES ($1, $2, $2, 'PHONE', 'NORMAL', 5)",
        case.key,
        (case.started + 3 * DAY).date(),
    )
    await office.execute(
        "UPDATE dispute SET state = 'PERFORMED', concluded_at = $2, one_hand = false WHERE id = $1",
        case.key,
        case.started + DAY,
    )
    return case


async def _closed(office: Office) -> Case:
    case = await _performed(office)
    await office.must("mediator", "disputeClose", id=case.key, happened_at=case.started + 5 * DAY)
    return case


async def test_closed_when_performed_visited_and_quiet(office: Office) -> None:
    case = await _performed(office)
    assert "close" in await office.can("mediator", case)
    done = await office.do("mediator", "disputeClose", id=case.key, happened_at=case.started + 12 * HOUR)
    assert {code for _, code in done.user_errors} == {"TOO_EARLY"}
    done = await office.do("mediator", "disputeClose", id=case.key, outcome="来电13800000000确认")
    assert done.user_errors == [("outcome", "PERSONAL_DATA")]
    shown = await office.must(
        "mediator",
        "disputeClose",
        shown="state closedAt outcome",
        id=case.key,
        happened_at=case.started + 4 * DAY,
        outcome="物业费已补交，供水正常。",
    )
    assert (shown["state"], shown["outcome"]) == ("CLOSED", "物业费已补交，供水正常。")
    row = await office.dispute(case)
    assert row["closed_at"] == case.started + 4 * DAY
    [event] = await office.events(case, "dispute.close")
    assert (event["from_state"], event["to_state"], event["happened_at"]) == ("PERFORMED", "CLOSED", row["closed_at"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE obligation SET state = 'PENDING', performed_on = NULL WHERE dispute_id = $1", "NOT_PERFORMED"),
        ("UPDATE obligation SET state = 'SUED', performed_on = NULL WHERE dispute_id = $1", "NOT_PERFORMED"),
        ("DELETE FROM follow_up WHERE dispute_id = $1", "NOT_VISITED"),
        ("UPDATE follow_up SET result = 'UNREACHABLE', satisfaction = NULL WHERE dispute_id = $1", "NOT_VISITED"),
        ("UPDATE follow_up SET done_at = done_at - 3 WHERE dispute_id = $1", "NOT_VISITED"),
        ("UPDATE follow_up SET result = 'REBOUNDED' WHERE dispute_id = $1", "REBOUNDED"),
        ("INSERT INTO follow_up (dispute_id, due_on) VALUES ($1, '2099-01-01')", "VISIT_DUE"),
        (
            (
                "INSERT INTO alert (dispute_id, subject, rule, level, message, opened_at)"
                " SELECT id, id::text, 'HIGH_RISK', 'RED', '高风险', now() FROM dispute WHERE id = $1"
            ),
            "ALERT_OPEN",
        ),
    ],
)
async def test_not_closed_before(office: Office, change: str, code: str) -> None:
    """Nor archived once it is closed: what comes up between the two is seen to as well."""
    case, closed = await _performed(office), await _closed(office)
    for at_end, who, verb in ((case, "mediator", "close"), (closed, "justice_office", "archive")):
        await office.execute(change, at_end.key)
        assert verb not in await office.can(who, at_end)
        assert (await office.do(who, f"dispute{verb.title()}", id=at_end.key)).codes == [code]
    assert (await office.dispute(case))["state"] == "PERFORMED"
    assert (await office.dispute(closed))["state"] == "CLOSED"


RATES = "{ statistics { resolved failed withdrawn agreed concluded followedUp performanceRate reboundRate } }"


@pytest.mark.parametrize(
    ("mutation", "given", "result"),
    [
        ("disputeTerminate", {"reason": "FAR_APART", "routes_told": True}, "FAILED"),
        ("disputeWithdraw", {"party_id": "applicant", "reason": "自行和解。"}, "WITHDRAWN"),
        ("disputeRefuse", {"party_id": "respondent", "reason": "不愿调解。"}, "REFUSED"),
    ],
)
async def test_an_archive_does_not_change_the_result(
    office: Office, mutation: str, given: dict[str, Any], result: str
) -> None:
    """Nor any figure: who failed has not resolved anything by being filed."""
    case = await office.mediating()
    parties = {"applicant": case.applicant, "respondent": case.respondent}
    values = {name: parties.get(value, value) if name == "party_id" else value for name, value in given.items()}
    shown = await office.must("mediator", mutation, id=case.key, shown="state result", **values)
    assert shown == {"state": result, "result": result}
    before = await office.gql.data(name_of("bureau_admin"), RATES)
    shown = await office.must("justice_office", "disputeArchive", id=case.key, shown="state result")
    assert shown == {"state": "ARCHIVED", "result": result}
    assert await office.gql.data(name_of("bureau_admin"), RATES) == before
    query = (
        "query($r: [DisputeResult!]) { disputes(filter: {state: [ARCHIVED], result: $r}, first: 50) { nodes { id } } }"
    )
    found = await office.gql.data(name_of("bureau_admin"), query, r=[result])
    assert {"id": f"Dispute:{case.key}"} in found["disputes"]["nodes"]


async def test_what_comes_up_after_the_closing_is_seen_to_before_the_archive(office: Office) -> None:
    """A visit finds the dispute back: another visit is due, the alert is open, and each must be settled."""
    case = await _closed(office)
    shown = await office.must(
        "mediator", "followUpSchedule", dispute_id=case.key, due_on=(now() + DAY).date(), happened_at=now() - 2 * HOUR
    )
    await office.must(
        "mediator", "followUpComplete", id=key_of(shown["id"]), method="PHONE", result="REBOUNDED", satisfaction=1,
        remark="又停水了。", happened_at=now() - HOUR,
    )  # fmt: skip
    done = await office.do("justice_office", "disputeArchive", id=case.key)
    assert done.codes == ["VISIT_DUE", "REBOUNDED", "ALERT_OPEN"]
    second = await office.value("SELECT id FROM follow_up WHERE dispute_id = $1 AND done_at IS NULL", case.key)
    await office.must("mediator", "followUpComplete", id=second, method="VISIT", result="UNREACHABLE")
    done = await office.do("justice_office", "disputeArchive", id=case.key)
    assert done.codes == ["VISIT_DUE", "REBOUNDED", "ALERT_OPEN"]
    third = await office.value("SELECT id FROM follow_up WHERE dispute_id = $1 AND done_at IS NULL", case.key)
    await office.must("mediator", "followUpComplete", id=third, method="VISIT", result="NORMAL", satisfaction=4)
    alert = await office.value("SELECT id FROM alert WHERE dispute_id = $1", case.key)
    await office.must("mediator", "alertClose", id=alert, note="已恢复。")
    await office.must("justice_office", "disputeArchive", id=case.key)


async def test_archived_nothing_changes_any_more(office: Office) -> None:
    case = await _closed(office)
    assert "archive" not in await office.can("mediator", case)
    await office.must("justice_office", "disputeArchive", id=case.key, happened_at=case.started + 6 * DAY)
    row = await office.dispute(case)
    assert (row["state"], row["closed_at"]) == ("ARCHIVED", case.started + 5 * DAY)
    # Every command on a dispute that the people of the case have: refused, or a new dispute.
    for who in ("mediator", "grid_worker", "justice_office", "legal_adviser"):
        assert set(await office.can(who, case)) <= {"reopen"}
    with pytest.raises(asyncpg.CheckViolationError):
        await office.execute("UPDATE dispute SET title = '改' WHERE id = $1", case.key)
    for table in ("party", "escalation", "opinion", "recusal", "referral", "assignment"):
        with pytest.raises(asyncpg.CheckViolationError):
            await office.execute(f"INSERT INTO {table} (dispute_id) VALUES ($1)", case.key)
    assert dict(await office.dispute(case)) == dict(row)


async def test_an_incomplete_file_is_not_archived(office: Office) -> None:
    case = await _closed(office)
    await office.execute("UPDATE dispute SET notified_at = NULL WHERE id = $1", case.key)
    await office.execute("UPDATE party SET side = 'THIRD' WHERE id = $1", case.respondent)
    await office.execute(
        "INSERT INTO escalation (dispute_id, from_tier, to_tier, state, organization_id, reason, handover, sent_at)"
        " VALUES ($1, 'TEAM', 'SQUAD', 'SENT', $2, '略', '略', $3)",
        case.key,
        await office.organization("SQUAD", "371525"),
        case.started + DAY,
    )
    done = await office.do("justice_office", "disputeArchive", id=case.key)
    assert done.codes == ["NO_PARTIES", "NOT_NOTIFIED", "HANDOVER_WAITING"]
    assert "archive" not in await office.can("justice_office", case)


async def test_a_declined_lead_with_one_side_is_archived(office: Office) -> None:
    lead = [{"side": "APPLICANT", "kind": "OWNER", "name": "李龙"}]
    case = await office.register(parties=lead)
    await office.must("mediator", "disputeDecline", id=case.key, reason="OUT_OF_AREA", advice="请向所在地调委会申请。")
    done = await office.do("bureau_admin", "disputeArchive", id=case.key, happened_at=case.started - HOUR)
    assert done.user_errors == [("happenedAt", "TOO_EARLY")]
    archived_at = now()
    await office.must("bureau_admin", "disputeArchive", id=case.key, happened_at=archived_at)
    row = await office.dispute(case)
    assert (row["state"], row["closed_at"]) == ("ARCHIVED", archived_at)


async def _rebound(office: Office, who: str, case: Case, **more: Any) -> Any:
    shown = "id state tier version previous { id } leadMediator { name } parties { side name idNumber consent }"
    return await office.must(who, "disputeReopen", shown=shown, id=case.key, reason="再次停水。", **more)


async def test_a_rebound_is_a_new_dispute(office: Office) -> None:
    case = await _closed(office)
    before = dict(await office.dispute(case))
    shown = await _rebound(office, "mediator", case, summary="同一住户再次被停水。")
    assert (shown["state"], shown["tier"], shown["version"]) == ("REGISTERED", "TEAM", 1)
    assert shown["previous"] == {"id": f"Dispute:{case.key}"}
    assert shown["leadMediator"] == {"name": "郑秀兰"}
    assert shown["parties"] == [
        {"side": "APPLICANT", "name": "李龙", "idNumber": "371525********0016", "consent": None},
        {"side": "RESPONDENT", "name": "聊城示例物业服务有限公司", "idNumber": None, "consent": None},
    ]
    # The old one stays exactly as it was.
    assert dict(await office.dispute(case)) == before
    key = key_of(shown["id"])
    row = await office.row("SELECT * FROM dispute WHERE id = $1", key)
    assert (row["summary"], row["compound_id"], row["case_number"]) == (
        "同一住户再次被停水。",
        before["compound_id"],
        None,
    )
    # The ID number opens in its new row.
    party = await office.row("SELECT * FROM party WHERE dispute_id = $1 AND side = 'APPLICANT'", key)
    assert Cipher(KEY).decrypt(party["id_number_cipher"], row_id=party["id"]) == ID_NUMBERS[0]
    events = await office.rows("SELECT action, to_state FROM event WHERE dispute_id = $1", key)
    assert [tuple(one) for one in events] == [("dispute.reopen", "REGISTERED")]
    # One at a time.
    assert "reopen" not in await office.can("mediator", case)
    assert (await office.do("mediator", "disputeReopen", id=case.key, reason="再次停水。")).codes == ["REOPENED"]
    await office.must("mediator", "disputeAccept", id=key)


async def test_two_at_once_make_one(office: Office) -> None:
    case = await _closed(office)
    given = {"id": case.key, "reason": "再次停水。"}
    people = ("mediator", "justice_office", "mediator", "justice_office")
    # Tokens first, so that only the commands run at once.
    for who in people:
        await office.can(who, case)
    done = await asyncio.gather(*(office.do(who, "disputeReopen", **given) for who in people))
    assert sorted(one.codes for one in done) == [[], ["REOPENED"], ["REOPENED"], ["REOPENED"]]
    assert await office.value("SELECT count(*) FROM dispute WHERE previous_id = $1", case.key) == 1


async def test_an_archived_one_rebounds_too(office: Office) -> None:
    case = await _closed(office)
    await office.must("justice_office", "disputeArchive", id=case.key)
    done = await office.do("justice_office", "disputeReopen", id=case.key, reason=" ", happened_at=case.started + DAY)
    assert done.user_errors == [("happenedAt", "TOO_EARLY"), ("reason", "REQUIRED")]
    shown = await _rebound(office, "justice_office", case)
    assert shown["leadMediator"] == {"name": "郑秀兰"}
    assert (await office.dispute(case))["state"] == "ARCHIVED"


async def test_a_suspended_lead_does_not_lead_again(office: Office) -> None:
    case = await _closed(office)
    person = await office.person("mediator")
    await office.execute("UPDATE person SET state = 'SUSPENDED' WHERE id = $1", person)
    try:
        assert (await _rebound(office, "justice_office", case))["leadMediator"] is None
    finally:
        await office.execute("UPDATE person SET state = 'ACTIVE' WHERE id = $1", person)


async def test_only_from_the_end(office: Office) -> None:
    case = await office.accepted()
    for verb in ("Close", "Archive"):
        done = await office.do("justice_office", f"dispute{verb}", id=case.key)
        assert done.user_errors == [("id", "WRONG_STATE")]
    done = await office.do("justice_office", "disputeReopen", id=case.key, reason="略")
    assert done.user_errors == [("id", "WRONG_STATE")]
    assert {"disputeClose", "disputeArchive", "disputeReopen"} <= set(COMMAND_OF)
