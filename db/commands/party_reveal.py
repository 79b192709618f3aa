"""Reveals a party's guarded cells in clear, for a written reason: recorded before it answers, few a day, kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, literal_column, select
from sqlalchemy.types import Uuid

from db.resources.catalog import RESOURCES
from db.write.command import Outcome, command, input_field
from db.write.disclosure import DAILY_QUOTA, ration
from db.write.transaction import Record, UnitOfWork

REVEALABLE = ("ID_NUMBER", "PHONE", "NAME")


@dataclass(frozen=True)
class PartyRevealInput:
    id: UUID = input_field("当事人", of="Party")
    fields: tuple[str, ...] = input_field("要查看明文的项", codes=REVEALABLE)
    reason: str = input_field("理由，至少 5 个字，不写个人信息")


@command(
    "party",
    "reveal",
    f"留痕查看当事人的明文：须写明理由，先记录后给出，每人每日至多 {DAILY_QUOTA} 次；同一幂等键不再给出第二次。",
    PartyRevealInput,
    target="Party",
    shows="Party",
    reveals=True,
    on_archived=True,
    example={"fields": ("ID_NUMBER",), "reason": "核实身份，办理司法确认。"},
)
async def reveal(work: UnitOfWork, party: Record, input: PartyRevealInput) -> Outcome:
    """个人信息保护法 Art. 51. The policy's `reveal` rule names the classes of field that may be shown."""
    covered = await _covered(work, party.id, input.fields)
    for index, name in enumerate(input.fields):
        if name not in covered:
            work.error(f"fields.{index}", "FORBIDDEN", "您无权查看这一项的明文。")
    work.raise_errors()
    work.check_text("reason", input.reason, 200)
    if 0 < len(input.reason.strip()) < 5:
        work.error("reason", "TOO_SHORT", "请写明理由，至少 5 个字。")
    if not input.fields:
        work.error("fields", "REQUIRED", "请写明要查看的项。")
    work.raise_errors()
    await ration(work.fetch, work.actor.person_id, work.now)
    # SECURITY: names of fields only; the values go to the answer, which is given after the event is committed, and nowhere else.
    names = tuple(dict.fromkeys(name.lower() for name in input.fields))
    values: dict[str, str | None] = {}
    for name in names:
        if name == "id_number":
            sealed = party["id_number_cipher"]
            values[name] = None if sealed is None else work.cipher.decrypt(bytes(sealed), row_id=party.id)
        else:
            values[name] = party[name]
    return Outcome("Party", party.id, work.now, fields=names, reason=input.reason.strip(), revealed=values)


async def _covered(work: UnitOfWork, key: UUID, wanted: tuple[str, ...]) -> set[str]:
    """SECURITY: which of the fields the caller's grant of `reveal` covers on this row, each by its class."""
    names = tuple(dict.fromkeys(wanted))
    if not names:
        return set()

    def make() -> Select[Any]:
        resource = RESOURCES["Party"]
        row, at = work.visibility.row(resource, resource.table.alias())
        grant = work.actor.access.grant("Party", "reveal")
        cells = [grant.cell(resource.fields[name.lower()].policy.field_class) for name in names]
        columns: list[Any] = [work.visibility.where(cell, row).is_(literal_column("true")) for cell in cells]
        return (
            select(*(column.label(f"c_{i}") for i, column in enumerate(columns)))
            .select_from(at)
            .where(row["id"] == bindparam("revealed_id", type_=Uuid()))
        )

    rows = await work.fetch_for_caller(("covered", names), make, {"revealed_id": key})
    return {name for i, name in enumerate(names) if rows[0][f"c_{i}"]}
