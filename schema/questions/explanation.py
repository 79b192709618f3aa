"""Why and why not: `explainAccess`, one answer about access in words.

Of a row that the asker does not see themselves nothing is said, not even whether there is one.
"""

from typing import Any

import strawberry

from db.policy_admin.explain import attributes_of, concealed_from
from policies.explain import NeededChange, applicable_rules, explain
from policies.grant import BoundRule
from policies.policy import Policy
from policies.words import condition_words
from schema.questions.answer import QuestionContext, question
from schema.questions.field_form import FieldForm, form_of
from schema.questions.subject import (
    ActionArgument,
    AsOfArgument,
    FieldArgument,
    NodeArgument,
    PersonArgument,
    TokenArgument,
    subject_of,
    target_of,
)


@strawberry.type(description="一条规则在一次解释中的情形。")
class RuleVerdict:
    line: int = strawberry.field(description="规则在策略文本中的行号。")
    role: str = strawberry.field(description="规则所属角色的代码。")
    role_label: str = strawberry.field(description="规则所属角色的名称。")
    allow: bool = strawberry.field(description="true 为允许，false 为禁止。")
    condition: str = strawberry.field(description="规则的条件，用策略中的名称写成。")
    fields: str = strawberry.field(description="规则的字段类别一栏。")
    matched: bool | None = strawberry.field(description="条件在这一行上是否成立；提问人看不见这一行时为 null。")
    failed: str | None = strawberry.field(
        description="第一个不成立的条件及所比较的值；提问人无权读的值不予显示。成立的为 null。"
    )
    decisive: bool = strawberry.field(description="是否就是决定结果的那一条。")


@strawberry.type(description="怎样才会有另一个结果。")
class AccessChange:
    line: int = strawberry.field(description="届时起作用的规则所在的行。")
    role: str = strawberry.field(description="该规则所属角色的代码。")
    role_label: str = strawberry.field(description="该规则所属角色的名称。")
    held: bool = strawberry.field(description="是否已有这个角色；没有的，须先任此职。")
    needs: list[str] = strawberry.field(description="还须具备的各项条件。")


@strawberry.type(description="一次解释：由哪条规则决定，其余规则差在哪里，怎样才会改变。")
class AccessExplanation:
    policy_version: int = strawberry.field(description="所据的策略版本。")
    person_id: strawberry.ID = strawberry.field(description="被解释者的全局标识。")
    roles: list[str] = strawberry.field(description="所据的各项任职的角色代码。")
    known: bool = strawberry.field(
        description="提问人自己是否看得见这一行。看不见的与不存在的答复相同：只列规则，不作判断。"
    )
    visible: bool | None = strawberry.field(
        description="该行是否可见（问 read 时），或该事项按策略能否办理；不作判断时为 null。"
    )
    field: FieldForm | None = strawberry.field(description="所问字段怎样显示；没有问字段或不作判断时为 null。")
    rules: list[RuleVerdict] = strawberry.field(description="与所问有关的全部规则，依文本次序。")
    changes: list[AccessChange] = strawberry.field(description="怎样才会看得见（或办得了）；已经如此的为空。")


@question(
    "解释一个人能否看见一行、一个字段，或能否办理一个事项：每条规则是否成立，差在哪里，由哪条决定，怎样才会改变。"
    "问自己人人可以，问他人须有解释权限。",
    100,
)
async def explain_access(
    context: QuestionContext,
    node: NodeArgument,
    person: PersonArgument = None,
    token: TokenArgument = None,
    field: FieldArgument = None,
    action: ActionArgument = "read",
    as_of: AsOfArgument = None,
) -> AccessExplanation | None:
    resource, key, target_field = target_of(node, field, action)
    subject = await subject_of(context, person, token, as_of)  # type: ignore[arg-type]  # an Instant comes in as a datetime
    access = subject.access
    concealed = await concealed_from(context.connection, context.access, resource.name, key)
    row = None if concealed is None else await attributes_of(context.connection, resource.name, key)
    explanation = None
    if row is not None:
        assert concealed is not None
        explanation = await context.compute(explain, access, resource, row, target_field, action, concealed)
    head: dict[str, Any] = {
        "policy_version": access.policy.version,
        "person_id": strawberry.ID(f"Person:{subject.person.id}"),
        "roles": [one.role for one in access.appointments],
    }
    if explanation is None:
        bounds = applicable_rules(access.grant(resource.name, action), target_field)
        rules = [_verdict(access.policy, one, None, None, decisive=False) for one in bounds]
        return AccessExplanation(**head, known=False, visible=None, field=None, rules=rules, changes=[])
    return AccessExplanation(
        **head,
        known=True,
        visible=explanation.visible,
        field=form_of(explanation.field),
        rules=[
            _verdict(
                access.policy, one.bound, one.failed is None, one.failed, decisive=one.bound == explanation.decisive
            )
            for one in explanation.verdicts
        ],
        changes=[_change(access.policy, one) for one in explanation.changes],
    )


def _verdict(policy: Policy, bound: BoundRule, matched: bool | None, failed: str | None, decisive: bool) -> RuleVerdict:
    rule = bound.rule
    return RuleVerdict(
        line=rule.line,
        role=rule.role,
        role_label=policy.roles[rule.role],
        allow=rule.allow,
        condition=condition_words(rule.rows, policy, rule.resource),
        fields=rule.cells,
        matched=matched,
        failed=failed,
        decisive=decisive,
    )


def _change(policy: Policy, change: NeededChange) -> AccessChange:
    return AccessChange(
        line=change.line,
        role=change.role,
        role_label=policy.roles[change.role],
        held=change.held,
        needs=[*change.needs],
    )
