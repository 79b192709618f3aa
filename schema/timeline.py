"""Computed at every read of a dispute: its clocks, and its timeline as the caller may see it."""

from enum import Enum

import strawberry

from db.query.clocks import CLOCK_STATES, CLOCKS
from schema.node import code_enum, to_one
from schema.scalars import Day, Instant


@code_enum("时限的名称。", CLOCKS)
class ClockName(Enum):
    FIRST_CONTACT = "停水停电停气停暖：登记后二十四小时内首次处理"
    MEDIATION_MONTH = "调解期限：受理起一个月，经双方同意可延长"
    CONFIRMATION = "申请司法确认：协议生效起三十日"
    TIER = "本层级办理时限：团队七日、调解队十日、中心三十日"
    FOLLOW_UP = "回访：最近一次应回访的日期"


@code_enum("时限的状况。", CLOCK_STATES)
class ClockState(Enum):
    RUNNING = "进行中"
    DUE_SOON = "即将届满"
    OVERDUE = "已逾期"
    DONE = "不再计算：已办到，或已无须办理"


@strawberry.type(
    description="时限：查询时由数据库当场算出，从不保存。据以计算的内容无权阅读的，或使其停止的事项看不到的，不列出。"
)
class Clock:
    name: ClockName = strawberry.field(description="名称。")
    due_on: Day = strawberry.field(description="届满日期，含当日。")
    state: ClockState = strawberry.field(description="状况。")


@strawberry.type(description="一处变更：变更后的值。只列出调用者现在看得到的行上、有权明文阅读的字段。")
class TimelineChange:
    resource: str = strawberry.field(description="对象类型，如 Dispute。")
    field: str = strawberry.field(description="字段名，如 dueOn。")
    value: str | None = strawberry.field(description="变更后的值，文本；清空的为 null。")


@strawberry.type(description="办理经过中的一步：谁、何时、依据哪一版策略，办了什么。")
class TimelineEntry:
    at: Instant = strawberry.field(description="记录时间。")
    happened_at: Instant | None = strawberry.field(description="发生时间，由记录人写明；没有的为 null。")
    late_days: int | None = strawberry.field(description="迟记的日数：发生与记录相隔的整日数；没有发生时间的为 null。")
    actor = to_one("person", "Person", "办理人；系统自动进行的为 null。")
    action: str = strawberry.field(description="操作，如 dispute.accept。")
    label: str = strawberry.field(description="操作的名称。")
    from_state: str | None = strawberry.field(description="操作前的状态代码；没有变化或无权阅读的为 null。")
    to_state: str | None = strawberry.field(description="操作后的状态代码；没有变化或无权阅读的为 null。")
    policy_version: int | None = strawberry.field(description="所依据的策略版本；系统自动进行的为 null。")
    changes: list[TimelineChange] = strawberry.field(description="变更的内容，依调用者的权限列出。")
