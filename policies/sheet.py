"""The grant sheet, which a lawyer reviews: each rule in Chinese, one line a grant. Depends on no row and no caller."""

from __future__ import annotations

import re

from policies.catalog import Field
from policies.policy import Policy, Rule
from policies.predicate import Predicate
from policies.words import action_words, class_words, condition_words


def sheet(policy: Policy) -> str:
    """The grant sheet as Markdown: for each role, resource and condition the field classes in clear, masked, denied, or the actions."""
    lines = [
        "# 授权一览表",
        "",
        f"共 {len(policy.roles)} 个角色、{len(policy.rules)} 条规则。未列出的一律不可见、不可办。",
        "",
    ]
    for role, label in policy.roles.items():
        inherited = [policy.roles[name] for name in policy.inherited[role][1:]]
        lines.append(f"## {label}（{role}）" + (f"，兼有：{'、'.join(inherited)}" if inherited else ""))
        lines.append("")
        own = [rule for rule in policy.rules if rule.role == role]
        lines += [f"- {_read_rule(rule, policy)}" for rule in own if rule.action == "read"]
        lines += _action_rules([rule for rule in own if rule.action != "read"], policy)
        if not own:
            lines.append("- （无自己的规则）")
        lines.append("")
    lines += ["## 字段类别", ""]
    for resource in policy.catalog.resources.values():
        classes: dict[str, list[str]] = {}
        for field in resource.fields.values():
            classes.setdefault(field.field_class, []).append(_short_label(field))
        for name, labels in classes.items():
            lines.append(f"- {resource.label}·{class_words(name)}（{name}）：{'、'.join(labels)}")
    return "\n".join(lines) + "\n"


def _short_label(field: Field) -> str:
    """The label up to its first explanation."""
    return re.split("[，（：；]", field.label, maxsplit=1)[0]


def _read_rule(rule: Rule, policy: Policy) -> str:
    """A rule on reading, such as `案件：本镇 → 可见 公开信息；掩码 联系电话`."""
    resource, condition = policy.catalog.resources[rule.resource], condition_words(rule.rows, policy, rule.resource)
    if not rule.allow:
        denied = "整行" if rule.all_classes else "、".join(class_words(name) for name in rule.fields)
        return f"{resource.label}：{condition} → 不得查看 {denied}"
    clear = [class_words(name) for name, is_clear in rule.fields.items() if is_clear]
    masked = [class_words(name) for name, is_clear in rule.fields.items() if not is_clear]
    parts = [f"可见 {'、'.join(clear)}"] if clear else []
    parts += [f"掩码 {'、'.join(masked)}"] if masked else []
    return f"{resource.label}：{condition} → {'；'.join(parts)}"


def _action_rules(rules: list[Rule], policy: Policy) -> list[str]:
    """The rules on other actions than reading, those of one resource, condition and effect on one line."""
    grouped: dict[tuple[str, Predicate, bool], list[str]] = {}
    for rule in rules:
        action = action_words(rule.resource, rule.action)
        if rule.fields:
            action += f"（{'、'.join(class_words(name) for name in rule.fields)}）"
        grouped.setdefault((rule.resource, rule.rows, rule.allow), []).append(action)
    return [
        f"- {policy.catalog.resources[resource].label}：{condition_words(rows, policy, resource)}"
        f" → {'可办' if allow else '不得'} {'、'.join(actions)}"
        for (resource, rows, allow), actions in grouped.items()
    ]
