"""What an explanation rests on: the attributes of one row, and how much of that row the asker sees. Read-only; it decides nothing.

Who holds which posts on a day is said by `db.identity.appointments`.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, case, exists, func, literal_column, select
from sqlalchemy.types import Integer, Text, Uuid

from db import tables as t
from db.canonical import forms
from db.lru_cache import LruCache
from db.postgres.connection import Connection
from db.query.statement import Statement, compile_statement
from db.query.visibility import Visibility, claim_values, scope_of
from db.resources.aliases import alias, shared_aliases
from db.resources.catalog import RESOURCES
from db.resources.resource import Attribute, Resource, Row, Sql
from policies.escalation import POLICY
from policies.grant import Access

# The field from which a truth about a dispute is derived: whoever reads the field knows the truth.
_DERIVED_FROM = {"is_open": "state", "is_recent": "closed_at"}
# The builder is used for its FROM clauses only: no grant of an access plays a part.
_NO_ACCESS: Any = None

# By shape of access and resource.
_READABLE: LruCache[Statement] = LruCache(256)

_BY_CASE_NUMBER = compile_statement(
    select(t.dispute.c.id).where(t.dispute.c.case_number == bindparam("case_number", type_=Text()))
).sql


async def dispute_of(connection: Connection, case_number: str) -> UUID | None:
    """The key of the dispute with a case number, as stored or as printed; None where there is none."""
    row = await connection.fetchrow(_BY_CASE_NUMBER, forms.case_number(case_number))
    return None if row is None else UUID(str(row["id"]))


async def attributes_of(connection: Connection, resource_name: str, key: UUID) -> dict[str, Any] | None:
    """All attributes of a row by name (a set for a set); None if there is no such row."""
    resource = RESOURCES[resource_name]
    values = await connection.fetchrow(_attributes(resource_name).sql, key)
    if values is None:
        return None
    return {
        name: frozenset(values[name] or ()) if attribute.policy.kind == "set" else values[name]
        for name, attribute in resource.attributes.items()
    }


@cache
def _attributes(resource_name: str) -> Statement:
    """All attributes of a row by its key, the one bind."""
    with shared_aliases():
        resource = RESOURCES[resource_name]
        row, at = Visibility(_NO_ACCESS).row(resource, alias(resource.table))
        columns = [_value(attribute, row).label(name) for name, attribute in resource.attributes.items()]
        return compile_statement(
            select(literal_column("1").label("exists"), *columns)
            .select_from(at)
            .where(row["id"] == bindparam("key", type_=Uuid()))
        )


def _value(attribute: Attribute, row: Row) -> Any:
    if attribute.value is not None:
        return attribute.value(row)
    # The members of a set: all organizations or people for which the test holds. For one row, that is cheap enough.
    assert attribute.contains is not None
    table = t.person if attribute.policy.name == "mediator_ids" else t.organization
    at = alias(table)
    scope = [row.at] if row.dispute is None or row.dispute is row.at else [row.at, row.dispute]
    return (
        select(func.coalesce(func.array_agg(at.c.id), literal_column("'{}'::uuid[]")))
        .select_from(at)
        .where(attribute.contains(row, at.c.id))
        .correlate(*scope)
        .scalar_subquery()
    )


async def concealed_from(connection: Connection, asker: Access, resource_name: str, key: UUID) -> frozenset[str] | None:
    """The attributes of a row whose values the asker may not know; None where the asker does not see the row, or there is none."""
    resource = RESOURCES[resource_name]
    # SECURITY: the shape holds the policy and the roles: nobody is answered by a statement that was made for other rights.
    statement = _READABLE.get((asker.shape, resource_name), lambda: _readable_attributes(resource, asker))
    values = claim_values(asker) | {"key": key}
    readable = await connection.fetchrow(statement.sql, *(values[name] for name in statement.binds))
    return None if readable is None else frozenset(name for name in resource.attributes if not readable[name])


def _readable_attributes(resource: Resource, asker: Access) -> Statement:
    """Whether the asker may know each attribute of a row; no row where the asker does not see it."""
    with shared_aliases():
        visibility = Visibility(asker)
        row, at = visibility.row(resource, alias(resource.table))
        columns = [_is_readable(visibility, row, name).label(name) for name in resource.attributes]
        return compile_statement(
            select(literal_column("1").label("exists"), *columns)
            .select_from(at)
            # SECURITY: whether there is such a row is answered to nobody who does not see it.
            .where(row["id"] == bindparam("key", type_=Uuid()), visibility.visible(row))
        )


def _is_readable(visibility: Visibility, row: Row, name: str) -> Sql:
    """SECURITY: whether the value of an attribute is no secret to an asker who sees the row: the asker reads the field of that name in
    clear, or the field from which it is derived, or sees the row that it points to. An area is as public as the row that lies in it."""
    readable: Sql = _is_readable_of(visibility, row, name)
    if row.resource.part and row.dispute is not None:
        dispute = Row(RESOURCES["Dispute"], row.dispute, row.dispute)
        # What a part has of its dispute.
        if name in RESOURCES["Dispute"].attributes:
            readable = and_(visibility.visible(dispute), _is_readable_of(visibility, dispute, name))
    return case((readable, literal_column("true")), else_=literal_column("false"))


def _is_readable_of(visibility: Visibility, row: Row, name: str) -> Sql:
    resource: Resource = row.resource
    field = _DERIVED_FROM.get(name, name)
    if field in resource.fields:
        return visibility.clear(row, field)
    if name == "id" or name.endswith("code"):
        return literal_column("true")
    relation = resource.relations.get(name.removesuffix("_id"))
    if relation is None:
        return literal_column("false")
    target = RESOURCES[relation.target]
    pointed, at = visibility.row(target, alias(target.table))
    return exists(
        select(literal_column("1"))
        .select_from(at)
        .where(relation.on(row, pointed.at), visibility.visible(pointed))
        .correlate(*scope_of(row))
    )


async def version_for(connection: Connection, asker: Access, version: int, action: str = "read") -> Any:
    """The text and the tests of a stored version; None where there is none, or the asker may not read its text or take the action."""
    resource, visibility = RESOURCES[POLICY], Visibility(asker)
    row, at = visibility.row(resource, alias(resource.table))
    statement = (
        select(row["text"], row["tests"])
        .select_from(at)
        # SECURITY: what is worked out of a text reveals the text.
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
