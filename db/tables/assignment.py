"""Who mediates: assignments of mediators to disputes, exactly one of them in the lead."""

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Table, Uuid, text

from db.tables.column import Codes, Instant, code, column, identity, internal, metadata, one_of

ASSIGNMENT_MODES = Codes(("APPOINTED", "PARTY_CHOSEN"))

assignment = Table(
    "assignment",
    metadata,
    identity(),
    internal("dispute_id", Uuid, "纠纷"),
    # The dispute's sort key, kept equal by the foreign key, so that an index scan gives one person's disputes in page order.
    internal("dispute_registered_at", Instant, "纠纷登记时间"),
    internal("person_id", Uuid, "调解员", ForeignKey("mediator.person_id")),
    column("is_lead", Boolean, "public", "是否主持调解"),
    code("mode", ASSIGNMENT_MODES, "产生方式：指定或当事人选择"),
    column("assigned_at", Instant, "public", "指派时间"),
    column("ended_at", Instant, "public", "结束时间", nullable=True),
    one_of("mode", ASSIGNMENT_MODES),
    CheckConstraint("ended_at IS NULL OR ended_at >= assigned_at", name="dates"),
    ForeignKeyConstraint(
        ["dispute_id", "dispute_registered_at"], ["dispute.id", "dispute.registered_at"], onupdate="CASCADE"
    ),
    # 人民调解工作若干规定 Art. 26: one mediator presides.
    Index("uq_assignment_lead", "dispute_id", unique=True, postgresql_where=text("is_lead AND ended_at IS NULL")),
    Index("uq_assignment_active", "dispute_id", "person_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    Index("ix_assignment_dispute_id", "dispute_id"),
    comment="调解员指派",
)
Index(
    "ix_assignment_person",
    assignment.c.person_id,
    assignment.c.dispute_registered_at.desc(),
    assignment.c.dispute_id.desc(),
    postgresql_where=text("ended_at IS NULL"),
)
