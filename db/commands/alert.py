"""Commands on alerts: take one in hand, close it with a note on what was done (S30)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.types import Text

from db import tables as t
from db.resources.guards import Guard
from db.write.command import Outcome, command, input_field
from db.write.transaction import Record, UnitOfWork


@dataclass(frozen=True)
class AlertHandleInput:
    id: UUID = input_field("预警", of="Alert")
    happened_at: dt.datetime = input_field("着手处置的时间")


_OPEN = Guard("id", "WRONG_STATE", "预警已在处置或已关闭。", lambda row: row["state"] == literal_column("'OPEN'"))


@command(
    "alert",
    "handle",
    "着手处置预警，调用者即为处置人。",
    AlertHandleInput,
    target="Alert",
    shows="Alert",
    guards=(_OPEN,),
    on_archived=True,
)
async def handle(work: UnitOfWork, alert: Record, input: AlertHandleInput) -> Outcome:
    """OPEN to HANDLING; the handler is named."""
    work.check_time("happenedAt", input.happened_at, alert["opened_at"], "预警产生时间")
    work.raise_errors()
    await work.update(t.alert, alert.id, state="HANDLING", handler_id=work.actor.person_id)
    await _increment_version(work, alert)
    return Outcome("Alert", alert.id, input.happened_at, alert["state"], "HANDLING", ("state", "handler"))


@dataclass(frozen=True)
class AlertCloseInput:
    id: UUID = input_field("预警", of="Alert")
    happened_at: dt.datetime = input_field("处置完毕的时间")
    note: str = input_field("处置说明：做了什么、结果如何，不含个人信息；必写")


_NOT_CLOSED = Guard("id", "WRONG_STATE", "预警已经关闭。", lambda row: row["state"] != literal_column("'CLOSED'"))


@command(
    "alert",
    "close",
    "关闭预警，必须写明处置说明。",
    AlertCloseInput,
    target="Alert",
    shows="Alert",
    guards=(_NOT_CLOSED,),
    on_archived=True,
    example={"note": "已处置。"},
)
async def close(work: UnitOfWork, alert: Record, input: AlertCloseInput) -> Outcome:
    """OPEN or HANDLING to CLOSED. Who closes an alert that nobody had in hand has handled it."""
    work.check_time("happenedAt", input.happened_at, alert["opened_at"], "预警产生时间")
    work.check_text("note", input.note, 1000)
    work.raise_errors()
    handler = alert["handler_id"] or work.actor.person_id
    await work.update(
        t.alert,
        alert.id,
        state="CLOSED",
        note=input.note.strip(),
        closed_at=input.happened_at,
        handler_id=handler,
    )
    await _increment_version(work, alert)
    changes = (("Alert", alert.id, "note", input.note.strip()),)
    return Outcome(
        "Alert", alert.id, input.happened_at, alert["state"], "CLOSED", ("state", "note", "closed_at"), changes=changes
    )


async def _increment_version(work: UnitOfWork, alert: Record) -> None:
    """The dispute's version goes up, unless it is archived: an alert may outlive its dispute, which then never changes."""
    assert alert.dispute is not None
    if alert.dispute["state"] != "ARCHIVED":
        await work.update_dispute(alert.dispute["id"])


_RULE = select(t.alert_rule.c.label, t.alert_rule.c.level).where(
    t.alert_rule.c.rule == bindparam("rule", type_=Text()), t.alert_rule.c.enabled
)


async def open_alert(
    work: UnitOfWork,
    rule: str,
    dispute_id: UUID,
    *,
    subject: str,
    at: dt.datetime,
    message: str | None = None,
    **about: Any,
) -> None:
    """Open an alert of an enabled rule, unless one for this subject is open. `about`: compound_id, company_id, due_on."""
    rows = await work.fetch(_RULE, {"rule": rule})
    if not rows:
        return
    await work.insert_or_ignore(
        t.alert,
        dispute_id=dispute_id,
        subject=subject,
        rule=rule,
        level=rows[0]["level"],
        message=message or rows[0]["label"],
        opened_at=at,
        **about,
    )
