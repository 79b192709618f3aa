"""The agreement is not performed: the obligations end in default, and the parties are told that they may sue (若干规定 Art. 37)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, literal_column, update
from sqlalchemy.types import Uuid

from db import tables as t
from db.calendar import day_of
from db.commands.dispute.closing_rules import NO_SUIT_PENDING
from db.commands.follow_up import schedule_follow_up
from db.resources.guards import Guard, equals, some
from db.resources.resource import literals, today
from db.tables.dispute import UNDER_PERFORMANCE_STATES
from db.tables.obligation import OWED_STATES
from db.write.command import Outcome, command, input_field
from db.write.transaction import Record, UnitOfWork

SUIT_TOLD = "协议未履行，已告知当事人可以就协议向人民法院起诉；经司法确认的，可以申请强制执行。"


@dataclass(frozen=True)
class DefaultInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("认定不履行并告知当事人的时间")
    reason: str = input_field("督促的经过与不履行的情形，不写个人信息")
    routes_told: bool = input_field("是否已告知可以起诉或申请强制执行；须为 true（《人民调解工作若干规定》第三十七条）")
    advice: str | None = input_field("告知的内容；不写为起诉与强制执行", default=None)


_OVERDUE = Guard(
    "id",
    "NOT_OVERDUE",
    "没有逾期未履行的义务，不能登记不履行。",
    some(t.obligation, lambda row, at: at.c.state.in_(literals(OWED_STATES)), lambda row, at: at.c.due_on < today()),
)
_URGED = Guard(
    "id",
    "NOT_URGED",
    "尚未督促履行（《人民调解工作若干规定》第三十七条），请先督促。",
    some(t.performance, equals("kind", "URGE")),
)


@command(
    "dispute",
    "default",
    "登记督促之后仍不履行：告知当事人可以起诉，协议未全部履行而终结。",
    DefaultInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("concluded", "performed", "urged"),
    states=UNDER_PERFORMANCE_STATES,
    guards=(_OVERDUE, _URGED, NO_SUIT_PENDING),
    example={"reason": "多次督促，仍不履行。", "routes_told": True},
)
async def default(work: UnitOfWork, dispute: Record, input: DefaultInput) -> Outcome:
    """若干规定 Art. 37: urged in vain, the parties are told of the court. Whatever was performed stays performed."""
    work.check_text("reason", input.reason, 500)
    if not input.routes_told:
        work.error("routesTold", "ROUTES_NOT_TOLD", "请先告知当事人可以起诉或申请强制执行。")
    if input.advice is not None:
        work.check_text("advice", input.advice, 500)
    work.raise_errors()
    advice = input.advice.strip() if input.advice else SUIT_TOLD
    await work.fetch(_END, {"of_dispute": dispute.id})
    await schedule_follow_up(work, dispute.id, day_of(input.happened_at))
    await work.update_dispute(dispute.id, state="UNPERFORMED", advice=advice)
    return Outcome(
        "Dispute",
        dispute.id,
        input.happened_at,
        dispute["state"],
        "UNPERFORMED",
        ("advice",),
        input.reason.strip(),
        (("Dispute", dispute.id, "advice", advice),),
    )


_END = (
    update(t.obligation)
    .where(
        t.obligation.c.dispute_id == bindparam("of_dispute", type_=Uuid()),
        t.obligation.c.state.in_(literals(OWED_STATES)),
    )
    .values(state=literal_column("'DEFAULTED'"))
    .returning(t.obligation.c.id)
)
