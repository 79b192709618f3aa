"""Commands at the end: close, archive, reopen. An archived dispute never changes; a rebound is a new one that is linked to it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.calendar import day_of
from db.command import Outcome, command, given
from db.commands.inviting import check_impersonal
from db.commands.mediators import unfit
from db.desk import Desk, Record
from db.grid import team_of
from db.tables.dispute import SOURCES
from db.uuid7 import uuid7

# What a rebound takes over from the dispute before it.
_COPIED = (
    "title", "category", "sub_category", "amount_claimed", "people_count", "summary", "public_summary", "grid_code",
    "compound_id",
)  # fmt: skip
# And from each of its parties: who they are, not what they consented to.
_PARTY_COPIED = (
    "side", "kind", "is_natural_person", "name", "is_alias", "phone", "address", "id_number", "id_number_hash",
    "credit_code", "agent_name", "agent_powers", "is_minor", "supplied_by_id", "company_id",
)  # fmt: skip


@dataclass(frozen=True)
class CloseOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("结案时间")
    outcome: str | None = given("办理结果说明，不写个人信息", default=None)


@command(
    "dispute", "close", "结案：义务已履行、已回访、没有未关闭的预警。", CloseOrder, target="Dispute", shows="Dispute"
)
async def close(desk: Desk, dispute: Record, order: CloseOrder) -> Outcome:
    """S27 案结事了. The guards ask what must be there; here only when."""
    desk.happened("happenedAt", order.happened_at, dispute["concluded_at"], "调解终结时间")
    last = await _last_day(desk, dispute.id)
    if last is not None and day_of(order.happened_at) < last:
        desk.mistake("happenedAt", "TOO_EARLY", f"结案不能早于最后一次履行或回访（{last.isoformat()}）。")
    values: dict[str, Any] = {}
    if order.outcome is not None:
        check_impersonal(desk, "outcome", order.outcome)
        values["outcome"] = order.outcome.strip()
    desk.settle()
    await desk.change(dispute.id, state="CLOSED", closed_at=order.happened_at, **values)
    changes = (
        ("Dispute", dispute.id, "closed_at", order.happened_at.isoformat()),
        *(("Dispute", dispute.id, name, value) for name, value in values.items()),
    )
    return Outcome(
        "Dispute", dispute.id, order.happened_at, dispute["state"], "CLOSED", ("closed_at", *values), changes=changes
    )


_OF_DISPUTE = bindparam("of_dispute", type_=Uuid())
_LAST_DAY = select(
    func.greatest(
        select(func.max(t.follow_up.c.done_at)).where(t.follow_up.c.dispute_id == _OF_DISPUTE).scalar_subquery(),
        select(func.max(t.obligation.c.performed_on)).where(t.obligation.c.dispute_id == _OF_DISPUTE).scalar_subquery(),
    ).label("last")
)


async def _last_day(desk: Desk, dispute_id: UUID) -> dt.date | None:
    """The day of the last performance or follow-up."""
    last: dt.date | None = (await desk.fetch(_LAST_DAY, {"of_dispute": dispute_id}))[0]["last"]
    return last


@dataclass(frozen=True)
class ArchiveOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("归档时间")


@command("dispute", "archive", "案卷齐全的归档；此后一律不再变更。", ArchiveOrder, target="Dispute", shows="Dispute")
async def archive(desk: Desk, dispute: Record, order: ArchiveOrder) -> Outcome:
    """人民调解法 Art. 27. A case that ended without being closed (declined, failed, withdrawn, refused) ends with its archiving."""
    ended = dispute["closed_at"] or dispute["concluded_at"] or dispute["accepted_at"] or dispute["registered_at"]
    desk.happened("happenedAt", order.happened_at, ended, "结案或终结时间")
    desk.settle()
    closed_at = dispute["closed_at"] or order.happened_at
    await desk.change(dispute.id, state="ARCHIVED", closed_at=closed_at)
    return Outcome("Dispute", dispute.id, order.happened_at, dispute["state"], "ARCHIVED", ("state",))


@dataclass(frozen=True)
class ReopenOrder:
    id: UUID = given("反弹的纠纷", of="Dispute")
    happened_at: dt.datetime = given("发现反弹的时间，即新纠纷的登记时间")
    reason: str = given("反弹情形")
    summary: str | None = given("新的案情简述；不写则沿用原案情", default=None)
    source: str = given("案件来源；不写为调委会主动调解", codes=SOURCES, default="INITIATIVE")


@command(
    "dispute",
    "reopen",
    "反弹再立：另立一件与原纠纷相连的新纠纷，沿用小区、当事人与案情；结案一百八十日以内的计入反弹率。",
    ReopenOrder,
    target="Dispute",
    shows="Dispute",
)
async def reopen(desk: Desk, dispute: Record, order: ReopenOrder) -> Outcome:
    """S24. The dispute before it stays as it is; the new one goes through registration, consent and number as any other."""
    at = order.happened_at
    desk.happened("happenedAt", at, dispute["closed_at"], "结案时间")
    desk.text("reason", order.reason, 1000)
    if order.summary is not None:
        desk.text("summary", order.summary, 4000)
    desk.settle()
    copied = {name: dispute[name] for name in _COPIED}
    if order.summary is not None:
        copied["summary"] = order.summary.strip()
    key = await desk.insert(
        t.dispute,
        id=uuid7(),
        **copied,
        source=order.source,
        state="REGISTERED",
        tier="TEAM",
        # A rebound is no low risk (S13); whoever assesses it says what it is.
        risk_level="HIGH" if dispute["risk_level"] == "HIGH" else "MEDIUM",
        registered_at=at,
        team_id=await team_of(desk, dispute["grid_code"]),
        previous_id=dispute.id,
    )
    await _copy_parties(desk, dispute.id, key)
    await _lead_again(desk, dispute, key, at)
    # SECURITY: whoever makes the new dispute must see it; otherwise it is not made.
    desk.still("Dispute", key, "reopen")
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


async def _copy_parties(desk: Desk, before: UUID, key: UUID) -> None:
    for one in await desk.fetch(_PARTIES, {"of_dispute": before}):
        party_id = uuid7()
        cipher = one["id_number_cipher"]
        if cipher is not None:
            # SECURITY: a ciphertext opens in its own row only, so it is made anew for the copy; the number goes nowhere else.
            cipher = desk.cipher.encrypt(desk.cipher.decrypt(cipher, row_id=one["id"]), row_id=party_id)
        copied = {name: one[name] for name in _PARTY_COPIED}
        await desk.insert(t.party, id=party_id, dispute_id=key, id_number_cipher=cipher, **copied)


async def _lead_again(desk: Desk, dispute: Record, key: UUID, at: dt.datetime) -> None:
    """The mediator who reopens it takes the lead, else whoever led it last, if he still may."""
    before = {one["person_id"]: one["is_lead"] for one in await desk.fetch(_ASSIGNED, {"of_dispute": dispute.id})}
    found = await desk.fetch(_MEDIATOR, {"of_person": desk.actor.person_id})
    if not found:
        led = next((person for person, is_lead in before.items() if is_lead), None)
        found = await desk.fetch(_MEDIATOR, {"of_person": led}) if led is not None else []
    # The parties are the same, and so are the conflicts that were disclosed about them.
    if found and not await unfit(desk, dispute.id, found[0], at, assigned=found[0]["person_id"] in before):
        await desk.insert(
            t.assignment,
            id=uuid7(),
            dispute_id=key,
            dispute_registered_at=at,
            person_id=found[0]["person_id"],
            is_lead=True,
            mode="APPOINTED",
            assigned_at=at,
        )
