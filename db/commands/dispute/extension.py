"""Extends the term of mediation with the consent of both sides."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import literal_column

from db import tables as t
from db.calendar import ONE_DAY, day_of
from db.commands.dispute.guards import NOT_REFUSED
from db.commands.party import load_parties
from db.resources.guards import Guard, number_of
from db.tables.dispute import UNDER_MEDIATION_STATES
from db.tables.party import MAIN_SIDES
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork

# House rules, not the law's: an extension needs consent each time, and none may put a dispute off for ever.
LONGEST_EXTENSION = 92 * ONE_DAY


@dataclass(frozen=True)
class ExtendInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("决定延长的时间，不晚于期限届满之日")
    to_on: dt.date = input_field("延长至哪一天")
    party_ids: tuple[UUID, ...] = input_field("同意延长的当事人；申请人、被申请人须全部写明", of="Party")
    consented_on: dt.date | None = input_field("各方都同意之日；不写为决定延长之日", default=None)


# A house rule beside the law's consent: a dispute is not put off for ever.
MOST_EXTENSIONS = 3


_HAS_DEADLINE = Guard("id", "NO_DEADLINE", "尚未受理，没有可延长的期限。", lambda row: row["due_on"].is_not(None))


_EXTENDABLE = Guard(
    "id",
    "TOO_MANY",
    f"期限至多延长 {MOST_EXTENSIONS} 次。",
    lambda row: number_of(row, t.extension) < literal_column(str(MOST_EXTENSIONS)),
)


@command(
    "dispute",
    "extend",
    "经各方同意，延长调解期限。",
    ExtendInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("accepted", "extended"),
    states=UNDER_MEDIATION_STATES,
    guards=(_HAS_DEADLINE, NOT_REFUSED, _EXTENDABLE),
    example={
        "to_on": Placeholder("date", "the day after the deadline"),
        "party_ids": Placeholder("Party", "every applicant and respondent", many=True),
    },
)
async def extend(work: UnitOfWork, dispute: Record, input: ExtendInput) -> Outcome:
    """若干规定 Art. 33: the month may be prolonged with the consent of both sides, given before it is over."""
    due: dt.date = dispute["due_on"]
    consented = input.consented_on or day_of(input.happened_at)
    if day_of(input.happened_at) > due:
        work.error("happenedAt", "EXPIRED", f"期限已于 {due:%Y-%m-%d} 届满，不能再延长。")
    if input.consented_on is not None and not day_of(dispute["accepted_at"]) <= consented <= day_of(input.happened_at):
        work.error("consentedOn", "OUT_OF_ORDER", "同意之日应在受理之后、决定延长之前。")
    if input.to_on <= due:
        work.error("toOn", "TOO_EARLY", f"应晚于现在的期限 {due:%Y-%m-%d}。")
    elif input.to_on > due + LONGEST_EXTENSION:
        work.error("toOn", "TOO_LATE", f"一次至多延长 {LONGEST_EXTENSION.days} 日。")
    parties = await load_parties(work, dispute.id)
    party_ids = {party["id"] for party in parties}
    for index, key in enumerate(input.party_ids):
        if key not in party_ids:
            work.error(f"partyIds.{index}", "NOT_FOUND", "本案没有这名当事人。")
    if not {party["id"] for party in parties if party["side"] in MAIN_SIDES} <= set(input.party_ids):
        work.error("partyIds", "NO_CONSENT", "延长期限须申请人、被申请人全部同意。")
    work.raise_errors()
    extension_id = await work.insert(
        t.extension, dispute_id=dispute.id, from_on=due, to_on=input.to_on, consented_on=consented, recorded_at=work.now
    )
    await work.update_dispute(dispute.id, due_on=input.to_on)
    changes = (
        ("Dispute", dispute.id, "due_on", input.to_on.isoformat()),
        ("Extension", extension_id, "consented_on", consented.isoformat()),
    )
    return Outcome("Extension", extension_id, input.happened_at, fields=("due_on",), changes=changes)
