"""Alerts: taken in hand by whoever handles them, closed only with a note, never by somebody whose alert it is not."""

import datetime as dt
from uuid import UUID

from tests.office import HOUR, Case, Office, name_of, now

FIRST = "SELECT id FROM alert WHERE dispute_id = $1 AND rule = $2"


async def alarmed(office: Office) -> tuple[Case, UUID]:
    case = await office.register(sub_category="P02", utility_cut="WATER")
    return case, await office.value(FIRST, case.key, "UTILITY_CUTOFF")


async def test_an_alert_goes_from_open_to_handling_to_closed(office: Office) -> None:
    case, alert = await alarmed(office)
    query = "query($d: ID!) { dispute(id: $d) { alerts { rule level state legalBasis note handler { name } access { can } } } }"
    response = await office.gql.ask("郑秀兰", query, d=f"Dispute:{case.key}")
    (shown,) = response.data["dispute"]["alerts"]
    assert (shown["rule"], shown["level"], shown["state"]) == ("UTILITY_CUTOFF", "ORANGE", "OPEN")
    assert "九百四十四条" in shown["legalBasis"]
    assert "三十四条第十项" in shown["legalBasis"]
    assert shown["access"]["can"] == ["close", "handle"]

    handled = await office.must("mediator", "alertHandle", id=alert, shown="state handler { name } access { can }")
    assert handled == {"state": "HANDLING", "handler": {"name": "郑秀兰"}, "access": {"can": ["close"]}}
    again = await office.do("justice_office", "alertHandle", id=alert)
    assert again.user_errors == [("id", "WRONG_STATE")]

    closed = await office.must(
        "justice_office", "alertClose", id=alert, note="已恢复供水", shown="state note handler { name }"
    )
    assert closed == {"state": "CLOSED", "note": "已恢复供水", "handler": {"name": "郑秀兰"}}
    assert await office.can("mediator", case, "Alert", alert) == []
    (event,) = await office.events(case, "alert.close")
    assert (event["from_state"], event["to_state"], event["resource_id"]) == ("HANDLING", "CLOSED", alert)


async def test_an_alert_is_never_closed_without_a_note(office: Office) -> None:
    _, alert = await alarmed(office)
    for note in ("", "  ", "长" * 1001):
        done = await office.do("mediator", "alertClose", id=alert, note=note)
        assert done.user_errors[0][0] == "note"
    assert await office.value("SELECT state FROM alert WHERE id = $1", alert) == "OPEN"


async def test_the_times_of_an_alert_are_in_order(office: Office) -> None:
    case, alert = await alarmed(office)
    early = await office.do("mediator", "alertHandle", id=alert, happened_at=case.started - HOUR)
    late = await office.do("mediator", "alertClose", id=alert, note="好", happened_at=now() + dt.timedelta(days=1))
    assert early.user_errors == [("happenedAt", "TOO_EARLY")]
    assert late.user_errors == [("happenedAt", "IN_FUTURE")]


async def test_a_change_of_an_alert_is_a_change_of_its_dispute(office: Office) -> None:
    case, alert = await alarmed(office)
    before = (await office.dispute(case))["version"]
    await office.must("mediator", "alertHandle", id=alert)
    assert (await office.dispute(case))["version"] == before + 1
    stale = await office.do("mediator", "alertClose", id=alert, note="好", expected_version=before)
    assert stale.payload
    assert stale.payload["conflict"]


async def test_who_sees_an_alert_may_still_not_close_it(office: Office) -> None:
    case, alert = await alarmed(office)
    assert await office.can("grid_worker", case, "Alert", alert) == []
    assert (await office.do("grid_worker", "alertClose", id=alert, note="好")).user_errors == [("id", "FORBIDDEN")]
    assert (await office.do("housing", "alertClose", id=alert, note="好")).user_errors == [("id", "FORBIDDEN")]
    response = await office.gql.ask(
        "周巧云", "query($a: ID!) { node(id: $a) { ... on Alert { rule message note } } }", a=f"Alert:{alert}"
    )
    assert response.data["node"] == {"rule": "UTILITY_CUTOFF", "message": None, "note": None}


async def test_alerts_are_listed_with_filters(office: Office) -> None:
    case, alert = await alarmed(office)
    query = """query($d: ID!, $s: [AlertState!]) { alerts(filter: {disputeId: $d, state: $s, rule: [UTILITY_CUTOFF],
        level: [ORANGE, RED], areaCode: "371525002", openedFrom: "2020-01-01", openedTo: "2100-01-01"},
        orderBy: [{field: OPENED_AT}]) { totalCount nodes { id dispute { id } } } }"""
    for who in ("mediator", "justice_office", "bureau_admin", "analyst", "grid_worker"):
        response = await office.gql.ask(name_of(who), query, d=f"Dispute:{case.key}", s=["OPEN"])
        assert response.data["alerts"]["nodes"] == [{"id": f"Alert:{alert}", "dispute": {"id": f"Dispute:{case.key}"}}]
    response = await office.gql.ask(name_of("mediator"), query, d=f"Dispute:{case.key}", s=["CLOSED"])
    assert response.data["alerts"]["totalCount"] == 0
    response = await office.gql.ask(name_of("police"), query, d=f"Dispute:{case.key}", s=["OPEN"])
    assert response.data is None or response.data["alerts"]["totalCount"] == 0


async def test_an_alert_may_outlive_its_dispute(office: Office) -> None:
    case, alert = await alarmed(office)
    await office.must("mediator", "disputeAccept", id=case.key, happened_at=case.started + HOUR)
    for state in ("FAILED", "ARCHIVED"):
        await office.execute(
            "UPDATE dispute SET state = $2, concluded_at = now(), closed_at = now() WHERE id = $1", case.key, state
        )
    assert await office.can("justice_office", case, "Alert", alert) == ["close", "handle"]
    await office.must("justice_office", "alertClose", id=alert, note="归档后补记")
