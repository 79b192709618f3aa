"""The receiver answers an invitation or a referral: takes it, returns it, or reports it done."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import literal_column

from db import tables as t
from db.resources.guards import Guard, state_in
from db.tables.referral import UNANSWERED_STATES
from db.write.command import Outcome, command, input_field
from db.write.transaction import Record, UnitOfWork

ANSWERS = ("TAKEN", "RETURNED", "DONE")


@dataclass(frozen=True)
class AnswerInput:
    id: UUID = input_field("移送或邀请", of="Referral")
    happened_at: dt.datetime = input_field("答复时间")
    answer: str = input_field("答复：接受、退回或办结", codes=ANSWERS)
    reply: str = input_field("答复内容")


_UNANSWERED = state_in("已经答复过，或已撤回。", *UNANSWERED_STATES)


_NOT_BY_RULING = Guard(
    "id",
    "CONFIRMATION",
    "司法确认由法庭登记裁定，不在这里答复。",
    lambda row: row["kind"] != literal_column("'CONFIRMATION'"),
)


@command(
    "referral",
    "answer",
    "受邀或收到移送的单位答复：接受、退回或办结。",
    AnswerInput,
    target="Referral",
    shows="Referral",
    guards=(_UNANSWERED, _NOT_BY_RULING),
    # What was sent before the archive is answered after it too; nothing else takes it off the receiver's list.
    on_archived=True,
    # An organization that is itself a party may be asked, and answers for itself.
    impartial=False,
    example={"answer": "DONE", "reply": "办结。"},
)
async def answer(work: UnitOfWork, referral: Record, input: AnswerInput) -> Outcome:
    """The receiver's receipt, and later its result. What it has returned or done it answers no more (a guard)."""
    work.check_time(
        "happenedAt",
        input.happened_at,
        referral["answered_at"] or referral["sent_at"],
        "上次答复时间" if referral["answered_at"] else "送出时间",
    )
    work.check_text("reply", input.reply, 2000)
    if referral["state"] == "TAKEN" and input.answer == "TAKEN":
        work.error("answer", "ALREADY_TAKEN", "已经接受；办完后请答复办结。")
    work.raise_errors()
    reply = input.reply.strip()
    await work.update(t.referral, referral.id, state=input.answer, answered_at=input.happened_at, reply=reply)
    assert referral.dispute is not None
    if referral.dispute["state"] != "ARCHIVED":
        await work.update_dispute(referral["dispute_id"])
    return Outcome(
        "Referral",
        referral.id,
        input.happened_at,
        referral["state"],
        input.answer,
        ("state", "reply"),
        changes=(("Referral", referral.id, "state", input.answer), ("Referral", referral.id, "reply", reply)),
    )
