"""Row predicates as frozen values: what a condition means, independent of how it is evaluated.

The SQL side (`db.query.select`) and the Python side (`evaluate`) read the same values. Simplification is syntactic and sound:
`implies` may say no where the truth is yes, never the other way round.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Always:
    """Every row."""


@dataclass(frozen=True)
class Never:
    """No row."""


@dataclass(frozen=True)
class ClaimRef:
    """A claim of one appointment. `slot` is its place among the caller's appointments; None in a policy not yet bound."""

    name: str
    slot: int | None = None


@dataclass(frozen=True)
class Eq:
    """The attribute equals a literal or a claim. A missing value on either side never matches."""

    attribute: str
    value: str | bool | ClaimRef


@dataclass(frozen=True)
class In:
    """The attribute is one of the values of a claim that is a set."""

    attribute: str
    claim: ClaimRef


@dataclass(frozen=True)
class Has:
    """The attribute, a set, contains the claim."""

    attribute: str
    claim: ClaimRef


@dataclass(frozen=True)
class And:
    parts: tuple[Predicate, ...]

    @cached_property
    def plain(self) -> frozenset[Predicate] | None:
        """The parts as a set, where all of them are single comparisons: one such And follows from another by inclusion."""
        return frozenset(self.parts) if all(type(part) in _COMPARISONS for part in self.parts) else None


@dataclass(frozen=True)
class Or:
    parts: tuple[Predicate, ...]


@dataclass(frozen=True)
class Not:
    """True where the part is not true (a missing attribute counts as not true)."""

    part: Predicate


_COMPARISONS = frozenset({Eq, In, Has})
Predicate = Always | Never | Eq | In | Has | And | Or | Not


def all_of(parts: Iterable[Predicate]) -> Predicate:
    """The conjunction, flattened; duplicates and parts that follow from another part are left out."""
    kept: list[Predicate] = []
    for part in _flatten(parts, And):
        if part == Never():
            return Never()
        if any(implies(other, part) for other in kept):
            continue
        kept = [other for other in kept if not implies(part, other)]
        kept.append(part)
    return Always() if not kept else kept[0] if len(kept) == 1 else And(tuple(kept))


def any_of(parts: Iterable[Predicate]) -> Predicate:
    """The disjunction, flattened; duplicates and parts that imply another part are left out."""
    kept: list[Predicate] = []
    for part in _flatten(parts, Or):
        if part == Always():
            return Always()
        if any(implies(part, other) for other in kept):
            continue
        kept = [other for other in kept if not implies(other, part)]
        kept.append(part)
    return Never() if not kept else kept[0] if len(kept) == 1 else Or(tuple(kept))


def negate(part: Predicate) -> Predicate:
    """The complement."""
    if isinstance(part, Always):
        return Never()
    if isinstance(part, Never):
        return Always()
    return part.part if isinstance(part, Not) else Not(part)


def _flatten(parts: Iterable[Predicate], kind: type[And] | type[Or]) -> Iterable[Predicate]:
    for part in parts:
        if isinstance(part, kind):
            yield from part.parts
        else:
            yield part


def implies(left: Predicate, right: Predicate) -> bool:
    """True if every row of `left` is surely a row of `right`."""
    if type(left) in _COMPARISONS and type(right) in _COMPARISONS:
        return left == right
    if isinstance(left, And) and left.plain is not None:
        if type(right) in _COMPARISONS:
            return right in left.plain
        if isinstance(right, And) and right.plain is not None:
            return right.plain <= left.plain
    if left == right or isinstance(left, Never) or isinstance(right, Always):
        return True
    if isinstance(left, Or):
        return all(implies(part, right) for part in left.parts)
    if isinstance(right, And):
        return all(implies(left, part) for part in right.parts)
    if isinstance(left, And) and any(implies(part, right) for part in left.parts):
        return True
    if isinstance(right, Or) and any(implies(left, part) for part in right.parts):
        return True
    return isinstance(left, Not) and isinstance(right, Not) and implies(right.part, left.part)


def disjuncts(predicate: Predicate) -> tuple[Predicate, ...]:
    """The alternatives of a predicate; Never has none."""
    if isinstance(predicate, Never):
        return ()
    return predicate.parts if isinstance(predicate, Or) else (predicate,)


def conjuncts(predicate: Predicate) -> tuple[Predicate, ...]:
    """The conditions that must all hold; Always has none."""
    if isinstance(predicate, Always):
        return ()
    return predicate.parts if isinstance(predicate, And) else (predicate,)


def claims_of(predicate: Predicate) -> frozenset[str]:
    """The names of all claims that the predicate speaks of."""
    match predicate:
        case Eq(value=ClaimRef(name=name)) | In(claim=ClaimRef(name=name)) | Has(claim=ClaimRef(name=name)):
            return frozenset({name})
        case And(parts=parts) | Or(parts=parts):
            return frozenset().union(*(claims_of(part) for part in parts))
        case Not(part=part):
            return claims_of(part)
    return frozenset()


def atoms_of(predicate: Predicate) -> frozenset[Predicate]:
    """The conditions that it is made of."""
    match predicate:
        case And(parts=parts) | Or(parts=parts):
            return frozenset().union(*(atoms_of(part) for part in parts))
        case Not(part=part):
            return atoms_of(part)
        case Always() | Never():
            return frozenset()
    return frozenset({predicate})


# So many conditions are tried in all combinations; with more, what is not plain to `implies` is taken not to follow.
MAX_ATOMS = 10


def follows(left: Predicate, right: Predicate) -> bool:
    """`implies`, and where that says no, every combination of truths of the conditions tried. Too slow for a request."""
    if implies(left, right):
        return True
    atoms = atoms_of(left) | atoms_of(right)
    if len(atoms) > MAX_ATOMS:
        return False
    order = sorted(atoms, key=repr)
    return all(
        not _holds(left, truths) or _holds(right, truths)
        for chosen in itertools.product((False, True), repeat=len(order))
        if _possible(truths := frozenset(itertools.compress(order, chosen)))
    )


def _possible(truths: frozenset[Predicate]) -> bool:
    """One attribute equals one literal at most."""
    literals = [one.attribute for one in truths if isinstance(one, Eq) and not isinstance(one.value, ClaimRef)]
    return len(literals) == len(set(literals))


def _holds(predicate: Predicate, truths: frozenset[Predicate]) -> bool:
    match predicate:
        case And(parts=parts):
            return all(_holds(part, truths) for part in parts)
        case Or(parts=parts):
            return any(_holds(part, truths) for part in parts)
        case Not(part=part):
            return not _holds(part, truths)
        case Always() | Never():
            return isinstance(predicate, Always)
    return predicate in truths


def unbound(predicate: Predicate) -> Predicate:
    """The predicate with its claims tied to no appointment: what the rule says."""
    return bind(predicate, None, frozenset(), Never())


def bind(predicate: Predicate, slot: int | None, missing: frozenset[str], otherwise: Predicate) -> Predicate:
    """The predicate with its claims tied to one appointment. A condition on a missing claim becomes `otherwise`
    (Never for an allow, Always for a deny: both fail closed)."""
    match predicate:
        case Eq(attribute=attribute, value=ClaimRef(name=name)):
            return otherwise if name in missing else Eq(attribute, ClaimRef(name, slot))
        case In(attribute=attribute, claim=ClaimRef(name=name)):
            return otherwise if name in missing else In(attribute, ClaimRef(name, slot))
        case Has(attribute=attribute, claim=ClaimRef(name=name)):
            return otherwise if name in missing else Has(attribute, ClaimRef(name, slot))
        case And(parts=parts):
            return all_of(bind(part, slot, missing, otherwise) for part in parts)
        case Or(parts=parts):
            return any_of(bind(part, slot, missing, otherwise) for part in parts)
        case Not(part=part):
            # Conditions refuse `not` over claims, so nothing below can be missing.
            return negate(bind(part, slot, missing, otherwise))
    return predicate


def evaluate(predicate: Predicate, row: Mapping[str, Any], claims: Sequence[Mapping[str, Any]]) -> bool:
    """The predicate's truth for one row (attribute -> value, a set for a set) and the caller's claims by slot."""

    def claim(reference: ClaimRef) -> Any:
        return claims[reference.slot or 0].get(reference.name)

    match predicate:
        case Always():
            return True
        case Never():
            return False
        case Eq(attribute=attribute, value=value):
            wanted = claim(value) if isinstance(value, ClaimRef) else value
            return wanted is not None and row[attribute] is not None and row[attribute] == wanted
        case In(attribute=attribute, claim=reference):
            return row[attribute] is not None and row[attribute] in (claim(reference) or ())
        case Has(attribute=attribute, claim=reference):
            return claim(reference) is not None and claim(reference) in (row[attribute] or ())
        case And(parts=parts):
            return all(evaluate(part, row, claims) for part in parts)
        case Or(parts=parts):
            return any(evaluate(part, row, claims) for part in parts)
        case Not(part=part):
            return not evaluate(part, row, claims)
