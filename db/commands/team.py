"""Commands on the 1+3 teams: form, replace a member, dissolve. An active team has exactly one member of each of the four roles (S14)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, bindparam, func, literal_column, select
from sqlalchemy.types import Date, Text, Uuid

from db import tables as t
from db.calendar import day_of
from db.identity.appointments import in_force, is_active, not_ended
from db.resources.attributes import areas_of
from db.resources.guards import state_in
from db.resources.resource import Sql, today
from db.tables.team import STANDING_STATES, TEAM_ROLE_OF, TEAM_ROLES
from db.write.command import Absent, Outcome, Place, Site, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork
from policies.policy import Policy

_LABELS = dict(zip(TEAM_ROLES, ("网格员", "法律顾问", "法治带头人", "人民调解员"), strict=True))


@dataclass(frozen=True)
class TeamMemberInput:
    role: str = input_field("在队角色", codes=TEAM_ROLES)
    person_id: UUID = input_field("成员其人，须有相应的现任职务", of="Person")


def grid_place(message: str) -> Place:
    """The grid that the input names: its code alone says whose it is. `message`: for those who may not act there."""

    async def find(work: UnitOfWork, values: Mapping[str, Any]) -> Site:
        return Site({**areas_of(values["grid_code"]), "person_id": work.actor.person_id})

    return Place(("grid_code",), find, "gridCode", message)


@dataclass(frozen=True)
class TeamFormInput:
    grid_code: str = input_field("服务的网格，15 位区划代码", form="area_code")
    name: str = input_field("团队名称", form="name")
    happened_at: dt.datetime = input_field("组建时间；其日期为组建日期和成员加入日期")
    members: tuple[TeamMemberInput, ...] = input_field("成员，每种角色至多一名；四种角色齐备即开始运行，否则为组建中")


@command(
    "team",
    "form",
    "组建“1+3”团队。",
    TeamFormInput,
    target=None,
    place=grid_place("您无权在这个网格组建团队。"),
    shows="Team",
    example={"grid_code": Placeholder("code", "of a grid without an active team"), "name": "新团队", "members": ()},
)
async def form(work: UnitOfWork, input: TeamFormInput) -> Outcome:
    """A new team: ACTIVE with all four roles, FORMING with fewer. It replaces none: a grid has one active team."""
    work.check_text("name", input.name, 60)
    day = day_of(input.happened_at)
    if not await is_grid(work, input.grid_code):
        work.error("gridCode", "BAD_GRID", "没有这个网格，应为 15 位网格代码。")
    elif await active_team_of(work, input.grid_code) is not None:
        work.error("gridCode", "DUPLICATE", "该网格已有一支运行中的团队；请先撤销它，或更换其成员。")
    counted = Counter(member.role for member in input.members)
    people = Counter(member.person_id for member in input.members)
    for index, member in enumerate(input.members):
        if counted[member.role] > 1:
            work.error(f"members.{index}.role", "DUPLICATE", f"{_LABELS[member.role]}只能有一名。")
        if people[member.person_id] > 1:
            work.error(f"members.{index}.personId", "DUPLICATE", "一人在团队中只能担任一种角色。")
        await _check_member(work, f"members.{index}.personId", member.role, member.person_id, input.grid_code, day)
    work.raise_errors()
    complete = set(counted) == set(TEAM_ROLES)
    state = "ACTIVE" if complete else "FORMING"
    key = await work.insert(t.team, name=input.name.strip(), state=state, formed_on=day, grid_code=input.grid_code)
    for member in input.members:
        await work.insert(t.team_member, team_id=key, person_id=member.person_id, role=member.role, valid_from=day)
    return Outcome("Team", key, input.happened_at, None, state, ("name", "members"))


@dataclass(frozen=True)
class TeamReplaceInput:
    id: UUID = input_field("团队", of="Team")
    happened_at: dt.datetime = input_field("作出决定的时间")
    role: str = input_field("在队角色", codes=TEAM_ROLES)
    person_id: UUID = input_field("接任的人，须有相应的现任职务", of="Person")
    from_on: dt.date | None = input_field("接任日期，前任到前一日为止；不写为作出决定的当日", default=None)


@command(
    "team",
    "replace",
    "更换团队成员，或补上空缺的角色。",
    TeamReplaceInput,
    target="Team",
    shows="Team",
    guards=(state_in("团队已经撤销，不能更换成员。", *STANDING_STATES),),
    example={"role": "MEDIATOR", "person_id": Placeholder("Person", "with a mediator's appointment")},
)
async def replace(work: UnitOfWork, team: Record, input: TeamReplaceInput) -> Outcome:
    """One member of a role gives way to another from a day on; a forming team that is thereby complete becomes active."""
    day = input.from_on or day_of(input.happened_at)
    if day < team["formed_on"]:
        work.error("fromOn", "TOO_EARLY", "接任日期不能早于团队组建日期。")
    serving = await _serving(work, team.id)
    before = serving.get(input.role)
    if before is not None and before["person_id"] == input.person_id:
        work.error("personId", "UNCHANGED", "此人现在就担任这一角色。")
    elif any(member["person_id"] == input.person_id for member in serving.values()):
        work.error("personId", "DUPLICATE", "此人已在团队中担任另一种角色。")
    if before is not None and day <= before["valid_from"]:
        work.error("fromOn", "TOO_EARLY", "接任日期应晚于前任的加入日期。")
    await _check_member(work, "personId", input.role, input.person_id, team["grid_code"], day)
    completes = team["state"] == "FORMING" and {*serving, input.role} == set(TEAM_ROLES)
    if completes and await active_team_of(work, team["grid_code"]) is not None:
        work.error("id", "DUPLICATE", "该网格已有一支运行中的团队，本团队补齐后不能开始运行；请先撤销那一支。")
    work.raise_errors()
    if before is not None:
        await work.update(t.team_member, before["id"], valid_to=day - dt.timedelta(days=1))
    key = await work.insert(t.team_member, team_id=team.id, person_id=input.person_id, role=input.role, valid_from=day)
    if completes:
        await work.update(t.team, team.id, state="ACTIVE")
    state = "ACTIVE" if completes else team["state"]
    return Outcome("TeamMember", key, input.happened_at, team["state"], state, ("members",), input.role)


@dataclass(frozen=True)
class TeamDissolveInput:
    id: UUID = input_field("团队", of="Team")
    happened_at: dt.datetime = input_field("撤销时间")
    reason: str = input_field("撤销的理由")


@command(
    "team",
    "dissolve",
    "撤销团队；成员自次日起不再以团队身份看到案件。",
    TeamDissolveInput,
    target="Team",
    shows="Team",
    guards=(state_in("团队已经撤销。", *STANDING_STATES),),
    example={"reason": "并入他队。"},
)
async def dissolve(work: UnitOfWork, team: Record, input: TeamDissolveInput) -> Outcome:
    """The team and the service of its members end; what it did stays on record."""
    day = day_of(input.happened_at)
    work.check_text("reason", input.reason, 500)
    if day < team["formed_on"]:
        work.error("happenedAt", "TOO_EARLY", "撤销日期不能早于团队组建日期。")
    work.raise_errors()
    await work.update(t.team, team.id, state="DISSOLVED", dissolved_on=day)
    for member in (await _serving(work, team.id)).values():
        # A member who was to join later never served: the day of leaving is that of joining.
        await work.update(t.team_member, member["id"], valid_to=max(day, member["valid_from"]))
    return Outcome(
        "Team", team.id, input.happened_at, team["state"], "DISSOLVED", ("state", "dissolved_on"), input.reason.strip()
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
        is_active(t.person),
        t.appointment.c.role == func.any(bindparam("roles", type_=ARRAY(Text))),
        in_force(t.appointment, _DAY),
        not_ended(t.appointment, today()),
    )
)
_APPOINTED_HERE = _APPOINTED.where(t.appointment.c.area_code == bindparam("grid", type_=Text()))


async def _serving(work: UnitOfWork, team_id: UUID) -> dict[str, Any]:
    """The members in force by role."""
    return {row["role"]: row for row in await work.fetch(_SERVING, {"team": team_id})}


def eligible_roles(policy: Policy, team_role: str) -> list[str]:
    """The policy roles whose holders may serve in a team role: those mapped to it and those that inherit one of them."""
    return [
        role
        for role, inherited in policy.inherited.items()
        if any(TEAM_ROLE_OF.get(source) == team_role for source in inherited)
    ]


async def _check_member(work: UnitOfWork, field: str, role: str, person_id: UUID, grid_code: str, day: dt.date) -> None:
    """Note a user error unless the person holds the role's appointment on the day, a grid worker that of the very grid."""
    try:
        await work.load_visible("Person", person_id, field=field)
    except Absent:
        work.error(field, "NOT_FOUND", "没有这个人，或者您无权查看。")
        return
    values = {
        "member": person_id,
        "day": day,
        "roles": eligible_roles(work.actor.access.policy, role),
        "grid": grid_code,
    }
    if not await work.fetch(_APPOINTED_HERE if role == "GRID_WORKER" else _APPOINTED, values):
        where = "本网格的" if role == "GRID_WORKER" else ""
        work.error(field, "NOT_APPOINTED", f"此人在该日没有{where}{_LABELS[role]}职务。")


_GRID = select(t.area.c.code).where(t.area.c.code == bindparam("grid", type_=Text()), t.area.c.level == "GRID")


def team_in(grid: Sql) -> Select[Any]:
    """The active team of a grid, as a statement: there is one at most."""
    return select(t.team.c.id).where(t.team.c.grid_code == grid, t.team.c.state == literal_column("'ACTIVE'"))


_TEAM = team_in(bindparam("grid", type_=Text()))


async def is_grid(work: UnitOfWork, code: str) -> bool:
    """Whether the code is that of a grid."""
    return bool(await work.fetch(_GRID, {"grid": code}))


async def active_team_of(work: UnitOfWork, code: str) -> UUID | None:
    """The active team of a grid."""
    rows = await work.fetch(_TEAM, {"grid": code})
    return UUID(str(rows[0]["id"])) if rows else None
