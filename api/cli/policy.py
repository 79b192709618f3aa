"""`python -m api policy …`: policies as files, for those who keep them in git, versions in the database, and why a cell shows.

The exit codes of `check`, `test` and `diff`, for a CI: 0 good, 1 not, 2 an argument cannot be used.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.terminal import FAILED, CommandFailed, ask, database, settings_or_stop, stop

if TYPE_CHECKING:
    from uuid import UUID

    from policies.policy import Policy

UNUSABLE = 2

policy_app = typer.Typer(help="访问策略。", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="策略文件。")]
_OptionalFile = Annotated[
    Path | None, typer.Argument(exists=True, dir_okay=False, help="策略文件；不写则为初始策略。", show_default=False)
]


@policy_app.command("check")
def check(file: _File) -> None:
    """检查策略能否发布；不能则逐行逐列说明，并以 1 退出。"""
    policy = _compile_file(file, FAILED)
    typer.echo(f"可以发布：{len(policy.roles)} 个角色，{len(policy.rules)} 条规则，sha256 {policy.sha256}")


@policy_app.command("test")
def run_tests(
    file: _OptionalFile = None,
    tests: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="测试文件；不写则为随附的测试。", show_default=False),
    ] = None,
) -> None:
    """运行策略测试，再逐条改动规则，看测试能否发现；有不符或有改动未被发现，以 1 退出。"""
    from policies.testing.run import run
    from policies.testing.suite import SUITE_PATH, SuiteRefused, load

    policy, at = _compile_file(file), tests or SUITE_PATH
    try:
        suite = load(_read_text(at), policy, str(at))
    except SuiteRefused as refused:
        stop("\n".join(f"{at}:{one.line}:{one.column}: {one.message}" for one in refused.problems), UNUSABLE)
    report = run(policy, suite)
    for failure in report.failures:
        typer.echo(f"{failure.source}:{failure.line}: {failure.title}：{failure.text}")
    for survivor in report.survivors:
        typer.echo(f"{_file_or_initial(file)}:{survivor.line}: {survivor.text}")
    typer.echo(f"测试 {suite.tests} 项（{report.cases} 例），不符 {len(report.failures)} 处")
    if not report.failures:
        typer.echo(f"改动规则 {report.mutants} 次，未被发现 {len(report.survivors)} 次")
    raise SystemExit(0 if report.green else FAILED)


@policy_app.command("diff")
def diff(before: _File, after: _File) -> None:
    """说明两份策略的授权有何不同：+ 为放宽，- 为收窄，? 为改变（可能有增有减）。有放宽或改变时以 1 退出。"""
    from policies.diff import diff as compare
    from policies.diff import print_diff

    difference = compare(_compile_file(before), _compile_file(after))
    typer.echo(print_diff(difference), nl=False)
    raise SystemExit(FAILED if difference.widens else 0)


@policy_app.command("sheet")
def sheet(file: _OptionalFile = None) -> None:
    """打印授权一览表：谁对什么在哪些行可以看什么、办什么。"""
    from policies.sheet import sheet as print_sheet

    typer.echo(print_sheet(_compile_file(file)), nl=False)


@policy_app.command("matrix")
def matrix(
    file: _OptionalFile = None,
    role: Annotated[list[str] | None, typer.Option(help="只列这些角色；可以写多次。", show_default=False)] = None,
) -> None:
    """打印权限矩阵：角色、对象、动作、字段类别、形式、范围、所据的行，以制表符分隔，可用电子表格打开。"""
    from policies.matrix import print_matrix

    policy = _compile_file(file)
    unknown = [one for one in role or () if one not in policy.roles]
    if unknown:
        stop(f"没有角色 {unknown[0]}；只有：{'、'.join(policy.roles)}。", UNUSABLE)
    typer.echo(print_matrix(policy, role), nl=False)


_Node = Annotated[str, typer.Option("--on", help="对象的全局标识，如 Dispute:0190a6c2-…；纠纷也可写卷号")]
_Field = Annotated[str | None, typer.Option(help="字段名，如 caseNumber；不写则只问该行。", show_default=False)]
_Action = Annotated[str, typer.Option(help="动作代码，如 accept。")]


@policy_app.command("explain")
def explain(
    person: Annotated[str, typer.Option("--as", help="人员姓名。")],
    node: _Node,
    field: _Field = None,
    action: _Action = "read",
    as_of: Annotated[
        datetime | None,
        typer.Option(help="过去的一个时刻（本机时区）：按当时的策略、任职与团队解释。", show_default=False),
    ] = None,
) -> None:
    """说明此人能否看见某一行、某一字段，或办理某一事项，由哪一条规则决定，不成立的又差在哪里，怎样才会改变。"""
    from api.cli.explain import explain_to_terminal

    instant = None if as_of is None else as_of.astimezone()
    _print_lines(lambda connection: explain_to_terminal(connection, person, node, field, action, instant))


@policy_app.command("who")
def who(node: _Node, field: _Field = None, action: _Action = "read") -> None:
    """列出谁看得见某一行、某一字段，或按策略办得了某一事项，各凭哪项任职、哪条规则。"""
    from api.cli.explain import who_to_terminal

    _print_lines(lambda connection: who_to_terminal(connection, node, field, action))


@policy_app.command("impact")
def impact(
    draft: Annotated[str, typer.Argument(help="已存的版本号，或策略文件。")],
    against: Annotated[
        str | None, typer.Option(help="与之比较的版本号或文件；不写为现行策略。", show_default=False)
    ] = None,
) -> None:
    """逐行数出一份策略对现有数据的影响：各角色、各令牌得失哪些行，哪些单元变为明文、掩码、不可见。"""
    from api.cli.impact import impact_to_terminal

    _print_lines(
        lambda connection: impact_to_terminal(
            connection, _named_policy(draft), None if against is None else _named_policy(against)
        )
    )


def _named_policy(name: str) -> "int | Policy":
    """A stored version by its number, or the policy of a file."""
    if name.isascii() and name.isdigit():
        return int(name)
    file = Path(name)
    if not file.is_file():
        stop(f"没有文件 {name}。", UNUSABLE)
    return _compile_file(file)


def _print_lines(answer: "Callable[[Any], Awaitable[list[str]]]") -> None:
    try:
        lines = ask(answer)
    except CommandFailed as error:
        stop(str(error))
    typer.echo("\n".join(lines))


_As = Annotated[str, typer.Option("--as", help="以谁的名义；此人无权办的，在此也不能办。")]
_Version = Annotated[int, typer.Argument(help="版本号。")]


@policy_app.command("draft")
def draft(
    file: _File,
    person: _As,
    note: Annotated[str, typer.Option(help="起草说明。")],
    tests: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="测试文件；不写则沿用所改那一版的。")
    ] = None,
    parent: Annotated[int | None, typer.Option("--from", help="由哪一版改起；不写为现行版本。")] = None,
) -> None:
    """以文件起草一个版本，存入数据库待批准。"""
    text, suite = _read_text(file), None if tests is None else _read_text(tests)

    def make_input(key_of: "Callable[[int], UUID]") -> object:
        from db.commands.policy import PolicyDraftInput

        return PolicyDraftInput(note=note, text=text, tests=suite, from_id=None if parent is None else key_of(parent))

    _run_command("draft", person, make_input)


@policy_app.command("approve")
def approve(
    version: _Version, digest: Annotated[str, typer.Argument(help="所审阅的散列，见 list。")], person: _As
) -> None:
    """批准一个版本；起草人不得批准。"""

    def make_input(key_of: "Callable[[int], UUID]") -> object:
        from db.commands.policy import PolicyApproveInput

        return PolicyApproveInput(id=key_of(version), digest=digest)

    _run_command("approve", person, make_input)


@policy_app.command("publish")
def publish(version: _Version, person: _As) -> None:
    """发布已批准的版本，对此后开始的每一个请求生效。"""

    def make_input(key_of: "Callable[[int], UUID]") -> object:
        from db.commands.policy import PolicyPublishInput

        return PolicyPublishInput(id=key_of(version))

    _run_command("publish", person, make_input)


@policy_app.command("rollback")
def rollback(version: _Version, person: _As, note: Annotated[str, typer.Option(help="回退的理由。")]) -> None:
    """以先前发布过的版本的全文另立一版，立即发布。"""

    def make_input(key_of: "Callable[[int], UUID]") -> object:
        from db.commands.policy import PolicyRollbackInput

        return PolicyRollbackInput(id=key_of(version), note=note)

    _run_command("rollback", person, make_input)


@policy_app.command("list")
def list_versions() -> None:
    """列出数据库中的全部版本，由新到旧。"""
    from api.cli.versions import STATES
    from db.policy_admin.versions import list_versions as stored_versions

    for row in ask(stored_versions):
        at = row["published_at"] or row["created_at"]
        people = f"起草 {row['author'] or '-'}，批准 {row['approvers'] or '-'}"
        typer.echo(
            f"{row['version']}\t{STATES[row['state']]}\t{at:%Y-%m-%d %H:%M}\t{people}\t{row['digest']}\t{row['note'] or ''}"
        )


def _run_command(verb: str, person: str, make_input: "Callable[[Callable[[int], UUID]], object]") -> None:
    """Run a command as a person and print its result."""
    import asyncio

    from api.cli.versions import describe_version, run_command

    settings = settings_or_stop()
    with database(settings) as address:
        try:
            result = asyncio.run(run_command(settings, address, person, verb, make_input))
        except CommandFailed as error:
            stop(str(error), UNUSABLE)
    if result.user_errors:
        stop("\n".join(result.user_errors))
    typer.echo("\n".join(describe_version(result.version)))


def _file_or_initial(file: Path | None) -> Path:
    from policies.compile import POLICY_PATH

    return file or POLICY_PATH


def _read_text(file: Path) -> str:
    try:
        # Line ends are part of the text: none is put right on the way.
        return file.read_bytes().decode()
    except UnicodeDecodeError:
        stop(f"{file} 不是 UTF-8 文本。", UNUSABLE)


def _compile_file(file: Path | None, refused_code: int = UNUSABLE) -> "Policy":
    from db.resources.catalog import CATALOG
    from policies.compile import compile_policy
    from policies.policy import PolicyRefused

    name = _file_or_initial(file)
    try:
        return compile_policy(_read_text(name), CATALOG)
    except PolicyRefused as refused:
        stop("\n".join(f"{name}:{one.line}:{one.column}: {one.message}" for one in refused.problems), refused_code)
