"""Commands of risk: assess it, and report it to the police (人民调解法 Art. 25)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Select, bindparam, exists, literal_column, or_, select
from sqlalchemy.types import Text, Uuid

from db import tables as t
from db.calendar import local
from db.commands.alert import open_alert
from db.resources.catalog import RESOURCES
from db.tables.dispute import OPEN_STATES, RISK_LEVELS
from db.write.case_rules import REPORT_REQUIRED
from db.write.command import Absent, Outcome, UserError, command, input_field
from db.write.transaction import Record, UnitOfWork


@dataclass(frozen=True)
class AssessInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("评估时间")
    level: str = input_field("风险等级", codes=RISK_LEVELS)
    reason: str = input_field("评估依据")
    reported_to_police: bool = input_field("同时报送派出所；高风险须已报送、同时报送或写明不报送的理由", default=False)
    police_id: UUID | None = input_field("同时报送的派出所；不写为本镇街的", of="Organization", default=None)
    report_reason: str | None = input_field("报送的事由，不写个人信息；同时报送时必写", default=None)
    no_report_reason: str | None = input_field("高风险而不报送派出所的理由", default=None)


@command(
    "dispute",
    "assess",
    "评估风险；高风险产生预警，并须报送派出所或写明不报送的理由。",
    AssessInput,
    target="Dispute",
    shows="Dispute",
    states=OPEN_STATES,
    example={"level": "LOW", "reason": "平稳。"},
)
async def assess(work: UnitOfWork, dispute: Record, input: AssessInput) -> Outcome:
    """人民调解法 Art. 25 (S13): the risk is rated at each contact; a high one is reported, or it is written down why not."""
    if input.reported_to_police:
        # SECURITY: a report opens the dispute to the police, so the caller who makes one by assessing must be allowed to report.
        await work.lock("Dispute", dispute.id, "report", field="reportedToPolice")
    work.check_text("reason", input.reason, 2000)
    if input.no_report_reason is not None:
        work.check_text("noReportReason", input.no_report_reason, 500)
    station: UUID | None = None
    reported = input.level == "HIGH" and await _reported(work, dispute.id)
    if input.reported_to_police:
        work.check_text("reportReason", input.report_reason or "", 500)
        station = await _station(work, dispute, input.police_id, "policeId")
    elif input.level == "HIGH" and not reported and input.no_report_reason is None:
        work.error("reportedToPolice", "REPORT_REQUIRED", REPORT_REQUIRED)
    work.raise_errors()
    unreported = f"\n不报送派出所的理由：{input.no_report_reason.strip()}" if input.no_report_reason else ""
    key = await work.insert(
        t.assessment,
        dispute_id=dispute.id,
        assessor_id=work.actor.person_id,
        level=input.level,
        assessed_at=input.happened_at,
        reason=input.reason.strip() + unreported,
        reported=reported or station is not None,
    )
    if station is not None:
        await _send(work, dispute, station, input.happened_at, input.report_reason or "")
    await work.update_dispute(dispute.id, risk_level=input.level)
    if input.level == "HIGH":
        await open_alert(work, "HIGH_RISK", dispute.id, subject=str(dispute.id), at=input.happened_at)
    changes = (("Dispute", dispute.id, "risk_level", input.level),)
    return Outcome("Assessment", key, input.happened_at, fields=("risk_level",), changes=changes)


@dataclass(frozen=True)
class ReportInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("报送时间")
    reason: str = input_field("事由，不写个人信息")
    police_id: UUID | None = input_field("派出所；不写为本镇街的", of="Organization", default=None)


@command(
    "dispute",
    "report",
    "向派出所报送风险。",
    ReportInput,
    target="Dispute",
    shows="Dispute",
    states=OPEN_STATES,
    example={"reason": "情况如前。"},
)
async def report(work: UnitOfWork, dispute: Record, input: ReportInput) -> Outcome:
    """人民调解法 Art. 25: what may become a matter of public security or crime is reported promptly."""
    work.check_text("reason", input.reason, 500)
    station = await _station(work, dispute, input.police_id, "policeId")
    work.raise_errors()
    assert station is not None
    sent = await _send(work, dispute, station, input.happened_at, input.reason)
    await work.update_dispute(dispute.id)
    changes = (("Referral", sent, "kind", "RISK_REPORT"),)
    return Outcome("Referral", sent, input.happened_at, fields=("referrals",), changes=changes)


# -- the risk with which a dispute begins


class FirstRisk(Protocol):
    """What an input that begins a dispute says of its risk."""

    @property
    def risk_level(self) -> str: ...
    @property
    def report_reason(self) -> str | None: ...
    @property
    def no_report_reason(self) -> str | None: ...
    @property
    def happened_at(self) -> dt.datetime: ...


async def check_risk(work: UnitOfWork, input: FirstRisk, town_code: str, *, by_police: bool) -> UUID | None:
    """The rules of `assess` for a dispute that begins: every user error noted; the police station to which it is reported."""
    if input.risk_level != "HIGH":
        for field, text in (("reportReason", input.report_reason), ("noReportReason", input.no_report_reason)):
            if text is not None:
                work.error(field, "NOT_APPLICABLE", "只有高风险的写明是否报送派出所。")
        return None
    if input.no_report_reason is not None:
        work.check_text("noReportReason", input.no_report_reason, 500)
    if input.report_reason is not None:
        work.check_text("reportReason", input.report_reason, 500)
        return await _station(work, {"town_code": town_code}, None, "reportReason")
    if input.no_report_reason is None and not by_police:
        work.error("reportReason", "REPORT_REQUIRED", REPORT_REQUIRED)
    return None


async def note_first_risk(
    work: UnitOfWork, dispute_id: UUID, input: FirstRisk, police: UUID | None, *, by_police: bool
) -> None:
    """A high risk is on record with its first assessment, and reported where it is to be."""
    if input.risk_level != "HIGH":
        return
    if police is not None:
        begun = {"id": dispute_id, "registered_at": input.happened_at, "tier": "TEAM", "committee_id": None}
        await _send(work, Record("Dispute", begun, None), police, input.happened_at, input.report_reason or "")
        # SECURITY: a report opens the dispute to the police, so whoever makes one by registering must be allowed to report.
        forbidden = UserError("reportReason", "FORBIDDEN", "您无权报送派出所；请写明不报送的理由，由有权的人员报送。")
        work.ensure_after("Dispute", dispute_id, "report", forbidden)
    unreported = (
        f"登记时即为高风险。不报送派出所的理由：{input.no_report_reason.strip()}" if input.no_report_reason else None
    )
    await work.insert(
        t.assessment,
        dispute_id=dispute_id,
        assessor_id=work.actor.person_id,
        level="HIGH",
        assessed_at=input.happened_at,
        reason=unreported or "登记时即为高风险。",
        reported=by_police or police is not None,
    )


_LAST_HIGH = (
    select(t.assessment.c.reason, t.assessment.c.reported)
    .where(
        t.assessment.c.dispute_id == bindparam("dispute", type_=Uuid()),
        t.assessment.c.level == literal_column("'HIGH'"),
    )
    .order_by(t.assessment.c.assessed_at.desc())
    .limit(literal_column("1"))
)


async def carry_over_risk(work: UnitOfWork, before: UUID, key: UUID, at: dt.datetime, reason: str) -> None:
    """A dispute that begins again with a high risk takes over the last assessment of it, and with that why it was reported or not."""
    rows = await work.fetch(_LAST_HIGH, {"dispute": before})
    taken = f"\n沿用原纠纷的评估：{rows[0]['reason']}" if rows else ""
    await work.insert(
        t.assessment,
        dispute_id=key,
        assessor_id=work.actor.person_id,
        level="HIGH",
        assessed_at=at,
        reason=reason.strip() + taken,
        reported=bool(rows) and rows[0]["reported"],
    )
    await open_alert(work, "HIGH_RISK", key, subject=str(key), at=at)


_STATION_OF_TOWN = (
    select(t.organization.c.id)
    .where(t.organization.c.kind == "POLICE_STATION", t.organization.c.area_code == bindparam("town", type_=Text()))
    .order_by(t.organization.c.name)
    .limit(literal_column("1"))
)


async def _station(
    work: UnitOfWork, dispute: Record | Mapping[str, Any], wanted: UUID | None, field: str
) -> UUID | None:
    """The police station that is named, or that of the town; otherwise the user error is noted."""
    if wanted is not None:
        try:
            named = await work.load_visible("Organization", wanted, field=field)
        except Absent:
            named = None
        if named is None or named["kind"] != "POLICE_STATION":
            work.error(field, "NOT_POLICE", "请写明一个派出所。")
            return None
        return named.id
    rows = await work.fetch(_STATION_OF_TOWN, {"town": dispute["town_code"]})
    if not rows:
        work.error(field, "REQUIRED", "本镇街没有登记派出所，请写明报送哪一个派出所。")
        return None
    return UUID(str(rows[0]["id"]))


async def _reported(work: UnitOfWork, dispute_id: UUID) -> bool:
    """Whether the caller sees that it was reported: the report itself, or an assessment that says so.

    SECURITY: a report that is hidden from them must not show by what they are asked for.
    """

    def make() -> Select[Any]:
        of, visibility = bindparam("dispute", type_=Uuid()), work.visibility
        report, reports = visibility.row(RESOURCES["Referral"], t.referral.alias())
        sent = (report["kind"] == literal_column("'RISK_REPORT'"), report["state"] != literal_column("'WITHDRAWN'"))
        assessment, assessments = visibility.row(RESOURCES["Assessment"], t.assessment.alias())
        told = (assessment["reported"], visibility.clear(assessment, "reported"))
        seen = [
            exists(
                select(literal_column("1"))
                .select_from(at)
                .where(row["dispute_id"] == of, visibility.visible(row), *more)
            )
            for row, at, more in ((report, reports, sent), (assessment, assessments, told))
        ]
        return select(or_(*seen).label("reported"))

    return bool((await work.fetch_for_caller("reported", make, {"dispute": dispute_id}))[0]["reported"])


_REPORTS = select(t.referral.c.id, t.referral.c.organization_id, t.referral.c.state, t.referral.c.reason).where(
    t.referral.c.dispute_id == bindparam("dispute", type_=Uuid()), t.referral.c.kind == "RISK_REPORT"
)


async def _reports(work: UnitOfWork, dispute_id: UUID) -> list[Any]:
    return await work.fetch(_REPORTS, {"dispute": dispute_id})


async def _send(work: UnitOfWork, dispute: Record, station: UUID, at: dt.datetime, reason: str) -> UUID:
    """The report; a second one to the same station is added to the first, which awaits an answer again."""
    for row in await _reports(work, dispute.id):
        if row["organization_id"] == station:
            added = f"{row['reason']}\n{local(at):%Y-%m-%d %H:%M} 再次报送：{reason.strip()}"
            await work.update(t.referral, row["id"], state="SENT", sent_at=at, answered_at=None, reason=added)
            return UUID(str(row["id"]))
    owner = {"TEAM": "committee_id", "SQUAD": "squad_id", "CENTRE": "centre_id"}[dispute["tier"]]
    return await work.insert(
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
