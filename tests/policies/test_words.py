"""Conditions in Chinese, by the labels of the policy and of the catalog; and the grant sheet, which a lawyer reviews as a file."""

import pytest

from db.resources.catalog import CATALOG as SHIPPED_CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.escalation import POLICY_ACTIONS
from policies.sheet import sheet
from policies.words import ACTIONS, action_words, class_words, condition_words
from tests.paths import GOLDEN
from tests.policies.small import policy
from tests.policies.test_explain import TEXT

SHEET = GOLDEN / "sheet.md"


def test_the_sheet_in_the_repository_is_that_of_the_policy() -> None:
    """Regenerate it with `python -m api policy sheet policies/policy.csv > tests/golden/sheet.md`, and review the difference."""
    compiled = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), SHIPPED_CATALOG)
    assert SHEET.read_text(encoding="utf-8") == sheet(compiled)


def test_every_action_has_its_name() -> None:
    for resource in SHIPPED_CATALOG.resources.values():
        assert resource.actions <= ACTIONS.keys()
    assert ACTIONS.keys() >= POLICY_ACTIONS


def test_the_sheet_says_every_rule_once() -> None:
    assert sheet(policy(TEXT)).splitlines() == [
        "# 授权一览表",
        "",
        "共 3 个角色、9 条规则。未列出的一律不可见、不可办。",
        "",
        "## 办事员（clerk）",
        "",
        "- 案件：本镇 → 可见 公开信息；掩码 联系电话",
        "- 案件：本镇 且 未办结 → 可见 案情、联系电话",
        "- 案件：协助人包括本人 → 可见 公开信息",
        "- 案件：已办结 → 不得查看 联系电话",
        "- 案件：本镇 → 可办 结案、留痕查看明文（姓名）",
        "",
        "## 主任（chief），兼有：办事员",
        "",
        "- 案件：非 已办结 且 团队在团队之中 → 可见 证件号码",
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


NAMES = (
    "p2, all, True, 不限\np2, here, r.obj.town == r.sub.area, 本镇\np2, done, r.obj.state == 'DONE', 已办结\n"
    "p2, mine, here and r.sub.person in r.obj.helpers, 本人经手\np2, ended, r.obj.state == 'DONE' or r.obj.state == 'GONE', 已了结\n"
)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("True", "不限"),
        ("here", "本镇"),
        ("r.obj.town == r.sub.area", "本镇"),
        ("here and done", "本镇 且 已办结"),
        ("here or done", "本镇 或 已办结"),
        ("not done", "非 已办结"),
        ("not (done or r.obj.open)", "非 （已办结 或 未办结）"),
        ("r.obj.open and here", "未办结 且 本镇"),
        ("r.obj.open == False", "未办结为否"),
        ("r.obj.fresh", "fresh"),
        ("r.obj.state == 'NEW'", "状态为 NEW"),
        ("r.obj.state != 'NEW'", "状态不为 NEW"),
        ("r.obj.owner == r.sub.person", "承办人与本人相同"),
        ("r.obj.team in r.sub.teams", "团队在团队之中"),
        # The longest name wins, wherever its parts stand.
        ("r.sub.person in r.obj.helpers and r.obj.open and here", "本人经手 且 未办结"),
        ("r.sub.person in r.obj.helpers", "协助人包括本人"),
        ("done or r.obj.open or r.obj.state == 'GONE'", "已了结 或 未办结"),
        ("here and (done or r.obj.open)", "本镇 且 （已办结 或 未办结）"),
        ("here and ended", "本镇 且 已了结"),
        ("not True", "无"),
    ],
)
def test_conditions_in_words(condition: str, expected: str) -> None:
    compiled = policy(f"{NAMES}p, clerk, Case, read, {condition}, public, allow\n")
    assert condition_words(compiled.rules[0].rows, compiled, "Case") == expected


def test_a_name_that_does_not_translate_for_a_resource_is_not_used_there() -> None:
    compiled = policy(f"{NAMES}p, clerk, Place, read, True, public, allow\n")
    assert [label for _, label in compiled.condition_labels["Place"]] == ["不限"]
    assert condition_words(compiled.rules[0].rows, compiled, "Place") == "不限"


def test_no_condition_of_the_shipped_policy_shows_code() -> None:
    compiled = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), SHIPPED_CATALOG)
    for rule in compiled.rules:
        assert not set("_.=") & set(condition_words(rule.rows, compiled, rule.resource)), rule


def test_actions_and_classes_in_words() -> None:
    assert (action_words("Party", "withdraw"), action_words("Dispute", "withdraw")) == ("登记退出", "登记撤回")
    assert (class_words("contact"), class_words("contact", "masked")) == ("联系电话", "联系电话（掩码）")
