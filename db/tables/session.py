"""Mediation sessions, the organizations present, and the notes with their circle of readers."""

from sqlalchemy import Boolean, ForeignKey, Table, Text, UniqueConstraint, Uuid

from db.tables.column import Codes, Instant, code, column, identity, internal, metadata, one_of
from db.tables.part import of_dispute, within

SESSION_RESULTS = Codes(("AGREED", "NOT_AGREED", "TO_CONTINUE"))
VISIBILITIES = Codes(("SHARED", "TEAM", "CAUCUS"))

session = Table(
    "session",
    metadata,
    identity(),
    of_dispute(),
    column("held_at", Instant, "public", "调解时间"),
    column("place", Text, "public", "调解地点", form="shared"),
    column("is_joint", Boolean, "public", "是否多部门联合调解"),
    code("result", SESSION_RESULTS, "结果：达成、未达成、有待继续", field_class="status", nullable=True),
    column("record", Text, "record", "调解笔录", nullable=True, form="document"),
    one_of("result", SESSION_RESULTS),
    UniqueConstraint("id", "dispute_id"),
    comment="调解（第几次）",
)

attendance = Table(
    "attendance",
    metadata,
    identity(),
    of_dispute(),
    internal("session_id", Uuid, "所属的一次调解", index=True),
    internal("organization_id", Uuid, "到场单位", ForeignKey("organization.id"), index=True),
    within("session_id", "session"),
    UniqueConstraint("session_id", "organization_id"),
    comment="到场单位",
)

note = Table(
    "note",
    metadata,
    identity(),
    of_dispute(),
    internal("session_id", Uuid, "所属的一次调解", nullable=True, index=True),
    internal("author_id", Uuid, "记录人", ForeignKey("person.id"), index=True),
    code("visibility", VISIBILITIES, "知悉范围：共同、办案团队、背对背"),
    column("recorded_at", Instant, "public", "记录时间"),
    column("text", Text, "note", "内容", form="shared"),
    one_of("visibility", VISIBILITIES),
    within("session_id", "session"),
    comment="工作记录，不入卷",
)
