"""Escalations of a dispute between tiers, recusals of its mediators, and opinions on it."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Table, Text, Uuid, text

from db.tables.column import Codes, Instant, code, column, identity, internal, metadata, one_of
from db.tables.dispute import TIERS
from db.tables.part import of_dispute, within

ESCALATION_STATES = Codes(("SENT", "TAKEN", "RETURNED"))
RECUSAL_KINDS = Codes(("DISCLOSURE", "REQUEST"))

escalation = Table(
    "escalation",
    metadata,
    identity(),
    of_dispute(),
    code("from_tier", TIERS, "原层级"),
    code("to_tier", TIERS, "报送至"),
    code("state", ESCALATION_STATES, "状态：已报送、已接收、已退回", server_default=text("'SENT'")),
    internal("organization_id", Uuid, "接收单位", ForeignKey("organization.id"), index=True),
    column("reason", Text, "narrative", "报送原因", form="shared"),
    column("handover", Text, "narrative", "交接摘要", form="shared"),
    column("sent_at", Instant, "public", "报送时间"),
    column("answered_at", Instant, "public", "接收或退回时间", nullable=True),
    column("answer", Text, "narrative", "退回理由或接收说明", nullable=True, form="shared"),
    one_of("from_tier", TIERS),
    one_of("to_tier", TIERS),
    one_of("state", ESCALATION_STATES),
    CheckConstraint("answered_at >= sent_at", name="dates"),
    CheckConstraint("(state = 'SENT') = (answered_at IS NULL)", name="answered"),
    # At most one waits for its answer.
    Index("uq_escalation_waiting", "dispute_id", unique=True, postgresql_where=text("state = 'SENT'")),
    comment="层级移交",
)

# 人民调解工作若干规定 Art. 26; 最高人民法院关于人民法院特邀调解的规定 Art. 15.
recusal = Table(
    "recusal",
    metadata,
    identity(),
    of_dispute(),
    code("kind", RECUSAL_KINDS, "类型：本人披露、当事人要求"),
    internal("person_id", Uuid, "调解员", ForeignKey("person.id")),
    internal("party_id", Uuid, "提出的当事人", nullable=True),
    column("ground", Text, "narrative", "事由", form="shared"),
    column("occurred_at", Instant, "public", "提出时间"),
    internal("replacement_id", Uuid, "接替的调解员", ForeignKey("person.id"), nullable=True),
    one_of("kind", RECUSAL_KINDS),
    within("party_id", "party"),
    comment="披露与回避",
)

opinion = Table(
    "opinion",
    metadata,
    identity(),
    of_dispute(),
    internal("author_id", Uuid, "出具人", ForeignKey("person.id"), index=True),
    internal("organization_id", Uuid, "出具单位", ForeignKey("organization.id"), nullable=True),
    column("text", Text, "narrative", "意见", form="shared"),
    column("given_at", Instant, "public", "出具时间"),
    comment="意见",
)
