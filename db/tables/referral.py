"""Referrals to another organization: invitations, risk reports, court business, leads and transfers. Each opens that one dispute to it."""

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from db.tables.column import Codes, Instant, code, column, identity, internal, metadata, one_of

REFERRAL_KINDS = Codes(("INVITATION", "RISK_REPORT", "COURT_REFERRAL", "CONFIRMATION", "LEAD", "TRANSFER"))
REFERRAL_STATES = Codes(("SENT", "TAKEN", "RETURNED", "DONE", "WITHDRAWN"))
# The receiver may still answer: done or returned.
UNANSWERED_STATES = ("SENT", "TAKEN")

referral = Table(
    "referral",
    metadata,
    identity(),
    internal("dispute_id", Uuid, "纠纷"),
    internal("dispute_registered_at", Instant, "纠纷登记时间"),
    internal("organization_id", Uuid, "送往单位", ForeignKey("organization.id")),
    internal("from_organization_id", Uuid, "送出单位", ForeignKey("organization.id"), nullable=True),
    code("kind", REFERRAL_KINDS, "类型：邀请联动、风险报告、移送法庭、司法确认、线索、转办"),
    code("state", REFERRAL_STATES, "状态"),
    column("sent_at", Instant, "public", "送出时间"),
    column("answered_at", Instant, "public", "答复时间", nullable=True),
    column("reason", Text, "status", "事由，不含个人信息", form="shared"),
    column("reply", Text, "reply", "答复内容", nullable=True, form="shared"),
    one_of("kind", REFERRAL_KINDS),
    one_of("state", REFERRAL_STATES),
    CheckConstraint("answered_at >= sent_at", name="dates"),
    ForeignKeyConstraint(
        ["dispute_id", "dispute_registered_at"], ["dispute.id", "dispute.registered_at"], onupdate="CASCADE"
    ),
    UniqueConstraint("dispute_id", "organization_id", "kind"),
    Index("ix_referral_dispute_id", "dispute_id"),
    comment="移送与邀请",
)
# A withdrawn referral opens nothing.
Index(
    "ix_referral_organization",
    referral.c.organization_id,
    referral.c.dispute_registered_at.desc(),
    referral.c.dispute_id.desc(),
    postgresql_where=text("state <> 'WITHDRAWN'"),
)
# The few referrals that ask a court to confirm.
Index(
    "ix_referral_confirming",
    referral.c.organization_id,
    referral.c.dispute_registered_at.desc(),
    referral.c.dispute_id.desc(),
    postgresql_where=text("kind = 'CONFIRMATION' AND state <> 'WITHDRAWN'"),
)
# The list of referrals: of the county, and of the organization that they were sent to.
Index("ix_referral_sent_at", referral.c.sent_at.desc(), referral.c.id.desc())
Index("ix_referral_organization_sent_at", referral.c.organization_id, referral.c.sent_at.desc(), referral.c.id.desc())
