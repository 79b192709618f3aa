"""Handovers of a dispute: escalations between tiers, disclosures and recusals, and opinions on it."""

from enum import Enum

from db.tables.handover import ESCALATION_STATES, RECUSAL_KINDS
from schema.dispute import DisputeTier
from schema.node import Node, code_enum, field, node, to_one
from schema.scalars import Instant


@code_enum("层级移交的状态。", ESCALATION_STATES)
class EscalationState(Enum):
    SENT = "已报送，待接收"
    TAKEN = "已接收"
    RETURNED = "已退回"


@code_enum("披露与回避的类型。", RECUSAL_KINDS)
class RecusalKind(Enum):
    DISCLOSURE = "调解员本人披露"
    REQUEST = "当事人要求回避"


@node("层级移交：一件纠纷报送到上一层级，由其接收或退回。")
class Escalation(Node):
    from_tier: DisputeTier | None = field()
    to_tier: DisputeTier | None = field("报送至的层级。")
    state: EscalationState | None = field("状态。")
    reason: str | None = field()
    handover: str | None = field()
    sent_at: Instant | None = field()
    answered_at: Instant | None = field("接收或退回的时间；待答复的为 null。")
    answer: str | None = field()
    dispute = to_one("dispute", "Dispute", "所移交的纠纷。")
    organization = to_one("organization", "Organization", "接收单位。")


@node("披露与回避：调解员与纠纷有利害关系，或当事人要求其回避。")
class Recusal(Node):
    kind: RecusalKind | None = field("类型。")
    ground: str | None = field()
    occurred_at: Instant | None = field()
    dispute = to_one("dispute", "Dispute", "所属纠纷。")
    mediator = to_one("person", "Mediator", "披露或被要求回避的调解员。")
    party = to_one("party", "Party", "提出的当事人；调解员本人披露的为 null。")
    replacement = to_one("person", "Mediator", "接替的调解员；没有更换的为 null。")


@node("意见：法律顾问、派出所等就一件纠纷出具的意见。")
class Opinion(Node):
    text: str | None = field()
    given_at: Instant | None = field()
    dispute = to_one("dispute", "Dispute", "所属纠纷。")
    author = to_one("person", "Person", "出具人。")
    organization = to_one("organization", "Organization", "出具单位；以个人身份出具的为 null。")
