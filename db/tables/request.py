"""What makes writes safe to repeat: one row for each idempotency key, and the counters that allot case numbers without gaps."""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from db.tables.column import Instant, identity, internal, metadata

request = Table(
    "request",
    metadata,
    identity(),
    internal("person_id", Uuid, "提交人", ForeignKey("person.id")),
    internal("key", Text, "幂等键"),
    internal("command", Text, "命令，如 dispute.accept"),
    internal("digest", LargeBinary, "输入的带密钥散列，用于识别同键不同内容"),
    internal("receipt", JSON, "已给出的回执", nullable=True),
    internal("created_at", Instant, "首次提交时间", server_default=text("now()")),
    Index("uq_request_key", "person_id", "key", unique=True),
    Index("ix_request_created_at", "created_at"),
    comment="写请求",
)

# Locked by the transaction that takes a number: a number that is rolled back is used again, and none is left out.
case_counter = Table(
    "case_counter",
    metadata,
    internal("committee_id", Uuid, "调解委员会", ForeignKey("organization.id")),
    internal("year", Integer, "年度"),
    internal("last", Integer, "已用的最大序号"),
    PrimaryKeyConstraint("committee_id", "year"),
    CheckConstraint("last >= 0", name="last"),
    comment="卷号计数",
)
