"""Obligations of an agreement and every step of their performance."""

from sqlalchemy import CheckConstraint, Date, Index, Table, Text, UniqueConstraint, Uuid, text

from db.tables.column import Codes, Instant, Money, code, column, identity, internal, metadata, one_of, sql_list
from db.tables.follow_up import FOLLOW_UP_METHODS
from db.tables.part import of_dispute, within

OBLIGATION_KINDS = Codes(("PAY", "REFUND", "REPAIR", "RESTORE", "SERVICE", "APOLOGISE", "OTHER"))
OBLIGATION_STATES = Codes(
    (
        "DRAFT",
        "PENDING",
        "PARTLY_PERFORMED",
        "PERFORMED",
        "RELEASED",
        "EXCUSED",
        "DEFAULTED",
        "VARIED",
        "RESCINDED",
        "SUED",
        "ENFORCED",
    )
)
# Something is still to be performed; and it is not decided yet what becomes of it.
OWED_STATES = ("PENDING", "PARTLY_PERFORMED")
UNSETTLED_STATES = (*OWED_STATES, "SUED")
# Performed in full, voluntarily or by enforcement: the only states with a `performed_on`.
PERFORMED_STATES = ("PERFORMED", "ENFORCED")
PERFORMANCE_KINDS = Codes(("PERFORM", "PARTLY_PERFORM", "RELEASE", "EXCUSE", "ENFORCE", "URGE"))
# Why something cannot be performed. That somebody does not want to is no ground.
EXCUSE_GROUNDS = Codes(("FORCE_MAJEURE", "IMPOSSIBLE_IN_LAW", "IMPOSSIBLE_IN_FACT", "DEBTOR_GONE"))
# The kinds that perform something, and so need a proof and count towards the amount.
PERFORMING_KINDS = ("PERFORM", "PARTLY_PERFORM")

obligation = Table(
    "obligation",
    metadata,
    identity(),
    of_dispute(),
    internal("agreement_id", Uuid, "协议", index=True),
    internal("party_id", Uuid, "义务人", index=True),
    code("kind", OBLIGATION_KINDS, "履行内容类型"),
    column("content", Text, "terms", "履行内容", form="document"),
    column("amount", Money, "money", "金额，元", nullable=True),
    column("place", Text, "terms", "履行地点", nullable=True, form="document"),
    column("manner", Text, "terms", "履行方式", nullable=True, form="document"),
    column("due_on", Date, "public", "履行期限"),
    code("state", OBLIGATION_STATES, "履行状态"),
    column("performed_on", Date, "public", "履行完毕日期", nullable=True),
    one_of("kind", OBLIGATION_KINDS),
    one_of("state", OBLIGATION_STATES),
    CheckConstraint("amount >= 0", name="amount"),
    CheckConstraint(f"(state IN ({sql_list(PERFORMED_STATES)})) = (performed_on IS NOT NULL)", name="performed"),
    within("agreement_id", "agreement"),
    within("party_id", "party"),
    UniqueConstraint("id", "dispute_id"),
    Index("ix_obligation_due_on", "due_on", "id"),
    Index("ix_obligation_state", "state", "due_on", "id"),
    Index("ix_obligation_kind", "kind", "due_on", "id"),
    Index("ix_obligation_amount", "amount", "id"),
    Index("ix_obligation_owing", "due_on", "id", postgresql_where=text(f"state IN ({sql_list(OWED_STATES)})")),
    comment="协议义务",
)

performance = Table(
    "performance",
    metadata,
    identity(),
    of_dispute(),
    internal("obligation_id", Uuid, "义务", index=True),
    code("kind", PERFORMANCE_KINDS, "类型：履行、部分履行、免除、不能履行、强制执行、督促"),
    code("ground", EXCUSE_GROUNDS, "不能履行的原因", field_class="narrative", nullable=True),
    column("occurred_on", Date, "public", "发生日期"),
    column("recorded_at", Instant, "public", "记录时间"),
    column("amount", Money, "money", "金额，元", nullable=True),
    column("evidence", Text, "narrative", "凭证", nullable=True, form="shared"),
    column("both_confirmed", Text, "narrative", "双方确认的说明", nullable=True, form="shared"),
    internal("party_id", Uuid, "被督促的当事人", nullable=True, index=True),
    code("method", FOLLOW_UP_METHODS, "督促方式", nullable=True),
    column("result", Text, "narrative", "督促的结果", nullable=True, form="shared"),
    one_of("kind", PERFORMANCE_KINDS),
    one_of("ground", EXCUSE_GROUNDS),
    one_of("method", FOLLOW_UP_METHODS),
    CheckConstraint("amount >= 0", name="amount"),
    CheckConstraint(
        f"kind NOT IN ({sql_list(PERFORMING_KINDS)}) OR coalesce(evidence, both_confirmed) IS NOT NULL", name="proof"
    ),
    within("obligation_id", "obligation"),
    within("party_id", "party"),
    comment="履行记录",
)
