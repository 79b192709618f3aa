"""Gives an opinion: by the legal adviser of the team, or by an organization that takes part."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from db import tables as t
from db.tables.dispute import UNDER_MEDIATION_STATES
from db.uuid7 import uuid7
from db.write.command import Outcome, command, input_field
from db.write.transaction import Record, UnitOfWork


@dataclass(frozen=True)
class OpineInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("出具时间")
    text: str = input_field("意见")


@command(
    "dispute",
    "opine",
    "出具法律意见或单位意见。",
    OpineInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("accepted",),
    states=UNDER_MEDIATION_STATES,
    example={"text": "意见。"},
)
async def opine(work: UnitOfWork, dispute: Record, input: OpineInput) -> Outcome:
    """An opinion of one's own, by the legal adviser of the team or an organization that takes part; nobody changes it afterwards."""
    work.check_text("text", input.text, 4000)
    work.raise_errors()
    key = await work.insert(
        t.opinion,
        id=uuid7(),
        dispute_id=dispute.id,
        author_id=work.actor.person_id,
        organization_id=_organization(work, "Dispute", "opine"),
        text=input.text.strip(),
        given_at=input.happened_at,
    )
    await work.update_dispute(dispute.id)
    changes = (("Opinion", key, "text", input.text.strip()),)
    return Outcome("Opinion", key, input.happened_at, fields=("opinions", "text"), changes=changes)


def _organization(work: UnitOfWork, resource: str, action: str) -> UUID | None:
    """The organization of the first of the caller's appointments that has a rule for the action."""
    for bound in work.actor.access.grant(resource, action).rules:
        organization = work.actor.access.appointments[bound.slot].claims.get("organization_id")
        if organization is not None:
            return UUID(str(organization))
    return None
