"""Running policy tests: a case that does not meet its expectation is a failure, with the line of its test."""

from db.resources.catalog import CATALOG as SHIPPED_CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.edit import ChangeRows, RuleKey, edit
from policies.testing.run import run
from policies.testing.suite import SUITE_PATH, load
from tests.policies.small import policy
from tests.policies.testing.report import CLOSE_TEST, PEOPLE, READ_TEST, TEXT, report


def test_tests_that_kill_every_mutant_are_green() -> None:
    result = report(READ_TEST + CLOSE_TEST)
    assert (result.green, result.cases, result.failures, result.survivors) == (True, 3, (), ())
    assert result.mutants == 14


def test_a_failure_has_the_line_and_the_title_of_its_test() -> None:
    (failure,) = report(READ_TEST.replace("公开信息", "公开信息 姓名") + CLOSE_TEST).failures
    assert (failure.line, failure.title) == (10, "本镇的看得到")
    assert (
        failure.text
        == "办事员对案件（本镇）应为可查看（姓名、公开信息、联系电话（掩码）），实为可查看（公开信息、联系电话（掩码））"
    )
    (failure,) = report(READ_TEST + CLOSE_TEST.replace(", can: 结案", "")).failures
    assert failure.text == "办事员对案件（本镇 在办）应为不可结案，实为可结案"
    (failure,) = report("  - {says: 主任也看不到, who: 主任, want: {案件: {clear: 公开信息}}}\n").failures
    assert failure.text == "主任对案件（任意一行）应为可查看（公开信息），实为不可查看"


def test_suites_of_two_texts_add_up() -> None:
    compiled = policy(TEXT)
    read_suite, close_suite = load(PEOPLE + READ_TEST, compiled, "随附"), load(PEOPLE + CLOSE_TEST, compiled, "本版")
    assert run(compiled, read_suite + close_suite).green
    assert (read_suite + close_suite).tests == 4
    wrong = load(PEOPLE + CLOSE_TEST.replace("结案}", "登记}".replace("登记", "留痕查看明文")), compiled, "本版")
    assert {(failure.source, failure.line) for failure in run(compiled, read_suite + wrong).failures} == {("本版", 10)}


def test_the_shipped_policy_passes_its_tests_and_no_mutant_survives() -> None:
    compiled = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), SHIPPED_CATALOG)
    result = run(compiled, load(SUITE_PATH.read_text(encoding="utf-8"), compiled))
    assert (result.failures, result.survivors) == ((), ())
    assert result.mutants > 2000


def test_every_role_that_can_be_held_has_tests() -> None:
    compiled = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), SHIPPED_CATALOG)
    bases = {inherited for roles in compiled.inherited.values() for inherited in roles[1:]} - {"mediator"}
    tested = {case.appointment.role for case in load(SUITE_PATH.read_text(encoding="utf-8"), compiled).cases}
    assert tested == compiled.roles.keys() - bases


def test_a_wrong_edit_of_the_shipped_policy_fails_a_test() -> None:
    key = RuleKey("court", "Party", "read", "referred")
    compiled = compile_policy(
        edit(POLICY_PATH.read_text(encoding="utf-8"), [ChangeRows(key, "anywhere")]), SHIPPED_CATALOG
    )
    result = run(compiled, load(SUITE_PATH.read_text(encoding="utf-8"), compiled))
    assert {failure.title for failure in result.failures} >= {"其他案件一概看不到，也不能办"}
    assert result.mutants == 0
