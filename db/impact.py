"""What has to be counted to know what another policy would change, and for whom. Pure: it knows no connection (`db.counting` counts).

Grants are compared first: what is granted alike is not counted. Holders whose claims say the same are counted once, however many
they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.catalog import SOURCES
from db.sight import claim_values
from db.source import Source
from policies.catalog import Field
from policies.compile import Policy
from policies.grant import NOTHING, Access, Appointment, Grant, Reading
from policies.predicate import (
    ClaimRef,
    Eq,
    Has,
    In,
    Predicate,
    all_of,
    any_of,
    atoms_of,
    disjuncts,
    follows,
)


@dataclass
class Cells:
    """Cells of one field class: how many become clear, masked and hidden that were not so before."""

    clear: int = 0
    masked: int = 0
    hidden: int = 0

    def __bool__(self) -> bool:
        return bool(self.clear or self.masked or self.hidden)


@dataclass
class Tally:
    """What changes for one action on one resource: rows gained and lost, and cells by field class."""

    gained: int = 0
    lost: int = 0
    cells: dict[str, Cells] = field(default_factory=lambda: defaultdict(Cells))

    def add(self, other: Tally) -> None:
        """What changes for another holder too."""
        self.gained += other.gained
        self.lost += other.lost
        for name, cells in other.cells.items():
            mine = self.cells[name]
            mine.clear += cells.clear
            mine.masked += cells.masked
            mine.hidden += cells.hidden

    def add_cells(self, shift: Shift, clear: int, masked: int, hidden: int) -> None:
        """On so many rows the fields of a shift become clear, masked, hidden."""
        mine = self.cells[shift.cell]
        mine.clear += clear * shift.fields
        mine.masked += masked * shift.fields
        mine.hidden += hidden * shift.fields

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or any(self.cells.values()))


@dataclass(frozen=True)
class Holder:
    """One who is counted for: a role (by one appointment) or a token, with his appointments."""

    kind: str
    name: str
    label: str
    appointments: tuple[Appointment, ...]


@dataclass(frozen=True)
class Shift:
    """A cell of an action whose rows differ. `cell`: `row`, or a field class with the kind of its masks; `fields`: how many fields
    it stands for. Each pair: under the one policy, under the other."""

    cell: str
    fields: int
    clear: tuple[Predicate, Predicate]
    masked: tuple[Predicate, Predicate]


@dataclass(frozen=True)
class Unit:
    """One count: the cells of one action on one resource that differ for holders of these claims."""

    resource: str
    action: str
    shifts: tuple[Shift, ...]
    claims: tuple[tuple[str, Any], ...]
    # The rows among which all that differs must be, as alternatives.
    among: tuple[Predicate, ...]


class Comparison:
    """Two policies and the holders of their roles: what has to be counted, and for whom."""

    def __init__(self, before: Policy, after: Policy, holders: Sequence[Holder]) -> None:
        self.before, self.after = before, after
        self.holders = tuple(holders)
        self.units: dict[Unit, list[Holder]] = {}
        self._shapes: dict[Any, list[tuple[str, str, tuple[Shift, ...], tuple[Predicate, ...]]]] = {}
        for holder in self.holders:
            for unit in self._units(holder):
                self.units.setdefault(unit, []).append(holder)

    def _units(self, holder: Holder) -> Iterable[Unit]:
        was, is_ = Access(self.before, holder.appointments), Access(self.after, holder.appointments)
        shape = tuple((one.role, one.missing) for one in holder.appointments)
        if shape not in self._shapes:
            self._shapes[shape] = list(_differing(was, is_, shape))
        values = claim_values(was)
        for resource, action, shifts, among in self._shapes[shape]:
            predicates = [part for one in shifts for pair in (one.clear, one.masked) for part in pair] + list(among)
            names = sorted({name for part in predicates for name in _binds_of(part)})
            claims = tuple((name, _frozen(values[name])) for name in names)
            yield Unit(resource, action, shifts, claims, among)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _binds_of(predicate: Predicate) -> Iterable[str]:
    for one in atoms_of(predicate):
        reference = one.claim if isinstance(one, In | Has) else one.value if isinstance(one, Eq) else None
        if isinstance(reference, ClaimRef):
            yield f"claim_{reference.slot}_{reference.name}"


def _differing(
    was: Access, is_: Access, shape: Any
) -> Iterable[tuple[str, str, tuple[Shift, ...], tuple[Predicate, ...]]]:
    """The actions of which any cell differs, with these cells."""
    held = {key for access in (was, is_) for role, _ in shape for key in access.policy.held.get(role, ())}
    for name, action in sorted(held):
        old, new = was.grant(name, action), is_.grant(name, action)
        if _same(old, new):
            continue
        shifts = tuple(_shifts(SOURCES[name], action, old, new))
        if shifts:
            yield name, action, shifts, _among(shifts, old, new)


def _same(old: Grant, new: Grant) -> bool:
    """Whether two grants have the same rules, whatever their lines are."""
    return [(one.rows, one.rule.cells, one.rule.allow) for one in old.bounds] == [
        (one.rows, one.rule.cells, one.rule.allow) for one in new.bounds
    ]


def _shifts(source: Source, action: str, old: Grant, new: Grant) -> Iterable[Shift]:
    pair = (old.rows, new.rows)
    if not _equal(*pair):
        yield Shift("row", 1, pair, (NOTHING, NOTHING))
    kinds: dict[tuple[str, str | None], list[Field]] = defaultdict(list)
    for one in source.fields.values():
        # Outside of reading a class is granted or not: its masks play no part, and what has no clear form is in no such class.
        kind = one.policy.mask if action == "read" else None
        if action == "read" or one.policy.mask != "stored":
            kinds[one.policy.field_class, "masked" if kind not in (None, "stored") else kind].append(one.policy)
    for (field_class, _), fields in kinds.items():
        before, after = (_forms(grant, action, fields[0]) for grant in (old, new))
        if not (_equal(before.clear, after.clear) and _equal(before.masked, after.masked)):
            yield Shift(field_class, len(fields), (before.clear, after.clear), (before.masked, after.masked))


def _forms(grant: Grant, action: str, one: Field) -> Reading:
    """On which rows a field shows in clear, and on which through its mask or in clear; both only where the row shows."""
    if action != "read":
        return Reading(all_of([grant.rows, grant.cell(one.field_class)]), NOTHING)
    reading = grant.field(one)
    return Reading(all_of([grant.rows, reading.clear]), all_of([grant.rows, reading.masked]))


def _equal(one: Predicate, other: Predicate) -> bool:
    return one == other or (follows(one, other) and follows(other, one))


def _among(shifts: Sequence[Shift], old: Grant, new: Grant) -> tuple[Predicate, ...]:
    """Alternatives that hold every row of which a cell differs, as few as can be told: each a condition that an index may answer.

    A row that gains is allowed by a rule of the new policy. If that rule allows the same today, then only a denial that has gone can
    make the difference; as long as none has, the rules that are new are enough. Losing is gaining the other way round.
    """
    found: list[Predicate] = []
    for gaining, other in ((new, old), (old, new)):
        ungone = _denials(other) <= _denials(gaining)
        known = {(one.rows, one.rule.cells) for one in other.bounds if one.rule.allow}
        found += [
            one.rows
            for one in gaining.bounds
            if one.rule.allow and not (ungone and (one.rows, one.rule.cells) in known)
        ]
    return disjuncts(any_of(found))


def _denials(grant: Grant) -> frozenset[tuple[Predicate, str]]:
    return frozenset((one.rows, one.rule.cells) for one in grant.bounds if not one.rule.allow)
