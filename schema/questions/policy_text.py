"""Policies as texts: errors, tests, the difference of what two of them grant, and the matrix of all that one grants.

A stored version is for those who read it; a text that is not stored for those who may draft one.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

import strawberry

from db.policy_admin.examine import shipped_tests
from db.policy_admin.explain import version_for
from db.resources.catalog import CATALOG
from policies.compile import compile_policy
from policies.diff import Diff, diff
from policies.escalation import POLICY
from policies.matrix import Entry, matrix
from policies.policy import Policy, PolicyRefused
from policies.predicate import Never
from policies.testing.run import Report, run
from policies.testing.suite import SuiteRefused, load
from policies.text import Problem
from policies.words import action_words, class_words
from schema.node import code_enum
from schema.questions.answer import QuestionContext, question
from schema.questions.field_form import FieldForm, form_of
from schema.refusal import Code, Refusal, TooCostly

# Testing mutates every rule in several ways, and the matrix says each cell in words: bounds of what a person can still review.
MAX_TESTED_RULES = 3000
MAX_ENTRIES = 5000


@code_enum("权限的变化方向。")
class PolicyChange(Enum):
    WIDENS = "放宽"
    NARROWS = "收窄"
    INCOMPARABLE = "改变，可能有增有减"


@strawberry.type(description="文本中的一处错误。")
class PolicyProblem:
    line: int = strawberry.field(description="行号；0 指整个文本。")
    column: int = strawberry.field(description="列号。")
    message: str = strawberry.field(description="错在哪里，怎么改。")


@strawberry.type(description="策略文本的检查结果。")
class PolicyCheck:
    ok: bool = strawberry.field(description="能否成为策略。")
    problems: list[PolicyProblem] = strawberry.field(description="全部错误，依行次。")
    sha256: str | None = strawberry.field(description="全文的 SHA-256 散列；有错误的为 null。")
    roles: int | None = strawberry.field(description="角色数。")
    rules: int | None = strawberry.field(description="规则数。")


@strawberry.type(description="测试中的一处不符，或没有测试发现的一处改动。")
class PolicyTestFinding:
    line: int = strawberry.field(description="行号：不符的指测试文本，改动的指策略文本。")
    text: str = strawberry.field(description="一句话。")


@strawberry.type(description="策略测试的结果。")
class PolicyTestReport:
    green: bool = strawberry.field(description="是否全部符合，且每处改动都有测试发现。")
    cases: int = strawberry.field(description="测试的例数。")
    mutants: int = strawberry.field(description="改动规则的次数；有不符的不再改动。")
    failures: list[PolicyTestFinding] = strawberry.field(description="不符的测试。")
    survivors: list[PolicyTestFinding] = strawberry.field(description="没有任何测试发现的改动。")
    policy_problems: list[PolicyProblem] = strawberry.field(description="策略文本的错误；有错误的不测试。")
    test_problems: list[PolicyProblem] = strawberry.field(description="测试文本的错误；有错误的不测试。")


@strawberry.type(description="一句话的变化。")
class PolicySentence:
    change: PolicyChange = strawberry.field(description="方向。")
    text: str = strawberry.field(description="变化，一句话；相同的变化合并。")


@strawberry.type(description="一个角色的一个单元的变化。")
class PolicyDifference:
    change: PolicyChange = strawberry.field(description="方向。")
    role: str = strawberry.field(description="角色代码。")
    resource: str = strawberry.field(description="对象类型。")
    action: str = strawberry.field(description="动作代码。")
    field_class: str | None = strawberry.field(description="字段类别代码；null 指行本身。")
    form: FieldForm | None = strawberry.field(description="明文或掩码；行本身为 null。")
    before: str | None = strawberry.field(description="原来的范围；原来没有的为 null。")
    after: str | None = strawberry.field(description="现在的范围；不再有的为 null。")


@strawberry.type(description="两份策略的授权有何不同。写法不同而授权相同的，不算不同。")
class PolicyDiff:
    widens: bool = strawberry.field(description="是否有人可能多得什么。")
    sentences: list[PolicySentence] = strawberry.field(description="各项变化，用策略中的名称写成。")
    differences: list[PolicyDifference] = strawberry.field(description="逐个单元的变化。")
    notes: list[str] = strawberry.field(description="不影响授权的变化，如角色改称。")


@strawberry.type(description="权限矩阵的一格。")
class PolicyEntry:
    role: str = strawberry.field(description="角色代码。")
    role_label: str = strawberry.field(description="角色名称。")
    resource: str = strawberry.field(description="对象类型。")
    resource_label: str = strawberry.field(description="对象类型的名称。")
    action: str = strawberry.field(description="动作代码。")
    action_label: str = strawberry.field(description="动作的名称。")
    field_class: str | None = strawberry.field(description="字段类别代码；null 指行本身。")
    class_label: str | None = strawberry.field(description="字段类别的名称。")
    form: FieldForm | None = strawberry.field(description="明文或掩码；行本身为 null。")
    condition: str = strawberry.field(description="范围，用策略中的名称写成。")
    lines: list[int] = strawberry.field(description="所据的规则所在的行。")


@strawberry.type(description="权限矩阵：角色、对象、动作、字段类别，各在什么范围；没有列出的一律没有。")
class PolicyMatrix:
    sha256: str = strawberry.field(description="策略全文的 SHA-256 散列。")
    entries: list[PolicyEntry] = strawberry.field(description="各格。")


VersionArgument = Annotated[
    int | None, strawberry.argument(description="已存的版本号；version 与 text 至多写一个，都不写为现行策略。")
]
TextArgument = Annotated[
    str | None, strawberry.argument(description="或者写一份策略全文，Casbin 的 CSV 格式；须有起草权限。")
]


@dataclass(frozen=True)
class PolicyWithTests:
    """A policy that was asked about, with the tests that are stored with it."""

    policy: Policy
    tests: str


def may_draft(context: QuestionContext) -> bool:
    """SECURITY: whether the asker may have a text of their own examined."""
    return not isinstance(context.access.grant(POLICY, "draft").rows, Never)


def require_draft(context: QuestionContext) -> None:
    if not may_draft(context):
        raise Refusal(Code.FORBIDDEN, "您无权起草策略。")


async def policy_with_tests(
    context: QuestionContext, version: int | None, text: str | None, action: str = "read"
) -> PolicyWithTests:
    """The policy of a version that the asker reads (and may take the action on), or of a text. Raises Refusal and PolicyRefused."""
    if version is not None and text is not None:
        raise Refusal(Code.BAD_USER_INPUT, "version 与 text 至多写一个。")
    if text is not None:
        require_draft(context)
        return PolicyWithTests(await context.compute(compile_policy, text, CATALOG), shipped_tests())
    version = context.live.version if version is None else version
    row = await version_for(context.connection, context.access, version, action)
    if row is None:
        # SECURITY: hidden and missing versions are the same answer.
        raise Refusal(Code.NOT_FOUND, "没有这个版本，或者您无权查看它。")
    if version == context.live.version:
        return PolicyWithTests(context.live, row["tests"] or shipped_tests())
    return PolicyWithTests(
        await context.compute(compile_policy, row["text"], CATALOG, version), row["tests"] or shipped_tests()
    )


async def require_policy(
    context: QuestionContext, version: int | None, text: str | None, action: str = "read"
) -> Policy:
    """The policy asked about, which must be one that compiles. Raises Refusal."""
    try:
        return (await policy_with_tests(context, version, text, action)).policy
    except PolicyRefused as refused:
        message = f"这份策略有 {len(refused.problems)} 处错误，请先用 policyCheck 查明。"
        raise Refusal(Code.BAD_USER_INPUT, message) from None


def _problems(problems: tuple[Problem, ...]) -> list[PolicyProblem]:
    return [PolicyProblem(line=one.line, column=one.column, message=one.message) for one in problems]


@question("检查一份策略全文：全部错误一次列出，各有行号列号。须有起草权限。", 500)
async def policy_check(
    context: QuestionContext, text: Annotated[str, strawberry.argument(description="策略全文，Casbin 的 CSV 格式。")]
) -> PolicyCheck | None:
    require_draft(context)
    try:
        policy = await context.compute(compile_policy, text, CATALOG)
    except PolicyRefused as refused:
        return PolicyCheck(ok=False, problems=_problems(refused.problems), sha256=None, roles=None, rules=None)
    return PolicyCheck(ok=True, problems=[], sha256=policy.sha256, roles=len(policy.roles), rules=len(policy.rules))


@question("运行策略的测试，再逐条改动规则，看测试能否发现。不写 tests 则用随版本保存的，没有的用软件随附的。", 3000)
async def policy_test(
    context: QuestionContext,
    version: VersionArgument = None,
    text: TextArgument = None,
    tests: Annotated[str | None, strawberry.argument(description="测试全文，YAML；须有起草权限。")] = None,
) -> PolicyTestReport | None:
    empty: dict[str, Any] = {"cases": 0, "mutants": 0, "failures": [], "survivors": [], "green": False}
    if tests is not None:
        require_draft(context)
    try:
        tested = await policy_with_tests(context, version, text)
        if len(tested.policy.rules) > MAX_TESTED_RULES:
            count = len(tested.policy.rules)
            raise TooCostly(f"规则过多，至多 {MAX_TESTED_RULES} 条可以测试。", count, MAX_TESTED_RULES)
        report = await context.compute(_report, tested.policy, tested.tests if tests is None else tests)
    except PolicyRefused as refused:
        return PolicyTestReport(**empty, policy_problems=_problems(refused.problems), test_problems=[])
    except SuiteRefused as refused:
        return PolicyTestReport(**empty, policy_problems=[], test_problems=_problems(refused.problems))
    return PolicyTestReport(
        green=report.green,
        cases=report.cases,
        mutants=report.mutants,
        failures=[PolicyTestFinding(line=one.line, text=f"{one.title}：{one.text}") for one in report.failures],
        survivors=[PolicyTestFinding(line=one.line, text=one.text) for one in report.survivors],
        policy_problems=[],
        test_problems=[],
    )


def _report(policy: Policy, tests: str) -> Report:
    return run(policy, load(tests, policy))


@question("两份策略的授权有何不同，用策略中的名称写成。所涉的版本须自己看得见。", 2000)
async def policy_diff(
    context: QuestionContext,
    from_version: Annotated[int | None, strawberry.argument(description="原来的版本号；不写为现行策略。")] = None,
    to_version: Annotated[int | None, strawberry.argument(description="新的版本号；与 toText 须且只须写一个。")] = None,
    to_text: Annotated[str | None, strawberry.argument(description="或者写新的策略全文；须有起草权限。")] = None,
) -> PolicyDiff | None:
    if (to_version is None) == (to_text is None):
        raise Refusal(Code.BAD_USER_INPUT, "toVersion 与 toText 须且只须写一个。")
    before = await require_policy(context, from_version, None)
    after = await require_policy(context, to_version, to_text)
    difference: Diff = await context.compute(diff, before, after)
    return PolicyDiff(
        widens=difference.widens,
        sentences=[PolicySentence(change=_direction(one.change), text=one.text) for one in difference.sentences],
        differences=[
            PolicyDifference(
                change=_direction(one.change),
                role=one.role,
                resource=one.resource,
                action=one.action,
                field_class=one.field_class,
                form=form_of(one.form),
                before=one.before,
                after=one.after,
            )
            for one in difference.differences
        ],
        notes=[*difference.notes],
    )


def _direction(change: str) -> PolicyChange:
    return PolicyChange(change.upper())


@question("权限矩阵：继承与禁止都已计入。版本须自己看得见。", 2000)
async def policy_matrix(
    context: QuestionContext,
    version: VersionArgument = None,
    text: TextArgument = None,
    roles: Annotated[list[str] | None, strawberry.argument(description="只要这些角色，写代码。")] = None,
    resources: Annotated[list[str] | None, strawberry.argument(description="只要这些对象类型。")] = None,
) -> PolicyMatrix | None:
    policy = await require_policy(context, version, text)
    if roles is not None and not set(roles) <= set(policy.roles):
        raise Refusal(Code.BAD_USER_INPUT, "有的角色不在这份策略之中。")
    entries = await context.compute(_entries, policy, roles, resources)
    if len(entries) > MAX_ENTRIES:
        raise TooCostly(f"超过 {MAX_ENTRIES} 格，请按角色或对象分几次取。", len(entries), MAX_ENTRIES)
    return PolicyMatrix(sha256=policy.sha256, entries=[_entry(policy, one) for one in entries])


def _entries(policy: Policy, roles: list[str] | None, resources: list[str] | None) -> list[Entry]:
    entries: list[Entry] = []
    for one in matrix(policy, roles):
        if resources is None or one.resource in resources:
            entries.append(one)
            if len(entries) > MAX_ENTRIES:
                break
    return entries


def _entry(policy: Policy, one: Entry) -> PolicyEntry:
    return PolicyEntry(
        role=one.role,
        role_label=policy.roles[one.role],
        resource=one.resource,
        resource_label=policy.catalog.resources[one.resource].label,
        action=one.action,
        action_label=action_words(one.resource, one.action),
        field_class=one.field_class,
        class_label=one.field_class and class_words(one.field_class),
        form=form_of(one.form),
        condition=one.words,
        lines=[*one.lines],
    )
