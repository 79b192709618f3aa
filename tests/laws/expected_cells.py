"""What a caller should be shown of a row, cell by cell, from the policy's text and the tables' declarations."""

from functools import cache
from typing import Any, cast
from uuid import UUID

from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

from db.tables import metadata
from schema.names import snake
from schema.sdl import graphql_schema
from tests.laws.client import GraphQLClient
from tests.laws.relations import THROUGH
from tests.laws.visibility_oracle import Record, Rights, Snapshot, as_json, global_id, mask

SCHEMA = graphql_schema()
ROOTS = {
    name: get_named_type(one.type).name.removesuffix("Connection")
    for name, one in cast("GraphQLObjectType", SCHEMA.query_type).fields.items()
    if get_named_type(one.type).name.endswith("Connection")
}


def scalars(schema: GraphQLSchema, resource: str) -> list[str]:
    """The fields of a type that hold values."""
    return list(_scalars(schema, resource))


@cache
def _scalars(schema: GraphQLSchema, resource: str) -> tuple[str, ...]:
    fields: Any = schema.type_map[resource]
    return tuple(name for name, one in fields.fields.items() if is_leaf_type(get_named_type(one.type)) and name != "id")


@cache
def columns_of(schema: GraphQLSchema, resource: str) -> dict[str, tuple[str, str, str | None]]:
    """GraphQL name -> (column, field class, mask), as the tables declare them; derived fields are public."""
    declared = metadata.tables[snake(resource)].c
    found = {}
    for name in scalars(schema, resource):
        info = declared[snake(name)].info if snake(name) in declared else {"field_class": "public", "mask": None}
        found[name] = (snake(name), info["field_class"], info["mask"])
    return found


def value_of(snapshot: Snapshot, resource: str, row: Record, column: str) -> Any:
    """The value of a field in clear, as JSON carries it."""
    if column == "overdue":
        undone = {
            "Dispute": lambda: row["state"] in ("ACCEPTED", "MEDIATING"),
            "Obligation": lambda: row["state"] in ("PENDING", "PARTLY_PERFORMED"),
            "FollowUp": lambda: row["done_at"] is None,
        }
        return row["due_on"] is not None and row["due_on"] < snapshot.today and undone[resource]()
    if column == "watched":
        return row["state"] in ("PENDING", "PARTLY_PERFORMED")
    if column == "remind_today":
        return row["state"] in ("PENDING", "PARTLY_PERFORMED") and (row["due_on"] - snapshot.today).days in (3, 0, -1)
    if (resource, column) == ("Alert", "legal_basis"):
        return next((one["legal_basis"] for one in snapshot.find("AlertRule", rule=row["rule"])), None)
    if (resource, column) == ("Mediator", "name"):
        return snapshot.rows["Person"][row["person_id"]]["name"]
    return as_json(row[column])


def expected_cells(gql: GraphQLClient, snapshot: Snapshot, rights: Rights, resource: str, key: UUID) -> dict[str, Any]:
    """The whole object as the caller with these rights should see it."""
    schema, row, shown = gql.services.schema, snapshot.rows[resource][key], rights.visibility(resource)[key]
    cells: dict[str, Any] = {"id": global_id(resource, key)}
    hidden, masked = [], []
    for name, (column, field_class, kind) in columns_of(schema, resource).items():
        value = value_of(snapshot, resource, row, column)
        form = shown.get(field_class, "hidden")
        if form != "hidden" and kind == "stored":
            form = "masked"
        elif form == "masked" and kind is None:
            form = "hidden"
        if form == "hidden":
            hidden.append(name)
            value = None
        elif form == "masked":
            masked.append(name)
            if not (kind == "name" and resource == "Party" and column == "name" and not row["is_natural_person"]):
                value = mask(str(kind), value)
        cells[name] = value
    kinds: Any = schema.type_map[resource]
    for name, one in kinds.fields.items():
        target = get_named_type(one.type).name.removesuffix("Connection")
        part, _ = THROUGH.get((resource, name), (target, None))
        if target in snapshot.rows and not (rights.rules(target) and rights.rules(part)):
            hidden.append(name)
    return cells | {"access": {"hidden": sorted(hidden), "masked": sorted(masked)}}


def sorted_access(cells: dict[str, Any]) -> dict[str, Any]:
    """The cells with `access` in an order that can be compared."""
    access = cells["access"]
    return cells | {"access": {"hidden": sorted(access["hidden"]), "masked": sorted(access["masked"])}}


def selection(gql: GraphQLClient, resource: str) -> str:
    """The selection of every value of a row."""
    return f"id {' '.join(scalars(gql.services.schema, resource))} access {{ hidden masked }}"
