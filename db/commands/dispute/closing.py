"""Commands at the end: close, archive, reopen. An archived dispute never changes; a rebound is a new one that is linked to it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, literal_column, or_, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.commands.alert import open_alert
from db.commands.dispute.assignment import reasons_against
from db.commands.dispute.closing_rules import CLOSING_RULES
from db.commands.dispute.guards import NO_HANDOVER_WAITING, SECOND_HAND
from db.commands.dispute.risk import carry_over_risk
from db.commands.team import active_team_of
from db.resources.guards import Guard, equals, none, some
from db.resources.resource import literals
from db.tables.dispute import AFTER_PERFORMANCE_STATES, ENDED_STATES, SOURCES, UNSETTLED_STATES
from db.uuid7 import uuid7
from db.write.command import Outcome, command, input_field
from db.write.transaction import Record, UnitOfWork

# What a rebound takes over from the dispute before it.
_COPIED = (
    "title", "category", "sub_category", "amount_claimed", "people_count", "summary", "public_summary", "utility_cut",
    "grid_code", "compound_id",
)  # fmt: skip
# And from each of its parties: who they are, not what they consented to.
_PARTY_COPIED = (
    "side", "kind", "is_natural_person", "name", "is_alias", "phone", "address", "id_number", "id_number_hash",
    "credit_code", "agent_name", "agent_powers", "is_minor", "supplied_by_id", "company_id",
)  # fmt: skip


@dataclass(frozen=True)
class CloseInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("结案时间")
    outcome: str | None = input_field("办理结果说明，不写个人信息", default=None)


@command(
    "dispute",
    "close",
    "结案：义务已履行或依法了结，履行后已回访，没有待办的回访与预警；调解结果不变。",
    CloseInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("concluded", "performed", "visited"),
    states=AFTER_PERFORMANCE_STATES,
    guards=(*CLOSING_RULES, SECOND_HAND),
)
async def close(work: UnitOfWork, dispute: Record, input: CloseInput) -> Outcome:
    """S27 案结事了. The guards check what must be there; the function only when."""
    values: dict[str, Any] = {}
    if input.outcome is not None:
        work.check_text("outcome", input.outcome, 500)
        values["outcome"] = input.outcome.strip()
    work.raise_errors()
    await work.update_dispute(dispute.id, state="CLOSED", closed_at=input.happened_at, **values)
    changes = (
        ("Dispute", dispute.id, "closed_at", input.happened_at.isoformat()),
        *(("Dispute", dispute.id, name, value) for name, value in values.items()),
    )
    return Outcome(
        "Dispute", dispute.id, input.happened_at, dispute["state"], "CLOSED", ("closed_at", *values), changes=changes
    )


_OF_DISPUTE = bindparam("of_dispute", type_=Uuid())


@dataclass(frozen=True)
class ArchiveInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("归档时间")


_BOTH_SIDES = Guard(
    "id",
    "NO_PARTIES",
    "案卷不全：须写明申请人与被申请人。",
    lambda row: or_(
        row["state"] == literal_column("'DECLINED'"),
        and_(some(t.party, equals("side", "APPLICANT"))(row), some(t.party, equals("side", "RESPONDENT"))(row)),
    ),
)
_NOTIFIED = Guard(
    "id",
    "NOT_NOTIFIED",
    "案卷不全：没有权利义务告知（《人民调解工作若干规定》第三十条）。",
    lambda row: or_(row["state"] != literal_column("'CLOSED'"), row["notified_at"].is_not(None)),
)
_RECORDED = Guard(
    "id",
    "NO_RECORD",
    "案卷不全：没有调解笔录或调解协议（《人民调解法》第二十七条）。",
    lambda row: or_(row["state"] != literal_column("'CLOSED'"), some(t.session)(row), some(t.agreement)(row)),
)


@command(
    "dispute",
    "archive",
    "案卷齐全、没有待办事项的归档；此后一律不再变更，调解结果也不变。",
    ArchiveInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("accepted", "concluded", "closed", "performed", "visited"),
    states=("CLOSED", *UNSETTLED_STATES, "DECLINED"),
    guards=(_BOTH_SIDES, _NOTIFIED, _RECORDED, NO_HANDOVER_WAITING, *CLOSING_RULES),
)
async def archive(work: UnitOfWork, dispute: Record, input: ArchiveInput) -> Outcome:
    """人民调解法 Art. 27. A case that ended without being closed (declined, failed, withdrawn, refused) ends with its archiving.

    The result stays what it was.
    """
    work.raise_errors()
    closed_at = dispute["closed_at"] or input.happened_at
    await work.update_dispute(dispute.id, state="ARCHIVED", closed_at=closed_at)
    return Outcome("Dispute", dispute.id, input.happened_at, dispute["state"], "ARCHIVED", ("state",))


@dataclass(frozen=True)
class ReopenInput:
    id: UUID = input_field("反弹或再次申请的纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("发现反弹或再次申请的时间，即新纠纷的登记时间")
    reason: str = input_field("反弹情形，或再次申请的事由")
    summary: str | None = input_field("新的案情简述；不写则沿用原案情", default=None)
    source: str = input_field("案件来源；不写为调委会主动调解", codes=SOURCES, default="INITIATIVE")


_NOT_REOPENED = Guard(
    "id",
    "REOPENED",
    "已经再立，正在办理。",
    none(t.dispute, lambda row, at: at.c.state.not_in(literals(ENDED_STATES)), key="previous_id"),
)


@command(
    "dispute",
    "reopen",
    "再立：反弹的，或调解未成、协议未履行而再次申请的，另立一件与原纠纷相连的新纠纷，沿用小区、当事人与案情；"
    "结案一百八十日以内的计入反弹率。",
    ReopenInput,
    target="Dispute",
    shows="Dispute",
    by_hand=True,
    rests_on=("accepted", "concluded", "closed"),
    states=(*AFTER_PERFORMANCE_STATES, *ENDED_STATES),
    guards=(_NOT_REOPENED,),
    example={"reason": "情况如前。"},
)
async def reopen(work: UnitOfWork, dispute: Record, input: ReopenInput) -> Outcome:
    """S24, and a new application after mediation failed, was refused or withdrawn, or the agreement was not performed.

    The earlier dispute is unchanged; the new one goes through registration, consent and number as any other.
    """
    at = input.happened_at
    work.check_text("reason", input.reason, 1000)
    if input.summary is not None:
        work.check_text("summary", input.summary, 4000)
    work.raise_errors()
    copied = {name: dispute[name] for name in _COPIED}
    if input.summary is not None:
        copied["summary"] = input.summary.strip()
    key = await work.insert(
        t.dispute,
        id=uuid7(),
        **copied,
        source=input.source,
        state="REGISTERED",
        tier="TEAM",
        # A rebound is no low risk (S13); its level is set by the next assessment.
        risk_level="HIGH" if dispute["risk_level"] == "HIGH" else "MEDIUM",
        registered_at=at,
        team_id=await active_team_of(work, dispute["grid_code"]),
        previous_id=dispute.id,
        **work.hand(),
    )
    await _copy_parties(work, dispute.id, key)
    await _assign_lead(work, dispute, key, at)
    if dispute["risk_level"] == "HIGH":
        await carry_over_risk(work, dispute.id, key, at, input.reason)
    if dispute["utility_cut"] is not None:
        await open_alert(work, "UTILITY_CUTOFF", key, subject=str(key), at=at)
    # SECURITY: the caller must see the new dispute; otherwise it is not created.
    work.ensure_still_allowed("Dispute", key, "reopen")
    changes = (("Dispute", key, "summary", copied["summary"]),)
    # The event belongs to the new dispute: the one before it may be archived, and stays as it is.
    return Outcome(
        "Dispute", key, at, None, "REGISTERED", ("title", "summary", "parties"), dispute_id=key, changes=changes
    )


_PARTIES = select(t.party).where(t.party.c.dispute_id == _OF_DISPUTE, t.party.c.withdrawn_on.is_(None))
_MEDIATOR = select(t.mediator).where(t.mediator.c.person_id == bindparam("of_person", type_=Uuid()))
_ASSIGNED = select(t.assignment.c.person_id, t.assignment.c.is_lead).where(
    t.assignment.c.dispute_id == _OF_DISPUTE, t.assignment.c.ended_at.is_(None)
)


async def _copy_parties(work: UnitOfWork, before: UUID, key: UUID) -> None:
    for party in await work.fetch(_PARTIES, {"of_dispute": before}):
        party_id = uuid7()
        cipher = party["id_number_cipher"]
        if cipher is not None:
            # SECURITY: a ciphertext opens in its own row only, so it is made anew for the copy; the number goes nowhere else.
            cipher = work.cipher.encrypt(work.cipher.decrypt(cipher, row_id=party["id"]), row_id=party_id)
        copied = {name: party[name] for name in _PARTY_COPIED}
        await work.insert(t.party, id=party_id, dispute_id=key, id_number_cipher=cipher, **copied)


async def _assign_lead(work: UnitOfWork, dispute: Record, key: UUID, at: dt.datetime) -> None:
    """The mediator who reopens it takes the lead, else the last lead, if they still may."""
    before = {row["person_id"]: row["is_lead"] for row in await work.fetch(_ASSIGNED, {"of_dispute": dispute.id})}
    mediators = await work.fetch(_MEDIATOR, {"of_person": work.actor.person_id})
    if not mediators:
        led = next((person for person, is_lead in before.items() if is_lead), None)
        mediators = await work.fetch(_MEDIATOR, {"of_person": led}) if led is not None else []
    # The parties are the same, and so are the conflicts that were disclosed about them.
    if mediators and not await reasons_against(
        work, dispute.id, mediators[0], at, assigned=mediators[0]["person_id"] in before
    ):
        await work.insert(
            t.assignment,
            id=uuid7(),
            dispute_id=key,
            dispute_registered_at=at,
            person_id=mediators[0]["person_id"],
            is_lead=True,
            mode="APPOINTED",
            assigned_at=at,
        )
