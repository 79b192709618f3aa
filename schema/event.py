"""Events: what happened to what, by whom, under which policy version."""

from enum import Enum

import strawberry

from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_one
from schema.scalars import Instant


@strawberry.input(description="事件的筛选条件。")
class EventFilter:
    action: str | None = condition("action", "eq", "操作，如 dispute.accept，完全相同。")
    resource: str | None = condition("resource", "eq", "对象类型，如 Dispute，完全相同。")
    at_from: Instant | None = condition("at", "from", "记录时间不早于。")
    at_to: Instant | None = condition("at", "to", "记录时间不晚于。")
    dispute_id: strawberry.ID | None = condition("dispute", "is", "所涉纠纷的全局标识。")


@code_enum("事件的排序字段。")
class EventOrderField(Enum):
    AT = "记录时间"


@strawberry.input(description="事件的排序。")
class EventOrder:
    field: EventOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("事件：一次变更或查看的留痕，只增不改，不含字段的值。")
class Event(Node):
    at: Instant | None = field()
    happened_at: Instant | None = field("所记之事的发生时间，由记录人写明；查看等没有的为 null。")
    late_days: int | None = field("迟记的日数：发生与记录相隔的整日数；没有发生时间的为 null。")
    late_reason: str | None = field("迟记的原因，由记录人写明；没有的为 null。")
    action: str | None = field()
    resource: str | None = field("对象类型，如 Dispute。")
    from_state: str | None = field("操作前的状态代码。")
    to_state: str | None = field("操作后的状态代码。")
    fields: str | None = field("涉及的字段名，不含值。")
    reason: str | None = field()
    policy_version: int | None = field("所依据的策略版本。")
    request_id: str | None = field("请求编号，与响应和运行日志中的一致。")
    dispute = to_one("dispute", "Dispute", "所涉纠纷；与纠纷无关的为 null。")
    actor = to_one("person", "Person", "操作人；系统自动进行的为 null。")
