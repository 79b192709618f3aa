"""Follow-up visits (回访): due after performance, done with a result and the party's satisfaction."""

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, Table, Text, Uuid, text

from db.tables.column import Codes, code, column, identity, internal, metadata, one_of
from db.tables.part import of_dispute

FOLLOW_UP_METHODS = Codes(("VISIT", "PHONE", "VIDEO", "MESSAGE", "MEETING"))
FOLLOW_UP_RESULTS = Codes(("NORMAL", "REBOUND_SIGNS", "REBOUNDED", "NOT_PERFORMED", "UNREACHABLE"))
# Somebody was reached, and says that the agreement is performed: only such a visit lets a dispute be closed, and counts.
REACHED_RESULTS = ("NORMAL", "REBOUND_SIGNS", "REBOUNDED")

follow_up = Table(
    "follow_up",
    metadata,
    identity(),
    of_dispute(),
    internal("visitor_id", Uuid, "回访人", ForeignKey("person.id"), nullable=True, index=True),
    column("due_on", Date, "public", "应回访日期"),
    column("done_at", Date, "public", "实际回访日期", nullable=True),
    code("method", FOLLOW_UP_METHODS, "方式", nullable=True),
    code("result", FOLLOW_UP_RESULTS, "结果", field_class="status", nullable=True),
    column("satisfaction", Integer, "status", "满意度：5非常满意 4满意 3基本满意 2不满意 1非常不满意", nullable=True),
    column("remark", Text, "narrative", "回访情况", nullable=True, form="shared"),
    one_of("method", FOLLOW_UP_METHODS),
    one_of("result", FOLLOW_UP_RESULTS),
    CheckConstraint("satisfaction BETWEEN 1 AND 5", name="satisfaction"),
    CheckConstraint("(done_at IS NULL) = (result IS NULL) AND (done_at IS NULL) = (method IS NULL)", name="done"),
    Index("ix_follow_up_due_on", "due_on", "id"),
    Index("ix_follow_up_result", "result", "due_on", "id"),
    Index("ix_follow_up_method", "method", "due_on", "id"),
    # `ix_follow_up_owing` scans those that are still to be made, by the day on which they are due.
    Index("ix_follow_up_done_at", "done_at", "id", postgresql_where=text("done_at IS NOT NULL")),
    Index("ix_follow_up_satisfaction", "satisfaction", "id"),
    Index("ix_follow_up_owing", "due_on", "id", postgresql_where=text("done_at IS NULL")),
    comment="回访",
)
