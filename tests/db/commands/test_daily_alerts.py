"""The daily look: each rule opens what is due, once for a subject; a look that is repeated opens nothing."""

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

from db.commands.daily_alerts import open_due_alerts
from db.county.people import SEED_GRID
from tests.office import DAY, HOUR, Case, Office, now


async def opened(office: Office, case: Case, rule: str) -> list[Any]:
    return await office.rows(
        "SELECT * FROM alert WHERE dispute_id = $1 AND rule = $2 ORDER BY opened_at", case.key, rule
    )


async def close(office: Office, alert: UUID) -> None:
    await office.execute("UPDATE alert SET state = 'CLOSED', note = '已处置', closed_at = now() WHERE id = $1", alert)


async def agreed(office: Office, confirm_in: int, due_in: int) -> tuple[Case, UUID, UUID]:
    """A case in performance with an oral agreement and one obligation; past all commands."""
    case = await office.mediating(now() - 80 * DAY)
    today = (now() + 8 * HOUR).date()
    agreement, obligation = uuid4(), uuid4()
    await office.execute(
        "INSERT INTO agreement (id, dispute_id, form, scope, state, content, agreed_on, effective_on, confirm_by_on)"
        " VALUES ($1, $2, 'ORAL', 'FULL', 'EFFECTIVE', '付款', $3, $3, $4)",
        agreement, case.key, today - 60 * DAY, today + confirm_in * DAY,
    )  # fmt: skip
    await office.execute(
        "INSERT INTO obligation (id, dispute_id, agreement_id, party_id, kind, content, due_on, state)"
        " VALUES ($1, $2, $3, $4, 'PAY', '付款', $5, 'PENDING')",
        obligation, case.key, agreement, case.respondent, today + due_in * DAY,
    )  # fmt: skip
    await office.execute("UPDATE dispute SET state = 'PERFORMING', concluded_at = now() WHERE id = $1", case.key)
    return case, agreement, obligation


async def test_a_repeated_look_opens_nothing(office: Office) -> None:
    at = now()
    first = await open_due_alerts(office.gql.connection, at)
    assert first == await office.value("SELECT count(*) FROM alert WHERE opened_at = $1", at)
    assert first == await office.value("SELECT count(*) FROM event WHERE action = 'alert.open' AND at = $1", at)
    for later in (at, at + HOUR):
        assert await open_due_alerts(office.gql.connection, later) == 0


async def test_a_month_that_has_passed_without_consent(office: Office) -> None:
    case = await office.accepted(now() - 60 * DAY)
    fresh = await office.accepted(now() - 5 * DAY)
    await open_due_alerts(office.gql.connection, now())
    (alert,) = await opened(office, case, "MONTH_OVERDUE")
    due_on = (await office.dispute(case))["due_on"]
    assert (alert["level"], alert["state"], alert["due_on"]) == ("YELLOW", "OPEN", due_on)
    assert alert["message"] == f"调解期满未延长：应于 {due_on} 前终结调解"
    assert await opened(office, fresh, "MONTH_OVERDUE") == []
    # Closed with a note it stays away, until another deadline has passed.
    await close(office, alert["id"])
    await open_due_alerts(office.gql.connection, now())
    assert len(await opened(office, case, "MONTH_OVERDUE")) == 1
    await office.execute("UPDATE dispute SET due_on = due_on + 7 WHERE id = $1", case.key)
    await open_due_alerts(office.gql.connection, now())
    assert len(await opened(office, case, "MONTH_OVERDUE")) == 2


async def test_an_obligation_is_yellow_after_a_week_and_orange_after_a_month(office: Office) -> None:
    case, _, obligation = await agreed(office, -30, -7)
    await open_due_alerts(office.gql.connection, now())
    assert await opened(office, case, "OBLIGATION_OVERDUE") == []
    await open_due_alerts(office.gql.connection, now() + DAY)
    (alert,) = await opened(office, case, "OBLIGATION_OVERDUE")
    assert (alert["level"], alert["subject"]) == ("YELLOW", str(obligation))
    await open_due_alerts(office.gql.connection, now() + 24 * DAY)
    (alert,) = await opened(office, case, "OBLIGATION_OVERDUE")
    assert (alert["level"], alert["state"]) == ("ORANGE", "OPEN")
    assert len(await office.events(case, "alert.raise")) == 1
    await close(office, alert["id"])
    await open_due_alerts(office.gql.connection, now() + 60 * DAY)
    assert len(await opened(office, case, "OBLIGATION_OVERDUE")) == 1

    closed_while_yellow, _, _ = await agreed(office, -30, -8)
    await open_due_alerts(office.gql.connection, now())
    (alert,) = await opened(office, closed_while_yellow, "OBLIGATION_OVERDUE")
    await close(office, alert["id"])
    await open_due_alerts(office.gql.connection, now() + DAY)
    assert len(await opened(office, closed_while_yellow, "OBLIGATION_OVERDUE")) == 1
    await open_due_alerts(office.gql.connection, now() + 30 * DAY)
    assert [one["level"] for one in await opened(office, closed_while_yellow, "OBLIGATION_OVERDUE")] == [
        "YELLOW",
        "ORANGE",
    ]


async def test_seven_days_before_the_window_of_confirmation_ends(office: Office) -> None:
    far, _, _ = await agreed(office, 8, 30)
    near, agreement, _ = await agreed(office, 7, 30)
    past, _, _ = await agreed(office, -1, 30)
    await open_due_alerts(office.gql.connection, now())
    (alert,) = await opened(office, near, "CONFIRMATION_WINDOW")
    assert (alert["level"], alert["subject"]) == ("REMINDER", str(agreement))
    assert await opened(office, far, "CONFIRMATION_WINDOW") == []
    assert await opened(office, past, "CONFIRMATION_WINDOW") == []
    await close(office, alert["id"])
    await open_due_alerts(office.gql.connection, now() + DAY)
    assert len(await opened(office, near, "CONFIRMATION_WINDOW")) == 1
    assert len(await opened(office, far, "CONFIRMATION_WINDOW")) == 1


async def test_clusters_and_repeated_parties_in_a_window(office: Office) -> None:
    compound = uuid4()
    company = await office.value("SELECT id FROM company ORDER BY name LIMIT 1")
    await office.execute(
        "INSERT INTO compound (id, name, address, households, grid_code, company_id)"
        " VALUES ($1, '多发小区', '示例路', 100, $2, $3)",
        compound, SEED_GRID, company,
    )  # fmt: skip
    at = now() + dt.timedelta(days=400)  # nothing else is in this window
    person = {"side": "APPLICANT", "kind": "OWNER", "name": "多诉人", "phone": "13900001111"}
    other = {"side": "RESPONDENT", "kind": "COMPANY", "name": "示例物业"}

    async def another(days: int) -> Case:
        case = await office.register(compound_id=compound, parties=[person, other])
        await office.execute("UPDATE dispute SET registered_at = $2 WHERE id = $1", case.key, at - days * DAY)
        return case

    await another(3)
    await open_due_alerts(office.gql.connection, at)
    second = await another(2)
    await open_due_alerts(office.gql.connection, at)
    (alert,) = await opened(office, second, "REPEAT_PARTY")
    assert alert["message"] == "同一当事人多次发生纠纷：90 日内 2 件"
    party = await office.value("SELECT dispute_id FROM party WHERE id::text = $1", alert["subject"])
    assert party is not None
    assert "多诉人" not in str(dict(alert))
    assert "13900001111" not in str(dict(alert))
    assert await opened(office, second, "COMPOUND_CLUSTER") == []

    third = await another(1)
    await open_due_alerts(office.gql.connection, at)
    (alert,) = await opened(office, third, "COMPOUND_CLUSTER")
    assert (alert["compound_id"], alert["level"]) == (compound, "YELLOW")
    assert await opened(office, third, "REPEAT_PARTY") == []  # one is open already
    await close(office, alert["id"])
    await open_due_alerts(office.gql.connection, at)
    assert len(await opened(office, third, "COMPOUND_CLUSTER")) == 1
    for _ in range(2):
        await another(0)
    await open_due_alerts(office.gql.connection, at + HOUR)
    (alert,) = await office.rows("SELECT * FROM alert WHERE rule = 'COMPANY_CLUSTER' AND opened_at = $1", at + HOUR)
    assert (alert["level"], alert["company_id"]) == ("ORANGE", company)


async def test_a_supply_that_stays_cut_is_red_after_a_day(office: Office) -> None:
    cut = await office.register(sub_category="P02", utility_cut="WATER", started=now() - 25 * HOUR)
    restored = await office.register(sub_category="P02", utility_cut="WATER", started=now() - 25 * HOUR)
    await office.execute(
        "INSERT INTO measure (dispute_id, kind, requested_at, done_at) VALUES ($1, 'WATER', $2, $2)",
        restored.key, now() - 24 * HOUR,
    )  # fmt: skip
    await open_due_alerts(office.gql.connection, now())
    assert [one["level"] for one in await opened(office, cut, "UTILITY_CUTOFF")] == ["RED"]
    assert [one["level"] for one in await opened(office, restored, "UTILITY_CUTOFF")] == ["ORANGE"]


async def test_a_rule_that_is_disabled_opens_nothing(office: Office) -> None:
    case = await office.accepted(now() - 60 * DAY)
    await office.execute("UPDATE alert_rule SET enabled = false WHERE rule = 'MONTH_OVERDUE'")
    await open_due_alerts(office.gql.connection, now())
    assert await opened(office, case, "MONTH_OVERDUE") == []
    await office.execute("UPDATE alert_rule SET enabled = true WHERE rule = 'MONTH_OVERDUE'")
    await open_due_alerts(office.gql.connection, now())
    assert len(await opened(office, case, "MONTH_OVERDUE")) == 1
