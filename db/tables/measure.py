"""Interim measures (应急先行措施): what was restored first, and how fast."""

from sqlalchemy import CheckConstraint, Computed, Numeric, Table, Text

from db.tables.column import Codes, Instant, code, column, identity, metadata, one_of
from db.tables.part import of_dispute

MEASURE_KINDS = Codes(("WATER", "POWER", "GAS", "HEAT", "ACCESS", "SAFETY"))

measure = Table(
    "measure",
    metadata,
    identity(),
    of_dispute(),
    code("kind", MEASURE_KINDS, "措施类型：恢复供水、供电、供气、供热、通行或安全"),
    column("requested_at", Instant, "public", "要求恢复的时间"),
    column("done_at", Instant, "public", "恢复时间", nullable=True),
    column(
        "hours_to_restore",
        Numeric(8, 1),
        "public",
        "恢复所用小时数",
        Computed("round(extract(epoch from done_at - requested_at) / 3600.0, 1)", persisted=True),
        nullable=True,
    ),
    column("agreed_by", Text, "narrative", "同意人", nullable=True, form="document"),
    column("evidence", Text, "narrative", "依据或凭证", nullable=True, form="shared"),
    one_of("kind", MEASURE_KINDS),
    CheckConstraint("done_at >= requested_at", name="dates"),
    comment="应急措施",
)
