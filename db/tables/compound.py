"""Residential compounds (小区) and the property companies that serve them."""

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Integer, Table, Text, Uuid

from db.tables.column import column, identity, internal, metadata

company = Table(
    "company",
    metadata,
    identity(),
    column("name", Text, "public", "物业企业名称", unique=True, form="name"),
    column("credit_code", Text, "public", "统一社会信用代码", unique=True, form="credit_code"),
    column("phone", Text, "staff", "企业联系电话", nullable=True, mask="phone", form="phone"),
    comment="物业企业",
)

compound = Table(
    "compound",
    metadata,
    identity(),
    column("name", Text, "public", "小区名称", form="name"),
    column("address", Text, "public", "小区坐落", form="address"),
    column("households", Integer, "public", "户数"),
    internal("grid_code", Text, "所在网格代码", ForeignKey("area.code"), index=True),
    internal("town_code", Text, "所在镇街代码", Computed("left(grid_code, 9)", persisted=True), index=True),
    internal("company_id", Uuid, "物业企业", ForeignKey("company.id"), nullable=True, index=True),
    CheckConstraint("households >= 0", name="households"),
    CheckConstraint("length(grid_code) = 15", name="grid"),
    Index("ix_compound_name", "name", "id"),
    comment="小区",
)
