"""Interim measures: what was restored first, while the dispute is still being mediated."""

from enum import Enum

from db.tables.measure import MEASURE_KINDS
from schema.node import Node, code_enum, field, node, to_one
from schema.scalars import Instant


@code_enum("应急先行措施的类型。", MEASURE_KINDS)
class MeasureKind(Enum):
    WATER = "恢复供水"
    POWER = "恢复供电"
    GAS = "恢复供气"
    HEAT = "恢复供热"
    ACCESS = "恢复通行"
    SAFETY = "消除安全隐患"


@node("应急先行措施：经劝导先行恢复，不具强制力。")
class Measure(Node):
    kind: MeasureKind | None = field("措施类型。")
    requested_at: Instant | None = field()
    done_at: Instant | None = field("恢复时间；尚未恢复的为 null。")
    hours_to_restore: float | None = field("恢复所用小时数，一位小数；尚未恢复的为 null。")
    agreed_by: str | None = field()
    evidence: str | None = field()
    dispute = to_one("dispute", "Dispute", "所属纠纷。")
