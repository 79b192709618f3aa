"""The builder of one dispute: its plan, its parties and mediators, and its events so far."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from db.county.deterministic import HashRandom, Rows, identifier
from db.county.organizations import Organizations
from db.county.people import SEED_GRID, People
from db.county.places import Compound, Places
from db.county.texts import MATTERS, OUTCOME, Matter
from db.crypto import Cipher
from db.tables.dispute import CLOSED_STATES, FOLLOW_UP_STATES
from db.tables.party import CORPORATE_KINDS

# Of the planned states: an agreement was made; all of it was performed, for the county closes and archives nothing else.
AGREED_STATES = (*FOLLOW_UP_STATES, "ARCHIVED")
RESOLVED_STATES = ("PERFORMED", *CLOSED_STATES)


@dataclass(frozen=True)
class Case:
    """The plan of one dispute.

    `key`: names it, and decides its identifier and all that is drawn for it. `concluded`: the day of the agreement or of the end;
    open ones have none. `flags`: what else it is to show. `previous`: the key of the dispute that it is a rebound of.
    """

    key: str
    town: str
    state: str
    tier: str
    matter: str
    source: str
    registered: date
    concluded: date | None = None
    flags: frozenset[str] = frozenset()
    previous: str | None = None


@dataclass(frozen=True)
class County:
    """What is there before the first dispute, and the rows written so far."""

    rows: Rows
    places: Places
    organizations: Organizations
    people: People
    cipher: Cipher
    names: Iterator[str]
    persons: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    """By case and side: the number from which phone and ID number are made, and the name."""


@dataclass
class Party:
    """What texts, signatures and obligations need of a party."""

    id: UUID
    side: str
    name: str
    kind: str

    @property
    def short_name(self) -> str:
        """Its name in the texts: 李某 for a person, the kind for an organization."""
        if self.kind not in (*CORPORATE_KINDS, "OTHER"):
            return f"{self.name[0]}某"
        return {"COMPANY": "物业公司", "OWNERS_COMMITTEE": "业主委员会", "DEVELOPER": "开发单位"}.get(
            self.kind, self.name
        )


@dataclass(frozen=True)
class Event:
    """`action` of `actor` on one resource, with the states of the dispute before and after where they differ."""

    moment: datetime
    actor: UUID | None
    action: str
    resource: str
    resource_id: UUID
    from_state: str | None
    to_state: str | None
    reason: str | None


@dataclass
class DisputeBuilder:
    """The dispute's row and its events. Its parts are added to the rows of the county at once, the dispute itself by `write`.

    `placeholders`: names and numbers that its texts are filled with. `mediators`: those in office, the lead first.
    `numbers`: how many parts there are of each table. `state`: after the events so far.
    """

    county: County
    case: Case
    compound: Compound
    random: HashRandom
    id: UUID
    row: dict[str, Any]
    placeholders: dict[str, str]
    facts: str
    parties: list[Party] = field(default_factory=list)
    mediators: list[UUID] = field(default_factory=list)
    first_mediator: UUID | None = None
    taken_over_at: datetime | None = None
    numbers: dict[str, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    state: str | None = None

    @property
    def matter(self) -> Matter:
        return MATTERS[self.case.matter]

    @property
    def registered_at(self) -> datetime:
        return cast(datetime, self.row["registered_at"])

    @property
    def accepted_on(self) -> date:
        return cast(datetime, self.row["accepted_at"]).date()

    def side(self, side: str) -> Party:
        return next(party for party in self.parties if party.side == side)

    def add(self, table: str, **values: Any) -> UUID:
        """A part of this dispute, numbered within its table."""
        number = self.numbers[table] = self.numbers.get(table, 0) + 1
        return self.county.rows.add(table, f"{self.case.key}/{number}", dispute_id=self.id, **values)

    def next_id(self, table: str) -> UUID:
        """The identifier that the next part in `table` will have."""
        return identifier(table, f"{self.case.key}/{self.numbers.get(table, 0) + 1}")

    def add_event(
        self,
        moment: datetime,
        actor: UUID | None,
        action: str,
        to_state: str | None = None,
        *,
        resource: str = "Dispute",
        resource_id: UUID | None = None,
        reason: str | None = None,
    ) -> None:
        """An event by `actor`; with `to_state` it changes the state of the dispute."""
        before = self.state if to_state else None
        self.events.append(Event(moment, actor, action, resource, resource_id or self.id, before, to_state, reason))
        self.state = to_state or self.state

    def fill(self, text: str, **more: str) -> str:
        """A text with the names and numbers of the dispute in the places of `{applicant}` and the like."""
        return text.format_map({**self.placeholders, **more})

    def write(self) -> None:
        """Add the rows of the dispute itself and of its events, in the order of time. Raises ValueError unless it is in the planned state."""
        if self.state != self.case.state:
            raise ValueError(f"{self.case.key}: ends as {self.state}, planned as {self.case.state}")
        self.events.sort(key=lambda event: event.moment)
        for number, event in enumerate(self.events, 1):
            self.county.rows.add(
                "event",
                f"{self.case.key}/{number}",
                dispute_id=self.id,
                actor_id=event.actor,
                at=event.moment,
                action=event.action,
                resource=event.resource,
                resource_id=event.resource_id,
                from_state=event.from_state,
                to_state=event.to_state,
                reason=event.reason,
            )
        self.row["state"] = self.state
        # That of any other state follows from it.
        self.row["result"] = "PERFORMED" if self.state in CLOSED_STATES else None
        self.row["version"] = sum(event.resource == "Dispute" or event.to_state is not None for event in self.events)
        self.county.rows.tables["dispute"].append(self.row)


def start_dispute(county: County, case: Case) -> DisputeBuilder:
    """A dispute with the values of its registration, and no party and no event yet."""
    random = HashRandom(case.key)
    matter = MATTERS[case.matter]
    compounds = county.places.compounds_in(case.town)
    before = case.previous and identifier("dispute", case.previous)
    earlier = next((row for row in county.rows.tables["dispute"] if row["id"] == before), None)
    # The towns have a team in their first grid only; most of their disputes arise there.
    if earlier is not None:
        compound = next(one for one in compounds if one.id == earlier["compound_id"])
    elif case.key == "seed" or "grid" in case.flags:
        compound = next(one for one in compounds if one.grid == SEED_GRID)
    else:
        compound = compounds[0] if len(compounds) == 2 and random.chance(75) else random.choice(compounds)
    variant = random.randrange(len(matter.titles))
    low, high = matter.amounts or (0, 0)
    amount = None if matter.amounts is None else random.randint(low // 10, high // 10) * 10
    placeholders = {
        "compound": compound.name,
        "building": str(random.randint(1, 18)),
        "year": str(random.randint(2019, 2022)),
        "years": random.choice(("两", "三", "四")),
        "amount": f"{amount or 0}",
    }
    row: dict[str, Any] = {
        "id": identifier("dispute", case.key),
        "case_number": None,
        "title": matter.titles[variant],
        "category": matter.category,
        "sub_category": case.matter,
        "source": case.source,
        "state": case.state,
        "tier": case.tier,
        "risk_level": "HIGH" if "risk" in case.flags else random.choice(("LOW", "LOW", "LOW", "MEDIUM")),
        "amount_claimed": amount,
        "people_count": random.randint(5, 24) if case.tier == "CENTRE" else random.randint(2, 5),
        "occurred_on": case.registered - timedelta(days=random.randrange(12)),
        "accepted_at": None,
        "due_on": None,
        "concluded_at": None,
        "closed_at": None,
        "outcome": random.choice(OUTCOME.get(case.state, (None,))),
        "external_ref": None,
        "committee_id": None,
        "case_year": None,
        "case_sequence": None,
        "grid_code": compound.grid,
        "compound_id": compound.id,
        "team_id": county.people.teams.get(compound.grid),
        "squad_id": None,
        "centre_id": None,
        "source_organization_id": None,
        "previous_id": earlier and earlier["id"],
    }
    return DisputeBuilder(county, case, compound, random, row["id"], row, placeholders, matter.facts[variant])
