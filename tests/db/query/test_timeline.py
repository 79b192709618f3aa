"""Clocks and timeline: computed at the read, for those who read what they rest on; a hidden value has no history either."""

import datetime as dt
from typing import Any

import pytest

from db.postgres.address import Address
from db.query.clocks import TIER_DAYS
from tests.laws.client import open_client
from tests.laws.examples import organization_of
from tests.laws.turns import agree
from tests.office import DAY, HOUR, Case, Office, name_of, now

CLOCKS = "query($d: ID!) { dispute(id: $d) { clocks { name dueOn state } } }"
TIMELINE = """query($d: ID!) { dispute(id: $d) { timeline {
    at happenedAt actor { name } action label fromState toState policyVersion changes { resource field value } } } }"""


def today() -> dt.date:
    return (now() + 8 * HOUR).date()


async def clocks(office: Office, who: str, case: Case) -> dict[str, tuple[str, str]]:
    answer = await office.gql.ask(name_of(who), CLOCKS, d=f"Dispute:{case.key}")
    assert not answer.errors, answer.errors
    return {one["name"]: (one["dueOn"], one["state"]) for one in answer.data["dispute"]["clocks"]}


async def timeline(office: Office, who: str, case: Case) -> list[dict[str, Any]]:
    answer = await office.gql.ask(name_of(who), TIMELINE, d=f"Dispute:{case.key}")
    assert not answer.errors, answer.errors
    return list(answer.data["dispute"]["timeline"])


def changed(entries: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    return [(one["resource"], one["field"], one["value"]) for entry in entries for one in entry["changes"]]


async def test_the_clocks_of_a_fresh_case(office: Office) -> None:
    case = await office.accepted(now() - 2 * DAY)
    row = await office.dispute(case)
    accepted = (row["accepted_at"] + 8 * HOUR).date()
    tier = accepted + TIER_DAYS["TEAM"] * DAY
    assert await clocks(office, "mediator", case) == {
        "MEDIATION_MONTH": (row["due_on"].isoformat(), "RUNNING"),
        "TIER": (tier.isoformat(), "RUNNING"),
    }


async def test_the_times_of_the_tiers_are_settings(office: Office, changing_county: Address) -> None:
    case = await office.accepted(now() - 2 * DAY)
    accepted = ((await office.dispute(case))["accepted_at"] + 8 * HOUR).date()
    async with open_client(changing_county, tier_days_team=20) as other:
        answer = await other.ask(name_of("mediator"), CLOCKS, d=f"Dispute:{case.key}")
    due = {one["name"]: one["dueOn"] for one in answer.data["dispute"]["clocks"]}
    assert due["TIER"] == (accepted + 20 * DAY).isoformat()


async def test_a_month_runs_is_due_soon_passes_and_ends(office: Office) -> None:
    case = await office.accepted()
    for days, state in ((4, "RUNNING"), (3, "DUE_SOON"), (0, "DUE_SOON"), (-1, "OVERDUE")):
        due_on = today() + days * DAY
        await office.execute("UPDATE dispute SET due_on = $2 WHERE id = $1", case.key, due_on)
        assert (await clocks(office, "mediator", case))["MEDIATION_MONTH"] == (due_on.isoformat(), state)
    await office.execute("UPDATE dispute SET state = 'FAILED' WHERE id = $1", case.key)
    assert {state for _, state in (await clocks(office, "mediator", case)).values()} == {"DONE"}


async def test_a_cut_supply_asks_for_contact_within_a_day(office: Office) -> None:
    for hours, state in ((1, "RUNNING"), (19, "DUE_SOON"), (25, "OVERDUE")):
        started = now() - hours * HOUR
        case = await office.register(sub_category="P02", utility_cut="WATER", started=started)
        due_on = (started + 32 * HOUR).date().isoformat()
        assert (await clocks(office, "mediator", case))["FIRST_CONTACT"] == (due_on, state)
    # Whoever does not read what was cut sees no clock of it.
    assert "FIRST_CONTACT" in await clocks(office, "grid_worker", case)
    await office.execute(
        "INSERT INTO measure (dispute_id, kind, requested_at) VALUES ($1, 'WATER', $2)", case.key, now()
    )
    assert (await clocks(office, "mediator", case))["FIRST_CONTACT"][1] == "DONE"


async def test_the_tier_that_took_the_case_has_its_own_time(office: Office) -> None:
    case = await office.mediating(now() - 20 * DAY)
    assert (await clocks(office, "mediator", case))["TIER"][1] == "OVERDUE"
    await office.at_tier(case, "SQUAD")
    assert "TIER" not in await clocks(office, "mediator", case)  # nothing says when it was taken over
    squad = await office.value("SELECT squad_id FROM dispute WHERE id = $1", case.key)
    await office.execute(
        "INSERT INTO escalation (dispute_id, from_tier, to_tier, state, organization_id, reason, handover, sent_at, answered_at)"
        " VALUES ($1, 'TEAM', 'SQUAD', 'TAKEN', $2, '原因', '摘要', $3, $3)",
        case.key, squad, now() - 2 * DAY,
    )  # fmt: skip
    due_on = (today() + 8 * DAY).isoformat()
    for who in ("mediator", "squad_member", "justice_office"):
        assert (await clocks(office, who, case))["TIER"] == (due_on, "RUNNING")


async def test_the_window_of_confirmation_and_the_next_visit(office: Office) -> None:
    case = await office.mediating()
    await office.execute(
        "INSERT INTO agreement (dispute_id, form, scope, state, content, agreed_on, effective_on, confirm_by_on)"
        " VALUES ($1, 'ORAL', 'FULL', 'EFFECTIVE', '付款', $2, $2, $3)",
        case.key, today() - 20 * DAY, today() + 7 * DAY,
    )  # fmt: skip
    await office.execute("UPDATE dispute SET state = 'PERFORMING', concluded_at = now() WHERE id = $1", case.key)
    assert (await clocks(office, "mediator", case))["CONFIRMATION"] == ((today() + 7 * DAY).isoformat(), "DUE_SOON")
    for days in (-1, 5):
        await office.execute(
            "INSERT INTO follow_up (dispute_id, due_on) VALUES ($1, $2)", case.key, today() + days * DAY
        )
    assert (await clocks(office, "mediator", case))["FOLLOW_UP"] == ((today() - DAY).isoformat(), "OVERDUE")
    # The legal adviser sees no follow-up at all.
    assert "FOLLOW_UP" not in await clocks(office, "legal_adviser", case)
    await office.execute(
        "UPDATE follow_up SET done_at = $2, result = 'NORMAL', method = 'PHONE' WHERE dispute_id = $1",
        case.key,
        today(),
    )
    await office.execute("UPDATE dispute SET state = 'PERFORMED' WHERE id = $1", case.key)
    shown = await clocks(office, "mediator", case)
    assert shown["FOLLOW_UP"] == ((today() + 5 * DAY).isoformat(), "DONE")
    assert shown["CONFIRMATION"][1] == "DONE"


async def test_a_clock_shows_to_those_who_see_what_may_stop_it(office: Office) -> None:
    """An application for confirmation, or a measure, that is hidden neither stops a clock nor leaves it running."""
    case = await office.mediating(sub_category="P02", utility_cut="WATER")
    police = await office.organization("POLICE_STATION")
    await office.must("mediator", "disputeReport", id=case.key, reason="情况紧急。", police_id=police)
    agreement = await agree(office, case)
    for who, wanted in (
        ("mediator", "RUNNING"),
        ("justice_office", "RUNNING"),
        ("analyst", "RUNNING"),
        ("police", None),
    ):
        shown = await clocks(office, who, case)
        assert (shown["CONFIRMATION"][1] if "CONFIRMATION" in shown else None) == wanted, who
    await office.must(
        "mediator", "confirmationApply", agreement_id=agreement, both_apply=True, ownership_terms=False,
        court_id=await organization_of(office, "court"),
    )  # fmt: skip
    for who, wanted in (("mediator", "DONE"), ("justice_office", "DONE"), ("analyst", "DONE"), ("police", None)):
        shown = await clocks(office, who, case)
        assert (shown["CONFIRMATION"][1] if "CONFIRMATION" in shown else None) == wanted, who
    # The police read what was cut, and see no measure; the grid worker sees measures, and no session, which was the first contact.
    for who, wanted in (("police", None), ("grid_worker", "OVERDUE"), ("mediator", "DONE")):
        shown = await clocks(office, who, case)
        assert (shown["FIRST_CONTACT"][1] if "FIRST_CONTACT" in shown else None) == wanted, who
    await office.must("mediator", "disputeMeasure", id=case.key, kind="WATER")
    for who, wanted in (("police", None), ("grid_worker", "DONE"), ("mediator", "DONE")):
        shown = await clocks(office, who, case)
        assert (shown["FIRST_CONTACT"][1] if "FIRST_CONTACT" in shown else None) == wanted, who


async def test_a_timeline_names_no_row_that_is_hidden(office: Office) -> None:
    """Of what was done about the parts of a dispute, each sees what was done about those that they see."""
    case = await office.mediating()
    police = await office.organization("POLICE_STATION")
    await office.must("mediator", "disputeReport", id=case.key, reason="情况紧急。", police_id=police)
    await office.must("grid_worker", "disputeAssess", id=case.key, level="LOW", reason="平稳。")
    await office.must("mediator", "disputeDisclose", id=case.key, ground="与一方相识。", parties_agree=True)
    seen = {
        who: {one["action"] for one in await timeline(office, who, case)}
        for who in ("mediator", "police", "grid_worker", "analyst")
    }
    made = {"dispute.report", "dispute.assess", "dispute.disclose", "dispute.consent"}
    assert made <= seen["mediator"]
    assert made & seen["police"] == {"dispute.report", "dispute.assess", "dispute.consent"}
    assert made & seen["grid_worker"] == {"dispute.assess", "dispute.consent"}
    assert made & seen["analyst"] == {"dispute.report", "dispute.assess"}


async def test_who_leads_shows_where_the_assignment_does(office: Office) -> None:
    case = await office.register(source="HOTLINE", who="agency_hotline")
    await office.must("justice_office", "disputeAccept", id=case.key)
    mediator = await office.value("SELECT id FROM mediator WHERE person_id = $1", await office.person("mediator"))
    await office.must(
        "justice_office", "disputeAssign", id=case.key, mediator_id=mediator, is_lead=True, mode="APPOINTED"
    )
    housing, court = await office.organization("HOUSING_DEPARTMENT"), await organization_of(office, "court")
    await office.must("mediator", "disputeRefer", id=case.key, kind="LEAD", organization_id=housing, reason="停水催费")
    await office.must(
        "mediator", "disputeRefer", id=case.key, kind="COURT_REFERRAL", organization_id=court, reason="移送"
    )
    query = "query($d: ID!) { dispute(id: $d) { leadMediator { name } assignments { isLead } access { hidden } } }"
    for who, shown in (
        ("mediator", 1),
        ("justice_office", 1),
        ("agency_hotline", 1),
        ("housing", 0),
        ("court", 0),
        ("analyst", 0),
    ):
        dispute = (await office.gql.data(name_of(who), query, d=f"Dispute:{case.key}"))["dispute"]
        assert dispute["leadMediator"] == ({"name": name_of("mediator")} if shown else None), who
        assert len(dispute["assignments"]) == shown, who
        assert ("leadMediator" in dispute["access"]["hidden"]) is not bool(shown), who


async def test_a_timeline_says_who_did_what_when_under_which_policy(office: Office) -> None:
    case = await office.accepted()
    entries = await timeline(office, "mediator", case)
    assert [(one["action"], one["fromState"], one["toState"]) for one in entries[:3]] == [
        ("dispute.register", None, "REGISTERED"),
        ("dispute.accept", "REGISTERED", "ACCEPTED"),
        ("dispute.notify", None, None),
    ]
    assert {one["actor"]["name"] for one in entries} == {name_of("mediator")}
    assert {one["policyVersion"] for one in entries} == {1}
    assert entries[1]["label"] == "受理"
    assert dt.datetime.fromisoformat(entries[1]["happenedAt"]) == case.started + HOUR
    row = await office.dispute(case)
    assert changed(entries[1:2]) == [
        ("Dispute", "caseNumber", row["case_number"]),
        ("Dispute", "dueOn", row["due_on"].isoformat()),
    ]


async def test_a_value_that_is_hidden_is_hidden_in_the_history_too(office: Office) -> None:
    case = await office.accepted()
    factor = {"kind": "ILLNESS", "severity": "LOW", "suggestion": "缓期"}
    await office.must(
        "grid_worker", "visitRecord", dispute_id=case.key, kind="HOME_VISIT", note="走访所见", factor=factor
    )
    await office.must("law_leader", "visitRecord", dispute_id=case.key, kind="PUBLICITY", note="宣讲所记")
    await office.execute(
        "INSERT INTO event (dispute_id, actor_id, at, action, resource, resource_id, changes) VALUES ($1, $2, now(), 'party.update', 'Party',"
        " $3, $4)",
        case.key, await office.person("mediator"), case.applicant,
        f'[["Party", "{case.applicant}", "phone", "13811112222"], ["Party", "{case.applicant}", "id_number", "371525"],'
        f' ["Party", "{case.applicant}", "id_number_cipher", "x"], ["Nothing", "{case.applicant}", "name", "x"],'
        f' ["Party", "{case.key}", "name", "他人"]]',
    )  # fmt: skip
    seen = {
        who: changed(await timeline(office, who, case))
        for who in ("mediator", "grid_worker", "law_leader", "bureau_admin", "analyst")
    }
    assert ("Visit", "note", "走访所见") in seen["mediator"]
    assert ("Visit", "note", "宣讲所记") in seen["mediator"]
    assert ("Visit", "note", "走访所见") in seen["grid_worker"]
    assert ("Visit", "note", "宣讲所记") not in seen["grid_worker"]
    assert ("Visit", "kind", "PUBLICITY") in seen["grid_worker"]
    assert ("Visit", "note", "宣讲所记") in seen["law_leader"]
    assert ("Factor", "kind", "ILLNESS") not in seen["analyst"]
    assert ("Factor", "severity", "LOW") in seen["analyst"]
    # The mediator reads the phone in clear, the others its mask or nothing; an ID number is in clear for nobody.
    assert ("Party", "phone", "13811112222") in seen["mediator"]
    for who in ("grid_worker", "law_leader", "bureau_admin", "analyst"):
        assert "13811112222" not in str(seen[who])
    for who, shown in seen.items():
        for hidden in ("371525", "他人", "cipher", "Nothing"):
            assert hidden not in str(shown), who


async def test_an_entry_about_a_row_that_is_hidden_does_not_appear(office: Office) -> None:
    case = await office.register(sub_category="P02", utility_cut="WATER")
    alert = await office.value("SELECT id FROM alert WHERE dispute_id = $1", case.key)
    await office.must("mediator", "alertClose", id=alert, note="已恢复")
    assert "alert.close" in [one["action"] for one in await timeline(office, "mediator", case)]
    entry = next(one for one in await timeline(office, "grid_worker", case) if one["action"] == "alert.close")
    assert (entry["toState"], entry["changes"]) == ("CLOSED", [])
    assert "alert.close" not in [one["action"] for one in await timeline(office, "legal_adviser", case)]
    system = "INSERT INTO event (dispute_id, at, action, resource, resource_id) VALUES ($1, now(), 'alert.raise', 'Alert', $2)"
    await office.execute(system, case.key, alert)
    entry = (await timeline(office, "mediator", case))[-1]
    assert (entry["actor"], entry["label"], entry["policyVersion"]) == (None, "预警升级", None)


@pytest.mark.parametrize("who", ["mediator", "grid_worker", "court"])
async def test_both_executors_agree(office: Office, changing_county: Address, who: str) -> None:
    query = """{ disputes(first: 5) { nodes { id a: clocks { n: name d: dueOn state __typename }
        timeline { __typename at actor { id name access { hidden } } action label changes { f: field value __typename } } } } }"""
    fast = await office.gql.ask(name_of(who), query)
    async with open_client(changing_county, fast_path=False) as gql:
        slow = await gql.ask(name_of(who), query)
    assert not fast.errors
    assert fast.data == slow.data
