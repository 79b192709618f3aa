"""Commands of the agreement (人民调解法 Arts. 28-30, 若干规定 Arts. 34-35): draft, sign. Variation and rescission: agreement_variation.py.

A written agreement takes effect when every party and a mediator have signed and the committee has sealed it; an oral one when it is
reached. Only what is in force is owed: the obligations of a draft are drafts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, bindparam, func, literal_column, or_, select, update
from sqlalchemy.types import Text, Uuid

from db import tables as t
from db.calendar import confirmation_due, day_of, load_calendar, start_of
from db.commands.dispute.guards import CONSENTED, NOT_REFUSED, NOTIFIED, TALKED
from db.commands.follow_up import schedule_follow_up
from db.commands.money import check_money
from db.commands.obligation import check_visible_party, load_parties_with_visibility, state_by_obligations
from db.resources.guards import Guard, dispute_in, none, state_in
from db.tables.agreement import AGREEMENT_FORMS, AGREEMENT_SCOPES, IN_FORCE_STATES, SIGNATURE_KINDS
from db.tables.obligation import OBLIGATION_KINDS
from db.tables.party import MAIN_SIDES
from db.write.chronology import COURSE
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork

_PAID = ("PAY", "REFUND")


@dataclass(frozen=True)
class InstalmentInput:
    due_on: dt.date = input_field("本期履行期限")
    amount: Decimal = input_field("本期金额，元")


@dataclass(frozen=True)
class TermInput:
    party_id: UUID = input_field("义务人", of="Party")
    kind: str = input_field("履行内容的类型", codes=OBLIGATION_KINDS)
    content: str = input_field("履行内容", form="document")
    amount: Decimal | None = input_field("金额，元；支付或退还款项的必写", default=None)
    place: str | None = input_field("履行地点", form="document", default=None)
    manner: str | None = input_field("履行方式", form="document", default=None)
    due_on: dt.date | None = input_field("履行期限；分期的写在各期，其余必写", default=None)
    instalments: tuple[InstalmentInput, ...] = input_field(
        "分期履行：各期按期限先后，金额之和等于总金额；每期成为一项义务", default=()
    )


@dataclass(frozen=True)
class DraftInput:
    dispute_id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("达成协议的时间")
    form: str = input_field("形式：书面的签章齐备后生效，口头的达成即生效", codes=AGREEMENT_FORMS)
    content: str = input_field("协议内容：主要事实、争议事项、各方责任、履行内容", form="document")
    scope: str = input_field("全部或部分达成；不写为全部", codes=AGREEMENT_SCOPES, default="FULL")
    obligations: tuple[TermInput, ...] = input_field("约定的义务；没有须履行事项的不写", default=())


# Guards of what is done with an agreement later: variation, rescission, confirmation.
IN_FORCE = state_in("协议尚未生效或已撤销，不能办理此事项。", *IN_FORCE_STATES)
# No court has the agreement before it or has confirmed it.
UNCONFIRMED = Guard(
    "id",
    "CONFIRMATION",
    "协议已向法庭申请司法确认，或已经裁定确认，不能办理此事项。",
    none(
        t.confirmation,
        lambda row, at: or_(at.c.result.is_(None), at.c.result == literal_column("'CONFIRMED'")),
        key="agreement_id",
    ),
)


# No suit over it is pending.
NO_SUIT = Guard(
    "id",
    "SUIT_PENDING",
    "当事人已就协议起诉（《人民调解法》第三十二条），请先登记裁判结果。",
    lambda row: or_(row["sued_on"].is_(None), row["suit_result"].is_not(None)),
)


@command(
    "agreement",
    "draft",
    "拟定协议；口头协议即时生效。",
    DraftInput,
    target="Dispute",
    shows="Agreement",
    by_hand=True,
    rests_on=COURSE,
    asks=("Dispute", "agree"),
    row_field="dispute_id",
    states=("MEDIATING",),
    guards=(NOTIFIED, NOT_REFUSED, CONSENTED, TALKED),
    example={"form": "ORAL", "content": "两清。"},
)
async def draft(work: UnitOfWork, dispute: Record, input: DraftInput) -> Outcome:
    """Arts. 28-30. Drafts stand side by side until one is signed by all."""
    parties = await load_parties_with_visibility(work, dispute.id)
    rescinded_at = await _rescinded_at(work, dispute.id)
    if rescinded_at is not None:
        work.check_time("happenedAt", input.happened_at, rescinded_at, "前一协议撤销的时间")
    agreed_on = day_of(input.happened_at)
    main = [party for party in parties if party["side"] in MAIN_SIDES]
    if {party["side"] for party in main} != set(MAIN_SIDES):
        work.error("disputeId", "PARTIES_INCOMPLETE", "协议须有申请人与被申请人双方。")
    work.check_text("content", input.content, 8000)
    for index, term in enumerate(input.obligations):
        _check_term(work, f"obligations.{index}", term, parties, agreed_on)
    work.raise_errors()
    oral = input.form == "ORAL"
    key = await work.insert(
        t.agreement,
        dispute_id=dispute.id,
        form=input.form,
        scope=input.scope,
        state="DRAFT",
        content=input.content.strip(),
        agreed_on=agreed_on,
        copies=None if oral else len(main) + 1,
    )
    for content, amount, due_on, term in _obligations(input.obligations):
        await work.insert(
            t.obligation,
            dispute_id=dispute.id,
            agreement_id=key,
            party_id=term.party_id,
            kind=term.kind,
            content=content,
            amount=amount,
            place=term.place,
            manner=term.manner,
            due_on=due_on,
            state="DRAFT",
        )
    changes: tuple[tuple[str, UUID, str, str | None], ...] = (
        ("Agreement", key, "form", input.form),
        ("Agreement", key, "agreed_on", agreed_on.isoformat()),
    )
    fields: tuple[str, ...] = ("form", "scope", "content", "agreed_on")
    before, after = None, None
    if oral:
        before, after, effect = await _take_effect(work, key, dispute.values, agreed_on, input.happened_at)
        fields, changes = (*fields, "state", "effective_on", "confirm_by_on"), (*changes, *effect)
    else:
        await work.update_dispute(dispute.id)
    return Outcome("Agreement", key, input.happened_at, before, after, fields, dispute_id=dispute.id, changes=changes)


_RESCINDED = select(func.max(t.event.c.happened_at).label("at")).where(
    t.event.c.dispute_id == bindparam("of_dispute", type_=Uuid()), t.event.c.action == "agreement.rescind"
)


async def _rescinded_at(work: UnitOfWork, dispute_id: UUID) -> dt.datetime | None:
    """When an agreement of the dispute was last rescinded."""
    moment: dt.datetime | None = (await work.fetch(_RESCINDED, {"of_dispute": dispute_id}))[0]["at"]
    return moment


def _obligations(terms: tuple[TermInput, ...]) -> Iterator[tuple[str, Decimal | None, dt.date, TermInput]]:
    """Each obligation to insert: content, amount, due day, term. Each instalment is one obligation."""
    for term in terms:
        content = term.content.strip()
        for number, part in enumerate(term.instalments, 1):
            yield f"{content}（第{number}期，共{len(term.instalments)}期）", part.amount, part.due_on, term
        if not term.instalments:
            assert term.due_on is not None
            yield content, term.amount, term.due_on, term


def _check_term(work: UnitOfWork, path: str, term: TermInput, parties: list[Any], agreed_on: dt.date) -> None:
    check_visible_party(work, f"{path}.partyId", term.party_id, parties)
    work.check_text(f"{path}.content", term.content, 1000)
    for field, text in (("place", term.place), ("manner", term.manner)):
        if text is not None:
            work.check_text(f"{path}.{field}", text, 200)
    if term.amount is not None:
        check_money(work, f"{path}.amount", term.amount)
    elif term.kind in _PAID or term.instalments:
        work.error(f"{path}.amount", "REQUIRED", "支付、退还款项或分期履行的，须写明总金额。")
    if not term.instalments:
        check_due(work, f"{path}.dueOn", term.due_on, agreed_on)
        return
    before = agreed_on
    sound = term.amount is not None
    for index, part in enumerate(term.instalments):
        sound &= check_money(work, f"{path}.instalments.{index}.amount", part.amount)
        if index and part.due_on <= before:
            work.error(f"{path}.instalments.{index}.dueOn", "OUT_OF_ORDER", "各期应按履行期限先后排列。")
        else:
            check_due(work, f"{path}.instalments.{index}.dueOn", part.due_on, agreed_on)
        before = part.due_on
    if sound and sum(part.amount for part in term.instalments) != term.amount:
        work.error(f"{path}.instalments", "BAD_SUM", "各期金额之和应等于总金额。")
    if term.due_on is not None and term.due_on != before:
        work.error(f"{path}.dueOn", "OUT_OF_ORDER", "分期履行的，履行期限应为最后一期的期限，或不写。")


def check_due(work: UnitOfWork, field: str, due_on: dt.date | None, not_before: dt.date) -> None:
    """Note a user error unless there is a due day, not before another day."""
    if due_on is None:
        work.error(field, "REQUIRED", "须写明履行期限。")
    elif due_on < not_before:
        work.error(field, "OUT_OF_ORDER", f"履行期限不能早于 {not_before}。")


async def _take_effect(
    work: UnitOfWork, key: UUID, dispute: Any, effective_on: dt.date, at: dt.datetime
) -> tuple[str, str, tuple[tuple[str, UUID, str, str | None], ...]]:
    """Put the agreement in force: its obligations are owed and the dispute is concluded.

    Returns the dispute's states before and after, and the changes.
    """
    confirm_by_on = confirmation_due(effective_on, await load_calendar(work.connection))
    await work.update(t.agreement, key, state="EFFECTIVE", effective_on=effective_on, confirm_by_on=confirm_by_on)
    await set_states(work, key, ("DRAFT",), "PENDING")
    state = await state_by_obligations(work, dispute["id"], "AGREED")
    # A signature has a day and no time, and the last to be recorded need not be the last that was made.
    began = start_of(effective_on)
    concluded_at = max(began, at, dispute["accepted_at"])
    await work.update_dispute(dispute["id"], state=state, concluded_at=concluded_at)
    if state == "PERFORMED":
        await schedule_follow_up(work, dispute["id"], effective_on)
    changes = (
        ("Agreement", key, "effective_on", effective_on.isoformat()),
        ("Agreement", key, "confirm_by_on", confirm_by_on.isoformat()),
    )
    return dispute["state"], state, changes


_SET_STATES = (
    update(t.obligation)
    .where(
        t.obligation.c.agreement_id == bindparam("of_agreement", type_=Uuid()),
        t.obligation.c.state == func.any(bindparam("states", type_=ARRAY(Text))),
    )
    .values(state=bindparam("after", type_=Text()))
    .returning(t.obligation.c.id)
)


async def set_states(work: UnitOfWork, agreement_id: UUID, before: tuple[str, ...], after: str) -> None:
    """Move the obligations of an agreement from certain states to another."""
    values = {"of_agreement": agreement_id, "states": list(before), "after": after}
    await work.fetch(_SET_STATES, values)


@dataclass(frozen=True)
class SignInput:
    id: UUID = input_field("协议", of="Agreement")
    happened_at: dt.datetime = input_field("签名或盖章时间")
    kind: str = input_field("当事人签名、调解员签名或调解委员会盖章", codes=SIGNATURE_KINDS)
    party_id: UUID | None = input_field("签名的当事人；当事人签名时必写", of="Party", default=None)
    person_id: UUID | None = input_field("签名的调解员；不写为办理人本人", of="Person", default=None)


_DRAFTED = Guard(
    "id", "WRONG_STATE", "协议已生效或已撤销，不能再签名。", lambda row: row["state"] == literal_column("'DRAFT'")
)


@command(
    "agreement",
    "sign",
    "登记签名或盖章；各方、调解员与印章齐备即生效。",
    SignInput,
    target="Agreement",
    shows="Agreement",
    by_hand=True,
    rests_on=("consented",),
    guards=(_DRAFTED, dispute_in("MEDIATING")),
    example={"kind": "PARTY", "party_id": Placeholder("Party", "any")},
)
async def sign(work: UnitOfWork, agreement: Record, input: SignInput) -> Outcome:
    """Art. 29: the day of the last signature or seal is the day of effect. Signing again changes nothing."""
    dispute = agreement.dispute
    assert dispute is not None
    signed_on = day_of(input.happened_at)
    work.check_day("happenedAt", input.happened_at, agreement["agreed_on"], "达成协议之日")
    parties = await load_parties_with_visibility(work, dispute["id"])
    signer = await _signer(work, dispute, input, parties)
    work.raise_errors()
    signatures = await _signatures(work, agreement.id)
    changes: tuple[tuple[str, UUID, str, str | None], ...] = ()
    about: tuple[str, UUID] = ("Agreement", agreement.id)
    if not any(all(signature[name] == value for name, value in signer.items()) for signature in signatures):
        key = await work.insert(
            t.signature, dispute_id=dispute["id"], agreement_id=agreement.id, signed_on=signed_on, **signer
        )
        signatures.append({**signer, "signed_on": signed_on})
        about = ("Signature", key)
        changes = (("Signature", key, "kind", input.kind), ("Signature", key, "signed_on", signed_on.isoformat()))
    signed = {signature.get("party_id") for signature in signatures}
    complete = {"MEDIATOR", "SEAL"} <= {signature["kind"] for signature in signatures} and all(
        party["id"] in signed for party in parties if party["side"] in MAIN_SIDES
    )
    if not complete:
        if changes:
            await work.update_dispute(dispute["id"])
        return Outcome(*about, input.happened_at, changes=changes)
    effective_on = max(signature["signed_on"] for signature in signatures)
    before, after, effect = await _take_effect(work, agreement.id, dispute, effective_on, input.happened_at)
    fields = ("state", "effective_on", "confirm_by_on")
    return Outcome(*about, input.happened_at, before, after, fields, changes=(*changes, *effect))


_ASSIGNED = select(t.assignment.c.id).where(
    t.assignment.c.dispute_id == bindparam("of_dispute", type_=Uuid()),
    t.assignment.c.person_id == bindparam("signing", type_=Uuid()),
    t.assignment.c.ended_at.is_(None),
)


async def _signer(work: UnitOfWork, dispute: Any, input: SignInput, parties: list[Any]) -> dict[str, Any]:
    """The signature's kind and signer, as columns. Notes every user error of the signer."""
    if input.kind != "PARTY" and input.party_id is not None:
        work.error("partyId", "NOT_APPLICABLE", "只有当事人签名时写当事人。")
    if input.kind != "MEDIATOR" and input.person_id is not None:
        work.error("personId", "NOT_APPLICABLE", "只有调解员签名时写调解员。")
    if input.kind == "PARTY":
        if input.party_id is None:
            work.error("partyId", "REQUIRED", "请写明签名的当事人。")
        else:
            check_visible_party(work, "partyId", input.party_id, parties)
        return {"kind": "PARTY", "party_id": input.party_id}
    if input.kind == "SEAL":
        # A house rule against invented cases: the seal is of another hand than all that came before it.
        if not work.user_errors and dispute["one_hand"] and dispute["hand_id"] == work.actor.person_id:
            message = "登记、受理、调解都由您一人经手的，印章须由他人（司法所或另一名承办人）登记加盖。"
            work.error("kind", "SECOND_HAND", message)
        return {"kind": "SEAL", "organization_id": dispute["committee_id"]}
    person = input.person_id or work.actor.person_id
    if not await work.fetch(_ASSIGNED, {"of_dispute": dispute["id"], "signing": person}):
        work.error("personId", "NOT_ASSIGNED", "签名的调解员须是承办这件纠纷的调解员。")
    return {"kind": "MEDIATOR", "person_id": person}


_SIGNATURES = select(
    *(t.signature.c[name] for name in ("kind", "party_id", "person_id", "organization_id", "signed_on"))
).where(t.signature.c.agreement_id == bindparam("of_agreement", type_=Uuid()))


async def _signatures(work: UnitOfWork, agreement_id: UUID) -> list[Any]:
    return await work.fetch(_SIGNATURES, {"of_agreement": agreement_id})
