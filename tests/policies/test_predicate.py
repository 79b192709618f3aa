"""The algebra of predicates: simplification never changes the truth, and every implication found holds."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.predicate import (
    Always,
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
    bind,
    claims_of,
    conjuncts,
    disjuncts,
    entails,
    evaluate,
    implies,
    negate,
    regardless_of,
    unbound,
)

TEXTS, KEYS, TRUTHS = ("a", "b"), (1, 2), (True, False)

texts = st.sampled_from(
    [Eq("text", "a"), Eq("text", "b"), Eq("text", ClaimRef("area", 0)), Eq("text", ClaimRef("area", 1))]
)
keys = st.sampled_from(
    [
        Eq("key", ClaimRef("person", 0)),
        In("key", ClaimRef("teams", 0)),
        In("key", ClaimRef("teams", 1)),
        Has("set", ClaimRef("person", 1)),
    ]
)
truths = st.sampled_from([Eq("flag", True), Eq("flag", False), Always(), Never()])
# Raw trees, as no simplification would leave them.
predicates: st.SearchStrategy[Predicate] = st.recursive(
    texts | keys | truths,
    lambda below: st.one_of(
        st.lists(below, min_size=1, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(below, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts))),
        below.map(Not),
    ),
    max_leaves=8,
)
rows = st.fixed_dictionaries(
    {
        "text": st.sampled_from([*TEXTS, None]),
        "key": st.sampled_from([*KEYS, None]),
        "flag": st.sampled_from([*TRUTHS, None]),
        "set": st.sets(st.sampled_from(KEYS)),
    }
)
claims = st.fixed_dictionaries(
    {
        "area": st.sampled_from([*TEXTS, None]),
        "person": st.sampled_from([*KEYS, None]),
        "teams": st.one_of(st.none(), st.lists(st.sampled_from(KEYS), max_size=2)),
    }
)
callers = st.tuples(claims, claims)
Row, Caller = Mapping[str, Any], tuple[Mapping[str, Any], ...]


def rebuilt(predicate: Predicate) -> Predicate:
    """The same, put together by the functions that simplify."""
    match predicate:
        case And(parts=parts):
            return all_of(rebuilt(part) for part in parts)
        case Or(parts=parts):
            return any_of(rebuilt(part) for part in parts)
        case Not(part=part):
            return negate(rebuilt(part))
    return predicate


@given(predicates, rows, callers)
@settings(max_examples=600, deadline=None, derandomize=True)
def test_simplification_never_changes_the_truth(predicate: Predicate, row: Row, caller: Caller) -> None:
    assert evaluate(rebuilt(predicate), row, caller) == evaluate(predicate, row, caller)


@given(st.lists(predicates, max_size=4), rows, callers)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_all_of_any_of_and_negate_are_conjunction_disjunction_and_complement(
    parts: list[Predicate], row: Row, caller: Caller
) -> None:
    truths = [evaluate(part, row, caller) for part in parts]
    assert evaluate(all_of(parts), row, caller) == all(truths)
    assert evaluate(any_of(parts), row, caller) == any(truths)
    for part, truth in zip(parts, truths, strict=True):
        assert evaluate(negate(part), row, caller) != truth


@given(predicates, predicates, rows, callers)
@settings(max_examples=600, deadline=None, derandomize=True)
def test_implies_is_sound(left: Predicate, right: Predicate, row: Row, caller: Caller) -> None:
    # Pairs that are likely to follow from each other, beside the two as they come.
    pairs = [
        (left, right),
        (all_of([left, right]), right),
        (left, any_of([left, right])),
        (rebuilt(left), left),
        (left, rebuilt(left)),
    ]
    for one, other in pairs:
        if implies(one, other) and evaluate(one, row, caller):
            assert evaluate(other, row, caller), (one, other)


@given(predicates, predicates, rows, callers)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_entails_is_sound_and_no_weaker_than_implies(
    left: Predicate, right: Predicate, row: Row, caller: Caller
) -> None:
    for one, other in [
        (left, right),
        (all_of([left, right]), right),
        (left, any_of([left, right])),
        (left, rebuilt(left)),
    ]:
        if implies(one, other):
            assert entails(one, other)
        if entails(one, other) and evaluate(one, row, caller):
            assert evaluate(other, row, caller), (one, other)


@given(predicates, predicates, rows, callers)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_entails_does_not_depend_on_the_way_of_writing(
    left: Predicate, right: Predicate, row: Row, caller: Caller
) -> None:
    """De Morgan, distribution, absorption: the same truth in other words."""
    both = And((left, right))
    assert entails(both, Not(Or((Not(left), Not(right)))))
    assert entails(Not(Or((Not(left), Not(right)))), both)
    assert entails(left, Or((both, And((left, Not(right))))))
    assert entails(Or((both, And((left, Not(right))))), left)


@given(predicates, st.sets(st.sampled_from(["area", "person", "teams"])), st.booleans(), rows, claims)
@settings(max_examples=600, deadline=None, derandomize=True)
def test_bind_ties_claims_to_one_appointment_and_replaces_comparisons_with_missing_ones(
    predicate: Predicate, missing: set[str], matches: bool, row: Row, own: Mapping[str, Any]
) -> None:
    if_missing: Predicate = Always() if matches else Never()

    def truth(predicate: Predicate) -> bool:
        match predicate:
            case And(parts=parts):
                return all(truth(part) for part in parts)
            case Or(parts=parts):
                return any(truth(part) for part in parts)
            case Not(part=part):
                return not truth(part)
            case Always() | Never():
                return isinstance(predicate, Always)
            case _ if claims_of(predicate) & missing:
                return matches
        return evaluate(unslotted(predicate), row, (own,))

    bound = bind(predicate, 1, frozenset(missing), if_missing)
    # What another appointment claims decides nothing.
    other = {"area": "b", "person": 2, "teams": [1, 2]}
    assert evaluate(bound, row, (other, own)) == truth(predicate)
    assert not claims_of(bound) & missing


def unslotted(predicate: Predicate) -> Predicate:
    match predicate:
        case Eq(attribute=attribute, value=ClaimRef(name=name)):
            return Eq(attribute, ClaimRef(name))
        case In(attribute=attribute, claim=ClaimRef(name=name)):
            return In(attribute, ClaimRef(name))
        case Has(attribute=attribute, claim=ClaimRef(name=name)):
            return Has(attribute, ClaimRef(name))
    return predicate


@given(predicates, rows, callers)
@settings(deadline=None, derandomize=True)
def test_disjuncts_and_conjuncts_put_together_are_the_whole(predicate: Predicate, row: Row, caller: Caller) -> None:
    whole = evaluate(predicate, row, caller)
    assert any(evaluate(part, row, caller) for part in disjuncts(predicate)) == whole
    assert all(evaluate(part, row, caller) for part in conjuncts(predicate)) == whole


A, B, C = Eq("text", "a"), Eq("text", "b"), Eq("flag", True)


@pytest.mark.parametrize(
    ("simplified", "expected"),
    [
        (all_of([]), Always()),
        (any_of([]), Never()),
        (all_of([A]), A),
        (all_of([A, A]), A),
        (all_of([A, Always()]), A),
        (all_of([A, Never()]), Never()),
        (any_of([A, Always()]), Always()),
        (any_of([A, Never()]), A),
        (any_of([A, all_of([A, B])]), A),
        (all_of([A, any_of([A, B])]), A),
        (all_of([all_of([A, B]), C]), And((A, B, C))),
        (any_of([any_of([A, B]), C]), Or((A, B, C))),
        (negate(negate(A)), A),
        (negate(Always()), Never()),
        (negate(Never()), Always()),
        (all_of([A, any_of([B, Always()])]), A),
    ],
)
def test_simplified_forms(simplified: Predicate, expected: Predicate) -> None:
    assert simplified == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (Never(), A, True),
        (A, Always(), True),
        (And((A, C)), A, True),
        (A, Or((A, B)), True),
        (Or((And((A, C)), A)), A, True),
        (And((A, C)), Or((B, A)), True),
        (Not(Or((A, B))), Not(A), True),
        (A, And((A, C)), False),
        (Or((A, B)), A, False),
        (Not(A), Not(Or((A, B))), False),
        (Not(A), A, False),
    ],
)
def test_what_implies_what(left: Predicate, right: Predicate, expected: bool) -> None:
    assert implies(left, right) is expected


D = Eq("text", ClaimRef("area", 0))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (A, Not(B), True),  # one attribute has one value
        (A, Not(D), False),  # which may be that of a claim
        (Eq("flag", True), Not(Eq("flag", False)), True),
        (Not(Eq("flag", False)), Eq("flag", True), False),  # it may be missing
        (C, Or((And((C, A)), And((C, Not(A))))), True),
        (Or((A, C)), A, False),
        (And((A, B)), Never(), True),
        (Always(), Or((A, Not(A))), True),
    ],
)
def test_what_entails_what_beyond_syntax(left: Predicate, right: Predicate, expected: bool) -> None:
    assert entails(left, right) is expected


def test_too_many_conditions_are_not_tried() -> None:
    many = [Eq(f"a{number}", True) for number in range(11)]
    assert not entails(And(tuple(many)), Not(Or(tuple(Not(one) for one in many))))
    assert entails(And(tuple(many[:10])), Not(Or(tuple(Not(one) for one in many[:10]))))


def test_an_unbound_predicate_is_bound_to_no_appointment() -> None:
    one, other = Eq("text", ClaimRef("area", 0)), Eq("text", ClaimRef("area", 1))
    assert unbound(Or((one, other))) == Eq("text", ClaimRef("area"))


@pytest.mark.parametrize(
    "predicate",
    [
        Eq("text", "a"),
        Eq("flag", False),
        Eq("flag", True),
        Eq("key", ClaimRef("person", 0)),
        In("key", ClaimRef("teams", 0)),
    ],
)
def test_a_missing_attribute_matches_nothing(predicate: Predicate) -> None:
    row = {"text": None, "flag": None, "key": None, "set": set()}
    caller = ({"person": None, "teams": [None], "area": None},)
    assert not evaluate(predicate, row, caller)
    assert evaluate(Not(predicate), row, caller)


def test_a_missing_claim_matches_nothing_not_even_a_missing_attribute() -> None:
    row = {"text": None, "flag": None, "key": None, "set": {None}}
    for predicate in (
        Eq("text", ClaimRef("area", 0)),
        Has("set", ClaimRef("person", 0)),
        In("key", ClaimRef("teams", 0)),
    ):
        assert not evaluate(predicate, row, ({"area": None, "person": None, "teams": None},))


def test_regardless_of_some_attributes_only_what_holds_for_all_their_values() -> None:
    own, other = Eq("flag", True), Eq("text", "a")
    for predicate, expected in (
        (own, Never()),
        (Not(own), Never()),
        (other, other),
        (And((own, other)), Never()),
        (Or((own, other)), other),
        (Or((Not(own), Not(other))), Not(other)),
        (Not(And((own, other))), Not(other)),
        (Not(Or((own, other))), Never()),
        (Has("set", ClaimRef("person", 0)), Has("set", ClaimRef("person", 0))),
    ):
        assert regardless_of(predicate, {"flag"}) == expected, predicate
