"""What has to be counted to know what another policy would change, and for whom. Pure: it knows no connection (`count` counts).

Grants are compared first: what is granted alike is not counted. Holders whose claims say the same are counted once, however many
they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from db.query.visibility import claim_values
from db.resources.catalog import RESOURCES
from db.resources.resource import Resource
from policies.catalog import Field
from policies.grant import Access, Appointment, FieldAccess, Grant
from policies.policy import Policy
from policies.predicate import (
    And,
    ClaimRef,
    Eq,
    Has,
    In,
    Never,
    Not,
    Or,
    Predicate,
    all_of,
    any_of,
    atoms_of,
    conjuncts,
    disjuncts,
    entails,
    negate,
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
    # What is counted elsewhere already, for all holders at once, and is taken off again on these rows: a shift for each shift.
    less: tuple[Shift, ...] = ()


class Comparison:
    """Two policies and the holders of their roles: what has to be counted, and for whom."""

    def __init__(self, before: Policy, after: Policy, holders: Sequence[Holder], *, whole: bool = False) -> None:
        """`whole`: no count is divided, so that each tells whose rows they are."""
        self.before, self.after, self._whole = before, after, whole
        self.holders = tuple(holders)
        self.units: dict[Unit, list[Holder]] = {}
        self._shapes: dict[Any, list[Unit]] = {}
        for holder in self.holders:
            for unit in self._units(holder):
                self.units.setdefault(unit, []).append(holder)

    def _units(self, holder: Holder) -> Iterable[Unit]:
        was, is_ = Access(self.before, holder.appointments), Access(self.after, holder.appointments)
        shape = tuple((one.role, one.missing) for one in holder.appointments)
        if shape not in self._shapes:
            differing = _differing(was, is_, shape)
            self._shapes[shape] = [one for each in differing for one in ([each] if self._whole else _divided(each))]
        values = claim_values(was)
        for unit in self._shapes[shape]:
            names = sorted({name for part in _predicates(unit) for name in _binds_of(part)})
            yield replace(unit, claims=tuple((name, _frozen(values[name])) for name in names))

    def batches(self, most: int) -> Iterable[list[Unit]]:
        """The units, so many at once that differ in their claims alone."""
        alike: dict[Unit, list[Unit]] = defaultdict(list)
        for unit in self.units:
            alike[replace(unit, claims=())].append(unit)
        for units in alike.values():
            yield from (units[start : start + most] for start in range(0, len(units), most))


def _predicates(unit: Unit) -> Iterable[Predicate]:
    for one in (*unit.shifts, *unit.less):
        yield from (*one.clear, *one.masked)
    yield from unit.among


def _divided(unit: Unit) -> Iterable[Unit]:
    """A count that some rule lets loose on the whole table and another holds to somebody's own rows, as two: the one for all holders at
    once, as if nobody had rows of his own, the other for each of them on his own rows alone.

    Outside of somebody's own rows no condition on them holds, so there the two say the same.
    """
    own = sorted({atom for part in _predicates(unit) for atom in atoms_of(part) if narrow(atom)}, key=repr)
    if not own or all(narrow(one) for one in unit.among):
        yield unit
        return
    less = tuple(
        replace(
            one,
            clear=(_without(one.clear[0]), _without(one.clear[1])),
            masked=(_without(one.masked[0]), _without(one.masked[1])),
        )
        for one in unit.shifts
    )
    wide = tuple(one for one in less if one.clear[0] != one.clear[1] or one.masked[0] != one.masked[1])
    among = disjuncts(any_of(_without(one) for one in unit.among))
    if wide and among:
        yield replace(unit, shifts=wide, among=among)
    yield replace(unit, among=tuple(own), less=less)


def narrow(predicate: Predicate) -> bool:
    """Whether it holds of few rows among many: it speaks of somebody's place or work, below the county."""
    return any(
        isinstance(one, In | Has)
        or (isinstance(one, Eq) and isinstance(one.value, ClaimRef) and one.attribute != "county_code")
        for one in conjuncts(predicate)
    )


def _without(predicate: Predicate) -> Predicate:
    """The predicate for rows that are nobody's own."""
    match predicate:
        case And(parts=parts):
            return all_of(map(_without, parts))
        case Or(parts=parts):
            return any_of(map(_without, parts))
        case Not(part=part):
            return negate(_without(part))
    return Never() if narrow(predicate) else predicate


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _binds_of(predicate: Predicate) -> Iterable[str]:
    for one in atoms_of(predicate):
        reference = one.claim if isinstance(one, In | Has) else one.value if isinstance(one, Eq) else None
        if isinstance(reference, ClaimRef):
            yield f"claim_{reference.slot}_{reference.name}"


def _differing(was: Access, is_: Access, shape: Any) -> Iterable[Unit]:
    """The actions of which any cell differs, with these cells; the claims are still to come."""
    held = {key for access in (was, is_) for role, _ in shape for key in access.policy.actions_by_role.get(role, ())}
    for name, action in sorted(held):
        old, new = was.grant(name, action), is_.grant(name, action)
        if _same(old, new):
            continue
        shifts, among = tuple(_shifts(RESOURCES[name], action, old, new)), _among(old, new)
        if shifts and among:
            yield Unit(name, action, shifts, (), among)


def _same(old: Grant, new: Grant) -> bool:
    """Whether two grants have the same rules, whatever their lines are."""
    return [(one.rows, one.rule.cells, one.rule.allow) for one in old.rules] == [
        (one.rows, one.rule.cells, one.rule.allow) for one in new.rules
    ]


def _shifts(resource: Resource, action: str, old: Grant, new: Grant) -> Iterable[Shift]:
    pair = (old.rows, new.rows)
    if not _equal(*pair):
        yield Shift("row", 1, pair, (Never(), Never()))
    kinds: dict[tuple[str, str | None], list[Field]] = defaultdict(list)
    for one in resource.fields.values():
        # Outside of reading a class is granted or not: its masks play no part, and what has no clear form is in no such class.
        kind = one.policy.mask if action == "read" else None
        if action == "read" or one.policy.mask != "stored":
            kinds[one.policy.field_class, "masked" if kind not in (None, "stored") else kind].append(one.policy)
    for (field_class, _), fields in kinds.items():
        before, after = (_forms(grant, action, fields[0]) for grant in (old, new))
        if not (_equal(before.clear, after.clear) and _equal(before.masked, after.masked)):
            yield Shift(field_class, len(fields), (before.clear, after.clear), (before.masked, after.masked))


def _forms(grant: Grant, action: str, one: Field) -> FieldAccess:
    """On which rows a field shows in clear, and on which through its mask or in clear; both only where the row shows."""
    if action != "read":
        return FieldAccess(all_of([grant.rows, grant.cell(one.field_class)]), Never())
    reading = grant.field(one)
    return FieldAccess(all_of([grant.rows, reading.clear]), all_of([grant.rows, reading.masked]))


def _equal(one: Predicate, other: Predicate) -> bool:
    return one == other or (entails(one, other) and entails(other, one))


def _among(old: Grant, new: Grant) -> tuple[Predicate, ...]:
    """Alternatives that hold every row of which a cell differs, as few as can be told: each a condition that an index may answer.

    A row that gains is allowed by a rule of the new policy. If that rule allows the same today, then only a denial that has gone can
    make the difference; as long as none has, the rules that are new are enough. Losing is gaining the other way round.
    """
    found: list[Predicate] = []
    for gaining, other in ((new, old), (old, new)):
        ungone = _denials(other) <= _denials(gaining)
        known = {(one.rows, one.rule.cells) for one in other.rules if one.rule.allow}
        found += [
            one.rows for one in gaining.rules if one.rule.allow and not (ungone and (one.rows, one.rule.cells) in known)
        ]
    return disjuncts(any_of(found))


def _denials(grant: Grant) -> frozenset[tuple[Predicate, str]]:
    return frozenset((one.rows, one.rule.cells) for one in grant.rules if not one.rule.allow)
