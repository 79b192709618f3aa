"""Performance: on evidence or the word of both, in part and in instalments, excused, urged; the dispute moves with it."""

import asyncio
import datetime as dt
from decimal import Decimal

import asyncpg
import pytest

from db.calendar import COUNTY_TIME
from tests.db.commands.agreeing import AGREED, AGREED_ON, DAY, drafted, in_force, owed, pay
from tests.office import HOUR, Case, Office

PAID = AGREED + 2 * HOUR


async def state_of(office: Office, case: Case) -> str:
    return str((await office.dispute(case))["state"])


async def test_performed_on_the_day_of_the_agreement(office: Office) -> None:
    """The seed case: signed and paid on 2024-02-20; a visit becomes due fifteen days later."""
    case, _, (first,) = await in_force(office)
    shown = await office.must(
        "mediator", "obligationPerform", id=first, happened_at=PAID, evidence="收款收据第2024022001号",
        shown="state performedOn watched performances { kind occurredOn amount evidence }",
    )  # fmt: skip
    assert shown == {
        "state": "PERFORMED", "performedOn": str(AGREED_ON), "watched": False,
        "performances": [
            {"kind": "PERFORM", "occurredOn": str(AGREED_ON), "amount": "1860.00", "evidence": "收款收据第2024022001号"}
        ],
    }  # fmt: skip
    assert await state_of(office, case) == "PERFORMED"
    rows = await office.rows("SELECT due_on, done_at FROM follow_up WHERE dispute_id = $1", case.key)
    assert [(row["due_on"], row["done_at"]) for row in rows] == [(dt.date(2024, 3, 6), None)]
    event = (await office.events(case, "obligation.perform"))[0]
    assert (event["from_state"], event["to_state"]) == ("AGREED", "PERFORMED")
    done = await office.do("mediator", "obligationPerform", id=first, happened_at=PAID, evidence="收据")
    assert set(done.codes) == {"WRONG_STATE"}


async def test_performance_needs_evidence_or_the_word_of_both(office: Office) -> None:
    case, _, (first,) = await in_force(office)
    assert (await office.do("mediator", "obligationPerform", id=first, happened_at=PAID)).user_errors == [
        ("evidence", "NO_PROOF")
    ]
    blank = await office.do("mediator", "obligationPerform", id=first, happened_at=PAID, evidence=" ")
    assert blank.user_errors == [("evidence", "REQUIRED")]
    assert await state_of(office, case) == "AGREED"
    with pytest.raises(asyncpg.CheckViolationError, match="needs a performance with evidence"):
        await office.execute("UPDATE obligation SET state = 'PERFORMED', performed_on = due_on WHERE id = $1", first)
    await office.must("mediator", "obligationPerform", id=first, happened_at=PAID, both_confirmed="双方当面确认")
    assert await state_of(office, case) == "PERFORMED"


async def test_performed_in_part_until_nothing_is_owed(office: Office) -> None:
    case, _, (first,) = await in_force(office)
    values = {"id": first, "evidence": "转账回单"}
    for given, wrong in (
        ({"amount": "1860.01"}, ("amount", "TOO_MUCH")),
        ({"amount": "-1"}, ("amount", "NEGATIVE")),
        ({"amount": "0"}, ("amount", "TOO_SMALL")),
        ({"partly": True}, ("partly", "NOT_APPLICABLE")),
        ({"happened_at": AGREED - DAY}, ("happenedAt", "TOO_EARLY")),
    ):
        done = await office.do("mediator", "obligationPerform", **{**values, "happened_at": PAID, **given})
        assert done.user_errors == [wrong]
    for day, amount, state, dispute in (
        (1, "1000.50", "PARTLY_PERFORMED", "PERFORMING"),
        (2, "800.00", "PARTLY_PERFORMED", "PERFORMING"),
        (3, None, "PERFORMED", "PERFORMED"),
    ):
        given = {} if amount is None else {"amount": amount}
        shown = await office.must(
            "mediator", "obligationPerform", **values, **given, happened_at=PAID + day * DAY, shown="state watched"
        )
        assert shown == {"state": state, "watched": state != "PERFORMED"}
        assert await state_of(office, case) == dispute
    rows = await office.rows(
        "SELECT kind, amount FROM performance WHERE obligation_id = $1 ORDER BY occurred_on", first
    )
    assert [(row["kind"], row["amount"]) for row in rows] == [
        ("PARTLY_PERFORM", Decimal("1000.50")),
        ("PARTLY_PERFORM", Decimal("800.00")),
        ("PERFORM", Decimal("59.50")),
    ]
    assert await office.value("SELECT due_on FROM follow_up WHERE dispute_id = $1", case.key) == dt.date(2024, 3, 9)


async def test_an_obligation_without_money_may_be_performed_in_part(office: Office) -> None:
    case = await office.mediating(AGREED - 50 * DAY)
    repair = {"party_id": case.respondent, "kind": "REPAIR", "content": "修复门灯两盏", "due_on": dt.date(2024, 3, 5)}
    _, _, (first,) = await in_force(office, repair, case=case)
    done = await office.do("mediator", "obligationPerform", id=first, happened_at=PAID, amount="1", evidence="照片")
    assert done.user_errors == [("amount", "NOT_APPLICABLE")]
    for partly, state in ((True, "PARTLY_PERFORMED"), (False, "PERFORMED")):
        shown = await office.must(
            "mediator", "obligationPerform", id=first, happened_at=PAID, partly=partly, evidence="照片", shown="state"
        )
        assert shown == {"state": state}
    assert await state_of(office, case) == "PERFORMED"


async def test_the_last_of_the_instalments_performs_the_dispute(office: Office) -> None:
    case = await office.mediating(AGREED - 50 * DAY)
    instalments = [{"due_on": AGREED_ON + n * 30 * DAY, "amount": "620.00"} for n in (1, 2, 3)]
    term = pay(case, instalments=instalments)
    del term["due_on"]
    _, _, obligations = await in_force(office, term, case=case)
    assert len(obligations) == 3
    for number, one in enumerate(obligations, 1):
        await office.must("mediator", "obligationPerform", id=one, happened_at=PAID + number * DAY, evidence="收据")
        assert await state_of(office, case) == ("PERFORMED" if number == 3 else "PERFORMING")


async def test_a_good_reason_excuses(office: Office) -> None:
    """若干规定 Art. 37."""
    case = await office.mediating(AGREED - 50 * DAY)
    repair = {"party_id": case.respondent, "kind": "REPAIR", "content": "修复门灯", "due_on": dt.date(2024, 3, 5)}
    _, agreement, (paying, repairing) = await in_force(office, pay(case), repair, case=case)
    given = {"happened_at": PAID, "ground": "IMPOSSIBLE_IN_FACT", "evidence": "供电公司回函"}
    blank = await office.do("mediator", "obligationExcuse", id=repairing, reason=" ", **{**given, "evidence": ""})
    assert blank.user_errors == [("reason", "REQUIRED"), ("evidence", "REQUIRED")]
    money = await office.do("mediator", "obligationExcuse", id=paying, reason="业主不愿履行", **given)
    assert money.user_errors == [("ground", "NOT_APPLICABLE")]
    shown = await office.must(
        "mediator", "obligationExcuse", id=repairing, reason="门灯已由供电公司修复", **given,
        shown="state performedOn performances { kind }",
    )  # fmt: skip
    assert shown == {"state": "EXCUSED", "performedOn": None, "performances": [{"kind": "EXCUSE"}]}
    assert await state_of(office, case) == "PERFORMING"
    await office.must("mediator", "obligationPerform", id=paying, happened_at=PAID, evidence="收据")
    # What is excused is not performed.
    assert await state_of(office, case) == "UNPERFORMED"
    for one in await owed(office, agreement):
        assert await office.can("mediator", case, "Obligation", one) == []


async def test_both_sides_are_urged(office: Office) -> None:
    """人民调解法 Art. 31: how, and what came of it."""
    case, _, (first,) = await in_force(office)
    other = await office.register(started=AGREED - 50 * DAY)
    at = AGREED + DAY
    values = {"id": first, "happened_at": at, "method": "PHONE"}
    done = await office.do("mediator", "obligationUrge", **values, party_id=other.applicant, result=" ")
    assert sorted(done.user_errors) == [("partyId", "NOT_FOUND"), ("result", "REQUIRED")]
    await office.must("mediator", "obligationUrge", **values, party_id=case.applicant, result="答应本周付清")
    shown = await office.must(
        "mediator", "obligationUrge", **values, party_id=case.respondent, result="答应开具收据",
        shown="state performances { kind method result party { side } }",
    )  # fmt: skip
    assert shown["state"] == "PENDING"
    urged = sorted(shown["performances"], key=lambda one: one["party"]["side"])
    assert urged == [
        {"kind": "URGE", "method": "PHONE", "result": "答应本周付清", "party": {"side": "APPLICANT"}},
        {"kind": "URGE", "method": "PHONE", "result": "答应开具收据", "party": {"side": "RESPONDENT"}},
    ]
    assert await state_of(office, case) == "AGREED"


async def test_what_is_owed_is_watched_and_a_draft_owes_nothing(office: Office) -> None:
    """S19: pending obligations of agreements in force."""
    _, draft = await drafted(office)
    _, _, (first,) = await in_force(office)
    (dead,) = await owed(office, draft)
    assert set((await office.do("mediator", "obligationPerform", id=dead, happened_at=PAID, evidence="收据")).codes) == {
        "WRONG_STATE", "NOT_EFFECTIVE",
    }  # fmt: skip
    query = "{ on: obligations(first: 200, filter: {watch: true}) { nodes { id overdue state } } }"
    nodes = {one["id"]: one for one in (await office.gql.data("郑秀兰", query))["on"]["nodes"]}
    assert nodes[f"Obligation:{first}"] == {"id": f"Obligation:{first}", "overdue": True, "state": "PENDING"}
    assert f"Obligation:{dead}" not in nodes
    await office.must("mediator", "obligationPerform", id=first, happened_at=PAID, evidence="收据")
    nodes = {one["id"]: one for one in (await office.gql.data("郑秀兰", query))["on"]["nodes"]}
    assert f"Obligation:{first}" not in nodes


async def test_reminders_three_days_before_on_and_after_the_due_day(office: Office) -> None:
    """S20: what is owed is on today's list at D-3, D and D+1, and on no other day."""
    _, _, (first,) = await in_force(office)
    query = "{ obligations(first: 200, filter: {remindToday: true}) { nodes { id remindToday } } }"
    today = dt.datetime.now(COUNTY_TIME).date()
    for days in (4, 3, 2, 1, 0, -1, -2):
        await office.execute("UPDATE obligation SET due_on = $2 WHERE id = $1", first, today + days * DAY)
        listed = [one["id"] for one in (await office.gql.data("郑秀兰", query))["obligations"]["nodes"]]
        assert (f"Obligation:{first}" in listed) is (days in (3, 0, -1)), days
    await office.must("mediator", "obligationPerform", id=first, happened_at=PAID, evidence="收据")
    assert (await office.gql.data("郑秀兰", query))["obligations"]["nodes"] == []


async def test_who_may_register_performance(office: Office) -> None:
    case, _, (first,) = await in_force(office)
    values = {"id": first, "happened_at": PAID, "evidence": "收据"}
    for role in ("grid_worker", "law_leader", "legal_adviser", "justice_office", "court", "bureau_admin", "police"):
        assert not (await office.do(role, "obligationPerform", **values)).ok
        assert await office.can(role, case, "Obligation", first) == []
    assert sorted(await office.can("mediator", case, "Obligation", first)) == ["excuse", "perform", "release", "urge"]
    await office.at_tier(case, "CENTRE")
    assert await office.can("squad_member", case, "Obligation", first) == []
    await office.must("centre_staff", "obligationPerform", **values)


async def test_one_performance_of_two_at_once(office: Office) -> None:
    """The obligation is locked: the second finds it performed."""
    case, _, (first,) = await in_force(office)
    values = {"id": first, "happened_at": dt.datetime(2024, 2, 21, 9, tzinfo=COUNTY_TIME), "evidence": "收据"}
    both = await asyncio.gather(*(office.do("mediator", "obligationPerform", **values) for _ in range(2)))
    assert sorted(one.ok for one in both) == [False, True]
    assert await office.value("SELECT count(*) FROM performance WHERE obligation_id = $1", first) == 1
    assert await office.value("SELECT count(*) FROM follow_up WHERE dispute_id = $1", case.key) == 1
