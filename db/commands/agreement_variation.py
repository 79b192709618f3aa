"""Commands that change an agreement in force (若干规定 Art. 37): vary, rescind; each with the consent of both parties."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.calendar import day_of, load_calendar, mediation_due
from db.commands.agreement import IN_FORCE, NO_SUIT, UNCONFIRMED, check_due, set_states
from db.commands.money import check_money
from db.commands.obligation import BEING_PERFORMED, amount_performed
from db.tables.obligation import OWED_STATES
from db.write.command import Outcome, command, input_field
from db.write.transaction import Record, UnitOfWork

# What the timeline says of a change: resource, row, field, value.
Change = tuple[str, UUID, str, str | None]


@dataclass(frozen=True)
class VariedTermInput:
    id: UUID = input_field("要变更的义务", of="Obligation")
    content: str | None = input_field("新的履行内容", form="document", default=None)
    amount: Decimal | None = input_field("新的总金额，元，含已履行的部分", default=None)
    due_on: dt.date | None = input_field("新的履行期限", default=None)
    place: str | None = input_field("新的履行地点", form="document", default=None)
    manner: str | None = input_field("新的履行方式", form="document", default=None)


@dataclass(frozen=True)
class VaryInput:
    id: UUID = input_field("协议", of="Agreement")
    happened_at: dt.datetime = input_field("双方同意变更的时间")
    both_consent: bool = input_field("双方当事人是否都同意变更；须为 true")
    reason: str = input_field("变更的原因")
    content: str | None = input_field("新的协议内容", form="document", default=None)
    obligations: tuple[VariedTermInput, ...] = input_field("变更的义务；只写有变的项", default=())


@command(
    "agreement",
    "vary",
    "经双方同意变更协议。",
    VaryInput,
    target="Agreement",
    shows="Agreement",
    guards=(IN_FORCE, BEING_PERFORMED, UNCONFIRMED, NO_SUIT),
    example={"both_consent": True, "reason": "情况有变。", "content": "另行约定。"},
)
async def vary(work: UnitOfWork, agreement: Record, input: VaryInput) -> Outcome:
    """若干规定 Art. 37: unsuitable content is varied with the consent of both. The agreement stays in force; the timeline has the old terms."""
    _check_consent(work, agreement, input)
    if input.content is not None:
        work.check_text("content", input.content, 8000)
    if input.content is None and not input.obligations:
        work.error("", "NOTHING_CHANGED", "请写明新的协议内容，或要变更的义务。")
    varied = await check_varied_terms(work, agreement.id, input.obligations, day_of(input.happened_at))
    work.raise_errors()
    changes: list[Change] = [("Agreement", agreement.id, "state", "VARIED"), *await vary_terms(work, varied)]
    content = {} if input.content is None else {"content": input.content.strip()}
    if content:
        changes.append(("Agreement", agreement.id, "content", content["content"]))
    await work.update(t.agreement, agreement.id, state="VARIED", **content)
    await work.update_dispute(agreement["dispute_id"])
    fields = ("state", *content)
    return Outcome(
        "Agreement", agreement.id, input.happened_at, fields=fields, reason=input.reason.strip(), changes=tuple(changes)
    )


async def check_varied_terms(
    work: UnitOfWork, agreement_id: UUID, terms: tuple[VariedTermInput, ...], on: dt.date
) -> dict[UUID, dict[str, Any]]:
    """The new values of each obligation that is varied. Notes every user error of the terms."""
    varied: dict[UUID, dict[str, Any]] = {}
    obligations = await _obligations_of(work, agreement_id)
    for index, term in enumerate(terms):
        path = f"obligations.{index}"
        if term.id not in obligations or term.id in varied:
            work.error(f"{path}.id", "NOT_FOUND", "协议没有这项义务，或重复写了同一项。")
            continue
        varied[term.id] = await _varied(work, path, term, obligations[term.id], on)
    return varied


async def vary_terms(work: UnitOfWork, varied: dict[UUID, dict[str, Any]]) -> list[Change]:
    """Write the new values; what the timeline says of them."""
    for key, values in varied.items():
        await work.update(t.obligation, key, **values)
    return [("Obligation", key, name, str(value)) for key, values in varied.items() for name, value in values.items()]


_OBLIGATIONS = select(t.obligation.c.id, t.obligation.c.state, t.obligation.c.amount).where(
    t.obligation.c.agreement_id == bindparam("of_agreement", type_=Uuid())
)


async def _obligations_of(work: UnitOfWork, agreement_id: UUID) -> dict[UUID, Any]:
    return {row["id"]: row for row in await work.fetch(_OBLIGATIONS, {"of_agreement": agreement_id})}


async def _varied(work: UnitOfWork, path: str, term: VariedTermInput, obligation: Any, on: dt.date) -> dict[str, Any]:
    """The new values of an obligation."""
    if obligation["state"] not in OWED_STATES:
        work.error(f"{path}.id", "WRONG_STATE", "此项义务不在待履行或部分履行状态，不能变更。")
    for field, text, longest in (
        ("content", term.content, 1000),
        ("place", term.place, 200),
        ("manner", term.manner, 200),
    ):
        if text is not None:
            work.check_text(f"{path}.{field}", text, longest)
    if term.due_on is not None:
        check_due(work, f"{path}.dueOn", term.due_on, on)
    if term.amount is not None and check_money(work, f"{path}.amount", term.amount):
        if obligation["amount"] is None:
            work.error(f"{path}.amount", "NOT_APPLICABLE", "此项义务不涉及金额。")
        elif obligation["state"] == "PARTLY_PERFORMED" and term.amount <= await amount_performed(
            work, obligation["id"]
        ):
            work.error(f"{path}.amount", "TOO_SMALL", "新的总金额应高于已履行的金额；其余不再履行的，请登记免除。")
    new = {
        "content": term.content.strip() if term.content else None,
        "amount": term.amount,
        "due_on": term.due_on,
        "place": term.place,
        "manner": term.manner,
    }
    values = {name: value for name, value in new.items() if value is not None}
    if not values:
        work.error(path, "NOTHING_CHANGED", "请写明此项义务有什么变更。")
    return values


def _check_consent(work: UnitOfWork, agreement: Record, input: VaryInput | RescindInput) -> None:
    work.check_day("happenedAt", input.happened_at, agreement["effective_on"], "协议生效之日")
    if not input.both_consent:
        work.error("bothConsent", "NO_CONSENT", "须经双方当事人同意（《人民调解工作若干规定》第三十七条）。")
    work.check_text("reason", input.reason, 500)


@dataclass(frozen=True)
class RescindInput:
    id: UUID = input_field("协议", of="Agreement")
    happened_at: dt.datetime = input_field("双方同意撤销的时间")
    both_consent: bool = input_field("双方当事人是否都同意撤销并再次调解；须为 true")
    reason: str = input_field("撤销的原因")


@command(
    "agreement",
    "rescind",
    "经双方同意撤销协议，再次调解。",
    RescindInput,
    target="Agreement",
    shows="Agreement",
    guards=(IN_FORCE, BEING_PERFORMED, UNCONFIRMED, NO_SUIT),
    example={"both_consent": True, "reason": "情况有变。"},
)
async def rescind(work: UnitOfWork, agreement: Record, input: RescindInput) -> Outcome:
    """若干规定 Art. 37: with the consent of both the agreement is undone and mediated again, with a month of its own (Art. 33)."""
    dispute = agreement.dispute
    assert dispute is not None
    _check_consent(work, agreement, input)
    work.raise_errors()
    await work.update(t.agreement, agreement.id, state="RESCINDED")
    await set_states(work, agreement.id, OWED_STATES, "RESCINDED")
    due_on = mediation_due(day_of(input.happened_at), await load_calendar(work.connection))
    await work.update_dispute(dispute["id"], state="MEDIATING", concluded_at=None, due_on=due_on)
    changes = (
        ("Agreement", agreement.id, "state", "RESCINDED"),
        ("Dispute", dispute["id"], "due_on", due_on.isoformat()),
    )
    return Outcome(
        "Agreement",
        agreement.id,
        input.happened_at,
        dispute["state"],
        "MEDIATING",
        ("state",),
        input.reason.strip(),
        changes=changes,
    )
