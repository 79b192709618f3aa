"""Row predicates as frozen values: what a condition means, independent of how it is evaluated.

SQL (`db.query.visibility`) and Python (`evaluate`) are both derived from the same values. Simplification is syntactic and sound:
`implies` may return False where the implication holds, never True where it does not.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
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
    """A claim of one appointment. `slot`: the index of the appointment among those of the caller; None while unbound, as in a policy."""

    name: str
    slot: int | None = None


@dataclass(frozen=True)
class Eq:
    """The attribute equals a literal or a claim. A missing value on either side never matches."""

    attribute: str
    value: str | bool | ClaimRef


@dataclass(frozen=True)
class In:
    """The attribute is one of the values of a claim that is a set. A missing value on either side never matches."""

    attribute: str
    claim: ClaimRef


@dataclass(frozen=True)
class Has:
    """The attribute, a set, contains the claim. A missing value on either side never matches."""

    attribute: str
    claim: ClaimRef


@dataclass(frozen=True)
class And:
    """True where all parts are."""

    parts: tuple[Predicate, ...]

    @cached_property
    def comparisons(self) -> frozenset[Predicate] | None:
        """The parts as a set if all of them are single comparisons, else None: between two such sets implication is inclusion."""
        return frozenset(self.parts) if all(type(part) in _COMPARISONS for part in self.parts) else None


@dataclass(frozen=True)
class Or:
    """True where any part is."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True)
class Not:
    """True where the part is not true; a comparison with a missing attribute is not true."""

    part: Predicate


_COMPARISONS = frozenset({Eq, In, Has})
Predicate = Always | Never | Eq | In | Has | And | Or | Not


def all_of(parts: Iterable[Predicate]) -> Predicate:
    """The conjunction, flattened, without duplicates and without parts that another part implies."""
    minimal: list[Predicate] = []
    for part in _flatten(parts, And):
        if part == Never():
            return Never()
        if any(implies(other, part) for other in minimal):
            continue
        minimal = [other for other in minimal if not implies(part, other)]
        minimal.append(part)
    return Always() if not minimal else minimal[0] if len(minimal) == 1 else And(tuple(minimal))


def any_of(parts: Iterable[Predicate]) -> Predicate:
    """The disjunction, flattened, without duplicates and without parts that imply another part."""
    minimal: list[Predicate] = []
    for part in _flatten(parts, Or):
        if part == Always():
            return Always()
        if any(implies(part, other) for other in minimal):
            continue
        minimal = [other for other in minimal if not implies(other, part)]
        minimal.append(part)
    return Never() if not minimal else minimal[0] if len(minimal) == 1 else Or(tuple(minimal))


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
    """Whether every row of `left` is a row of `right`, decided by syntax: True is certain, False is not. Fast enough for a request."""
    if type(left) in _COMPARISONS and type(right) in _COMPARISONS:
        return left == right
    if isinstance(left, And) and left.comparisons is not None:
        if type(right) in _COMPARISONS:
            return right in left.comparisons
        if isinstance(right, And) and right.comparisons is not None:
            return right.comparisons <= left.comparisons
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
    """The predicates that must all hold; Always has none."""
    if isinstance(predicate, Always):
        return ()
    return predicate.parts if isinstance(predicate, And) else (predicate,)


def claims_of(predicate: Predicate) -> frozenset[str]:
    """The names of all claims in the predicate."""
    match predicate:
        case Eq(value=ClaimRef(name=name)) | In(claim=ClaimRef(name=name)) | Has(claim=ClaimRef(name=name)):
            return frozenset({name})
        case And(parts=parts) | Or(parts=parts):
            return frozenset().union(*(claims_of(part) for part in parts))
        case Not(part=part):
            return claims_of(part)
    return frozenset()


def atoms_of(predicate: Predicate) -> frozenset[Predicate]:
    """The comparisons in the predicate: it without `and`, `or`, `not`, Always and Never."""
    match predicate:
        case And(parts=parts) | Or(parts=parts):
            return frozenset().union(*(atoms_of(part) for part in parts))
        case Not(part=part):
            return atoms_of(part)
        case Always() | Never():
            return frozenset()
    return frozenset({predicate})


# `entails` tries 2 ** MAX_ATOMS truth assignments at most; with more comparisons it returns what `implies` does.
MAX_ATOMS = 10


def entails(left: Predicate, right: Predicate) -> bool:
    """`implies`, and where that is False, all truth assignments to the comparisons of both. Too slow for a request."""
    if implies(left, right):
        return True
    atoms = atoms_of(left) | atoms_of(right)
    if len(atoms) > MAX_ATOMS:
        return False
    order = sorted(atoms, key=repr)
    return all(
        not _satisfied(left, true) or _satisfied(right, true)
        for chosen in itertools.product((False, True), repeat=len(order))
        if _consistent(true := frozenset(itertools.compress(order, chosen)))
    )


def _consistent(true: frozenset[Predicate]) -> bool:
    """Whether all these comparisons can be true of one row: an attribute equals one literal at most."""
    attributes = [atom.attribute for atom in true if isinstance(atom, Eq) and not isinstance(atom.value, ClaimRef)]
    return len(attributes) == len(set(attributes))


def _satisfied(predicate: Predicate, true: frozenset[Predicate]) -> bool:
    """The predicate's truth where exactly these comparisons are true."""
    match predicate:
        case And(parts=parts):
            return all(_satisfied(part, true) for part in parts)
        case Or(parts=parts):
            return any(_satisfied(part, true) for part in parts)
        case Not(part=part):
            return not _satisfied(part, true)
        case Always() | Never():
            return isinstance(predicate, Always)
    return predicate in true


def unbound(predicate: Predicate) -> Predicate:
    """The predicate with its claims bound to no appointment, as in the rule that it comes from."""
    return bind(predicate, None, frozenset(), Never())


def bind(predicate: Predicate, slot: int | None, missing: frozenset[str], if_missing: Predicate) -> Predicate:
    """The predicate with its claims bound to the appointment at `slot`. A comparison with a claim in `missing` becomes `if_missing`
    (Never for an allow, Always for a deny: both fail closed)."""
    match predicate:
        case Eq(attribute=attribute, value=ClaimRef(name=name)):
            return if_missing if name in missing else Eq(attribute, ClaimRef(name, slot))
        case In(attribute=attribute, claim=ClaimRef(name=name)):
            return if_missing if name in missing else In(attribute, ClaimRef(name, slot))
        case Has(attribute=attribute, claim=ClaimRef(name=name)):
            return if_missing if name in missing else Has(attribute, ClaimRef(name, slot))
        case And(parts=parts):
            return all_of(bind(part, slot, missing, if_missing) for part in parts)
        case Or(parts=parts):
            return any_of(bind(part, slot, missing, if_missing) for part in parts)
        case Not(part=part):
            # Conditions refuse `not` over claims, so nothing below can be missing.
            return negate(bind(part, slot, missing, if_missing))
    return predicate


def regardless_of(predicate: Predicate, attributes: Collection[str], otherwise: Predicate = Never()) -> Predicate:
    """Where the predicate holds whatever the values of these attributes are. Sound: it may leave rows out, it adds none."""
    match predicate:
        case Eq(attribute=attribute) | In(attribute=attribute) | Has(attribute=attribute):
            return otherwise if attribute in attributes else predicate
        case And(parts=parts):
            return all_of(regardless_of(part, attributes, otherwise) for part in parts)
        case Or(parts=parts):
            return any_of(regardless_of(part, attributes, otherwise) for part in parts)
        case Not(part=part):
            return negate(regardless_of(part, attributes, negate(otherwise)))
    return predicate


def evaluate(predicate: Predicate, row: Mapping[str, Any], claims: Sequence[Mapping[str, Any]]) -> bool:
    """The predicate's truth for one row (attribute -> value, None where it has none, a set for a set) and the caller's claims by slot."""

    def claim(reference: ClaimRef) -> Any:
        return claims[reference.slot or 0].get(reference.name)

    match predicate:
        case Always():
            return True
        case Never():
            return False
        case Eq(attribute=attribute, value=value):
            operand = claim(value) if isinstance(value, ClaimRef) else value
            return operand is not None and row[attribute] is not None and row[attribute] == operand
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
