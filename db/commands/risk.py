"""Commands of risk: assess it, and report it to the police (人民调解法 Art. 25)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.types import Text, Uuid

from db import tables as t
from db.alerts import open_alert
from db.calendar import local
from db.command import Absent, Outcome, Refused, command, given
from db.commands.parties import impersonal
from db.desk import Desk, Record
from db.tables.dispute import RISK_LEVELS


@dataclass(frozen=True)
class AssessOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("评估时间")
    level: str = given("风险等级", codes=RISK_LEVELS)
    reason: str = given("评估依据")
    reported_to_police: bool = given("同时报送派出所；高风险须已报送、同时报送或写明不报送的理由", default=False)
    police_id: UUID | None = given("同时报送的派出所；不写为本镇街的", of="Organization", default=None)
    report_reason: str | None = given("报送的事由，不写个人信息；同时报送时必写", default=None)
    no_report_reason: str | None = given("高风险而不报送派出所的理由", default=None)


@command(
    "dispute",
    "assess",
    "评估风险；高风险产生预警，并须报送派出所或写明不报送的理由。",
    AssessOrder,
    target="Dispute",
    shows="Dispute",
)
async def assess(desk: Desk, dispute: Record, order: AssessOrder) -> Outcome:
    """人民调解法 Art. 25 (S13): the risk is rated at each contact; a high one is reported, or it is written down why not."""
    desk.happened("happenedAt", order.happened_at, dispute["registered_at"], "登记时间")
    desk.text("reason", order.reason, 2000)
    if order.no_report_reason is not None:
        desk.text("noReportReason", order.no_report_reason, 500)
    station: UUID | None = None
    reported = order.level == "HIGH" and await _reported(desk, dispute.id)
    if order.reported_to_police:
        # SECURITY: a report opens the dispute to the police, so whoever makes one by assessing must be allowed to report.
        try:
            await desk.take("Dispute", dispute.id, "report", field="reportedToPolice")
        except Refused as refused:
            desk.mistakes += [one for one in refused.mistakes if one not in desk.mistakes]
        impersonal(desk, "reportReason", order.report_reason or "", 500)
        station = await _station(desk, dispute, order.police_id, "policeId")
    elif order.level == "HIGH" and not reported and order.no_report_reason is None:
        message = "高风险须报送派出所（人民调解法第二十五条）：请同时报送，或写明不报送的理由。"
        desk.mistake("reportedToPolice", "REPORT_REQUIRED", message)
    desk.settle()
    if station is not None:
        await _send(desk, dispute, station, order.happened_at, order.report_reason or "")
    unreported = f"\n不报送派出所的理由：{order.no_report_reason.strip()}" if order.no_report_reason else ""
    await desk.insert(
        t.assessment,
        dispute_id=dispute.id,
        assessor_id=desk.actor.person_id,
        level=order.level,
        assessed_at=order.happened_at,
        reason=order.reason.strip() + unreported,
        reported=reported or station is not None,
    )
    await desk.change(dispute.id, risk_level=order.level)
    if order.level == "HIGH":
        await open_alert(desk, "HIGH_RISK", dispute.id, subject=str(dispute.id), at=order.happened_at)
    changes = (("Dispute", dispute.id, "risk_level", order.level),)
    return Outcome("Dispute", dispute.id, order.happened_at, fields=("risk_level",), changes=changes)


@dataclass(frozen=True)
class ReportOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("报送时间")
    reason: str = given("事由，不写个人信息")
    police_id: UUID | None = given("派出所；不写为本镇街的", of="Organization", default=None)


@command("dispute", "report", "向派出所报送风险。", ReportOrder, target="Dispute", shows="Dispute")
async def report(desk: Desk, dispute: Record, order: ReportOrder) -> Outcome:
    """人民调解法 Art. 25: what may become a matter of public security or crime is reported promptly."""
    desk.happened("happenedAt", order.happened_at, dispute["registered_at"], "登记时间")
    impersonal(desk, "reason", order.reason, 500)
    station = await _station(desk, dispute, order.police_id, "policeId")
    desk.settle()
    assert station is not None
    sent = await _send(desk, dispute, station, order.happened_at, order.reason)
    await desk.change(dispute.id)
    changes = (("Referral", sent, "kind", "RISK_REPORT"),)
    return Outcome("Dispute", dispute.id, order.happened_at, fields=("referrals",), changes=changes)


_STATION_OF_TOWN = (
    select(t.organization.c.id)
    .where(t.organization.c.kind == "POLICE_STATION", t.organization.c.area_code == bindparam("town", type_=Text()))
    .order_by(t.organization.c.name)
    .limit(literal_column("1"))
)


async def _station(desk: Desk, dispute: Record, wanted: UUID | None, field: str) -> UUID | None:
    """The police station that is named, or that of the town; otherwise the mistake is noted."""
    if wanted is not None:
        try:
            named = await desk.see("Organization", wanted, field=field)
        except Absent:
            named = None
        if named is None or named["kind"] != "POLICE_STATION":
            desk.mistake(field, "NOT_POLICE", "请写明一个派出所。")
            return None
        return named.id
    found = await desk.fetch(_STATION_OF_TOWN, {"town": dispute["town_code"]})
    if not found:
        desk.mistake(field, "REQUIRED", "本镇街没有登记派出所，请写明报送哪一个派出所。")
        return None
    return UUID(str(found[0]["id"]))


async def _reported(desk: Desk, dispute_id: UUID) -> bool:
    return any(row["state"] != "WITHDRAWN" for row in await _reports(desk, dispute_id))


_REPORTS = select(t.referral.c.id, t.referral.c.organization_id, t.referral.c.state, t.referral.c.reason).where(
    t.referral.c.dispute_id == bindparam("dispute", type_=Uuid()), t.referral.c.kind == "RISK_REPORT"
)


async def _reports(desk: Desk, dispute_id: UUID) -> list[Any]:
    return await desk.fetch(_REPORTS, {"dispute": dispute_id})


async def _send(desk: Desk, dispute: Record, station: UUID, at: dt.datetime, reason: str) -> UUID:
    """The report; a second one to the same station is added to the first, which awaits an answer again."""
    for row in await _reports(desk, dispute.id):
        if row["organization_id"] == station:
            added = f"{row['reason']}\n{local(at):%Y-%m-%d %H:%M} 再次报送：{reason.strip()}"
            await desk.update(t.referral, row["id"], state="SENT", sent_at=at, answered_at=None, reason=added)
            return UUID(str(row["id"]))
    owner = {"TEAM": "committee_id", "SQUAD": "squad_id", "CENTRE": "centre_id"}[dispute["tier"]]
    return await desk.insert(
        t.referral,
        dispute_id=dispute.id,
        dispute_registered_at=dispute["registered_at"],
        organization_id=station,
        from_organization_id=dispute[owner],
        kind="RISK_REPORT",
        state="SENT",
        sent_at=at,
        reason=reason.strip(),
    )
