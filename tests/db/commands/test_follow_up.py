"""Visits after an agreement: scheduled, made, dissatisfied, and what they find."""

import datetime as dt

from db.calendar import COUNTY_TIME
from tests.db.commands.agreeing import AGREED, AGREED_ON, DAY, drafted, in_force
from tests.office import HOUR, Case, Office, key_of

VISITED = dt.datetime(2024, 2, 26, 15, tzinfo=COUNTY_TIME)


async def performed(office: Office) -> tuple[Case, object]:
    """A case that is performed, and the visit that this made due."""
    case, _, (first,) = await in_force(office)
    await office.must("mediator", "obligationPerform", id=first, happened_at=AGREED + 2 * HOUR, evidence="收据")
    return case, await office.value("SELECT id FROM follow_up WHERE dispute_id = $1", case.key)


async def test_the_visit_of_the_seed_case(office: Office) -> None:
    """Performed, visited with satisfaction 5: nothing stands in the way of closing."""
    case, visit = await performed(office)
    assert "close" not in await office.can("mediator", case)
    assert await office.can("mediator", case, "FollowUp", visit) == ["complete"]
    shown = await office.must(
        "mediator", "followUpComplete", id=visit, happened_at=VISITED, method="PHONE", result="NORMAL", satisfaction=5,
        shown="dueOn doneAt method result satisfaction visitor { name }",
    )  # fmt: skip
    assert shown == {
        "dueOn": "2024-03-06", "doneAt": "2024-02-26", "method": "PHONE", "result": "NORMAL", "satisfaction": 5,
        "visitor": {"name": "郑秀兰"},
    }  # fmt: skip
    assert "close" in await office.can("mediator", case)
    assert await office.can("mediator", case, "FollowUp", visit) == []
    again = await office.do(
        "mediator", "followUpComplete", id=visit, happened_at=VISITED, method="PHONE", result="NORMAL", satisfaction=1
    )
    assert again.user_errors == [("id", "WRONG_STATE")]


async def test_dissatisfaction_opens_an_alert_and_brings_a_second_visit(office: Office) -> None:
    case, visit = await performed(office)
    await office.must(
        "mediator", "followUpComplete", id=visit, happened_at=VISITED, method="VISIT", result="REBOUND_SIGNS",
        satisfaction=2, remark="一方反映门灯又坏了。",
    )  # fmt: skip
    alert = await office.row("SELECT * FROM alert WHERE dispute_id = $1", case.key)
    assert (alert["rule"], alert["state"], alert["due_on"]) == ("DISSATISFIED", "OPEN", dt.date(2024, 3, 4))
    waiting = await office.rows("SELECT id, due_on FROM follow_up WHERE dispute_id = $1 AND done_at IS NULL", case.key)
    assert [row["due_on"] for row in waiting] == [dt.date(2024, 3, 4)]
    assert "close" not in await office.can("mediator", case)
    await office.must(
        "mediator", "followUpComplete", id=waiting[0]["id"], happened_at=VISITED + 5 * DAY, method="VISIT",
        result="NORMAL", satisfaction=3,
    )  # fmt: skip
    assert await office.value("SELECT count(*) FROM alert WHERE dispute_id = $1", case.key) == 1
    assert await office.value("SELECT count(*) FROM follow_up WHERE dispute_id = $1", case.key) == 2


async def test_the_limit_of_dissatisfaction_is_data(office: Office) -> None:
    case, visit = await performed(office)
    await office.execute("UPDATE alert_rule SET parameters = '{\"satisfaction\": 3}' WHERE rule = 'DISSATISFIED'")
    try:
        await office.must(
            "mediator",
            "followUpComplete",
            id=visit,
            happened_at=VISITED,
            method="PHONE",
            result="NORMAL",
            satisfaction=3,
        )
    finally:
        await office.execute("UPDATE alert_rule SET parameters = '{\"satisfaction\": 2}' WHERE rule = 'DISSATISFIED'")
    assert await office.value("SELECT rule FROM alert WHERE dispute_id = $1", case.key) == "DISSATISFIED"


async def test_factors_are_written_down_and_a_grave_one_is_an_alert(office: Office) -> None:
    """S22: what may stand in the way of performance."""
    case, _, _ = await in_force(office)
    shown = await office.must(
        "mediator", "followUpSchedule", dispute_id=case.key, happened_at=AGREED + DAY, due_on=AGREED_ON + 2 * DAY
    )
    await office.must(
        "mediator", "followUpComplete", id=key_of(shown["id"]), happened_at=VISITED, method="VISIT",
        result="NOT_PERFORMED", satisfaction=4,
        factors=[
            {"kind": "UNEMPLOYMENT", "severity": "HIGH", "suggestion": "改为分期"},
            {"kind": "ILLNESS", "severity": "LOW", "suggestion": "择日再访"},
        ],
    )  # fmt: skip
    rows = await office.rows("SELECT * FROM factor WHERE dispute_id = $1 ORDER BY severity", case.key)
    assert [(row["kind"], row["suggestion"]) for row in rows] == [("UNEMPLOYMENT", "改为分期"), ("ILLNESS", "择日再访")]
    assert {row["author_id"] for row in rows} == {await office.person("mediator")}
    assert await office.value("SELECT rule FROM alert WHERE dispute_id = $1", case.key) == "PERFORMANCE_FACTOR"
    assert "择日再访" not in str(await office.value("SELECT message FROM alert WHERE dispute_id = $1", case.key))


async def test_every_user_error_of_a_visit_is_reported(office: Office) -> None:
    _, visit = await performed(office)
    values = {"id": visit, "happened_at": VISITED, "method": "PHONE", "result": "NORMAL", "satisfaction": 5}
    for given, wrong in (
        ({"satisfaction": None}, [("satisfaction", "REQUIRED")]),
        ({"satisfaction": 6}, [("satisfaction", "OUT_OF_RANGE")]),
        ({"result": "UNREACHABLE"}, [("satisfaction", "NOT_APPLICABLE")]),
        ({"result": "REBOUNDED"}, [("remark", "REQUIRED")]),
        ({"happened_at": AGREED - DAY}, [("happenedAt", "TOO_EARLY")]),
        ({"happened_at": dt.datetime(2099, 1, 1, tzinfo=COUNTY_TIME)}, [("happenedAt", "IN_FUTURE")]),
        (
            {"satisfaction": 0, "factors": [{"kind": "SALE", "severity": "LOW", "suggestion": ""}]},
            [("factors.0.suggestion", "REQUIRED"), ("satisfaction", "OUT_OF_RANGE")],
        ),
    ):
        inputs = {name: value for name, value in {**values, **given}.items() if value is not None}
        assert sorted((await office.do("mediator", "followUpComplete", **inputs)).user_errors) == wrong
    assert await office.value("SELECT done_at FROM follow_up WHERE id = $1", visit) is None


async def test_a_visit_is_scheduled_once_there_is_an_agreement(office: Office) -> None:
    case, _ = await drafted(office)
    values = {"dispute_id": case.key, "happened_at": AGREED, "due_on": AGREED_ON + 7 * DAY}
    assert (await office.do("mediator", "followUpSchedule", **values)).user_errors == [("disputeId", "WRONG_STATE")]
    case, _ = await performed(office)
    values = {"dispute_id": case.key, "happened_at": VISITED, "due_on": AGREED_ON + 60 * DAY}
    early = await office.do("mediator", "followUpSchedule", **{**values, "due_on": AGREED_ON})
    assert early.user_errors == [("dueOn", "OUT_OF_ORDER")]
    shown = await office.must("mediator", "followUpSchedule", **values, shown="id dueOn doneAt")
    assert (shown["dueOn"], shown["doneAt"]) == ("2024-04-20", None)
    assert (await office.events(case, "followUp.schedule"))[0]["resource_id"] == key_of(shown["id"])


async def test_performance_waits_for_a_visit_that_is_scheduled_already(office: Office) -> None:
    case, _, (first,) = await in_force(office)
    await office.must(
        "mediator", "followUpSchedule", dispute_id=case.key, happened_at=AGREED + DAY, due_on=AGREED_ON + 9 * DAY
    )
    await office.must("mediator", "obligationPerform", id=first, happened_at=AGREED + 2 * DAY, evidence="收据")
    rows = await office.rows("SELECT due_on FROM follow_up WHERE dispute_id = $1", case.key)
    assert [row["due_on"] for row in rows] == [AGREED_ON + 9 * DAY]


async def test_the_justice_office_visits_too_and_others_do_not(office: Office) -> None:
    case, visit = await performed(office)
    values = {"id": visit, "happened_at": VISITED, "method": "MEETING", "result": "NORMAL", "satisfaction": 4}
    for role in ("grid_worker", "law_leader", "legal_adviser", "court", "police", "bureau_admin", "analyst"):
        assert not (await office.do(role, "followUpComplete", **values)).ok
        done = await office.do(
            role, "followUpSchedule", dispute_id=case.key, happened_at=VISITED, due_on=AGREED_ON + 30 * DAY
        )
        assert not done.ok
    await office.must("justice_office", "followUpComplete", **values)
    await office.must(
        "justice_office", "followUpSchedule", dispute_id=case.key, happened_at=VISITED, due_on=AGREED_ON + 30 * DAY
    )
