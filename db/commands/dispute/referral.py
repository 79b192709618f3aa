"""Sends a dispute to other organizations: an invitation to take part, or a referral."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.types import Text, Uuid

from db import tables as t
from db.commands.dispute.guards import CONSENTED
from db.tables.dispute import OPEN_STATES, UNDER_MEDIATION_STATES
from db.uuid7 import uuid7
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork

AGENCIES = (
    "POLICE_STATION", "JUSTICE_OFFICE", "GOVERNANCE_CENTRE", "COURT", "PETITION_OFFICE", "HOTLINE_OFFICE", "HOUSING_DEPARTMENT",
)  # fmt: skip
# What `dispute.refer` sends; invitations, risk reports and applications for confirmation have commands of their own.
SENDINGS = ("COURT_REFERRAL", "LEAD", "TRANSFER")
_OWNER = {"TEAM": "committee_id", "SQUAD": "squad_id", "CENTRE": "centre_id"}


@dataclass(frozen=True)
class InviteInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("邀请时间")
    organization_id: UUID = input_field("受邀单位：派出所、司法所、综治中心、法庭等", of="Organization")
    purpose: str = input_field("邀请目的，不写个人信息")
    parties_consent: bool = input_field("各方当事人是否同意邀请该单位参与（《人民调解法》第二十条）")


@command(
    "dispute",
    "invite",
    "经各方当事人同意，邀请有关单位联动调解。",
    InviteInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("accepted",),
    states=UNDER_MEDIATION_STATES,
    guards=(CONSENTED,),
    example={
        "organization_id": Placeholder("Organization", "a governance centre"),
        "purpose": "到场。",
        "parties_consent": True,
    },
)
async def invite(work: UnitOfWork, dispute: Record, input: InviteInput) -> Outcome:
    """人民调解法 Art. 20, S17: others take part only with the parties' consent. The invited organization sees this one dispute."""
    if not input.parties_consent:
        work.error("partiesConsent", "NO_CONSENT", "邀请其他单位参与须经各方当事人同意（《人民调解法》第二十条）。")
    work.check_text("purpose", input.purpose, 500)
    receiver = await work.load_visible("Organization", input.organization_id, field="organizationId")
    if receiver["kind"] not in AGENCIES:
        work.error("organizationId", "NOT_AN_AGENCY", "该单位不能受邀；请上一层级办理的，请办理报送。")
    key = await _send(work, dispute, "INVITATION", receiver, input.purpose, input.happened_at)
    changes = (("Referral", key, "kind", "INVITATION"), ("Referral", key, "reason", input.purpose.strip()))
    return Outcome("Referral", key, input.happened_at, fields=("referrals", "kind", "reason"), changes=changes)


@dataclass(frozen=True)
class ReferInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("移送时间")
    kind: str = input_field("类型：移送法庭、线索、转办", codes=SENDINGS)
    organization_id: UUID = input_field("送往单位", of="Organization")
    reason: str = input_field("事由，不写个人信息")


@command(
    "dispute",
    "refer",
    "移送法庭、移送违规线索或转办有关单位。",
    ReferInput,
    target="Dispute",
    shows="Dispute",
    # To whom it belongs (首接负责) or to the court, also when it was declined or has failed.
    states=(*OPEN_STATES, "DECLINED", "FAILED", "REFUSED"),
    example={
        "organization_id": Placeholder("Organization", "a justice office"),
        "kind": "TRANSFER",
        "reason": "转办。",
    },
)
async def refer(work: UnitOfWork, dispute: Record, input: ReferInput) -> Outcome:
    """聊城市物业管理条例 Art. 59 (the housing department looks into violations); 山东省多元化解纠纷促进条例 Art. 33 (to whom it belongs)."""
    work.check_text("reason", input.reason, 500)
    receiver = await work.load_visible("Organization", input.organization_id, field="organizationId")
    if receiver["kind"] not in AGENCIES:
        work.error("organizationId", "NOT_AN_AGENCY", "不能向该单位移送；请上一层级办理的，请办理报送。")
    elif input.kind == "COURT_REFERRAL" and receiver["kind"] != "COURT":
        work.error("organizationId", "NOT_A_COURT", "移送法庭的，送往单位应为法庭。")
    elif input.kind == "LEAD" and receiver["kind"] == "COURT":
        work.error("organizationId", "NOT_FOR_COURT", "线索应移送有查处职责的单位。")
    key = await _send(work, dispute, input.kind, receiver, input.reason, input.happened_at)
    changes = (("Referral", key, "kind", input.kind), ("Referral", key, "reason", input.reason.strip()))
    return Outcome("Referral", key, input.happened_at, fields=("referrals", "kind", "reason"), changes=changes)


async def _send(
    work: UnitOfWork, dispute: Record, kind: str, receiver: Record, reason: str, sent_at: dt.datetime
) -> UUID:
    """The referral's row, new or sent again, once every user error is noted; it comes from the organization that owns the case."""
    earlier = await _earlier_referral(work, dispute.id, kind, receiver.id)
    if earlier is not None and earlier["state"] not in ("RETURNED", "WITHDRAWN"):
        work.error("organizationId", "ALREADY_SENT", "已向该单位送出过同类事项，请等待答复或查看其答复。")
    elif earlier is not None and sent_at < (earlier["answered_at"] or earlier["sent_at"]):
        work.error("happenedAt", "TOO_EARLY", "再次送出不能早于上次的答复。")
    work.raise_errors()
    values = {
        "from_organization_id": dispute[_OWNER[dispute["tier"]]],
        "state": "SENT",
        "sent_at": sent_at,
        "reason": reason.strip(),
    }
    if earlier is not None:
        # What was returned is sent again in its place: an organization has one matter of a kind about one dispute.
        await work.update(t.referral, earlier["id"], answered_at=None, reply=None, **values)
        key = UUID(str(earlier["id"]))
    else:
        key = await work.insert(
            t.referral,
            id=uuid7(),
            dispute_id=dispute.id,
            dispute_registered_at=dispute["registered_at"],
            organization_id=receiver.id,
            kind=kind,
            **values,
        )
    await work.update_dispute(dispute.id)
    return key


_EARLIER = select(t.referral).where(
    t.referral.c.dispute_id == bindparam("dispute_id", type_=Uuid()),
    t.referral.c.organization_id == bindparam("organization_id", type_=Uuid()),
    t.referral.c.kind == bindparam("kind", type_=Text()),
)


async def _earlier_referral(work: UnitOfWork, dispute_id: UUID, kind: str, organization_id: UUID) -> Any:
    values = {"dispute_id": dispute_id, "organization_id": organization_id, "kind": kind}
    rows = await work.fetch(_EARLIER, values)
    return rows[0] if rows else None
