"""Areas by division code (GB/T 2260 and its extensions): county 6, town 9, community 12, grid 15 digits, as text."""

from sqlalchemy import CheckConstraint, ForeignKey, Table, Text

from db.tables.column import Codes, code, column, identity, internal, metadata, one_of

LEVELS = Codes(("COUNTY", "TOWN", "COMMUNITY", "GRID"))

area = Table(
    "area",
    metadata,
    identity(),
    column("code", Text, "public", "区划代码", unique=True, form="area_code"),
    column("name", Text, "public", "名称", form="name"),
    code("level", LEVELS, "层级"),
    internal("parent_code", Text, "上级区划代码", ForeignKey("area.code"), nullable=True, index=True),
    one_of("level", LEVELS),
    CheckConstraint(
        "code ~ '^[0-9]+$' AND length(code) = CASE level WHEN 'COUNTY' THEN 6 WHEN 'TOWN' THEN 9 WHEN 'COMMUNITY' THEN 12 ELSE 15 END",
        name="code_length",
    ),
    CheckConstraint("parent_code IS NULL OR starts_with(code, parent_code)", name="parent_prefix"),
    comment="区划",
)
