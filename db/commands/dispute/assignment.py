"""Commands about who mediates: assign, disclose (a conflict of one's own), recuse (at a party's request).

One mediator presides at any time once there is one; a mediator who may not be impartial is not assigned.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.calendar import day_of
from db.resources.guards import Guard, some
from db.resources.interest import is_interested
from db.tables.assignment import ASSIGNMENT_MODES
from db.tables.dispute import IN_HAND_STATES
from db.uuid7 import uuid7
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork


@dataclass(frozen=True)
class AssignInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("指派时间")
    mediator_id: UUID = input_field("调解员", of="Mediator")
    is_lead: bool = input_field("是否主持调解；新的主持人接替原主持人")
    mode: str = input_field("产生方式：指定，或由当事人选择（《人民调解法》第十九条）", codes=ASSIGNMENT_MODES)


@command(
    "dispute",
    "assign",
    "指派调解员，或更换主持调解员。",
    AssignInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("accepted",),
    states=IN_HAND_STATES,
    example={"mediator_id": Placeholder("Mediator", "who is not assigned"), "is_lead": True, "mode": "APPOINTED"},
)
async def assign(work: UnitOfWork, dispute: Record, input: AssignInput) -> Outcome:
    """人民调解法 Art. 19; 若干规定 Art. 26: one presides, others help as needed."""
    at = input.happened_at
    active = await _active(work, dispute.id)
    mediator = await _candidate(work, dispute, input.mediator_id, "mediatorId", at, active)
    own, lead = active.get(mediator["person_id"]), _lead(active)
    if own is not None and (own["is_lead"] or not input.is_lead):
        work.error("mediatorId", "ALREADY_ASSIGNED", "该调解员已在承办这件纠纷。")
    elif lead is None and not input.is_lead:
        work.error("isLead", "LEAD_NEEDED", "尚无主持调解员，请先指派主持人（《人民调解工作若干规定》第二十六条）。")
    ending = [assignment for assignment in (lead if input.is_lead else None, own) if assignment is not None]
    _check_assignment_time(work, dispute, at, ending)
    work.raise_errors()
    for assignment in ending:
        await work.update(t.assignment, assignment["id"], ended_at=at)
    key = await _install(work, dispute, mediator["person_id"], input.is_lead, input.mode, at)
    await work.update_dispute(dispute.id)
    changes = (
        *(("Assignment", assignment["id"], "ended_at", at.isoformat()) for assignment in ending),
        ("Assignment", key, "is_lead", str(input.is_lead).lower()),
        ("Assignment", key, "mode", input.mode),
    )
    return Outcome("Assignment", key, at, fields=("assignments", "is_lead", "mode"), changes=changes)


@dataclass(frozen=True)
class DiscloseInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("披露时间")
    ground: str = input_field("披露的事由：近亲属、利害关系或其他可能影响公正的关系")
    parties_agree: bool = input_field("各方当事人知悉后是否一致同意由本人继续调解", default=False)


@command(
    "dispute",
    "disclose",
    "调解员披露本人与当事人的利害关系；除非各方当事人一致同意，不再承办。",
    DiscloseInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("accepted",),
    leaves=True,
    impartial=False,
    states=IN_HAND_STATES,
    example={"ground": "与一方相识。"},
)
async def disclose(work: UnitOfWork, dispute: Record, input: DiscloseInput) -> Outcome:
    """特邀调解规定 Art. 15: a mediator with an interest steps back, unless all parties agree to continue."""
    at = input.happened_at
    own = (await _active(work, dispute.id)).get(work.actor.person_id)
    if own is None:
        work.error("id", "NOT_ASSIGNED", "您没有承办这件纠纷，无须披露。")
    _check_assignment_time(work, dispute, at, [own] if own is not None else [])
    work.check_text("ground", input.ground, 1000)
    work.raise_errors()
    assert own is not None
    key = await _note_recusal(work, dispute, "DISCLOSURE", work.actor.person_id, input.ground, at)
    changes: tuple[tuple[str, UUID, str, str | None], ...] = (("Recusal", key, "ground", input.ground.strip()),)
    if not input.parties_agree:
        await work.update(t.assignment, own["id"], ended_at=at)
        changes = (*changes, ("Assignment", own["id"], "ended_at", at.isoformat()))
    await work.update_dispute(dispute.id)
    return Outcome("Recusal", key, at, fields=("recusals", "ground", "assignments"), changes=changes)


@dataclass(frozen=True)
class RecuseInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("当事人提出的时间")
    party_id: UUID = input_field("提出的当事人", of="Party")
    mediator_id: UUID = input_field("要求更换的调解员", of="Mediator")
    ground: str = input_field("事由")
    replacement_id: UUID = input_field("接替的调解员", of="Mediator")
    mode: str = input_field("接替人的产生方式；不写为指定", codes=ASSIGNMENT_MODES, default="APPOINTED")


_ASSIGNED = Guard(
    "id",
    "NOT_ASSIGNED",
    "尚无调解员承办，没有可以更换的人；请先指派。",
    some(t.assignment, lambda row, at: at.c.ended_at.is_(None)),
)


@command(
    "dispute",
    "recuse",
    "当事人要求更换调解员：应予调换，同时写明接替人。",
    RecuseInput,
    target="Dispute",
    shows="Dispute",
    rests_on=("accepted",),
    leaves=True,
    impartial=False,
    states=IN_HAND_STATES,
    guards=(_ASSIGNED,),
    example={
        "party_id": Placeholder("Party", "any"),
        "mediator_id": Placeholder("Mediator", "who is assigned"),
        "ground": "相识。",
        "replacement_id": Placeholder("Mediator", "who is not assigned"),
    },
)
async def recuse(work: UnitOfWork, dispute: Record, input: RecuseInput) -> Outcome:
    """若干规定 Art. 26: the request shall be granted, so there is no way to record one that is not."""
    at = input.happened_at
    party = await work.load_visible("Party", input.party_id, field="partyId")
    if party["dispute_id"] != dispute.id or party["withdrawn_on"] is not None:
        work.error("partyId", "NOT_A_PARTY", "提出更换的须是本案当事人。")
    leaving = await work.load_visible("Mediator", input.mediator_id, field="mediatorId")
    active = await _active(work, dispute.id)
    replaced = active.get(leaving["person_id"])
    if replaced is None:
        work.error("mediatorId", "NOT_ASSIGNED", "该调解员没有承办这件纠纷。")
    replacement = await _candidate(work, dispute, input.replacement_id, "replacementId", at, active)
    person_id = replacement["person_id"]
    if person_id == leaving["person_id"]:
        work.error("replacementId", "SAME_PERSON", "接替人不能是被要求更换的调解员。")
    ending = [assignment for assignment in (replaced, active.get(person_id)) if assignment is not None]
    _check_assignment_time(work, dispute, at, ending)
    work.check_text("ground", input.ground, 1000)
    work.raise_errors()
    assert replaced is not None
    # A helper who takes the lead begins anew as lead; a lead who is to take over from a helper stays lead.
    stays = active.get(person_id)
    is_lead = replaced["is_lead"] or (stays is not None and stays["is_lead"])
    for assignment in ending:
        await work.update(t.assignment, assignment["id"], ended_at=at)
    await _install(work, dispute, person_id, is_lead, input.mode, at)
    key = await _note_recusal(
        work, dispute, "REQUEST", leaving["person_id"], input.ground, at, party_id=party.id, replacement_id=person_id
    )
    await work.update_dispute(dispute.id)
    changes = (
        ("Recusal", key, "ground", input.ground.strip()),
        ("Assignment", replaced["id"], "ended_at", at.isoformat()),
    )
    return Outcome("Recusal", key, at, fields=("recusals", "ground", "assignments"), changes=changes)


_ACTIVE = select(t.assignment).where(
    t.assignment.c.dispute_id == bindparam("dispute_id", type_=Uuid()), t.assignment.c.ended_at.is_(None)
)


async def _active(work: UnitOfWork, dispute_id: UUID) -> dict[UUID, Any]:
    """The assignments in force, by person."""
    return {row["person_id"]: row for row in await work.fetch(_ACTIVE, {"dispute_id": dispute_id})}


def _lead(active: dict[UUID, Any]) -> Any:
    return next((assignment for assignment in active.values() if assignment["is_lead"]), None)


def _check_assignment_time(work: UnitOfWork, dispute: Record, at: dt.datetime, ending: list[Any]) -> None:
    earliest = max([dispute["accepted_at"], *(assignment["assigned_at"] for assignment in ending)])
    work.check_time("happenedAt", at, earliest, "受理时间或原来的指派时间")


async def _install(
    work: UnitOfWork, dispute: Record, person_id: UUID, is_lead: bool, mode: str, at: dt.datetime
) -> UUID:
    return await work.insert(
        t.assignment,
        id=uuid7(),
        dispute_id=dispute.id,
        dispute_registered_at=dispute["registered_at"],
        person_id=person_id,
        is_lead=is_lead,
        mode=mode,
        assigned_at=at,
    )


async def _note_recusal(
    work: UnitOfWork, dispute: Record, kind: str, person_id: UUID, ground: str, at: dt.datetime, **more: UUID
) -> UUID:
    return await work.insert(
        t.recusal,
        id=uuid7(),
        dispute_id=dispute.id,
        kind=kind,
        person_id=person_id,
        ground=ground.strip(),
        occurred_at=at,
        **more,
    )


async def _candidate(
    work: UnitOfWork, dispute: Record, mediator_id: UUID, field: str, at: dt.datetime, active: dict[UUID, Any]
) -> Record:
    """The mediator, with every reason noted against the assignment. Raises Absent."""
    mediator = await work.load_visible("Mediator", mediator_id, field=field)
    for code, message in await reasons_against(
        work, dispute.id, mediator, at, assigned=mediator["person_id"] in active
    ):
        work.error(field, code, message)
    return mediator


_OF_DISPUTE, _OF_PERSON = bindparam("dispute_id", type_=Uuid()), bindparam("person_id", type_=Uuid())
_PERSON = select(t.person.c.state).where(t.person.c.id == _OF_PERSON)
_RECUSED = (
    select(t.recusal.c.id)
    .where(t.recusal.c.dispute_id == _OF_DISPUTE, t.recusal.c.person_id == _OF_PERSON)
    .limit(literal_column("1"))
)


_INTERESTED = select(is_interested(_OF_DISPUTE, _OF_PERSON).label("interested"))


async def reasons_against(
    work: UnitOfWork, dispute_id: UUID, mediator: Any, at: dt.datetime, *, assigned: bool = False
) -> list[tuple[str, str]]:
    """Why a mediator may not be assigned to a dispute: code and message; none if they may be. `assigned`: they are on it already."""
    reasons: list[tuple[str, str]] = []
    bound = {"dispute_id": dispute_id, "person_id": mediator["person_id"]}
    person = (await work.fetch(_PERSON, bound))[0]
    # As of today, not of the day of the assignment: the access begins with the recording, whatever day the input names.
    if person["state"] != "ACTIVE":
        reasons.append(("SUSPENDED", "该调解员的账号已停用。"))
    if mediator["term_ends_on"] is not None and mediator["term_ends_on"] < day_of(work.now):
        reasons.append(("TERM_ENDED", "该调解员的任期已经届满。"))
    if mediator["qualified_on"] > day_of(at):
        reasons.append(("NOT_YET_MEDIATOR", "该调解员在指派之日尚未任职。"))
    # Whoever disclosed a conflict and is still assigned goes on with the consent of all parties.
    if not assigned and await work.fetch(_RECUSED, bound):
        reasons.append(("RECUSED", "该调解员已就本案披露利害关系或被要求回避，不能再承办。"))
    if (await work.fetch(_INTERESTED, bound))[0]["interested"]:
        reasons.append(("INTERESTED", "该调解员与本案当事人有利害关系，不能承办。"))
    return reasons
