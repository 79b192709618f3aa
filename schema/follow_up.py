"""Follow-up visits after performance, with the party's satisfaction."""

from enum import Enum

import strawberry

from db.tables.follow_up import FOLLOW_UP_METHODS, FOLLOW_UP_RESULTS
from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_one
from schema.scalars import Day


@code_enum("回访方式。", FOLLOW_UP_METHODS)
class FollowUpMethod(Enum):
    VISIT = "上门"
    PHONE = "电话"
    VIDEO = "视频"
    MESSAGE = "短信或问卷"
    MEETING = "现场座谈"


@code_enum("回访结果。", FOLLOW_UP_RESULTS)
class FollowUpResult(Enum):
    NORMAL = "正常"
    REBOUND_SIGNS = "有反弹迹象"
    REBOUNDED = "已反弹"
    NOT_PERFORMED = "未履行"
    UNREACHABLE = "联系不上"


@strawberry.input(description="回访的筛选条件。")
class FollowUpFilter:
    result: list[FollowUpResult] | None = condition("result", "in", "回访结果，取其一即可。")
    method: list[FollowUpMethod] | None = condition("method", "in", "回访方式，取其一即可。")
    due_from: Day | None = condition("due_on", "from", "应回访日期不早于。")
    due_to: Day | None = condition("due_on", "to", "应回访日期不晚于。")
    done_from: Day | None = condition("done_at", "from", "实际回访日期不早于。")
    done_to: Day | None = condition("done_at", "to", "实际回访日期不晚于。")
    done: bool | None = condition("done_at", "present", "true 只取已回访的，false 只取未回访的。")
    overdue: bool | None = condition("overdue", "flag", "true 只取逾期未回访的，false 只取其余的。")
    satisfaction_max: int | None = condition("satisfaction", "to", "满意度不高于；2 即不满意与非常不满意。")
    area_code: str | None = condition("area", "area", "纠纷发生地的区划代码（6、9、12 或 15 位），含其下级。")


@code_enum("回访的排序字段。")
class FollowUpOrderField(Enum):
    DUE_ON = "应回访日期"
    DONE_AT = "实际回访日期"
    SATISFACTION = "满意度"


@strawberry.input(description="回访的排序。")
class FollowUpOrder:
    field: FollowUpOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("回访：纠纷化解后对当事人的一次回访，含尚未进行的。")
class FollowUp(Node):
    due_on: Day | None = field()
    done_at: Day | None = field("实际回访日期；尚未回访的为 null。")
    overdue: bool | None = field("是否逾期：尚未回访而应回访日期已过。")
    method: FollowUpMethod | None = field("回访方式；尚未回访的为 null。")
    result: FollowUpResult | None = field("回访结果；尚未回访的为 null。")
    satisfaction: int | None = field(
        "满意度：5 非常满意、4 满意、3 基本满意、2 不满意、1 非常不满意；未评价的为 null。"
    )
    remark: str | None = field()
    dispute = to_one("dispute", "Dispute", "所属纠纷。")
    visitor = to_one("person", "Person", "回访人；尚未指定的为 null。")
