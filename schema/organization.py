"""Organizations that take part in mediation or are informed of it."""

from enum import Enum

import strawberry

from db.tables.organization import ORGANIZATION_KINDS
from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_many, to_one
from schema.page import connection


@code_enum("机构类型。", ORGANIZATION_KINDS)
class OrganizationKind(Enum):
    BUREAU = "县司法局"
    JUSTICE_OFFICE = "司法所"
    COMMITTEE = "人民调解委员会"
    CENTRE = "矛盾调解中心"
    SQUAD = "物业纠纷调解队"
    POLICE_STATION = "派出所"
    GOVERNANCE_CENTRE = "综治中心"
    COURT = "法庭"
    PETITION_OFFICE = "信访局"
    HOTLINE_OFFICE = "12345 热线办"
    HOUSING_DEPARTMENT = "住建局"


@strawberry.input(description="机构的筛选条件。")
class OrganizationFilter:
    kind: list[OrganizationKind] | None = condition("kind", "in", "机构类型，取其一即可。")
    area_code: str | None = condition("area", "area", "辖区的区划代码（6、9、12 或 15 位），含其下级。")
    name: str | None = condition("name", "eq", "机构名称，完全相同。")


@code_enum("机构的排序字段。")
class OrganizationOrderField(Enum):
    NAME = "机构名称"


@strawberry.input(description="机构的排序。")
class OrganizationOrder:
    field: OrganizationOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("机构：司法行政机关、调解组织和联动单位。")
class Organization(Node):
    kind: OrganizationKind | None = field()
    name: str | None = field("机构全称。")
    short_name: str | None = field("简称，用于编卷号；不编卷号的机构为 null。")
    phone: str | None = field()
    area = to_one("area", "Area", "辖区。")
    parent = to_one("organization", "Organization", "上级机构。")
    mediators = connection("person", "Mediator", "本机构的调解员。")
    appointments = to_many("person", "Appointment", "在本机构的任职，含已届满的。")
