"""What decides access: tokens (hashed), policy versions (immutable) and the epoch that every change of them bumps."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid, text

from db.tables.column import Instant, identity, internal, metadata, one_of

POLICY_STATES = ("DRAFT", "PUBLISHED", "RETIRED")

# SECURITY: a token is kept as a hash only; its prefix is shown in lists and logs.
token = Table(
    "token",
    metadata,
    identity(),
    internal("prefix", Text, "前缀", unique=True),
    internal("hash", LargeBinary, "令牌散列 SHA-256", unique=True),
    internal("person_id", Uuid, "持有人", ForeignKey("person.id"), index=True),
    internal(
        "appointment_id",
        Uuid,
        "限定的任职；空则为持有人的全部任职",
        ForeignKey("appointment.id"),
        nullable=True,
        index=True,
    ),
    internal("label", Text, "用途说明"),
    internal("created_at", Instant, "签发时间", server_default=text("now()")),
    internal("expires_at", Instant, "到期时间"),
    internal("revoked_at", Instant, "撤销时间", nullable=True),
    internal("last_used_at", Instant, "最近使用时间", nullable=True),
    comment="访问令牌",
)

policy_version = Table(
    "policy_version",
    metadata,
    internal("id", Integer, "版本号", primary_key=True),
    internal("text", Text, "策略全文"),
    internal("sha256", Text, "全文散列"),
    internal("state", Text, "状态"),
    internal("note", Text, "说明", nullable=True),
    internal("author_id", Uuid, "起草人", ForeignKey("person.id"), nullable=True),
    internal("approver_id", Uuid, "批准人", ForeignKey("person.id"), nullable=True),
    internal("created_at", Instant, "起草时间", server_default=text("now()")),
    internal("published_at", Instant, "发布时间", nullable=True),
    one_of("state", POLICY_STATES),
    CheckConstraint("(state = 'DRAFT') = (published_at IS NULL)", name="published"),
    CheckConstraint("sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex')", name="sha256"),
    # One policy is live at any time.
    Index("uq_policy_version_live", "state", unique=True, postgresql_where=text("state = 'PUBLISHED'")),
    comment="策略版本",
)

# One row. Bumped by triggers in the transaction of any change to tokens, people, appointments, mediators, team members or the
# live policy; every read returns it beside the data, so that no answer is given under rights that have ended.
access_epoch = Table(
    "access_epoch",
    metadata,
    internal("id", Integer, "恒为一", primary_key=True, autoincrement=False),
    internal("epoch", BigInteger, "纪元"),
    CheckConstraint("id = 1", name="single"),
    comment="访问权纪元",
)
