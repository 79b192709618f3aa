"""`python -m api policy impact`: what a policy would change on the data as it is, counted while the command runs, line by line."""

import sys
from typing import TYPE_CHECKING, Any

from api.cli.terminal import CommandFailed

if TYPE_CHECKING:
    from db.postgres.connection import Connection
    from policies.policy import Policy


async def impact_to_terminal(
    connection: "Connection", draft: "int | Policy", against: "int | Policy | None"
) -> list[str]:
    """The impact as lines; the progress goes to standard error. Raises Unanswerable."""
    from db.policy_admin.impact.runs import compute_impact
    from db.policy_admin.versions import live_policy
    from db.worker import Worker

    worker = Worker(seconds=3600)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            try:
                before = await (live_policy(connection) if against is None else _policy(connection, against))
            except LookupError:
                raise CommandFailed("尚未发布访问策略。") from None
            after = await _policy(connection, draft)
            result = await compute_impact(connection, before, after, worker, _progress)
    finally:
        worker.close()
    return _lines(result)


async def _policy(connection: "Connection", named: "int | Policy") -> "Policy":
    from db.policy_admin.versions import compile_version
    from policies.policy import PolicyRefused

    if not isinstance(named, int):
        return named
    try:
        return await compile_version(connection, named)
    except LookupError:
        raise CommandFailed(f"没有策略第 {named} 版。") from None
    except PolicyRefused as refused:
        raise CommandFailed(f"策略第 {named} 版不能编译：\n{refused}") from None


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r已数 {done}/{total} 项" + ("\n" if done == total else ""))
        sys.stderr.flush()


def _lines(result: dict[str, Any]) -> list[str]:
    lines = []
    for heading, holders in (("角色", result["roles"]), ("令牌", result["tokens"])):
        for holder in holders:
            lines.append(f"{heading} {holder['label']}（{holder['name']}，{holder['appointments']} 项任职）")
            lines += [f"  {_change(one)}" for one in holder["changes"]]
    return lines or ["对现有数据没有影响。"]


def _change(change: dict[str, Any]) -> str:
    parts = []
    if change["rows_gained"]:
        parts.append(f"增 {change['rows_gained']} 行")
    if change["rows_lost"]:
        parts.append(f"减 {change['rows_lost']} 行")
    for cells in change["cells"]:
        forms = (("clear", "明文"), ("masked", "掩码"), ("hidden", "不可见"))
        forms_shown = "、".join(f"{cells[name]} 格变为{label}" for name, label in forms if cells[name])
        parts.append(f"{cells['label']} {forms_shown}")
    return f"{change['resource_label']} {change['action_label']}：" + "；".join(parts)
