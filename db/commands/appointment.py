"""Commands on posts: grant, end, delegate for a leave. What they change holds from the next request on; nobody gives himself anything."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_, select
from sqlalchemy.types import Date, Text, Uuid

from db import tables as t
from db.calendar import day_of
from db.command import Absent, Mistake, Outcome, command, given
from db.commands.governance import check_governed, lock_rights, staff_of
from db.desk import Desk, Record

# A leave; what lasts longer is a post to be granted.
LONGEST_LEAVE = 366
_DAY = dt.timedelta(days=1)
_FORBIDDEN = Mistake("role", "FORBIDDEN", "您无权授予这一任职。")


@dataclass(frozen=True)
class AppointmentGrantOrder:
    person_id: UUID = given("任职的人", of="Person")
    role: str = given("角色代码，以现行策略为准")
    organization_id: UUID = given("任职机构", of="Organization")
    area_code: str = given("任职区域的区划代码")
    reason: str = given("任命的依据")
    valid_from: dt.date | None = given("开始日期；不写为今日", default=None)
    valid_to: dt.date | None = given("截止日期，含当日；不写为不定期限", default=None)


@command(
    "appointment",
    "grant",
    "授予任职：一个人在一个机构、一片区域、一段时间内的角色。不能授予自己。",
    AppointmentGrantOrder,
    target=None,
    shows="Appointment",
    online=True,
)
async def grant(desk: Desk, order: AppointmentGrantOrder) -> Outcome:
    """A new post, from today or a day to come."""
    today = day_of(desk.now)
    first = order.valid_from or today
    desk.text("reason", order.reason, 500)
    if order.role not in desk.actor.access.policy.roles:
        desk.mistake("role", "NO_ROLE", "现行策略中没有这个角色。")
    if first < today:
        desk.mistake("validFrom", "TOO_EARLY", "任职不能追溯，开始日期不能早于今日。")
    if order.valid_to is not None and order.valid_to < first:
        desk.mistake("validTo", "TOO_EARLY", "截止日期不能早于开始日期。")
    await _check_person(desk, "personId", order.person_id)
    await _check_seen(desk, "Organization", order.organization_id, "organizationId", "没有这个机构，或者您无权查看。")
    if not await desk.fetch(_AREA, {"area": order.area_code}):
        desk.mistake("areaCode", "BAD_AREA", "没有这个区划。")
    desk.settle()
    await lock_rights(desk)
    place = {"organization_id": order.organization_id, "area_code": order.area_code, "role": order.role}
    await _check_single(desk, "role", order.person_id, place, first, order.valid_to)
    desk.settle()
    key = await desk.insert(
        t.appointment, person_id=order.person_id, valid_from=first, valid_to=order.valid_to, **place
    )
    desk.must("Appointment", key, "grant", _FORBIDDEN)
    return Outcome("Appointment", key, None, None, None, ("role",), order.reason.strip())


@dataclass(frozen=True)
class AppointmentEndOrder:
    id: UUID = given("终止哪一任职", of="Appointment")
    reason: str = given("终止的理由")
    last_on: dt.date | None = given("任职的最后一日；不写为立即终止，自下一个请求起无效", default=None)


@command(
    "appointment",
    "end",
    "终止任职，连同由它安排的代行。",
    AppointmentEndOrder,
    target="Appointment",
    shows="Appointment",
    online=True,
)
async def end(desk: Desk, post: Record, order: AppointmentEndOrder) -> Outcome:
    """The post and what was delegated of it end with the day."""
    yesterday = day_of(desk.now) - _DAY
    last = order.last_on or yesterday
    desk.text("reason", order.reason, 500)
    if last < yesterday:
        desk.mistake("lastOn", "TOO_EARLY", "终止不能追溯，最后一日不能早于昨日。")
    if post["valid_to"] is not None and last > post["valid_to"]:
        desk.mistake("lastOn", "TOO_LATE", "最后一日不能晚于原定的截止日期。")
    desk.settle()
    await lock_rights(desk)
    before = await staff_of(desk, of_today=True)
    for one in await desk.fetch(_WITH_DELEGATED, {"post": post.id, "last": last}):
        # A post that had not begun was never held: its last day is the one before its first.
        await desk.update(t.appointment, one["id"], valid_to=max(last, one["valid_from"] - _DAY))
    await check_governed(desk, before)
    desk.settle()
    return Outcome("Appointment", post.id, None, None, None, ("valid_to",), order.reason.strip())


@dataclass(frozen=True)
class AppointmentDelegateOrder:
    id: UUID = given("由他人代行的任职", of="Appointment")
    to_person_id: UUID = given("代行的人", of="Person")
    to_on: dt.date = given("代行的最后一日")
    reason: str = given("安排代行的缘由，如休假")
    from_on: dt.date | None = given("代行的第一日；不写为今日", default=None)


@command(
    "appointment",
    "delegate",
    "安排代行：休假等期间，由另一人以同样的角色、机构、区域任职。由本人承办、本人所在团队的案件不随之转移，须另行指派。",
    AppointmentDelegateOrder,
    target="Appointment",
    shows="Appointment",
    online=True,
)
async def delegate(desk: Desk, post: Record, order: AppointmentDelegateOrder) -> Outcome:
    """A post like the other, for a while, bound to it."""
    today = day_of(desk.now)
    first = order.from_on or today
    desk.text("reason", order.reason, 500)
    if first < max(today, post["valid_from"]):
        desk.mistake("fromOn", "TOO_EARLY", "代行不能追溯，也不能早于原任职的开始日期。")
    if order.to_on < first:
        desk.mistake("toOn", "TOO_EARLY", "最后一日不能早于第一日。")
    elif (order.to_on - first).days >= LONGEST_LEAVE:
        desk.mistake("toOn", "TOO_LATE", f"代行至多 {LONGEST_LEAVE} 日；更久的请授予任职。")
    if post["valid_to"] is not None and order.to_on > post["valid_to"]:
        desk.mistake("toOn", "TOO_LATE", "代行不能超过原任职的截止日期。")
    if order.to_person_id == post["person_id"]:
        desk.mistake("toPersonId", "UNCHANGED", "代行的人就是任职的人。")
    await _check_person(desk, "toPersonId", order.to_person_id)
    desk.settle()
    await lock_rights(desk)
    place = {name: post[name] for name in ("organization_id", "area_code", "role")}
    await _check_single(desk, "toPersonId", order.to_person_id, place, first, order.to_on)
    desk.settle()
    key = await desk.insert(
        t.appointment,
        person_id=order.to_person_id,
        valid_from=first,
        valid_to=order.to_on,
        delegated_from_id=post.id,
        **place,
    )
    desk.must("Appointment", key, "delegate", _FORBIDDEN)
    return Outcome("Appointment", key, None, None, None, ("role",), order.reason.strip())


# -- what they share

_A = t.appointment.c
_AREA = select(t.area.c.id).where(t.area.c.code == bindparam("area", type_=Text()))
_SAME = select(_A.id).where(
    _A.person_id == bindparam("holder", type_=Uuid()),
    _A.role == bindparam("role", type_=Text()),
    _A.organization_id == bindparam("organization_id", type_=Uuid()),
    _A.area_code == bindparam("area_code", type_=Text()),
    or_(_A.valid_to.is_(None), _A.valid_to >= bindparam("first", type_=Date())),
    or_(bindparam("last", type_=Date()).is_(None), _A.valid_from <= bindparam("last", type_=Date())),
)
_WITH_DELEGATED = select(_A.id, _A.valid_from).where(
    or_(_A.id == bindparam("post", type_=Uuid()), _A.delegated_from_id == bindparam("post", type_=Uuid())),
    or_(_A.valid_to.is_(None), _A.valid_to > bindparam("last", type_=Date())),
)


async def _check_seen(desk: Desk, kind: str, key: UUID, field: str, message: str) -> Record | None:
    try:
        return await desk.see(kind, key, field=field)
    except Absent:
        desk.mistake(field, "NOT_FOUND", message)
        return None


async def _check_person(desk: Desk, field: str, key: UUID) -> None:
    """Note a mistake unless it is somebody else, whose account is open."""
    # SECURITY: nobody gives himself a right, whatever he may give to others.
    if key == desk.actor.person_id:
        desk.mistake(field, "SELF", "不能给自己授予任职，请由他人办理。")
        return
    person = await _check_seen(desk, "Person", key, field, "没有这个人，或者您无权查看。")
    if person is not None and person["state"] != "ACTIVE":
        desk.mistake(field, "SUSPENDED", "此人的账号已停用，请先恢复。")


async def _check_single(
    desk: Desk, field: str, person: UUID, place: dict[str, Any], first: dt.date, last: dt.date | None
) -> None:
    if await desk.fetch(_SAME, {**place, "holder": person, "first": first, "last": last}):
        desk.mistake(field, "DUPLICATE", "此人在该机构、该区域已有同样的任职，期间重叠。")
