"""Commands on alerts: take one in hand, close it with a note on what was done (S30)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from db import tables as t
from db.command import Outcome, command, given
from db.desk import Desk, Record


@dataclass(frozen=True)
class AlertHandleOrder:
    id: UUID = given("预警", of="Alert")
    happened_at: dt.datetime = given("着手处置的时间")


@command("alert", "handle", "着手处置预警，调用者即为处置人。", AlertHandleOrder, target="Alert", shows="Alert")
async def handle(desk: Desk, alert: Record, order: AlertHandleOrder) -> Outcome:
    """OPEN to HANDLING; whoever handles it is named."""
    desk.happened("happenedAt", order.happened_at, alert["opened_at"], "预警产生时间")
    desk.settle()
    await desk.update(t.alert, alert.id, state="HANDLING", handler_id=desk.actor.person_id)
    await _touch(desk, alert)
    return Outcome("Alert", alert.id, order.happened_at, alert["state"], "HANDLING", ("state", "handler"))


@dataclass(frozen=True)
class AlertCloseOrder:
    id: UUID = given("预警", of="Alert")
    happened_at: dt.datetime = given("处置完毕的时间")
    note: str = given("处置说明：做了什么、结果如何，不含个人信息；必写")


@command("alert", "close", "关闭预警，必须写明处置说明。", AlertCloseOrder, target="Alert", shows="Alert")
async def close(desk: Desk, alert: Record, order: AlertCloseOrder) -> Outcome:
    """OPEN or HANDLING to CLOSED. Who closes an alert that nobody had in hand has handled it."""
    desk.happened("happenedAt", order.happened_at, alert["opened_at"], "预警产生时间")
    desk.text("note", order.note, 1000)
    desk.settle()
    handler = alert["handler_id"] or desk.actor.person_id
    await desk.update(
        t.alert,
        alert.id,
        state="CLOSED",
        note=order.note.strip(),
        closed_at=order.happened_at,
        handler_id=handler,
    )
    await _touch(desk, alert)
    changes = (("Alert", alert.id, "note", order.note.strip()),)
    return Outcome(
        "Alert", alert.id, order.happened_at, alert["state"], "CLOSED", ("state", "note", "closed_at"), changes=changes
    )


async def _touch(desk: Desk, alert: Record) -> None:
    """The dispute's version goes up, unless it is archived: an alert may outlive its dispute, which then never changes."""
    assert alert.dispute is not None
    if alert.dispute["state"] != "ARCHIVED":
        await desk.change(alert.dispute["id"])
