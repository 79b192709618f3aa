"""Why and why not, in words; and the grant sheet, which a lawyer reviews as a file."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from db.catalog import CATALOG as SHIPPED_CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.explain import ACTIONS, Explanation, explain, sheet, words
from policies.grant import Access, Appointment
from tests.policies.small import CASE, CATALOG, policy, row

SHEET = Path(__file__).parents[1] / "golden" / "sheet.md"
TEXT = (
    "p2, here, r.obj.town == r.sub.area, 本镇\n"
    "p2, done, r.obj.state == 'DONE', 已办结\n"
    "g, chief, clerk\n"
    "p, clerk, Case, read, here, public|~contact, allow\n"
    "p, clerk, Case, read, here and r.obj.open, narrative|contact, allow\n"
    "p, clerk, Case, read, r.sub.person in r.obj.helpers, public, allow\n"
    "p, chief, Case, read, not done and r.obj.team in r.sub.teams, identity, allow\n"
    "p, clerk, Case, read, done, contact, deny\n"
    "p, guest, Case, read, done, *, deny\n"
    "p, clerk, Case, close, here, -, allow\n"
    "p, clerk, Case, reveal, here, name, allow\n"
    "p, chief, Case, close, done, *, deny\n"
)
CLAIMS: dict[str, Any] = {"person": 1, "area": "T", "teams": [7, 8]}


def told(field: str | None = None, role: str = "clerk", **values: Any) -> Explanation:
    access = Access(policy(TEXT), [Appointment(role, CLAIMS)])
    return explain(access, CASE, row(**values), CASE.fields[field] if field else None)


def test_the_sheet_in_the_repository_is_that_of_the_policy() -> None:
    """Write it anew with `python -m api policy sheet policies/policy.csv > tests/golden/sheet.md`, and read the difference."""
    compiled = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), SHIPPED_CATALOG)
    assert SHEET.read_text(encoding="utf-8") == sheet(compiled, SHIPPED_CATALOG)


def test_every_action_has_its_name() -> None:
    for resource in SHIPPED_CATALOG.resources.values():
        assert resource.actions <= ACTIONS.keys()


def test_the_sheet_says_every_rule_once() -> None:
    assert sheet(policy(TEXT), CATALOG).splitlines() == [
        "# 授权一览表",
        "",
        "共 3 个角色、9 条规则。未列出的一律不可见、不可办。",
        "",
        "## 办事员（clerk）",
        "",
        "- 案件：本镇 → 可见 公开信息；掩码 联系电话",
        "- 案件：本镇 且 r.obj.open → 可见 案情、联系电话",
        "- 案件：r.sub.person in r.obj.helpers → 可见 公开信息",
        "- 案件：已办结 → 不得查看 联系电话",
        "- 案件：本镇 → 可办 结案、留痕查看明文（姓名）",
        "",
        "## 主任（chief），兼有：办事员",
        "",
        "- 案件：非 已办结 且 r.obj.team in r.sub.teams → 可见 证件号码",
        "- 案件：已办结 → 不得 结案",
        "",
        "## 来访者（guest）",
        "",
        "- 案件：已办结 → 不得查看 整行",
        "",
        "## 字段类别",
        "",
        "- 案件·公开信息（public）：标题",
        "- 案件·案情（narrative）：案情",
        "- 案件·姓名（name）：姓名",
        "- 案件·联系电话（contact）：电话、分机",
        "- 案件·证件号码（identity）：证件号码",
        "- 地点·公开信息（public）：名称",
    ]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("True", "True"),
        ("here", "本镇"),
        ("here and done", "本镇 且 已办结"),
        ("here or done", "本镇 或 已办结"),
        ("not (here or done)", "非 (本镇 或 已办结)"),
        ("r.obj.open and here", "r.obj.open 且 本镇"),
    ],
)
def test_conditions_in_words(condition: str, said: str) -> None:
    assert words(condition, policy(TEXT)) == said


@pytest.mark.parametrize(
    ("field", "values", "visible", "shown"),
    [
        (None, {"town": "T"}, True, None),
        (None, {"town": "U"}, False, None),
        (None, {"town": "U", "helpers": {1}}, True, None),
        ("title", {"town": "T"}, True, "clear"),
        ("phone", {"town": "T", "open": False}, True, "masked"),
        ("phone", {"town": "T", "open": True}, True, "clear"),
        ("phone", {"town": "T", "open": True, "state": "DONE"}, True, "hidden"),
        ("extension", {"town": "T", "open": False}, True, "hidden"),
        ("name", {"town": "T"}, True, "hidden"),
        ("title", {"town": "U"}, False, "hidden"),
        ("phone", {"town": "U", "open": True}, False, "hidden"),
    ],
)
def test_how_a_cell_shows(field: str | None, values: dict[str, Any], visible: bool, shown: str | None) -> None:
    found = told(field, **values)
    assert (found.visible, found.field) == (visible, shown)


def test_every_rule_is_named_with_what_it_lacks() -> None:
    found = told(town="U", open=True, state="DONE", team=9, role="chief")
    assert not found.visible
    assert [(one.bound.rule.line, one.failed) for one in found.verdicts] == [
        (7, "镇街 为 U，要求 T"),
        (8, "镇街 为 U，要求 T"),
        (9, "协助人 ｛｝ 不含 1"),
        (10, "不得 状态 为 DONE，要求 DONE"),
        (11, None),
    ]
    # The first condition that fails is the one that is told.
    assert told(town="U", state="OPEN", team=9, role="chief").verdicts[3].failed == "团队 9 不在 ｛7、8｝ 之中"
    assert told(town="T").verdicts[1].failed == "未办结 为 （空），要求 是"


def test_only_rules_that_speak_of_the_field_are_told() -> None:
    assert [one.bound.rule.line for one in told("phone", town="T").verdicts] == [7, 8, 11]
    assert [one.bound.rule.line for one in told("title", town="T").verdicts] == [7, 9]
    assert [one.bound.rule.line for one in told("title", role="guest").verdicts] == [12]


def test_the_explanation_agrees_with_the_grant_on_every_cell() -> None:
    access = Access(policy(TEXT), [Appointment("chief", CLAIMS), Appointment("guest", {**CLAIMS, "area": None})])
    rules = {bound.rule.line for bound in access.grant("Case").bounds}
    for town, opened, state, helpers in itertools.product(
        ("T", "U", None), (True, False, None), ("DONE", None), (set(), {1})
    ):
        values = row(town=town, open=opened, state=state, helpers=helpers)
        matching = {one.bound.rule.line for one in explain(access, CASE, values).verdicts if one.failed is None}
        assert matching <= rules
        denied = 12 in matching
        assert explain(access, CASE, values).visible == (bool(matching & {7, 8, 9, 10}) and not denied)
        for field in CASE.fields.values():
            if not explain(access, CASE, values).visible:
                assert explain(access, CASE, values, field).field == "hidden"
