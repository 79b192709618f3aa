"""`python -m api policy explain | who`: why a person sees a row or a field of it, or why not, and who does, line by line.

It asks the database as its owner: whoever may run it may read everything anyway. It shows attributes of the row, never its fields.
"""

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

from api.cli.terminal import CommandFailed

if TYPE_CHECKING:
    from db.postgres.connection import Connection
    from policies.catalog import Field, Resource
    from policies.explain import Explanation
    from policies.policy import Policy

_SHOWN = {"clear": "明文", "masked": "掩码", "hidden": "不可见"}


async def explain_to_terminal(
    connection: "Connection", person: str, node: str, field: str | None, action: str, as_of: dt.datetime | None
) -> list[str]:
    """The explanation as lines. Raises Unanswerable."""
    from db.calendar import day_of
    from db.identity.appointments import find_people, people_of
    from db.policy_admin.explain import attributes_of
    from policies.explain import explain

    resource, key, column = await _parse_question(connection, node, field, action)
    people = await find_people(connection, person)
    if len(people) != 1:
        raise CommandFailed(
            f"没有名为 {person} 的人员。" if not people else f"有 {len(people)} 人名为 {person}，无法确定是谁。"
        )
    policy = await _policy(connection, as_of)
    row = await attributes_of(connection, resource.name, key)
    if row is None:
        raise CommandFailed(f"没有 {node} 这一行。")
    (holder,) = await people_of(connection, None if as_of is None else day_of(as_of), people[0])
    access = holder.access(policy)
    posts = "、".join(policy.roles.get(one.role, one.role) for one in access.appointments) or "无现任职务"
    head = [f"{person}（{posts}），策略第 {policy.version} 版"]
    if as_of is not None:
        head.append(f"截至 {as_of:%Y-%m-%d %H:%M}（行的属性以现在为准）")
    return head + _describe(
        policy, resource, key, field, column, action, explain(access, resource, row, column, action)
    )


def _describe(
    policy: "Policy",
    resource: "Resource",
    key: UUID,
    field: str | None,
    column: "Field | None",
    action: str,
    explanation: "Explanation",
) -> list[str]:
    from policies.words import action_words, condition_words

    able = ("可见", "不可见") if action == "read" else ("可办", "不可办")
    what = "" if action == "read" else f"，{action_words(resource.name, action)}"
    lines = [f"{resource.label} {key}{what}：{able[0] if explanation.visible else able[1]}"]
    if column is not None:
        lines.append(f"字段 {field}（{column.label}）：{_SHOWN[explanation.field or 'hidden']}")
    for verdict in explanation.verdicts:
        rule = verdict.bound.rule
        mark, effect = ("✓" if verdict.failed is None else "✗"), ("允许" if rule.allow else "禁止")
        said = f"{policy.roles[rule.role]} {effect} {condition_words(rule.rows, policy, rule.resource)} [{rule.cells}]"
        decisive = "（决定）" if verdict.bound == explanation.decisive else ""
        lines.append(f"  {mark} 第 {rule.line} 行 {said}{decisive}" + (f"：{verdict.failed}" if verdict.failed else ""))
    if not explanation.verdicts:
        lines.append("  没有一条规则说到它；没有写到的一律不可见、不可办。")
    if explanation.changes:
        lines.append("怎样才会改变：")
    for change in explanation.changes:
        role = policy.roles[change.role]
        needs = "，且".join(change.needs) or "即可"
        lines.append(f"  第 {change.line} 行 {'已任' if change.held else '若任'}{role}：{needs}")
    return lines


async def who_to_terminal(connection: "Connection", node: str, field: str | None, action: str) -> list[str]:
    """The people who see a row or a field, or may take an action, as lines. Raises Unanswerable."""
    from db.identity.appointments import people_of
    from db.policy_admin.explain import attributes_of
    from policies.explain import explain, outcome

    resource, key, column = await _parse_question(connection, node, field, action)
    row = await attributes_of(connection, resource.name, key)
    if row is None:
        raise CommandFailed(f"没有 {node} 这一行。")
    policy = await _policy(connection, None)
    lines = []
    for person in await people_of(connection):
        access = person.access(policy)
        visible, form = outcome(access, resource, row, column, action)
        if visible and form != "hidden":
            explanation = explain(access, resource, row, column, action)
            assert explanation.decisive is not None
            post = person.posts[explanation.decisive.slot]
            shown = "" if explanation.field is None else f"\t{_SHOWN[explanation.field]}"
            role = policy.roles[post.appointment.role]
            lines.append(f"{person.name}\t{role}\t{post.area_code}\t第 {explanation.decisive.rule.line} 行{shown}")
    return [f"共 {len(lines)} 人", *lines]


async def _parse_question(
    connection: "Connection", node: str, field: str | None, action: str
) -> "tuple[Resource, UUID, Field | None]":
    from db.policy_admin.explain import dispute_of
    from db.resources.catalog import CATALOG
    from schema.names import snake

    if ":" not in node:
        # People name a dispute by its case number.
        dispute = await dispute_of(connection, node)
        node = node if dispute is None else f"Dispute:{dispute}"
    name, _, key = node.partition(":")
    resource = CATALOG.resources.get(name)
    if resource is None:
        raise CommandFailed(
            f"没有这个卷号；标识应形如 Dispute:0190a6c2-…，冒号前为 {'、'.join(CATALOG.resources)} 之一。"
        )
    if action not in resource.actions:
        raise CommandFailed(f"{resource.label}没有动作 {action}，只有：{'、'.join(sorted(resource.actions))}。")
    column = None if field is None else snake(field)
    if column is not None and column not in resource.fields:
        raise CommandFailed(f"{resource.label}没有字段 {field}。")
    try:
        return resource, UUID(key), None if column is None else resource.fields[column]
    except ValueError:
        raise CommandFailed(f"{node} 不是标识。") from None


async def _policy(connection: "Connection", as_of: dt.datetime | None) -> "Policy":
    from db.policy_admin.versions import compile_version, live_policy, version_at
    from policies.policy import PolicyRefused

    try:
        if as_of is None:
            return await live_policy(connection)
        if as_of > dt.datetime.now(dt.UTC):
            raise CommandFailed("只能问过去的时刻。")
        version = await version_at(connection, as_of)
        if version is None:
            raise CommandFailed("那时尚未发布访问策略。")
        return await compile_version(connection, version)
    except LookupError:
        raise CommandFailed("尚未发布访问策略。") from None
    except PolicyRefused:
        raise CommandFailed("那一版策略所用的名称已有变更，不能再作解释。") from None
