"""What one caller may: the grants of his appointments, merged. Any allow and no deny.

Each rule is bound to the claims of the appointment that brought it; claims of different appointments never mix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policies.catalog import Field, Resource
from policies.policy import Policy, Rule
from policies.predicate import Always, Never, Predicate, all_of, any_of, bind, implies, negate

NOTHING: Predicate = Never()
# So many shapes of callers are kept for one policy; a county has a few dozen.
KEPT_SHAPES = 2000


@dataclass(frozen=True)
class Appointment:
    """A role with the claims that it brings: person, organization, area, teams. A claim that is None is missing."""

    role: str
    claims: Mapping[str, Any]

    @property
    def missing(self) -> frozenset[str]:
        return frozenset(name for name, value in self.claims.items() if value is None)


@dataclass(frozen=True)
class Reading:
    """Where a field shows: in clear on the rows of `clear`; else through its mask on those of `masked`; else not at all."""

    clear: Predicate
    masked: Predicate


@dataclass(frozen=True)
class Bound:
    """A rule of one appointment, its rows bound to that appointment's claims."""

    rule: Rule
    slot: int
    rows: Predicate


@dataclass(frozen=True)
class Grant:
    """The merged rules of one resource and action. `rows`: which rows; `field`: how a field of them shows."""

    bounds: tuple[Bound, ...]
    _cells: dict[str, Predicate] = field(default_factory=dict, init=False, repr=False, compare=False)

    def _where(self, cell: str, allow: bool) -> Predicate:
        return any_of(bound.rows for bound in self.bounds if bound.rule.allow is allow and bound.rule.covers(cell))

    def cell(self, cell: str) -> Predicate:
        """The rows on which a cell (`row`, a class, `~` and a class) is allowed and not denied."""
        if cell not in self._cells:
            self._cells[cell] = all_of([self._where(cell, True), negate(self._where(cell, False))])
        return self._cells[cell]

    @property
    def rows(self) -> Predicate:
        return self.cell("row")

    def field(self, field: Field) -> Reading:
        """How the field shows. A field that is stored masked has no clear form; one without a mask has no masked form."""
        clear, masked = self.cell(field.field_class), NOTHING
        if field.mask is not None:
            masked = self.cell(f"~{field.field_class}")
        if field.mask == "stored":
            clear = NOTHING
        return Reading(clear, masked)

    def reads(self, field: Field) -> bool:
        """Whether the field is in clear on every visible row: the condition to filter, sort, group or count by it."""
        return implies(self.rows, self.field(field).clear)


def role_grant(policy: Policy, role: str, resource: str, action: str) -> Grant:
    """What the rules say that a role has, inherited ones included, tied to no appointment."""
    return Grant(tuple(Bound(rule, 0, rule.rows) for rule in policy.rules_for(role, resource, action)))


def cells_of(resource: Resource, action: str) -> Iterator[tuple[str, str | None, str]]:
    """The cells that a grant of an action may differ in: the cell, its field class (None for the row as such) and its form."""
    yield "row", None, "row"
    for name, forms in resource.classes.items():
        if action != "read" or "clear" in forms:
            yield name, name, "clear"
        if action == "read" and "masked" in forms:
            yield f"~{name}", name, "masked"


class Access:
    """Everything that a caller may, from one policy version and his appointments in force."""

    def __init__(self, policy: Policy, appointments: Sequence[Appointment]) -> None:
        self.policy = policy
        self.appointments = tuple(appointments)
        # Two callers of the same shape have the same grants up to the values of their claims, hence the same statements.
        held = tuple((one.role, one.missing) for one in self.appointments)
        self.shape = (policy.version, policy.sha256, held)
        if len(policy.grants) >= KEPT_SHAPES:
            policy.grants.clear()
        self._grants: dict[tuple[str, str], Grant] = policy.grants.setdefault(held, {})

    def grant(self, resource: str, action: str = "read") -> Grant:
        """The grant on a resource; without any rule it is a grant of no row."""
        key = (resource, action)
        if key not in self._grants:
            self._grants[key] = Grant(
                tuple(
                    Bound(rule, slot, bind(rule.rows, slot, one.missing, Never() if rule.allow else Always()))
                    for slot, one in enumerate(self.appointments)
                    for rule in self.policy.rules_for(one.role, resource, action)
                )
            )
        return self._grants[key]

    @property
    def claims(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(one.claims for one in self.appointments)
