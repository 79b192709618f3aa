"""What decides access beside the policy: tokens (hashed), and the epoch that every change of rights increments."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, LargeBinary, Table, Text, Uuid, text

from db.tables.column import Instant, identity, internal, metadata

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

# One row. Incremented by triggers in the transaction of any change to tokens, people, appointments, mediators, team members or the
# live policy; every read returns it beside the data, so that no data is answered under rights that have ended.
access_epoch = Table(
    "access_epoch",
    metadata,
    internal("id", Integer, "恒为一", primary_key=True, autoincrement=False),
    internal("epoch", BigInteger, "纪元"),
    CheckConstraint("id = 1", name="single"),
    comment="访问权纪元",
)
