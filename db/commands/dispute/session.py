"""Records a session of mediation: its minutes and result, the agencies that attended, and notes by visibility."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.commands.dispute.guards import NOT_REFUSED, NOTIFIED
from db.tables.session import SESSION_RESULTS, VISIBILITIES
from db.write.command import Outcome, command, input_field
from db.write.transaction import Record, UnitOfWork


@dataclass(frozen=True)
class NoteInput:
    visibility: str = input_field("知悉范围", codes=VISIBILITIES)
    text: str = input_field("内容")


@dataclass(frozen=True)
class RecordInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("调解的时间")
    place: str = input_field("调解地点")
    result: str = input_field("结果", codes=SESSION_RESULTS)
    record: str = input_field("调解笔录", form="document")
    is_joint: bool = input_field("是否多部门联合调解；联合的须写明到场单位", default=False)
    organization_ids: tuple[UUID, ...] = input_field(
        "到场的联动单位，须是经当事人同意邀请的单位", of="Organization", default=()
    )
    notes: tuple[NoteInput, ...] = input_field("工作记录，按知悉范围分条；记录人为本人", default=())


@command(
    "dispute",
    "record",
    "记录一次调解：笔录、结果、到场单位、分知悉范围的记录。",
    RecordInput,
    target="Dispute",
    shows="Dispute",
    by_hand=True,
    rests_on=("notified", "consented"),
    states=("MEDIATING",),
    guards=(NOTIFIED, NOT_REFUSED),
    example={"place": "调解室", "result": "TO_CONTINUE", "record": "再谈。"},
)
async def record(work: UnitOfWork, dispute: Record, input: RecordInput) -> Outcome:
    """人民调解法 Art. 27. Agencies attend by invitation with the parties' consent (Art. 20). Caucus notes stay with their author and the lead."""
    work.check_text("place", input.place, 200)
    work.check_text("record", input.record, 20_000)
    for index, note in enumerate(input.notes):
        work.check_text(f"notes.{index}.text", note.text, 4000)
    if input.is_joint and not input.organization_ids:
        work.error("organizationIds", "REQUIRED", "联合调解须写明到场的单位。")
    if input.organization_ids and not input.is_joint:
        work.error("isJoint", "NOT_JOINT", "有联动单位到场的，是联合调解。")
    await _check_invited(work, dispute, input)
    work.raise_errors()
    held = await work.insert(
        t.session,
        dispute_id=dispute.id,
        held_at=input.happened_at,
        place=input.place.strip(),
        is_joint=input.is_joint,
        result=input.result,
        record=input.record.strip(),
    )
    for organization in input.organization_ids:
        await work.insert(t.attendance, dispute_id=dispute.id, session_id=held, organization_id=organization)
    for note in input.notes:
        await work.insert(
            t.note,
            dispute_id=dispute.id,
            session_id=held,
            author_id=work.actor.person_id,
            visibility=note.visibility,
            recorded_at=input.happened_at,
            text=note.text.strip(),
        )
    await work.update_dispute(dispute.id)
    changes = (("Session", held, "result", input.result), ("Session", held, "place", input.place.strip()))
    return Outcome("Session", held, input.happened_at, fields=("held_at", "place", "result", "record"), changes=changes)


_INVITED = select(t.referral.c.organization_id, t.referral.c.sent_at).where(
    t.referral.c.dispute_id == bindparam("dispute", type_=Uuid()),
    t.referral.c.kind == "INVITATION",
    t.referral.c.state != "RETURNED",
    t.referral.c.state != "WITHDRAWN",
)


async def _check_invited(work: UnitOfWork, dispute: Record, input: RecordInput) -> None:
    if not input.organization_ids:
        return
    rows = await work.fetch(_INVITED, {"dispute": dispute.id})
    invited = {row["organization_id"]: row["sent_at"] for row in rows}
    for index, organization in enumerate(input.organization_ids):
        field = f"organizationIds.{index}"
        if organization in input.organization_ids[:index]:
            work.error(field, "DUPLICATE", "同一单位只写一次。")
        elif organization not in invited:
            work.error(field, "NOT_INVITED", "该单位未受邀参加本案调解（《人民调解法》第二十条），请先邀请。")
        elif invited[organization] > input.happened_at:
            work.error(field, "TOO_EARLY", "该单位受邀在这次调解之后。")
