"""Commands of the visits after an agreement (人民调解工作若干规定 Art. 36): schedule, complete. Dissatisfaction brings a second visit."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.alerts import open_alert
from db.calendar import ONE_DAY, day_of
from db.command import Outcome, command, given
from db.commands.visit import FactorOrder, note_factor
from db.desk import Desk, Record
from db.resources.resource import Row, Sql
from db.tables.follow_up import FOLLOW_UP_METHODS, FOLLOW_UP_RESULTS
from db.taking import Fact

# Days from the last performance to the visit that it makes due, and from a dissatisfied answer to the next visit.
VISIT_DAYS = 15
SECOND_VISIT_DAYS = 7
_DISSATISFIED = 2  # where the alert rule names no other limit
_REBOUND = ("REBOUND_SIGNS", "REBOUNDED")


@dataclass(frozen=True)
class FollowUpScheduleOrder:
    dispute_id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("安排的时间")
    due_on: dt.date = given("应回访日期")


@command("followUp", "schedule", "安排一次回访。", FollowUpScheduleOrder, target=None, shows="FollowUp")
async def schedule(desk: Desk, order: FollowUpScheduleOrder) -> Outcome:
    """A visit that is due on a day; whoever makes it is written down when it is made."""
    dispute = await desk.take("Dispute", order.dispute_id, "follow", field="disputeId")
    desk.happened("happenedAt", order.happened_at, dispute["concluded_at"], "调解终结时间")
    if order.due_on < day_of(order.happened_at):
        desk.mistake("dueOn", "OUT_OF_ORDER", "应回访日期不能早于安排的日期。")
    desk.settle()
    key = await desk.insert(t.follow_up, dispute_id=dispute.id, due_on=order.due_on)
    await desk.change(dispute.id)
    changes = (("FollowUp", key, "due_on", order.due_on.isoformat()),)
    return Outcome("FollowUp", key, order.happened_at, fields=("due_on",), dispute_id=dispute.id, changes=changes)


_WAITING = (
    select(t.follow_up.c.id)
    .where(t.follow_up.c.dispute_id == bindparam("of_dispute", type_=Uuid()), t.follow_up.c.done_at.is_(None))
    .limit(literal_column("1"))
)


async def visit_due(desk: Desk, dispute_id: UUID, performed_on: dt.date) -> None:
    """Performance makes a visit due, unless one is waiting to be made."""
    if not await desk.fetch(_WAITING, {"of_dispute": dispute_id}):
        await desk.insert(t.follow_up, dispute_id=dispute_id, due_on=performed_on + VISIT_DAYS * ONE_DAY)


@dataclass(frozen=True)
class FollowUpCompleteOrder:
    id: UUID = given("回访", of="FollowUp")
    happened_at: dt.datetime = given("实际回访时间")
    method: str = given("回访方式", codes=FOLLOW_UP_METHODS)
    result: str = given("回访结果", codes=FOLLOW_UP_RESULTS)
    satisfaction: int | None = given("满意度 1 至 5，5 为非常满意；联系不上时不写", default=None)
    remark: str | None = given("回访情况；已反弹或有反弹迹象的必写", default=None)
    factors: tuple[FactorOrder, ...] = given("发现的影响履行的因素", default=())


def _rule(_: Row) -> Sql:
    return (
        select(t.alert_rule.c.parameters)
        .where(t.alert_rule.c.rule == literal_column("'DISSATISFIED'"))
        .scalar_subquery()
    )


@command(
    "followUp",
    "complete",
    "完成回访，登记结果与满意度。",
    FollowUpCompleteOrder,
    target="FollowUp",
    shows="FollowUp",
    facts=(Fact("alert_parameters", _rule),),
)
async def complete(desk: Desk, visit: Record, order: FollowUpCompleteOrder) -> Outcome:
    """Art. 36: the visit is recorded; who is dissatisfied is visited again within a week and stands on the list of alerts."""
    assert visit.dispute is not None
    dispute_id = visit.dispute["id"]
    _check(desk, visit, order)
    desk.settle()
    done_on = day_of(order.happened_at)
    await desk.update(
        t.follow_up,
        visit.id,
        visitor_id=desk.actor.person_id,
        done_at=done_on,
        method=order.method,
        result=order.result,
        satisfaction=order.satisfaction,
        remark=order.remark.strip() if order.remark else None,
    )
    changes: list[tuple[str, UUID, str, str | None]] = [
        ("FollowUp", visit.id, "done_at", done_on.isoformat()),
        ("FollowUp", visit.id, "result", order.result),
        ("FollowUp", visit.id, "satisfaction", None if order.satisfaction is None else str(order.satisfaction)),
    ]
    for factor in order.factors:
        changes += await note_factor(desk, dispute_id, factor, order.happened_at)
    if order.satisfaction is not None and order.satisfaction <= _limit(visit):
        due_on = done_on + SECOND_VISIT_DAYS * ONE_DAY
        await open_alert(desk, "DISSATISFIED", dispute_id, subject=str(dispute_id), at=order.happened_at, due_on=due_on)
        second = await desk.insert(t.follow_up, dispute_id=dispute_id, due_on=due_on)
        changes.append(("FollowUp", second, "due_on", due_on.isoformat()))
    await desk.change(dispute_id)
    fields = ("done_at", "method", "result", "satisfaction", "remark")
    return Outcome("FollowUp", visit.id, order.happened_at, fields=fields, changes=tuple(changes))


def _check(desk: Desk, visit: Record, order: FollowUpCompleteOrder) -> None:
    assert visit.dispute is not None
    desk.happened("happenedAt", order.happened_at, visit.dispute["concluded_at"], "调解终结时间")
    if order.result == "UNREACHABLE":
        if order.satisfaction is not None:
            desk.mistake("satisfaction", "NOT_APPLICABLE", "联系不上时没有满意度，请不要填写。")
    elif order.satisfaction is None:
        desk.mistake("satisfaction", "REQUIRED", "请填写满意度 1 至 5。")
    elif not 1 <= order.satisfaction <= 5:
        desk.mistake("satisfaction", "OUT_OF_RANGE", "满意度应为 1 至 5。")
    if order.remark is not None:
        desk.text("remark", order.remark, 2000)
    elif order.result in _REBOUND:
        desk.mistake("remark", "REQUIRED", "已反弹或有反弹迹象的，请写明情况。")
    for index, factor in enumerate(order.factors):
        desk.text(f"factors.{index}.suggestion", factor.suggestion, 1000)


def _limit(visit: Record) -> int:
    """The satisfaction at and below which a visit counts as dissatisfied, as the alert rule has it."""
    parameters = json.loads(visit["alert_parameters"] or "{}")
    return int(parameters.get("satisfaction", _DISSATISFIED))
