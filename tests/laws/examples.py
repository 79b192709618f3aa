"""Inputs from the commands' own examples: each placeholder becomes what the test county, a row and its dispute give.

A value that is not there (a party of a dispute that has none) becomes another that is valid in form, so that only the row is judged.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing
from typing import Any
from uuid import UUID

from db.county.people import SEED_GRID
from db.resources.catalog import RESOURCES
from db.write.command import Command
from db.write.example import Placeholder
from tests.office import DAY, Office

SPARE_GRID = f"{SEED_GRID[:12]}002"


@dataclasses.dataclass(frozen=True)
class Place:
    """Where an example stands: a row (its columns, none for a new object), its dispute and the parties of that, and the time."""

    row: dict[str, Any]
    dispute_id: UUID | None
    parties: list[Any]
    at: dt.datetime

    def parties_of(self, *sides: str) -> list[UUID]:
        """The parties of these sides; else all; else an id that is that of no party."""
        chosen = [party["id"] for party in self.parties if party["side"] in sides]
        return chosen or [party["id"] for party in self.parties] or [UUID(int=0)]


class Examples:
    """Fills the examples of the commands in on an office's county. Rows and organizations are read once."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._rows: dict[UUID, tuple[dict[str, Any], list[Any]]] = {}
        self._organizations: dict[str, UUID] = {}

    async def of_row(self, command: Command, key: UUID, at: dt.datetime, **changed: Any) -> Any:
        """The input of the command on a row, as of a time."""
        place = await self._place(command.resource, key, at)
        values = {name: await self._value(value, place) for name, value in command.example.items()}
        return built(command.input_type, {**values, **changed})

    async def of_new(self, command: Command, at: dt.datetime, **row: Any) -> dict[str, Any]:
        """The input of a command that makes a new object, in Python names and plain values. `row`: columns that stand for one."""
        place = Place(row, None, [], at)
        return {name: await self._value(value, place) for name, value in command.example.items()}

    async def _place(self, resource: str, key: UUID, at: dt.datetime) -> Place:
        if key not in self._rows:
            row = dict(await self._office.row(f"SELECT * FROM {RESOURCES[resource].table.name} WHERE id = $1", key))
            parties = await self._office.rows(
                "SELECT id, side FROM party WHERE dispute_id = $1 AND withdrawn_on IS NULL"
                " ORDER BY consent IS NOT NULL, side = 'RESPONDENT', id",
                key if resource == "Dispute" else row.get("dispute_id"),
            )
            self._rows[key] = row, parties
        row, parties = self._rows[key]
        return Place(row, key if resource == "Dispute" else row.get("dispute_id"), parties, at)

    async def _value(self, value: Any, place: Place) -> Any:
        match value:
            case Placeholder():
                return await self._filled(value, place)
            case dict():
                return {name: await self._value(one, place) for name, one in value.items()}
            case tuple():
                return tuple([await self._value(one, place) for one in value])
        return value

    async def _filled(self, placeholder: Placeholder, place: Place) -> Any:
        match placeholder:
            case Placeholder(which="the row"):
                return place.row["id"]
            case Placeholder("time"):
                return place.at
            case Placeholder("date", "in three days"):
                return place.at.date() + 3 * DAY
            case Placeholder("date", "the day after the deadline"):
                return (place.row["due_on"] or dt.date(2030, 1, 1)) + DAY
            case Placeholder("Party"):
                return self._party(placeholder.which, place)
            case Placeholder("Organization"):
                return await self._organization(placeholder.which, place)
            case Placeholder("Mediator"):
                return await self._mediator(placeholder.which, place)
            case Placeholder("Person", "with a mediator's appointment"):
                return await self._office.person("mediator")
            case Placeholder("Compound"):
                return await self._office.value(
                    "SELECT min(id::text)::uuid FROM compound WHERE grid_code = $1", SEED_GRID
                )
            case Placeholder("code", "of a grid of the caller"):
                return SEED_GRID
            case Placeholder("code", "of a grid without an active team"):
                return SPARE_GRID
        # What else there is, a row of the test's own gives: `Person somebody else` is its `person`.
        return place.row[placeholder.which]

    @staticmethod
    def _party(which: str, place: Place) -> Any:
        match which:
            case "that has not consented" | "any":
                return place.parties_of()[0]
            case "a respondent":
                return place.parties_of("RESPONDENT")[0]
            case "the applicant":
                return place.parties_of("APPLICANT")[0]
            case "every applicant and respondent":
                return tuple(place.parties_of("APPLICANT", "RESPONDENT"))
            case "every one to whom it is owed":
                owing = next(party["side"] for party in place.parties if party["id"] == place.row["party_id"])
                return tuple(place.parties_of(*({"APPLICANT", "RESPONDENT"} - {owing})))
            case "that owes":
                return place.row["party_id"]
        raise AssertionError(which)

    async def _organization(self, which: str, place: Place) -> UUID:
        match which:
            case "of the next tier":
                who = "centre_staff" if place.row["tier"] == "SQUAD" else "squad_member"
                return await self._organization_of(who)
            case "a court":
                return await self._organization_of("court")
            case "a governance centre" | "a justice office":
                kind = which.removeprefix("a ").replace(" ", "_").upper()
                if kind not in self._organizations:
                    self._organizations[kind] = await self._office.organization(kind)
                return self._organizations[kind]
        return UUID(str(place.row[which]))

    async def _organization_of(self, role: str) -> UUID:
        """Where a role's principal has the post."""
        if role not in self._organizations:
            self._organizations[role] = await organization_of(self._office, role)
        return self._organizations[role]

    async def _mediator(self, which: str, place: Place) -> UUID:
        rows = await self._office.rows(
            "SELECT m.id, a.id IS NOT NULL AS assigned FROM mediator m JOIN person p ON p.id = m.person_id"
            " LEFT JOIN assignment a ON a.person_id = m.person_id AND a.dispute_id = $1 AND a.ended_at IS NULL"
            " WHERE p.state = 'ACTIVE' OR a.id IS NOT NULL ORDER BY a.is_lead DESC NULLS LAST, m.id",
            place.dispute_id,
        )
        free = [row["id"] for row in rows if not row["assigned"]]
        if which == "who is not assigned":
            return UUID(str(free[0]))
        assigned = [row["id"] for row in rows if row["assigned"]]
        return UUID(str(assigned[0] if assigned else free[1]))


async def organization_of(office: Office, role: str) -> UUID:
    """The organization at which a role's principal has the post."""
    return UUID(
        str(
            await office.value(
                "SELECT organization_id FROM appointment WHERE role = $1 AND person_id = $2",
                role,
                await office.person(role),
            )
        )
    )


def built(input_type: type, values: dict[str, Any]) -> Any:
    """An input with its nested inputs, from Python names and plain values."""
    hints = typing.get_type_hints(input_type)
    return input_type(**{name: _built(value, hints[name]) for name, value in values.items()})


def _built(value: Any, hint: Any) -> Any:
    match value:
        case dict():
            inner = next(one for one in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(one))
            return built(typing.cast(type, inner), value)
        case tuple():
            return tuple(_built(one, hint) for one in value)
    return value
