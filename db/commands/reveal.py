"""Reveals a party's guarded cells in clear, for a written reason: recorded before it answers, few a day, kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, func, literal_column, select
from sqlalchemy.types import DateTime, Text, Uuid

from db import tables as t
from db.calendar import day_of, start_of
from db.command import Outcome, command, given
from db.commands.parties import impersonal
from db.desk import Desk, Record
from db.resources.catalog import RESOURCES

REVEALABLE = ("ID_NUMBER", "PHONE", "NAME")
# A house rule: a mediator draws up a few documents a day; whoever needs more is asked why.
DAILY_QUOTA = 20


@dataclass(frozen=True)
class PartyRevealOrder:
    id: UUID = given("当事人", of="Party")
    fields: tuple[str, ...] = given("要查看明文的项", codes=REVEALABLE)
    reason: str = given("理由，至少 5 个字，不写个人信息")


@command(
    "party",
    "reveal",
    f"留痕查看当事人的明文：须写明理由，先记录后给出，每人每日至多 {DAILY_QUOTA} 次；同一幂等键不再给出第二次。",
    PartyRevealOrder,
    target="Party",
    shows="Party",
    reveals=True,
)
async def reveal(desk: Desk, party: Record, order: PartyRevealOrder) -> Outcome:
    """个人信息保护法 Art. 51. The policy's `reveal` rule names the classes of field that may be shown."""
    impersonal(desk, "reason", order.reason, 200)
    if 0 < len(order.reason.strip()) < 5:
        desk.mistake("reason", "TOO_SHORT", "请写明理由，至少 5 个字。")
    if not order.fields:
        desk.mistake("fields", "REQUIRED", "请写明要查看的项。")
    covered = await _covered(desk, party.id, order.fields)
    for index, name in enumerate(order.fields):
        if name not in covered:
            desk.mistake(f"fields.{index}", "FORBIDDEN", "您无权查看这一项的明文。")
    if await _used_today(desk) >= DAILY_QUOTA:
        desk.mistake("", "QUOTA", f"今日查看明文已满 {DAILY_QUOTA} 次，请明日再办。")
    desk.settle()
    # SECURITY: names of fields only; the values go to the answer, which is given after the event is committed, and nowhere else.
    names = tuple(dict.fromkeys(name.lower() for name in order.fields))
    values: dict[str, str | None] = {}
    for name in names:
        if name == "id_number":
            sealed = party["id_number_cipher"]
            values[name] = None if sealed is None else desk.cipher.decrypt(bytes(sealed), row_id=party.id)
        else:
            values[name] = party[name]
    return Outcome("Party", party.id, desk.now, fields=names, reason=order.reason.strip(), revealed=values)


async def _covered(desk: Desk, key: UUID, wanted: tuple[str, ...]) -> set[str]:
    """SECURITY: which of the fields the caller's grant of `reveal` covers on this row, each by its class."""
    names = tuple(dict.fromkeys(wanted))
    if not names:
        return set()

    def make() -> Select[Any]:
        resource = RESOURCES["Party"]
        row, at = desk.visibility.row(resource, resource.table.alias())
        grant = desk.actor.access.grant("Party", "reveal")
        cells = [grant.cell(resource.fields[name.lower()].policy.field_class) for name in names]
        columns: list[Any] = [desk.visibility.where(cell, row).is_(literal_column("true")) for cell in cells]
        return (
            select(*(one.label(f"c_{i}") for i, one in enumerate(columns)))
            .select_from(at)
            .where(row["id"] == bindparam("revealed_id", type_=Uuid()))
        )

    found = await desk.look(("covered", names), make, {"revealed_id": key})
    return {name for i, name in enumerate(names) if found[0][f"c_{i}"]}


_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("lock", type_=Text()), literal_column("0"))))
_USED = select(func.count().label("used")).where(
    t.event.c.actor_id == bindparam("me", type_=Uuid()),
    t.event.c.action == "party.reveal",
    t.event.c.at >= bindparam("since", type_=DateTime(timezone=True)),
)


async def _used_today(desk: Desk) -> int:
    """How many times the person has revealed on this day of the county. One person's reveals wait for each other."""
    await desk.fetch(_LOCK, {"lock": f"reveal {desk.actor.person_id}"})
    since = start_of(day_of(desk.now))
    return int((await desk.fetch(_USED, {"me": desk.actor.person_id, "since": since}))[0]["used"])
