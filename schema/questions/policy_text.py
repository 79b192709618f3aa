"""Policies as texts: what is wrong with one, whether its tests hold, what two of them grant otherwise, and the whole as a table.

A stored version is for those who read it; a text of one's own for those who may draft one.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

import strawberry

from db.policy_admin.explain import version_for
from db.resources.catalog import CATALOG
from policies.compile import compile_policy
from policies.diff import Diff, diff
from policies.escalation import POLICY
from policies.matrix import Entry, matrix
from policies.policy import Policy, PolicyRefused
from policies.predicate import Never
from policies.testing.run import Report, run
from policies.testing.suite import SUITE_PATH, SuiteRefused, load
from policies.text import Problem
from policies.words import action_words, class_words
from schema.node import code_enum
from schema.questions.answer import Asking, asked
from schema.questions.explanation import FieldForm
from schema.refusal import Code, Refusal

# Testing changes every rule in several ways, the table says each cell in words: for what somebody could still review.
MOST_TESTED = 3000
MOST_ENTRIES = 5000


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
class Stored:
    """A policy that was asked about, with the tests that are kept with it."""

    policy: Policy
    tests: str


def may_draft(asking: Asking) -> bool:
    """SECURITY: whether he may have a text of his own looked into."""
    return not isinstance(asking.access.grant(POLICY, "draft").rows, Never)


def need_draft(asking: Asking) -> None:
    if not may_draft(asking):
        raise Refusal(Code.FORBIDDEN, "您无权起草策略。")


async def policy_asked(asking: Asking, version: int | None, text: str | None, action: str = "read") -> Stored:
    """The policy of a version that he reads (and may take the action on), or of a text. Raises Refusal and PolicyRefused."""
    if version is not None and text is not None:
        raise Refusal(Code.BAD_USER_INPUT, "version 与 text 至多写一个。")
    if text is not None:
        need_draft(asking)
        return Stored(await asking.think(compile_policy, text, CATALOG), _shipped_tests())
    version = asking.live.version if version is None else version
    row = await version_for(asking.connection, asking.access, version, action)
    if row is None:
        # SECURITY: hidden and missing versions are the same answer.
        raise Refusal(Code.NOT_FOUND, "没有这个版本，或者您无权查看它。")
    if version == asking.live.version:
        return Stored(asking.live, row["tests"] or _shipped_tests())
    return Stored(await asking.think(compile_policy, row["text"], CATALOG, version), row["tests"] or _shipped_tests())


def _shipped_tests() -> str:
    return SUITE_PATH.read_text(encoding="utf-8")


async def stored(asking: Asking, version: int | None, text: str | None, action: str = "read") -> Policy:
    """The policy asked about, where only one that can be explained will do. Raises Refusal."""
    try:
        return (await policy_asked(asking, version, text, action)).policy
    except PolicyRefused as refused:
        message = f"这份策略有 {len(refused.problems)} 处错误，请先用 policyCheck 查明。"
        raise Refusal(Code.BAD_USER_INPUT, message) from None


def _problems(problems: tuple[Problem, ...]) -> list[PolicyProblem]:
    return [PolicyProblem(line=one.line, column=one.column, message=one.message) for one in problems]


@asked("检查一份策略全文：全部错误一次列出，各有行号列号。须有起草权限。", 500)
async def policy_check(
    asking: Asking, text: Annotated[str, strawberry.argument(description="策略全文，Casbin 的 CSV 格式。")]
) -> PolicyCheck | None:
    need_draft(asking)
    try:
        policy = await asking.think(compile_policy, text, CATALOG)
    except PolicyRefused as refused:
        return PolicyCheck(ok=False, problems=_problems(refused.problems), sha256=None, roles=None, rules=None)
    return PolicyCheck(ok=True, problems=[], sha256=policy.sha256, roles=len(policy.roles), rules=len(policy.rules))


@asked("运行策略的测试，再逐条改动规则，看测试能否发现。不写 tests 则用随版本保存的，没有的用软件随附的。", 3000)
async def policy_test(
    asking: Asking,
    version: VersionArgument = None,
    text: TextArgument = None,
    tests: Annotated[str | None, strawberry.argument(description="测试全文，YAML；须有起草权限。")] = None,
) -> PolicyTestReport | None:
    empty: dict[str, Any] = {"cases": 0, "mutants": 0, "failures": [], "survivors": [], "green": False}
    if tests is not None:
        need_draft(asking)
    try:
        found = await policy_asked(asking, version, text)
        if len(found.policy.rules) > MOST_TESTED:
            raise Refusal(Code.TOO_COSTLY, f"规则过多，至多 {MOST_TESTED} 条可以测试。")
        report = await asking.think(_tested, found.policy, found.tests if tests is None else tests)
    except PolicyRefused as refused:
        return PolicyTestReport(**empty, policy_problems=_problems(refused.problems), test_problems=[])
    except SuiteRefused as refused:
        return PolicyTestReport(**empty, policy_problems=[], test_problems=_problems(refused.problems))
    return PolicyTestReport(
        green=report.green,
        cases=report.cases,
        mutants=report.mutants,
        failures=[PolicyTestFinding(line=one.line, text=f"{one.says}：{one.text}") for one in report.failures],
        survivors=[PolicyTestFinding(line=one.line, text=one.text) for one in report.survivors],
        policy_problems=[],
        test_problems=[],
    )


def _tested(policy: Policy, tests: str) -> Report:
    return run(policy, load(tests, policy))


@asked("两份策略的授权有何不同，用策略中的名称写成。所涉的版本须自己看得见。", 2000)
async def policy_diff(
    asking: Asking,
    from_version: Annotated[int | None, strawberry.argument(description="原来的版本号；不写为现行策略。")] = None,
    to_version: Annotated[int | None, strawberry.argument(description="新的版本号；与 toText 须且只须写一个。")] = None,
    to_text: Annotated[str | None, strawberry.argument(description="或者写新的策略全文；须有起草权限。")] = None,
) -> PolicyDiff | None:
    if (to_version is None) == (to_text is None):
        raise Refusal(Code.BAD_USER_INPUT, "toVersion 与 toText 须且只须写一个。")
    before = await stored(asking, from_version, None)
    after = await stored(asking, to_version, to_text)
    found: Diff = await asking.think(diff, before, after)
    return PolicyDiff(
        widens=found.widens,
        sentences=[PolicySentence(change=_direction(one.change), text=one.text) for one in found.sentences],
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
            for one in found.differences
        ],
        notes=[*found.notes],
    )


def _direction(change: str) -> PolicyChange:
    return PolicyChange(change.upper())


def form_of(form: str) -> FieldForm | None:
    """How a cell shows; a row shows as a whole."""
    return None if form == "row" else FieldForm(form.upper())


@asked("权限矩阵：继承与禁止都已计入。版本须自己看得见。", 2000)
async def policy_matrix(
    asking: Asking,
    version: VersionArgument = None,
    text: TextArgument = None,
    roles: Annotated[list[str] | None, strawberry.argument(description="只要这些角色，写代码。")] = None,
    resources: Annotated[list[str] | None, strawberry.argument(description="只要这些对象类型。")] = None,
) -> PolicyMatrix | None:
    policy = await stored(asking, version, text)
    if roles is not None and not set(roles) <= set(policy.roles):
        raise Refusal(Code.BAD_USER_INPUT, "有的角色不在这份策略之中。")
    entries = await asking.think(_entries, policy, roles, resources)
    if len(entries) > MOST_ENTRIES:
        raise Refusal(Code.TOO_COSTLY, f"超过 {MOST_ENTRIES} 格，请按角色或对象分几次取。")
    return PolicyMatrix(sha256=policy.sha256, entries=[_entry(policy, one) for one in entries])


def _entries(policy: Policy, roles: list[str] | None, resources: list[str] | None) -> list[Entry]:
    found: list[Entry] = []
    for one in matrix(policy, roles):
        if resources is None or one.resource in resources:
            found.append(one)
            if len(found) > MOST_ENTRIES:
                break
    return found


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
