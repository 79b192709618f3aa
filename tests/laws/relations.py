"""What belongs to what, by the keys of plain rows: from each type by each relation to which rows."""

from collections.abc import Callable
from uuid import UUID

from tests.laws.expected import Record, World, camel

# type: relation Target own-column=target-column. A list of parts hangs on dispute_id.
_KEYS = """
Area: parent Area parent_code=code, areas Area code=parent_code
Organization: area Area area_code=code, parent Organization parent_id=id, mediators Mediator id=organization_id,
 appointments Appointment id=organization_id
Company: compounds Compound id=company_id
Compound: area Area grid_code=code, company Company company_id=id, disputes Dispute id=compound_id
Person: mediator Mediator id=person_id, appointments Appointment id=person_id, team_memberships TeamMember id=person_id
Appointment: person Person person_id=id, organization Organization organization_id=id, area Area area_code=code
Mediator: person Person person_id=id, organization Organization organization_id=id
Team: area Area grid_code=code, members TeamMember id=team_id, disputes Dispute id=team_id
TeamMember: team Team team_id=id, person Person person_id=id
Dispute: area Area grid_code=code, compound Compound compound_id=id, committee Organization committee_id=id,
 source_organization Organization source_organization_id=id, team Team team_id=id, squad Organization squad_id=id,
 centre Organization centre_id=id, previous Dispute previous_id=id, assignments Assignment id=dispute_id, parties Party id=dispute_id,
 measures Measure id=dispute_id, sessions Session id=dispute_id, notes Note id=dispute_id, agreements Agreement id=dispute_id,
 obligations Obligation id=dispute_id, confirmations Confirmation id=dispute_id, extensions Extension id=dispute_id,
 follow_ups FollowUp id=dispute_id, referrals Referral id=dispute_id, events Event id=dispute_id
Party: dispute Dispute dispute_id=id, company Company company_id=id, obligations Obligation id=party_id
Assignment: dispute Dispute dispute_id=id, mediator Mediator person_id=person_id
Measure: dispute Dispute dispute_id=id
Session: dispute Dispute dispute_id=id, notes Note id=session_id, attendances Attendance id=session_id
Attendance: session Session session_id=id, organization Organization organization_id=id
Note: dispute Dispute dispute_id=id, session Session session_id=id, author Person author_id=id
Agreement: dispute Dispute dispute_id=id, obligations Obligation id=agreement_id, signatures Signature id=agreement_id,
 confirmations Confirmation id=agreement_id
Signature: agreement Agreement agreement_id=id, party Party party_id=id, person Person person_id=id,
 organization Organization organization_id=id
Confirmation: dispute Dispute dispute_id=id, agreement Agreement agreement_id=id, court Organization court_id=id
Extension: dispute Dispute dispute_id=id
Obligation: dispute Dispute dispute_id=id, agreement Agreement agreement_id=id, party Party party_id=id,
 performances Performance id=obligation_id
Performance: dispute Dispute dispute_id=id, obligation Obligation obligation_id=id
FollowUp: dispute Dispute dispute_id=id, visitor Person visitor_id=id
Referral: dispute Dispute dispute_id=id, organization Organization organization_id=id,
 from_organization Organization from_organization_id=id
Event: dispute Dispute dispute_id=id, actor Person actor_id=id
"""

# (type, GraphQL name of the relation) -> (target, rows of the target that belong to a row)
Follow = Callable[[World, Record], set[UUID]]
RELATIONS: dict[tuple[str, str], tuple[str, Follow]] = {}


def _by_key(target: str, own: str, key: str) -> Follow:
    def follow(world: World, row: Record) -> set[UUID]:
        return set() if row[own] is None else {one["id"] for one in world.index(target, key)[row[own]]}

    return follow


def _within(target: str, column: str) -> Follow:
    def follow(world: World, row: Record) -> set[UUID]:
        return {one["id"] for one in world.rows[target].values() if str(one[column]).startswith(row["code"])}

    return follow


def _lead(world: World, row: Record) -> set[UUID]:
    leads = [one for one in world.index("Assignment", "dispute_id")[row["id"]] if one["is_lead"] and not one["ended_at"]]
    return {one["id"] for lead in leads for one in world.index("Mediator", "person_id")[lead["person_id"]]}


def _mediated(world: World, row: Record) -> set[UUID]:
    return {
        one["dispute_id"] for one in world.index("Assignment", "person_id")[row["person_id"]] if one["ended_at"] is None
    }


for _line in _KEYS.strip().replace(",\n", ",").splitlines():
    _type, _, _relations = _line.partition(":")
    for _relation in _relations.split(","):
        _name, _target, _keys = _relation.split()
        _own, _, _key = _keys.partition("=")
        RELATIONS[_type, camel(_name)] = (_target, _by_key(_target, _own, _key))

RELATIONS |= {
    ("Area", "compounds"): ("Compound", _within("Compound", "grid_code")),
    ("Area", "organizations"): ("Organization", _within("Organization", "area_code")),
    ("Area", "teams"): ("Team", _within("Team", "grid_code")),
    ("Area", "disputes"): ("Dispute", _within("Dispute", "grid_code")),
    ("Dispute", "leadMediator"): ("Mediator", _lead),
    ("Mediator", "disputes"): ("Dispute", _mediated),
}
