"""Commands between tiers: escalate, take, return. Until the upper tier takes, the lower one owns the case; exactly one does at any time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.commands.dispute.guards import HANDOVER_WAITING, NO_HANDOVER_WAITING
from db.resources.guards import Guard
from db.tables.dispute import IN_HAND_STATES, TIERS, UNDER_MEDIATION_STATES, UNSETTLED_STATES
from db.uuid7 import uuid7
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork

# The kind of an organization -> the tier that it is.
TIER_OF = {"SQUAD": "SQUAD", "CENTRE": "CENTRE"}
# Where a tier's organization stands in the dispute.
PLACE = {"SQUAD": "squad_id", "CENTRE": "centre_id"}


@dataclass(frozen=True)
class EscalateInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("报送时间")
    organization_id: UUID = input_field("接收单位：物业纠纷调解队，或本镇街的矛盾调解中心", of="Organization")
    reason: str = input_field("报送原因")
    handover: str = input_field("交接摘要：已做的工作、争议焦点、各方意见")


_NOT_TOP = Guard(
    "id", "TOP_TIER", "已在调解中心层级，不能再报送。", lambda row: row["tier"] != literal_column("'CENTRE'")
)


@command(
    "dispute",
    "escalate",
    "报送到上一层级；接收单位接收以前，仍由原层级办理。越级报送限于高风险。",
    EscalateInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("accepted", "handed"),
    states=UNDER_MEDIATION_STATES,
    guards=(_NOT_TOP, NO_HANDOVER_WAITING),
    example={
        "organization_id": Placeholder("Organization", "of the next tier"),
        "reason": "难。",
        "handover": "谈过两次。",
    },
)
async def escalate(work: UnitOfWork, dispute: Record, input: EscalateInput) -> Outcome:
    """S16, S17. The receiving organization sees the dispute from now on, and takes or returns it."""
    at = input.happened_at
    work.check_text("reason", input.reason, 1000)
    work.check_text("handover", input.handover, 4000)
    receiver = await work.load_visible("Organization", input.organization_id, field="organizationId")
    tier = TIER_OF.get(receiver["kind"])
    if tier is None:
        work.error("organizationId", "NOT_A_TIER", "只能报送给物业纠纷调解队或矛盾调解中心。")
    elif not dispute["grid_code"].startswith(receiver["area_code"]):
        work.error("organizationId", "OUT_OF_AREA", "该单位不负责这个小区所在的区域。")
    elif TIERS.index(tier) <= TIERS.index(dispute["tier"]):
        work.error("organizationId", "NOT_UPWARD", "只能报送到更高的层级。")
    elif TIERS.index(tier) > TIERS.index(dispute["tier"]) + 1 and dispute["risk_level"] != "HIGH":
        work.error("organizationId", "SKIPS_A_TIER", "越级报送限于高风险纠纷；请先报送物业纠纷调解队，或先评估风险。")
    work.raise_errors()
    assert tier is not None
    key = await work.insert(
        t.escalation,
        id=uuid7(),
        dispute_id=dispute.id,
        from_tier=dispute["tier"],
        to_tier=tier,
        state="SENT",
        organization_id=receiver.id,
        reason=input.reason.strip(),
        handover=input.handover.strip(),
        sent_at=at,
    )
    await work.update_dispute(dispute.id, **{PLACE[tier]: receiver.id})
    changes = (
        ("Escalation", key, "to_tier", tier),
        ("Escalation", key, "reason", input.reason.strip()),
        ("Escalation", key, "handover", input.handover.strip()),
    )
    return Outcome("Escalation", key, at, fields=("escalations", "to_tier", "reason", "handover"), changes=changes)


@dataclass(frozen=True)
class TakeInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("接收时间")
    answer: str | None = input_field("接收说明", default=None)


@command(
    "dispute",
    "take",
    "接收报送的纠纷；此后由本层级办理。",
    TakeInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("handed",),
    states=UNDER_MEDIATION_STATES,
    guards=(HANDOVER_WAITING,),
)
async def take(work: UnitOfWork, dispute: Record, input: TakeInput) -> Outcome:
    """The tier changes now, in the same change as the answer to the hand-over. Who mediates stays until somebody else is assigned."""
    waiting = await _waiting(work, dispute.id)
    if input.answer is not None:
        work.check_text("answer", input.answer, 1000)
    work.raise_errors()
    answer = input.answer.strip() if input.answer is not None else None
    await work.update(t.escalation, waiting["id"], state="TAKEN", answered_at=input.happened_at, answer=answer)
    await work.update_dispute(dispute.id, tier=waiting["to_tier"])
    changes: tuple[tuple[str, UUID, str, str | None], ...] = (
        ("Dispute", dispute.id, "tier", waiting["to_tier"]),
        ("Escalation", waiting["id"], "state", "TAKEN"),
    )
    if answer is not None:
        changes = (*changes, ("Escalation", waiting["id"], "answer", answer))
    return Outcome("Escalation", waiting["id"], input.happened_at, fields=("tier", "escalations"), changes=changes)


@dataclass(frozen=True)
class ReturnInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("退回时间")
    reason: str = input_field("退回理由")


@command(
    "dispute",
    "return",
    "退回报送的纠纷，写明理由；原层级继续办理，本单位不再看到它。",
    ReturnInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("handed",),
    leaves=True,
    # A hand-over that was overtaken by an agreement or an end is sent back, so that none waits for ever.
    states=(*IN_HAND_STATES, "CLOSED", *UNSETTLED_STATES),
    guards=(HANDOVER_WAITING,),
    example={"reason": "情况如前。"},
)
async def send_back(work: UnitOfWork, dispute: Record, input: ReturnInput) -> Outcome:
    """S16: the upper tier must take it or return it with a reason. After a return it no longer sees the dispute."""
    waiting = await _waiting(work, dispute.id)
    work.check_text("reason", input.reason, 1000)
    work.raise_errors()
    await work.update(
        t.escalation, waiting["id"], state="RETURNED", answered_at=input.happened_at, answer=input.reason.strip()
    )
    # The guard of `escalate` lets a hand-over start only towards a higher tier, whose place was therefore empty before it.
    await work.update_dispute(dispute.id, **{PLACE[waiting["to_tier"]]: None})
    changes = (
        ("Escalation", waiting["id"], "state", "RETURNED"),
        ("Escalation", waiting["id"], "answer", input.reason.strip()),
    )
    return Outcome(
        "Escalation", waiting["id"], input.happened_at, fields=("escalations", "state", "answer"), changes=changes
    )


_WAITING = select(t.escalation).where(
    t.escalation.c.dispute_id == bindparam("dispute_id", type_=Uuid()), t.escalation.c.state == "SENT"
)


async def _waiting(work: UnitOfWork, dispute_id: UUID) -> Any:
    """The hand-over that waits; policy and guard have checked that there is one for the caller's organization."""
    return (await work.fetch(_WAITING, {"dispute_id": dispute_id}))[0]
