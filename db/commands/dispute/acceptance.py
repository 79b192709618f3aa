"""Accepts a dispute (with the case number), declines it, or notifies the parties of their rights and duties."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import Integer, Text, Uuid

from db import tables as t
from db.calendar import day_of, load_calendar, mediation_due
from db.tables.dispute import DECLINE_REASONS
from db.write.command import Absent, Outcome, command, input_field
from db.write.transaction import Record, UnitOfWork


@dataclass(frozen=True)
class AcceptInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("受理时间")
    committee_id: UUID | None = input_field(
        "受理的调解委员会，须负责小区所在的区域；不写为本镇街的委员会", of="Organization", default=None
    )


@command(
    "dispute",
    "accept",
    "受理纠纷，编卷号。",
    AcceptInput,
    target="Dispute",
    shows="Dispute",
    by_hand=True,
    states=("REGISTERED",),
)
async def accept(work: UnitOfWork, dispute: Record, input: AcceptInput) -> Outcome:
    """Art. 17 and 若干规定 Arts. 23-25. The number is taken from the committee's counter of the year, without gaps."""
    work.raise_errors()
    committee = await _committee(work, dispute, input)
    accepted_on = day_of(input.happened_at)
    # The number is one of the year in which it is allotted, whatever day is told: no book of a year that is over grows.
    year = day_of(work.now).year
    number, sequence = await _next_number(work, committee, year)
    due_on = mediation_due(accepted_on, await load_calendar(work.connection))
    await work.update_dispute(
        dispute.id,
        state="ACCEPTED",
        accepted_at=input.happened_at,
        committee_id=committee["id"],
        case_number=number,
        case_year=year,
        case_sequence=sequence,
        due_on=due_on,
    )
    changes = (("Dispute", dispute.id, "case_number", number), ("Dispute", dispute.id, "due_on", due_on.isoformat()))
    return Outcome(
        "Dispute", dispute.id, input.happened_at, "REGISTERED", "ACCEPTED", ("case_number", "due_on"), changes=changes
    )


_COMMITTEE = select(t.organization.c.id, t.organization.c.short_name).where(
    t.organization.c.kind == "COMMITTEE", t.organization.c.short_name.is_not(None)
)
_NAMED_COMMITTEE = _COMMITTEE.where(t.organization.c.id == bindparam("wanted", type_=Uuid()))
_COMMITTEE_OF_TOWN = (
    _COMMITTEE.where(t.organization.c.area_code == bindparam("town", type_=Text()))
    .order_by(t.organization.c.name)
    .limit(literal_column("1"))
)


async def _committee(work: UnitOfWork, dispute: Record, input: AcceptInput) -> Any:
    statement = _COMMITTEE_OF_TOWN if input.committee_id is None else _NAMED_COMMITTEE
    rows = await work.fetch(statement, {"wanted": input.committee_id, "town": dispute["town_code"]})
    if not rows:
        raise Absent("committeeId")
    return rows[0]


_COMMITTEE_ID, _YEAR = bindparam("committee", type_=Uuid()), bindparam("year", type_=Integer())
_USED = select(func.coalesce(func.max(t.dispute.c.case_sequence), 0)).where(
    t.dispute.c.committee_id == _COMMITTEE_ID, t.dispute.c.case_year == _YEAR
)
_FIRST_NUMBER = (
    upsert(t.case_counter)
    .values(committee_id=_COMMITTEE_ID, year=_YEAR, last=_USED.scalar_subquery())
    .on_conflict_do_nothing()
    .returning(t.case_counter.c.last)
)
_NEXT_NUMBER = (
    t.case_counter.update()
    .where(t.case_counter.c.committee_id == _COMMITTEE_ID, t.case_counter.c.year == _YEAR)
    .values(last=t.case_counter.c.last + 1)
    .returning(t.case_counter.c.last)
)


async def _next_number(work: UnitOfWork, committee: Any, year: int) -> tuple[str, int]:
    """The next number of the committee's year: `(2024)崇文人调字第001号`. The counter stays locked until the commit."""
    values = {"committee": committee["id"], "year": year}
    await work.fetch(_FIRST_NUMBER, values)
    sequence = int((await work.fetch(_NEXT_NUMBER, values))[0]["last"])
    return f"({year}){committee['short_name']}人调字第{sequence:03d}号", sequence


@dataclass(frozen=True)
class DeclineInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("作出决定的时间")
    reason: str = input_field("不予受理的原因", codes=DECLINE_REASONS)
    advice: str = input_field("告知当事人可以去哪里办理")


@command(
    "dispute",
    "decline",
    "不予受理，写明原因并告知其他途径。",
    DeclineInput,
    target="Dispute",
    shows="Dispute",
    states=("REGISTERED",),
    example={"reason": "ELSEWHERE", "advice": "请到有关部门办理。"},
)
async def decline(work: UnitOfWork, dispute: Record, input: DeclineInput) -> Outcome:
    """若干规定 Arts. 22, 25: what may not be accepted is declined with advice where to go instead."""
    work.check_text("advice", input.advice, 500)
    work.raise_errors()
    await work.update_dispute(dispute.id, state="DECLINED", decline_reason=input.reason, advice=input.advice.strip())
    return Outcome(
        "Dispute", dispute.id, input.happened_at, "REGISTERED", "DECLINED", ("decline_reason", "advice"), input.reason
    )


@dataclass(frozen=True)
class NotifyInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("告知时间")


@command(
    "dispute",
    "notify",
    "告知当事人调解的性质、原则、效力和权利义务。",
    NotifyInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("accepted",),
    states=("ACCEPTED",),
)
async def notify(work: UnitOfWork, dispute: Record, input: NotifyInput) -> Outcome:
    """若干规定 Art. 30; the parties' rights and duties: 人民调解法 Arts. 23-24."""
    work.raise_errors()
    await work.update_dispute(dispute.id, notified_at=input.happened_at)
    return Outcome("Dispute", dispute.id, input.happened_at, fields=("notified_at",))
