"""Mutation testing of a policy: which mutants of rules and inheritances survive which tests."""

import pytest

from db.resources.catalog import CATALOG as SHIPPED_CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.testing.mutants import MutationRun, MutationTimeout
from policies.testing.run import run
from policies.testing.suite import SUITE_PATH, load
from tests.policies.small import policy
from tests.policies.testing.report import CLOSE_TEST, PEOPLE, READ_TEST, TEXT, report


def survivors(tests: str, text: str = TEXT) -> list[tuple[int, str]]:
    """Line and mutation of every survivor, of tests that pass."""
    result = report(tests, text)
    assert not result.failures, result.failures
    return [(survivor.line, survivor.text.partition("：")[2]) for survivor in result.survivors]


def test_a_mutant_that_no_test_kills_survives() -> None:
    # No test closes a case, so none kills the mutants without the rule or with it reversed; those that widen it are killed.
    assert survivors(READ_TEST) == [(6, "删去，没有测试发现"), (6, "允许与禁止对调，没有测试发现")]
    # No test has a case that is not open: none kills the mutant without that condition.
    assert (6, "去掉条件「未办结」，没有测试发现") in survivors(CLOSE_TEST)


def test_a_test_on_a_row_that_must_not_show_kills_what_widens() -> None:
    without_elsewhere = PEOPLE.replace("  - {says: 邻镇的看不到, who: 办事员, given: 邻镇 在办, nothing: 案件}\n", "")
    compiled = policy(TEXT)
    remaining = run(compiled, load(without_elsewhere + READ_TEST + CLOSE_TEST, compiled)).survivors
    assert [(survivor.line, survivor.text.partition("：")[2]) for survivor in remaining] == [
        (5, "去掉条件「本镇」，没有测试发现"),
        (6, "去掉条件「本镇」，没有测试发现"),
    ]


def test_a_rule_that_grants_nothing_of_its_own_is_redundant() -> None:
    text = TEXT + "p, clerk, Case, read, here and r.obj.open, public, allow\n"
    assert (7, "多余，其他规则已经给了同样的权限") in survivors(READ_TEST + CLOSE_TEST, text)


def test_an_equivalent_mutant_is_no_survivor() -> None:
    # `name` is granted in clear anyway, so that no test can kill the mutant of the second rule that adds it.
    text = (
        TEXT.replace("public|~contact", "public|~contact|name")
        + "p, clerk, Case, read, here and r.obj.fresh, narrative, allow\n"
    )
    tests = (READ_TEST + CLOSE_TEST).replace("clear: 公开信息", "clear: 公开信息 姓名")
    fresh = "  - {says: 新的看得到案情, who: 办事员, given: 本镇 新的, want: {案件: {clear: 公开信息 姓名 案情, masked: 联系电话}}}\n"
    fresh += "  - {says: 邻镇新的看不到, who: 办事员, given: 邻镇 新的, nothing: 案件}\n"
    compiled = policy(text)
    head = PEOPLE.replace("  在办:", "  新的: {fresh: true}\n  在办:")
    assert run(compiled, load(head + tests + fresh, compiled)).green


def test_denials_are_mutated() -> None:
    text = TEXT + "p, clerk, Case, read, r.obj.fresh, contact, deny\n"
    assert [line for line, _ in survivors(READ_TEST + CLOSE_TEST, text)].count(7) >= 3
    head = PEOPLE.replace("  在办:", "  新的: {fresh: true}\n  在办:")
    compiled = policy(text)
    denied = "  - {says: 新的看不到电话, who: 办事员, given: 本镇 新的, want: {案件: {clear: 公开信息}}}\n"
    assert run(compiled, load(head + READ_TEST + CLOSE_TEST + denied, compiled)).green


def test_inheritance_is_mutated() -> None:
    text = TEXT + "g, chief, clerk\n"
    assert survivors(READ_TEST + CLOSE_TEST, text) == [(7, "删去，没有测试发现")]
    assert report(READ_TEST + CLOSE_TEST + READ_TEST.replace("who: 办事员", "who: 主任"), text).green


def test_decisions_without_a_mutation_are_as_expected() -> None:
    compiled = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), SHIPPED_CATALOG)
    mutation = MutationRun(compiled, load(SUITE_PATH.read_text(encoding="utf-8"), compiled))
    assert mutation.decisions
    assert all(decision.cells() == decision.expected for decision in mutation.decisions)


def test_mutants_are_tried_for_a_limited_time() -> None:
    compiled = policy(TEXT)
    with pytest.raises(MutationTimeout):
        run(compiled, load(PEOPLE + READ_TEST + CLOSE_TEST, compiled), seconds=-1)
