"""The people of the demo county, their appointments, the register of mediators and the 1+3 teams. All invented."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from db.county import organizations as orgs
from db.county.deterministic import HashRandom, Rows, people_names
from db.county.organizations import GOVERNANCE_TOWNS, POLICE_TOWNS, SQUADS, Organizations, police_name
from db.county.places import CHONGWEN, COUNTY, QINGQUAN, TOWNS, YANZHUANG, Places

# The person who acts for each role in examples. Those of a place belong to 崇文街道.
PRINCIPALS: dict[str, str] = {
    "grid_worker": "周巧云", "legal_adviser": "沈明哲", "law_leader": "韩庆喜", "mediator": "郑秀兰",
    "squad_member": "冯立新", "centre_staff": "曹慧敏", "police": "孟凡强", "justice_office": "邓家和",
    "governance_centre": "彭向东", "court": "袁静宜", "agency_hotline": "石晓燕", "agency_petition": "段文博",
    "housing": "贺建民", "bureau_admin": "罗明远", "analyst": "苗思雨", "auditor": "秦守正",
    "system_admin": "雷一鸣", "security_admin": "方志安",
}  # fmt: skip

SECOND_MEDIATOR = "许文静"  # assigned beside the principal mediator in the seed case
THREE_POSTS = "唐晓峰"  # two grids of one community, and law leader of the next
SUSPENDED = "侯志强"
ENDED = "马国庆"  # grid worker until 2024-06-30
FUTURE = "陶欣然"  # grid worker from 2099-01-01

SEED_GRID = f"{CHONGWEN}001001"
_ENDED_GRID = f"{CHONGWEN}001003"
_SHARED_GRIDS = (f"{CHONGWEN}003001", f"{CHONGWEN}003002")
_THIRD_POST = f"{CHONGWEN}004"
_FORMING_GRID = f"{QINGQUAN}003002"
_DISSOLVED_GRID = f"{YANZHUANG}002002"

_SINCE = date(2022, 3, 1)
_MEDIATORS_PER_TOWN = {CHONGWEN: 2, QINGQUAN: 3, YANZHUANG: 2}
_SPECIALTIES = ("物业收费", "相邻关系", "房屋质量", "公共设施维修", "停车管理", "业主自治")


@dataclass
class People:
    """Who is in which office, for the disputes."""

    ids: dict[str, UUID] = field(default_factory=dict)
    mediators: dict[str, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    """By town: those of the committee and the centre."""
    squad: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    justice: dict[str, UUID] = field(default_factory=dict)
    grid_worker: dict[str, UUID] = field(default_factory=dict)
    teams: dict[str, UUID] = field(default_factory=dict)
    """The active team of a grid."""
    team_mediator: dict[str, UUID] = field(default_factory=dict)
    law_leader: dict[str, UUID] = field(default_factory=dict)
    by_organization: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))


class _Hiring:
    """Writes people, appointments and the register of mediators; who has no name gets an invented one."""

    def __init__(self, rows: Rows, organizations: Organizations, people: People) -> None:
        self.rows = rows
        self.organizations = organizations
        self.people = people
        reserved = {*PRINCIPALS.values(), SECOND_MEDIATOR, THREE_POSTS, SUSPENDED, ENDED, FUTURE}
        self.names: Iterator[str] = people_names(reserved)

    def person(self, name: str | None = None, state: str = "ACTIVE") -> UUID:
        name = name or next(self.names)
        if name not in self.people.ids:
            phone = f"1390000{len(self.people.ids) + 1:04d}"
            self.people.ids[name] = self.rows.add("person", name, name=name, phone=phone, state=state)
        return self.people.ids[name]

    def appoint(
        self, person: UUID, role: str, organization: UUID, area: str, start: date = _SINCE, end: date | None = None
    ) -> UUID:
        self.rows.add(
            "appointment",
            f"{person}/{role}/{area}",
            role=role,
            valid_from=start,
            valid_to=end,
            person_id=person,
            organization_id=organization,
            area_code=area,
        )
        self.people.by_organization[organization].append(person)
        return person

    def register(self, person: UUID, organization: UUID, full_time: bool) -> None:
        random = HashRandom(f"mediator/{person}")
        self.rows.add(
            "mediator",
            str(person),
            hired_as="HIRED" if full_time else random.choice(("MEMBER", "MEMBER", "HIRED")),
            full_time=full_time,
            specialty=random.choice(_SPECIALTIES),
            qualified_on=date(2015 + random.randrange(7), 1 + random.randrange(12), 1 + random.randrange(28)),
            term_ends_on=date(2027, 12, 31),
            person_id=person,
            organization_id=organization,
        )


def build(rows: Rows, places: Places, organizations: Organizations) -> People:
    """Write the people of each office, and then the teams."""
    people = People()
    hiring = _Hiring(rows, organizations, people)
    _county_offices(hiring)
    for town in TOWNS:
        _town_offices(hiring, town)
    _grid_workers(hiring, places)
    _teams(hiring, places)
    return people


def _county_offices(hiring: _Hiring) -> None:
    offices = {
        "bureau_admin": orgs.BUREAU, "analyst": orgs.BUREAU, "auditor": orgs.BUREAU, "system_admin": orgs.BUREAU,
        "security_admin": orgs.BUREAU, "agency_hotline": orgs.HOTLINE_OFFICE, "agency_petition": orgs.PETITION_OFFICE,
        "housing": orgs.HOUSING_DEPARTMENT,
    }  # fmt: skip
    for role, office in offices.items():
        hiring.appoint(hiring.person(PRINCIPALS[role]), role, hiring.organizations.id(office), COUNTY)
    for role in ("agency_hotline", "agency_petition", "housing", "bureau_admin"):
        hiring.appoint(hiring.person(), role, hiring.organizations.id(offices[role]), COUNTY)
    hiring.appoint(hiring.person(), "governance_centre", hiring.organizations.id(orgs.COUNTY_GOVERNANCE), COUNTY)
    for town, court in orgs.COURTS.items():
        judge = hiring.person(PRINCIPALS["court"] if town == CHONGWEN else None)
        hiring.appoint(judge, "court", hiring.organizations.id(court), COUNTY)
    for squad_name in SQUADS:
        squad = hiring.organizations.id(squad_name)
        for number in range(3):
            member = hiring.person(PRINCIPALS["squad_member"] if squad_name == SQUADS[0] and number == 0 else None)
            hiring.appoint(member, "squad_member", squad, COUNTY)
            hiring.register(member, squad, full_time=number == 0)
            hiring.people.squad[squad].append(member)


def _town_offices(hiring: _Hiring, town: str) -> None:
    organizations, people = hiring.organizations, hiring.people
    own = town == CHONGWEN
    people.justice[town] = hiring.person(PRINCIPALS["justice_office"] if own else None)
    hiring.appoint(people.justice[town], "justice_office", organizations.justice_office(town), town)
    if own or town in GOVERNANCE_TOWNS:
        staff = hiring.person(PRINCIPALS["centre_staff"] if own else None)
        hiring.appoint(staff, "centre_staff", organizations.centre(town), town)
        governor = hiring.person(PRINCIPALS["governance_centre"] if own else None)
        hiring.appoint(governor, "governance_centre", organizations.governance(town), town)
    if town in POLICE_TOWNS:
        officer = hiring.person(PRINCIPALS["police"] if own else None)
        hiring.appoint(officer, "police", organizations.id(police_name(town)), town)
    if own:
        # As in the seed case: two full-time mediators of the street's centre.
        for name in (PRINCIPALS["mediator"], SECOND_MEDIATOR):
            _mediator(hiring, town, hiring.person(name), organizations.centre(town), full_time=True)
    for number in range(_MEDIATORS_PER_TOWN.get(town, 1)):
        _mediator(hiring, town, hiring.person(), organizations.committee(town), full_time=number == 0)


def _mediator(hiring: _Hiring, town: str, person: UUID, organization: UUID, full_time: bool) -> None:
    hiring.appoint(person, "mediator", organization, town)
    hiring.register(person, organization, full_time)
    hiring.people.mediators[town].append(person)


def _grid_workers(hiring: _Hiring, places: Places) -> None:
    people = hiring.people

    def work(grid: str, person: UUID, start: date = _SINCE, end: date | None = None) -> UUID:
        return hiring.appoint(person, "grid_worker", hiring.organizations.committee(grid[:9]), grid, start, end)

    shared = hiring.person(THREE_POSTS)
    for town in TOWNS:
        for number, grid in enumerate(places.grids(town)):
            if town not in _MEDIATORS_PER_TOWN and number > 0:
                continue
            if grid in _SHARED_GRIDS:
                people.grid_worker[grid] = work(grid, shared)
            elif grid == SEED_GRID:
                people.grid_worker[grid] = work(grid, hiring.person(PRINCIPALS["grid_worker"]))
            elif grid == _ENDED_GRID:
                work(grid, hiring.person(ENDED), end=date(2024, 6, 30))
                people.grid_worker[grid] = work(grid, hiring.person(), start=date(2024, 7, 1))
            elif grid == _FORMING_GRID:
                people.grid_worker[grid] = work(grid, hiring.person(SUSPENDED, "SUSPENDED"))
            else:
                people.grid_worker[grid] = work(grid, hiring.person())
    work(f"{CHONGWEN}004002", hiring.person(FUTURE), start=date(2099, 1, 1))


def _teams(hiring: _Hiring, places: Places) -> None:
    people, organizations, rows = hiring.people, hiring.organizations, hiring.rows
    advisers = {town: hiring.person(PRINCIPALS["legal_adviser"] if town == CHONGWEN else None) for town in TOWNS}
    for town, adviser in advisers.items():
        hiring.appoint(adviser, "legal_adviser", organizations.justice_office(town), town)
    for town in TOWNS:
        for community in places.communities(town):
            if community == SEED_GRID[:12]:
                leader = hiring.person(PRINCIPALS["law_leader"])
            elif community == _THIRD_POST:
                leader = hiring.person(THREE_POSTS)
            else:
                leader = hiring.person()
            people.law_leader[community] = hiring.appoint(
                leader, "law_leader", organizations.committee(town), community
            )

    for town in TOWNS:
        for number, grid in enumerate(places.grids(town)):
            if grid not in people.grid_worker:
                continue
            state = {_FORMING_GRID: "FORMING", _DISSOLVED_GRID: "DISSOLVED"}.get(grid, "ACTIVE")
            ended = date(2023, 12, 31) if state == "DISSOLVED" else None
            started = date(2023, 11, 1) if state == "FORMING" else date(2022, 6, 1)
            name = f"{places.names[grid]}“1+3”团队"
            team = rows.add("team", grid, name=name, state=state, formed_on=started, dissolved_on=ended, grid_code=grid)
            mediator = people.mediators[town][number % len(people.mediators[town])]

            def member(
                role: str, person: UUID, start: date = started, end: date | None = ended, team: UUID = team
            ) -> None:
                rows.add(
                    "team_member",
                    f"{team}/{role}/{person}",
                    role=role,
                    valid_from=start,
                    valid_to=end,
                    team_id=team,
                    person_id=person,
                )

            if grid == _ENDED_GRID:
                member("GRID_WORKER", people.ids[ENDED], end=date(2024, 6, 30))
                member("GRID_WORKER", people.grid_worker[grid], start=date(2024, 7, 1))
            else:
                member("GRID_WORKER", people.grid_worker[grid])
            if state == "FORMING":
                continue
            member("LEGAL_ADVISER", advisers[town])
            member("LAW_LEADER", people.law_leader[grid[:12]])
            member("MEDIATOR", mediator)
            if state == "ACTIVE":
                people.teams[grid] = team
                people.team_mediator[grid] = mediator
