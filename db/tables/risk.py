"""Risk: assessments of a dispute, alerts with their state, and the rules that open them as data."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from db.tables.column import Codes, Instant, code, column, identity, internal, metadata, one_of
from db.tables.dispute import RISK_LEVELS
from db.tables.part import of_dispute

ALERT_STATES = Codes(("OPEN", "HANDLING", "CLOSED"))
ALERT_LEVELS = Codes(("REMINDER", "YELLOW", "ORANGE", "RED"))
# Orange and above: an alert whose deadline is long over is raised to orange, unless it is there already.
FROM_ORANGE_LEVELS = ("ORANGE", "RED")
ALERT_RULES = Codes((
    "UTILITY_CUTOFF", "HIGH_RISK", "MONTH_OVERDUE", "OBLIGATION_OVERDUE", "CONFIRMATION_WINDOW", "DISSATISFIED",
    "COMPOUND_CLUSTER", "COMPANY_CLUSTER", "REPEAT_PARTY", "PERFORMANCE_FACTOR",
))  # fmt: skip

assessment = Table(
    "assessment",
    metadata,
    identity(),
    of_dispute(),
    internal("assessor_id", Uuid, "评估人", ForeignKey("person.id")),
    code("level", RISK_LEVELS, "风险等级", field_class="status"),
    column("assessed_at", Instant, "public", "评估时间"),
    column("reason", Text, "narrative", "依据；高风险而不报送派出所的，写明理由", form="shared"),
    column("reported", Boolean, "status", "是否已报送派出所", server_default=text("false")),
    one_of("level", RISK_LEVELS),
    comment="风险评估",
)

alert_rule = Table(
    "alert_rule",
    metadata,
    identity(),
    code("rule", ALERT_RULES, "规则", unique=True),
    column("label", Text, "public", "名称", form="name"),
    code("level", ALERT_LEVELS, "级别"),
    column("legal_basis", Text, "public", "法律依据与处置建议", nullable=True, form="shared"),
    # Numbers that the rule compares with: {"count": 3, "days": 30}, {"days": 7} ...
    internal("parameters", JSON, "参数", server_default=text("'{}'")),
    column("enabled", Boolean, "public", "是否启用", server_default=text("true")),
    one_of("rule", ALERT_RULES),
    one_of("level", ALERT_LEVELS),
    comment="预警规则",
)

alert = Table(
    "alert",
    metadata,
    identity(),
    # The dispute that it is about; a cluster is about a compound or a company and names its latest dispute.
    of_dispute(),
    internal("compound_id", Uuid, "小区", ForeignKey("compound.id"), nullable=True, index=True),
    internal("company_id", Uuid, "物业企业", ForeignKey("company.id"), nullable=True, index=True),
    # What it is about within the rule: one open alert for one subject.
    internal("subject", Text, "对象"),
    code("rule", ALERT_RULES, "规则"),
    code("level", ALERT_LEVELS, "级别"),
    code("state", ALERT_STATES, "状态：待处置、处置中、已关闭", server_default=text("'OPEN'")),
    column("message", Text, "status", "预警内容，不含个人信息", form="shared"),
    column("opened_at", Instant, "public", "产生时间"),
    column("due_on", Date, "public", "应处置日期", nullable=True),
    internal("handler_id", Uuid, "处置人", ForeignKey("person.id"), nullable=True),
    column("note", Text, "status", "处置说明", nullable=True, form="shared"),
    column("closed_at", Instant, "public", "关闭时间", nullable=True),
    one_of("rule", ALERT_RULES),
    one_of("level", ALERT_LEVELS),
    one_of("state", ALERT_STATES),
    # S30: never closed without a note on what was done.
    CheckConstraint(
        "(state = 'CLOSED') = (closed_at IS NOT NULL) AND (state <> 'CLOSED' OR note IS NOT NULL)", name="closed"
    ),
    Index("uq_alert_open", "rule", "subject", unique=True, postgresql_where=text("state <> 'CLOSED'")),
    Index("ix_alert_opened_at", "opened_at", "id"),
    UniqueConstraint("id", "dispute_id"),
    comment="预警",
)
