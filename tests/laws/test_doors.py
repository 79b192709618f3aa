"""Law: a rule of the case holds at every door. The same facts get the same answer, by whatever command they come, and nothing is stored.

Doors are commands that bring a party to a case, or a person who acts on it. That no command is missing from the list is tested too.
"""

import dataclasses
import datetime as dt
import typing
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from db.canonical.check_digits import id_check
from db.commands import COMMANDS
from db.commands.party import PartyInput, PartyUpdateInput
from db.county.people import PRINCIPALS, SECOND_MEDIATOR
from tests.office import ID_NUMBERS, Case, Done, Office, now

LEAD = PRINCIPALS["mediator"]
CREDIT_CODE = "91371525MA3TEYT02R"


def id_number(born: str) -> str:
    """A correct number of somebody born on a day, `20150301`."""
    digits = f"371525{born}003"
    return digits + id_check(digits)


CHILD = id_number(f"{now().year - 11}0301")


# -- what may not be, as columns of the party that comes


async def _own_phone(office: Office) -> dict[str, Any]:
    return {"name": "某人", "phone": await office.value("SELECT phone FROM person WHERE name = $1", LEAD)}


async def _own_name(office: Office) -> dict[str, Any]:
    return {"name": LEAD}


async def _employer(office: Office) -> dict[str, Any]:
    sql = (
        "SELECT o.name FROM organization o JOIN mediator m ON m.organization_id = o.id"
        " JOIN person p ON p.id = m.person_id WHERE p.name = $1"
    )
    return {"kind": "OTHER", "name": await office.value(sql, LEAD)}


async def _employer_as_a_person(office: Office) -> dict[str, Any]:
    return {**await _employer(office), "is_natural_person": True}


async def _colleague(office: Office) -> dict[str, Any]:
    return {"name": "某同事", "phone": await office.value("SELECT phone FROM person WHERE name = $1", SECOND_MEDIATOR)}


async def _same_number(office: Office) -> dict[str, Any]:
    return {"name": "李隆", "id_number": ID_NUMBERS[0].lower()}


async def _same_person(office: Office) -> dict[str, Any]:
    return {"name": "李龙", "phone": "13800000000"}


async def _same_company(office: Office) -> dict[str, Any]:
    return {"kind": "COMPANY", "name": "另一物业公司", "credit_code": CREDIT_CODE}


async def _child_said_grown(office: Office) -> dict[str, Any]:
    return {"name": "小明", "id_number": CHILD, "is_minor": False}


async def _adult_said_minor(office: Office) -> dict[str, Any]:
    return {"name": "老王", "id_number": ID_NUMBERS[1], "is_minor": True}


async def _unborn(office: Office) -> dict[str, Any]:
    return {"name": "未来", "id_number": id_number("20990101")}


async def _too_old(office: Office) -> dict[str, Any]:
    return {"name": "古人", "id_number": id_number("18991231")}


FACTS: dict[Callable[[Office], Awaitable[dict[str, Any]]], str] = {
    _own_phone: "INTERESTED", _own_name: "INTERESTED", _employer: "INTERESTED", _employer_as_a_person: "INTERESTED",
    _colleague: "INTERESTED", _same_number: "DUPLICATE", _same_person: "DUPLICATE", _same_company: "DUPLICATE",
    _child_said_grown: "CONTRADICTION", _adult_said_minor: "CONTRADICTION", _unborn: "BAD_ID_NUMBER",
    _too_old: "BAD_ID_NUMBER",
}  # fmt: skip

# -- the doors

APPLICANT = {"side": "APPLICANT", "kind": "OWNER", "name": "李龙", "phone": "13800000000", "id_number": ID_NUMBERS[0]}
COMPANY = {"side": "RESPONDENT", "kind": "COMPANY", "name": "聊城示例物业服务有限公司", "credit_code": CREDIT_CODE}


async def _case(office: Office) -> Case:
    return await office.register(parties=[APPLICANT, COMPANY])


async def _by_registering(office: Office, party: dict[str, Any]) -> Done:
    values = {
        "title": "争议", "sub_category": "P01", "source": "INITIATIVE", "summary": "争议。",
        "compound_id": await office.value("SELECT compound_id FROM dispute WHERE id = $1", (await _case(office)).key),
    }  # fmt: skip
    added = {"side": "RESPONDENT", "kind": "OWNER", **party}
    return await office.do("mediator", "disputeRegister", parties=[APPLICANT, COMPANY, added], **values)


async def _by_adding(office: Office, party: dict[str, Any]) -> Done:
    added = {"side": "RESPONDENT", "kind": "OWNER", **party}
    return await office.do("mediator", "partyAdd", id=(await _case(office)).key, party=added)


async def _by_correcting(office: Office, party: dict[str, Any]) -> Done:
    case = await office.register(
        parties=[APPLICANT, COMPANY, {"side": "THIRD", "kind": "OWNER", "name": "邻居", "phone": "13800000099"}]
    )
    third = await office.value("SELECT id FROM party WHERE dispute_id = $1 AND side = 'THIRD'", case.key)
    cleared = [] if "phone" in party else ["PHONE"]
    return await office.do("mediator", "partyUpdate", id=third, cleared=cleared, **party)


PARTY_DOORS = {
    "dispute.register": _by_registering, "party.add": _by_adding, "party.update": _by_correcting,
}  # fmt: skip


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
async def test_a_party_who_may_not_be_comes_by_no_door(office: Office, fact: Any) -> None:
    """The same code at each door; no row more than before."""
    party = await fact(office)
    found: dict[str, list[str]] = {}
    for name, door in PARTY_DOORS.items():
        done = await door(office, party)
        found[name] = done.codes
        stored = await office.value(
            "SELECT count(*) FROM party WHERE name = $1 AND name NOT IN ('李龙')", party["name"]
        )
        assert stored == 0, name
    assert found == {name: [FACTS[fact]] for name in PARTY_DOORS}


def _mentions(hint: Any, wanted: type) -> bool:
    if hint is wanted:
        return True
    if dataclasses.is_dataclass(hint):
        return any(_mentions(one, wanted) for one in typing.get_type_hints(hint).values())
    return any(_mentions(one, wanted) for one in typing.get_args(hint))


def test_the_doors_of_parties_are_all_of_them() -> None:
    """Whatever command takes a party, or the columns of one, is tried above."""
    taking = {
        command.name
        for command in COMMANDS.values()
        if _mentions(command.input_type, PartyInput) or command.input_type is PartyUpdateInput
    }
    assert taking == set(PARTY_DOORS)


# -- the people


async def _mediator_id(office: Office, name: str) -> UUID:
    sql = "SELECT m.id FROM mediator m JOIN person p ON p.id = m.person_id WHERE p.name = $1"
    return UUID(str(await office.value(sql, name)))


@pytest.mark.parametrize(
    "fact", [one for one, code in FACTS.items() if code == "INTERESTED"], ids=lambda fact: fact.__name__
)
async def test_a_mediator_with_an_interest_comes_by_no_door(office: Office, fact: Any) -> None:
    """The party is there first: the lead is neither assigned nor put in another's place, accepts nothing, and does not take it over by
    reopening."""
    party = {"side": "THIRD", "kind": "OWNER", **await fact(office)}
    wanted = await _mediator_id(office, LEAD)
    case = await office.register("grid_worker", parties=[APPLICANT, COMPANY, party])
    await office.must("justice_office", "disputeAccept", id=case.key)
    done = await office.do(
        "justice_office", "disputeAssign", id=case.key, mediator_id=wanted, is_lead=True, mode="APPOINTED"
    )
    assert done.user_errors == [("mediatorId", "INTERESTED")]
    squad = await office.value(
        "SELECT m.id FROM mediator m JOIN organization o ON o.id = m.organization_id WHERE o.kind = 'SQUAD' LIMIT 1"
    )
    await office.must("justice_office", "disputeAssign", id=case.key, mediator_id=squad, is_lead=True, mode="APPOINTED")
    done = await office.do(
        "justice_office", "disputeRecuse", id=case.key, party_id=case.applicant, mediator_id=squad, ground="相识。",
        replacement_id=wanted,
    )  # fmt: skip
    assert done.user_errors == [("replacementId", "INTERESTED")]
    await office.execute("UPDATE assignment SET ended_at = now() WHERE dispute_id = $1", case.key)
    await office.execute(
        "INSERT INTO assignment (id, dispute_id, dispute_registered_at, person_id, is_lead, mode, assigned_at)"
        " SELECT gen_random_uuid(), id, registered_at, $2, true, 'APPOINTED', now() FROM dispute WHERE id = $1",
        case.key,
        await office.person("mediator"),
    )
    done = await office.do("mediator", "disputeNotify", id=case.key)
    assert done.user_errors == [("id", "INTERESTED")]
    assert await office.can("mediator", case) == ["disclose", "recuse"]
    done = await office.do("mediator", "visitRecord", dispute_id=case.key, kind="HOME_VISIT", note="看看。")
    assert done.codes == ["INTERESTED"]
    await office.must("mediator", "disputeDisclose", id=case.key, ground="本人与当事人有利害关系。")


async def test_a_post_at_a_partys_office_ends_the_impartiality(office: Office) -> None:
    """Whoever is given or delegated a post where a party is acts no more from then on."""
    housing = await office.row("SELECT id, name FROM organization WHERE kind = 'HOUSING_DEPARTMENT'")
    case = await office.register(parties=[APPLICANT, {**COMPANY, "kind": "OTHER", "name": housing["name"]}])
    assert "accept" in await office.can("mediator", case)
    post = await office.value(
        "SELECT a.id FROM appointment a JOIN person p ON p.id = a.person_id WHERE p.name = $1", PRINCIPALS["housing"]
    )
    await office.must(
        "security_admin", "appointmentDelegate", id=post, to_person_id=await office.person("mediator"),
        to_on=now().date() + dt.timedelta(days=3), reason="休假",
    )  # fmt: skip
    try:
        assert await office.can("mediator", case) == []
        done = await office.do("mediator", "disputeAccept", id=case.key)
        assert done.user_errors == [("id", "INTERESTED")]
    finally:
        await office.execute("DELETE FROM appointment WHERE delegated_from_id = $1", post)


async def test_a_committee_accepts_no_case_of_its_own(office: Office) -> None:
    """Nor one of another town: the number belongs to the place."""
    committee = await office.row(
        "SELECT id, name, area_code FROM organization WHERE kind = 'COMMITTEE' AND area_code = $1", "371525002"
    )
    case = await office.register(
        "justice_office", parties=[APPLICANT, {**COMPANY, "kind": "OTHER", "name": committee["name"]}]
    )
    done = await office.do("justice_office", "disputeAccept", id=case.key)
    assert done.codes == ["INTERESTED"]
    other = await office.value(
        "SELECT id FROM organization WHERE kind = 'COMMITTEE' AND area_code <> $1 LIMIT 1", "371525002"
    )
    case = await _case(office)
    counters = await office.rows("SELECT * FROM case_counter ORDER BY 1, 2")
    done = await office.do("mediator", "disputeAccept", id=case.key, committee_id=other)
    assert done.user_errors == [("committeeId", "OUT_OF_AREA")]
    assert await office.rows("SELECT * FROM case_counter ORDER BY 1, 2") == counters
    await office.must("mediator", "disputeAccept", id=case.key, committee_id=committee["id"])


# -- the facts of a case


async def test_a_high_risk_is_reported_or_says_why_not_at_every_door(office: Office) -> None:
    """Registering, assessing, reopening."""
    done = await _registered(office, risk_level="HIGH")
    assert done.user_errors == [("reportReason", "REPORT_REQUIRED")]
    case = await _case(office)
    done = await office.do("mediator", "disputeAssess", id=case.key, level="HIGH", reason="扬言报复。")
    assert done.user_errors == [("reportedToPolice", "REPORT_REQUIRED")]
    done = await _registered(office, risk_level="LOW", no_report_reason="不必")
    assert done.user_errors == [("noReportReason", "NOT_APPLICABLE")]
    done = await _registered(office, risk_level="HIGH", no_report_reason="已当面劝止，双方平静。")
    assert done.ok, done.payload
    done = await _registered(office, risk_level="HIGH", report_reason="扬言报复")
    assert done.ok, done.payload
    key = UUID(done.shown["id"].partition(":")[2])
    assert await office.value("SELECT kind FROM referral WHERE dispute_id = $1", key) == "RISK_REPORT"
    assert await office.value("SELECT reported FROM assessment WHERE dispute_id = $1", key)
    done = await _registered(office, "grid_worker", risk_level="HIGH", report_reason="扬言报复", source="GRID")
    assert done.user_errors == [("reportReason", "FORBIDDEN")]
    await office.execute("UPDATE dispute SET state = 'PERFORMED', accepted_at = registered_at, concluded_at = now(), closed_at = now(),"
                         " case_number = 'x' || id, case_year = 2020, case_sequence = 1, committee_id = (SELECT id FROM organization"
                         " WHERE kind = 'COMMITTEE' AND area_code = '371525002') WHERE id = $1", key)  # fmt: skip
    await office.execute("UPDATE dispute SET state = 'CLOSED' WHERE id = $1", key)
    shown = await office.must(
        "mediator", "disputeReopen", id=key, reason="又起。", shown="id riskLevel assessments { reason reported }"
    )
    assert shown["riskLevel"] == "HIGH"
    assert [one["reported"] for one in shown["assessments"]] == [True]


async def _registered(office: Office, who: str = "mediator", **given: Any) -> Done:
    values = {
        "title": "争议", "sub_category": "P01", "source": "INITIATIVE", "summary": "争议。", "parties": [APPLICANT, COMPANY],
        "compound_id": await office.value("SELECT compound_id FROM dispute WHERE id = $1", (await _case(office)).key),
    }  # fmt: skip
    return await office.do(who, "disputeRegister", **{**values, **given})


SOURCES = {
    "agency_hotline": "HOTLINE", "agency_petition": "PETITION", "police": "POLICE", "court": "COURT", "housing": "DEPARTMENT",
    "governance_centre": "GOVERNANCE_CENTRE",
}  # fmt: skip


@pytest.mark.parametrize("who", SOURCES)
async def test_a_partner_reports_as_itself(office: Office, who: str) -> None:
    """No partner names another as the source of what it reports."""
    for source in (*SOURCES.values(), "APPLY"):
        done = await _registered(office, who, source=source)
        assert done.codes == ([] if source == SOURCES[who] else ["NOT_OWN_SOURCE"]), source


# -- minors


@pytest.fixture
def child() -> dict[str, Any]:
    """A minor who applies."""
    return {"side": "APPLICANT", "kind": "OWNER", "name": "小明", "id_number": CHILD}


async def test_a_minor_acts_through_a_guardian(office: Office, child: dict[str, Any]) -> None:
    """The age follows from the number; consent needs the guardian's name, and whoever becomes a minor afterwards needs it too."""
    case = await office.accepted(parties=[child, COMPANY])
    assert await office.value("SELECT is_minor FROM party WHERE id = $1", case.applicant)
    given = {"id": case.key, "party_id": case.applicant}
    assert (await office.do("mediator", "disputeConsent", **given)).user_errors == [("partyId", "GUARDIAN_REQUIRED")]
    await office.must("mediator", "partyAppoint", id=case.applicant, agent_name="王强", powers="法定代理")
    await office.must("mediator", "disputeConsent", **given)
    # The stored number still speaks when only the word is to change.
    done = await office.do("mediator", "partyUpdate", id=case.applicant, is_minor=False)
    assert done.user_errors == [("isMinor", "CONTRADICTION")]
    grown = await office.mediating(parties=[{**APPLICANT, "id_number": None}, COMPANY])
    done = await office.do("mediator", "partyUpdate", id=grown.applicant, id_number=CHILD)
    assert done.user_errors == [("idNumber", "GUARDIAN_REQUIRED")]
    done = await office.do("mediator", "partyUpdate", id=grown.applicant, is_minor=True)
    assert done.user_errors == [("isMinor", "GUARDIAN_REQUIRED")]
