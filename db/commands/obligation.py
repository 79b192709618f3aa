"""Commands of performance (人民调解法 Art. 31, 若干规定 Art. 37): perform, wholly or in part, and urge. The state of the dispute follows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, func, literal_column, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.calendar import day_of
from db.commands.follow_up import schedule_follow_up
from db.commands.money import check_money
from db.resources.catalog import RESOURCES
from db.resources.guards import Guard, dispute_in, some, state_in
from db.resources.resource import literals
from db.tables.agreement import IN_FORCE_STATES
from db.tables.dispute import UNDER_PERFORMANCE_STATES
from db.tables.follow_up import FOLLOW_UP_METHODS
from db.tables.obligation import OWED_STATES, PERFORMED_STATES, PERFORMING_KINDS, UNSETTLED_STATES
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork


async def load_parties_with_visibility(work: UnitOfWork, dispute_id: UUID) -> list[Any]:
    """The parties that have not withdrawn: id, side, consent_on, and whether the caller sees them (`seen`)."""

    def make() -> Select[Any]:
        resource = RESOURCES["Party"]
        row, at = work.visibility.row(resource, resource.table.alias())
        seen: Any = work.visibility.visible(row).is_(literal_column("true")).label("seen")
        columns: list[Any] = [row["id"], row["side"], row["consent_on"], seen]
        return (
            select(*columns)
            .select_from(at)
            .where(row["dispute_id"] == bindparam("of_dispute", type_=Uuid()), row["withdrawn_on"].is_(None))
        )

    return await work.fetch_for_caller("parties_with_visibility", make, {"of_dispute": dispute_id})


def visible_parties(parties: list[Any]) -> set[UUID]:
    """The keys of the parties that the caller sees."""
    return {party["id"] for party in parties if party["seen"]}


def check_visible_party(work: UnitOfWork, field: str, key: UUID, parties: list[Any]) -> None:
    """Note a user error unless the party is one of the dispute that the caller sees."""
    if key not in visible_parties(parties):
        work.error(field, "NOT_FOUND", "这件纠纷没有这个当事人，或其已退出。")


_PAID = select(func.coalesce(func.sum(t.performance.c.amount), literal_column("0")).label("sum")).where(
    t.performance.c.obligation_id == bindparam("of_obligation", type_=Uuid()),
    t.performance.c.kind.in_([literal_column(f"'{kind}'") for kind in PERFORMING_KINDS]),
)
# What an agreement in force obliges to: whether some of it is not settled yet, and whether all of it is performed.
_STANDING = (
    select(
        func.coalesce(
            func.bool_or(t.obligation.c.state.in_(literals(UNSETTLED_STATES))), literal_column("false")
        ).label("unsettled"),
        func.coalesce(
            func.bool_and(t.obligation.c.state.in_(literals(PERFORMED_STATES))), literal_column("true")
        ).label("performed"),
    )
    .join(t.agreement, t.agreement.c.id == t.obligation.c.agreement_id)
    .where(
        t.obligation.c.dispute_id == bindparam("of_dispute", type_=Uuid()),
        t.agreement.c.state.in_(literals(IN_FORCE_STATES)),
    )
)
_EFFECTIVE_ON = select(t.agreement.c.effective_on).where(t.agreement.c.id == bindparam("of_agreement", type_=Uuid()))


async def amount_performed(work: UnitOfWork, obligation_id: UUID) -> Decimal:
    """The sum of money performed of an obligation."""
    return Decimal((await work.fetch(_PAID, {"of_obligation": obligation_id}))[0]["sum"])


async def state_by_obligations(work: UnitOfWork, dispute_id: UUID, unsettled: str) -> str:
    """The state of a dispute by what its agreements in force oblige to: `unsettled` while anything is owed or before the court,
    else PERFORMED or UNPERFORMED. What was excused is not performed."""
    standing = (await work.fetch(_STANDING, {"of_dispute": dispute_id}))[0]
    if standing["unsettled"]:
        return unsettled
    return "PERFORMED" if standing["performed"] else "UNPERFORMED"


async def advance_dispute(work: UnitOfWork, dispute: Any, on: dt.date) -> tuple[str | None, str | None]:
    """Move the dispute after a step: to PERFORMING, or with a visit due to PERFORMED or UNPERFORMED when nothing is owed any more.

    Returns its states before and after.
    """
    state = await state_by_obligations(work, dispute["id"], "PERFORMING")
    if state != "PERFORMING":
        await schedule_follow_up(work, dispute["id"], on)
    if state == dispute["state"]:
        await work.update_dispute(dispute["id"])
        return None, None
    await work.update_dispute(dispute["id"], state=state)
    return dispute["state"], state


async def check_day(work: UnitOfWork, obligation: Record, happened_at: dt.datetime) -> None:
    """Note a user error where a step is before the day on which the agreement took effect."""
    rows = await work.fetch(_EFFECTIVE_ON, {"of_agreement": obligation["agreement_id"]})
    work.check_day("happenedAt", happened_at, rows[0]["effective_on"], "协议生效之日")


@dataclass(frozen=True)
class PerformInput:
    id: UUID = input_field("义务", of="Obligation")
    happened_at: dt.datetime = input_field("履行时间")
    amount: Decimal | None = input_field("本次履行的金额，元；不写为全部尚欠金额，少于尚欠金额即部分履行", default=None)
    partly: bool = input_field("不涉及金额的义务是否只履行了一部分", default=False)
    evidence: str | None = input_field("凭证，如收据号、照片编号；没有凭证的须有双方确认", default=None)
    both_confirmed: str | None = input_field("双方确认已履行的说明", default=None)


BEING_PERFORMED = dispute_in(*UNDER_PERFORMANCE_STATES)
_OWED = state_in("此项义务不在待履行或部分履行状态，不能办理此事项。", *OWED_STATES)
_OF_AGREEMENT_IN_FORCE = Guard(
    "id",
    "NOT_EFFECTIVE",
    "协议尚未生效或已撤销，不能办理此事项。",
    some(t.agreement, lambda row, at: at.c.state.in_(literals(IN_FORCE_STATES)), key="id", to="agreement_id"),
)
# What may be performed, released, excused, enforced or urged.
TO_BE_PERFORMED = (_OWED, _OF_AGREEMENT_IN_FORCE, BEING_PERFORMED)


@command(
    "obligation",
    "perform",
    "登记履行或部分履行。",
    PerformInput,
    target="Obligation",
    shows="Obligation",
    guards=TO_BE_PERFORMED,
    example={"evidence": "收据"},
)
async def perform(work: UnitOfWork, obligation: Record, input: PerformInput) -> Outcome:
    """Art. 31: performance on evidence or on the confirmation of both. When nothing is owed any more, a visit becomes due (Art. 36 若干规定)."""
    await check_day(work, obligation, input.happened_at)
    for field, text in (("evidence", input.evidence), ("bothConfirmed", input.both_confirmed)):
        if text is not None:
            work.check_text(field, text, 1000)
    if input.evidence is None and input.both_confirmed is None:
        work.error("evidence", "NO_PROOF", "登记履行须有凭证或双方确认。")
    amount, whole = await _amount_of_step(work, obligation, input)
    work.raise_errors()
    on = day_of(input.happened_at)
    key = await work.insert(
        t.performance,
        dispute_id=obligation["dispute_id"],
        obligation_id=obligation.id,
        kind="PERFORM" if whole else "PARTLY_PERFORM",
        occurred_on=on,
        recorded_at=work.now,
        amount=amount,
        evidence=input.evidence.strip() if input.evidence else None,
        both_confirmed=input.both_confirmed.strip() if input.both_confirmed else None,
    )
    state = "PERFORMED" if whole else "PARTLY_PERFORMED"
    await work.update(t.obligation, obligation.id, state=state, performed_on=on if whole else None)
    before, after = await advance_dispute(work, obligation.dispute, on)
    changes: list[tuple[str, UUID, str, str | None]] = [
        ("Obligation", obligation.id, "state", state),
        ("Performance", key, "occurred_on", on.isoformat()),
    ]
    if amount is not None:
        changes.append(("Performance", key, "amount", str(amount)))
    fields = ("state", "performed_on") if whole else ("state",)
    return Outcome("Performance", key, input.happened_at, before, after, fields, changes=tuple(changes))


async def _amount_of_step(work: UnitOfWork, obligation: Record, input: PerformInput) -> tuple[Decimal | None, bool]:
    """The amount of this step, and whether it is the last."""
    if obligation["amount"] is None:
        if input.amount is not None:
            work.error("amount", "NOT_APPLICABLE", "此项义务不涉及金额；只履行一部分的，请用 partly 写明。")
        return None, not input.partly
    if input.partly:
        work.error("partly", "NOT_APPLICABLE", "此项义务以金额计；只履行一部分的，请写明本次金额。")
    outstanding = obligation["amount"] - await amount_performed(work, obligation.id)
    if input.amount is None:
        return outstanding, True
    if check_money(work, "amount", input.amount):
        if input.amount > outstanding:
            work.error("amount", "TOO_MUCH", "本次金额超过尚欠金额。")
        elif input.amount == 0 and outstanding > 0:
            work.error("amount", "TOO_SMALL", "本次金额应大于零。")
    return input.amount, input.amount == outstanding


@dataclass(frozen=True)
class UrgeInput:
    id: UUID = input_field("义务", of="Obligation")
    happened_at: dt.datetime = input_field("督促时间")
    party_id: UUID = input_field("被督促的当事人，任何一方均可", of="Party")
    method: str = input_field("督促方式", codes=FOLLOW_UP_METHODS)
    result: str = input_field("督促的结果")


@command(
    "obligation",
    "urge",
    "督促一方当事人履行。",
    UrgeInput,
    target="Obligation",
    shows="Obligation",
    guards=TO_BE_PERFORMED,
    example={"party_id": Placeholder("Party", "that owes"), "method": "PHONE", "result": "答应。"},
)
async def urge(work: UnitOfWork, obligation: Record, input: UrgeInput) -> Outcome:
    """Art. 31: the committee urges both sides, the one who owes and the one who must accept the performance; what came of it is recorded."""
    await check_day(work, obligation, input.happened_at)
    check_visible_party(
        work, "partyId", input.party_id, await load_parties_with_visibility(work, obligation["dispute_id"])
    )
    work.check_text("result", input.result, 1000)
    work.raise_errors()
    on = day_of(input.happened_at)
    key = await work.insert(
        t.performance,
        dispute_id=obligation["dispute_id"],
        obligation_id=obligation.id,
        kind="URGE",
        occurred_on=on,
        recorded_at=work.now,
        party_id=input.party_id,
        method=input.method,
        result=input.result.strip(),
    )
    await work.update_dispute(obligation["dispute_id"])
    changes = (
        ("Performance", key, "occurred_on", on.isoformat()),
        ("Performance", key, "method", input.method),
    )
    return Outcome("Performance", key, input.happened_at, changes=changes)
