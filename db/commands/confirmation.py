"""Commands of court confirmation (人民调解法 Art. 33, 民事诉讼法 Arts. 205-206): both parties apply, the court decides."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, null, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import Uuid

from db import tables as t
from db.calendar import day_of
from db.commands.agreement import IN_FORCE, NO_SUIT, UNCONFIRMED
from db.resources.guards import Guard, dispute_in
from db.tables.agreement import CONFIRMATION_RESULTS
from db.tables.dispute import AFTER_AGREEMENT_STATES, FOLLOW_UP_STATES
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork

_NUMBER = re.compile(r"\(([0-9]{4})\)[\u4e00-\u9fff][0-9]{2,4}诉前调确[1-9][0-9]{0,6}号")
_REPLIES = {"CONFIRMED": "裁定调解协议有效", "REJECTED": "裁定驳回申请", "WITHDRAWN": "申请已撤回"}


@dataclass(frozen=True)
class ConfirmationApplyInput:
    agreement_id: UUID = input_field("协议", of="Agreement")
    happened_at: dt.datetime = input_field("共同申请的时间")
    court_id: UUID = input_field("法庭", of="Organization")
    both_apply: bool = input_field("双方当事人是否共同申请；须为 true")
    ownership_terms: bool = input_field("协议是否含有确认物权、知识产权归属的内容；含有的法院不受理")


@command(
    "confirmation",
    "apply",
    "双方共同向法庭申请司法确认。",
    ConfirmationApplyInput,
    target="Agreement",
    shows="Confirmation",
    rests_on=("concluded",),
    asks=("Agreement", "apply"),
    row_field="agreement_id",
    guards=(IN_FORCE, dispute_in(*AFTER_AGREEMENT_STATES), UNCONFIRMED, NO_SUIT),
    example={"court_id": Placeholder("Organization", "a court"), "both_apply": True, "ownership_terms": False},
)
async def apply(work: UnitOfWork, agreement: Record, input: ConfirmationApplyInput) -> Outcome:
    """Within thirty days of effect, jointly; not where a term settles who owns (民诉法解释 Art. 355(5)). The court gets that one dispute."""
    dispute = agreement.dispute
    assert dispute is not None
    court = await work.load_visible("Organization", input.court_id, field="courtId")
    applied_on = day_of(input.happened_at)
    work.check_day("happenedAt", input.happened_at, agreement["effective_on"], "协议生效之日")
    # Judged by the day of recording: the window is the court's too, and no earlier day that is told opens it again.
    if day_of(work.now) > agreement["confirm_by_on"]:
        work.error(
            "happenedAt",
            "TOO_LATE",
            f"应在协议生效之日起三十日内申请（《人民调解法》第三十三条），最后日期为 {agreement['confirm_by_on']}。",
        )
    if court["kind"] != "COURT":
        work.error("courtId", "NOT_A_COURT", "司法确认应向法庭申请。")
    if not input.both_apply:
        work.error("bothApply", "NOT_JOINT", "司法确认须由双方当事人共同申请（《人民调解法》第三十三条）。")
    if input.ownership_terms:
        work.error(
            "ownershipTerms",
            "OWNERSHIP",
            "涉及确认物权、知识产权归属的内容，法院不受理司法确认申请（《最高人民法院关于适用〈中华人民共和国民事诉讼法〉的解释》第三百五十五条第一款第五项）。",
        )
    work.raise_errors()
    key = await work.insert(
        t.confirmation, dispute_id=dispute["id"], agreement_id=agreement.id, court_id=court.id, applied_on=applied_on
    )
    await _refer(work, dispute["id"], dispute["registered_at"], dispute["committee_id"], court.id, input.happened_at)
    await work.update_dispute(dispute["id"])
    changes = (("Confirmation", key, "applied_on", applied_on.isoformat()),)
    return Outcome(
        "Confirmation", key, input.happened_at, fields=("applied_on",), dispute_id=dispute["id"], changes=changes
    )


_SENT = (
    "dispute_id", "dispute_registered_at", "organization_id", "from_organization_id", "kind", "reason", "state", "sent_at",
)  # fmt: skip
_REFERRED = upsert(t.referral).values({name: bindparam(name, type_=t.referral.c[name].type) for name in _SENT})
_REFER = _REFERRED.on_conflict_do_update(
    index_elements=["dispute_id", "organization_id", "kind"],
    set_={
        "state": _REFERRED.excluded.state,
        "sent_at": _REFERRED.excluded.sent_at,
        "answered_at": null(),
        "reply": null(),
    },
).returning(t.referral.c.id)


async def _refer(
    work: UnitOfWork, dispute_id: UUID, registered_at: dt.datetime, sender: UUID, court_id: UUID, at: dt.datetime
) -> None:
    """The referral that opens the dispute to the court; a second application uses it again."""
    values = {
        "dispute_id": dispute_id,
        "dispute_registered_at": registered_at,
        "organization_id": court_id,
        "from_organization_id": sender,
        "kind": "CONFIRMATION",
        "reason": "双方当事人共同申请司法确认",
        "state": "SENT",
        "sent_at": at,
    }
    await work.fetch(_REFER, values)


@dataclass(frozen=True)
class ConfirmationDecideInput:
    id: UUID = input_field("司法确认", of="Confirmation")
    happened_at: dt.datetime = input_field("裁定或准许撤回的时间")
    result: str = input_field("结果", codes=CONFIRMATION_RESULTS)
    case_number: str | None = input_field(
        "法院案号，如 (2024)鲁1525诉前调确12号；裁定的必写", form="case_number", default=None
    )


_UNDECIDED = Guard("id", "WRONG_STATE", "已有裁定结果。", lambda row: row["result"].is_(None))


@command(
    "confirmation",
    "decide",
    "法庭登记司法确认的结果。",
    ConfirmationDecideInput,
    target="Confirmation",
    shows="Confirmation",
    guards=(_UNDECIDED, dispute_in(*FOLLOW_UP_STATES)),
    example={"result": "WITHDRAWN"},
)
async def decide(work: UnitOfWork, confirmation: Record, input: ConfirmationDecideInput) -> Outcome:
    """Art. 33: valid, and it can be enforced; rejected, and the parties may mediate again or sue."""
    sent = await _referral(work, confirmation)
    work.check_time("happenedAt", input.happened_at, sent["sent_at"] if sent else None, "申请的时间")
    decided_on = day_of(input.happened_at)
    work.check_day("happenedAt", input.happened_at, confirmation["applied_on"], "申请之日")
    number = input.case_number
    if number is None:
        if input.result != "WITHDRAWN":
            work.error("caseNumber", "REQUIRED", "请写明法院案号。")
    else:
        _check_number(work, number, confirmation["applied_on"].year, decided_on.year)
    work.raise_errors()
    await work.update(t.confirmation, confirmation.id, result=input.result, case_number=number, decided_on=decided_on)
    if sent:
        await work.update(
            t.referral, sent["id"], state="DONE", answered_at=input.happened_at, reply=_REPLIES[input.result]
        )
    await work.update_dispute(confirmation["dispute_id"])
    changes = (
        ("Confirmation", confirmation.id, "result", input.result),
        ("Confirmation", confirmation.id, "case_number", number),
        ("Confirmation", confirmation.id, "decided_on", decided_on.isoformat()),
    )
    fields = ("result", "case_number", "decided_on")
    return Outcome("Confirmation", confirmation.id, input.happened_at, fields=fields, changes=changes)


def _check_number(work: UnitOfWork, number: str, first: int, last: int) -> None:
    match = _NUMBER.fullmatch(number)
    if match is None:
        work.error("caseNumber", "BAD_CASE_NUMBER", "案号应形如 (2024)鲁1525诉前调确12号。")
    elif not first <= int(match[1]) <= last:
        work.error("caseNumber", "BAD_CASE_NUMBER", "案号的年度应为申请或裁定的年度。")


_REFERRAL = select(t.referral.c.id, t.referral.c.sent_at).where(
    t.referral.c.dispute_id == bindparam("of_dispute", type_=Uuid()),
    t.referral.c.organization_id == bindparam("of_court", type_=Uuid()),
    t.referral.c.kind == "CONFIRMATION",
)


async def _referral(work: UnitOfWork, confirmation: Record) -> Any:
    values = {"of_dispute": confirmation["dispute_id"], "of_court": confirmation["court_id"]}
    rows = await work.fetch(_REFERRAL, values)
    return rows[0] if rows else None
