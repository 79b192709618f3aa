"""What another policy would change on the present data, for each role and each token, before it is live."""

from enum import Enum
from functools import partial
from typing import Annotated, Any

import strawberry

from db.policy_admin.impact.comparison import Comparison
from db.policy_admin.impact.count import samples
from db.policy_admin.impact.runs import RunStatus, holders_of
from db.query.epoch import read_epoch
from db.resources.catalog import CATALOG
from db.tables.impact import IMPACT_STATES
from policies.escalation import POLICY
from policies.predicate import Never
from schema.node import code_enum
from schema.questions.answer import QuestionContext, question
from schema.questions.policy_text import TextArgument, VersionArgument, require_policy
from schema.refusal import Code, Refusal
from schema.scalars import Instant

# How long an answer waits for a run that may soon be done, in seconds.
PATIENCE = 2.0
MAX_SAMPLES = 5
# The counts in which sample rows are looked for, at most.
MAX_UNITS = 20


@code_enum("影响计算的状态。", IMPACT_STATES)
class PolicyImpactState(Enum):
    RUNNING = "正在计算"
    DONE = "已算完"
    FAILED = "未能算完，再问即重新计算"


@strawberry.type(description="一个字段类别的单元（一行的一个字段为一个单元）的变化。")
class ImpactCells:
    field_class: str = strawberry.field(description="字段类别代码。")
    label: str = strawberry.field(description="字段类别的名称。")
    clear: int = strawberry.field(description="由掩码或不可见变为明文的单元数；动作不是 read 的，为新准许的单元数。")
    masked: int = strawberry.field(description="由明文或不可见变为掩码的单元数。")
    hidden: int = strawberry.field(description="由明文或掩码变为不可见的单元数；动作不是 read 的，为不再准许的单元数。")


@strawberry.type(description="对一类对象的一种动作的变化。")
class ImpactChange:
    resource: str = strawberry.field(description="对象类型。")
    resource_label: str = strawberry.field(description="对象类型的名称。")
    action: str = strawberry.field(description="动作代码。")
    action_label: str = strawberry.field(description="动作的名称。")
    rows_gained: int = strawberry.field(description="新可见（新可办）的行数。")
    rows_lost: int = strawberry.field(description="不再可见（不再可办）的行数。")
    cells: list[ImpactCells] = strawberry.field(description="各字段类别的单元的变化；没有变化的不列。")


@strawberry.type(description="对一个角色或一枚令牌的影响。")
class ImpactHolder:
    name: str = strawberry.field(description="角色代码，或令牌的前缀。")
    label: str = strawberry.field(description="角色名称，或令牌的用途说明。")
    appointments: int = strawberry.field(description="所据的任职数。")
    changes: list[ImpactChange] = strawberry.field(description="各项变化。")


@strawberry.type(description="一份策略与另一份相比，对现有数据的影响。各数均为逐行数得，不是估计。")
class PolicyImpact:
    state: PolicyImpactState = strawberry.field(description="计算的状态。")
    done: int = strawberry.field(description="已数的项数。")
    total: int = strawberry.field(description="须数的项数；授权相同的不必数。")
    exact: bool = strawberry.field(description="是否逐行数得。")
    current: bool | None = strawberry.field(
        description="算完之后策略、任职、团队、令牌是否没有变动；尚未算完的为 null。变动过的可用 refresh 重算。"
    )
    digest: str | None = strawberry.field(description="结果的 SHA-256 散列；尚未算完的为 null。")
    begun_at: Instant = strawberry.field(description="开始计算的时间。")
    ended_at: Instant | None = strawberry.field(description="算完的时间。")
    roles: list[ImpactHolder] | None = strawberry.field(
        description="对各角色的影响：每一项现任职务各数一次，再按角色相加（两人各多看见同一行，计二）；没有影响的不列。尚未算完的为 null。"
    )
    tokens: list[ImpactHolder] | None = strawberry.field(
        description="对各枚有效令牌的影响：按其所代表的全部任职合并计算；没有影响的不列。尚未算完的为 null。"
    )


@strawberry.type(description="受影响的行的若干例子，只含提问人自己看得见的。")
class ImpactSamples:
    gained: list[strawberry.ID] = strawberry.field(description="有所增加的行的全局标识；可凭以用 nodes 查看。")
    lost: list[strawberry.ID] = strawberry.field(description="有所减少的行的全局标识。")


AgainstArgument = Annotated[int | None, strawberry.argument(description="与哪一版比较，写版本号；不写为现行策略。")]


def _require_impact(context: QuestionContext) -> None:
    # SECURITY: how many rows there are is said to nobody else.
    if isinstance(context.access.grant(POLICY, "impact").rows, Never):
        raise Refusal(Code.FORBIDDEN, "您无权计算策略的影响。")


@question(
    "一份策略与另一份相比，对现有数据的影响：各角色、各令牌得失哪些行，哪些单元变为明文、掩码、不可见，哪些事项变得可办、不可办。"
    "首次询问即在后台计算，隔一会儿再问可得进度与结果；须有计算影响的权限。",
    5000,
)
async def policy_impact(
    context: QuestionContext,
    version: VersionArgument = None,
    text: TextArgument = None,
    against: AgainstArgument = None,
    refresh: Annotated[bool, strawberry.argument(description="即使已经算过，也重新计算。")] = False,
) -> PolicyImpact | None:
    _require_impact(context)
    after = await require_policy(context, version, text, "impact")
    before = await require_policy(context, against, None, "impact")
    run = await context.runs.request(before, after, restart=refresh, patience=PATIENCE)
    epoch = await read_epoch(context.connection)
    return _impact(run, epoch)


def _impact(run: RunStatus, epoch: int) -> PolicyImpact:
    result = run.result
    return PolicyImpact(
        state=PolicyImpactState(run.state),
        done=run.done,
        total=run.total,
        exact=True,
        current=None if result is None else run.epoch == epoch,
        digest=run.digest,
        begun_at=Instant(run.begun_at.isoformat()),
        ended_at=None if run.ended_at is None else Instant(run.ended_at.isoformat()),
        roles=None if result is None else [_holder(one) for one in result["roles"]],
        tokens=None if result is None else [_holder(one) for one in result["tokens"]],
    )


def _holder(holder: dict[str, Any]) -> ImpactHolder:
    changes = [
        ImpactChange(**{**one, "cells": [ImpactCells(**cells) for cells in one["cells"]]}) for one in holder["changes"]
    ]
    return ImpactHolder(**{**holder, "changes": changes})


@question("受影响的行的若干例子，只含提问人自己看得见的；须有计算影响的权限。", 5000)
async def policy_impact_samples(
    context: QuestionContext,
    role: Annotated[str, strawberry.argument(description="角色代码。")],
    resource: Annotated[str, strawberry.argument(description="对象类型。")],
    action: Annotated[str, strawberry.argument(description="动作代码。")] = "read",
    version: VersionArgument = None,
    text: TextArgument = None,
    against: AgainstArgument = None,
) -> ImpactSamples | None:
    _require_impact(context)
    definition = CATALOG.resources.get(resource)
    if definition is None or action not in definition.actions:
        raise Refusal(Code.BAD_USER_INPUT, "没有这种对象，或它没有这个动作。")
    after = await require_policy(context, version, text, "impact")
    before = await require_policy(context, against, None, "impact")
    holders = [one for one in await holders_of(context.connection, {}) if (one.kind, one.name) == ("role", role)]
    comparison = await context.compute(partial(Comparison, before, after, holders, undivided=True))
    gained: dict[str, None] = {}
    lost: dict[str, None] = {}
    units = [one for one in comparison.units if (one.resource, one.action) == (resource, action)]
    for unit in units[:MAX_UNITS]:
        sides = await samples(context.connection, unit, context.access, MAX_SAMPLES)
        for ids, keys in zip((gained, lost), sides, strict=True):
            ids.update(dict.fromkeys(f"{resource}:{key}" for key in keys))
        if min(len(gained), len(lost)) >= MAX_SAMPLES:
            break
    return ImpactSamples(
        gained=[strawberry.ID(one) for one in [*gained][:MAX_SAMPLES]],
        lost=[strawberry.ID(one) for one in [*lost][:MAX_SAMPLES]],
    )
