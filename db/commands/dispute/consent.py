"""A party consents to mediation; when all have consented, it begins."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, literal_column

from db import tables as t
from db.calendar import day_of
from db.commands.dispute.guards import NOTIFIED
from db.commands.party import begin_when_all_consent, load_party
from db.resources.guards import Guard, some
from db.tables.dispute import UNDER_MEDIATION_STATES
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork


@dataclass(frozen=True)
class ConsentInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("表示同意的时间")
    party_id: UUID = input_field("表示同意的当事人", of="Party")


_SOMEBODY_TO_CONSENT = Guard(
    "id",
    "ALREADY",
    "各方当事人都已同意调解。",
    some(
        t.party,
        lambda row, at: and_(at.c.consent.is_distinct_from(literal_column("'CONSENTED'")), at.c.withdrawn_on.is_(None)),
    ),
)


@command(
    "dispute",
    "consent",
    "登记一名当事人同意调解；各方都同意后开始调解。",
    ConsentInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("notified",),
    states=UNDER_MEDIATION_STATES,
    guards=(NOTIFIED, _SOMEBODY_TO_CONSENT),
    example={"party_id": Placeholder("Party", "that has not consented")},
)
async def consent(work: UnitOfWork, dispute: Record, input: ConsentInput) -> Outcome:
    """人民调解法 Art. 17, 若干规定 Art. 30: the parties agree after they were notified of their rights; then mediation begins."""
    party = await load_party(work, dispute.id, input.party_id, "partyId")
    if party is not None and party["consent"] == "CONSENTED":
        work.error("partyId", "ALREADY", "该当事人已经同意调解。")
    work.raise_errors()
    await work.update(t.party, input.party_id, consent="CONSENTED", consent_on=day_of(input.happened_at))
    state = await begin_when_all_consent(work, dispute)
    return Outcome(
        "Party",
        input.party_id,
        input.happened_at,
        dispute["state"] if state else None,
        state,
        ("consent",),
        changes=(("Party", input.party_id, "consent", "CONSENTED"),),
    )
