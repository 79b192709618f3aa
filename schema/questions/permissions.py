"""What somebody can see and do: `whatCanSee`, cell by cell, with how many rows there are now."""

import strawberry

from db.query import plan as p
from db.query.visibility import claim_values
from db.resources.catalog import RESOURCES
from policies.grant import Access, granted_cells
from policies.predicate import Never
from policies.words import action_words, class_words, condition_words
from schema.questions.answer import QuestionContext, question
from schema.questions.field_form import FieldForm, form_of
from schema.questions.subject import AsOfArgument, PersonArgument, TokenArgument, subject_of


@strawberry.type(description="一项权限：对一类对象的一种动作，在什么范围内。")
class Permission:
    resource: str = strawberry.field(description="对象类型。")
    resource_label: str = strawberry.field(description="对象类型的名称。")
    action: str = strawberry.field(description="动作代码。")
    action_label: str = strawberry.field(description="动作的名称。")
    field_class: str | None = strawberry.field(description="字段类别代码；null 指行本身。")
    class_label: str | None = strawberry.field(description="字段类别的名称。")
    form: FieldForm | None = strawberry.field(description="明文或掩码；行本身为 null。")
    condition: str = strawberry.field(description="范围，用策略中的名称写成。")
    lines: list[int] = strawberry.field(description="所据的规则所在的行。")


@strawberry.type(description="一类对象中可见的行数。")
class VisibleRows:
    resource: str = strawberry.field(description="对象类型。")
    resource_label: str = strawberry.field(description="对象类型的名称。")
    rows: int = strawberry.field(description="可见的行数，数到一万为止。")
    capped: bool = strawberry.field(description="是否还有更多而没有数完。")


@strawberry.type(description="一个人可以看见什么、办理什么。")
class Permissions:
    policy_version: int = strawberry.field(description="所据的策略版本。")
    person_id: strawberry.ID = strawberry.field(description="此人的全局标识。")
    roles: list[str] = strawberry.field(description="所据的各项任职的角色代码。")
    permissions: list[Permission] = strawberry.field(description="各项权限；没有列出的一律没有。")
    rows: list[VisibleRows] = strawberry.field(
        description="依上述策略与任职，各类对象的现有数据中可见的行数；为零的不列。"
    )


@question(
    "一个人可以看见什么、办理什么：逐类对象、逐个字段类别，各在什么范围，现有多少行。问自己人人可以，问他人须有解释权限。",
    3000,
)
async def what_can_see(
    context: QuestionContext, person: PersonArgument = None, token: TokenArgument = None, as_of: AsOfArgument = None
) -> Permissions | None:
    subject = await subject_of(context, person, token, as_of)  # type: ignore[arg-type]  # an Instant comes in as a datetime
    access = subject.access
    return Permissions(
        policy_version=access.policy.version,
        person_id=strawberry.ID(f"Person:{subject.person.id}"),
        roles=[one.role for one in access.appointments],
        permissions=await context.compute(_permissions, access),
        rows=await _rows(context, access),
    )


def _permissions(access: Access) -> list[Permission]:
    policy, permissions = access.policy, []
    for name, action in sorted(
        {key for one in access.appointments for key in policy.actions_by_role.get(one.role, ())}
    ):
        resource, grant = policy.catalog.resources[name], access.grant(name, action)
        for cell, field_class, form, rows in granted_cells(grant, resource, action):
            permissions.append(
                Permission(
                    resource=name,
                    resource_label=resource.label,
                    action=action,
                    action_label=action_words(name, action),
                    field_class=field_class,
                    class_label=field_class and class_words(field_class),
                    form=None if field_class is None else form_of(form),
                    condition=condition_words(rows, policy, name),
                    lines=sorted({bound.rule.line for bound in grant.rules if bound.rule.covers(cell)}),
                )
            )
    return permissions


async def _rows(context: QuestionContext, access: Access) -> list[VisibleRows]:
    """How many rows of each resource the subject sees now, counted like the `totalCount` of a list."""
    pages = []
    for name, source in RESOURCES.items():
        if not isinstance(access.grant(name).rows, Never):
            order = tuple(p.Order(*key) for key in source.order)
            counts = (p.TotalCount("rows", exact=False, unbounded=True), p.TotalCapped("capped"))
            pages.append(p.Page(name, name, None, (), order, p.Slice("size"), counts))
    if not pages:
        return []
    read = await context.read(p.Plan(tuple(pages)), access, claim_values(access))
    return [
        VisibleRows(resource=name, resource_label=RESOURCES[name].label, rows=counts["rows"], capped=counts["capped"])
        for name, counts in read.items()
        if counts["rows"]
    ]
