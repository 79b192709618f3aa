"""Registers a dispute or a clue: the row, its parties, the reporting organization, and the lead of a mediator who registers it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, literal_column, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.calendar import day_of
from db.commands.alert import open_alert
from db.commands.dispute.risk import check_risk, note_first_risk
from db.commands.money import check_money
from db.commands.party_input import PartyInput, add_party, check_party, nature_of
from db.commands.team import team_in
from db.resources.attributes import areas_of
from db.resources.resource import Row, Sql
from db.tables.dispute import CATEGORIES, RISK_LEVELS, SOURCES, SUB_CATEGORIES, UTILITIES
from db.uuid7 import uuid7
from db.write.command import Outcome, Place, Site, command, input_field
from db.write.example import Placeholder
from db.write.row_locks import Fact
from db.write.texts import note_names
from db.write.transaction import Record, UnitOfWork
from policies.grant import Access
from policies.predicate import ClaimRef, Eq, implies

# What an organization that reports may name as the source: itself. The others are departments.
SOURCE_OF = {
    "COURT": "COURT",
    "POLICE_STATION": "POLICE",
    "PETITION_OFFICE": "PETITION",
    "HOTLINE_OFFICE": "HOTLINE",
    "GOVERNANCE_CENTRE": "GOVERNANCE_CENTRE",
}


@dataclass(frozen=True)
class RegisterInput:
    title: str = input_field("标题，不写个人姓名与门牌")
    compound_id: UUID = input_field("小区", of="Compound")
    sub_category: str = input_field("物业纠纷子类", codes=SUB_CATEGORIES)
    source: str = input_field("案件来源", codes=SOURCES)
    summary: str = input_field("案情简述")
    happened_at: dt.datetime = input_field("登记时间，即收到申请或发现的时间")
    parties: tuple[PartyInput, ...] = input_field("当事人，至少写明一名申请人与一名被申请人；线索可只写一方")
    category: str = input_field("纠纷类型；不写为物业", codes=CATEGORIES, default="PROPERTY")
    occurred_on: dt.date | None = input_field("纠纷发生日期", default=None)
    public_summary: str | None = input_field("可公开摘要，不写个人信息", default=None)
    amount_claimed: Decimal | None = input_field("争议金额，元", default=None)
    people_count: int = input_field("涉及人数", default=1)
    risk_level: str = input_field("风险等级；不写为低", codes=RISK_LEVELS, default="LOW")
    utility_cut: str | None = input_field("被停的公用事业；子类为停水停电停气停暖时必写", codes=UTILITIES, default=None)
    report_reason: str | None = input_field(
        "高风险同时报送本镇街派出所的事由，不写个人信息；高风险须写明此项或不报送的理由", default=None
    )
    no_report_reason: str | None = input_field("高风险而不报送派出所的理由", default=None)
    external_ref: str | None = input_field("来源单位的单号；同一单位同一单号只登记一次", form="reference", default=None)


def _mediates(_: Row) -> Sql:
    return exists(select(literal_column("1")).where(t.mediator.c.person_id == bindparam("me", type_=Uuid())))


_PLACE = (
    Fact("team_id", lambda row: team_in(row["grid_code"]).correlate(row.at).scalar_subquery()),
    Fact("caller_mediates", _mediates),
)


async def _place(work: UnitOfWork, values: Mapping[str, Any]) -> Site:
    """The dispute that will be there: in the compound's grid, at the team, with the caller if they are a mediator."""
    compound = await work.load_visible("Compound", values["compound_id"], field="compoundId", facts=_PLACE)
    me, grid_code = work.actor.person_id, compound["grid_code"]
    mediates = compound["caller_mediates"]
    attributes = {
        **areas_of(grid_code),
        "community_code": grid_code[:12],
        "state": "REGISTERED",
        "tier": "TEAM",
        "risk_level": values.get("risk_level", "LOW"),
        "team_id": compound["team_id"],
        "source_organization_id": reporting_organization(work.actor.access),
        "lead_mediator_id": me if mediates else None,
        "mediator_ids": {me} if mediates else set(),
        "is_open": True,
        "is_recent": True,
    }
    return Site(attributes, compound)


@command(
    "dispute",
    "register",
    "登记一件纠纷或线索。",
    RegisterInput,
    target=None,
    place=Place(("compound_id",), _place, "compoundId", "您无权在这个小区登记纠纷。"),
    shows="Dispute",
    by_hand=True,
    example={
        "title": "物业费争议",
        "compound_id": Placeholder("Compound", "where the caller may register"),
        "sub_category": "P01",
        "source": "INITIATIVE",
        "summary": "对物业费有争议。",
        "parties": (
            {"side": "APPLICANT", "kind": "OWNER", "name": "李龙"},
            {"side": "RESPONDENT", "kind": "COMPANY", "name": "聊城示例物业服务有限公司"},
        ),
    },
)
async def register(work: UnitOfWork, compound: Record, input: RegisterInput) -> Outcome:
    """A new dispute in state REGISTERED at the team tier; a mediator who registers takes the lead (Art. 17, own initiative)."""
    _check(work, input)
    organization = reporting_organization(work.actor.access)
    reporter = await _kind_of(work, organization)
    if reporter is not None and input.source != SOURCE_OF.get(reporter, "DEPARTMENT"):
        work.error("source", "NOT_OWN_SOURCE", "案件来源须是本单位，不能写作其他单位转来。")
    police = await check_risk(work, input, compound["town_code"], by_police=reporter == "POLICE_STATION")
    work.raise_errors()
    key = uuid7()
    await work.insert(
        t.dispute,
        id=key,
        title=input.title.strip(),
        category=input.category,
        sub_category=input.sub_category,
        source=input.source,
        state="REGISTERED",
        tier="TEAM",
        risk_level=input.risk_level,
        amount_claimed=input.amount_claimed,
        people_count=input.people_count,
        summary=input.summary.strip(),
        public_summary=input.public_summary,
        occurred_on=input.occurred_on,
        registered_at=input.happened_at,
        utility_cut=input.utility_cut,
        external_ref=input.external_ref,
        grid_code=compound["grid_code"],
        compound_id=compound.id,
        team_id=compound["team_id"],
        source_organization_id=organization,
        **work.hand(),
    )
    for index, party in enumerate(input.parties):
        made = await add_party(work, key, party, supplied_by=organization)
        work.parts[f"parties.{index}"] = f"Party:{made}"
    if compound["caller_mediates"]:
        await work.insert(
            t.assignment,
            dispute_id=key,
            dispute_registered_at=input.happened_at,
            person_id=work.actor.person_id,
            is_lead=True,
            mode="APPOINTED",
            assigned_at=input.happened_at,
        )
    await note_first_risk(work, key, input, police, by_police=reporter == "POLICE_STATION")
    if input.utility_cut is not None:
        await open_alert(work, "UTILITY_CUTOFF", key, subject=str(key), at=input.happened_at)
    if input.risk_level == "HIGH":
        await open_alert(work, "HIGH_RISK", key, subject=str(key), at=input.happened_at)
    return Outcome("Dispute", key, input.happened_at, None, "REGISTERED", ("title", "sub_category", "summary"))


def _check(work: UnitOfWork, input: RegisterInput) -> None:
    """Note every user error of the input."""
    if input.occurred_on is not None and input.occurred_on > day_of(input.happened_at):
        work.error("occurredOn", "OUT_OF_ORDER", "发生日期不能晚于登记日期。")
    work.check_text("title", input.title, 100)
    work.check_text("summary", input.summary, 4000)
    if input.public_summary is not None:
        work.check_text("publicSummary", input.public_summary, 1000)
    if input.external_ref is not None:
        work.check_text("externalRef", input.external_ref, 100)
    people = (one for one in input.parties if nature_of(one).is_natural and not one.is_alias)
    note_names(work, input, [one.name for one in people])
    check_money(work, "amountClaimed", input.amount_claimed)
    if input.people_count < 1:
        work.error("peopleCount", "TOO_SMALL", "涉及人数至少为 1。")
    if input.sub_category == "P02" and input.utility_cut is None:
        work.error("utilityCut", "REQUIRED", "停水停电停气停暖须写明被停的是哪一项。")
    if not input.parties:
        work.error("parties", "REQUIRED", "至少写明一名当事人。")
    for index, party in enumerate(input.parties):
        check_party(work, f"parties.{index}", party)


# What a rule of registration says for those who may register only what their own organization reports.
_OWN_REPORTS = Eq("source_organization_id", ClaimRef("organization_id"))


def reporting_organization(access: Access) -> UUID | None:
    """The organization that reports: that of the first appointment which registers as a reporter; none for the county's own people."""
    for slot, appointment in enumerate(access.appointments):
        if any(
            bound.slot == slot and bound.rule.allow and implies(bound.rule.rows, _OWN_REPORTS)
            for bound in access.grant("Dispute", "register").rules
        ):
            return UUID(str(appointment.claims["organization_id"]))
    return None


_KIND = select(t.organization.c.kind).where(t.organization.c.id == bindparam("organization", type_=Uuid()))


async def _kind_of(work: UnitOfWork, organization: UUID | None) -> str | None:
    """The kind of the organization that reports, if one does."""
    if organization is None:
        return None
    kind: str = (await work.fetch(_KIND, {"organization": organization}))[0]["kind"]
    return kind
