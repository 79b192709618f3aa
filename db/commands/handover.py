"""Commands between tiers: escalate, take, return. Until the upper tier takes, the lower one owns the case; exactly one does at any time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.command import Outcome, command, given
from db.desk import Desk, Record
from db.tables.dispute import TIERS
from db.uuid7 import uuid7

# The kind of an organization -> the tier that it is.
TIER_OF = {"SQUAD": "SQUAD", "CENTRE": "CENTRE"}
# Where a tier's organization stands in the dispute.
PLACE = {"SQUAD": "squad_id", "CENTRE": "centre_id"}


@dataclass(frozen=True)
class EscalateOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("上交时间")
    organization_id: UUID = given("接收单位：物业纠纷调解队，或本镇街的矛盾调解中心", of="Organization")
    reason: str = given("上交原因")
    handover: str = given("交接摘要：已做的工作、争议焦点、各方意见")


@command(
    "dispute",
    "escalate",
    "上交到上一层级；接收单位接收以前，仍由原层级办理。越级上交限于高风险。",
    EscalateOrder,
    target="Dispute",
    shows="Dispute",
)
async def escalate(desk: Desk, dispute: Record, order: EscalateOrder) -> Outcome:
    """S16, S17. The receiving organization sees the dispute from now on, and takes or returns it."""
    at = order.happened_at
    desk.happened("happenedAt", at, await _not_before(desk, dispute), "受理时间或上次移交的答复时间")
    desk.text("reason", order.reason, 1000)
    desk.text("handover", order.handover, 4000)
    receiver = await desk.see("Organization", order.organization_id, field="organizationId")
    tier = TIER_OF.get(receiver["kind"])
    if tier is None:
        desk.mistake("organizationId", "NOT_A_TIER", "只能上交给物业纠纷调解队或矛盾调解中心。")
    elif not dispute["grid_code"].startswith(receiver["area_code"]):
        desk.mistake("organizationId", "OUT_OF_AREA", "该单位不负责这个小区所在的区域。")
    elif TIERS.index(tier) <= TIERS.index(dispute["tier"]):
        desk.mistake("organizationId", "NOT_UPWARD", "只能上交到更高的层级。")
    elif TIERS.index(tier) > TIERS.index(dispute["tier"]) + 1 and dispute["risk_level"] != "HIGH":
        desk.mistake("organizationId", "SKIPS_A_TIER", "越级上交限于高风险纠纷；请先上交物业纠纷调解队，或先评估风险。")
    desk.settle()
    assert tier is not None
    key = await desk.insert(
        t.escalation,
        id=uuid7(),
        dispute_id=dispute.id,
        from_tier=dispute["tier"],
        to_tier=tier,
        state="SENT",
        organization_id=receiver.id,
        reason=order.reason.strip(),
        handover=order.handover.strip(),
        sent_at=at,
    )
    await desk.change(dispute.id, **{PLACE[tier]: receiver.id})
    changes = (
        ("Escalation", key, "to_tier", tier),
        ("Escalation", key, "reason", order.reason.strip()),
        ("Escalation", key, "handover", order.handover.strip()),
    )
    return Outcome("Dispute", dispute.id, at, fields=("escalations", "to_tier", "reason", "handover"), changes=changes)


@dataclass(frozen=True)
class TakeOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("接收时间")
    answer: str | None = given("接收说明", default=None)


@command("dispute", "take", "接收上交的纠纷；此后由本层级办理。", TakeOrder, target="Dispute", shows="Dispute")
async def take(desk: Desk, dispute: Record, order: TakeOrder) -> Outcome:
    """The tier changes now, in the same change as the answer to the hand-over. Who mediates stays until somebody else is assigned."""
    waiting = await _waiting(desk, dispute.id)
    desk.happened("happenedAt", order.happened_at, waiting["sent_at"], "上交时间")
    if order.answer is not None:
        desk.text("answer", order.answer, 1000)
    desk.settle()
    answer = order.answer.strip() if order.answer is not None else None
    await desk.update(t.escalation, waiting["id"], state="TAKEN", answered_at=order.happened_at, answer=answer)
    await desk.change(dispute.id, tier=waiting["to_tier"])
    changes: tuple[tuple[str, UUID, str, str | None], ...] = (
        ("Dispute", dispute.id, "tier", waiting["to_tier"]),
        ("Escalation", waiting["id"], "state", "TAKEN"),
    )
    if answer is not None:
        changes = (*changes, ("Escalation", waiting["id"], "answer", answer))
    return Outcome("Dispute", dispute.id, order.happened_at, fields=("tier", "escalations"), changes=changes)


@dataclass(frozen=True)
class ReturnOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("退回时间")
    reason: str = given("退回理由")


@command(
    "dispute",
    "return",
    "退回上交的纠纷，写明理由；原层级继续办理，本单位不再看到它。",
    ReturnOrder,
    target="Dispute",
    shows="Dispute",
    leaves=True,
)
async def send_back(desk: Desk, dispute: Record, order: ReturnOrder) -> Outcome:
    """S16: the upper tier must take it or return it with a reason. What it saw for deciding, it sees no more."""
    waiting = await _waiting(desk, dispute.id)
    desk.happened("happenedAt", order.happened_at, waiting["sent_at"], "上交时间")
    desk.text("reason", order.reason, 1000)
    desk.settle()
    await desk.update(
        t.escalation, waiting["id"], state="RETURNED", answered_at=order.happened_at, answer=order.reason.strip()
    )
    # The guard of `escalate` lets a hand-over start only towards a higher tier, whose place was therefore empty before it.
    await desk.change(dispute.id, **{PLACE[waiting["to_tier"]]: None})
    changes = (
        ("Escalation", waiting["id"], "state", "RETURNED"),
        ("Escalation", waiting["id"], "answer", order.reason.strip()),
    )
    return Outcome("Dispute", dispute.id, order.happened_at, fields=("escalations", "state", "answer"), changes=changes)


_WAITING = select(t.escalation).where(
    t.escalation.c.dispute_id == bindparam("dispute_id", type_=Uuid()), t.escalation.c.state == "SENT"
)
_LAST_ANSWER = select(func.max(t.escalation.c.answered_at).label("last")).where(
    t.escalation.c.dispute_id == bindparam("dispute_id", type_=Uuid())
)


async def _waiting(desk: Desk, dispute_id: UUID) -> Any:
    """The hand-over that waits; the guard of the action has seen that there is one for the caller's organization."""
    return (await desk.fetch(_WAITING, {"dispute_id": dispute_id}))[0]


async def _not_before(desk: Desk, dispute: Record) -> dt.datetime:
    last = (await desk.fetch(_LAST_ANSWER, {"dispute_id": dispute.id}))[0]["last"]
    moments: list[dt.datetime] = [one for one in (dispute["accepted_at"], last) if one is not None]
    return max(moments)
