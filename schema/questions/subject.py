"""Whom and what a question about access is about: a person or a token, a row, a field, an action, a moment.

Anyone may ask about themselves; about others only whoever holds `explain` on the policy.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import strawberry

from db.calendar import day_of
from db.identity import tokens
from db.identity.appointments import Person, people_of
from db.policy_admin.versions import text_of, version_at
from db.resources.catalog import CATALOG
from policies.catalog import Field, Resource
from policies.compile import compile_policy
from policies.escalation import POLICY
from policies.grant import Access
from policies.policy import Policy, PolicyRefused
from policies.predicate import Never
from schema.names import snake
from schema.planning import coercion
from schema.questions.answer import QuestionContext
from schema.refusal import Code, Refusal
from schema.scalars import Instant

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
class Subject:
    """A person asked about, with the access that they had at the moment asked about."""

    person: Person
    access: Access


def may_explain(context: QuestionContext) -> bool:
    """SECURITY: whether the asker may ask about others, or about who sees what."""
    return not isinstance(context.access.grant(POLICY, "explain").rows, Never)


async def subject_of(
    context: QuestionContext, person: str | None, token: str | None, as_of: dt.datetime | None
) -> Subject:
    """The person or the token's holder asked about, or the asker. Raises Refusal: FORBIDDEN before NOT_FOUND."""
    if person is not None and token is not None:
        raise Refusal(Code.BAD_USER_INPUT, "person 与 token 至多写一个。")
    key, appointment_id = context.viewer.person_id, None
    if person is not None:
        key = _key(person, "Person")
    elif token is not None:
        valid = await tokens.find_valid(context.connection, token)
        key, appointment_id = (None, None) if valid is None else (valid.person_id, valid.appointment_id)
    # SECURITY: refused before it is known whether there is such a person or token.
    if key != context.viewer.person_id and not may_explain(context):
        raise Refusal(Code.FORBIDDEN, "您只能询问自己的权限；询问他人须有解释权限。")
    policy = await _policy(context, as_of)
    if key is not None:
        people = await people_of(context.connection, None if as_of is None else day_of(as_of), key, appointment_id)
        if people:
            if key == context.viewer.person_id and token is None and as_of is None:
                # The asker's own access, by the very token of this request.
                return Subject(people[0], context.access)
            return Subject(people[0], people[0].access(policy))
    raise Refusal(Code.NOT_FOUND, "没有这个人或这枚令牌；请核对。")


async def _policy(context: QuestionContext, as_of: dt.datetime | None) -> Policy:
    """The policy in force at a moment. Raises Refusal."""
    if as_of is None:
        return context.live
    if as_of > dt.datetime.now(dt.UTC):
        raise Refusal(Code.BAD_USER_INPUT, "asOf 应为过去的时刻。")
    version = await version_at(context.connection, as_of)
    if version is None:
        raise Refusal(Code.NOT_FOUND, "那时尚未发布访问策略。")
    if version == context.live.version:
        return context.live
    try:
        return await context.compute(compile_policy, await text_of(context.connection, version), CATALOG, version)
    except PolicyRefused:
        message = f"当时施行的策略第 {version} 版所用的名称已有变更，不能再作解释。"
        raise Refusal(Code.NOT_FOUND, message) from None


def _key(global_id: str, type_name: str) -> UUID:
    try:
        return coercion.key_of(global_id, type_name)
    except coercion.BadValue as bad:
        raise Refusal(Code.BAD_USER_INPUT, str(bad)) from None


def target_of(node: str, field: str | None, action: str) -> tuple[Resource, UUID, Field | None]:
    """The resource, the key and the field (None: the row) that a question is about. Refuses what the catalog does not know."""
    resource = CATALOG.resources.get(coercion.type_of_id(node) or "")
    if resource is None:
        raise Refusal(Code.BAD_USER_INPUT, coercion.bad_id(None))
    if action not in resource.actions:
        raise Refusal(Code.BAD_USER_INPUT, f"{resource.label}没有这个动作。")
    target = None if field is None else resource.fields.get(snake(field))
    if field is not None and target is None:
        raise Refusal(Code.BAD_USER_INPUT, f"{resource.label}没有这个字段。")
    return resource, _key(node, resource.name), target
