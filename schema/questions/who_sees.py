"""Who can see a row, one of its fields, or take an action on it: `whoCanSee`.

Only for whoever holds `explain` on the policy and sees the row themselves.
"""

from typing import Annotated, Any
from uuid import UUID

import strawberry

from db.identity.appointments import Person, people_of
from db.policy_admin.explain import attributes_of, concealed_from
from db.query import plan as p
from policies.catalog import Field, Resource
from policies.explain import Explanation, explain, outcome
from policies.policy import Policy
from schema.planning import coercion
from schema.questions.answer import QuestionContext, question
from schema.questions.field_form import FieldForm, form_of
from schema.questions.subject import ActionArgument, FieldArgument, NodeArgument, may_explain, target_of
from schema.refusal import Code, Refusal

MAX_SEERS = 100
DEFAULT_SEERS = 20


@strawberry.type(description="看得见的一个人，以及使其看得见的任职。")
class Seer:
    person_id: strawberry.ID = strawberry.field(description="此人的全局标识。")
    name: str = strawberry.field(description="姓名。")
    form: FieldForm | None = strawberry.field(description="所问字段对其怎样显示；没有问字段时为 null。")
    role: str = strawberry.field(description="使其看得见的任职的角色代码。")
    role_label: str = strawberry.field(description="该角色的名称。")
    organization_id: strawberry.ID = strawberry.field(description="该任职所在的机构。")
    area_code: str = strawberry.field(description="该任职的区划代码。")
    line: int = strawberry.field(description="决定的规则所在的行。")


@strawberry.type(description="看得见一行或其一个字段的人。")
class Seers:
    total: int = strawberry.field(description="共有多少人。")
    people: list[Seer] = strawberry.field(description="其中的一页，依姓名次序；提问人无权查看的人员只计数，不列出。")
    next_offset: int | None = strawberry.field(description="下一页的 offset；没有下一页为 null。")


@question(
    "谁看得见一行、一个字段，或谁按策略办得了一个事项，各凭哪项任职。须有解释权限，且提问人自己看得见这一行。", 1000
)
async def who_can_see(
    context: QuestionContext,
    node: NodeArgument,
    field: FieldArgument = None,
    action: ActionArgument = "read",
    first: Annotated[int, strawberry.argument(description=f"取多少人，1 至 {MAX_SEERS}。")] = DEFAULT_SEERS,
    offset: Annotated[int, strawberry.argument(description="从第几人起，从零数。")] = 0,
) -> Seers | None:
    resource, key, target_field = target_of(node, field, action)
    if not may_explain(context):
        raise Refusal(Code.FORBIDDEN, "您无权询问他人的权限。")
    if not 1 <= first <= MAX_SEERS or offset < 0:
        raise Refusal(Code.BAD_USER_INPUT, f"first 应在 1 至 {MAX_SEERS} 之间，offset 不能为负。")
    # SECURITY: hidden and missing rows are the same answer.
    if await concealed_from(context.connection, context.access, resource.name, key) is None:
        raise Refusal(Code.NOT_FOUND, "没有这个对象，或者您无权查看它；请核对标识。")
    row = await attributes_of(context.connection, resource.name, key)
    assert row is not None
    people = await people_of(context.connection)
    seers = await context.compute(_seers, people, context.live, resource, row, target_field, action)
    page = seers[offset : offset + first]
    names = await _names(context, [person.id for person, _ in page])
    return Seers(
        total=len(seers),
        people=[
            _seer(person, explanation, names[person.id], context.live)
            for person, explanation in page
            if person.id in names
        ],
        next_offset=offset + first if offset + first < len(seers) else None,
    )


def _seers(
    people: list[Person], policy: Policy, resource: Resource, row: dict[str, Any], field: Field | None, action: str
) -> list[tuple[Person, Explanation]]:
    seers = []
    for person in people:
        access = person.access(policy)
        visible, shown = outcome(access, resource, row, field, action)
        if visible and shown != "hidden":
            seers.append((person, explain(access, resource, row, field, action)))
    return seers


async def _names(context: QuestionContext, people: list[UUID]) -> dict[UUID, str]:
    """SECURITY: the names of people as the asker sees them, read like any other row."""
    plan = p.Plan((p.Batch("people", "ids", (p.Node("Person", (p.Identifier("id"), p.Value("name", "name"))),)),))
    values = {**context.viewer.values, "ids_types": ["Person"] * len(people), "ids_ids": people}
    rows = (await context.read(plan, context.access, values))["people"]
    return {
        coercion.key_of(one["id"], "Person"): one["name"] for one in rows if one is not None and one["name"] is not None
    }


def _seer(person: Person, explanation: Explanation, name: str, policy: Policy) -> Seer:
    # Whoever sees the row has a rule that decides so.
    assert explanation.decisive is not None
    post = person.posts[explanation.decisive.slot]
    role = post.appointment.role
    return Seer(
        person_id=strawberry.ID(f"Person:{person.id}"),
        name=name,
        form=form_of(explanation.field),
        role=role,
        role_label=policy.roles[role],
        organization_id=strawberry.ID(f"Organization:{post.organization_id}"),
        area_code=post.area_code,
        line=explanation.decisive.rule.line,
    )
