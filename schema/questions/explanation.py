"""Why and why not, who can see it, what he can see: the questions about access, and their answers in words.

Anyone may ask about himself; about others only whoever holds `explain` on the policy. Of a row that the asker does not see
himself nothing is told, not even whether there is one.
"""

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry

from db.calendar import day_of
from db.identity import tokens
from db.identity.appointments import Person, people_of
from db.policy_admin.explain import attributes_of, concealed_from
from db.policy_admin.versions import text_of, version_at
from db.query import plan as p
from db.query.visibility import claim_values
from db.resources.catalog import CATALOG, RESOURCES
from policies.catalog import Field, Resource
from policies.compile import compile_policy
from policies.escalation import POLICY
from policies.explain import Change, Explanation, explain, outcome, speaking
from policies.grant import Access, Bound, cells_of
from policies.policy import Policy, PolicyRefused
from policies.predicate import Never, follows
from policies.words import action_words, class_words, words
from schema.names import snake
from schema.node import code_enum
from schema.planning import coercion
from schema.questions.answer import Asking, asked
from schema.refusal import Code, Refusal
from schema.scalars import Instant

MOST_SEERS = 100
DEFAULT_SEERS = 20
_NOT_FOUND = "没有这个对象，或者您无权查看它；请核对标识。"


@code_enum("一个字段怎样显示。")
class FieldForm(Enum):
    CLEAR = "明文"
    MASKED = "掩码"
    HIDDEN = "不可见"


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


PersonArgument = Annotated[
    strawberry.ID | None, strawberry.argument(description="被问者，Person:… ；不写即提问人自己。与 token 至多写一个。")
]
TokenArgument = Annotated[
    str | None, strawberry.argument(description="或者写一枚令牌的前缀，即 sl_ 后的 8 个字符：只按该令牌所代表的任职。")
]
NodeArgument = Annotated[strawberry.ID, strawberry.argument(description="所问的行，全局标识，如 Dispute:0190a6c2-…。")]
FieldArgument = Annotated[str | None, strawberry.argument(description="所问的字段，如 amountClaimed；不写则只问该行。")]
ActionArgument = Annotated[str, strawberry.argument(description="所问的动作代码，如 accept；不写为 read。")]
AsOfArgument = Annotated[
    Instant | None,
    strawberry.argument(
        description="过去的一个时刻：按当时施行的策略、当日的任职与团队成员解释；行的属性与人员的停用状况仍以现在为准。"
    ),
]


@dataclass(frozen=True)
class _Subject:
    """Who is asked about, with what he had then."""

    person: Person
    access: Access


def may_explain(asking: Asking) -> bool:
    """SECURITY: whether he may ask about others, or about who sees what."""
    return not isinstance(asking.access.grant(POLICY, "explain").rows, Never)


async def _subject(asking: Asking, person: str | None, token: str | None, as_of: dt.datetime | None) -> _Subject:
    if person is not None and token is not None:
        raise Refusal(Code.BAD_USER_INPUT, "person 与 token 至多写一个。")
    key, appointment_id = asking.viewer.person_id, None
    if person is not None:
        key = _key(person, "Person")
    elif token is not None:
        valid = await tokens.find_valid(asking.connection, token)
        key, appointment_id = (None, None) if valid is None else (valid.person_id, valid.appointment_id)
    # SECURITY: refused before it is known whether there is such a person or token.
    if key != asking.viewer.person_id and not may_explain(asking):
        raise Refusal(Code.FORBIDDEN, "您只能询问自己的权限；询问他人须有解释权限。")
    policy = await _policy(asking, as_of)
    if key is not None:
        found = await people_of(asking.connection, None if as_of is None else day_of(as_of), key, appointment_id)
        if found:
            if key == asking.viewer.person_id and token is None and as_of is None:
                # As he stands with the very token that he asks with.
                return _Subject(found[0], asking.access)
            return _Subject(found[0], found[0].access(policy))
    raise Refusal(Code.NOT_FOUND, "没有这个人或这枚令牌；请核对。")


async def _policy(asking: Asking, as_of: dt.datetime | None) -> Policy:
    if as_of is None:
        return asking.live
    if as_of > dt.datetime.now(dt.UTC):
        raise Refusal(Code.BAD_USER_INPUT, "asOf 应为过去的时刻。")
    version = await version_at(asking.connection, as_of)
    if version is None:
        raise Refusal(Code.NOT_FOUND, "那时尚未发布访问策略。")
    if version == asking.live.version:
        return asking.live
    try:
        return await asking.think(compile_policy, await text_of(asking.connection, version), CATALOG, version)
    except PolicyRefused:
        message = f"当时施行的策略第 {version} 版所用的名称已有变更，不能再作解释。"
        raise Refusal(Code.NOT_FOUND, message) from None


def _key(value: str, kind: str) -> UUID:
    try:
        if coercion.type_of_id(value) != kind:
            raise coercion.BadValue
        return coercion.uuid_of(value)
    except coercion.BadValue:
        raise Refusal(Code.BAD_USER_INPUT, f"标识的写法不对，应形如 {kind}:0190a6c2-…。") from None


def _asked_of(node: str, field: str | None, action: str) -> tuple[Resource, UUID, Field | None]:
    """What is asked about. Refuses what the catalog does not know."""
    kind = coercion.type_of_id(node)
    resource = CATALOG.resources.get(kind or "")
    if resource is None:
        raise Refusal(Code.BAD_USER_INPUT, "标识的写法不对，应形如 Dispute:0190a6c2-…。")
    if action not in resource.actions:
        raise Refusal(Code.BAD_USER_INPUT, f"{resource.label}没有这个动作。")
    known = None if field is None else resource.fields.get(snake(field))
    if field is not None and known is None:
        raise Refusal(Code.BAD_USER_INPUT, f"{resource.label}没有这个字段。")
    return resource, _key(node, resource.name), known


@asked(
    "解释一个人能否看见一行、一个字段，或能否办理一个事项：每条规则是否成立，差在哪里，由哪条决定，怎样才会改变。"
    "问自己人人可以，问他人须有解释权限。",
    100,
)
async def explain_access(
    asking: Asking,
    node: NodeArgument,
    person: PersonArgument = None,
    token: TokenArgument = None,
    field: FieldArgument = None,
    action: ActionArgument = "read",
    as_of: AsOfArgument = None,
) -> AccessExplanation | None:
    resource, key, known_field = _asked_of(node, field, action)
    subject = await _subject(asking, person, token, as_of)  # type: ignore[arg-type]  # an Instant comes in as a datetime
    access = subject.access
    concealed = await concealed_from(asking.connection, asking.access, resource.name, key)
    row = None if concealed is None else await attributes_of(asking.connection, resource.name, key)
    found = None
    if row is not None:
        assert concealed is not None
        found = await asking.think(explain, access, resource, row, known_field, action, concealed)
    head: dict[str, Any] = {
        "policy_version": access.policy.version,
        "person_id": strawberry.ID(f"Person:{subject.person.id}"),
        "roles": [one.role for one in access.appointments],
    }
    if found is None:
        bounds = speaking(access.grant(resource.name, action), known_field)
        rules = [_verdict(access.policy, one, None, None, decisive=False) for one in bounds]
        return AccessExplanation(**head, known=False, visible=None, field=None, rules=rules, changes=[])
    return AccessExplanation(
        **head,
        known=True,
        visible=found.visible,
        field=_form(found.field),
        rules=[
            _verdict(access.policy, one.bound, one.failed is None, one.failed, decisive=one.bound == found.decisive)
            for one in found.verdicts
        ],
        changes=[_change(access.policy, one) for one in found.changes],
    )


def _form(form: str | None) -> FieldForm | None:
    return None if form is None else FieldForm(form.upper())


def _verdict(policy: Policy, bound: Bound, matched: bool | None, failed: str | None, decisive: bool) -> RuleVerdict:
    rule = bound.rule
    return RuleVerdict(
        line=rule.line,
        role=rule.role,
        role_label=policy.roles[rule.role],
        allow=rule.allow,
        condition=words(rule.rows, policy, rule.resource),
        fields=rule.cells,
        matched=matched,
        failed=failed,
        decisive=decisive,
    )


def _change(policy: Policy, change: Change) -> AccessChange:
    return AccessChange(
        line=change.line,
        role=change.role,
        role_label=policy.roles[change.role],
        held=change.held,
        needs=[*change.needs],
    )


@asked("谁看得见一行、一个字段，或谁按策略办得了一个事项，各凭哪项任职。须有解释权限，且提问人自己看得见这一行。", 1000)
async def who_can_see(
    asking: Asking,
    node: NodeArgument,
    field: FieldArgument = None,
    action: ActionArgument = "read",
    first: Annotated[int, strawberry.argument(description=f"取多少人，1 至 {MOST_SEERS}。")] = DEFAULT_SEERS,
    offset: Annotated[int, strawberry.argument(description="从第几人起，从零数。")] = 0,
) -> Seers | None:
    resource, key, known_field = _asked_of(node, field, action)
    if not may_explain(asking):
        raise Refusal(Code.FORBIDDEN, "您无权询问他人的权限。")
    if not 1 <= first <= MOST_SEERS or offset < 0:
        raise Refusal(Code.BAD_USER_INPUT, f"first 应在 1 至 {MOST_SEERS} 之间，offset 不能为负。")
    # SECURITY: hidden and missing rows are the same answer.
    if await concealed_from(asking.connection, asking.access, resource.name, key) is None:
        raise Refusal(Code.NOT_FOUND, _NOT_FOUND)
    row = await attributes_of(asking.connection, resource.name, key)
    assert row is not None
    people = await people_of(asking.connection)
    found = await asking.think(_seeing, people, asking.live, resource, row, known_field, action)
    page = found[offset : offset + first]
    names = await _names(asking, [person.id for person, _ in page])
    return Seers(
        total=len(found),
        people=[_seer(person, told, names[person.id], asking.live) for person, told in page if person.id in names],
        next_offset=offset + first if offset + first < len(found) else None,
    )


def _seeing(
    people: list[Person], policy: Policy, resource: Resource, row: dict[str, Any], field: Field | None, action: str
) -> list[tuple[Person, Explanation]]:
    found = []
    for person in people:
        access = person.access(policy)
        visible, shown = outcome(access, resource, row, field, action)
        if visible and shown != "hidden":
            found.append((person, explain(access, resource, row, field, action)))
    return found


async def _names(asking: Asking, people: list[UUID]) -> dict[UUID, str]:
    """SECURITY: the names of people as the asker sees them, by the way of every read."""
    plan = p.Plan((p.Batch("found", "ids", (p.Node("Person", (p.Identifier("id"), p.Value("name", "name"))),)),))
    values = {**asking.viewer.values, "ids_types": ["Person"] * len(people), "ids_ids": people}
    found = (await asking.read(plan, asking.access, values))["found"]
    return {coercion.uuid_of(one["id"]): one["name"] for one in found if one is not None and one["name"] is not None}


def _seer(person: Person, told: Explanation, name: str, policy: Policy) -> Seer:
    # Whoever sees it has a rule that says so.
    assert told.decisive is not None
    post = person.posts[told.decisive.slot]
    role = post.appointment.role
    return Seer(
        person_id=strawberry.ID(f"Person:{person.id}"),
        name=name,
        form=_form(told.field),
        role=role,
        role_label=policy.roles[role],
        organization_id=strawberry.ID(f"Organization:{post.organization_id}"),
        area_code=post.area_code,
        line=told.decisive.rule.line,
    )


@asked(
    "一个人可以看见什么、办理什么：逐类对象、逐个字段类别，各在什么范围，现有多少行。问自己人人可以，问他人须有解释权限。",
    3000,
)
async def what_can_see(
    asking: Asking, person: PersonArgument = None, token: TokenArgument = None, as_of: AsOfArgument = None
) -> Permissions | None:
    subject = await _subject(asking, person, token, as_of)  # type: ignore[arg-type]  # an Instant comes in as a datetime
    access = subject.access
    return Permissions(
        policy_version=access.policy.version,
        person_id=strawberry.ID(f"Person:{subject.person.id}"),
        roles=[one.role for one in access.appointments],
        permissions=await asking.think(_permissions, access),
        rows=await _rows(asking, access),
    )


def _permissions(access: Access) -> list[Permission]:
    policy, found = access.policy, []
    for name, action in sorted({key for one in access.appointments for key in policy.held.get(one.role, ())}):
        resource, grant = policy.catalog.resources[name], access.grant(name, action)
        for cell, field_class, form in cells_of(resource, action):
            rows = grant.cell(cell)
            if isinstance(rows, Never) or (form == "masked" and follows(rows, grant.cell(cell[1:]))):
                continue
            found.append(
                Permission(
                    resource=name,
                    resource_label=resource.label,
                    action=action,
                    action_label=action_words(name, action),
                    field_class=field_class,
                    class_label=field_class and class_words(field_class),
                    form=None if field_class is None else _form(form),
                    condition=words(rows, policy, name),
                    lines=sorted({bound.rule.line for bound in grant.bounds if bound.rule.covers(cell)}),
                )
            )
    return found


async def _rows(asking: Asking, access: Access) -> list[VisibleRows]:
    """How many rows of each kind he sees now, counted like the `totalCount` of a list."""
    pages = []
    for name, source in RESOURCES.items():
        if not isinstance(access.grant(name).rows, Never):
            order = tuple(p.Order(*key) for key in source.order)
            counts = (p.TotalCount("rows", exact=False, wide=True), p.TotalCapped("capped"))
            pages.append(p.Page(name, name, None, (), order, p.Slice("size"), counts))
    if not pages:
        return []
    read = await asking.read(p.Plan(tuple(pages)), access, claim_values(access))
    return [
        VisibleRows(resource=name, resource_label=RESOURCES[name].label, rows=found["rows"], capped=found["capped"])
        for name, found in read.items()
        if found["rows"]
    ]
