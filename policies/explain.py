"""Why and why not, in words: the grant sheet that a lawyer reads, and the rules that decide one cell of one row.

Pure: a row comes in as the values of its attributes, a caller as his access.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.catalog import FIELD_CLASSES, Catalog, Field, Resource
from policies.compile import Policy, Rule
from policies.grant import Access, Bound
from policies.predicate import And, ClaimRef, Eq, Has, In, Not, Or, Predicate, conjuncts, evaluate

ACTIONS: dict[str, str] = {
    "read": "查看", "count": "精确统计", "reveal": "留痕查看明文", "register": "登记", "accept": "受理", "decline": "不予受理",
    "notify": "告知权利义务",
    "consent": "登记同意", "refuse": "登记拒绝", "assign": "指派", "measure": "应急措施", "record": "记录调解", "assess": "评估风险",
    "report": "报送风险", "extend": "延长期限", "escalate": "上交", "invite": "邀请联动", "opine": "出具意见", "agree": "达成协议",
    "perform": "登记履行", "follow": "回访", "terminate": "终止", "withdraw": "登记撤回", "close": "结案", "archive": "归档",
    "take": "接收", "return": "退回", "disclose": "披露利害关系", "recuse": "登记回避", "refer": "移送", "answer": "答复",
    "reopen": "反弹再立", "sign": "签署协议", "vary": "变更协议", "rescind": "撤销协议", "apply": "申请司法确认", "decide": "登记裁定",
    "excuse": "登记免除", "urge": "督促", "complete": "完成回访",
    "add": "增加当事人", "update": "更正", "appoint": "登记代理人",
    "handle": "处置", "form": "组建", "replace": "更换成员", "dissolve": "撤销",
    # Where an action means something else on another resource.
    "Party.withdraw": "登记退出", "Party.update": "更正信息",
    "Alert.close": "关闭", "Inspection.record": "登记", "Visit.record": "登记",
}  # fmt: skip


def sheet(policy: Policy, catalog: Catalog) -> str:
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
        lines += [f"- {_reading(rule, policy, catalog)}" for rule in reading]
        lines += _acting([rule for rule in own if rule.action != "read"], policy, catalog)
        if not own:
            lines.append("- （无自己的规则）")
        lines.append("")
    lines += ["## 字段类别", ""]
    for resource in catalog.resources.values():
        classes: dict[str, list[str]] = {}
        for field in resource.fields.values():
            classes.setdefault(field.field_class, []).append(_short(field))
        for name, labels in classes.items():
            lines.append(f"- {resource.label}·{FIELD_CLASSES[name]}（{name}）：{'、'.join(labels)}")
    return "\n".join(lines) + "\n"


def _short(field: Field) -> str:
    """The label up to its first explanation."""
    for mark in ("，", "（", "：", "；"):
        field_label = field.label.partition(mark)[0]
        if field_label != field.label:
            return field_label
    return field.label


def _reading(rule: Rule, policy: Policy, catalog: Catalog) -> str:
    resource = catalog.resources[rule.resource]
    if not rule.allow:
        what = "整行" if rule.every else "、".join(FIELD_CLASSES[name] for name in rule.fields)
        return f"{resource.label}：{words(rule.condition, policy)} → 不得查看 {what}"
    clear = [FIELD_CLASSES[name] for name, shown in rule.fields.items() if shown]
    masked = [FIELD_CLASSES[name] for name, shown in rule.fields.items() if not shown]
    parts = [f"可见 {'、'.join(clear)}"] if clear else []
    parts += [f"掩码 {'、'.join(masked)}"] if masked else []
    return f"{resource.label}：{words(rule.condition, policy)} → {'；'.join(parts)}"


def _acting(rules: list[Rule], policy: Policy, catalog: Catalog) -> list[str]:
    grouped: dict[tuple[str, str, bool], list[str]] = {}
    for rule in rules:
        what = ACTIONS.get(f"{rule.resource}.{rule.action}") or ACTIONS.get(rule.action, rule.action)
        if rule.fields:
            what += f"（{'、'.join(FIELD_CLASSES[name] for name in rule.fields)}）"
        grouped.setdefault((rule.resource, rule.condition, rule.allow), []).append(what)
    return [
        f"- {catalog.resources[resource].label}：{words(condition, policy)} → {'可办' if allow else '不得'} {'、'.join(actions)}"
        for (resource, condition, allow), actions in grouped.items()
    ]


def words(condition: str, policy: Policy) -> str:
    """The condition as people say it: its named parts by their labels."""
    spoken = []
    for part in condition.split():
        bare = part.strip("()")
        known = policy.named.get(bare)
        spoken.append(
            part.replace(bare, known.label) if known else {"and": "且", "or": "或", "not": "非"}.get(part, part)
        )
    return " ".join(spoken)


@dataclass(frozen=True)
class Verdict:
    """One rule for one row. `failed`: the first condition that does not hold, in words; None where the rule matches."""

    bound: Bound
    failed: str | None


@dataclass(frozen=True)
class Explanation:
    """Whether the row shows, how the field does (`clear`, `masked`, `hidden`; None if no field was asked), and every rule's part."""

    visible: bool
    field: str | None
    verdicts: tuple[Verdict, ...]


def explain(access: Access, resource: Resource, row: Mapping[str, Any], field: Field | None = None) -> Explanation:
    """Which rules decide about a row (its attributes by name) and a field of it, and what the others lack."""
    grant, claims = access.grant(resource.name), access.claims
    visible = evaluate(grant.rows, row, claims)
    shown = None
    if field is not None:
        reading = grant.field(field)
        shown = "hidden"
        if visible and evaluate(reading.clear, row, claims):
            shown = "clear"
        elif visible and evaluate(reading.masked, row, claims):
            shown = "masked"
    verdicts = []
    for bound in grant.bounds:
        if field is not None and not (bound.rule.covers(f"~{field.field_class}") or bound.rule.every):
            continue
        failed = next((part for part in conjuncts(bound.rows) if not evaluate(part, row, claims)), None)
        verdicts.append(Verdict(bound, None if failed is None else spell(failed, resource, row, claims)))
    return Explanation(visible, shown, tuple(verdicts))


def spell(
    predicate: Predicate, resource: Resource, row: Mapping[str, Any], claims: tuple[Mapping[str, Any], ...]
) -> str:
    """A condition with the values compared."""

    def label(attribute: str) -> str:
        return resource.attributes[attribute].label or attribute

    def claim(reference: ClaimRef) -> Any:
        return claims[reference.slot or 0].get(reference.name)

    match predicate:
        case Eq(attribute=name, value=value):
            wanted = claim(value) if isinstance(value, ClaimRef) else value
            return f"{label(name)} 为 {_text(row[name])}，要求 {_text(wanted)}"
        case In(attribute=name, claim=reference):
            return f"{label(name)} {_text(row[name])} 不在 {_text(claim(reference))} 之中"
        case Has(attribute=name, claim=reference):
            return f"{label(name)} {_text(row[name])} 不含 {_text(claim(reference))}"
        case And(parts=parts):
            return "且".join(spell(part, resource, row, claims) for part in parts)
        case Or(parts=parts):
            return "以下皆不成立：" + "；".join(spell(part, resource, row, claims) for part in parts)
        case Not(part=part):
            return f"不得 {spell(part, resource, row, claims)}"
    return "无行"


def _text(value: Any) -> str:
    if value is None:
        return "（空）"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list | tuple | set | frozenset):
        return "｛" + "、".join(sorted(_text(one) for one in value)) + "｝"
    return str(value)
