"""Work in the grids: inspections, visits, and the factors that may affect performance."""

from enum import Enum

import strawberry

from db.tables.visit import FACTOR_KINDS, SEVERITIES, VISIT_KINDS
from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_one
from schema.scalars import Day, Instant


@code_enum("走访的类型。", VISIT_KINDS)
class VisitKind(Enum):
    INSPECTION = "排查"
    PUBLICITY = "法治宣传"
    HOME_VISIT = "入户走访"


@code_enum("影响履行的因素。", FACTOR_KINDS)
class FactorKind(Enum):
    UNEMPLOYMENT = "失业"
    ILLNESS = "疾病"
    SALE = "房屋出售"
    COMPANY_CHANGE = "更换物业企业"
    FAMILY = "家庭变故"
    DISSATISFACTION = "对约定不满"
    OTHER = "其他"


@code_enum("影响的程度。", SEVERITIES)
class Severity(Enum):
    LOW = "轻"
    MEDIUM = "中"
    HIGH = "重：产生预警"


@strawberry.input(description="排查的筛选条件。起止两端都含当日。")
class InspectionFilter:
    area_code: str | None = condition("area", "area", "排查地的区划代码（6、9、12 或 15 位），含其下级。")
    person_id: strawberry.ID | None = condition("person", "is", "排查人的全局标识。")
    inspected_from: Day | None = condition("inspected_on", "from", "排查日期不早于。")
    inspected_to: Day | None = condition("inspected_on", "to", "排查日期不晚于。")
    found_min: int | None = condition("found_count", "from", "发现的纠纷数不少于。")


@code_enum("排查的排序字段。")
class InspectionOrderField(Enum):
    INSPECTED_ON = "排查日期"
    FOUND_COUNT = "发现的纠纷数"


@strawberry.input(description="排查的排序。")
class InspectionOrder:
    field: InspectionOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("排查：网格员对一个网格的一次摸排，没有发现也要报（零报告）。")
class Inspection(Node):
    inspected_on: Day | None = field()
    found_count: int | None = field("发现的纠纷数；0 即零报告。")
    note: str | None = field()
    area = to_one("area", "Area", "所排查的网格。")
    person = to_one("person", "Person", "排查人。")


@node("走访：就一件纠纷的一次排查、宣传或入户走访。")
class Visit(Node):
    kind: VisitKind | None = field("类型。")
    visited_at: Instant | None = field()
    note: str | None = field()
    dispute = to_one("dispute", "Dispute", "所涉纠纷。")
    visitor = to_one("person", "Person", "走访人。")


@node("影响履行的因素：走访中发现的，可能使协议不能履行的情况。")
class Factor(Node):
    kind: FactorKind | None = field("因素。")
    severity: Severity | None = field()
    suggestion: str | None = field()
    noted_at: Instant | None = field()
    dispute = to_one("dispute", "Dispute", "所涉纠纷。")
    author = to_one("person", "Person", "记录人。")
