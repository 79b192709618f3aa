"""Work in the grids: inspections (排查, zero finds count), visits, and the factors that may affect performance."""

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, Table, Text, Uuid, text

from db.tables.column import Codes, Instant, code, column, identity, internal, metadata, one_of
from db.tables.part import of_dispute

VISIT_KINDS = Codes(("INSPECTION", "PUBLICITY", "HOME_VISIT"))
FACTOR_KINDS = Codes(("UNEMPLOYMENT", "ILLNESS", "SALE", "COMPANY_CHANGE", "FAMILY", "DISSATISFACTION", "OTHER"))
SEVERITIES = Codes(("LOW", "MEDIUM", "HIGH"))

inspection = Table(
    "inspection",
    metadata,
    identity(),
    internal("grid_code", Text, "网格", ForeignKey("area.code"), index=True),
    internal("person_id", Uuid, "排查人", ForeignKey("person.id"), index=True),
    column("inspected_on", Date, "public", "排查日期"),
    column("found_count", Integer, "public", "发现的纠纷数，零报告也计入"),
    column("note", Text, "public", "情况说明，不含个人信息", nullable=True, form="shared"),
    # Rows from before a grid could be inspected only once a day.
    internal("repeated", Boolean, "同一网格同日重复登记的旧记录", server_default=text("false")),
    CheckConstraint("found_count >= 0", name="found_count"),
    Index("uq_inspection_day", "grid_code", "inspected_on", unique=True, postgresql_where=text("NOT repeated")),
    Index("ix_inspection_inspected_on", "inspected_on", "id"),
    comment="排查",
)

visit = Table(
    "visit",
    metadata,
    identity(),
    of_dispute(),
    code("kind", VISIT_KINDS, "类型：排查、法治宣传、入户走访"),
    internal("visitor_id", Uuid, "走访人", ForeignKey("person.id"), index=True),
    column("visited_at", Instant, "public", "走访时间"),
    column("note", Text, "note", "情况", form="shared"),
    one_of("kind", VISIT_KINDS),
    comment="走访",
)

factor = Table(
    "factor",
    metadata,
    identity(),
    of_dispute(),
    internal("author_id", Uuid, "记录人", ForeignKey("person.id"), index=True),
    code("kind", FACTOR_KINDS, "影响履行的因素", field_class="narrative"),
    code("severity", SEVERITIES, "程度", field_class="status"),
    column("suggestion", Text, "narrative", "建议", form="shared"),
    column("noted_at", Instant, "public", "发现时间"),
    one_of("kind", FACTOR_KINDS),
    one_of("severity", SEVERITIES),
    comment="影响履行的因素",
)
