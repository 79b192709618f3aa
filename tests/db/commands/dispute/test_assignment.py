"""Assign, disclose, recuse: one presides, nobody who may not be impartial, and a party's request is always granted."""

from typing import Any
from uuid import UUID

from db.county.people import SECOND_MEDIATOR
from tests.office import DAY, HOUR, Case, Office, now

LEAD = {"is_lead": True, "mode": "APPOINTED"}
HELPER = {"is_lead": False, "mode": "PARTY_CHOSEN"}


async def _mediator(office: Office, who: str) -> UUID:
    """The entry of a person in the register of mediators."""
    return UUID(str(await office.value("SELECT id FROM mediator WHERE person_id = $1", await office.person(who))))


async def _active(office: Office, case: Case) -> dict[str, bool]:
    """Who is assigned to a case, by name, and whether they are lead."""
    rows = await office.rows(
        "SELECT name, is_lead FROM assignment JOIN person ON person.id = person_id"
        " WHERE dispute_id = $1 AND ended_at IS NULL",
        case.key,
    )
    return {one["name"]: one["is_lead"] for one in rows}


async def _another(office: Office) -> tuple[str, UUID]:
    """A mediator who has to do with none of these cases."""
    row = await office.row(
        "SELECT name, mediator.id FROM mediator JOIN person ON person.id = person_id"
        " WHERE name NOT IN ('郑秀兰', $1) AND organization_id IN (SELECT id FROM organization WHERE kind = 'COMMITTEE')"
        " ORDER BY name LIMIT 1",
        SECOND_MEDIATOR,
    )
    return row["name"], row["id"]


async def test_a_helper_then_a_new_lead(office: Office) -> None:
    case, second = await office.accepted(), await _mediator(office, SECOND_MEDIATOR)
    await office.must("justice_office", "disputeAssign", id=case.key, mediator_id=second, **HELPER)
    assert await _active(office, case) == {"郑秀兰": True, SECOND_MEDIATOR: False}
    done = await office.do("justice_office", "disputeAssign", id=case.key, mediator_id=second, **HELPER)
    assert done.user_errors == [("mediatorId", "ALREADY_ASSIGNED")]
    shown = await office.must(
        "justice_office",
        "disputeAssign",
        shown="leadMediator { name } version",
        id=case.key,
        mediator_id=second,
        **LEAD,
    )
    assert shown["leadMediator"]["name"] == SECOND_MEDIATOR
    assert await _active(office, case) == {SECOND_MEDIATOR: True}
    # Whoever was replaced has no more to do with it.
    assert await office.can("mediator", case) == []
    assert "escalate" in await office.can(SECOND_MEDIATOR, case)
    assert (await office.dispute(case))["version"] == shown["version"]


async def test_the_first_one_presides(office: Office) -> None:
    case, second = await office.accepted(), await _mediator(office, SECOND_MEDIATOR)
    await office.execute("UPDATE assignment SET ended_at = now() WHERE dispute_id = $1", case.key)
    done = await office.do("justice_office", "disputeAssign", id=case.key, mediator_id=second, **HELPER)
    assert done.user_errors == [("isLead", "LEAD_NEEDED")]
    await office.must("justice_office", "disputeAssign", id=case.key, mediator_id=second, **LEAD)
    assert await _active(office, case) == {SECOND_MEDIATOR: True}


async def test_who_may_not_be_assigned(office: Office) -> None:
    case, second = await office.accepted(), await _mediator(office, SECOND_MEDIATOR)
    person = await office.person(SECOND_MEDIATOR)

    async def refused(values: dict[str, Any] = LEAD) -> list[tuple[str, str]]:
        return (
            await office.do("justice_office", "disputeAssign", id=case.key, mediator_id=second, **values)
        ).user_errors

    term = await office.value("SELECT term_ends_on FROM mediator WHERE id = $1", second)
    qualified = await office.value("SELECT qualified_on FROM mediator WHERE id = $1", second)
    try:
        await office.execute(
            "UPDATE mediator SET term_ends_on = '2020-01-01', qualified_on = current_date + 3 WHERE id = $1", second
        )
        await office.execute("UPDATE person SET state = 'SUSPENDED' WHERE id = $1", person)
        assert await refused() == [
            ("mediatorId", "SUSPENDED"),
            ("mediatorId", "TERM_ENDED"),
            ("mediatorId", "NOT_YET_MEDIATOR"),
        ]
    finally:
        await office.execute(
            "UPDATE mediator SET term_ends_on = $2, qualified_on = $3 WHERE id = $1", second, term, qualified
        )
        await office.execute("UPDATE person SET state = 'ACTIVE' WHERE id = $1", person)
    employer = await office.value(
        "SELECT name FROM organization WHERE id = (SELECT organization_id FROM mediator WHERE id = $1)", second
    )
    await office.execute("UPDATE party SET name = $2 WHERE id = $1", case.respondent, employer)
    assert await refused() == [("mediatorId", "INTERESTED")]
    await office.execute("UPDATE party SET name = '某物业公司' WHERE id = $1", case.respondent)
    phone = await office.value("SELECT phone FROM person WHERE id = $1", person)
    await office.execute("UPDATE party SET phone = $2 WHERE id = $1", case.applicant, phone)
    assert await refused() == [("mediatorId", "INTERESTED")]
    await office.execute("UPDATE party SET phone = NULL WHERE id = $1", case.applicant)
    assert await refused({**LEAD, "happened_at": now() + DAY}) == [("happenedAt", "IN_FUTURE")]
    assert await refused({**LEAD, "happened_at": case.started + HOUR / 2}) == [("happenedAt", "TOO_EARLY")]
    assert await _active(office, case) == {"郑秀兰": True}
    await office.must("justice_office", "disputeAssign", id=case.key, mediator_id=second, **LEAD)


async def test_who_may_assign(office: Office) -> None:
    case, second = await office.accepted(), await _mediator(office, SECOND_MEDIATOR)
    for who, code in (
        ("mediator", "FORBIDDEN"),
        ("grid_worker", "FORBIDDEN"),
        ("squad_member", "NOT_FOUND"),
        ("police", "FORBIDDEN"),
    ):
        done = await office.do(who, "disputeAssign", id=case.key, mediator_id=second, **LEAD)
        assert done.user_errors == [("id", code)], who
    await office.at_tier(case, "SQUAD")
    await office.must("squad_member", "disputeAssign", id=case.key, mediator_id=second, **LEAD)


async def test_a_disclosed_conflict_ends_the_assignment_for_good(office: Office) -> None:
    case, first = await office.accepted(), await _mediator(office, "mediator")
    done = await office.do("mediator", "disputeDisclose", id=case.key, ground="与申请人系近亲属。")
    assert done.ok
    assert done.shown is None
    assert await _active(office, case) == {}
    assert await office.can("mediator", case) == []
    row = await office.row("SELECT * FROM recusal WHERE dispute_id = $1", case.key)
    assert (row["kind"], row["person_id"]) == ("DISCLOSURE", await office.person("mediator"))
    done = await office.do("justice_office", "disputeAssign", id=case.key, mediator_id=first, **LEAD)
    assert done.user_errors == [("mediatorId", "RECUSED")]
    [event] = await office.events(case, "dispute.disclose")
    assert "近亲属" not in str({**event, "changes": None})


async def test_he_goes_on_where_all_parties_agree(office: Office) -> None:
    case = await office.accepted()
    shown = await office.must(
        "mediator",
        "disputeDisclose",
        shown="recusals { kind ground }",
        id=case.key,
        ground="曾与被申请人同事。",
        parties_agree=True,
    )
    assert shown == {"recusals": [{"kind": "DISCLOSURE", "ground": "曾与被申请人同事。"}]}
    assert await _active(office, case) == {"郑秀兰": True}
    assert (await office.do("mediator", "disputeDisclose", id=case.key, ground="")).user_errors == [
        ("ground", "REQUIRED")
    ]


async def test_a_partys_request_replaces_the_mediator(office: Office) -> None:
    case, first, second = (
        await office.accepted(),
        await _mediator(office, "mediator"),
        await _mediator(office, SECOND_MEDIATOR),
    )
    values = {"id": case.key, "party_id": case.applicant, "mediator_id": first, "ground": "认为有失公正。"}
    done = await office.do("mediator", "disputeRecuse", **values, replacement_id=first)
    assert ("replacementId", "SAME_PERSON") in done.user_errors
    other = await office.accepted()
    done = await office.do(
        "mediator",
        "disputeRecuse",
        **{**values, "party_id": other.applicant, "mediator_id": second},
        replacement_id=second,
    )
    assert ("partyId", "NOT_A_PARTY") in done.user_errors
    assert ("mediatorId", "NOT_ASSIGNED") in done.user_errors
    # The mediator records the request, and is off the case.
    done = await office.do("mediator", "disputeRecuse", **values, replacement_id=second)
    assert done.ok
    assert await _active(office, case) == {SECOND_MEDIATOR: True}
    assert await office.can("mediator", case) == []
    row = await office.row("SELECT * FROM recusal WHERE dispute_id = $1", case.key)
    assert (row["kind"], row["party_id"], row["replacement_id"]) == (
        "REQUEST",
        case.applicant,
        await office.person(SECOND_MEDIATOR),
    )
    name, third = await _another(office)
    await office.must(
        "justice_office",
        "disputeRecuse",
        **{**values, "mediator_id": second, "party_id": case.respondent},
        replacement_id=third,
    )
    assert await _active(office, case) == {name: True}
    # Neither comes back.
    done = await office.do("justice_office", "disputeAssign", id=case.key, mediator_id=second, **LEAD)
    assert done.user_errors == [("mediatorId", "RECUSED")]


async def test_a_helper_takes_over_the_lead(office: Office) -> None:
    case, first, second = (
        await office.accepted(),
        await _mediator(office, "mediator"),
        await _mediator(office, SECOND_MEDIATOR),
    )
    await office.must("justice_office", "disputeAssign", id=case.key, mediator_id=second, **HELPER)
    await office.must(
        "justice_office",
        "disputeRecuse",
        id=case.key,
        party_id=case.applicant,
        mediator_id=first,
        ground="要求更换。",
        replacement_id=second,
    )
    assert await _active(office, case) == {SECOND_MEDIATOR: True}
