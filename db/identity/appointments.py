"""Which appointments (posts) and team memberships are in force on a day, stated once.

The token look-up, explanations, the impact of a policy, the demo and the check of who is in charge all rest on these expressions. The
first and the last day of a period both belong to it; days are the county's dates.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    DateTime,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.types import Date, Text, Uuid

from db import tables as t
from db.calendar import COUNTY_ZONE
from db.postgres.connection import Connection
from db.query.statement import compile_statement
from db.resources.resource import Sql, today
from db.tables.team import TEAM_ROLE_OF
from policies.grant import Access, Appointment
from policies.policy import Policy

# -- periods: `period` is anything with the columns `valid_from` and `valid_to`, an appointment or a team membership


def not_ended(period: FromClause, day: Sql) -> Sql:
    """Whether a period still lasts on a day or begins later."""
    return or_(period.c.valid_to.is_(None), period.c.valid_to >= day)


def in_force(period: FromClause, day: Sql) -> Sql:
    """Whether a period holds a day."""
    return and_(period.c.valid_from <= day, not_ended(period, day))


def not_withdrawn(period: FromClause) -> Sql:
    """Whether a period has any day at all: one that was withdrawn before it began ends on the day before."""
    return not_ended(period, period.c.valid_from)


def overlaps(period: FromClause, first: Sql, last: Sql) -> Sql:
    """Whether a period holds any of the days from `first` to `last`; without end where `last` is NULL."""
    return and_(not_ended(period, first), or_(last.is_(None), period.c.valid_from <= last))


def is_active(person: FromClause) -> Sql:
    """Whether a person is active now. Nobody else holds a post."""
    return person.c.state == literal_column("'ACTIVE'")


def posts_in_force(appointment: FromClause, day: Sql) -> Select[Any]:
    """The appointments in force on a day: `id`, `person_id`, `role`, `organization_id`, `area_code` and `team_ids` (uuid[]).

    Whose they are, and whether that person is active, is for the caller to add.
    """
    columns = (appointment.c[name] for name in ("id", "person_id", "role", "organization_id", "area_code"))
    teams = func.array(_team_ids(appointment, day).scalar_subquery(), type_=ARRAY(Uuid()))
    return select(*columns, teams.label("team_ids")).where(in_force(appointment, day))


def _team_ids(appointment: FromClause, day: Sql) -> Select[Any]:
    """The teams in which the person of an appointment serves on a day in the very role of the appointment."""
    member, team = t.team_member.alias(), t.team.alias()
    role = case(
        {literal_column(f"'{role}'"): literal_column(f"'{of_team}'") for role, of_team in TEAM_ROLE_OF.items()},
        value=appointment.c.role,
    )
    # Today a team must be active; of another day only what was written with dates is known.
    existed = and_(team.c.formed_on <= day, or_(team.c.dissolved_on.is_(None), team.c.dissolved_on > day))
    return (
        select(member.c.team_id)
        .select_from(member.join(team, team.c.id == member.c.team_id))
        .where(
            member.c.person_id == appointment.c.person_id,
            member.c.role == role,
            in_force(member, day),
            case((day == today(), team.c.state == literal_column("'ACTIVE'")), else_=existed),
        )
        .order_by(member.c.team_id)
        .correlate(appointment)
    )


def next_change(person_id: Sql, day: Sql) -> Select[Any]:
    """The instant (timestamptz) at which the posts or memberships of a person next change: the first midnight in the county after
    `day` at which one begins or has ended. NULL where none does. `person_id`: a column of the enclosing statement."""
    turns = [
        select(turn.label("turn")).where(period.c.person_id == person_id, ahead).correlate(person_id.table)
        for period in (t.appointment.alias(), t.team_member.alias())
        for turn, ahead in (
            (period.c.valid_from, period.c.valid_from > day),
            (period.c.valid_to + literal_column("1"), period.c.valid_to >= day),
        )
    ]
    turn = union_all(*turns).subquery("change").c.turn
    return select(func.timezone(literal_column(f"'{COUNTY_ZONE}'"), cast(func.min(turn), DateTime())))


# -- people with their posts


@dataclass(frozen=True)
class Post:
    """An appointment in force: where it is, and the role with its claims as a policy reads them."""

    id: UUID
    organization_id: UUID
    area_code: str
    appointment: Appointment


@dataclass(frozen=True)
class Person:
    """A person with the posts in force on a day. A suspended person has none."""

    id: UUID
    name: str
    posts: tuple[Post, ...]

    def access(self, policy: Policy) -> Access:
        """What a policy lets the person see and do."""
        return Access(policy, [post.appointment for post in self.posts])


def claims_of(person_id: UUID, organization_id: UUID, area_code: str, team_ids: Collection[UUID]) -> dict[str, Any]:
    """The claims of an appointment, by their names in a policy."""
    return {
        "person_id": person_id,
        "organization_id": organization_id,
        "area_code": area_code,
        "team_ids": list(team_ids),
    }


def _people() -> Select[Any]:
    day = func.coalesce(bindparam("day", type_=Date()), today())
    person, appointment = t.person.alias(), t.appointment.alias()
    asked, asked_post = bindparam("person_id", type_=Uuid()), bindparam("appointment_id", type_=Uuid())
    posts = (
        posts_in_force(appointment, day)
        .where(or_(asked_post.is_(None), appointment.c.id == asked_post))
        .subquery("post")
    )
    return (
        select(person.c.id.label("person_id"), person.c.name, *(one for one in posts.c if one.name != "person_id"))
        .select_from(person.outerjoin(posts, and_(posts.c.person_id == person.c.id, is_active(person))))
        .where(or_(asked.is_(None), person.c.id == asked))
        .order_by(person.c.name, person.c.id, posts.c.role, posts.c.area_code, posts.c.id)
    )


_PEOPLE = compile_statement(_people())


async def people_of(
    connection: Connection,
    day: dt.date | None = None,
    person_id: UUID | None = None,
    appointment_id: UUID | None = None,
) -> list[Person]:
    """The people, or one of them, with the posts in force on a day (today in the county by default), or one of these posts; by name.

    An empty list for a `person_id` that nobody has.
    """
    values = {"day": day, "person_id": person_id, "appointment_id": appointment_id}
    people: dict[UUID, tuple[str, list[Post]]] = {}
    for row in await connection.fetch(_PEOPLE.sql, *(values[name] for name in _PEOPLE.binds)):
        _, posts = people.setdefault(row["person_id"], (row["name"], []))
        if row["id"] is None:
            continue
        claims = claims_of(row["person_id"], row["organization_id"], row["area_code"], row["team_ids"])
        posts.append(Post(row["id"], row["organization_id"], row["area_code"], Appointment(row["role"], claims)))
    return [Person(key, name, tuple(posts)) for key, (name, posts) in people.items()]


async def access_of(connection: Connection, policy: Policy, person_id: UUID, day: dt.date | None = None) -> Access:
    """The access of a person by the posts in force on a day, today by default."""
    (person,) = await people_of(connection, day, person_id)
    return person.access(policy)


# -- posts by the names of their holders


def _posts_by_name() -> Select[Any]:
    person, appointment = t.person.alias(), t.appointment.alias()
    organization, area = t.organization.alias(), t.area.alias()
    at = (
        appointment.join(person, person.c.id == appointment.c.person_id)
        .join(organization, organization.c.id == appointment.c.organization_id)
        .join(area, area.c.code == appointment.c.area_code)
    )
    return (
        select(
            appointment.c.role,
            appointment.c.id.label("appointment_id"),
            person.c.id.label("person_id"),
            person.c.name.label("person"),
            organization.c.name.label("organization"),
            area.c.name.label("area"),
        )
        .select_from(at)
        .where(
            person.c.name == func.any(bindparam("names", type_=ARRAY(Text()))),
            is_active(person),
            in_force(appointment, today()),
        )
    )


_POSTS_BY_NAME = compile_statement(_posts_by_name())


async def posts_by_name(connection: Connection, names: Collection[str]) -> list[Any]:
    """The posts in force today of the active people of these names.

    Rows of `role`, `appointment_id`, `person_id`, and the names `person`, `organization` and `area`, in no order.
    """
    return list(await connection.fetch(_POSTS_BY_NAME.sql, list(names)))


_FIND_PEOPLE = compile_statement(
    select(t.person.c.id)
    .where(t.person.c.name == bindparam("name", type_=Text()), is_active(t.person))
    .order_by(t.person.c.id)
)


async def find_people(connection: Connection, name: str) -> list[UUID]:
    """The active people of this name; a name need not be unique."""
    return [row["id"] for row in await connection.fetch(_FIND_PEOPLE.sql, name)]
