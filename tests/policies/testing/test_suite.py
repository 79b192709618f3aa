"""Policy tests as YAML: what a text means, what is refused with its line, and which features of YAML are."""

import pytest

from policies.testing.suite import MAX_BYTES, Suite, SuiteRefused, load
from tests.policies.small import policy

POLICY = policy(
    "p2, here, r.obj.town == r.sub.area, 本镇\n"
    "p, clerk, Case, read, here, public|~contact, allow\n"
    "p, clerk, Case, reveal, here, name, allow\n"
)
HEAD = """people:
  办事员: {role: clerk, person: 甲, area: 一镇, teams: [一队]}
  来访者: {role: guest, person: 乙}
facts:
  本镇: {town: 一镇}
  经手: {helpers: [甲], open: true}
groups:
  全部: 案件 地点
tests:
"""
GOOD = "  - {says: 看得到, who: 办事员, given: 本镇 经手, want: {案件: {clear: 公开信息, masked: 联系电话, can: 留痕查看明文=姓名}}}\n"


def loaded(tests: str, head: str = HEAD) -> Suite:
    return load(head + tests, POLICY)


def refused(text: str) -> list[tuple[int, str]]:
    with pytest.raises(SuiteRefused) as refusal:
        load(text, POLICY)
    return [(problem.line, problem.message) for problem in refusal.value.problems]


def test_a_case_is_one_person_one_row_and_all_that_is_expected() -> None:
    suite = loaded(GOOD)
    (case,) = suite.cases
    assert (suite.tests, case.line, case.title, case.person, case.facts) == (1, 10, "看得到", "办事员", "本镇 经手")
    assert case.appointment.role == "clerk"
    assert case.appointment.claims == {"person": "甲", "area": "一镇", "teams": frozenset({"一队"})}
    assert case.row == {
        "state": None, "town": "一镇", "team": None, "owner": None, "open": True, "fresh": None, "helpers": frozenset({"甲"}),
    }  # fmt: skip
    # A class in clear is masked as well, where it has a mask; what is not named is expected to be withheld.
    assert case.expected == {
        "read": {"row", "public", "~contact"},
        "reveal": {"row", "name"},
        "close": frozenset(),
    }


def test_names_serve_as_well_as_labels() -> None:
    names = GOOD.replace("案件", "Case").replace("公开信息", "public").replace("联系电话", "contact")
    names = names.replace("留痕查看明文=姓名", "reveal=name")
    assert loaded(names) == loaded(GOOD)


def test_people_resources_and_groups_multiply() -> None:
    suite = loaded("  - {says: 什么也没有, who: 办事员 来访者, want: {地点: {clear: 公开信息}}, nothing: 全部}\n")
    assert [(case.person, case.resource, case.expected["read"]) for case in suite.cases] == [
        ("办事员", "Place", {"row", "public"}),
        ("办事员", "Case", frozenset()),
        ("来访者", "Place", {"row", "public"}),
        ("来访者", "Case", frozenset()),
    ]
    assert suite.cases[2].appointment.missing == {"area", "teams"}


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("{who: 办事员, nothing: 案件}", "每项测试须以 says 说明一句话"),
        ("{says: 一, nothing: 案件}", "每项测试须写明 who"),
        ("{says: 一, who: 办事员}", "每项测试须写明 who"),
        ("{says: 一, who: 张三, nothing: 案件}", "没有人员 '张三'"),
        ("{says: 一, who: 办事员, given: 邻镇, nothing: 案件}", "没有情形 '邻镇'"),
        ("{says: 一, who: 办事员, nothing: 房屋}", "没有资源 '房屋'"),
        ("{says: 一, who: 办事员, want: {案件: {clear: 密级}}}", "案件没有字段类别 '密级'"),
        ("{says: 一, who: 办事员, want: {地点: {clear: 姓名}}}", "地点没有字段类别 '姓名'"),
        ("{says: 一, who: 办事员, want: {案件: {masked: 公开信息}}}", "案件的公开信息没有这种形式"),
        ("{says: 一, who: 办事员, want: {案件: {clear: 证件号码}}}", "案件的证件号码没有这种形式"),
        ("{says: 一, who: 办事员, want: {案件: {clear: 姓名 姓名}}}", "姓名 重复"),
        ("{says: 一, who: 办事员, want: {案件: {can: 销毁}}}", "案件没有动作 '销毁'"),
        ("{says: 一, who: 办事员, want: {案件: {can: 查看}}}", "案件没有动作 '查看'"),
        ("{says: 一, who: 办事员, want: {案件: {clear: [姓名]}}}", "此处应为文字"),
        ("{says: 一, who: 办事员, want: [案件]}", "此处应为 名称: 值"),
        ("{says: 一, who: 办事员, want: {案件: {clear: 姓名}, Case: {}}}", "案件 重复"),
        ("{says: 一, who: 办事员, who: 来访者, nothing: 案件}", "who 重复"),
        ("{says: 一, who: 办事员, nothing: 案件, skip: true}", "未知的键 'skip'"),
        ("办事员", "此处应为 名称: 值"),
    ],
)
def test_a_test_that_means_nothing_is_refused(test: str, message: str) -> None:
    problems = refused(f"{HEAD}  - {test}\n")
    assert problems[0][0] == 10
    assert message in problems[0][1], problems


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("people:\n  甲: {role: boss}\n" + "tests: []\n", 2, "没有角色 'boss'"),
        ("people:\n  甲: {role: clerk, rank: 1}\ntests: []\n", 2, "未知的键 'rank'"),
        ("facts:\n  甲: {colour: 红}\ntests: []\n", 2, "没有属性 'colour'"),
        ("facts:\n  甲: {open: maybe}\ntests: []\n", 2, "真假值只能写 true 或 false"),
        ("groups:\n  甲: 房屋\ntests: []\n", 2, "没有资源 '房屋'"),
        ("rules: []\n", 1, "未知的键 'rules'"),
        ("tests: {}\n", 1, "此处应为列表"),
        ("tests: []\n", 1, "没有任何测试"),
        ("", 0, "没有任何测试"),
        ("- 1\n", 1, "此处应为 名称: 值"),
        ("tests: [\n", 2, "不是合法的 YAML"),
        ("a: b: c\n", 1, "不是合法的 YAML"),
        ("people: &a {}\nfacts: *a\n", 1, "不能使用引用"),
        ("tests: !!python/object/apply:os.system [ls]\n", 1, "不能使用引用（& 与 *）和标签"),
        ("tests: !!set {}\n", 1, "标签"),
        ("people:\n  甲: {role: clerk, area: \u202e镇}\n", 2, "不可见字符"),
        ("tests: '\0'\n", 1, "不可见字符"),
        ("[" * 50_000, 0, "层次过深"),
        ("#" * MAX_BYTES + "#", 0, "测试过大"),
    ],
)  # fmt: skip
def test_a_malformed_text_is_refused(text: str, line: int, message: str) -> None:
    problems = refused(text)
    assert problems[0][0] == line
    assert message in problems[0][1], problems[:3]


def test_scalars_are_texts() -> None:
    """In YAML `no` is false, `1_000` a number and `2024-02-20` a date; here each is a text."""
    head = HEAD.replace("一镇, teams", "no, teams").replace(
        "本镇: {town: 一镇}", "本镇: {town: 2024-02-20, state: 1_000}"
    )
    (case,) = loaded(GOOD, head).cases
    assert (case.appointment.claims["area"], case.row["town"], case.row["state"]) == ("no", "2024-02-20", "1_000")
