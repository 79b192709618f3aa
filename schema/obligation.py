"""Obligations that an agreement lays on a party, and every step of their performance."""

from enum import Enum

import strawberry

from db.tables.obligation import EXCUSE_GROUNDS, OBLIGATION_KINDS, OBLIGATION_STATES, PERFORMANCE_KINDS
from schema.follow_up import FollowUpMethod
from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_many, to_one
from schema.scalars import Day, Instant, Money


@code_enum("履行内容的类型。", OBLIGATION_KINDS)
class ObligationKind(Enum):
    PAY = "支付款项"
    REFUND = "退还款项"
    REPAIR = "修理修复"
    RESTORE = "恢复原状或供应"
    SERVICE = "提供或改进服务"
    APOLOGISE = "赔礼道歉"
    OTHER = "其他"


@code_enum("履行状态。", OBLIGATION_STATES)
class ObligationState(Enum):
    DRAFT = "协议尚未生效"
    PENDING = "待履行"
    PARTLY_PERFORMED = "部分履行"
    PERFORMED = "已履行"
    RELEASED = "权利人已免除"
    EXCUSED = "不能履行"
    DEFAULTED = "不履行，已告知起诉"
    VARIED = "协议变更"
    RESCINDED = "协议撤销"
    SUED = "已起诉，等待裁判"
    ENFORCED = "经强制执行履行"


@strawberry.input(description="协议义务的筛选条件。")
class ObligationFilter:
    state: list[ObligationState] | None = condition("state", "in", "履行状态，取其一即可。")
    kind: list[ObligationKind] | None = condition("kind", "in", "履行内容的类型，取其一即可。")
    due_from: Day | None = condition("due_on", "from", "履行期限不早于。")
    due_to: Day | None = condition("due_on", "to", "履行期限不晚于。")
    overdue: bool | None = condition("overdue", "flag", "true 只取逾期未履行的，false 只取其余的。")
    remind_today: bool | None = condition("remind_today", "flag", "true 只取今日应提醒双方的，false 只取其余的。")
    watch: bool | None = condition("watched", "flag", "true 只取须关注的：生效协议中尚未履行完毕的；false 只取其余的。")
    amount_min: Money | None = condition("amount", "from", "金额不低于。")
    amount_max: Money | None = condition("amount", "to", "金额不高于。")
    area_code: str | None = condition("area", "area", "纠纷发生地的区划代码（6、9、12 或 15 位），含其下级。")


@code_enum("协议义务的排序字段。")
class ObligationOrderField(Enum):
    DUE_ON = "履行期限"
    AMOUNT = "金额"


@strawberry.input(description="协议义务的排序。")
class ObligationOrder:
    field: ObligationOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("协议义务：协议约定由一方当事人履行的一项。")
class Obligation(Node):
    kind: ObligationKind | None = field("履行内容的类型。")
    content: str | None = field()
    amount: Money | None = field("金额，元；不涉及金额的为 null。")
    place: str | None = field()
    manner: str | None = field()
    due_on: Day | None = field()
    state: ObligationState | None = field()
    overdue: bool | None = field("是否逾期：待履行或部分履行而期限已过。")
    remind_today: bool | None = field("今日是否应提醒双方：未履行完毕，且距履行期限三天、当天或已过一天。")
    watched: bool | None = field("是否须关注：协议已生效而尚未履行完毕，须跟踪督促。")
    performed_on: Day | None = field("履行完毕日期；未履行完毕的为 null。")
    dispute = to_one("dispute", "Dispute", "所属纠纷。")
    agreement = to_one("agreement", "Agreement", "所属协议。")
    party = to_one("party", "Party", "义务人。")
    performances = to_many("obligation", "Performance", "履行记录，含督促。")


@code_enum("履行记录的类型。", PERFORMANCE_KINDS)
class PerformanceKind(Enum):
    PERFORM = "履行"
    PARTLY_PERFORM = "部分履行"
    RELEASE = "免除"
    EXCUSE = "不能履行"
    ENFORCE = "强制执行"
    URGE = "督促"


@code_enum("不能履行的原因。", EXCUSE_GROUNDS)
class ExcuseGround(Enum):
    FORCE_MAJEURE = "不可抗力"
    IMPOSSIBLE_IN_LAW = "法律上不能履行"
    IMPOSSIBLE_IN_FACT = "事实上不能履行"
    DEBTOR_GONE = "义务人死亡或终止，没有财产可供履行"


@node("履行记录：一次履行、部分履行、免除、不能履行、强制执行或督促。")
class Performance(Node):
    kind: PerformanceKind | None = field("类型。")
    ground: ExcuseGround | None = field("不能履行的原因；其余的为 null。")
    occurred_on: Day | None = field()
    recorded_at: Instant | None = field()
    amount: Money | None = field("本次金额，元；不涉及金额的为 null。")
    evidence: str | None = field()
    both_confirmed: str | None = field()
    method: FollowUpMethod | None = field("督促方式；不是督促的为 null。")
    result: str | None = field("督促的结果；不是督促的为 null。")
    dispute = to_one("dispute", "Dispute", "所属纠纷。")
    obligation = to_one("obligation", "Obligation", "所履行的义务。")
    party = to_one("party", "Party", "被督促的当事人；不是督促的为 null。")
