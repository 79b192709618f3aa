"""The intake of a dispute: registration, parties, acceptance, consent, assignment and escalation through the tiers."""

from datetime import date, datetime, timedelta
from uuid import UUID

from db.calendar import mediation_due
from db.canonical.check_digits import id_check
from db.county import organizations as orgs
from db.county.builder import DisputeBuilder, Party
from db.county.deterministic import WEEKS, at, workday
from db.county.places import DEVELOPER, TOWNS, credit_code
from db.county.texts import PUBLIC_STAGE
from db.crypto import mask_id_number

# The agency behind a source, and the form of its own numbers.
_REFERENCES = {
    "HOTLINE": "GX12345-{day}-{number:04d}", "PETITION": "XF{day}{number:05d}",
    "GOVERNANCE_CENTRE": "ZZ-{day}-{number:03d}",
    "POLICE": "JJ{day}{number:04d}", "COURT": "({year})鲁1525诉前调{number}号", "DEPARTMENT": "ZJ-{day}-{number:03d}",
}  # fmt: skip


def register(dispute: DisputeBuilder) -> None:
    """Registration, by the agency that the dispute comes from, the grid worker or the justice office."""
    case, county, random = dispute.case, dispute.county, dispute.random
    dispute.row["registered_at"] = at(case.registered, random.randint(8, 11), random.randrange(60))
    source = _source_organization(dispute)
    if source is not None:
        number = len(county.rows.tables["dispute"]) * 7 + 11
        day = f"{case.registered:%Y%m%d}"
        dispute.row["source_organization_id"] = source
        dispute.row["external_ref"] = _REFERENCES[case.source].format(day=day, year=case.registered.year, number=number)
    applicant = _party(dispute, "APPLICANT", dispute.matter.applicant, source)
    respondent = _party(dispute, "RESPONDENT", dispute.matter.respondent, None)
    owner = applicant if applicant.kind == "OWNER" or respondent.kind != "OWNER" else respondent
    other = respondent if owner is applicant else applicant
    dispute.placeholders |= {
        "applicant": applicant.short_name, "respondent": respondent.short_name, "owner": owner.short_name, "other": other.short_name,
    }  # fmt: skip
    dispute.row["summary"] = dispute.fill(dispute.facts)
    stage = PUBLIC_STAGE[case.state]
    dispute.row["public_summary"] = f"{TOWNS[case.town]}某小区{dispute.row['title'].removeprefix('小区')}，{stage}"
    if source is not None:
        staff = county.people.by_organization[source][0]
    elif case.source == "GRID" and dispute.compound.grid in county.people.grid_worker:
        staff = county.people.grid_worker[dispute.compound.grid]
    else:
        staff = county.people.justice[case.town]
    dispute.add_event(dispute.registered_at, staff, "dispute.register", "REGISTERED")


def accept(dispute: DisputeBuilder) -> None:
    """Acceptance by the town's committee. The case number is assigned by `number_cases`, once all disputes are built."""
    accepted = at(
        workday(dispute.case.registered + timedelta(days=dispute.random.choice((0, 0, 1)))),
        dispute.random.randint(13, 17),
    )
    accept_at(dispute, accepted)


def accept_at(dispute: DisputeBuilder, moment: datetime) -> None:
    county, town = dispute.county, dispute.case.town
    dispute.row["accepted_at"] = moment
    dispute.row["committee_id"] = county.organizations.committee(town)
    dispute.row["due_on"] = mediation_due(moment.date(), WEEKS)
    dispute.add_event(moment, county.people.justice[town], "dispute.accept", "ACCEPTED")


def assign(dispute: DisputeBuilder) -> None:
    """The mediators: the team's first, then, tier by tier, those who take the dispute over."""
    people, organizations, random, town = (
        dispute.county.people,
        dispute.county.organizations,
        dispute.random,
        dispute.case.town,
    )
    moment = dispute.row["accepted_at"] + timedelta(minutes=20)
    first = people.team_mediator.get(dispute.compound.grid) or random.choice(people.mediators[town])
    steps: list[tuple[UUID, datetime]] = [(first, moment)]
    later = dispute.accepted_on + timedelta(days=random.randint(1, 4))
    if dispute.case.tier in ("SQUAD", "CENTRE"):
        squad = organizations.squad(town)
        dispute.row["squad_id"] = squad
        steps.append((random.choice(people.squad[squad]), at(workday(later), 9, 30)))
        hand_over(dispute, first, "TEAM", "SQUAD", squad, steps[-1][1], "多次调解未果，报送物业纠纷调解队")
    if dispute.case.tier == "CENTRE":
        centre = dispute.row["centre_id"] = organizations.centre(town)
        lead = next(one for one in people.mediators[town][::-1] if one != first or len(people.mediators[town]) == 1)
        steps.append((lead, at(workday(later + timedelta(days=2)), 9, 40)))
        reason = "涉及人数较多，报送矛盾调解中心联动调解"
        hand_over(dispute, steps[1][0], "SQUAD", "CENTRE", centre, steps[-1][1], reason)
    dispute.first_mediator, dispute.taken_over_at = first, steps[-1][1]
    for number, (mediator, start) in enumerate(steps):
        end = steps[number + 1][1] if number + 1 < len(steps) else None
        appoint(dispute, mediator, start, is_lead=True, end=end)
    if random.chance(30):
        others = [one for one in people.mediators[town] if one not in dispute.mediators]
        if others:
            appoint(dispute, random.choice(others), steps[-1][1] + timedelta(minutes=5), is_lead=False)


def hand_over(
    dispute: DisputeBuilder, actor: UUID, from_tier: str, to_tier: str, receiver: UUID, taken: datetime, reason: str
) -> None:
    """The hand-over to a tier, which takes the dispute over at once."""
    row = dispute.add(
        "escalation",
        from_tier=from_tier,
        to_tier=to_tier,
        state="TAKEN",
        organization_id=receiver,
        reason=reason,
        handover=dispute.row["summary"],
        sent_at=taken,
        answered_at=taken,
        answer=None,
    )
    dispute.add_event(taken, actor, "dispute.escalate", resource="Escalation", resource_id=row, reason=reason)


def appoint(
    dispute: DisputeBuilder, mediator: UUID, start: datetime, is_lead: bool, end: datetime | None = None
) -> None:
    assignment = dispute.add(
        "assignment",
        dispute_registered_at=dispute.registered_at,
        person_id=mediator,
        is_lead=is_lead,
        mode="PARTY_CHOSEN" if dispute.random.chance(15) else "APPOINTED",
        assigned_at=start,
        ended_at=end,
    )
    if end is None:
        dispute.mediators.append(mediator)
    actor = dispute.county.people.justice[dispute.case.town]
    dispute.add_event(start, actor, "dispute.assign", resource="Assignment", resource_id=assignment)


def consent(dispute: DisputeBuilder, refused: bool = False) -> date:
    """The consent of each party; the day of it. The refusal of the respondent ends the mediation (People's Mediation Law, Art. 17)."""
    day = workday(dispute.accepted_on + timedelta(days=dispute.random.randrange(2)))
    for row in dispute.county.rows.tables["party"][-len(dispute.parties) :]:
        row["consent"] = "REFUSED" if refused and row["side"] == "RESPONDENT" else "CONSENTED"
        row["consent_on"] = day
    moment = max(at(day, 17, 30), dispute.row["accepted_at"] + timedelta(minutes=30))
    if refused:
        dispute.add_event(
            moment,
            dispute.first_mediator,
            "dispute.refuse",
            "REFUSED",
            resource="Party",
            resource_id=dispute.side("RESPONDENT").id,
            reason=dispute.row["outcome"],
        )
        dispute.row["concluded_at"] = dispute.row["closed_at"] = moment
    else:
        dispute.add_event(moment, dispute.first_mediator, "dispute.notify", "MEDIATING")
    return day


def _source_organization(dispute: DisputeBuilder) -> UUID | None:
    organizations, town = dispute.county.organizations, dispute.case.town
    match dispute.case.source:
        case "HOTLINE":
            return organizations.id(orgs.HOTLINE_OFFICE)
        case "PETITION":
            return organizations.id(orgs.PETITION_OFFICE)
        case "GOVERNANCE_CENTRE":
            county_wide = "county" in dispute.case.flags
            return organizations.id(orgs.COUNTY_GOVERNANCE) if county_wide else organizations.governance(town)
        case "POLICE":
            return organizations.police(town)
        case "COURT":
            return organizations.court(town)
        case "DEPARTMENT":
            return organizations.id(orgs.HOUSING_DEPARTMENT)
        case _:
            return None


def _party(dispute: DisputeBuilder, side: str, kind: str, supplied_by: UUID | None) -> Party:
    natural = kind == "OWNER"
    before = dispute.county.persons.get((dispute.case.previous or "", side)) if natural else None
    name = {
        "COMPANY": dispute.compound.company,
        "DEVELOPER": DEVELOPER,
        "OWNERS_COMMITTEE": f"{dispute.compound.name}业主委员会",
    }.get(kind)
    name = name or (before[1] if before else next(dispute.county.names))
    return write_party(dispute, side, kind, natural, name, supplied_by, number=before and before[0])


def write_party(
    dispute: DisputeBuilder,
    side: str,
    kind: str,
    natural: bool,
    name: str,
    supplied_by: UUID | None = None,
    alias: bool = False,
    number: int | None = None,
) -> Party:
    """A party with its contact; the ID number of a person has a valid checksum and belongs to nobody: all are born in 1900."""
    county, random, compound = dispute.county, dispute.random, dispute.compound
    if natural:
        number = number or max((one[0] for one in county.persons.values()), default=0) + 1
        county.persons[dispute.case.key, side] = (number, name)
    unit = f"{dispute.placeholders['building']}号楼{random.randint(1, 4)}单元{random.randint(1, 17)}0{random.randint(1, 2)}室"
    company = kind == "COMPANY"
    values = {
        "side": side,
        "kind": kind,
        "is_natural_person": natural,
        "name": name,
        "is_alias": alias,
        "phone": f"1380000{number:04d}" if natural else compound.company_phone if company else "0635-0002001",
        "address": f"冠县{TOWNS[compound.town]}{compound.name}{unit}" if natural else None,
        "credit_code": compound.credit_code if company else credit_code(900) if kind == "DEVELOPER" else None,
        "agent_name": next(county.names) if company and random.chance(60) else None,
        "is_minor": natural and side == "APPLICANT" and "minor" in dispute.case.flags,
        "consent": None,
        "consent_on": None,
        "supplied_by_id": supplied_by,
        "company_id": compound.company_id if company else None,
    }
    # A lead that an agency passed on brings no ID number; the justice office asks for it at acceptance.
    id_number = _id_number(number) if number and dispute.case.state != "REGISTERED" else None
    row_id = dispute.next_id("party")
    party_id = dispute.add(
        "party",
        **values,
        id_number=id_number and mask_id_number(id_number),
        id_number_cipher=id_number and county.cipher.encrypt(id_number, row_id=row_id),
        id_number_hash=id_number and county.cipher.digest(id_number),
    )
    party = Party(party_id, side, name, kind)
    dispute.parties.append(party)
    return party


def _id_number(number: int) -> str:
    digits = f"37152519000101{number:03d}"
    return digits + id_check(digits)
