"""One dispute while it is being written: what was planned, who takes part, and what has happened so far."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from db.county.fixed import Dice, Rows, identifier
from db.county.organizations import Organizations
from db.county.people import SEED_GRID, People
from db.county.places import Compound, Places
from db.county.texts import MATTERS, OUTCOME, Matter
from db.crypto import Cipher
from db.tables.party import NATURAL_KINDS


@dataclass(frozen=True)
class Case:
    """The plan of one dispute. `concluded` is the day of the agreement or of the end; open ones have none."""

    key: str
    town: str
    state: str
    tier: str
    matter: str
    source: str
    registered: date
    concluded: date | None = None
    marks: frozenset[str] = frozenset()
    previous: str | None = None


@dataclass(frozen=True)
class County:
    """Everything that stands before the first dispute."""

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
    """A party, as far as texts, signatures and obligations need it."""

    id: UUID
    side: str
    name: str
    kind: str

    @property
    def called(self) -> str:
        """How the texts call it: 李某 for a person, the short word for a company."""
        if self.kind in NATURAL_KINDS:
            return f"{self.name[0]}某"
        return {"COMPANY": "物业公司", "OWNERS_COMMITTEE": "业主委员会", "DEVELOPER": "开发单位"}.get(
            self.kind, self.name
        )


@dataclass
class Story:
    """The dispute's row and its chronicle; parts are written to the county's rows as they happen."""

    county: County
    case: Case
    compound: Compound
    dice: Dice
    id: UUID
    row: dict[str, Any]
    words: dict[str, str]
    facts: str
    parties: list[Party] = field(default_factory=list)
    mediators: list[UUID] = field(default_factory=list)
    """Those in office, the lead first."""
    first_mediator: UUID | None = None
    taken_over_at: datetime | None = None
    numbers: dict[str, int] = field(default_factory=dict)
    chronicle: list[tuple[datetime, UUID | None, str, str, UUID, str | None, str | None, str | None]] = field(
        default_factory=list
    )
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

    def happen(
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
        """One line of the chronicle; with `to_state` the dispute moves on."""
        before = self.state if to_state else None
        self.chronicle.append((moment, actor, action, resource, resource_id or self.id, before, to_state, reason))
        self.state = to_state or self.state

    def tell(self, text: str, **more: str) -> str:
        """A text with the dispute's names and numbers filled in."""
        return text.format_map({**self.words, **more})

    def finish(self) -> None:
        """Write the dispute itself and its events, in the order of time."""
        if self.state != self.case.state:
            raise ValueError(f"{self.case.key}: told to the end as {self.state}, planned as {self.case.state}")
        self.chronicle.sort(key=lambda line: line[0])
        for number, (moment, actor, action, resource, resource_id, before, after, reason) in enumerate(
            self.chronicle, 1
        ):
            self.county.rows.add(
                "event",
                f"{self.case.key}/{number}",
                dispute_id=self.id,
                actor_id=actor,
                at=moment,
                action=action,
                resource=resource,
                resource_id=resource_id,
                from_state=before,
                to_state=after,
                reason=reason,
            )
        self.row["state"] = self.state
        self.row["version"] = sum(line[3] == "Dispute" for line in self.chronicle)
        self.county.rows.tables["dispute"].append(self.row)


def begin(county: County, case: Case) -> Story:
    """The dispute's row with everything that registration knows; nothing has happened yet."""
    dice = Dice(case.key)
    matter = MATTERS[case.matter]
    compounds = county.places.compounds_in(case.town)
    before = case.previous and identifier("dispute", case.previous)
    earlier = next((row for row in county.rows.tables["dispute"] if row["id"] == before), None)
    # The towns have a team in their first grid only; most of their disputes arise there.
    if earlier is not None:
        compound = next(one for one in compounds if one.id == earlier["compound_id"])
    elif case.key == "seed" or "grid" in case.marks:
        compound = next(one for one in compounds if one.grid == SEED_GRID)
    else:
        compound = compounds[0] if len(compounds) == 2 and dice.chance(75) else dice.pick(compounds)
    words_number = dice.below(len(matter.titles))
    low, high = matter.amounts or (0, 0)
    amount = None if matter.amounts is None else dice.between(low // 10, high // 10) * 10
    words = {
        "compound": compound.name,
        "building": str(dice.between(1, 18)),
        "year": str(dice.between(2019, 2022)),
        "years": dice.pick(("两", "三", "四")),
        "amount": f"{amount or 0}",
    }
    row: dict[str, Any] = {
        "id": identifier("dispute", case.key),
        "case_number": None,
        "title": matter.titles[words_number],
        "category": matter.category,
        "sub_category": case.matter,
        "source": case.source,
        "state": case.state,
        "tier": case.tier,
        "risk_level": "HIGH" if "risk" in case.marks else dice.pick(("LOW", "LOW", "LOW", "MEDIUM")),
        "amount_claimed": amount,
        "people_count": dice.between(5, 24) if case.tier == "CENTRE" else dice.between(2, 5),
        "occurred_on": case.registered - timedelta(days=dice.below(12)),
        "accepted_at": None,
        "due_on": None,
        "concluded_at": None,
        "closed_at": None,
        "outcome": dice.pick(OUTCOME.get(case.state, (None,))),
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
    return Story(county, case, compound, dice, row["id"], row, words, matter.facts[words_number])
