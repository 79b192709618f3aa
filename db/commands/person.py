"""Commands on accounts: suspend and restore. Whoever is suspended is let in no more, from the next request on."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db import tables as t
from db.commands.rights import check_governed, load_staff, lock_rights
from db.resources.guards import CALLER_ID, Guard, state_in
from db.write.command import Outcome, command, input_field
from db.write.transaction import Record, UnitOfWork


@dataclass(frozen=True)
class PersonSuspendInput:
    id: UUID = input_field("停用谁的账号", of="Person")
    reason: str = input_field("停用的理由")


_NOT_MYSELF = Guard("id", "SELF", "不能停用自己的账号，请由他人办理。", lambda row: row["id"] != CALLER_ID)


@command(
    "person",
    "suspend",
    "停用账号：此人的一切令牌自下一个请求起失效，任职不变。不能停用自己。",
    PersonSuspendInput,
    target="Person",
    shows="Person",
    online=True,
    guards=(state_in("该账号已经停用。", "ACTIVE"), _NOT_MYSELF),
    example={"reason": "停职"},
)
async def suspend(work: UnitOfWork, person: Record, input: PersonSuspendInput) -> Outcome:
    """The person keeps the appointments, which give no access meanwhile."""
    work.check_text("reason", input.reason, 500)
    await lock_rights(work)
    before = await load_staff(work, of_today=True)
    await work.update(t.person, person.id, state="SUSPENDED")
    await check_governed(work, before)
    work.raise_errors()
    return Outcome("Person", person.id, None, person["state"], "SUSPENDED", ("state",), input.reason.strip())


@dataclass(frozen=True)
class PersonRestoreInput:
    id: UUID = input_field("恢复谁的账号", of="Person")
    reason: str = input_field("恢复的理由")


@command(
    "person",
    "restore",
    "恢复停用的账号：未到期、未撤销的令牌与任职重新有效。",
    PersonRestoreInput,
    target="Person",
    shows="Person",
    online=True,
    guards=(state_in("该账号没有停用。", "SUSPENDED"),),
    example={"reason": "复职"},
)
async def restore(work: UnitOfWork, person: Record, input: PersonRestoreInput) -> Outcome:
    """What the person had and has not lost meanwhile is valid again."""
    work.check_text("reason", input.reason, 500)
    work.raise_errors()
    await lock_rights(work)
    await work.update(t.person, person.id, state="ACTIVE")
    return Outcome("Person", person.id, None, person["state"], "ACTIVE", ("state",), input.reason.strip())
