"""Commands of work in the grids: record an inspection (zero finds count, S15), a visit, and what may affect performance (S21, S22)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from db import tables as t
from db.alerts import open_alert
from db.calendar import day_of
from db.command import Mistake, Outcome, command, given
from db.desk import Desk
from db.grid import is_grid
from db.tables.visit import FACTOR_KINDS, SEVERITIES, VISIT_KINDS
from db.uuid7 import uuid7

_OVER = ("ARCHIVED", "DECLINED", "FAILED", "WITHDRAWN", "REFUSED")


@dataclass(frozen=True)
class InspectionRecordOrder:
    grid_code: str = given("所排查的网格，15 位区划代码")
    happened_at: dt.datetime = given("排查时间；其日期为排查日期")
    found_count: int = given("发现的纠纷数；没有发现写 0，即零报告")
    note: str | None = given("情况说明，不写个人信息", default=None)


@command(
    "inspection", "record", "登记一次排查，没有发现也要登记。", InspectionRecordOrder, target=None, shows="Inspection"
)
async def record_inspection(desk: Desk, order: InspectionRecordOrder) -> Outcome:
    """An inspection of a grid by the caller."""
    desk.happened("happenedAt", order.happened_at)
    if order.found_count < 0:
        desk.mistake("foundCount", "NEGATIVE", "发现的纠纷数不能为负数。")
    if order.note is not None:
        desk.text("note", order.note, 1000)
    if not await is_grid(desk, order.grid_code):
        desk.mistake("gridCode", "BAD_GRID", "没有这个网格，应为 15 位网格代码。")
    desk.settle()
    key = await desk.insert(
        t.inspection,
        grid_code=order.grid_code,
        person_id=desk.actor.person_id,
        inspected_on=day_of(order.happened_at),
        found_count=order.found_count,
        note=order.note.strip() if order.note else None,
    )
    desk.must("Inspection", key, "record", Mistake("gridCode", "FORBIDDEN", "您只能登记本人网格的排查。"))
    return Outcome("Inspection", key, order.happened_at, fields=("inspected_on", "found_count"))


@dataclass(frozen=True)
class FactorOrder:
    kind: str = given("因素", codes=FACTOR_KINDS)
    severity: str = given("程度；重的产生预警", codes=SEVERITIES)
    suggestion: str = given("建议")


@dataclass(frozen=True)
class VisitRecordOrder:
    dispute_id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("走访时间")
    kind: str = given("类型", codes=VISIT_KINDS)
    note: str = given("情况")
    factor: FactorOrder | None = given("走访中发现的、可能影响履行的因素", default=None)


@command(
    "visit",
    "record",
    "登记一次走访，可同时记下影响履行的因素；不需要看到协议。",
    VisitRecordOrder,
    target=None,
    shows="Visit",
)
async def record_visit(desk: Desk, order: VisitRecordOrder) -> Outcome:
    """A visit about a dispute that the caller sees; a factor of high severity opens an alert to those who hold the case."""
    dispute = await desk.see("Dispute", order.dispute_id, field="disputeId")
    desk.happened("happenedAt", order.happened_at, dispute["registered_at"], "登记时间")
    desk.text("note", order.note, 2000)
    if order.factor is not None:
        desk.text("factor.suggestion", order.factor.suggestion, 1000)
    if dispute["state"] in _OVER:
        desk.mistake("disputeId", "WRONG_STATE", "纠纷已终止或归档，不再登记走访。")
    desk.settle()
    note = order.note.strip()
    key = await desk.insert(
        t.visit,
        dispute_id=dispute.id,
        kind=order.kind,
        visitor_id=desk.actor.person_id,
        visited_at=order.happened_at,
        note=note,
    )
    desk.must("Visit", key, "record", Mistake("disputeId", "FORBIDDEN", "您无权登记这件纠纷的走访。"))
    changes: list[tuple[str, UUID, str, str | None]] = [
        ("Visit", key, "kind", order.kind),
        ("Visit", key, "note", note),
    ]
    if order.factor is not None:
        changes += await note_factor(desk, dispute.id, order.factor, order.happened_at)
    await desk.change(dispute.id)
    fields = ("kind", "note", *(("factor",) if order.factor is not None else ()))
    return Outcome("Visit", key, order.happened_at, fields=fields, changes=tuple(changes), dispute_id=dispute.id)


async def note_factor(
    desk: Desk, dispute_id: UUID, order: FactorOrder, at: dt.datetime
) -> list[tuple[str, UUID, str, str | None]]:
    key, suggestion = uuid7(), order.suggestion.strip()
    await desk.insert(
        t.factor,
        id=key,
        dispute_id=dispute_id,
        author_id=desk.actor.person_id,
        kind=order.kind,
        severity=order.severity,
        suggestion=suggestion,
        noted_at=at,
    )
    if order.severity == "HIGH":
        await open_alert(desk, "PERFORMANCE_FACTOR", dispute_id, subject=str(key), at=at)
    return [
        ("Factor", key, "kind", order.kind),
        ("Factor", key, "severity", order.severity),
        ("Factor", key, "suggestion", suggestion),
    ]
