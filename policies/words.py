"""Chinese texts for conditions, actions and field classes, for the people who answer for a policy.

A condition that has a name in the policy is called by its label; any other is described by the labels of the catalog. Depends on no row
and no caller.
"""

from __future__ import annotations

from collections.abc import Callable

from policies.catalog import FIELD_CLASSES, Resource
from policies.policy import Policy
from policies.predicate import (
    Always,
    And,
    ClaimRef,
    Eq,
    Has,
    In,
    Never,
    Not,
    Or,
    Predicate,
    conjuncts,
    disjuncts,
    unbound,
)

ACTIONS: dict[str, str] = {
    "read": "查看", "count": "精确统计", "reveal": "留痕查看明文", "register": "登记", "accept": "受理", "decline": "不予受理",
    "notify": "告知权利义务",
    "consent": "登记同意", "refuse": "登记拒绝", "assign": "指派", "measure": "应急措施", "record": "记录调解", "assess": "评估风险",
    "report": "报送风险", "extend": "延长期限", "escalate": "报送上一层级", "invite": "邀请联动", "opine": "出具意见", "agree": "达成协议",
    "perform": "登记履行", "follow": "回访", "terminate": "终止", "withdraw": "登记撤回", "close": "结案", "archive": "归档",
    "take": "接收", "return": "退回", "disclose": "披露利害关系", "recuse": "登记回避", "refer": "移送", "answer": "答复",
    "reopen": "再立", "sign": "签署协议", "vary": "变更协议", "rescind": "撤销协议", "apply": "申请司法确认", "decide": "登记裁定",
    "sue": "登记起诉", "judge": "登记裁判", "default": "登记不履行",
    "release": "登记免除", "excuse": "登记不能履行", "enforce": "登记强制执行", "urge": "督促", "complete": "完成回访",
    "add": "增加当事人", "update": "更正", "appoint": "登记代理人",
    "handle": "处置", "form": "组建", "replace": "更换成员", "dissolve": "撤销",
    # Of people and their appointments.
    "suspend": "停用账号", "restore": "恢复账号", "grant": "授予任职", "end": "终止任职", "delegate": "安排代行",
    # Of the policy itself (`policies.escalation`).
    "draft": "起草", "approve": "批准", "publish": "发布", "rollback": "回退", "impact": "计算影响", "explain": "解释他人权限",
    # Where an action means something else on another resource.
    "Party.withdraw": "登记退出", "Party.update": "更正信息",
    "Alert.close": "关闭", "Inspection.record": "登记", "Visit.record": "登记",
}  # fmt: skip


def action_words(resource: str, action: str) -> str:
    """The label of an action on a resource; its name where it has none."""
    return ACTIONS.get(f"{resource}.{action}") or ACTIONS.get(action, action)


def class_words(field_class: str, form: str = "clear") -> str:
    """The label of a field class; `form`: `clear` or `masked`."""
    label = FIELD_CLASSES.get(field_class, field_class)
    return f"{label}（掩码）" if form == "masked" else label


def condition_words(predicate: Predicate, policy: Policy, resource: str) -> str:
    """A condition in Chinese: by the labels of the policy's named conditions, the longest first, and by the catalog's labels for the
    rest."""
    return _ConditionDescriber(policy, policy.catalog.resources[resource]).describe(unbound(predicate))


class _ConditionDescriber:
    """Describes unbound conditions on one resource. `inside`: in brackets if of several parts."""

    def __init__(self, policy: Policy, resource: Resource) -> None:
        self.policy, self.resource = policy, resource
        self.named = policy.condition_labels[resource.name]

    def describe(self, predicate: Predicate, inside: bool = False) -> str:
        name = self._name(predicate)
        if name is not None:
            return name
        match predicate:
            case Always():
                return "不限"
            case Never():
                return "无"
            case And():
                return self._join(conjuncts(predicate), conjuncts, " 且 ", inside)
            case Or():
                return self._join(disjuncts(predicate), disjuncts, " 或 ", inside)
            case Not(part=Eq(attribute=attribute, value=str() as value) as part) if self._name(part) is None:
                return f"{self._label(attribute)}不为 {value}"
            case Not(part=part):
                return f"非 {self.describe(part, inside=True)}"
        return self._comparison(predicate)

    def _name(self, predicate: Predicate) -> str | None:
        """The label of the named condition with this predicate."""
        return next((label for named, label in self.named if named == predicate), None)

    def _join(
        self,
        parts: tuple[Predicate, ...],
        split: Callable[[Predicate], tuple[Predicate, ...]],
        separator: str,
        inside: bool,
    ) -> str:
        """The parts, each described by itself, several by one label where a named condition consists of them."""
        texts: dict[int, str] = {}  # by the index of the part, or of the first of several
        remaining = list(parts)
        for named, label in sorted(self.named, key=lambda item: -len(split(item[0]))):
            members = split(named)
            if len(members) > 1 and all(part in remaining for part in members):
                texts[min(parts.index(part) for part in members)] = label
                remaining = [part for part in remaining if part not in members]
        for part in remaining:
            texts[parts.index(part)] = self.describe(part, inside=True)
        joined = separator.join(texts[index] for index in sorted(texts))
        return f"（{joined}）" if inside and len(texts) > 1 else joined

    def _comparison(self, predicate: Predicate) -> str:
        match predicate:
            case Eq(attribute=name, value=ClaimRef(name=claim)):
                return f"{self._label(name)}与{self._claim(claim)}相同"
            case Eq(attribute=name, value=bool() as value):
                return self._label(name) if value else f"{self._label(name)}为否"
            case Eq(attribute=name, value=value):
                return f"{self._label(name)}为 {value}"
            case In(attribute=name, claim=ClaimRef(name=claim)):
                return f"{self._label(name)}在{self._claim(claim)}之中"
            case Has(attribute=name, claim=ClaimRef(name=claim)):
                return f"{self._label(name)}包括{self._claim(claim)}"
        raise AssertionError(predicate)

    def _label(self, attribute: str) -> str:
        return self.resource.attributes[attribute].label or attribute

    def _claim(self, name: str) -> str:
        return self.policy.catalog.claims[name].label or name
