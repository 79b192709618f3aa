"""The grants of a caller: appointments grants, denies over allows, masked below clear, and missing claims that fail closed."""

import sys
from typing import Any

from policies.catalog import Field
from policies.grant import Access, Appointment, Grant
from policies.predicate import Always, And, ClaimRef, Eq, Never, Not, Or, evaluate
from tests.policies.small import CASE, policy, row

CLAIMS: dict[str, Any] = {"person": 1, "area": "T", "teams": [7, 8]}


def grant(text: str, *appointments: tuple[str, dict[str, Any]], action: str = "read") -> Grant:
    """The grant on cases of a caller: roles with the claims that differ from CLAIMS."""
    appointments = [Appointment(role, {**CLAIMS, **claims}) for role, claims in appointments]
    return Access(policy(text), appointments).grant("Case", action)


def field(name: str) -> Field:
    return CASE.fields[name]


def test_without_a_rule_there_is_no_row() -> None:
    text = "p, clerk, Case, read, True, public, allow\n"
    for appointments in ((), (("guest", {}),), (("nobody", {}),)):
        none = grant(text, *appointments)
        assert none.rows == Never()
        assert none.field(field("title")).clear == Never()
    assert grant(text, ("clerk", {}), action="close").rows == Never()


def test_rules_of_all_appointments_are_merged_each_with_its_own_claims() -> None:
    text = "p, clerk, Case, read, r.obj.town == r.sub.area, public, allow\np, chief, Case, read, r.obj.open, narrative, allow\n"
    grants = grant(text, ("clerk", {"area": "A"}), ("clerk", {"area": "B"}), ("chief", {}))
    first, second, opened = Eq("town", ClaimRef("area", 0)), Eq("town", ClaimRef("area", 1)), Eq("open", True)
    assert grants.rows == Or((first, second, opened))
    assert grants.field(field("title")).clear == Or((first, second))
    assert grants.field(field("story")).clear == opened


def test_claims_never_mix() -> None:
    text = "p, clerk, Case, read, r.obj.town == r.sub.area and r.obj.owner == r.sub.person, public, allow\n"
    appointments = [
        Appointment("clerk", {**CLAIMS, "area": "A", "person": 1}),
        Appointment("clerk", {**CLAIMS, "area": "B", "person": 2}),
    ]
    access = Access(policy(text), appointments)
    rows = access.grant("Case").rows
    seen = [
        (town, owner) for town in "AB" for owner in (1, 2) if evaluate(rows, row(town=town, owner=owner), access.claims)
    ]
    assert seen == [("A", 1), ("B", 2)]


def test_a_deny_of_one_appointment_holds_against_the_allow_of_another() -> None:
    text = "p, clerk, Case, read, True, public|name, allow\np, chief, Case, read, r.obj.open, name, deny\n"
    assert grant(text, ("clerk", {})).field(field("name")).clear == Always()
    both = grant(text, ("clerk", {}), ("chief", {}))
    closed = Not(Eq("open", True))
    assert both.rows == Always()
    assert both.field(field("title")).clear == Always()
    assert (both.field(field("name")).clear, both.field(field("name")).masked) == (closed, closed)


def test_a_deny_of_everything_hides_the_row() -> None:
    text = "p, clerk, Case, read, True, public, allow\np, clerk, Case, read, r.obj.state == 'DONE', *, deny\n"
    denied = grant(text, ("clerk", {}))
    assert denied.rows == Not(Eq("state", "DONE"))
    assert denied.field(field("title")).clear == denied.rows


def test_a_deny_of_an_action_hides_it() -> None:
    text = "p, clerk, Case, close, True, -, allow\np, clerk, Case, close, r.obj.open, *, deny\n"
    assert grant(text, ("clerk", {}), action="close").rows == Not(Eq("open", True))
    assert grant(text, ("clerk", {})).rows == Never()


def test_clear_goes_before_masked_and_a_field_without_a_mask_has_no_masked_form() -> None:
    text = "p, clerk, Case, read, True, ~contact, allow\np, clerk, Case, read, r.obj.open, contact, allow\n"
    both = grant(text, ("clerk", {}))
    assert (both.field(field("phone")).clear, both.field(field("phone")).masked) == (Eq("open", True), Always())
    assert (both.field(field("extension")).clear, both.field(field("extension")).masked) == (Eq("open", True), Never())


def test_a_field_that_is_stored_masked_is_never_clear() -> None:
    for fields in ("identity", "~identity"):
        reading = grant(f"p, clerk, Case, read, True, {fields}, allow\n", ("clerk", {})).field(field("number"))
        assert (reading.clear, reading.masked) == (Never(), Always())


def test_a_missing_claim_opens_nothing_and_denies_all_the_same() -> None:
    text = (
        "p, clerk, Case, read, r.obj.town == r.sub.area or r.obj.team in r.sub.teams, public, allow\n"
        "p, chief, Case, read, r.obj.open and r.sub.person in r.obj.helpers, *, deny\n"
        "p, chief, Case, read, True, public, allow\n"
    )
    assert grant(text, ("clerk", {"area": None, "teams": None})).rows == Never()
    assert grant(text, ("clerk", {"area": None})).rows == grant(text, ("clerk", {})).rows.parts[1]  # type: ignore[union-attr]
    assert grant(text, ("chief", {"person": None})).rows == Not(Eq("open", True))


def test_an_empty_set_of_teams_is_no_missing_claim_and_matches_nothing() -> None:
    text = "p, clerk, Case, read, r.obj.team in r.sub.teams, public, allow\n"
    access = Access(policy(text), [Appointment("clerk", {**CLAIMS, "teams": []})])
    assert access.grant("Case").rows != Never()
    assert not evaluate(access.grant("Case").rows, row(team=7), access.claims)
    assert not evaluate(access.grant("Case").rows, row(team=None), access.claims)


def test_what_is_read_on_every_visible_row_may_be_filtered_by() -> None:
    text = "p, clerk, Case, read, r.obj.open, public|~contact, allow\np, clerk, Case, read, r.obj.open and r.obj.fresh, name, allow\n"
    narrow = grant(text, ("clerk", {}))
    assert [name for name in CASE.fields if narrow.reads(CASE.fields[name])] == ["title"]
    wide = grant(text + "p, chief, Case, read, True, name, allow\n", ("clerk", {}), ("chief", {}))
    assert [name for name in CASE.fields if wide.reads(CASE.fields[name])] == ["name"]


def test_callers_of_one_shape_share_statements_and_others_do_not() -> None:
    text = "p, clerk, Case, read, r.obj.town == r.sub.area, public, allow\n"
    compiled, other = policy(text, 1), policy(text, 2)

    def shape(compiled: Any, *held: tuple[str, dict[str, Any]]) -> Any:
        return Access(compiled, [Appointment(role, {**CLAIMS, **claims}) for role, claims in held]).shape

    plain = shape(compiled, ("clerk", {}))
    assert plain == shape(compiled, ("clerk", {"area": "elsewhere", "teams": []}))
    others = [
        shape(other, ("clerk", {})),
        shape(policy(text + "# 注释\n", 1), ("clerk", {})),
        shape(compiled, ("chief", {})),
        shape(compiled, ("clerk", {"area": None})),
        shape(compiled, ("clerk", {}), ("clerk", {})),
        shape(compiled, ("clerk", {}), ("chief", {})),
        shape(compiled, ("chief", {}), ("clerk", {})),
    ]
    assert plain not in others
    assert len(set(others)) == len(others)


def test_one_appointment_held_twice_asks_its_conditions_for_each() -> None:
    text = "p, clerk, Case, read, r.obj.open and r.obj.town == r.sub.area, public, allow\n"
    twice = grant(text, ("clerk", {}), ("clerk", {}))
    assert twice.rows == Or(
        (
            And((Eq("open", True), Eq("town", ClaimRef("area", 0)))),
            And((Eq("open", True), Eq("town", ClaimRef("area", 1)))),
        )
    )


def test_rules_are_merged_once_for_all_callers_of_a_shape() -> None:
    text = "p, clerk, Case, read, r.obj.town == r.sub.area, public, allow\n"
    compiled = policy(text)
    first, second = (Access(compiled, [Appointment("clerk", {**CLAIMS, "area": area})]) for area in "AB")
    assert first.grant("Case") is second.grant("Case")
    assert first.grant("Case").rows is second.grant("Case").rows
    # They see different rows all the same: a grant has no value of a claim.
    assert evaluate(first.grant("Case").rows, row(town="A"), first.claims)
    assert not evaluate(second.grant("Case").rows, row(town="A"), second.claims)
    missing = Access(compiled, [Appointment("clerk", {**CLAIMS, "area": None})])
    assert missing.grant("Case").rows == Never()


def test_rules_of_other_roles_cost_a_caller_nothing() -> None:
    """Counted, not timed: the calls of our own functions for the grant of one caller."""

    def calls(others: int) -> int:
        roles = "".join(f"p3, n{number}, 角色{number}\n" for number in range(others))
        compiled = policy(
            f"{roles}p, clerk, Case, read, r.obj.open, public, allow\n"
            + "".join(
                f"p, n{number}, Case, read, r.obj.town == r.sub.area, public, allow\n" for number in range(others)
            )
        )
        Access(compiled, [Appointment("n1", CLAIMS)]).grant("Case")  # fills what is cached by policy
        count = 0

        def count_call(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event == "call"

        sys.setprofile(count_call)
        try:
            assert Access(compiled, [Appointment("clerk", CLAIMS)]).grant("Case").rows == Eq("open", True)
        finally:
            sys.setprofile(None)
        return count

    assert calls(10) == calls(1000)
