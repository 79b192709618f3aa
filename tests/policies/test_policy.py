"""The compiled policy: which cells a rule covers, which rules apply to a role, and its identity."""

import pytest

from policies.policy import covers
from tests.policies.small import HEAD, READ, policy


@pytest.mark.parametrize(
    ("fields", "effect", "covered", "free"),
    [
        ("public", "allow", ["row", "public", "~public"], ["name", "~name"]),
        ("~contact", "allow", ["row", "~contact"], ["contact", "public"]),
        ("contact|name", "allow", ["row", "contact", "~contact", "name", "~name"], ["public", "~public"]),
        ("-", "allow", ["row"], ["public", "~public", "name"]),
        ("contact", "deny", ["contact", "~contact"], ["row", "name", "~name"]),
        ("*", "deny", ["row", "public", "~public", "identity"], []),
    ],
)
def test_which_cells_a_fields_column_covers(fields: str, effect: str, covered: list[str], free: list[str]) -> None:
    assert [cell for cell in covered + free if covers(fields, effect, cell)] == covered


def test_rules_come_in_the_order_of_the_text_with_those_of_inherited_roles() -> None:
    compiled = policy(
        "g, chief, clerk\ng, clerk, guest\n"
        "p, chief, Case, read, True, narrative, allow\np, guest, Case, read, True, public, allow\n"
        "p, clerk, Case, read, True, name, allow\np, clerk, Case, close, True, -, allow\n"
    )
    assert [rule.line for rule in compiled.rules_for("chief", "Case", "read")] == [6, 7, 8]
    assert [rule.line for rule in compiled.rules_for("clerk", "Case", "read")] == [7, 8]
    assert [rule.line for rule in compiled.rules_for("guest", "Case", "read")] == [7]
    assert [rule.line for rule in compiled.rules_for("chief", "Case", "close")] == [9]
    assert compiled.rules_for("nobody", "Case", "read") == ()
    assert compiled.rules_for("chief", "Place", "read") == ()
    assert compiled.inherited == {
        "clerk": ("clerk", "guest"),
        "chief": ("chief", "clerk", "guest"),
        "guest": ("guest",),
    }


def test_a_policy_is_its_text() -> None:
    one, same, other = policy(READ, 3), policy(READ, 3), policy(READ + "# 注释\n", 3)
    assert one.sha256 == same.sha256 != other.sha256
    assert (one.version, one.text) == (3, HEAD + READ)
