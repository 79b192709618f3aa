"""Commands on accounts: suspend and restore. Whoever is suspended is let in no more, from the next request on."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db import tables as t
from db.command import Outcome, command, given
from db.commands.governance import check_governed, lock_rights, staff_of
from db.desk import Desk, Record


@dataclass(frozen=True)
class PersonSuspendOrder:
    id: UUID = given("停用谁的账号", of="Person")
    reason: str = given("停用的理由")


@command(
    "person",
    "suspend",
    "停用账号：此人的一切令牌自下一个请求起失效，任职不变。不能停用自己。",
    PersonSuspendOrder,
    target="Person",
    shows="Person",
    online=True,
)
async def suspend(desk: Desk, person: Record, order: PersonSuspendOrder) -> Outcome:
    """He keeps his posts, and gets nowhere with them."""
    desk.text("reason", order.reason, 500)
    await lock_rights(desk)
    before = await staff_of(desk, of_today=True)
    await desk.update(t.person, person.id, state="SUSPENDED")
    await check_governed(desk, before)
    desk.settle()
    return Outcome("Person", person.id, None, person["state"], "SUSPENDED", ("state",), order.reason.strip())


@dataclass(frozen=True)
class PersonRestoreOrder:
    id: UUID = given("恢复谁的账号", of="Person")
    reason: str = given("恢复的理由")


@command(
    "person",
    "restore",
    "恢复停用的账号：未到期、未撤销的令牌与任职重新有效。",
    PersonRestoreOrder,
    target="Person",
    shows="Person",
    online=True,
)
async def restore(desk: Desk, person: Record, order: PersonRestoreOrder) -> Outcome:
    """What he had and has not lost meanwhile is his again."""
    desk.text("reason", order.reason, 500)
    desk.settle()
    await lock_rights(desk)
    await desk.update(t.person, person.id, state="ACTIVE")
    return Outcome("Person", person.id, None, person["state"], "ACTIVE", ("state",), order.reason.strip())
