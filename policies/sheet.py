"""The grant sheet, which a lawyer reads: what each rule says, one line a grant. Knows no row and no caller."""

from __future__ import annotations

from policies.catalog import Field
from policies.policy import Policy, Rule
from policies.predicate import Predicate
from policies.words import action_words, class_words, words


def sheet(policy: Policy) -> str:
    """The grant sheet: for each role, resource, action and condition the field classes in clear, masked, denied. One line a grant."""
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
        reading = [rule for rule in own if rule.action == "read"]
        lines += [f"- {_reading(rule, policy)}" for rule in reading]
        lines += _acting([rule for rule in own if rule.action != "read"], policy)
        if not own:
            lines.append("- （无自己的规则）")
        lines.append("")
    lines += ["## 字段类别", ""]
    for resource in policy.catalog.resources.values():
        classes: dict[str, list[str]] = {}
        for field in resource.fields.values():
            classes.setdefault(field.field_class, []).append(_short(field))
        for name, labels in classes.items():
            lines.append(f"- {resource.label}·{class_words(name)}（{name}）：{'、'.join(labels)}")
    return "\n".join(lines) + "\n"


def _short(field: Field) -> str:
    """The label up to its first explanation."""
    for mark in ("，", "（", "：", "；"):
        field_label = field.label.partition(mark)[0]
        if field_label != field.label:
            return field_label
    return field.label


def _reading(rule: Rule, policy: Policy) -> str:
    resource = policy.catalog.resources[rule.resource]
    if not rule.allow:
        what = "整行" if rule.every else "、".join(class_words(name) for name in rule.fields)
        return f"{resource.label}：{words(rule.rows, policy, rule.resource)} → 不得查看 {what}"
    clear = [class_words(name) for name, shown in rule.fields.items() if shown]
    masked = [class_words(name) for name, shown in rule.fields.items() if not shown]
    parts = [f"可见 {'、'.join(clear)}"] if clear else []
    parts += [f"掩码 {'、'.join(masked)}"] if masked else []
    return f"{resource.label}：{words(rule.rows, policy, rule.resource)} → {'；'.join(parts)}"


def _acting(rules: list[Rule], policy: Policy) -> list[str]:
    grouped: dict[tuple[str, Predicate, bool], list[str]] = {}
    for rule in rules:
        what = action_words(rule.resource, rule.action)
        if rule.fields:
            what += f"（{'、'.join(class_words(name) for name in rule.fields)}）"
        grouped.setdefault((rule.resource, rule.rows, rule.allow), []).append(what)
    return [
        f"- {policy.catalog.resources[resource].label}：{words(rows, policy, resource)} → {'可办' if allow else '不得'} {'、'.join(actions)}"
        for (resource, rows, allow), actions in grouped.items()
    ]
