"""Parties: added, corrected, represented, leaving; and their guarded cells revealed, recorded and counted."""

import asyncio
from typing import Any
from uuid import uuid4

import orjson
import pytest

from db.county.people import SECOND_MEDIATOR
from db.write.disclosure import DAILY_QUOTA
from tests.office import ID_NUMBERS, Case, Done, Office, key_of, name_of

CREDIT_CODE = "91371525MA3TEYT02R"
SHOWN = "revealed { field value }"


async def _party(office: Office, key: Any) -> Any:
    return await office.row("SELECT * FROM party WHERE id = $1", key)


# -- adding


async def test_a_party_is_added_with_its_number_masked(office: Office) -> None:
    case = await office.mediating()
    shown = await office.must(
        "mediator",
        "partyAdd",
        shown="id side name idNumber dispute { version }",
        id=case.key,
        party={"side": "THIRD", "kind": "OCCUPANT", "name": "王小明", "id_number": ID_NUMBERS[1]},
    )
    assert shown["idNumber"] == "371525********0024"
    assert shown["dispute"]["version"] == 6
    (event,) = await office.events(case, "party.add")
    assert (event["resource"], event["resource_id"]) == ("Party", key_of(shown["id"]))
    assert "王小明" not in str(dict(event))


async def test_every_user_error_of_a_party_is_reported_and_none_is_stored(office: Office) -> None:
    case = await office.mediating()
    party = {
        "side": "THIRD",
        "kind": "OTHER",
        "name": " ",
        "phone": "1",
        "address": "",
        "id_number": "371525190001010017",
    }
    done = await office.do("mediator", "partyAdd", id=case.key, party={**party, "credit_code": "x"})
    assert sorted(done.user_errors) == [
        ("party.address", "REQUIRED"),
        ("party.creditCode", "BAD_CREDIT_CODE"),
        ("party.creditCode", "NOT_APPLICABLE"),
        ("party.idNumber", "BAD_ID_NUMBER"),
        ("party.name", "REQUIRED"),
        ("party.phone", "BAD_PHONE"),
    ]
    assert "371525190001010017" not in str(done.payload)
    assert await office.value("SELECT count(*) FROM party WHERE dispute_id = $1", case.key) == 2


async def test_nobody_is_a_party_twice(office: Office) -> None:
    case = await office.mediating()
    party = {"side": "THIRD", "kind": "OWNER", "name": "李龙", "id_number": ID_NUMBERS[0]}
    assert (await office.do("mediator", "partyAdd", id=case.key, party=party)).user_errors == [
        ("party.idNumber", "DUPLICATE")
    ]
    other = await office.must(
        "mediator", "partyAdd", id=case.key, party={"side": "THIRD", "kind": "OCCUPANT", "name": "王小明"}
    )
    # However it is typed.
    for number in (
        ID_NUMBERS[0],
        "371525 19000101 0016",
        "３７１５２５１９０００１０１００１６",
        f"\u200b{ID_NUMBERS[0]}",
    ):
        done = await office.do("mediator", "partyUpdate", id=key_of(other["id"]), id_number=number)
        assert done.user_errors == [("idNumber", "DUPLICATE")]


# Whether a party is a person: what is written of it, then the answer, or the fields that contradict each other.
NUMBERED, CODED = {"id_number": ID_NUMBERS[1]}, {"credit_code": CREDIT_CODE}
NATURES: list[tuple[dict[str, Any], bool | list[str]]] = [
    ({"kind": "OTHER"}, True),
    ({"kind": "OTHER", **NUMBERED}, True),
    ({"kind": "OTHER", **CODED}, False),
    ({"kind": "OTHER", "is_natural_person": False}, False),
    ({"kind": "OWNER"}, True),
    ({"kind": "OWNER", **CODED}, ["creditCode"]),
    ({"kind": "OWNER", "is_natural_person": False, **CODED}, False),
    ({"kind": "OCCUPANT", **CODED}, ["creditCode"]),
    ({"kind": "COMPANY", **CODED}, False),
    ({"kind": "COMPANY", **NUMBERED}, ["idNumber"]),
    ({"kind": "DEVELOPER", **NUMBERED, **CODED}, ["idNumber"]),
    ({"kind": "UTILITY", "is_natural_person": True}, ["isNaturalPerson"]),
    ({"kind": "OWNERS_COMMITTEE", "is_minor": True}, ["isMinor"]),
    ({"kind": "OTHER", "is_natural_person": False, **NUMBERED}, ["idNumber"]),
    ({"kind": "OTHER", **NUMBERED, **CODED}, ["creditCode"]),
]


@pytest.mark.parametrize(("said", "outcome"), NATURES)
async def test_what_is_known_of_a_party_says_whether_it_is_a_person(
    office: Office, said: dict[str, Any], outcome: bool | list[str]
) -> None:
    """The same at both doors: a new party, and one of which more becomes known."""
    case = await office.mediating()
    added = await office.do(
        "mediator", "partyAdd", shown="isNaturalPerson", id=case.key, party={"side": "THIRD", "name": "赵铁柱", **said}
    )
    plain = await office.must(
        "mediator", "partyAdd", id=case.key, party={"side": "THIRD", "kind": "OTHER", "name": "钱来"}
    )
    updated = await office.do("mediator", "partyUpdate", shown="isNaturalPerson", id=key_of(plain["id"]), **said)
    if isinstance(outcome, bool):
        assert added.shown == {"isNaturalPerson": outcome}
        # A number that another party has, or that nothing was said about: the person of the guarded side stays.
        assert updated.codes == ["DUPLICATE"] or updated.shown == {"isNaturalPerson": outcome}
    else:
        assert added.user_errors == [(f"party.{field}", "NOT_APPLICABLE") for field in outcome]
        assert updated.user_errors == [(field, "NOT_APPLICABLE") for field in outcome]


async def test_a_party_is_stored_and_found_in_one_form(office: Office) -> None:
    case = await office.mediating()
    party = {"side": "THIRD", "kind": "OWNER", "name": "买买提 · 艾力\u200b", "phone": "（0635）295-1234"}
    shown = await office.must("mediator", "partyAdd", shown="id name phone", id=case.key, party=party)
    assert (shown["name"], shown["phone"]) == ("买买提·艾力", "0635-2951234")
    query = "query($f: DisputeFilter!) { disputes(filter: $f) { nodes { id } } }"
    for filters in ({"partyName": "买买提・艾力"}, {"partyPhone": "06352951234"}, {"partyPhone": "+86 0635 2951234"}):
        found = await office.gql.data(name_of("mediator"), query, f=filters)
        assert {"id": f"Dispute:{case.key}"} in found["disputes"]["nodes"], filters
    nobody = await office.do("mediator", "partyUpdate", id=key_of(shown["id"]), name="\u200b")
    assert nobody.user_errors == [("name", "REQUIRED")]
    agent = await office.do("mediator", "partyAppoint", id=key_of(shown["id"]), agent_name="\ufeff", powers="一般代理")
    assert agent.user_errors == [("agentName", "REQUIRED")]


async def test_a_company_of_the_register_is_known_by_its_code_or_name(office: Office) -> None:
    company = await office.row("SELECT * FROM company ORDER BY name LIMIT 1")
    case = await office.mediating()
    party = {"side": "THIRD", "kind": "COMPANY", "name": company["name"]}
    shown = await office.must("mediator", "partyAdd", shown="id company { name }", id=case.key, party=party)
    assert shown["company"] == {"name": company["name"]}
    await office.must("mediator", "partyUpdate", id=key_of(shown["id"]), credit_code=CREDIT_CODE)
    assert (await _party(office, key_of(shown["id"])))["company_id"] is None
    await office.must("mediator", "partyUpdate", id=key_of(shown["id"]), credit_code=company["credit_code"])
    assert (await _party(office, key_of(shown["id"])))["company_id"] == company["id"]


# -- correcting


async def test_what_is_written_changes_and_the_rest_stays(office: Office) -> None:
    case = await office.mediating()
    shown = await office.must(
        "mediator",
        "partyUpdate",
        shown="name phone address idNumber dispute { version }",
        id=case.applicant,
        phone="13900000001",
        address="和风小区",
        id_number="37152519000101002 4",
    )
    assert shown == {
        "name": "李龙",
        "phone": "13900000001",
        "address": "和风小区",
        "idNumber": "371525********0024",
        "dispute": {"version": 6},
    }
    (event,) = await office.events(case, "party.update")
    assert event["fields"] == "phone address is_minor id_number"
    for secret in ("13900000001", "和风小区", ID_NUMBERS[1], "371525********0024"):
        assert secret not in str(dict(event))


async def test_what_is_not_needed_is_erased(office: Office) -> None:
    case = await office.mediating()
    shown = await office.must(
        "mediator", "partyUpdate", shown="phone idNumber", id=case.applicant, cleared=["PHONE", "ID_NUMBER"]
    )
    assert shown == {"phone": None, "idNumber": None}
    row = await _party(office, case.applicant)
    assert (row["id_number_cipher"], row["id_number_hash"]) == (None, None)


async def test_an_update_says_something(office: Office) -> None:
    case = await office.mediating()
    assert (await office.do("mediator", "partyUpdate", id=case.applicant)).user_errors == [("", "REQUIRED")]
    done = await office.do("mediator", "partyUpdate", id=case.applicant, phone="13900000001", cleared=["PHONE"])
    assert done.user_errors == [("cleared.0", "NOT_BOTH")]


async def test_the_version_is_that_of_the_dispute(office: Office) -> None:
    case = await office.mediating()
    given = {"id": case.applicant, "phone": "13900000001"}
    done = await office.do("mediator", "partyUpdate", **given, expected_version=4)
    assert done.payload is not None
    assert done.payload["conflict"] == {"currentVersion": 5}
    assert (await _party(office, case.applicant))["phone"] == "13800000000"
    await office.must("mediator", "partyUpdate", **given, expected_version=5)


async def test_only_those_who_hold_the_dispute_change_its_parties(office: Office) -> None:
    case = await office.mediating()
    for role in ("grid_worker", "legal_adviser", "squad_member", "police", "bureau_admin", "auditor"):
        done = await office.do(role, "partyUpdate", id=case.applicant, phone="13900000001")
        assert done.codes in (["NOT_FOUND"], ["FORBIDDEN"]), role
    assert (await office.do("mediator", "partyUpdate", id=uuid4(), phone="13900000001")).user_errors == [
        ("id", "NOT_FOUND")
    ]
    await office.at_tier(case, "SQUAD")
    await office.must("squad_member", "partyUpdate", id=case.applicant, phone="13900000001")


async def test_nothing_changes_in_the_archive(office: Office) -> None:
    archived = await office.row(
        "SELECT p.id, p.dispute_id FROM party p JOIN dispute d ON d.id = p.dispute_id"
        " JOIN assignment a ON a.dispute_id = d.id AND a.person_id = $1 AND a.ended_at IS NULL"
        " WHERE d.state = 'ARCHIVED' LIMIT 1",
        await office.person("mediator"),
    )
    assert archived is not None
    done = await office.do("mediator", "partyUpdate", id=archived["id"], phone="13900000001")
    assert done.user_errors == [("id", "WRONG_STATE")]
    can = await office.can("mediator", _case(archived["dispute_id"]), "Party", archived["id"])
    assert can == ["reveal"]
    assert (await _reveal(office, "mediator", archived["id"])).ok


# -- agents, leaving


async def test_an_agent_is_appointed_with_his_powers(office: Office) -> None:
    case = await office.mediating()
    done = await office.do("mediator", "partyAppoint", id=case.respondent, agent_name="", powers=" ")
    assert done.user_errors == [("agentName", "REQUIRED"), ("powers", "REQUIRED")]
    shown = await office.must(
        "mediator",
        "partyAppoint",
        shown="agentName agentPowers",
        id=case.respondent,
        agent_name="钱某",
        powers="特别授权：和解、签收",
    )
    assert shown == {"agentName": "钱某", "agentPowers": "特别授权：和解、签收"}
    (event,) = await office.events(case, "party.appoint")
    assert "钱某" not in str(dict(event))


async def test_one_of_several_leaves_and_the_others_go_on(office: Office) -> None:
    case = await office.accepted()
    second = await office.must(
        "mediator", "partyAdd", id=case.key, party={"side": "APPLICANT", "kind": "OWNER", "name": "赵某"}
    )
    for party in (case.applicant, case.respondent):
        await office.must("mediator", "disputeConsent", id=case.key, party_id=party)
    assert (await office.dispute(case))["state"] == "ACCEPTED"
    leaving = {"id": key_of(second["id"]), "reason": "已搬离本小区"}
    shown = await office.must("mediator", "partyWithdraw", shown="withdrawnOn dispute { state }", **leaving)
    assert shown["withdrawnOn"]
    # The party was the only one that had not consented.
    assert shown["dispute"]["state"] == "MEDIATING"
    (event,) = await office.events(case, "party.withdraw")
    assert (event["from_state"], event["to_state"], event["reason"]) == ("ACCEPTED", "MEDIATING", "已搬离本小区")
    assert (await office.do("mediator", "partyWithdraw", **leaving)).user_errors == [("id", "WITHDRAWN")]
    done = await office.do("mediator", "disputeRefuse", id=case.key, party_id=leaving["id"], reason="不愿再谈")
    assert done.user_errors == [("partyId", "WITHDRAWN")]


async def test_the_last_of_a_side_does_not_just_leave(office: Office) -> None:
    case = await office.mediating()
    done = await office.do("mediator", "partyWithdraw", id=case.applicant, reason="不想调了")
    assert done.user_errors == [("id", "LAST_OF_SIDE")]
    can = await office.can("mediator", case, "Party", case.applicant)
    assert sorted(can) == ["appoint", "reveal", "update"]


# -- revealing


async def _reveal(
    office: Office, who: str, key: Any, *fields: str, reason: str = "制作调解协议书", **given: Any
) -> Done:
    wanted = list(fields or ["ID_NUMBER"])
    return await office.do(
        who, "partyReveal", shown="idNumber", and_show=SHOWN, id=key, fields=wanted, reason=reason, **given
    )


async def test_a_number_is_revealed_and_the_look_recorded_without_it(office: Office) -> None:
    case = await office.mediating()
    done = await _reveal(office, "mediator", case.applicant)
    assert done.ok
    assert done.payload is not None
    assert done.payload["revealed"] == [{"field": "idNumber", "value": ID_NUMBERS[0]}]
    assert done.shown == {"idNumber": "371525********0016"}
    (event,) = await office.events(case, "party.reveal")
    assert (event["resource"], event["resource_id"]) == ("Party", case.applicant)
    assert (event["fields"], event["reason"]) == ("id_number", "制作调解协议书")
    assert event["actor_id"] == await office.person("mediator")
    assert ID_NUMBERS[0] not in str(dict(event))
    # Looking changes nothing.
    assert (await office.dispute(case))["version"] == 5


async def test_what_is_not_there_is_null(office: Office) -> None:
    case = await office.mediating()
    done = await _reveal(office, "mediator", case.respondent)
    assert done.payload is not None
    assert done.payload["revealed"] == [{"field": "idNumber", "value": None}]


async def test_the_rule_names_the_classes_of_field(office: Office) -> None:
    case = await office.mediating()
    done = await _reveal(office, "mediator", case.applicant, "ID_NUMBER", "PHONE", "NAME")
    assert done.user_errors == [("fields.1", "FORBIDDEN"), ("fields.2", "FORBIDDEN")]
    assert done.payload is not None
    assert done.payload["revealed"] is None
    done = await _reveal(office, "justice_office", case.applicant, "PHONE", "ID_NUMBER")
    assert done.payload is not None
    assert done.payload["revealed"] == [
        {"field": "phone", "value": "13800000000"},
        {"field": "idNumber", "value": ID_NUMBERS[0]},
    ]
    done = await _reveal(office, "bureau_admin", case.applicant, "NAME")
    assert done.payload is not None
    assert done.payload["revealed"] == [{"field": "name", "value": "李龙"}]


async def test_a_look_has_a_reason(office: Office) -> None:
    case = await office.mediating()
    wrong = [("", "REQUIRED"), ("看看", "TOO_SHORT"), (f"核对{ID_NUMBERS[0]}", "PERSONAL_DATA")]
    for reason, code in wrong:
        done = await _reveal(office, "mediator", case.applicant, reason=reason)
        assert done.user_errors == [("reason", code)]
    done = await office.do("mediator", "partyReveal", and_show=SHOWN, id=case.applicant, fields=[], reason="制作协议书")
    assert done.user_errors == [("fields", "REQUIRED")]
    assert not await office.events(case, "party.reveal")


@pytest.mark.parametrize(
    "role", ["grid_worker", "legal_adviser", "law_leader", "police", "court", "analyst", "auditor"]
)
async def test_nobody_else_looks(office: Office, role: str) -> None:
    case = await office.mediating()
    done = await _reveal(office, role, case.applicant)
    assert done.codes in (["NOT_FOUND"], ["FORBIDDEN"])
    assert ID_NUMBERS[0] not in (done.response.text or b"").decode()


async def test_a_look_is_not_replayed_and_its_receipt_holds_no_value(office: Office) -> None:
    case = await office.mediating()
    first = await _reveal(office, "mediator", case.applicant, idempotency_key="look-1")
    assert first.ok
    again = await _reveal(office, "mediator", case.applicant, idempotency_key="look-1")
    assert again.user_errors == [("idempotencyKey", "REVEALED")]
    assert again.payload is not None
    assert again.payload["revealed"] is None
    assert len(await office.events(case, "party.reveal")) == 1
    receipt = await office.value("SELECT receipt FROM request WHERE key = 'look-1'")
    assert orjson.loads(receipt).keys() == {"kind", "id"}


async def test_the_days_looks_are_counted_also_when_they_race(office: Office) -> None:
    case = await office.mediating()
    # The second mediator, so that the others' looks do not count.
    person = await office.person(SECOND_MEDIATOR)
    await office.execute(
        "INSERT INTO assignment (dispute_id, dispute_registered_at, person_id, is_lead, mode, assigned_at)"
        " SELECT id, registered_at, $2, false, 'APPOINTED', registered_at FROM dispute WHERE id = $1",
        case.key,
        person,
    )
    await office.execute(
        "INSERT INTO event (dispute_id, actor_id, at, action, resource, resource_id)"
        " SELECT $1, $2, t.at, 'party.reveal', 'Party', $3"
        " FROM (SELECT now() AS at FROM generate_series(1, $4::int) UNION ALL SELECT now() - interval '25 hours') t",
        case.key,
        person,
        case.applicant,
        DAILY_QUOTA - 2,
    )
    await office.gql.token(SECOND_MEDIATOR)
    done = await asyncio.gather(*(_reveal(office, SECOND_MEDIATOR, case.applicant) for _ in range(5)))
    assert sorted(one.ok for one in done) == [False, False, False, True, True]
    assert {code for one in done for code in one.user_errors} == {("", "QUOTA")}


def _case(key: Any) -> Case:
    return Case(key, None, None, None)  # type: ignore[arg-type]
