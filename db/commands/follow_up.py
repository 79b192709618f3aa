"""Commands of the visits after an agreement (人民调解工作若干规定 Art. 36): schedule, complete. Dissatisfaction brings a second visit."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.calendar import ONE_DAY, day_of
from db.commands.alert import open_alert
from db.commands.dispute.closing_rules import last_performed_on
from db.commands.visit import FactorInput, note_factor
from db.resources.aliases import alias
from db.resources.guards import Guard
from db.resources.resource import Row, Sql
from db.tables.dispute import FOLLOW_UP_STATES, UNDER_PERFORMANCE_STATES
from db.tables.follow_up import FOLLOW_UP_METHODS, FOLLOW_UP_RESULTS
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.row_locks import Fact
from db.write.transaction import Record, UnitOfWork

# Days from the last performance to the visit that it makes due, and from a dissatisfied answer to the next visit.
VISIT_DAYS = 15
SECOND_VISIT_DAYS = 7
_DISSATISFIED = 2  # where the alert rule names no other limit
_REBOUND = ("REBOUND_SIGNS", "REBOUNDED")


@dataclass(frozen=True)
class FollowUpScheduleInput:
    dispute_id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("安排的时间")
    due_on: dt.date = input_field("应回访日期")


@command(
    "followUp",
    "schedule",
    "安排一次回访。",
    FollowUpScheduleInput,
    target="Dispute",
    shows="FollowUp",
    rests_on=("concluded",),
    asks=("Dispute", "follow"),
    row_field="dispute_id",
    states=FOLLOW_UP_STATES,
    example={"due_on": Placeholder("date", "in three days")},
)
async def schedule(work: UnitOfWork, dispute: Record, input: FollowUpScheduleInput) -> Outcome:
    """A visit that is due on a day; the visitor is recorded when it is made."""
    if input.due_on < day_of(input.happened_at):
        work.error("dueOn", "OUT_OF_ORDER", "应回访日期不能早于安排的日期。")
    work.raise_errors()
    key = await work.insert(t.follow_up, dispute_id=dispute.id, due_on=input.due_on)
    await work.update_dispute(dispute.id)
    changes = (("FollowUp", key, "due_on", input.due_on.isoformat()),)
    return Outcome("FollowUp", key, input.happened_at, fields=("due_on",), dispute_id=dispute.id, changes=changes)


_WAITING = (
    select(t.follow_up.c.id)
    .where(t.follow_up.c.dispute_id == bindparam("of_dispute", type_=Uuid()), t.follow_up.c.done_at.is_(None))
    .limit(literal_column("1"))
)


async def schedule_follow_up(work: UnitOfWork, dispute_id: UUID, performed_on: dt.date) -> None:
    """Performance makes a visit due, unless one is waiting to be made."""
    if not await work.fetch(_WAITING, {"of_dispute": dispute_id}):
        await work.insert_consequence(t.follow_up, dispute_id=dispute_id, due_on=performed_on + VISIT_DAYS * ONE_DAY)


@dataclass(frozen=True)
class FollowUpCompleteInput:
    id: UUID = input_field("回访", of="FollowUp")
    happened_at: dt.datetime = input_field("实际回访时间")
    method: str = input_field("回访方式", codes=FOLLOW_UP_METHODS)
    result: str = input_field("回访结果", codes=FOLLOW_UP_RESULTS)
    satisfaction: int | None = input_field("满意度 1 至 5，5 为非常满意；联系不上时不写", default=None)
    remark: str | None = input_field("回访情况；已反弹或有反弹迹象的必写", default=None)
    factors: tuple[FactorInput, ...] = input_field("发现的影响履行的因素", default=())


def _rule(_: Row) -> Sql:
    return (
        select(t.alert_rule.c.parameters)
        .where(t.alert_rule.c.rule == literal_column("'DISSATISFIED'"))
        .scalar_subquery()
    )


_NOT_DONE = Guard("id", "WRONG_STATE", "这次回访已经完成。", lambda row: row["done_at"].is_(None))


def _next_due_on(row: Row) -> Sql:
    """The day of the next visit that is due beside this one."""
    at = alias(t.follow_up)
    other = select(func.min(at.c.due_on)).select_from(at).where(
        at.c.dispute_id == row["dispute_id"], at.c.done_at.is_(None), at.c.id != row["id"]
    )  # fmt: skip
    return other.correlate(row.at).scalar_subquery()


@command(
    "followUp",
    "complete",
    "完成回访，登记结果与满意度。",
    FollowUpCompleteInput,
    target="FollowUp",
    shows="FollowUp",
    rests_on=("concluded",),
    facts=(
        Fact("alert_parameters", _rule),
        Fact("last_performed_on", last_performed_on),
        Fact("next_due_on", _next_due_on),
    ),
    guards=(_NOT_DONE,),
    # A visit that was due when the dispute was archived is made all the same.
    on_archived=True,
    example={"method": "PHONE", "result": "NORMAL", "satisfaction": 4},
)
async def complete(work: UnitOfWork, visit: Record, input: FollowUpCompleteInput) -> Outcome:
    """Art. 36: the visit is recorded; who is dissatisfied stands on the list of alerts. A visit that is not the last word (a rebound,
    nobody reached, not performed, before the performance) makes another due within a week."""
    assert visit.dispute is not None
    dispute_id = visit.dispute["id"]
    _check(work, visit, input)
    work.raise_errors()
    done_on = day_of(input.happened_at)
    await work.update(
        t.follow_up,
        visit.id,
        visitor_id=work.actor.person_id,
        done_at=done_on,
        method=input.method,
        result=input.result,
        satisfaction=input.satisfaction,
        remark=input.remark.strip() if input.remark else None,
    )
    changes: list[tuple[str, UUID, str, str | None]] = [
        ("FollowUp", visit.id, "done_at", done_on.isoformat()),
        ("FollowUp", visit.id, "result", input.result),
        ("FollowUp", visit.id, "satisfaction", None if input.satisfaction is None else str(input.satisfaction)),
    ]
    for factor in input.factors:
        changes += await note_factor(work, dispute_id, factor, input.happened_at)
    due_on = done_on + SECOND_VISIT_DAYS * ONE_DAY
    dissatisfied = input.satisfaction is not None and input.satisfaction <= _dissatisfied_up_to(visit)
    if dissatisfied:
        await open_alert(work, "DISSATISFIED", dispute_id, subject=str(dispute_id), at=input.happened_at, due_on=due_on)
    archived = visit.dispute["state"] == "ARCHIVED"
    soon = visit["next_due_on"] is not None and visit["next_due_on"] <= due_on
    if not archived and not soon and (dissatisfied or not _is_last_word(visit, input.result, done_on)):
        second = await work.insert_consequence(t.follow_up, dispute_id=dispute_id, due_on=due_on)
        changes.append(("FollowUp", second, "due_on", due_on.isoformat()))
    if not archived:
        await work.update_dispute(dispute_id)
    fields = ("done_at", "method", "result", "satisfaction", "remark")
    return Outcome("FollowUp", visit.id, input.happened_at, fields=fields, changes=tuple(changes))


def _check(work: UnitOfWork, visit: Record, input: FollowUpCompleteInput) -> None:
    assert visit.dispute is not None
    # Of a dispute whose agreement was rescinded there is no conclusion any more.
    not_before = visit.dispute["concluded_at"] or visit.dispute["accepted_at"]
    work.check_time("happenedAt", input.happened_at, not_before, "调解终结时间")
    if input.result == "UNREACHABLE":
        if input.satisfaction is not None:
            work.error("satisfaction", "NOT_APPLICABLE", "联系不上时没有满意度，请不要填写。")
    elif input.satisfaction is None:
        work.error("satisfaction", "REQUIRED", "请填写满意度 1 至 5。")
    elif not 1 <= input.satisfaction <= 5:
        work.error("satisfaction", "OUT_OF_RANGE", "满意度应为 1 至 5。")
    if input.remark is not None:
        work.check_text("remark", input.remark, 2000)
    elif input.result in _REBOUND:
        work.error("remark", "REQUIRED", "已反弹或有反弹迹象的，请写明情况。")
    for index, factor in enumerate(input.factors):
        work.check_text(f"factors.{index}.suggestion", factor.suggestion, 1000)


def _is_last_word(visit: Record, result: str, done_on: dt.date) -> bool:
    """Whether the visit needs none after it. While something is owed, the performance makes the next one due."""
    assert visit.dispute is not None
    if visit.dispute["state"] in UNDER_PERFORMANCE_STATES:
        return result not in _REBOUND
    return result == "NORMAL" and done_on >= (visit["last_performed_on"] or done_on)


def _dissatisfied_up_to(visit: Record) -> int:
    """The satisfaction at and below which a visit counts as dissatisfied, as the alert rule has it."""
    parameters = json.loads(visit["alert_parameters"] or "{}")
    return int(parameters.get("satisfaction", _DISSATISFIED))
