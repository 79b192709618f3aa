"""What has to be counted to know what another policy would change, and for whom. Pure: it needs no connection (`count` counts).

Grants are compared first: what is granted alike is not counted. Holders with the same claims are counted once, however many they are.
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
class Totals:
    """What changes for one action on one resource: rows gained and lost, and cells by field class."""

    gained: int = 0
    lost: int = 0
    cells: dict[str, Cells] = field(default_factory=lambda: defaultdict(Cells))

    def add(self, other: Totals) -> None:
        """Add what changes for another holder."""
        self.gained += other.gained
        self.lost += other.lost
        for name, cells in other.cells.items():
            mine = self.cells[name]
            mine.clear += cells.clear
            mine.masked += cells.masked
            mine.hidden += cells.hidden

    def add_cells(self, change: CellChange, clear: int, masked: int, hidden: int) -> None:
        """Add the fields of a change, on the numbers of rows on which they become clear, masked and hidden."""
        mine = self.cells[change.cell]
        mine.clear += clear * change.fields
        mine.masked += masked * change.fields
        mine.hidden += hidden * change.fields

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or any(self.cells.values()))


@dataclass(frozen=True)
class Holder:
    """A role (by one appointment) or a token for which rows are counted. `kind`: `role` or `token`; `name`: the role or the prefix."""

    kind: str
    name: str
    label: str
    appointments: tuple[Appointment, ...]


@dataclass(frozen=True)
class CellChange:
    """A cell of an action that shows on other rows under the other policy.

    `cell`: `row`, or a field class; `fields`: the number of fields of that class with the same kind of mask. `clear`, `masked`: on which
    rows, under the policy before and under the one after.
    """

    cell: str
    fields: int
    clear: tuple[Predicate, Predicate]
    masked: tuple[Predicate, Predicate]


@dataclass(frozen=True)
class CountUnit:
    """One count: the cells of one action on one resource that differ for holders of these claims."""

    resource: str
    action: str
    changes: tuple[CellChange, ...]
    claims: tuple[tuple[str, Any], ...]
    # Alternatives, one of which holds of every row that differs.
    candidates: tuple[Predicate, ...]
    # What another unit counts for all holders at once, to be subtracted on these rows: one for each change.
    subtracted: tuple[CellChange, ...] = ()


class Comparison:
    """Two policies and the holders of their roles: what has to be counted, and for whom."""

    def __init__(self, before: Policy, after: Policy, holders: Sequence[Holder], *, undivided: bool = False) -> None:
        """`undivided`: no count is divided in two, so that each belongs to its holders alone."""
        self.before, self.after, self._undivided = before, after, undivided
        self.holders = tuple(holders)
        self.units: dict[CountUnit, list[Holder]] = {}
        self._units_by_roles: dict[Any, list[CountUnit]] = {}
        for holder in self.holders:
            for unit in self._units(holder):
                self.units.setdefault(unit, []).append(holder)

    def _units(self, holder: Holder) -> Iterable[CountUnit]:
        was, is_ = Access(self.before, holder.appointments), Access(self.after, holder.appointments)
        roles = tuple((one.role, one.missing) for one in holder.appointments)
        if roles not in self._units_by_roles:
            differing = _differing_actions(was, is_, roles)
            self._units_by_roles[roles] = [
                one for each in differing for one in ([each] if self._undivided else _divide(each))
            ]
        values = claim_values(was)
        for unit in self._units_by_roles[roles]:
            names = sorted({name for part in _predicates_of(unit) for name in _claims_of(part)})
            yield replace(unit, claims=tuple((name, _hashable(values[name])) for name in names))

    def batches(self, size: int) -> Iterable[list[CountUnit]]:
        """The units in lists of at most `size`, those of a list differing in their claims alone."""
        alike: dict[CountUnit, list[CountUnit]] = defaultdict(list)
        for unit in self.units:
            alike[replace(unit, claims=())].append(unit)
        for units in alike.values():
            yield from (units[start : start + size] for start in range(0, len(units), size))


def _predicates_of(unit: CountUnit) -> Iterable[Predicate]:
    for one in (*unit.changes, *unit.subtracted):
        yield from (*one.clear, *one.masked)
    yield from unit.candidates


def _divide(unit: CountUnit) -> Iterable[CountUnit]:
    """Divide a count in which one rule grants rows of the whole table and another the holder's own rows: into one for all holders at
    once, as if nobody had rows of their own, and one for each holder on the own rows alone.

    Outside of the own rows no condition on them holds, so there the two agree.
    """
    own = sorted({atom for part in _predicates_of(unit) for atom in atoms_of(part) if is_selective(atom)}, key=repr)
    if not own or all(is_selective(one) for one in unit.candidates):
        yield unit
        return
    subtracted = tuple(
        replace(
            one,
            clear=(_without_selective(one.clear[0]), _without_selective(one.clear[1])),
            masked=(_without_selective(one.masked[0]), _without_selective(one.masked[1])),
        )
        for one in unit.changes
    )
    wide = tuple(one for one in subtracted if one.clear[0] != one.clear[1] or one.masked[0] != one.masked[1])
    candidates = disjuncts(any_of(_without_selective(one) for one in unit.candidates))
    if wide and candidates:
        yield replace(unit, changes=wide, candidates=candidates)
    yield replace(unit, candidates=tuple(own), subtracted=subtracted)


def is_selective(predicate: Predicate) -> bool:
    """Whether a predicate holds of few rows among many: it compares with the holder's place or work, below the county."""
    return any(
        isinstance(one, In | Has)
        or (isinstance(one, Eq) and isinstance(one.value, ClaimRef) and one.attribute != "county_code")
        for one in conjuncts(predicate)
    )


def _without_selective(predicate: Predicate) -> Predicate:
    """The predicate on rows that are nobody's own."""
    match predicate:
        case And(parts=parts):
            return all_of(map(_without_selective, parts))
        case Or(parts=parts):
            return any_of(map(_without_selective, parts))
        case Not(part=part):
            return negate(_without_selective(part))
    return Never() if is_selective(predicate) else predicate


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _claims_of(predicate: Predicate) -> Iterable[str]:
    for one in atoms_of(predicate):
        reference = one.claim if isinstance(one, In | Has) else one.value if isinstance(one, Eq) else None
        if isinstance(reference, ClaimRef):
            yield f"claim_{reference.slot}_{reference.name}"


def _differing_actions(was: Access, is_: Access, roles: Any) -> Iterable[CountUnit]:
    """The actions of which any cell differs, with these cells, as units without claims."""
    held = {key for access in (was, is_) for role, _ in roles for key in access.policy.actions_by_role.get(role, ())}
    for name, action in sorted(held):
        old, new = was.grant(name, action), is_.grant(name, action)
        if _same_rules(old, new):
            continue
        changes, candidates = tuple(_cell_changes(RESOURCES[name], action, old, new)), _candidates(old, new)
        if changes and candidates:
            yield CountUnit(name, action, changes, (), candidates)


def _same_rules(old: Grant, new: Grant) -> bool:
    """Whether two grants have the same rules, whatever their lines are."""
    return [(one.rows, one.rule.cells, one.rule.allow) for one in old.rules] == [
        (one.rows, one.rule.cells, one.rule.allow) for one in new.rules
    ]


def _cell_changes(resource: Resource, action: str, old: Grant, new: Grant) -> Iterable[CellChange]:
    pair = (old.rows, new.rows)
    if not _equivalent(*pair):
        yield CellChange("row", 1, pair, (Never(), Never()))
    kinds: dict[tuple[str, str | None], list[Field]] = defaultdict(list)
    for one in resource.fields.values():
        # Outside of reading a class is granted or not: its masks play no part, and what has no clear form is in no such class.
        kind = one.policy.mask if action == "read" else None
        if action == "read" or one.policy.mask != "stored":
            kinds[one.policy.field_class, "masked" if kind not in (None, "stored") else kind].append(one.policy)
    for (field_class, _), fields in kinds.items():
        before, after = (_forms(grant, action, fields[0]) for grant in (old, new))
        if not (_equivalent(before.clear, after.clear) and _equivalent(before.masked, after.masked)):
            yield CellChange(field_class, len(fields), (before.clear, after.clear), (before.masked, after.masked))


def _forms(grant: Grant, action: str, one: Field) -> FieldAccess:
    """On which rows a field shows in clear, and on which through its mask or in clear; both only where the row shows."""
    if action != "read":
        return FieldAccess(all_of([grant.rows, grant.cell(one.field_class)]), Never())
    reading = grant.field(one)
    return FieldAccess(all_of([grant.rows, reading.clear]), all_of([grant.rows, reading.masked]))


def _equivalent(one: Predicate, other: Predicate) -> bool:
    return one == other or (entails(one, other) and entails(other, one))


def _candidates(old: Grant, new: Grant) -> tuple[Predicate, ...]:
    """Alternatives, one of which holds of every row of which a cell differs, as few as possible: each a condition that an index may
    answer.

    A row that gains is allowed by a rule of the new policy. If that rule allows the same today, then only a denial that has gone can
    make the difference; as long as none has, the rules that are new are enough. Losing is gaining the other way round.
    """
    alternatives: list[Predicate] = []
    for gaining, other in ((new, old), (old, new)):
        no_denial_gone = _denials(other) <= _denials(gaining)
        allowed = {(one.rows, one.rule.cells) for one in other.rules if one.rule.allow}
        alternatives += [
            one.rows
            for one in gaining.rules
            if one.rule.allow and not (no_denial_gone and (one.rows, one.rule.cells) in allowed)
        ]
    return disjuncts(any_of(alternatives))


def _denials(grant: Grant) -> frozenset[tuple[Predicate, str]]:
    return frozenset((one.rows, one.rule.cells) for one in grant.rules if not one.rule.allow)
