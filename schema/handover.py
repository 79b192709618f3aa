"""How a dispute changes hands: escalations between tiers, disclosures and recusals, and opinions given to it."""

from enum import Enum

from db.tables.handover import ESCALATION_STATES, RECUSAL_KINDS
from schema.dispute import DisputeTier
from schema.node import Node, code_enum, node, one, word
from schema.scalars import Instant


@code_enum("层级移交的状态。", ESCALATION_STATES)
class EscalationState(Enum):
    SENT = "已上交，待接收"
    TAKEN = "已接收"
    RETURNED = "已退回"


@code_enum("披露与回避的类型。", RECUSAL_KINDS)
class RecusalKind(Enum):
    DISCLOSURE = "调解员本人披露"
    REQUEST = "当事人要求回避"


@node("层级移交：一件纠纷上交到上一层级，由其接收或退回。")
class Escalation(Node):
    from_tier: DisputeTier | None = word("原层级。")
    to_tier: DisputeTier | None = word("上交至的层级。")
    state: EscalationState | None = word("状态。")
    reason: str | None = word("上交原因。")
    handover: str | None = word("交接摘要。")
    sent_at: Instant | None = word("上交时间。")
    answered_at: Instant | None = word("接收或退回的时间；待答复的为 null。")
    answer: str | None = word("退回理由或接收说明。")
    dispute = one("dispute", "Dispute", "所移交的纠纷。")
    organization = one("organization", "Organization", "接收单位。")


@node("披露与回避：调解员与纠纷有利害关系，或当事人要求其回避。")
class Recusal(Node):
    kind: RecusalKind | None = word("类型。")
    ground: str | None = word("事由。")
    occurred_at: Instant | None = word("提出时间。")
    dispute = one("dispute", "Dispute", "所属纠纷。")
    mediator = one("person", "Mediator", "披露或被要求回避的调解员。")
    party = one("party", "Party", "提出的当事人；调解员本人披露的为 null。")
    replacement = one("person", "Mediator", "接替的调解员；没有更换的为 null。")


@node("意见：法律顾问、派出所等就一件纠纷出具的意见。")
class Opinion(Node):
    text: str | None = word("意见。")
    given_at: Instant | None = word("出具时间。")
    dispute = one("dispute", "Dispute", "所属纠纷。")
    author = one("person", "Person", "出具人。")
    organization = one("organization", "Organization", "出具单位；以个人身份出具的为 null。")
