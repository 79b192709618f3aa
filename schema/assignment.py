"""Assignments: which mediators a dispute has, the lead and the assistants."""

from enum import Enum

from db.tables.assignment import ASSIGNMENT_MODES
from schema.node import Node, code_enum, field, node, to_one
from schema.scalars import Instant


@code_enum("调解员的产生方式。", ASSIGNMENT_MODES)
class AssignmentMode(Enum):
    APPOINTED = "调解组织指定"
    PARTY_CHOSEN = "当事人选择"


@node("指派：一名调解员承担一件纠纷；同时只有一名主持人。")
class Assignment(Node):
    is_lead: bool | None = field()
    mode: AssignmentMode | None = field("产生方式。")
    assigned_at: Instant | None = field()
    ended_at: Instant | None = field("结束时间；仍在承担的为 null。")
    dispute = to_one("dispute", "Dispute", "所指派的纠纷。")
    mediator = to_one("person", "Mediator", "受指派的调解员。")
