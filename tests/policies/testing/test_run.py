"""The tests of a policy and their mutants: what is wrong is found, what nobody tested is found, and Casbin is asked as well."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.resources.catalog import CATALOG as SHIPPED_CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.edit import ChangeRows, RuleKey, edit
from policies.testing.mutants import Mutants
from policies.testing.oracle import Judge
from policies.testing.run import Report, run
from policies.testing.suite import SUITE_PATH, load
from tests.policies.small import policy

TEXT = (
    "p2, here, r.obj.town == r.sub.area, 本镇\n"
    "p, clerk, Case, read, here, public|~contact, allow\n"
    "p, clerk, Case, close, here and r.obj.open, -, allow\n"
)
PEOPLE = """people:
  办事员: {role: clerk, area: 一镇}
  主任: {role: chief, area: 一镇}
facts:
  本镇: {town: 一镇}
  邻镇: {town: 二镇}
  在办: {open: true}
tests:
  - {says: 邻镇的看不到, who: 办事员, given: 邻镇 在办, nothing: 案件}
"""
SEEN = "  - {says: 本镇的看得到, who: 办事员, given: 本镇, want: {案件: {clear: 公开信息, masked: 联系电话}}}\n"
CLOSED = "  - {says: 在办的可结案, who: 办事员, given: 本镇 在办, want: {案件: {clear: 公开信息, masked: 联系电话, can: 结案}}}\n"


def report(tests: str, text: str = TEXT) -> Report:
    compiled = policy(text)
    return run(compiled, load(PEOPLE + tests, compiled))


def survivors(tests: str, text: str = TEXT) -> list[tuple[int, str]]:
    found = report(tests, text)
    assert not found.failures, found.failures
    return [(one.line, one.text.partition("：")[2]) for one in found.survivors]


def test_tests_that_notice_everything_are_green() -> None:
    found = report(SEEN + CLOSED)
    assert (found.green, found.cases, found.failures, found.survivors) == (True, 3, (), ())
    assert found.mutants == 14


def test_what_is_not_as_expected_is_told_with_the_line_of_the_test() -> None:
    (failure,) = report(SEEN.replace("公开信息", "公开信息 姓名") + CLOSED).failures
    assert (failure.line, failure.says) == (10, "本镇的看得到")
    assert (
        failure.text
        == "办事员对案件（本镇）应为可查看（姓名、公开信息、联系电话（掩码）），实为可查看（公开信息、联系电话（掩码））"
    )
    (failure,) = report(SEEN + CLOSED.replace(", can: 结案", "")).failures
    assert failure.text == "办事员对案件（本镇 在办）应为不可结案，实为可结案"
    (failure,) = report("  - {says: 主任也看不到, who: 主任, want: {案件: {clear: 公开信息}}}\n").failures
    assert failure.text == "主任对案件（任意一行）应为可查看（公开信息），实为不可查看"


def test_what_no_test_notices_survives() -> None:
    # Nobody closes a case, so nobody notices that the rule is gone or turned round; that it became wider, somebody does.
    assert survivors(SEEN) == [(6, "删去，没有测试发现"), (6, "允许与禁止对调，没有测试发现")]
    # No case that is not open: nobody notices that the condition is gone.
    assert (6, "去掉条件「未办结」，没有测试发现") in survivors(CLOSED)


def test_a_row_that_should_not_be_seen_notices_what_became_wider() -> None:
    near_only = PEOPLE.replace("  - {says: 邻镇的看不到, who: 办事员, given: 邻镇 在办, nothing: 案件}\n", "")
    compiled = policy(TEXT)
    found = run(compiled, load(near_only + SEEN + CLOSED, compiled)).survivors
    assert [(one.line, one.text.partition("：")[2]) for one in found] == [
        (5, "去掉条件「本镇」，没有测试发现"),
        (6, "去掉条件「本镇」，没有测试发现"),
    ]


def test_a_rule_that_gives_nothing_is_superfluous() -> None:
    text = TEXT + "p, clerk, Case, read, here and r.obj.open, public, allow\n"
    assert (7, "多余，其他规则已经给了同样的权限") in survivors(SEEN + CLOSED, text)


def test_a_change_that_changes_nothing_is_no_survivor() -> None:
    # `name` is given in clear anyway, so that nobody could notice that the second rule gives it masked.
    text = (
        TEXT.replace("public|~contact", "public|~contact|name")
        + "p, clerk, Case, read, here and r.obj.fresh, narrative, allow\n"
    )
    tests = (SEEN + CLOSED).replace("clear: 公开信息", "clear: 公开信息 姓名")
    fresh = "  - {says: 新的看得到案情, who: 办事员, given: 本镇 新的, want: {案件: {clear: 公开信息 姓名 案情, masked: 联系电话}}}\n"
    fresh += "  - {says: 邻镇新的看不到, who: 办事员, given: 邻镇 新的, nothing: 案件}\n"
    compiled = policy(text)
    head = PEOPLE.replace("  在办:", "  新的: {fresh: true}\n  在办:")
    assert run(compiled, load(head + tests + fresh, compiled)).green


def test_denials_are_mutated_as_well() -> None:
    text = TEXT + "p, clerk, Case, read, r.obj.fresh, contact, deny\n"
    assert [line for line, _ in survivors(SEEN + CLOSED, text)].count(7) >= 3
    head = PEOPLE.replace("  在办:", "  新的: {fresh: true}\n  在办:")
    compiled = policy(text)
    denied = "  - {says: 新的看不到电话, who: 办事员, given: 本镇 新的, want: {案件: {clear: 公开信息}}}\n"
    assert run(compiled, load(head + SEEN + CLOSED + denied, compiled)).green


def test_inheritance_is_mutated_as_well() -> None:
    text = TEXT + "g, chief, clerk\n"
    assert survivors(SEEN + CLOSED, text) == [(7, "删去，没有测试发现")]
    assert report(SEEN + CLOSED + SEEN.replace("who: 办事员", "who: 主任"), text).green


def test_casbin_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that says otherwise is a failure, even where our own result is as expected."""
    asked: list[str] = []

    def no(self: Judge, resource: str, row: object, cell: str = "row", action: str = "read") -> bool:
        asked.append(cell)
        return False

    monkeypatch.setattr(Judge, "may", no)
    found = report(SEEN + CLOSED)
    assert {failure.text for failure in found.failures} == {
        "办事员对案件（本镇）的查看：编译结果与 Casbin 不一致",
        "办事员对案件（本镇 在办）的查看：编译结果与 Casbin 不一致",
        "办事员对案件（本镇 在办）的结案：编译结果与 Casbin 不一致",
    }
    assert {"row", "public", "~contact"} <= set(asked)


SHIPPED = POLICY_PATH.read_text(encoding="utf-8")
TESTS = SUITE_PATH.read_text(encoding="utf-8")


def test_the_shipped_policy_is_as_its_tests_say_and_each_rule_is_noticed_by_one() -> None:
    compiled = compile_policy(SHIPPED, SHIPPED_CATALOG)
    found = run(compiled, load(TESTS, compiled))
    assert (found.failures, found.survivors) == ((), ())
    assert found.mutants > 2000


def test_every_role_that_people_hold_has_its_tests() -> None:
    compiled = compile_policy(SHIPPED, SHIPPED_CATALOG)
    bases = {inherited for held in compiled.inherited.values() for inherited in held[1:]} - {"mediator"}
    tested = {case.appointment.role for case in load(TESTS, compiled).cases}
    assert tested == compiled.roles.keys() - bases


def test_a_wrong_edit_of_the_shipped_policy_fails_a_test() -> None:
    key = RuleKey("court", "Party", "read", "referred")
    compiled = compile_policy(edit(SHIPPED, [ChangeRows(key, "anywhere")]), SHIPPED_CATALOG)
    found = run(compiled, load(TESTS, compiled))
    assert {failure.says for failure in found.failures} >= {"其他案件一概看不到，也不能办"}
    assert found.mutants == 0


def test_our_shortcut_for_mutants_says_the_same_as_the_grants() -> None:
    compiled = compile_policy(SHIPPED, SHIPPED_CATALOG)
    hunt = Mutants(compiled, load(TESTS, compiled))
    assert all(one.shown() == one.case.expected[one.action] for one in hunt.decisions)


rules = st.lists(
    st.tuples(
        st.sampled_from(["clerk", "chief"]),
        st.sampled_from(["read", "read", "close", "reveal"]),
        st.sampled_from(
            [
                "True",
                "here",
                "r.obj.open",
                "not r.obj.open",
                "here and r.obj.open",
                "r.sub.person in r.obj.helpers or here",
            ]
        ),
        st.sampled_from(["public", "public|contact", "~contact|name", "identity|narrative", "~identity"]),
        st.sampled_from(["allow", "allow", "deny"]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda rule: (rule[0], rule[1], rule[2], rule[4]),
)


@given(rules, st.booleans())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_casbin_says_what_the_compiled_policy_says(drawn: list[tuple[str, str, str, str, str]], inherits: bool) -> None:
    """Whatever is expected, Casbin and we never differ, with claims missing and values missing as well."""
    text = "p2, here, r.obj.town == r.sub.area, 本镇\n" + ("g, chief, clerk\n" if inherits else "")
    for role, action, rows, fields, effect in drawn:
        granted = fields if action == "read" and effect == "allow" else fields.replace("~", "")
        text += f"p, {role}, Case, {action}, {rows}, {granted}, {effect}\n"
    compiled = policy(text)
    suite = load(
        """people:
  办事员: {role: clerk, person: 甲, area: 一镇}
  无辖区: {role: clerk, person: 甲}
  主任: {role: chief, area: 一镇}
facts:
  本镇: {town: 一镇, open: true, helpers: [甲]}
  邻镇: {town: 二镇, open: false, helpers: [甲, 乙]}
  不明: {}
tests:
  - {says: 一, who: 办事员 无辖区 主任, given: 本镇, nothing: 案件}
  - {says: 二, who: 办事员 无辖区 主任, given: 邻镇, nothing: 案件}
  - {says: 三, who: 办事员 无辖区 主任, given: 不明, nothing: 案件}
""",
        compiled,
    )
    assert [failure for failure in run(compiled, suite).failures if "Casbin" in failure.text] == []


def test_tests_of_two_texts_count_together() -> None:
    compiled = policy(TEXT)
    seen, closed = load(PEOPLE + SEEN, compiled, "随附"), load(PEOPLE + CLOSED, compiled, "本版")
    assert run(compiled, seen + closed).green
    assert (seen + closed).sentences == 4
    wrong = load(PEOPLE + CLOSED.replace("结案}", "登记}".replace("登记", "留痕查看明文")), compiled, "本版")
    assert {(one.source, one.line) for one in run(compiled, seen + wrong).failures} == {("本版", 10)}
