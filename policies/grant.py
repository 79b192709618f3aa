"""The grants of one caller: the rules of all their appointments, merged. Any allow and no deny.

Each rule is bound to the claims of the appointment that it comes from; claims of different appointments are never mixed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policies.catalog import Field, Resource
from policies.policy import Policy, Rule
from policies.predicate import Always, Never, Predicate, all_of, any_of, bind, entails, implies, negate

# How many shapes of callers a policy caches grants for; a county has a few dozen.
MAX_CACHED_SHAPES = 2000


@dataclass(frozen=True)
class Appointment:
    """A role with its claims: person, organization, area, teams. A claim that is None is missing."""

    role: str
    claims: Mapping[str, Any]

    @property
    def missing(self) -> frozenset[str]:
        return frozenset(name for name, value in self.claims.items() if value is None)


@dataclass(frozen=True)
class FieldAccess:
    """On which rows a field shows: in clear on those of `clear`, else through its mask on those of `masked`, else not at all."""

    clear: Predicate
    masked: Predicate


@dataclass(frozen=True)
class BoundRule:
    """A rule that an appointment brings. `slot`: the index of the appointment; `rows`: the rule's predicate, bound to its claims."""

    rule: Rule
    slot: int
    rows: Predicate


@dataclass(frozen=True)
class Grant:
    """The merged rules of one resource and action. `rows`: on which rows they allow it; `field`: how a field of these shows."""

    rules: tuple[BoundRule, ...]
    _cells: dict[str, Predicate] = field(default_factory=dict, init=False, repr=False, compare=False)

    def _rows(self, cell: str, allow: bool) -> Predicate:
        return any_of(bound.rows for bound in self.rules if bound.rule.allow is allow and bound.rule.covers(cell))

    def cell(self, cell: str) -> Predicate:
        """The rows on which a cell (`row`, a class, `~` and a class) is allowed and not denied."""
        if cell not in self._cells:
            self._cells[cell] = all_of([self._rows(cell, True), negate(self._rows(cell, False))])
        return self._cells[cell]

    @property
    def rows(self) -> Predicate:
        """The rows on which the action as such is allowed and not denied."""
        return self.cell("row")

    def field(self, field: Field) -> FieldAccess:
        """How the field shows. A field that is stored masked has no clear form; one without a mask has no masked form."""
        clear: Predicate = self.cell(field.field_class)
        masked: Predicate = Never()
        if field.mask is not None:
            masked = self.cell(f"~{field.field_class}")
        if field.mask == "stored":
            clear = Never()
        return FieldAccess(clear, masked)

    def reads(self, field: Field) -> bool:
        """Whether the field is in clear on every visible row: required to filter, sort, group or count by it."""
        return implies(self.rows, self.field(field).clear)


def role_grant(policy: Policy, role: str, resource: str, action: str) -> Grant:
    """The grant of a role by its rules, inherited ones included, bound to no appointment."""
    return Grant(tuple(BoundRule(rule, 0, rule.rows) for rule in policy.rules_for(role, resource, action)))


def cells_of(resource: Resource, action: str) -> Iterator[tuple[str, str | None, str]]:
    """All cells of an action: the cell (`row`, a class, `~` and a class), its field class (None for the row as such) and its form (`row`,
    `clear`, `masked`)."""
    yield "row", None, "row"
    for name, forms in resource.classes.items():
        if action != "read" or "clear" in forms:
            yield name, name, "clear"
        if action == "read" and "masked" in forms:
            yield f"~{name}", name, "masked"


def granted_cells(grant: Grant, resource: Resource, action: str) -> Iterator[tuple[str, str | None, str, Predicate]]:
    """The cells of an action, as `cells_of` names them, that are granted on any row at all, each with its rows. A class that is masked on
    no more rows than it is clear on is listed in clear alone."""
    for cell, field_class, form in cells_of(resource, action):
        rows = grant.cell(cell)
        if not isinstance(rows, Never) and not (form == "masked" and entails(rows, grant.cell(cell[1:]))):
            yield cell, field_class, form, rows


class Access:
    """The grants of a caller under one policy version, by their appointments in force."""

    def __init__(self, policy: Policy, appointments: Sequence[Appointment]) -> None:
        self.policy = policy
        self.appointments = tuple(appointments)
        # Two callers of the same shape have the same grants up to the values of their claims, hence the same statements.
        roles = tuple((appointment.role, appointment.missing) for appointment in self.appointments)
        self.shape = (policy.version, policy.sha256, roles)
        if len(policy.grants) >= MAX_CACHED_SHAPES:
            policy.grants.clear()
        self._grants: dict[tuple[str, str], Grant] = policy.grants.setdefault(roles, {})

    def grant(self, resource: str, action: str = "read") -> Grant:
        """The grant of an action on a resource; without any rule a grant of no row."""
        key = (resource, action)
        if key not in self._grants:
            self._grants[key] = Grant(
                tuple(
                    BoundRule(
                        rule, slot, bind(rule.rows, slot, appointment.missing, Never() if rule.allow else Always())
                    )
                    for slot, appointment in enumerate(self.appointments)
                    for rule in self.policy.rules_for(appointment.role, resource, action)
                )
            )
        return self._grants[key]

    @property
    def claims(self) -> tuple[Mapping[str, Any], ...]:
        """The claims of each appointment, by slot."""
        return tuple(appointment.claims for appointment in self.appointments)
