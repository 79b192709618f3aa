"""Areas: county, town, community and grid, with what lies in them."""

from enum import Enum

import strawberry

from db.tables.area import LEVELS
from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_one
from schema.page import connection


@code_enum("区划层级。", LEVELS)
class AreaLevel(Enum):
    COUNTY = "县（市、区）"
    TOWN = "镇街"
    COMMUNITY = "社区（村）"
    GRID = "网格"


@strawberry.input(description="区划的筛选条件。")
class AreaFilter:
    level: list[AreaLevel] | None = condition("level", "in", "层级，取其一即可。")
    code: str | None = condition("code", "eq", "区划代码，完全相同。")
    area_code: str | None = condition("area", "area", "上级区划代码（6、9、12 或 15 位）：该区划及其下的各级区划。")


@code_enum("区划的排序字段。")
class AreaOrderField(Enum):
    CODE = "区划代码"


@strawberry.input(description="区划的排序。")
class AreaOrder:
    field: AreaOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("区划：县、镇街、社区、网格四级，以代码的前缀相隶属。")
class Area(Node):
    code: str | None = field("区划代码：县 6 位、镇街 9 位、社区 12 位、网格 15 位。")
    name: str | None = field()
    level: AreaLevel | None = field()
    parent = to_one("area", "Area", "上级区划；县级为 null。")
    areas = connection("area", "Area", "直接下级区划。")
    compounds = connection("compound", "Compound", "辖内的小区，含各下级区划的。")
    organizations = connection("organization", "Organization", "辖内的机构，含各下级区划的。")
    teams = connection("team", "Team", "辖内的“1+3”团队，含各下级区划的。")
    disputes = connection("dispute", "Dispute", "辖内的纠纷，含各下级区划的。")
