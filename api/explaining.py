"""`python -m api policy explain`: why a person sees a row or a field of it, or why not, line by line.

It asks the live policy and the database; it shows attributes of the row, never its fields.
"""

import re
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from api import tokens

# The ways to another answer that lack least.
SHOWN_CHANGES = 5
_SHOWN = {"clear": "明文", "masked": "掩码", "hidden": "不可见"}


class Unanswerable(Exception):
    """The question names something that does not exist; the message (Chinese) says what."""


async def explain_to_terminal(connection: Any, person: str, node: str, field: str | None) -> list[str]:
    """The explanation as lines. Raises Unanswerable."""
    from db.catalog import CATALOG
    from db.explain import access_of, explain_row
    from db.publication import live_policy
    from policies.words import words

    if ":" not in node:
        # People name a dispute by its case number.
        found = await connection.fetchval("SELECT 'Dispute:' || id FROM dispute WHERE case_number = $1", node)
        node = found or node
    name, _, key = node.partition(":")
    resource = CATALOG.resources.get(name)
    if resource is None:
        raise Unanswerable(
            f"没有这个案号；标识应形如 Dispute:0190a6c2-…，冒号前为 {'、'.join(CATALOG.resources)} 之一。"
        )
    column = None if field is None else re.sub(r"(?<!^)(?=[A-Z])", "_", field).lower()
    if column is not None and column not in resource.fields:
        raise Unanswerable(f"{resource.label}没有字段 {field}。")
    people = await tokens.find_people(connection, person)
    if len(people) != 1:
        raise Unanswerable(
            f"没有名为 {person} 的人员。" if not people else f"有 {len(people)} 人名为 {person}，无法确定是谁。"
        )
    try:
        policy = await live_policy(connection)
        today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
        access = await access_of(connection, policy, people[0], today)
        explanation = await explain_row(connection, access, name, UUID(key), column)
    except ValueError:
        raise Unanswerable(f"{node} 不是标识。") from None
    except LookupError:
        raise Unanswerable("尚未发布访问策略。") from None
    if explanation is None:
        raise Unanswerable(f"没有 {node} 这一行。")

    posts = "、".join(policy.roles.get(one.role, one.role) for one in access.appointments) or "无现任职务"
    lines = [
        f"{person}（{posts}），策略第 {policy.version} 版",
        f"{resource.label} {key}：{'可见' if explanation.visible else '不可见'}",
    ]
    if column is not None:
        shown = _SHOWN[explanation.field or "hidden"]
        lines.append(f"字段 {field}（{resource.fields[column].label}）：{shown}")
    for verdict in explanation.verdicts:
        rule = verdict.bound.rule
        mark, effect = ("✓" if verdict.failed is None else "✗"), ("允许" if rule.allow else "禁止")
        what = f"{policy.roles[rule.role]} {effect} {words(rule.rows, policy, rule.resource)} [{rule.cells}]"
        lines.append(f"  {mark} 第 {rule.line} 行 {what}" + (f"：{verdict.failed}" if verdict.failed else ""))
    if not explanation.verdicts:
        lines.append("  没有一条规则说到它；没有写到的一律不可见。")
    if explanation.decisive is not None:
        lines.append(f"决定于第 {explanation.decisive.rule.line} 行。")
    for change in explanation.changes[:SHOWN_CHANGES]:
        role = "" if change.held else f"任职为{policy.roles[change.role]}"
        needs = "，且".join([role, *change.needs] if role else change.needs)
        lines.append(f"  如果{needs}，则可{'见明文' if column is not None else '见'}（第 {change.line} 行）。")
    return lines
