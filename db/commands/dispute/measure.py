"""Emergency measures: water, power, gas, heat, passage or safety is restored before the dispute is settled."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from db import tables as t
from db.commands.party import load_part
from db.tables.dispute import OPEN_STATES
from db.tables.measure import MEASURE_KINDS
from db.write.command import Outcome, command, input_field
from db.write.transaction import Record, UnitOfWork


@dataclass(frozen=True)
class MeasureInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("要求恢复的时间；补登恢复（写明 measureId）时为恢复的时间")
    kind: str | None = input_field("措施类型；新的措施必写", codes=MEASURE_KINDS, default=None)
    measure_id: UUID | None = input_field("补登恢复的措施；不写即为新的措施", of="Measure", default=None)
    done_at: dt.datetime | None = input_field("恢复时间，新的措施当时已恢复的写明", default=None)
    agreed_by: str | None = input_field("同意恢复的人", form="document", default=None)
    evidence: str | None = input_field("依据或凭证", default=None)


@command(
    "dispute",
    "measure",
    "应急先行措施：要求先恢复水、电、气、暖、通行或安全；或补登已经恢复。",
    MeasureInput,
    target="Dispute",
    shows="Dispute",
    states=OPEN_STATES,
    example={"kind": "WATER"},
)
async def measure(work: UnitOfWork, dispute: Record, input: MeasureInput) -> Outcome:
    """Persuasion, not an order (人民调解法 Arts. 2, 25). The hours that it took are computed by the database."""
    for field, text in (("agreedBy", input.agreed_by), ("evidence", input.evidence)):
        if text is not None:
            work.check_text(field, text, 500)
    values = {"agreed_by": input.agreed_by, "evidence": input.evidence}
    if input.measure_id is None:
        return await _new_measure(work, dispute, input, values)
    if input.kind is not None:
        work.error("kind", "NOT_BOTH", "补登恢复时不再写措施类型。")
    if input.done_at is not None:
        work.error("doneAt", "NOT_BOTH", "补登恢复时，恢复的时间写在 happenedAt。")
    before = await load_part(work, "Measure", dispute.id, input.measure_id, "measureId")
    if before is not None:
        work.check_time("happenedAt", input.happened_at, before["requested_at"], "要求恢复的时间")
        if before["done_at"] is not None:
            work.error("measureId", "ALREADY", "这项措施已登记恢复。")
    work.raise_errors()
    written = {name: value.strip() for name, value in values.items() if value is not None}
    await work.update(t.measure, input.measure_id, done_at=input.happened_at, **written)
    await work.update_dispute(dispute.id)
    changes = (("Measure", input.measure_id, "done_at", input.happened_at.isoformat()),)
    return Outcome("Measure", input.measure_id, input.happened_at, fields=("done_at", *written), changes=changes)


async def _new_measure(
    work: UnitOfWork, dispute: Record, input: MeasureInput, values: dict[str, str | None]
) -> Outcome:
    if input.kind is None:
        work.error("kind", "REQUIRED", "请写明措施类型；补登恢复的，请写明 measureId。")
    if input.done_at is not None:
        work.check_time("doneAt", input.done_at, input.happened_at, "要求恢复的时间")
    work.raise_errors()
    measure_id = await work.insert(
        t.measure,
        dispute_id=dispute.id,
        kind=input.kind,
        requested_at=input.happened_at,
        done_at=input.done_at,
        **{name: value and value.strip() for name, value in values.items()},
    )
    await work.update_dispute(dispute.id)
    changes = [("Measure", measure_id, "kind", input.kind)]
    if input.done_at is not None:
        changes.append(("Measure", measure_id, "done_at", input.done_at.isoformat()))
    fields = ("kind", "requested_at", *(("done_at",) if input.done_at else ()))
    return Outcome("Measure", measure_id, input.happened_at, fields=fields, changes=tuple(changes))
