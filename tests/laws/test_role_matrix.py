"""Law: the facts of the role matrix on which the bureau's lawyer relies, written by hand and held against every row of the county."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from db.county.people import PRINCIPALS
from tests.laws.client import GraphQLClient
from tests.laws.expected_cells import scalars
from tests.laws.visibility_oracle import Record, Rights, Snapshot, global_id, key_of

# Each fact: a role, and what must hold of all rows that it finds. `None`: the whole kind of row is out of its reach.
Holds = Callable[[Snapshot, Record, dict[str, Any]], bool]


def _masked_phone(_: Snapshot, row: Record, shown: dict[str, Any]) -> bool:
    return shown["phone"] is None or "****" in shown["phone"] or set(shown["phone"][-8:]) >= {"*"}


def _no(*names: str) -> Holds:
    return lambda _, row, shown: all(shown[name] is None for name in names)


def _own(role: str, attribute: str, claim: str) -> Holds:
    def holds(snapshot: Snapshot, row: Record, _: dict[str, Any]) -> bool:
        dispute = row if attribute in row else snapshot.rows["Dispute"][row["dispute_id"]]
        (post,) = snapshot.appointments(PRINCIPALS[role])
        return bool(dispute[attribute] == post.claims[claim])

    return holds


def _own_case(snapshot: Snapshot, row: Record, _: dict[str, Any]) -> bool:
    key = row.get("dispute_id", row["id"])
    me = snapshot.person(PRINCIPALS["mediator"])
    return any(one["ended_at"] is None for one in snapshot.find("Assignment", dispute_id=key, person_id=me))


def _sent_to(role: str, *more: str) -> Holds:
    def holds(snapshot: Snapshot, row: Record, _: dict[str, Any]) -> bool:
        key = row.get("dispute_id", row["id"])
        me = snapshot.appointments(PRINCIPALS[role])[0].claims["organization_id"]
        sent = any(one["state"] != "WITHDRAWN" for one in snapshot.find("Referral", dispute_id=key, organization_id=me))
        confirms = "confirming" in more and snapshot.find("Confirmation", dispute_id=key, court_id=me)
        reported = "reported" in more and snapshot.rows["Dispute"][key]["source_organization_id"] == me
        return sent or bool(confirms) or reported

    return holds


def _caucus(snapshot: Snapshot, row: Record, _: dict[str, Any]) -> bool:
    me = snapshot.person(PRINCIPALS["mediator"])
    leads = snapshot.find("Assignment", dispute_id=row["dispute_id"], person_id=me, is_lead=True, ended_at=None)
    return row["visibility"] != "CAUCUS" or row["author_id"] == me or bool(leads)


def _not(visibility: str) -> Holds:
    return lambda _, row, __: row["visibility"] != visibility


def _legal_person(_: Snapshot, row: Record, __: dict[str, Any]) -> bool:
    return row["is_natural_person"] is False


def _own_caller(role: str) -> Holds:
    def holds(snapshot: Snapshot, row: Record, _: dict[str, Any]) -> bool:
        me = snapshot.appointments(PRINCIPALS[role])[0].claims["organization_id"]
        reported = snapshot.rows["Dispute"][row["dispute_id"]]["source_organization_id"]
        return bool(row["supplied_by_id"] == me == reported)

    return holds


def _attended(role: str) -> Holds:
    def holds(snapshot: Snapshot, row: Record, _: dict[str, Any]) -> bool:
        me = snapshot.appointments(PRINCIPALS[role])[0].claims["organization_id"]
        session = row["session_id"] if "session_id" in row else row["id"]
        return me in snapshot.present[session]

    return holds


def _confirmation_file(snapshot: Snapshot, row: Record, shown: dict[str, Any]) -> bool:
    me = snapshot.appointments(PRINCIPALS["court"])[0].claims["organization_id"]
    return shown["idNumber"] is None or bool(snapshot.find("Confirmation", dispute_id=row["dispute_id"], court_id=me))


def _at_team(snapshot: Snapshot, row: Record, shown: dict[str, Any]) -> bool:
    dispute = row if "tier" in row else snapshot.rows["Dispute"][row["dispute_id"]]
    return dispute["tier"] == "TEAM"


def _old_is_masked(snapshot: Snapshot, row: Record, shown: dict[str, Any]) -> bool:
    closed = snapshot.rows["Dispute"][row["dispute_id"]]["closed_at"]
    recent = closed is None or closed > dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    return recent or not row["is_natural_person"] or shown["name"].endswith("*")


def _only_masked_person(_: Snapshot, row: Record, shown: dict[str, Any]) -> bool:
    name = shown["name"]
    return name is None or not row["is_natural_person"] or (name != row["name"] and name.endswith("*"))


def _masked_identity(_: Snapshot, row: Record, shown: dict[str, Any]) -> bool:
    return shown["idNumber"] is None or "********" in shown["idNumber"]


CASE_DATA = (
    "Dispute Party Assignment Measure Session Attendance Note Agreement Signature Confirmation Extension Obligation "
    "Performance FollowUp Referral"
).split()

FACTS: list[tuple[str, str, Holds | None]] = [
    # 网格员: own grid; no ID number anywhere; phone masked; no records, no agreement text; 30 days after closing only masks
    ("grid_worker", "Dispute", _own("grid_worker", "grid_code", "area_code")),
    ("grid_worker", "Dispute", _no("amountClaimed")),
    ("grid_worker", "Party", _own("grid_worker", "grid_code", "area_code")),
    ("grid_worker", "Party", _at_team),
    ("grid_worker", "Party", _no("idNumber", "isMinor")),
    ("grid_worker", "Party", _masked_phone),
    ("grid_worker", "Party", _old_is_masked),
    ("grid_worker", "Session", None),
    ("grid_worker", "Signature", None),
    ("grid_worker", "Agreement", _no("content")),
    ("grid_worker", "Note", lambda snapshot, row, _: row["author_id"] == snapshot.person(PRINCIPALS["grid_worker"])),
    # 法律顾问: own team while it has the case; no contact, no ID number
    ("legal_adviser", "Party", _no("phone", "idNumber", "isMinor")),
    ("legal_adviser", "Party", _at_team),
    ("legal_adviser", "Session", _at_team),
    ("legal_adviser", "Note", _not("CAUCUS")),
    ("legal_adviser", "Confirmation", None),
    # 法治带头人: no evidence, no ID number, no money
    ("law_leader", "Dispute", _no("amountClaimed")),
    ("law_leader", "Obligation", _no("amount", "content")),
    ("law_leader", "Agreement", _no("content")),
    ("law_leader", "Party", _no("idNumber")),
    ("law_leader", "Party", _masked_phone),
    ("law_leader", "Performance", None),
    ("law_leader", "Session", None),
    # 人民调解员: assigned cases; the ID number masked; caucus notes of others only as the lead; no audit log
    *(("mediator", resource, _own_case) for resource in CASE_DATA),
    ("mediator", "Party", _masked_identity),
    ("mediator", "Note", _caucus),
    ("mediator", "Event", None),
    # 调解队: only what was handed to the squad; no caucus notes of others
    ("squad_member", "Event", None),
    # 调解中心
    ("centre_staff", "Note", _not("CAUCUS")),
    ("centre_staff", "Note", _own("centre_staff", "centre_id", "organization_id")),
    ("centre_staff", "Party", _own("centre_staff", "centre_id", "organization_id")),
    # 派出所: invited cases; joint sessions it attended; no private notes; no money
    ("police", "Dispute", _sent_to("police", "reported")),
    ("police", "Dispute", _no("amountClaimed", "summary")),
    ("police", "Party", _no("idNumber", "isMinor")),
    ("police", "Party", _masked_phone),
    ("police", "Session", _attended("police")),
    ("police", "Note", _attended("police")),
    ("police", "Note", lambda _, row, __: row["visibility"] == "SHARED"),
    ("police", "Agreement", _no("content")),
    ("police", "Obligation", None),
    # 司法所: own town; phone and ID number masked; no caucus notes
    ("justice_office", "Dispute", _own("justice_office", "town_code", "area_code")),
    ("justice_office", "Party", _masked_phone),
    ("justice_office", "Party", _masked_identity),
    ("justice_office", "Note", _not("CAUCUS")),
    # 综治中心: what it sent, what it was invited to; no notes, evidence, agreement text
    ("governance_centre", "Dispute", _sent_to("governance_centre", "reported")),
    ("governance_centre", "Note", None),
    ("governance_centre", "Agreement", None),
    ("governance_centre", "Performance", None),
    ("governance_centre", "Party", _no("idNumber")),
    # 法庭: referred, invited, confirming; ID number in confirmation files only; no notes, no records
    ("court", "Dispute", _sent_to("court", "confirming", "reported")),
    ("court", "Dispute", _no("summary")),
    ("court", "Note", None),
    ("court", "Session", None),
    ("court", "Performance", None),
    ("court", "Party", _confirmation_file),
    ("court", "Party", _masked_identity),
    # 12345、信访: what they sent; their own caller only
    ("agency_hotline", "Party", _own_caller("agency_hotline")),
    ("agency_hotline", "Dispute", _own("agency_hotline", "source_organization_id", "organization_id")),
    ("agency_hotline", "Dispute", _no("summary", "amountClaimed")),
    ("agency_hotline", "Note", None),
    ("agency_petition", "Party", _own_caller("agency_petition")),
    ("agency_petition", "Dispute", _no("summary", "amountClaimed")),
    ("agency_petition", "Agreement", _no("content")),
    ("agency_petition", "Note", None),
    # 住建: companies and facts, no owner
    ("housing", "Dispute", _sent_to("housing", "reported")),
    ("housing", "Dispute", _no("summary", "amountClaimed")),
    ("housing", "Party", _legal_person),
    ("housing", "Party", _no("phone", "address", "idNumber")),
    ("housing", "Note", None),
    ("housing", "Agreement", None),
    # 业务管理员: all masked; no caucus notes; no audit log
    ("bureau_admin", "Party", _only_masked_person),
    ("bureau_admin", "Party", _masked_phone),
    ("bureau_admin", "Party", _masked_identity),
    ("bureau_admin", "Note", _not("CAUCUS")),
    ("bureau_admin", "Event", None),
    # 分析人员: no parties, no texts
    ("analyst", "Party", None),
    ("analyst", "Note", None),
    ("analyst", "Session", None),
    ("analyst", "Dispute", _no("summary", "amountClaimed", "externalRef")),
    ("analyst", "Agreement", _no("content")),
    ("analyst", "Obligation", _no("amount", "content")),
    ("analyst", "FollowUp", _no("remark")),
    # 三员: no business rows
    *(("auditor", resource, None) for resource in CASE_DATA),
    *(("system_admin", resource, None) for resource in (*CASE_DATA, "Event")),
    *(("security_admin", resource, None) for resource in (*CASE_DATA, "Event")),
]


@pytest.mark.parametrize("role", PRINCIPALS)
async def test_the_facts(gql: GraphQLClient, snapshot: Snapshot, role: str) -> None:
    """The role matrix by hand, held against what `nodes` shows of every row of the county."""
    person = PRINCIPALS[role]
    for resource in dict.fromkeys(resource for who, resource, _ in FACTS if who == role):
        facts = [fact for who, what, fact in FACTS if (who, what) == (role, resource)]
        keys = sorted(snapshot.rows[resource])
        names = " ".join(scalars(gql.services.schema, resource))
        query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {resource} {{ id {names} }} }} }}"
        seen = 0
        for start in range(0, len(keys), 100):
            data = await gql.data(person, query, ids=[global_id(resource, key) for key in keys[start : start + 100]])
            for node in filter(None, data["nodes"]):
                seen += 1
                for number, fact in enumerate(facts):
                    row = snapshot.rows[resource][key_of(node["id"])]
                    assert fact is not None, (role, resource)
                    assert fact(snapshot, row, node), (role, resource, number, dict(row), node)
        assert seen or None in facts or (role, resource) in NOT_IN_THE_COUNTY, (role, resource)


# Rows that the principal could see, if the demo county had any.
NOT_IN_THE_COUNTY = {("grid_worker", "Note")}


async def test_squad_and_team(snapshot: Snapshot) -> None:
    """A squad's case is one that was handed to it or in which the member mediates; a team's adviser reads it while the team has it."""
    squad = Rights(snapshot, snapshot.appointments(PRINCIPALS["squad_member"]))
    (post,) = squad.appointments
    for row in (snapshot.rows["Dispute"][key] for key in squad.ids("Dispute")):
        assigned = snapshot.find("Assignment", dispute_id=row["id"], person_id=post.claims["person_id"], ended_at=None)
        assert row["squad_id"] == post.claims["organization_id"] or assigned
    assert not any(row["squad_id"] is None and row["tier"] == "SQUAD" for row in snapshot.rows["Dispute"].values())
