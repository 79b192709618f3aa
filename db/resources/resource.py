"""What a resource is made of in the database: fields, attributes, relations, and a row of it inside a statement. Types only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Table, cast, literal_column
from sqlalchemy.types import Numeric, Text, TypeEngine

from db.calendar import TODAY_SQL
from db.tables.column import Money
from policies import catalog as policy
from policies.predicate import Always, Predicate

Sql = ColumnElement[Any]
ALWAYS: Predicate = Always()


@dataclass(frozen=True)
class Row:
    """A row of a resource inside a statement: its FROM element and, for a part of a dispute, that of the dispute.

    `seen`: what is known of that dispute where this row stands, because the statement came to it through a visible row.
    `joined`: the dispute stands in the statement for this row alone.
    """

    resource: Resource
    at: FromClause
    dispute: FromClause | None = None
    seen: Predicate = ALWAYS
    joined: bool = False

    def __getitem__(self, column: str) -> Sql:
        return self.at.c[column]

    @property
    def dispute_id(self) -> Sql:
        """The id of the dispute: of one that was joined for this row as the row has it, so that nobody need read the dispute for it."""
        if self.joined:
            return self.at.c.dispute_id
        assert self.dispute is not None
        return self.dispute.c.id


@dataclass(frozen=True)
class Field:
    """A readable field: its policy side, its SQL, and the SQL of its mask."""

    policy: policy.Field
    value: Callable[[Row], Sql]
    masked: Callable[[Row, Sql], Sql]
    type: TypeEngine[Any]


@dataclass(frozen=True)
class Link:
    """How rows are found from one value of a set: rows of `table` whose `key` is the value, one row a dispute, in page order."""

    table: Table
    key: str
    alive: Callable[[FromClause], Sql]


@dataclass(frozen=True)
class Attribute:
    """An attribute: for a single value its SQL; for a set the test whether it contains a value, and the link to walk it by."""

    policy: policy.Attribute
    type: TypeEngine[Any]
    value: Callable[[Row], Sql] | None = None
    contains: Callable[[Row, Sql], Sql] | None = None
    column: str | None = None
    link: Link | None = None


@dataclass(frozen=True)
class Relation:
    """From a row to rows of `target`. `same_dispute`: the database keeps both in one dispute, so its row serves for both."""

    name: str
    target: str
    many: bool
    on: Callable[[Row, FromClause], Sql]
    same_dispute: bool = False
    order: tuple[str, ...] = ()
    # The part of the target that makes the relation, and how it does: only parts that the caller sees count.
    through: tuple[str, Callable[[Row, FromClause], Sql]] | None = None


@dataclass(frozen=True)
class Resource:
    """A resource in the database. `part`: it has a `dispute_id` and takes the attributes of its dispute."""

    name: str
    label: str
    table: Table
    fields: Mapping[str, Field]
    attributes: Mapping[str, Attribute]
    relations: Mapping[str, Relation] = field(default_factory=dict)
    actions: frozenset[str] = frozenset({"read"})
    order: tuple[tuple[str, bool], ...] = ()

    @property
    def part(self) -> bool:
        return "dispute_id" in self.table.c

    @cached_property
    def policy(self) -> policy.Resource:
        """The policy's view of it."""
        return policy.Resource(
            self.name,
            self.label,
            {name: one.policy for name, one in self.fields.items()},
            {name: one.policy for name, one in self.attributes.items()},
            self.actions,
        )


def today() -> Sql:
    """The date in the county, where deadlines run."""
    return literal_column(TODAY_SQL)


def json_value(kind: TypeEngine[Any], value: Sql) -> Sql:
    """The value as it stands in JSON: money as text with two decimals, the rest as PostgreSQL writes it (ISO 8601, UTC)."""
    return cast(value, Text) if isinstance(kind, Numeric) and kind.scale == Money.scale else value
