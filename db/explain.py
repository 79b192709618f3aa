"""The attributes of one row and the appointments of one person, read for an explanation. Read-only."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.catalog import CATALOG, SOURCES
from db.sight import Sight
from db.source import Attribute, Row
from db.statement import compile_statement
from policies.compile import Policy
from policies.explain import Explanation, explain
from policies.grant import Access, Appointment


async def attributes_of(connection: Any, source_name: str, key: UUID) -> dict[str, Any] | None:
    """All attributes of a row by name (a set for a set); None if there is no such row."""
    source = SOURCES[source_name]
    row, at = Sight(_NOBODY).row(source, source.table.alias())
    columns = [_value(attribute, row).label(name) for name, attribute in source.attributes.items()]
    statement = (
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
        for name, attribute in source.attributes.items()
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


async def access_of(connection: Any, policy: Policy, person_id: UUID, on: dt.date) -> Access:
    """The access of a person by his appointments in force on a day."""
    rows = await connection.fetch(
        """
        SELECT a.role, a.organization_id, a.area_code,
               ARRAY(SELECT m.team_id FROM team_member m JOIN team t ON t.id = m.team_id
                      WHERE m.person_id = a.person_id AND m.role = upper(a.role) AND t.state = 'ACTIVE'
                        AND m.valid_from <= $2 AND (m.valid_to IS NULL OR m.valid_to >= $2) ORDER BY m.team_id) AS team_ids
          FROM appointment a
         WHERE a.person_id = $1 AND a.valid_from <= $2 AND (a.valid_to IS NULL OR a.valid_to >= $2)
         ORDER BY a.role, a.area_code, a.id
        """,
        person_id,
        on,
    )
    return Access(
        policy,
        [
            Appointment(
                row["role"],
                {
                    "person_id": person_id,
                    "organization_id": row["organization_id"],
                    "area_code": row["area_code"],
                    "team_ids": list(row["team_ids"]),
                },
            )
            for row in rows
        ],
    )


async def explain_row(
    connection: Any, access: Access, source_name: str, key: UUID, field_name: str | None
) -> Explanation | None:
    """The explanation for a row of the database; None if there is no such row."""
    row = await attributes_of(connection, source_name, key)
    if row is None:
        return None
    resource = CATALOG.resources[source_name]
    return explain(access, resource, row, resource.fields[field_name] if field_name else None)
