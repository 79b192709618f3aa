"""Orders for one change of a policy text each (`policies/edit.py`): exactly one kind of change an item."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from db.write.command import input_field
from db.write.transaction import UnitOfWork
from policies import edit


@dataclass(frozen=True)
class PolicyRuleInput:
    role: str = input_field("角色", form="code")
    resource: str = input_field("对象，如 Dispute", form="code")
    action: str = input_field("动作，如 read", form="code")
    rows: str = input_field("条件，如 own_grid and at_team", form="code")
    effect: str = input_field("效果：allow 允许、deny 禁止；不写为 allow", form="code", default="allow")

    @property
    def key(self) -> edit.RuleKey:
        return edit.RuleKey(self.role, self.resource, self.action, self.rows, self.effect)


@dataclass(frozen=True)
class PolicyGrantInput:
    rule: PolicyRuleInput = input_field("哪一条规则；没有则新增")
    fields: str = input_field("字段类别，以 | 分隔，前加 ~ 为只显示掩码；没有字段的写 -", form="code")


@dataclass(frozen=True)
class PolicyRowsInput:
    rule: PolicyRuleInput = input_field("哪一条规则")
    rows: str = input_field("新的条件", form="code")


@dataclass(frozen=True)
class PolicyFieldsInput:
    rule: PolicyRuleInput = input_field("哪一条规则")
    fields: str = input_field("新的字段类别", form="code")


@dataclass(frozen=True)
class PolicyEffectInput:
    rule: PolicyRuleInput = input_field("哪一条规则")
    effect: str = input_field("新的效果：allow 或 deny", form="code")
    fields: str = input_field("与新效果相应的字段类别", form="code")


@dataclass(frozen=True)
class PolicyRoleInput:
    role: str = input_field("角色代码", form="code")
    label: str = input_field("角色名称", form="code")


@dataclass(frozen=True)
class PolicyInheritanceInput:
    role: str = input_field("角色", form="code")
    inherited: str = input_field("所继承的角色", form="code")


@dataclass(frozen=True)
class PolicyConditionInput:
    name: str = input_field("条件名", form="code")
    rows: str = input_field("条件的表达式", form="code")
    label: str = input_field("条件的中文名称", form="code")


@dataclass(frozen=True)
class PolicyEditInput:
    grant: PolicyGrantInput | None = input_field("授予：新增一条规则，或给已有的规则增加字段类别", default=None)
    revoke: PolicyRuleInput | None = input_field("收回：删去一条规则", default=None)
    change_rows: PolicyRowsInput | None = input_field("改条件", default=None)
    change_fields: PolicyFieldsInput | None = input_field("改字段类别", default=None)
    change_effect: PolicyEffectInput | None = input_field("改效果", default=None)
    add_role: PolicyRoleInput | None = input_field("增加角色", default=None)
    remove_role: str | None = input_field("删去角色，连同其规则与继承", form="code", default=None)
    add_inheritance: PolicyInheritanceInput | None = input_field("增加继承", default=None)
    remove_inheritance: PolicyInheritanceInput | None = input_field("取消继承", default=None)
    name_condition: PolicyConditionInput | None = input_field("给条件命名，或改已有名称的含义", default=None)


_EDIT_OF: dict[str, Callable[[Any], edit.Edit]] = {
    "grant": lambda item: edit.GrantRule(item.rule.key, item.fields),
    "revoke": lambda item: edit.RevokeRule(item.key),
    "change_rows": lambda item: edit.ChangeRows(item.rule.key, item.rows),
    "change_fields": lambda item: edit.ChangeFields(item.rule.key, item.fields),
    "change_effect": lambda item: edit.ChangeEffect(item.rule.key, item.effect, item.fields),
    "add_role": lambda item: edit.AddRole(item.role, item.label),
    "remove_role": edit.RemoveRole,
    "add_inheritance": lambda item: edit.AddInheritance(item.role, item.inherited),
    "remove_inheritance": lambda item: edit.RemoveInheritance(item.role, item.inherited),
    "name_condition": lambda item: edit.NameCondition(item.name, item.rows, item.label),
}


def edits_of(work: UnitOfWork, items: tuple[PolicyEditInput, ...]) -> list[edit.Edit]:
    """The edits of the input; an item that names none or several is noted as a user error."""
    edits: list[edit.Edit] = []
    for place, item in enumerate(items):
        chosen = [field.name for field in dataclasses.fields(item) if getattr(item, field.name) is not None]
        if len(chosen) != 1:
            work.error(f"edits.{place}", "ONE_CHANGE", "每一项须且只须写一种修改。")
            continue
        edits.append(_EDIT_OF[chosen[0]](getattr(item, chosen[0])))
    return edits
