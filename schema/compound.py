"""Residential compounds and the property companies that serve them."""

from enum import Enum

import strawberry

from schema.node import Direction, Node, code_enum, descending, match, node, one, word
from schema.page import rows


@strawberry.input(description="物业企业的筛选条件。")
class CompanyFilter:
    name: str | None = match("name", "eq", "企业名称，完全相同。")
    credit_code: str | None = match("credit_code", "eq", "统一社会信用代码，完全相同。")


@code_enum("物业企业的排序字段。")
class CompanyOrderField(Enum):
    NAME = "企业名称"


@strawberry.input(description="物业企业的排序。")
class CompanyOrder:
    field: CompanyOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending()


@node("物业企业。")
class Company(Node):
    name: str | None = word("企业名称。")
    credit_code: str | None = word("统一社会信用代码，18 位。")
    phone: str | None = word("企业联系电话。")
    compounds = rows("compound", "Compound", "现由本企业服务的小区。")


@strawberry.input(description="小区的筛选条件。")
class CompoundFilter:
    area_code: str | None = match("area", "area", "所在区划代码（6、9、12 或 15 位），含其下级。")
    company_id: strawberry.ID | None = match("company", "is", "物业企业的全局标识。")
    name: str | None = match("name", "eq", "小区名称，完全相同。")


@code_enum("小区的排序字段。")
class CompoundOrderField(Enum):
    NAME = "小区名称"


@strawberry.input(description="小区的排序。")
class CompoundOrder:
    field: CompoundOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending()


@node("小区。")
class Compound(Node):
    name: str | None = word("小区名称。")
    address: str | None = word("小区坐落，不到楼栋与户号。")
    households: int | None = word("户数。")
    area = one("area", "Area", "所在网格。")
    company = one("compound", "Company", "现服务的物业企业；无物业管理的小区为 null。")
    disputes = rows("dispute", "Dispute", "本小区的纠纷。")
