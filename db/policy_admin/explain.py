"""What an explanation is made of: the attributes of one row, who holds which appointments on a day, and how much of a row the
asker sees. Read-only; it decides nothing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, case, exists, func, literal_column, select
from sqlalchemy.types import Integer, Uuid

from db import tables as t
from db.calendar import COUNTY_ZONE, TODAY_SQL
from db.query.statement import compile_statement
from db.query.visibility import Visibility, claim_values, scope_of
from db.resources.catalog import RESOURCES
from db.resources.resource import Attribute, Resource, Row, Sql
from policies.escalation import POLICY
from policies.grant import Access, Appointment
from policies.policy import Policy

# What a truth about a dispute is worked out from: he who reads that knows it anyway.
_MADE_OF = {"is_open": "state", "is_recent": "closed_at"}


@dataclass(frozen=True)
class Post:
    """An appointment in force: what people call it, and what a policy makes of it."""

    id: UUID
    organization_id: UUID
    area_code: str
    appointment: Appointment


@dataclass(frozen=True)
class Person:
    """A person with the posts that he held on a day. One that is suspended holds none."""

    id: UUID
    name: str
    posts: tuple[Post, ...]

    def access(self, policy: Policy) -> Access:
        """What a policy lets him see and do."""
        return Access(policy, [one.appointment for one in self.posts])


async def attributes_of(connection: Any, resource_name: str, key: UUID) -> dict[str, Any] | None:
    """All attributes of a row by name (a set for a set); None if there is no such row."""
    resource = RESOURCES[resource_name]
    row, at = Visibility(_NOBODY).row(resource, resource.table.alias())
    columns = [_value(attribute, row).label(name) for name, attribute in resource.attributes.items()]
    statement: Any = (
        select(literal_column("1").label("found"), *columns)
        .select_from(at)
        .where(row["id"] == bindparam("key", type_=Uuid()))
    )
    compiled = compile_statement(statement)
    found = await connection.fetchrow(compiled.sql, *({"key": key}[name] for name in compiled.binds))
    if found is None:
        return None
    return {
        name: frozenset(found[name] or ()) if attribute.policy.kind == "set" else found[name]
        for name, attribute in resource.attributes.items()
    }


def _value(attribute: Attribute, row: Row) -> Any:
    if attribute.value is not None:
        return attribute.value(row)
    # The members of a set: all organizations or people for which the test holds. For one row, that is cheap enough.
    assert attribute.contains is not None
    table = t.person if attribute.policy.name == "mediator_ids" else t.organization
    at = table.alias()
    scope = [row.at] if row.dispute is None or row.dispute is row.at else [row.at, row.dispute]
    return (
        select(func.coalesce(func.array_agg(at.c.id), literal_column("'{}'::uuid[]")))
        .select_from(at)
        .where(attribute.contains(row, at.c.id))
        .correlate(*scope)
        .scalar_subquery()
    )


class _Nobody:
    """An access that grants nothing: the builder is used for its FROM clauses only."""


_NOBODY: Any = _Nobody()


async def concealed_from(connection: Any, asker: Access, resource_name: str, key: UUID) -> frozenset[str] | None:
    """The attributes of a row that somebody may not know; None where he does not see the row, or there is none."""
    resource, visibility = RESOURCES[resource_name], Visibility(asker)
    row, at = visibility.row(resource, resource.table.alias())
    columns = [_known(visibility, row, name).label(name) for name in resource.attributes]
    statement: Any = (
        select(literal_column("1").label("found"), *columns)
        .select_from(at)
        # SECURITY: whether there is such a row is told to nobody who does not see it.
        .where(row["id"] == bindparam("key", type_=Uuid()), visibility.visible(row))
    )
    compiled = compile_statement(statement)
    values = claim_values(asker) | {"key": key}
    found = await connection.fetchrow(compiled.sql, *(values[name] for name in compiled.binds))
    return None if found is None else frozenset(name for name in resource.attributes if not found[name])


def _known(visibility: Visibility, row: Row, name: str) -> Sql:
    """SECURITY: whether the value of an attribute is no secret to one who sees the row: he reads the field of that name in clear,
    or what it is made of, or sees the row that it points to. An area is as public as the row that lies in it."""
    ways: list[Sql] = [_known_of(visibility, row, name)]
    if row.resource.part and row.dispute is not None:
        dispute = Row(RESOURCES["Dispute"], row.dispute, row.dispute)
        # What a part has of its dispute.
        if name in RESOURCES["Dispute"].attributes:
            ways = [and_(visibility.visible(dispute), _known_of(visibility, dispute, name))]
    return case((ways[0], literal_column("true")), else_=literal_column("false"))


def _known_of(visibility: Visibility, row: Row, name: str) -> Sql:
    resource: Resource = row.resource
    field = _MADE_OF.get(name, name)
    if field in resource.fields:
        return visibility.clear(row, field)
    if name == "id" or name.endswith("code"):
        return literal_column("true")
    relation = resource.relations.get(name.removesuffix("_id"))
    if relation is None:
        return literal_column("false")
    target = RESOURCES[relation.target]
    pointed, at = visibility.row(target, target.table.alias())
    return exists(
        select(literal_column("1"))
        .select_from(at)
        .where(relation.on(row, pointed.at), visibility.visible(pointed))
        .correlate(*scope_of(row))
    )


# `$2`: the day; today a person must be active and a team too, of another day we know only what was written with dates.
_POSTS = f"""
SELECT p.id AS person_id, p.name, a.id, a.role, a.organization_id, a.area_code,
       ARRAY(SELECT m.team_id FROM team_member m JOIN team t ON t.id = m.team_id
              WHERE m.person_id = a.person_id AND m.role = upper(a.role)
                AND CASE WHEN $2 = {TODAY_SQL} THEN t.state = 'ACTIVE'
                         ELSE t.formed_on <= $2 AND (t.dissolved_on IS NULL OR t.dissolved_on > $2) END
                AND m.valid_from <= $2 AND (m.valid_to IS NULL OR m.valid_to >= $2) ORDER BY m.team_id) AS team_ids
  FROM person p
  LEFT JOIN appointment a ON a.person_id = p.id AND p.state = 'ACTIVE'
       AND a.valid_from <= $2 AND (a.valid_to IS NULL OR a.valid_to >= $2) AND ($3::uuid IS NULL OR a.id = $3)
 WHERE ($1::uuid IS NULL OR p.id = $1)
 ORDER BY p.name, p.id, a.role, a.area_code, a.id
"""  # noqa: S608  made of constants


async def people_of(
    connection: Any, on: dt.date, person_id: UUID | None = None, appointment_id: UUID | None = None
) -> list[Person]:
    """The people, or one of them, with their posts of a day, or one of these; in the order of their names."""
    found: dict[UUID, tuple[str, list[Post]]] = {}
    for row in await connection.fetch(_POSTS, person_id, on, appointment_id):
        _, posts = found.setdefault(row["person_id"], (row["name"], []))
        if row["id"] is None:
            continue
        claims = {
            "person_id": row["person_id"],
            "organization_id": row["organization_id"],
            "area_code": row["area_code"],
            "team_ids": list(row["team_ids"]),
        }
        posts.append(Post(row["id"], row["organization_id"], row["area_code"], Appointment(row["role"], claims)))
    return [Person(key, name, tuple(posts)) for key, (name, posts) in found.items()]


async def access_of(connection: Any, policy: Policy, person_id: UUID, on: dt.date) -> Access:
    """The access of a person by the posts that he held on a day."""
    (person,) = await people_of(connection, on, person_id)
    return person.access(policy)


async def day_of(connection: Any, instant: dt.datetime | None) -> dt.date:
    """The day in the county of an instant; without one, today."""
    day: dt.date = await connection.fetchval(
        f"SELECT (coalesce($1, now()) AT TIME ZONE '{COUNTY_ZONE}')::date", instant
    )
    return day


async def version_at(connection: Any, instant: dt.datetime) -> int | None:
    """The policy version in force at an instant; None before the first one."""
    found: int | None = await connection.fetchval(
        "SELECT version FROM policy_version WHERE published_at <= $1 ORDER BY published_at DESC, version DESC LIMIT 1",
        instant,
    )
    return found


async def text_of(connection: Any, version: int) -> str:
    """The text of a stored version. Raises LookupError where there is none."""
    text: str | None = await connection.fetchval("SELECT text FROM policy_version WHERE version = $1", version)
    if text is None:
        raise LookupError(version)
    return text


async def version_for(connection: Any, asker: Access, version: int, action: str = "read") -> Any:
    """The text and the tests of a stored version; None where there is none, or he does not read its text or may not take the action."""
    resource, visibility = RESOURCES[POLICY], Visibility(asker)
    row, at = visibility.row(resource, resource.table.alias())
    statement = (
        select(row["text"], row["tests"])
        .select_from(at)
        # SECURITY: what is worked out of a text tells the text.
        .where(
            row["version"] == bindparam("version", type_=Integer()),
            visibility.visible(row),
            visibility.visible(row, action),
            visibility.clear(row, "text"),
            visibility.clear(row, "tests"),
        )
    )
    compiled = compile_statement(statement)
    values = claim_values(asker) | {"version": version}
    return await connection.fetchrow(compiled.sql, *(values[name] for name in compiled.binds))
