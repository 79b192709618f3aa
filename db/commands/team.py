"""Commands on the 1+3 teams: form, replace a member, dissolve. An active team has exactly one member of each of the four roles (S14)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, and_, bindparam, func, literal_column, or_, select
from sqlalchemy.types import Date, Text, Uuid

from db import tables as t
from db.calendar import day_of
from db.command import Absent, Mistake, Outcome, command, given
from db.desk import Desk, Record
from db.grid import is_grid, team_of
from db.resources.resource import today
from db.tables.team import TEAM_ROLES

_LABELS = dict(zip(TEAM_ROLES, ("网格员", "法律顾问", "法治带头人", "人民调解员"), strict=True))
# Who may serve in a role: holders of one of these appointments.
_APPOINTMENTS = {role: (role.lower(),) for role in TEAM_ROLES} | {"MEDIATOR": ("mediator", "squad_member")}


@dataclass(frozen=True)
class TeamMemberOrder:
    role: str = given("在队角色", codes=TEAM_ROLES)
    person_id: UUID = given("成员其人，须有相应的现任职务", of="Person")


@dataclass(frozen=True)
class TeamFormOrder:
    grid_code: str = given("服务的网格，15 位区划代码")
    name: str = given("团队名称")
    happened_at: dt.datetime = given("组建时间；其日期为组建日期和成员加入日期")
    members: tuple[TeamMemberOrder, ...] = given("成员，每种角色至多一名；四种角色齐备即开始运行，否则为组建中")


@command("team", "form", "组建“1+3”团队。", TeamFormOrder, target=None, shows="Team")
async def form(desk: Desk, order: TeamFormOrder) -> Outcome:
    """A new team: ACTIVE with all four roles, FORMING with fewer. It replaces none: a grid has one active team."""
    desk.happened("happenedAt", order.happened_at)
    desk.text("name", order.name, 60)
    day = day_of(order.happened_at)
    if not await is_grid(desk, order.grid_code):
        desk.mistake("gridCode", "BAD_GRID", "没有这个网格，应为 15 位网格代码。")
    elif await team_of(desk, order.grid_code) is not None:
        desk.mistake("gridCode", "DUPLICATE", "该网格已有一支在用团队；请先撤销它，或更换其成员。")
    counted = Counter(one.role for one in order.members)
    people = Counter(one.person_id for one in order.members)
    for index, member in enumerate(order.members):
        if counted[member.role] > 1:
            desk.mistake(f"members.{index}.role", "DUPLICATE", f"{_LABELS[member.role]}只能有一名。")
        if people[member.person_id] > 1:
            desk.mistake(f"members.{index}.personId", "DUPLICATE", "一人在团队中只能担任一种角色。")
        await _check_member(desk, f"members.{index}.personId", member.role, member.person_id, order.grid_code, day)
    desk.settle()
    complete = set(counted) == set(TEAM_ROLES)
    state = "ACTIVE" if complete else "FORMING"
    key = await desk.insert(t.team, name=order.name.strip(), state=state, formed_on=day, grid_code=order.grid_code)
    for member in order.members:
        await desk.insert(t.team_member, team_id=key, person_id=member.person_id, role=member.role, valid_from=day)
    desk.must("Team", key, "form", Mistake("gridCode", "FORBIDDEN", "您无权在这个网格组建团队。"))
    return Outcome("Team", key, order.happened_at, None, state, ("name", "members"))


@dataclass(frozen=True)
class TeamReplaceOrder:
    id: UUID = given("团队", of="Team")
    happened_at: dt.datetime = given("作出决定的时间")
    role: str = given("在队角色", codes=TEAM_ROLES)
    person_id: UUID = given("接任的人，须有相应的现任职务", of="Person")
    from_on: dt.date | None = given("接任日期，前任到前一日为止；不写为作出决定的当日", default=None)


@command("team", "replace", "更换团队成员，或补上空缺的角色。", TeamReplaceOrder, target="Team", shows="Team")
async def replace(desk: Desk, team: Record, order: TeamReplaceOrder) -> Outcome:
    """One member of a role gives way to another from a day on; a forming team that is thereby complete becomes active."""
    desk.happened("happenedAt", order.happened_at)
    day = order.from_on or day_of(order.happened_at)
    if day < team["formed_on"]:
        desk.mistake("fromOn", "TOO_EARLY", "接任日期不能早于团队组建日期。")
    serving = await _serving(desk, team.id)
    before = serving.get(order.role)
    if before is not None and before["person_id"] == order.person_id:
        desk.mistake("personId", "UNCHANGED", "此人现在就担任这一角色。")
    elif any(one["person_id"] == order.person_id for one in serving.values()):
        desk.mistake("personId", "DUPLICATE", "此人已在团队中担任另一种角色。")
    if before is not None and day <= before["valid_from"]:
        desk.mistake("fromOn", "TOO_EARLY", "接任日期应晚于前任的加入日期。")
    await _check_member(desk, "personId", order.role, order.person_id, team["grid_code"], day)
    completes = team["state"] == "FORMING" and {*serving, order.role} == set(TEAM_ROLES)
    if completes and await team_of(desk, team["grid_code"]) is not None:
        desk.mistake("id", "DUPLICATE", "该网格已有一支在用团队，本团队补齐后不能开始运行；请先撤销那一支。")
    desk.settle()
    if before is not None:
        await desk.update(t.team_member, before["id"], valid_to=day - dt.timedelta(days=1))
    await desk.insert(t.team_member, team_id=team.id, person_id=order.person_id, role=order.role, valid_from=day)
    if completes:
        await desk.update(t.team, team.id, state="ACTIVE")
    state = "ACTIVE" if completes else team["state"]
    return Outcome("Team", team.id, order.happened_at, team["state"], state, ("members",), order.role)


@dataclass(frozen=True)
class TeamDissolveOrder:
    id: UUID = given("团队", of="Team")
    happened_at: dt.datetime = given("撤销时间")
    reason: str = given("撤销的理由")


@command(
    "team", "dissolve", "撤销团队；成员自次日起不再以团队身份看到案件。", TeamDissolveOrder, target="Team", shows="Team"
)
async def dissolve(desk: Desk, team: Record, order: TeamDissolveOrder) -> Outcome:
    """The team and the service of its members end; what it did stays on record."""
    day = day_of(order.happened_at)
    desk.happened("happenedAt", order.happened_at)
    desk.text("reason", order.reason, 500)
    if day < team["formed_on"]:
        desk.mistake("happenedAt", "TOO_EARLY", "撤销日期不能早于团队组建日期。")
    desk.settle()
    await desk.update(t.team, team.id, state="DISSOLVED", dissolved_on=day)
    for member in (await _serving(desk, team.id)).values():
        # Who was to join later never served: his day of leaving is that of joining.
        await desk.update(t.team_member, member["id"], valid_to=max(day, member["valid_from"]))
    return Outcome(
        "Team", team.id, order.happened_at, team["state"], "DISSOLVED", ("state", "dissolved_on"), order.reason.strip()
    )


_SERVING = select(t.team_member).where(
    t.team_member.c.team_id == bindparam("team", type_=Uuid()), t.team_member.c.valid_to.is_(None)
)
_DAY = bindparam("day", type_=Date())
_APPOINTED = (
    select(t.appointment.c.id)
    .select_from(t.appointment.join(t.person, t.person.c.id == t.appointment.c.person_id))
    .where(
        t.appointment.c.person_id == bindparam("member", type_=Uuid()),
        t.person.c.state == literal_column("'ACTIVE'"),
        t.appointment.c.role == func.any(bindparam("roles", type_=ARRAY(Text))),
        t.appointment.c.valid_from <= _DAY,
        or_(
            t.appointment.c.valid_to.is_(None),
            and_(t.appointment.c.valid_to >= _DAY, t.appointment.c.valid_to >= today()),
        ),
    )
)
_APPOINTED_HERE = _APPOINTED.where(t.appointment.c.area_code == bindparam("grid", type_=Text()))


async def _serving(desk: Desk, team_id: UUID) -> dict[str, Any]:
    """The members in force by role."""
    return {one["role"]: one for one in await desk.fetch(_SERVING, {"team": team_id})}


async def _check_member(desk: Desk, field: str, role: str, person_id: UUID, grid_code: str, day: dt.date) -> None:
    """Note a mistake unless the person holds the role's appointment on the day, a grid worker that of the very grid."""
    try:
        await desk.see("Person", person_id, field=field)
    except Absent:
        desk.mistake(field, "NOT_FOUND", "没有这个人，或者您无权查看。")
        return
    values = {"member": person_id, "day": day, "roles": list(_APPOINTMENTS[role]), "grid": grid_code}
    if not await desk.fetch(_APPOINTED_HERE if role == "GRID_WORKER" else _APPOINTED, values):
        where = "本网格的" if role == "GRID_WORKER" else ""
        desk.mistake(field, "NOT_APPOINTED", f"此人在该日没有{where}{_LABELS[role]}职务。")
