"""People, their appointments and the register of mediators."""

from __future__ import annotations

from sqlalchemy import FromClause, Uuid, and_, select
from sqlalchemy.types import Text

from db import tables as t
from db.resources.aliases import alias
from db.resources.attributes import column
from db.resources.declaration import Derived, declare
from db.resources.relations import many, one
from db.resources.resource import Relation, Row, Source, Sql

PERSON = declare(
    "Person",
    "工作人员",
    t.person,
    order="name",
    relations=[
        one("mediator", "Mediator", "id", "person_id"),
        many("appointments", "Appointment", "person_id", "valid_from"),
        many("team_memberships", "TeamMember", "person_id", "valid_from"),
    ],
    attributes=[column("id", "标识", Uuid())],
    actions=frozenset({"read", "suspend", "restore"}),
)

APPOINTMENT = declare(
    "Appointment",
    "任职",
    t.appointment,
    order="valid_from",
    relations=[
        one("person", "Person", "person_id"),
        one("organization", "Organization", "organization_id"),
        one("area", "Area", "area_code", "code"),
        one("delegated_from", "Appointment", "delegated_from_id"),
    ],
    attributes=[
        column("role", "角色"),
        column("person_id", "人员", Uuid()),
        column("organization_id", "任职机构", Uuid()),
        column("area_code", "任职区域"),
    ],
    actions=frozenset({"read", "grant", "end", "delegate"}),
)


def _mediated(row: Row, at: FromClause) -> Sql:
    """The dispute is one that the mediator is assigned to now."""
    link = alias(t.assignment)
    return at.c.id.in_(
        select(link.c.dispute_id)
        .select_from(link)
        .where(link.c.person_id == row["person_id"], link.c.ended_at.is_(None))
        .correlate(row.at)
    )


def _assigned(row: Row, link: FromClause) -> Sql:
    """The assignment is the mediator's and has not ended."""
    return and_(link.c.person_id == row["person_id"], link.c.ended_at.is_(None))


MEDIATOR = declare(
    "Mediator",
    "调解员",
    t.mediator,
    order="qualified_on",
    relations=[
        one("person", "Person", "person_id"),
        one("organization", "Organization", "organization_id"),
        Relation("disputes", "Dispute", True, _mediated, through=("Assignment", _assigned)),
    ],
    attributes=[column("person_id", "人员", Uuid()), column("organization_id", "所在调解组织", Uuid())],
    derived={
        "name": Derived("public", "姓名", Text(), Source("Person", "name", lambda row, at: at.c.id == row["person_id"]))
    },
)
