"""Commands of work in the grids: record an inspection (zero finds count, S15), a visit, and what may affect performance (S21, S22)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from db import tables as t
from db.calendar import ONE_DAY, day_of
from db.commands.alert import open_alert
from db.commands.team import grid_place, is_grid
from db.tables.dispute import ENDED_STATES
from db.tables.visit import FACTOR_KINDS, SEVERITIES, VISIT_KINDS
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork

# A closed dispute may still be visited, until it is archived.
_OVER = tuple(state for state in ENDED_STATES if state != "CLOSED")


# House rules: an inspection is recorded while it is remembered, and one grid has so many households that more finds are a slip of the pen.
INSPECTION_DAYS = 30
MOST_FOUND = 100


@dataclass(frozen=True)
class InspectionRecordInput:
    grid_code: str = input_field("所排查的网格，15 位区划代码", form="area_code")
    happened_at: dt.datetime = input_field("排查时间；其日期为排查日期")
    found_count: int = input_field("发现的纠纷数；没有发现写 0，即零报告")
    note: str | None = input_field("情况说明，不写个人信息", default=None)


@command(
    "inspection",
    "record",
    "登记一次排查，没有发现也要登记。",
    InspectionRecordInput,
    target=None,
    place=grid_place("您只能登记本人网格的排查。"),
    shows="Inspection",
    example={"grid_code": Placeholder("code", "of a grid of the caller"), "found_count": 0},
)
async def record_inspection(work: UnitOfWork, input: InspectionRecordInput) -> Outcome:
    """An inspection of a grid by the caller."""
    if day_of(work.now) - day_of(input.happened_at) > INSPECTION_DAYS * ONE_DAY:
        work.error("happenedAt", "TOO_LATE", f"排查应在 {INSPECTION_DAYS} 日内登记。")
    if input.found_count < 0:
        work.error("foundCount", "NEGATIVE", "发现的纠纷数不能为负数。")
    elif input.found_count > MOST_FOUND:
        work.error("foundCount", "TOO_MUCH", f"一次排查发现的纠纷数至多为 {MOST_FOUND}，请核对。")
    if input.note is not None:
        work.check_text("note", input.note, 1000)
    if not await is_grid(work, input.grid_code):
        work.error("gridCode", "BAD_GRID", "没有这个网格，应为 15 位网格代码。")
    work.raise_errors()
    key = await work.insert(
        t.inspection,
        grid_code=input.grid_code,
        person_id=work.actor.person_id,
        inspected_on=day_of(input.happened_at),
        found_count=input.found_count,
        note=input.note.strip() if input.note else None,
    )
    return Outcome("Inspection", key, input.happened_at, fields=("inspected_on", "found_count"))


@dataclass(frozen=True)
class FactorInput:
    kind: str = input_field("因素", codes=FACTOR_KINDS)
    severity: str = input_field("程度；重的产生预警", codes=SEVERITIES)
    suggestion: str = input_field("建议")


@dataclass(frozen=True)
class VisitRecordInput:
    dispute_id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("走访时间")
    kind: str = input_field("类型", codes=VISIT_KINDS)
    note: str = input_field("情况")
    factor: FactorInput | None = input_field("走访中发现的、可能影响履行的因素", default=None)


@command(
    "visit",
    "record",
    "登记一次走访，可同时记下影响履行的因素；不需要看到协议。",
    VisitRecordInput,
    target="Dispute",
    asks=("Visit", "record"),
    row_field="dispute_id",
    mine=("visitor_id",),
    shows="Visit",
    example={
        "dispute_id": Placeholder("Dispute", "that the caller sees"),
        "kind": "HOME_VISIT",
        "note": "上门了解情况。",
    },
)
async def record_visit(work: UnitOfWork, dispute: Record, input: VisitRecordInput) -> Outcome:
    """A visit about a dispute that the caller sees; a factor of high severity opens an alert to those who hold the case."""
    work.check_text("note", input.note, 2000)
    if input.factor is not None:
        work.check_text("factor.suggestion", input.factor.suggestion, 1000)
    if dispute["state"] in _OVER:
        work.error("disputeId", "WRONG_STATE", "纠纷已终止或归档，不再登记走访。")
    work.raise_errors()
    note = input.note.strip()
    key = await work.insert(
        t.visit,
        dispute_id=dispute.id,
        kind=input.kind,
        visitor_id=work.actor.person_id,
        visited_at=input.happened_at,
        note=note,
    )
    changes: list[tuple[str, UUID, str, str | None]] = [
        ("Visit", key, "kind", input.kind),
        ("Visit", key, "note", note),
    ]
    if input.factor is not None:
        changes += await note_factor(work, dispute.id, input.factor, input.happened_at)
    await work.update_dispute(dispute.id)
    fields = ("kind", "note", *(("factor",) if input.factor is not None else ()))
    return Outcome("Visit", key, input.happened_at, fields=fields, changes=tuple(changes), dispute_id=dispute.id)


async def note_factor(
    work: UnitOfWork, dispute_id: UUID, input: FactorInput, at: dt.datetime
) -> list[tuple[str, UUID, str, str | None]]:
    suggestion = input.suggestion.strip()
    key = await work.insert_consequence(
        t.factor,
        dispute_id=dispute_id,
        author_id=work.actor.person_id,
        kind=input.kind,
        severity=input.severity,
        suggestion=suggestion,
        noted_at=at,
    )
    if input.severity == "HIGH":
        await open_alert(work, "PERFORMANCE_FACTOR", dispute_id, subject=str(key), at=at)
    return [
        ("Factor", key, "kind", input.kind),
        ("Factor", key, "severity", input.severity),
        ("Factor", key, "suggestion", suggestion),
    ]
