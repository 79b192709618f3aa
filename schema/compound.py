"""Residential compounds and the property companies that serve them."""

from enum import Enum

import strawberry

from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_one
from schema.page import connection


@strawberry.input(description="物业企业的筛选条件。")
class CompanyFilter:
    name: str | None = condition("name", "eq", "企业名称，完全相同。")
    credit_code: str | None = condition("credit_code", "eq", "统一社会信用代码，完全相同。")


@code_enum("物业企业的排序字段。")
class CompanyOrderField(Enum):
    NAME = "企业名称"


@strawberry.input(description="物业企业的排序。")
class CompanyOrder:
    field: CompanyOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("物业企业。")
class Company(Node):
    name: str | None = field("企业名称。")
    credit_code: str | None = field("统一社会信用代码，18 位。")
    phone: str | None = field()
    compounds = connection("compound", "Compound", "现由本企业服务的小区。")


@strawberry.input(description="小区的筛选条件。")
class CompoundFilter:
    area_code: str | None = condition("area", "area", "所在区划代码（6、9、12 或 15 位），含其下级。")
    company_id: strawberry.ID | None = condition("company", "is", "物业企业的全局标识。")
    name: str | None = condition("name", "eq", "小区名称，完全相同。")


@code_enum("小区的排序字段。")
class CompoundOrderField(Enum):
    NAME = "小区名称"


@strawberry.input(description="小区的排序。")
class CompoundOrder:
    field: CompoundOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("小区。")
class Compound(Node):
    name: str | None = field()
    address: str | None = field("小区坐落，不到楼栋与户号。")
    households: int | None = field()
    area = to_one("area", "Area", "所在网格。")
    company = to_one("compound", "Company", "现服务的物业企业；无物业管理的小区为 null。")
    disputes = connection("dispute", "Dispute", "本小区的纠纷。")
