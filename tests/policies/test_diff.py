"""Differences of grants: what widens, what narrows, what is incomparable; the same grants in other words are no difference."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.diff import Change, Difference, diff, print_diff
from policies.grant import Access, Appointment, cells_of
from policies.policy import Policy, PolicyRefused
from policies.predicate import evaluate
from tests.policies.small import CASE, policy, row

NAMES = "p2, here, r.obj.town == r.sub.area, 本镇\np2, done, r.obj.state == 'DONE', 已办结\n"
READ = "p, clerk, Case, read, here, public, allow\n"


def changes(before: str, after: str) -> list[tuple[str, str | None, str, Change]]:
    """Role, class, form and change of every difference."""
    differences = diff(policy(NAMES + before), policy(NAMES + after)).differences
    return [(one.role, one.field_class, one.form, one.change) for one in differences]


def sentences(before: str, after: str) -> list[str]:
    """The lines of the printed difference."""
    return print_diff(diff(policy(NAMES + before), policy(NAMES + after))).splitlines()


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("p, clerk, Case, read, True, public, allow\n", [("row", "widens"), ("clear", "widens")]),
        ("p, clerk, Case, read, here and done, public, allow\n", [("row", "narrows"), ("clear", "narrows")]),
        ("p, clerk, Case, read, done, public, allow\n", [("row", "incomparable"), ("clear", "incomparable")]),
        ("p, clerk, Case, read, here, public, deny\n", [("row", "narrows"), ("clear", "narrows")]),
        (READ + "p, clerk, Case, read, done, *, deny\n", [("row", "narrows"), ("clear", "narrows")]),
        (READ + "p, clerk, Case, read, here and done, public, deny\n", [("clear", "narrows")]),
        (READ + "p, clerk, Case, read, done, public, allow\n", [("row", "widens"), ("clear", "widens")]),
    ],
)
def test_whether_it_widens_or_narrows(after: str, expected: list[tuple[str, Change]]) -> None:
    assert [(form, change) for _, _, form, change in changes(READ, after)] == expected


def test_a_mask_is_a_form_of_its_own() -> None:
    clear, masked = (
        f"p, clerk, Case, read, here, {fields}, allow\n" for fields in ("public|contact", "public|~contact")
    )
    assert changes(clear, masked) == [("clerk", "contact", "clear", "narrows")]
    assert changes(masked, clear) == [("clerk", "contact", "clear", "widens")]
    assert changes(READ, masked) == [("clerk", "contact", "masked", "widens")]
    # Gained in clear it is gained masked as well, which is reported once.
    assert changes(READ, clear) == [("clerk", "contact", "clear", "widens")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (READ, "# 注释\n\n" + READ),
        (READ, "p, clerk, Case, read, r.obj.town == r.sub.area, public, allow\n"),
        (READ, READ + "p, clerk, Case, read, here and done, public, allow\n"),
        (
            READ,
            "p, clerk, Case, read, here and done, public, allow\np, clerk, Case, read, here and not done, public, allow\n",
        ),
        (
            READ,
            "p, guest, Case, read, here, public, allow\ng, clerk, guest\np, guest, Case, read, True, *, deny\n" + READ,
        ),
        (
            "p, clerk, Case, read, here, identity, allow\n",
            "p, clerk, Case, read, here, ~identity, allow\n",
        ),
    ],
)
def test_the_same_in_other_words_is_no_difference(before: str, after: str) -> None:
    differences = changes(before, after)
    assert [one for one in differences if one[0] == "clerk"] == ([] if "guest" not in after else differences)


def test_an_inherited_rule_is_a_difference_of_every_role_that_has_it() -> None:
    edges = "g, chief, clerk\n"
    gained = changes(edges + READ, edges + READ + "p, clerk, Case, close, here, -, allow\n")
    assert gained == [("clerk", None, "row", "widens"), ("chief", None, "row", "widens")]
    assert {(role, change) for role, _, _, change in changes(READ, edges + READ)} == {("chief", "widens")}
    assert {(role, change) for role, _, _, change in changes(edges + READ, READ)} == {("chief", "narrows")}


def test_a_redefined_named_condition_is_a_difference() -> None:
    before = policy(NAMES + READ)
    after = policy((NAMES + READ).replace("r.obj.town == r.sub.area", "r.obj.open"))
    assert {one.change for one in diff(before, after).differences} == {"incomparable"}


def test_sentences() -> None:
    assert sentences(READ, READ + "p, clerk, Case, read, done, ~contact, allow\n") == [
        "+ 办事员：可以看到案件的范围扩大，由「本镇」变为「本镇 或 已办结」",
        "+ 办事员：现在可以看到案件的联系电话（掩码），范围：已办结",
    ]
    assert sentences(READ + "p, clerk, Case, close, here and done, -, allow\n", READ) == [
        "- 办事员：不再可以对案件办理「结案」，原范围：本镇 且 已办结"
    ]
    assert sentences(
        READ, "p, clerk, Case, read, here, public, allow\np, chief, Case, read, here, public|name, allow\n"
    ) == ["+ 主任：现在可以看到案件（公开信息、姓名），范围：本镇"]
    assert sentences(READ, "p, clerk, Case, read, done, public, allow\n") == [
        "? 办事员：可以看到案件（公开信息）的范围改变，可能有增有减，由「本镇」变为「已办结」"
    ]
    reveal = "p, clerk, Case, reveal, here, name, allow\n"
    assert sentences(READ, READ + reveal) == ["+ 办事员：现在可以对案件办理「留痕查看明文」（姓名），范围：本镇"]
    assert sentences(READ + reveal, READ + reveal.replace("name", "name|contact")) == [
        "+ 办事员：现在可以对案件办理「留痕查看明文」的联系电话，范围：本镇"
    ]
    # Roles with the same change share a sentence.
    both = READ + "g, chief, clerk\n"
    assert sentences(both, both + "p, clerk, Case, close, here, -, allow\n") == [
        "+ 办事员、主任：现在可以对案件办理「结案」，范围：本镇"
    ]
    assert sentences(READ, READ) == ["两份策略的授权相同。"]


def test_labels_and_names_that_change_no_access_are_notes() -> None:
    before, after = (
        policy(NAMES + READ),
        policy(NAMES.replace("本镇", "本镇街") + READ + "p3, boss, 局长\np2, open, r.obj.open, 在办\n"),
    )
    difference = diff(before, after)
    assert (difference.differences, difference.widens) == ((), False)
    assert difference.notes == (
        "新增角色 局长（boss）",
        "条件 here 改称「本镇街」，原称「本镇」",
        "新增条件名 open「在办」",
    )
    assert diff(after, before).notes == (
        "删去角色 局长（boss）",
        "条件 here 改称「本镇」，原称「本镇街」",
        "删去条件名 open「在办」",
    )


CONDITIONS = [
    "True",
    "here",
    "done",
    "here and done",
    "here or done",
    "not done",
    "r.obj.open",
    "here and not r.obj.open",
]
lines = st.lists(
    st.tuples(
        st.sampled_from(["clerk", "chief"]),
        st.sampled_from(CONDITIONS),
        st.sampled_from(["public", "public|contact", "~contact", "name|~contact", "identity"]),
        st.sampled_from(["allow", "allow", "deny"]),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda line: (line[0], line[1], line[3]),
)


def drawn(rules: list[tuple[str, str, str, str]], inherits: bool) -> Policy:
    text = NAMES + ("g, chief, clerk\n" if inherits else "")
    for role, rows, fields, effect in rules:
        text += f"p, {role}, Case, read, {rows}, {fields.replace('~', '') if effect == 'deny' else fields}, {effect}\n"
    return policy(text)


@given(lines, lines, st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_diff_holds_on_every_row_and_is_symmetric(
    before: list[tuple[str, str, str, str]],
    after: list[tuple[str, str, str, str]],
    old_inherits: bool,
    new_inherits: bool,
) -> None:
    old, new = drawn(before, old_inherits), drawn(after, new_inherits)
    assert diff(old, old).differences == () == diff(new, new).differences
    differences = diff(old, new).differences
    reversed_change: dict[Change, Change] = {"widens": "narrows", "narrows": "widens", "incomparable": "incomparable"}
    reversed_differences = {
        replace(each, change=reversed_change[each.change], before=each.after, after=each.before) for each in differences
    }
    assert set(diff(new, old).differences) == reversed_differences
    by_cell: dict[tuple[str, str | None, str], Difference] = {
        (each.role, each.field_class, each.form): each for each in differences
    }
    rows = [
        row(town=town, state=state, open=flag) for town, state, flag in product("TU", ("DONE", "NEW"), (True, False))
    ]
    for role in ("clerk", "chief", "guest"):
        was, is_ = (Access(each, [Appointment(role, {"person": 1, "area": "T", "teams": []})]) for each in (old, new))
        for cell, field_class, form in cells_of(CASE, "read"):
            seen = [
                [evaluate(access.grant("Case").cell(cell), each, access.claims) for each in rows]
                for access in (was, is_)
            ]
            change = by_cell.get((role, field_class, form))
            if change is None and form == "masked":
                change = by_cell.get((role, field_class, "clear"))
            if change is None:
                assert seen[0] == seen[1]
            elif change.change == "widens":
                assert all(new_ or not old_ for old_, new_ in zip(*seen, strict=True))
            elif change.change == "narrows":
                assert all(old_ or not new_ for old_, new_ in zip(*seen, strict=True))


def test_a_policy_that_was_refused_has_no_diff() -> None:
    with pytest.raises(PolicyRefused):
        policy("p, clerk, Case, read, nearby, public, allow\n")
