"""Organizations that take part: bureau, justice offices, committees, centres, squad, police, court and agencies."""

from sqlalchemy import ForeignKey, Table, Text, Uuid

from db.tables.column import Codes, code, column, identity, internal, metadata, one_of

ORGANIZATION_KINDS = Codes((
    "BUREAU", "JUSTICE_OFFICE", "COMMITTEE", "CENTRE", "SQUAD", "POLICE_STATION", "GOVERNANCE_CENTRE", "COURT",
    "PETITION_OFFICE", "HOTLINE_OFFICE", "HOUSING_DEPARTMENT",
))  # fmt: skip

organization = Table(
    "organization",
    metadata,
    identity(),
    code("kind", ORGANIZATION_KINDS, "机构类型"),
    column("name", Text, "public", "机构名称", unique=True, form="name"),
    column("short_name", Text, "public", "简称，用于编卷号", nullable=True, form="name"),
    column("phone", Text, "staff", "办公电话", nullable=True, mask="phone", form="phone"),
    internal("area_code", Text, "辖区代码", ForeignKey("area.code"), index=True),
    internal("parent_id", Uuid, "上级机构", ForeignKey("organization.id"), nullable=True, index=True),
    one_of("kind", ORGANIZATION_KINDS),
    comment="机构",
)
