"""Orders for one change of a policy text each (`policies/edit.py`): exactly one kind of change an item."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from db.command import given
from db.desk import Desk
from policies import edit


@dataclass(frozen=True)
class PolicyRuleOrder:
    role: str = given("角色")
    resource: str = given("对象，如 Dispute")
    action: str = given("动作，如 read")
    rows: str = given("条件，如 own_grid and at_team")
    effect: str = given("效果：allow 允许、deny 禁止；不写为 allow", default="allow")

    @property
    def key(self) -> edit.RuleKey:
        return edit.RuleKey(self.role, self.resource, self.action, self.rows, self.effect)


@dataclass(frozen=True)
class PolicyGrantOrder:
    rule: PolicyRuleOrder = given("哪一条规则；没有则新增")
    fields: str = given("字段类别，以 | 分隔，前加 ~ 为只显示掩码；没有字段的写 -")


@dataclass(frozen=True)
class PolicyRowsOrder:
    rule: PolicyRuleOrder = given("哪一条规则")
    rows: str = given("新的条件")


@dataclass(frozen=True)
class PolicyFieldsOrder:
    rule: PolicyRuleOrder = given("哪一条规则")
    fields: str = given("新的字段类别")


@dataclass(frozen=True)
class PolicyEffectOrder:
    rule: PolicyRuleOrder = given("哪一条规则")
    effect: str = given("新的效果：allow 或 deny")
    fields: str = given("与新效果相应的字段类别")


@dataclass(frozen=True)
class PolicyRoleOrder:
    role: str = given("角色代码")
    label: str = given("角色名称")


@dataclass(frozen=True)
class PolicyInheritanceOrder:
    role: str = given("角色")
    inherited: str = given("所继承的角色")


@dataclass(frozen=True)
class PolicyConditionOrder:
    name: str = given("条件名")
    rows: str = given("条件的表达式")
    label: str = given("条件的中文名称")


@dataclass(frozen=True)
class PolicyEditOrder:
    grant: PolicyGrantOrder | None = given("授予：新增一条规则，或给已有的规则增加字段类别", default=None)
    revoke: PolicyRuleOrder | None = given("收回：删去一条规则", default=None)
    change_rows: PolicyRowsOrder | None = given("改条件", default=None)
    change_fields: PolicyFieldsOrder | None = given("改字段类别", default=None)
    change_effect: PolicyEffectOrder | None = given("改效果", default=None)
    add_role: PolicyRoleOrder | None = given("增加角色", default=None)
    remove_role: str | None = given("删去角色，连同其规则与继承", default=None)
    add_inheritance: PolicyInheritanceOrder | None = given("增加继承", default=None)
    remove_inheritance: PolicyInheritanceOrder | None = given("取消继承", default=None)
    name_condition: PolicyConditionOrder | None = given("给条件命名，或改已有名称的含义", default=None)


_MADE: dict[str, Callable[[Any], edit.Edit]] = {
    "grant": lambda one: edit.GrantRule(one.rule.key, one.fields),
    "revoke": lambda one: edit.RevokeRule(one.key),
    "change_rows": lambda one: edit.ChangeRows(one.rule.key, one.rows),
    "change_fields": lambda one: edit.ChangeFields(one.rule.key, one.fields),
    "change_effect": lambda one: edit.ChangeEffect(one.rule.key, one.effect, one.fields),
    "add_role": lambda one: edit.AddRole(one.role, one.label),
    "remove_role": edit.RemoveRole,
    "add_inheritance": lambda one: edit.AddInheritance(one.role, one.inherited),
    "remove_inheritance": lambda one: edit.RemoveInheritance(one.role, one.inherited),
    "name_condition": lambda one: edit.NameCondition(one.name, one.rows, one.label),
}


def edits_of(desk: Desk, orders: tuple[PolicyEditOrder, ...]) -> list[edit.Edit]:
    """The edits that were ordered; an item that orders none or several is noted as a mistake."""
    found: list[edit.Edit] = []
    for place, order in enumerate(orders):
        chosen = [one.name for one in dataclasses.fields(order) if getattr(order, one.name) is not None]
        if len(chosen) != 1:
            desk.mistake(f"edits.{place}", "ONE_CHANGE", "每一项须且只须写一种修改。")
            continue
        found.append(_MADE[chosen[0]](getattr(order, chosen[0])))
    return found
