"""What goes to another organization about one dispute, and its answer."""

from enum import Enum

import strawberry

from db.tables.referral import REFERRAL_KINDS, REFERRAL_STATES
from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_one
from schema.scalars import Day, Instant


@code_enum("移送与邀请的类型。", REFERRAL_KINDS)
class ReferralKind(Enum):
    INVITATION = "邀请联动调解"
    RISK_REPORT = "风险报告"
    COURT_REFERRAL = "移送法庭"
    CONFIRMATION = "司法确认"
    LEAD = "线索"
    TRANSFER = "转办"


@code_enum("移送与邀请的状态。", REFERRAL_STATES)
class ReferralState(Enum):
    SENT = "已送出"
    TAKEN = "已接收"
    RETURNED = "已退回"
    DONE = "已办结"
    WITHDRAWN = "已撤回"


@strawberry.input(description="移送与邀请的筛选条件。日期均按北京时间，起止两端都含当日。")
class ReferralFilter:
    kind: list[ReferralKind] | None = condition("kind", "in", "类型，取其一即可。")
    state: list[ReferralState] | None = condition("state", "in", "状态，取其一即可。")
    organization_id: strawberry.ID | None = condition("organization", "is", "送往单位的全局标识。")
    sent_from: Day | None = condition("sent_at", "from_day", "送出日不早于。")
    sent_to: Day | None = condition("sent_at", "to_day", "送出日不晚于。")


@code_enum("移送与邀请的排序字段。")
class ReferralOrderField(Enum):
    SENT_AT = "送出时间"


@strawberry.input(description="移送与邀请的排序。")
class ReferralOrder:
    field: ReferralOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("移送与邀请：就一件纠纷送给另一单位的一份；未撤回的，使该单位得以看到这一件。")
class Referral(Node):
    kind: ReferralKind | None = field("类型。")
    state: ReferralState | None = field()
    sent_at: Instant | None = field()
    answered_at: Instant | None = field("答复时间；未答复的为 null。")
    reason: str | None = field()
    reply: str | None = field()
    dispute = to_one("dispute", "Dispute", "所涉纠纷。")
    organization = to_one("organization", "Organization", "送往单位。")
    from_organization = to_one("organization", "Organization", "送出单位；由系统送出的为 null。")
