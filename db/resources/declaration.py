"""How a resource is declared: its table gives the readable fields, the call gives what no column says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, func
from sqlalchemy.types import TypeEngine

from db.resources.resource import Attribute, Field, Relation, Resource, Row, Source, Sql
from policies import catalog as policy

READ = frozenset({"read"})


@dataclass(frozen=True)
class Derived:
    """A readable field that no column holds: its class, its Chinese label, its type and its SQL for a row.

    SECURITY: the SQL speaks of the row itself alone. What another row holds is a `Source` instead, which is looked at with the
    caller's rights.
    """

    field_class: str
    label: str
    type: TypeEngine[Any]
    value: Callable[[Row], Sql] | Source


def declare(
    name: str,
    label: str,
    table: Table,
    *,
    order: str,
    relations: Iterable[Relation] = (),
    attributes: Iterable[Attribute] = (),
    derived: Mapping[str, Derived] | None = None,
    masks: Mapping[str, Callable[[Row, Sql], Sql]] | None = None,
    actions: frozenset[str] = READ,
) -> Resource:
    """A resource over `table`.

    `order`: the column by which its lists are ordered, with ` desc` for the latest first. `derived`: fields beside the columns.
    `masks`: the masked form of a field, where it is not the one that its column names. `actions`: what a rule may grant on it.
    A part of a dispute is declared by `db.resources.part.declare_part`.
    """
    leading, _, direction = order.partition(" ")
    return Resource(
        name,
        label,
        table,
        _fields(table, derived or {}, masks or {}),
        {attribute.policy.name: attribute for attribute in attributes},
        {relation.name: relation for relation in relations},
        actions,
        ((leading, direction == "desc"),),
    )


def _fields(
    table: Table, derived: Mapping[str, Derived], masks: Mapping[str, Callable[[Row, Sql], Sql]]
) -> dict[str, Field]:
    """Every column with a field class, in the order of the table, then what is derived."""
    fields: dict[str, Field] = {}
    for column in table.c:
        if "field_class" in column.info:
            mask = column.info["mask"]
            declared = policy.Field(column.name, column.info["field_class"], mask, column.comment or "")
            fields[column.name] = Field(declared, _value(column.name), masks.get(column.name, _mask(mask)), column.type)
    for name, field in derived.items():
        declared = policy.Field(name, field.field_class, None, field.label)
        value, source = (_from_source, field.value) if isinstance(field.value, Source) else (field.value, None)
        fields[name] = Field(declared, value, _mask(None), field.type, source)
    return fields


def _from_source(row: Row) -> Sql:
    raise LookupError(f"{row.resource.name}: a field of another row is read by Visibility.shown alone")


def _value(column: str) -> Callable[[Row], Sql]:
    return lambda row: row[column]


def _mask(kind: str | None) -> Callable[[Row, Sql], Sql]:
    """A mask is a function of the database; what is stored masked is its own mask."""
    return lambda row, value: value if kind == "stored" else func.__getattr__(f"mask_{kind}")(value)
