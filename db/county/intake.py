"""How a dispute of the demo county comes in: registration, parties, acceptance, assignment and the way up the tiers."""

from datetime import date, datetime, timedelta
from uuid import UUID

from db.county import organizations as orgs
from db.county.fixed import at, month_after, workday
from db.county.places import DEVELOPER, TOWNS, credit_code
from db.county.story import Party, Story
from db.county.texts import PUBLIC_STAGE
from db.crypto import mask_id_number
from db.id_numbers import id_check

# The agency behind a source, and the form of its own numbers.
_REFERENCES = {
    "HOTLINE": "GX12345-{day}-{number:04d}", "PETITION": "XF{day}{number:05d}",
    "GOVERNANCE_CENTRE": "ZZ-{day}-{number:03d}",
    "POLICE": "JJ{day}{number:04d}", "COURT": "({year})鲁1525诉前调{number}号", "DEPARTMENT": "ZJ-{day}-{number:03d}",
}  # fmt: skip


def register(story: Story) -> None:
    """Registration, by the agency that sends the dispute, the grid worker or the justice office."""
    case, county, dice = story.case, story.county, story.dice
    story.row["registered_at"] = at(case.registered, dice.between(8, 11), dice.below(60))
    source = _source_organization(story)
    if source is not None:
        number = len(county.rows.tables["dispute"]) * 7 + 11
        day = f"{case.registered:%Y%m%d}"
        story.row["source_organization_id"] = source
        story.row["external_ref"] = _REFERENCES[case.source].format(day=day, year=case.registered.year, number=number)
    applicant = _party(story, "APPLICANT", story.matter.applicant, source)
    respondent = _party(story, "RESPONDENT", story.matter.respondent, None)
    owner = applicant if applicant.kind == "OWNER" or respondent.kind != "OWNER" else respondent
    other = respondent if owner is applicant else applicant
    story.words |= {
        "applicant": applicant.called, "respondent": respondent.called, "owner": owner.called, "other": other.called,
    }  # fmt: skip
    story.row["summary"] = story.tell(story.facts)
    stage = PUBLIC_STAGE[case.state]
    story.row["public_summary"] = f"{TOWNS[case.town]}某小区{story.row['title'].removeprefix('小区')}，{stage}"
    if source is not None:
        staff = county.people.by_organization[source][0]
    elif case.source == "GRID" and story.compound.grid in county.people.grid_worker:
        staff = county.people.grid_worker[story.compound.grid]
    else:
        staff = county.people.justice[case.town]
    story.happen(story.registered_at, staff, "dispute.register", "REGISTERED")


def accept(story: Story) -> None:
    """Acceptance by the town's committee. The case number is allotted when all disputes are known."""
    accepted = at(
        workday(story.case.registered + timedelta(days=story.dice.pick((0, 0, 1)))), story.dice.between(13, 17)
    )
    accept_at(story, accepted)


def accept_at(story: Story, moment: datetime) -> None:
    county, town = story.county, story.case.town
    story.row["accepted_at"] = moment
    story.row["committee_id"] = county.organizations.committee(town)
    story.row["due_on"] = month_after(moment.date())
    story.happen(moment, county.people.justice[town], "dispute.accept", "ACCEPTED")


def assign(story: Story) -> None:
    """The mediators: the team's at first, then, tier by tier, those who take the dispute over."""
    people, organizations, dice, town = story.county.people, story.county.organizations, story.dice, story.case.town
    moment = story.row["accepted_at"] + timedelta(minutes=20)
    first = people.team_mediator.get(story.compound.grid) or dice.pick(people.mediators[town])
    steps: list[tuple[UUID, datetime]] = [(first, moment)]
    later = story.accepted_on + timedelta(days=dice.between(1, 4))
    if story.case.tier in ("SQUAD", "CENTRE"):
        squad = organizations.squad(town)
        story.row["squad_id"] = squad
        steps.append((dice.pick(people.squad[squad]), at(workday(later), 9, 30)))
        story.happen(steps[-1][1], first, "dispute.escalate", reason="多次调解未果，报送物业纠纷调解队")
    if story.case.tier == "CENTRE":
        story.row["centre_id"] = organizations.centre(town)
        lead = next(one for one in people.mediators[town][::-1] if one != first or len(people.mediators[town]) == 1)
        steps.append((lead, at(workday(later + timedelta(days=2)), 9, 40)))
        story.happen(steps[-1][1], steps[1][0], "dispute.escalate", reason="涉及人数较多，报送矛盾调解中心联动调解")
    story.first_mediator, story.taken_over_at = first, steps[-1][1]
    for number, (mediator, start) in enumerate(steps):
        end = steps[number + 1][1] if number + 1 < len(steps) else None
        appoint(story, mediator, start, is_lead=True, end=end)
    if dice.chance(30):
        others = [one for one in people.mediators[town] if one not in story.mediators]
        if others:
            appoint(story, dice.pick(others), steps[-1][1] + timedelta(minutes=5), is_lead=False)


def appoint(story: Story, mediator: UUID, start: datetime, is_lead: bool, end: datetime | None = None) -> None:
    assignment = story.add(
        "assignment",
        dispute_registered_at=story.registered_at,
        person_id=mediator,
        is_lead=is_lead,
        mode="PARTY_CHOSEN" if story.dice.chance(15) else "APPOINTED",
        assigned_at=start,
        ended_at=end,
    )
    if end is None:
        story.mediators.append(mediator)
    actor = story.county.people.justice[story.case.town]
    story.happen(start, actor, "dispute.assign", resource="Assignment", resource_id=assignment)


def consent(story: Story, refused: bool = False) -> date:
    """Each party's word and its day. A respondent who refuses ends the matter (People's Mediation Law, Art. 17)."""
    day = workday(story.accepted_on + timedelta(days=story.dice.below(2)))
    for row in story.county.rows.tables["party"][-len(story.parties) :]:
        row["consent"] = "REFUSED" if refused and row["side"] == "RESPONDENT" else "CONSENTED"
        row["consent_on"] = day
    moment = max(at(day, 17, 30), story.row["accepted_at"] + timedelta(minutes=30))
    if refused:
        story.happen(moment, story.first_mediator, "dispute.refuse", "REFUSED", reason=story.row["outcome"])
        story.row["concluded_at"] = story.row["closed_at"] = moment
    else:
        story.happen(moment, story.first_mediator, "dispute.notify", "MEDIATING")
    return day


def _source_organization(story: Story) -> UUID | None:
    organizations, town = story.county.organizations, story.case.town
    match story.case.source:
        case "HOTLINE":
            return organizations.id(orgs.HOTLINE_OFFICE)
        case "PETITION":
            return organizations.id(orgs.PETITION_OFFICE)
        case "GOVERNANCE_CENTRE":
            county_wide = "county" in story.case.marks
            return organizations.id(orgs.COUNTY_GOVERNANCE) if county_wide else organizations.governance(town)
        case "POLICE":
            return organizations.police(town)
        case "COURT":
            return organizations.court(town)
        case "DEPARTMENT":
            return organizations.id(orgs.HOUSING_DEPARTMENT)
        case _:
            return None


def _party(story: Story, side: str, kind: str, supplied_by: UUID | None) -> Party:
    natural = kind == "OWNER"
    before = story.county.persons.get((story.case.previous or "", side)) if natural else None
    name = {
        "COMPANY": story.compound.company,
        "DEVELOPER": DEVELOPER,
        "OWNERS_COMMITTEE": f"{story.compound.name}业主委员会",
    }.get(kind)
    name = name or (before[1] if before else next(story.county.names))
    return write_party(story, side, kind, natural, name, supplied_by, number=before and before[0])


def write_party(
    story: Story,
    side: str,
    kind: str,
    natural: bool,
    name: str,
    supplied_by: UUID | None = None,
    alias: bool = False,
    number: int | None = None,
) -> Party:
    """A party with its contact; a person's ID number is checksum-valid and nobody's: all are born in 1900."""
    county, dice, compound = story.county, story.dice, story.compound
    if natural:
        number = number or max((one[0] for one in county.persons.values()), default=0) + 1
        county.persons[story.case.key, side] = (number, name)
    unit = f"{story.words['building']}号楼{dice.between(1, 4)}单元{dice.between(1, 17)}0{dice.between(1, 2)}室"
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
        "agent_name": next(county.names) if company and dice.chance(60) else None,
        "is_minor": natural and side == "APPLICANT" and "minor" in story.case.marks,
        "consent": None,
        "consent_on": None,
        "supplied_by_id": supplied_by,
        "company_id": compound.company_id if company else None,
    }
    # A lead that an agency passed on brings no ID number; the justice office asks for it at acceptance.
    id_number = _id_number(number) if number and story.case.state != "REGISTERED" else None
    row_id = story.next_id("party")
    party_id = story.add(
        "party",
        **values,
        id_number=id_number and mask_id_number(id_number),
        id_number_cipher=id_number and county.cipher.encrypt(id_number, row_id=row_id),
        id_number_hash=id_number and county.cipher.digest(id_number),
    )
    party = Party(party_id, side, name, kind)
    story.parties.append(party)
    return party


def _id_number(number: int) -> str:
    digits = f"37152519000101{number:03d}"
    return digits + id_check(digits)
