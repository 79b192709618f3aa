"""Structured edits: the result is as meant, all other lines are as they were, and a value never brings a line of its own."""

import difflib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.resources.catalog import CATALOG as SHIPPED_CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.diff import diff
from policies.edit import (
    AddInheritance,
    AddRole,
    ChangeEffect,
    ChangeFields,
    ChangeRows,
    Edit,
    EditRefused,
    GrantRule,
    NameCondition,
    RemoveInheritance,
    RemoveRole,
    RevokeRule,
    RuleKey,
    edit,
)
from tests.policies.small import CATALOG

TEXT = """# 角色
p3, clerk, 办事员
p3,chief,主任

# 条件
p2, here, r.obj.town == r.sub.area, 本镇

g, chief, clerk

# 办事员
p,  clerk, Case, read,   here, public|~contact,  allow
p, clerk, Case, close, here and r.obj.open, -, allow

# 主任
p, chief, Case, read, True, narrative, allow
p, chief, Case, read, r.obj.fresh, name, deny
"""
READ = RuleKey("clerk", "Case", "read", "here")


def changed(*edits: Edit, text: str = TEXT) -> list[str]:
    """The removed lines (-) and the added ones (+)."""
    after = edit(text, edits)
    return [line for line in difflib.ndiff(text.splitlines(), after.splitlines()) if line[0] in "+-"]


def refusal(*edits: Edit) -> tuple[tuple[int, str], ...]:
    with pytest.raises(EditRefused) as refused:
        edit(TEXT, edits)
    return refused.value.problems


@pytest.mark.parametrize(
    ("one", "removed", "added"),
    [
        (
            GrantRule(RuleKey("clerk", "Case", "read", "r.obj.open"), "name"),
            [],
            ["p, clerk, Case, read, r.obj.open, name, allow"],
        ),
        (
            GrantRule(READ, "name|contact"),
            ["p,  clerk, Case, read,   here, public|~contact,  allow"],
            ["p,  clerk, Case, read,   here, public|contact|name,  allow"],
        ),
        (RevokeRule(RuleKey("chief", "Case", "read", "True")), ["p, chief, Case, read, True, narrative, allow"], []),
        (
            RevokeRule(RuleKey("chief", "Case", "read", "r.obj.fresh", "deny")),
            ["p, chief, Case, read, r.obj.fresh, name, deny"],
            [],
        ),
        (
            ChangeRows(READ, "here and r.obj.open"),
            ["p,  clerk, Case, read,   here, public|~contact,  allow"],
            ["p,  clerk, Case, read,   here and r.obj.open, public|~contact,  allow"],
        ),
        (
            ChangeFields(READ, "public"),
            ["p,  clerk, Case, read,   here, public|~contact,  allow"],
            ["p,  clerk, Case, read,   here, public,  allow"],
        ),
        (
            ChangeEffect(RuleKey("clerk", "Case", "close", "here and r.obj.open"), "deny", "*"),
            ["p, clerk, Case, close, here and r.obj.open, -, allow"],
            ["p, clerk, Case, close, here and r.obj.open, *, deny"],
        ),
        (AddRole("guest", "来访者"), [], ["p3, guest, 来访者"]),
        (AddInheritance("clerk", "guest"), [], ["g, clerk, guest"]),
        (RemoveInheritance("chief", "clerk"), ["g, chief, clerk"], []),
        (NameCondition("open", "r.obj.open", "在办"), [], ["p2, open, r.obj.open, 在办"]),
        (
            NameCondition("here", "r.obj.open", "在办"),
            ["p2, here, r.obj.town == r.sub.area, 本镇"],
            ["p2, here, r.obj.open, 在办"],
        ),
    ],
)
def test_an_edit_changes_its_own_line_and_no_other(one: Edit, removed: list[str], added: list[str]) -> None:
    lines = changed(one)
    assert [line[2:] for line in lines if line[0] == "-"] == removed
    assert [line[2:] for line in lines if line[0] == "+"] == added


def test_new_lines_come_where_a_reader_looks_for_them() -> None:
    lines = edit(
        TEXT,
        [
            GrantRule(RuleKey("clerk", "Case", "read", "r.obj.open"), "name"),
            GrantRule(RuleKey("clerk", "Case", "reveal", "here"), "name"),
            AddRole("guest", "来访者"),
            GrantRule(RuleKey("guest", "Place", "read", "True"), "public"),
            AddInheritance("clerk", "guest"),
        ],
    ).splitlines()

    def before(line: str) -> str:
        return lines[lines.index(line) - 1]

    assert before("p, clerk, Case, read, r.obj.open, name, allow").startswith("p,  clerk, Case, read,   here")
    assert before("p, clerk, Case, reveal, here, name, allow").startswith("p, clerk, Case, close")
    assert before("p3, guest, 来访者") == "p3,chief,主任"
    assert before("p, guest, Place, read, True, public, allow").startswith("p, chief, Case, read, r.obj.fresh")
    assert before("g, clerk, guest") == "g, chief, clerk"


def test_a_role_is_removed_with_its_rules_and_its_inheritance() -> None:
    assert [line[2:] for line in changed(RemoveRole("clerk"))] == [
        "p3, clerk, 办事员",
        "g, chief, clerk",
        "p,  clerk, Case, read,   here, public|~contact,  allow",
        "p, clerk, Case, close, here and r.obj.open, -, allow",
    ]


@pytest.mark.parametrize(
    ("one", "part"),
    [
        (RevokeRule(RuleKey("clerk", "Case", "read", "True")), "没有这样的规则：clerk, Case, read, True, allow"),
        (RevokeRule(RuleKey("clerk", "Case", "read", "here", "deny")), "没有这样的规则"),
        (ChangeRows(RuleKey("nobody", "Case", "read", "here"), "True"), "没有这样的规则"),
        (GrantRule(READ, "public"), "已有字段类别 public"),
        (GrantRule(READ, "~public"), "已有字段类别 ~public"),
        (ChangeEffect(READ, "allow", "public"), "效果已是 allow"),
        (AddRole("clerk", "又一个"), "已有角色 clerk"),
        (RemoveRole("guest"), "没有角色 guest"),
        (AddInheritance("chief", "clerk"), "chief 已继承 clerk"),
        (RemoveInheritance("clerk", "chief"), "没有直接继承"),
        (ChangeFields(READ, ""), "fields 不能为空"),
        (ChangeFields(READ, "public "), "首尾不能有空格"),
        (ChangeFields(READ, "public, allow\np, guest"), "逗号"),
        (ChangeRows(READ, "True\np, clerk, Case, read, True"), "逗号"),
        (ChangeRows(READ, "True\nTrue"), "换行"),
        (ChangeRows(READ, "True\rTrue"), "换行"),
        (ChangeRows(READ, "True # 说明"), "#"),
        (AddRole("guest", "来\u202e访者"), "不可见字符"),
        (AddRole("guest", "来访者\0"), "不可见字符"),
        (GrantRule(RuleKey("clerk", "Case", "read", "True, public, allow\np"), "name"), "逗号"),
        (NameCondition("open", "r.obj.open", '"在办"'), "双引号"),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused_with_a_sentence(one: Edit, part: str) -> None:
    ((index, message),) = refusal(one)
    assert (index, part in message) == (0, True), message


def test_all_edits_that_cannot_be_made_come_at_once() -> None:
    problems = refusal(AddRole("clerk", "一"), AddRole("guest", "二"), RemoveRole("boss"), AddRole("guest", "三"))
    assert [index for index, _ in problems] == [0, 2, 3]


def test_a_rule_may_not_become_another_one() -> None:
    more = GrantRule(RuleKey("clerk", "Case", "read", "r.obj.open"), "name")
    with pytest.raises(EditRefused, match="第 11 行已有"):
        edit(TEXT, [more, ChangeRows(RuleKey("clerk", "Case", "read", "r.obj.open"), "here")])


def test_ends_of_lines_stay_as_they_are() -> None:
    windows = TEXT.replace("\n", "\r\n")
    after = edit(
        windows,
        [
            AddRole("guest", "来访者"),
            ChangeFields(READ, "public"),
            RevokeRule(RuleKey("chief", "Case", "read", "True")),
        ],
    )
    assert after.count("\r\n") == after.count("\n") == windows.count("\n")
    bare = TEXT.rstrip("\n")
    after = edit(bare, [GrantRule(RuleKey("chief", "Case", "close", "True"), "-")])
    assert after.splitlines()[-1] == "p, chief, Case, close, True, -, allow"
    assert edit("", [AddRole("guest", "来访者")]) == "p3, guest, 来访者\n"
    assert edit(TEXT, []) == TEXT


def test_an_edited_text_compiles_to_what_was_meant() -> None:
    after = edit(
        TEXT, [GrantRule(RuleKey("chief", "Case", "close", "here"), "-"), ChangeFields(READ, "public|contact")]
    )
    differences = diff(compile_policy(TEXT, CATALOG), compile_policy(after, CATALOG)).differences
    assert [(one.role, one.action, one.field_class, one.form, one.change) for one in differences] == [
        ("clerk", "read", "contact", "clear", "widens"),
        ("chief", "close", None, "row", "widens"),
        ("chief", "read", "contact", "clear", "widens"),
    ]


SHIPPED = POLICY_PATH.read_text(encoding="utf-8")
POLICY = compile_policy(SHIPPED, SHIPPED_CATALOG)


@given(st.sampled_from(POLICY.rules))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_rule_revoked_and_granted_again_is_the_same_policy_and_the_difference_is_the_rule(rule) -> None:  # type: ignore[no-untyped-def]  # Hypothesis brings the rule
    key = RuleKey(rule.role, rule.resource, rule.action, rule.condition)
    without = edit(SHIPPED, [RevokeRule(key)])
    assert len(without.splitlines()) == len(SHIPPED.splitlines()) - 1
    less = compile_policy(without, SHIPPED_CATALOG)
    differences = diff(POLICY, less).differences
    assert {one.change for one in differences} == {"narrows"}
    assert {(one.resource, one.action) for one in differences} == {(rule.resource, rule.action)}
    assert {one.role for one in differences} <= {role for role, roles in POLICY.inherited.items() if rule.role in roles}
    again = edit(without, [GrantRule(key, rule.cells)])
    assert diff(POLICY, compile_policy(again, SHIPPED_CATALOG)).differences == ()
    assert sorted(again.splitlines()) == sorted(SHIPPED.splitlines())
