"""Events: what happened to what, who did it, under which policy version. Insert-only for the application's role."""

from sqlalchemy import JSON, Computed, ForeignKey, Index, Integer, Table, Text, Uuid

from db.tables.column import Instant, column, identity, internal, metadata

# Whole days from the fact to its record.
LATE_DAYS = "CASE WHEN happened_at IS NOT NULL THEN greatest(0, floor(extract(epoch FROM at - happened_at) / 86400)::integer) END"

event = Table(
    "event",
    metadata,
    identity(),
    internal("dispute_id", Uuid, "纠纷", ForeignKey("dispute.id"), nullable=True),
    internal("actor_id", Uuid, "操作人", ForeignKey("person.id"), nullable=True, index=True),
    column("at", Instant, "audit", "记录时间"),
    column("happened_at", Instant, "audit", "发生时间", nullable=True),
    column(
        "late_days",
        Integer,
        "audit",
        "迟记的日数：发生与记录相隔的日数",
        Computed(LATE_DAYS, persisted=False),
        nullable=True,
    ),
    column("late_reason", Text, "audit", "迟记的原因，由记录人写明", nullable=True, form="shared"),
    column("action", Text, "audit", "操作，如 dispute.accept", form="code"),
    column("resource", Text, "audit", "对象类型", form="code"),
    internal("resource_id", Uuid, "对象标识"),
    internal("dispute_version", Integer, "操作后的纠纷版本", nullable=True),
    column("from_state", Text, "audit", "操作前状态", nullable=True, form="code"),
    column("to_state", Text, "audit", "操作后状态", nullable=True, form="code"),
    column("fields", Text, "audit", "涉及的字段名（不含值）", nullable=True, form="code"),
    column("reason", Text, "audit", "理由", nullable=True, form="shared"),
    column("policy_version", Integer, "audit", "策略版本", nullable=True),
    column("request_id", Text, "audit", "请求编号", nullable=True, form="code"),
    # Values before and after; read only through a projection that asks the viewer's grant for each field.
    internal("changes", JSON, "变更内容", nullable=True),
    Index("ix_event_dispute_id", "dispute_id", "at"),
    comment="事件",
)
Index("ix_event_at", event.c.at.desc(), event.c.id.desc())
