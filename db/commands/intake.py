"""Commands at the door: register, accept (with the case number), decline, notify."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import Integer, Text, Uuid

from db import tables as t
from db.alerts import open_alert
from db.calendar import day_of, load_calendar, mediation_due
from db.command import Absent, Mistake, Outcome, command, given
from db.commands.parties import PartyOrder, add_party, check_party
from db.desk import Desk, Record
from db.grid import team_in
from db.resources.resource import Row, Sql
from db.tables.dispute import CATEGORIES, RISK_LEVELS, SOURCES, SUB_CATEGORIES
from db.tables.measure import MEASURE_KINDS
from db.taking import Fact
from db.uuid7 import uuid7

DECLINE_REASONS = ("RESERVED", "ELSEWHERE", "NOT_CIVIL", "OUT_OF_AREA", "ADMINISTRATIVE", "PARTY_REFUSES", "DUPLICATE")
UTILITIES = MEASURE_KINDS[:4]


@dataclass(frozen=True)
class RegisterOrder:
    title: str = given("标题，不写个人姓名与门牌")
    compound_id: UUID = given("小区", of="Compound")
    sub_category: str = given("物业纠纷子类", codes=SUB_CATEGORIES)
    source: str = given("案件来源", codes=SOURCES)
    summary: str = given("案情简述")
    happened_at: dt.datetime = given("登记时间，即受到申请或发现的时间")
    parties: tuple[PartyOrder, ...] = given("当事人，至少写明一名申请人与一名被申请人；线索可只写一方")
    category: str = given("纠纷类型；不写为物业", codes=CATEGORIES, default="PROPERTY")
    occurred_on: dt.date | None = given("纠纷发生日期", default=None)
    public_summary: str | None = given("可公开摘要，不写个人信息", default=None)
    amount_claimed: Decimal | None = given("争议金额，元", default=None)
    people_count: int = given("涉及人数", default=1)
    risk_level: str = given("风险等级；不写为低", codes=RISK_LEVELS, default="LOW")
    utility_cut: str | None = given("被停的公用事业；子类为停水停电停气停暖时必写", codes=UTILITIES, default=None)
    external_ref: str | None = given("来源单位的单号；同一单位同一单号只登记一次", default=None)


def _mediates(_: Row) -> Sql:
    return exists(select(literal_column("1")).where(t.mediator.c.person_id == bindparam("me", type_=Uuid())))


_PLACE = (
    Fact("team_id", lambda row: team_in(row["grid_code"]).correlate(row.at).scalar_subquery()),
    Fact("caller_mediates", _mediates),
)


@command("dispute", "register", "登记一件纠纷或线索。", RegisterOrder, target=None, shows="Dispute")
async def register(desk: Desk, order: RegisterOrder) -> Outcome:
    """A new dispute in state REGISTERED at the team tier; a mediator who registers takes the lead (Art. 17, own initiative)."""
    compound = await desk.see("Compound", order.compound_id, field="compoundId", facts=_PLACE)
    desk.happened("happenedAt", order.happened_at)
    if order.occurred_on is not None and order.occurred_on > day_of(order.happened_at):
        desk.mistake("occurredOn", "OUT_OF_ORDER", "发生日期不能晚于登记日期。")
    desk.text("title", order.title, 100)
    desk.text("summary", order.summary, 4000)
    if order.amount_claimed is not None and order.amount_claimed < 0:
        desk.mistake("amountClaimed", "NEGATIVE", "金额不能为负数。")
    if order.people_count < 1:
        desk.mistake("peopleCount", "TOO_SMALL", "涉及人数至少为 1。")
    if order.sub_category == "P02" and order.utility_cut is None:
        desk.mistake("utilityCut", "REQUIRED", "停水停电停气停暖须写明被停的是哪一项。")
    if not order.parties:
        desk.mistake("parties", "REQUIRED", "至少写明一名当事人。")
    for index, party in enumerate(order.parties):
        check_party(desk, f"parties.{index}", party)
    desk.settle()
    key = uuid7()
    organization = await _reporting_organization(desk)
    await desk.insert(
        t.dispute,
        id=key,
        title=order.title.strip(),
        category=order.category,
        sub_category=order.sub_category,
        source=order.source,
        state="REGISTERED",
        tier="TEAM",
        risk_level=order.risk_level,
        amount_claimed=order.amount_claimed,
        people_count=order.people_count,
        summary=order.summary.strip(),
        public_summary=order.public_summary,
        occurred_on=order.occurred_on,
        registered_at=order.happened_at,
        utility_cut=order.utility_cut,
        external_ref=order.external_ref,
        grid_code=compound["grid_code"],
        compound_id=compound.id,
        team_id=compound["team_id"],
        source_organization_id=organization,
    )
    for party in order.parties:
        await add_party(desk, key, party, supplied_by=organization)
    if compound["caller_mediates"]:
        await desk.insert(
            t.assignment,
            dispute_id=key,
            dispute_registered_at=order.happened_at,
            person_id=desk.actor.person_id,
            is_lead=True,
            mode="APPOINTED",
            assigned_at=order.happened_at,
        )
    desk.must("Dispute", key, "register", Mistake("compoundId", "FORBIDDEN", "您无权在这个小区登记纠纷。"))
    if order.utility_cut is not None:
        await open_alert(desk, "UTILITY_CUTOFF", key, subject=str(key), at=order.happened_at)
    if order.risk_level == "HIGH":
        await open_alert(desk, "HIGH_RISK", key, subject=str(key), at=order.happened_at)
    return Outcome("Dispute", key, order.happened_at, None, "REGISTERED", ("title", "sub_category", "summary"))


async def _reporting_organization(desk: Desk) -> UUID | None:
    """The organization that reports: that of an appointment of a partner agency; none for the county's own people."""
    for one in desk.actor.access.appointments:
        if one.role in ("agency_hotline", "agency_petition", "governance_centre", "police", "court", "housing"):
            return UUID(str(one.claims["organization_id"]))
    return None


@dataclass(frozen=True)
class AcceptOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("受理时间")
    committee_id: UUID | None = given("受理的调解委员会；不写为本镇街的委员会", of="Organization", default=None)


@command("dispute", "accept", "受理纠纷，编案号。", AcceptOrder, target="Dispute", shows="Dispute")
async def accept(desk: Desk, dispute: Record, order: AcceptOrder) -> Outcome:
    """Art. 17 and 若干规定 Arts. 23-25. The number is taken from the committee's counter of the year, without gaps."""
    desk.happened("happenedAt", order.happened_at, dispute["registered_at"], "登记时间")
    desk.settle()
    committee = await _committee(desk, dispute, order)
    accepted_on = day_of(order.happened_at)
    number, sequence = await _next_number(desk, committee, accepted_on.year)
    due_on = mediation_due(accepted_on, await load_calendar(desk.connection))
    await desk.change(
        dispute.id,
        state="ACCEPTED",
        accepted_at=order.happened_at,
        committee_id=committee["id"],
        case_number=number,
        case_year=accepted_on.year,
        case_sequence=sequence,
        due_on=due_on,
    )
    changes = (("Dispute", dispute.id, "case_number", number), ("Dispute", dispute.id, "due_on", due_on.isoformat()))
    return Outcome(
        "Dispute", dispute.id, order.happened_at, "REGISTERED", "ACCEPTED", ("case_number", "due_on"), changes=changes
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


async def _committee(desk: Desk, dispute: Record, order: AcceptOrder) -> Any:
    statement = _COMMITTEE_OF_TOWN if order.committee_id is None else _NAMED_COMMITTEE
    found = await desk.fetch(statement, {"wanted": order.committee_id, "town": dispute["town_code"]})
    if not found:
        raise Absent("committeeId")
    return found[0]


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


async def _next_number(desk: Desk, committee: Any, year: int) -> tuple[str, int]:
    """The next number of the committee's year: `(2024)崇文人调字第001号`. The counter stays locked until the commit."""
    values = {"committee": committee["id"], "year": year}
    await desk.fetch(_FIRST_NUMBER, values)
    sequence = int((await desk.fetch(_NEXT_NUMBER, values))[0]["last"])
    return f"({year}){committee['short_name']}人调字第{sequence:03d}号", sequence


@dataclass(frozen=True)
class DeclineOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("作出决定的时间")
    reason: str = given("不予受理的原因", codes=DECLINE_REASONS)
    advice: str = given("告知当事人可以去哪里办理")


@command("dispute", "decline", "不予受理，写明原因并告知其他途径。", DeclineOrder, target="Dispute", shows="Dispute")
async def decline(desk: Desk, dispute: Record, order: DeclineOrder) -> Outcome:
    """若干规定 Arts. 22, 25: what may not be accepted is declined with advice where to go instead."""
    desk.happened("happenedAt", order.happened_at, dispute["registered_at"], "登记时间")
    desk.text("advice", order.advice, 500)
    desk.settle()
    await desk.change(dispute.id, state="DECLINED", decline_reason=order.reason, advice=order.advice.strip())
    return Outcome(
        "Dispute", dispute.id, order.happened_at, "REGISTERED", "DECLINED", ("decline_reason", "advice"), order.reason
    )


@dataclass(frozen=True)
class NotifyOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("告知时间")


@command(
    "dispute", "notify", "告知当事人调解的性质、原则、效力和权利义务。", NotifyOrder, target="Dispute", shows="Dispute"
)
async def notify(desk: Desk, dispute: Record, order: NotifyOrder) -> Outcome:
    """若干规定 Art. 30; the parties' rights and duties: 人民调解法 Arts. 23-24."""
    desk.happened("happenedAt", order.happened_at, dispute["accepted_at"], "受理时间")
    desk.settle()
    await desk.change(dispute.id, notified_at=order.happened_at)
    return Outcome("Dispute", dispute.id, order.happened_at, fields=("notified_at",))
