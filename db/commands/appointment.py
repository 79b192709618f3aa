"""Commands on appointments: grant, end, delegate for a leave. A change holds from the next request on; nobody grants anything to themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.types import Date, Text, Uuid

from db import tables as t
from db.calendar import day_of
from db.commands.rights import check_governed, load_staff, lock_rights
from db.identity.appointments import overlaps
from db.resources.guards import Guard
from db.resources.resource import today
from db.write.command import Absent, Outcome, Place, Site, UserError, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork

# A leave; what lasts longer is an appointment to be granted.
LONGEST_LEAVE = 366
_DAY = dt.timedelta(days=1)
_FORBIDDEN = UserError("role", "FORBIDDEN", "您无权授予这一任职。")
_POST = ("role", "person_id", "organization_id", "area_code")


async def _post(_: UnitOfWork, values: Mapping[str, Any]) -> Site:
    return Site({name: values[name] for name in _POST})


@dataclass(frozen=True)
class AppointmentGrantInput:
    person_id: UUID = input_field("任职的人", of="Person")
    role: str = input_field("角色代码，以现行策略为准", form="code")
    organization_id: UUID = input_field("任职机构", of="Organization")
    area_code: str = input_field("任职区域的区划代码", form="area_code")
    reason: str = input_field("任命的依据")
    valid_from: dt.date | None = input_field("开始日期；不写为今日", default=None)
    valid_to: dt.date | None = input_field("截止日期，含当日；不写为不定期限", default=None)


@command(
    "appointment",
    "grant",
    "授予任职：一个人在一个机构、一片区域、一段时间内的角色。不能授予自己。",
    AppointmentGrantInput,
    target=None,
    place=Place(_POST, _post, _FORBIDDEN.field, _FORBIDDEN.message),
    shows="Appointment",
    online=True,
    example={
        "person_id": Placeholder("Person", "somebody else"),
        "role": Placeholder("role", "of the policy"),
        "organization_id": Placeholder("Organization", "where the appointment is"),
        "area_code": Placeholder("code", "of the area of the appointment"),
        "reason": "任命文件",
    },
)
async def grant(work: UnitOfWork, input: AppointmentGrantInput) -> Outcome:
    """A new appointment, from today or a later day."""
    today = day_of(work.now)
    first = input.valid_from or today
    work.check_text("reason", input.reason, 500)
    if input.role not in work.actor.access.policy.roles:
        work.error("role", "NO_ROLE", "现行策略中没有这个角色。")
    if first < today:
        work.error("validFrom", "TOO_EARLY", "任职不能追溯，开始日期不能早于今日。")
    if input.valid_to is not None and input.valid_to < first:
        work.error("validTo", "TOO_EARLY", "截止日期不能早于开始日期。")
    await _check_person(work, "personId", input.person_id)
    await _load_visible(work, "Organization", input.organization_id, "organizationId", "没有这个机构，或者您无权查看。")
    if not await work.fetch(_AREA, {"area": input.area_code}):
        work.error("areaCode", "BAD_AREA", "没有这个区划。")
    work.raise_errors()
    await lock_rights(work)
    place = {"organization_id": input.organization_id, "area_code": input.area_code, "role": input.role}
    await _check_single(work, "role", input.person_id, place, first, input.valid_to)
    work.raise_errors()
    key = await work.insert(
        t.appointment, person_id=input.person_id, valid_from=first, valid_to=input.valid_to, **place
    )
    return Outcome("Appointment", key, None, None, None, ("role",), input.reason.strip())


@dataclass(frozen=True)
class AppointmentEndInput:
    id: UUID = input_field("终止哪一任职", of="Appointment")
    reason: str = input_field("终止的理由")
    last_on: dt.date | None = input_field("任职的最后一日；不写为立即终止，自下一个请求起无效", default=None)


_RUNNING = Guard(
    "id",
    "WRONG_STATE",
    "该任职已经终止。",
    lambda row: or_(row["valid_to"].is_(None), and_(row["valid_to"] >= today(), row["valid_to"] >= row["valid_from"])),
)


@command(
    "appointment",
    "end",
    "终止任职，连同由它安排的代行。",
    AppointmentEndInput,
    target="Appointment",
    shows="Appointment",
    online=True,
    guards=(_RUNNING,),
    example={"reason": "调离"},
)
async def end(work: UnitOfWork, appointment: Record, input: AppointmentEndInput) -> Outcome:
    """The appointment and what was delegated of it end with the day."""
    yesterday = day_of(work.now) - _DAY
    last = input.last_on or yesterday
    work.check_text("reason", input.reason, 500)
    if last < yesterday:
        work.error("lastOn", "TOO_EARLY", "终止不能追溯，最后一日不能早于昨日。")
    if appointment["valid_to"] is not None and last > appointment["valid_to"]:
        work.error("lastOn", "TOO_LATE", "最后一日不能晚于原定的截止日期。")
    work.raise_errors()
    await lock_rights(work)
    before = await load_staff(work, of_today=True)
    for row in await work.fetch(_WITH_DELEGATED, {"appointment": appointment.id, "last": last}):
        # An appointment that had not begun was never in force: its last day is the one before its first.
        await work.update(t.appointment, row["id"], valid_to=max(last, row["valid_from"] - _DAY))
    await check_governed(work, before)
    work.raise_errors()
    return Outcome("Appointment", appointment.id, None, None, None, ("valid_to",), input.reason.strip())


@dataclass(frozen=True)
class AppointmentDelegateInput:
    id: UUID = input_field("由他人代行的任职", of="Appointment")
    to_person_id: UUID = input_field("代行的人", of="Person")
    to_on: dt.date = input_field("代行的最后一日")
    reason: str = input_field("安排代行的缘由，如休假")
    from_on: dt.date | None = input_field("代行的第一日；不写为今日", default=None)


_NOT_DELEGATED = Guard(
    "id", "DELEGATED", "代行的任职不能再转由他人代行。", lambda row: row["delegated_from_id"].is_(None)
)


@command(
    "appointment",
    "delegate",
    "安排代行：休假等期间，由另一人以同样的角色、机构、区域任职。由本人承办、本人所在团队的案件不随之转移，须另行指派。",
    AppointmentDelegateInput,
    target="Appointment",
    shows="Appointment",
    online=True,
    guards=(_RUNNING, _NOT_DELEGATED),
    example={
        "to_person_id": Placeholder("Person", "somebody else"),
        "to_on": Placeholder("date", "in three days"),
        "reason": "休假",
    },
)
async def delegate(work: UnitOfWork, appointment: Record, input: AppointmentDelegateInput) -> Outcome:
    """A copy of the appointment for another person, for a while, bound to it."""
    today = day_of(work.now)
    first = input.from_on or today
    work.check_text("reason", input.reason, 500)
    if first < max(today, appointment["valid_from"]):
        work.error("fromOn", "TOO_EARLY", "代行不能追溯，也不能早于原任职的开始日期。")
    if input.to_on < first:
        work.error("toOn", "TOO_EARLY", "最后一日不能早于第一日。")
    elif (input.to_on - first).days >= LONGEST_LEAVE:
        work.error("toOn", "TOO_LATE", f"代行至多 {LONGEST_LEAVE} 日；更久的请授予任职。")
    if appointment["valid_to"] is not None and input.to_on > appointment["valid_to"]:
        work.error("toOn", "TOO_LATE", "代行不能超过原任职的截止日期。")
    if input.to_person_id == appointment["person_id"]:
        work.error("toPersonId", "UNCHANGED", "代行的人就是任职的人。")
    await _check_person(work, "toPersonId", input.to_person_id)
    work.raise_errors()
    await lock_rights(work)
    place = {name: appointment[name] for name in ("organization_id", "area_code", "role")}
    await _check_single(work, "toPersonId", input.to_person_id, place, first, input.to_on)
    work.raise_errors()
    key = await work.insert(
        t.appointment,
        person_id=input.to_person_id,
        valid_from=first,
        valid_to=input.to_on,
        delegated_from_id=appointment.id,
        **place,
    )
    work.ensure_after("Appointment", key, "delegate", _FORBIDDEN)
    return Outcome("Appointment", key, None, None, None, ("role",), input.reason.strip())


# -- what they share

_A = t.appointment.c
_AREA = select(t.area.c.id).where(t.area.c.code == bindparam("area", type_=Text()))
_SAME = select(_A.id).where(
    _A.person_id == bindparam("holder", type_=Uuid()),
    _A.role == bindparam("role", type_=Text()),
    _A.organization_id == bindparam("organization_id", type_=Uuid()),
    _A.area_code == bindparam("area_code", type_=Text()),
    overlaps(t.appointment, bindparam("first", type_=Date()), bindparam("last", type_=Date())),
)
_WITH_DELEGATED = select(_A.id, _A.valid_from).where(
    or_(
        _A.id == bindparam("appointment", type_=Uuid()), _A.delegated_from_id == bindparam("appointment", type_=Uuid())
    ),
    or_(_A.valid_to.is_(None), _A.valid_to > bindparam("last", type_=Date())),
)


async def _load_visible(work: UnitOfWork, kind: str, key: UUID, field: str, message: str) -> Record | None:
    try:
        return await work.load_visible(kind, key, field=field)
    except Absent:
        work.error(field, "NOT_FOUND", message)
        return None


async def _check_person(work: UnitOfWork, field: str, key: UUID) -> None:
    """Note a user error unless it is somebody else, whose account is active."""
    # SECURITY: nobody gives themselves a right, whatever they may give to others.
    if key == work.actor.person_id:
        work.error(field, "SELF", "不能给自己授予任职，请由他人办理。")
        return
    person = await _load_visible(work, "Person", key, field, "没有这个人，或者您无权查看。")
    if person is not None and person["state"] != "ACTIVE":
        work.error(field, "SUSPENDED", "此人的账号已停用，请先恢复。")


async def _check_single(
    work: UnitOfWork, field: str, person: UUID, place: dict[str, Any], first: dt.date, last: dt.date | None
) -> None:
    if await work.fetch(_SAME, {**place, "holder": person, "first": first, "last": last}):
        work.error(field, "DUPLICATE", "此人在该机构、该区域已有同样的任职，期间重叠。")
