"""What a resource is made of in the database: fields, attributes, relations, and a row of it inside a statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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

    `seen`: what already holds of that dispute in this place of the statement, because it was reached through a visible row.
    `joined`: the dispute was joined for this row alone.
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
        """The id of the dispute: the row's own column where the dispute was joined for it, so that the dispute need not be read."""
        if self.joined:
            return self.at.c.dispute_id
        assert self.dispute is not None
        return self.dispute.c.id


@dataclass(frozen=True)
class Source:
    """A field of the one row of another resource that `on` joins to a row."""

    resource: str
    field: str
    on: Callable[[Row, FromClause], Sql]


@dataclass(frozen=True)
class Field:
    """A readable field: its policy side, its SQL, and the SQL of its mask.

    `source`: where it is the field of another row, which the caller must read in clear there too.
    """

    policy: policy.Field
    value: Callable[[Row], Sql]
    masked: Callable[[Row, Sql], Sql]
    type: TypeEngine[Any]
    source: Source | None = None


@dataclass(frozen=True)
class Link:
    """How disputes are found from one value of a set: rows of `table` whose `key` is the value, one row a dispute, in page order.

    `alive`: which of those rows count.
    """

    table: Table
    key: str
    alive: Callable[[FromClause], Sql]


@dataclass(frozen=True)
class Attribute:
    """An attribute: for a single value its SQL; for a set the test whether it contains a value, and the link to scan for one.

    `column`: the column that holds the value, where one does.
    """

    policy: policy.Attribute
    type: TypeEngine[Any]
    value: Callable[[Row], Sql] | None = None
    contains: Callable[[Row, Sql], Sql] | None = None
    column: str | None = None
    link: Link | None = None


@dataclass(frozen=True)
class Relation:
    """From a row to rows of `target`.

    `on`: what joins a row to one of the target. `same_dispute`: the database keeps both in one dispute, so its row serves for both.
    `order`: the columns by which a list of them is ordered. `through`: the part of a dispute that makes the relation, with what
    joins it to the row, the dispute being at one of its ends: only parts that the caller sees count.
    """

    name: str
    target: str
    many: bool
    on: Callable[[Row, FromClause], Sql]
    same_dispute: bool = False
    order: tuple[str, ...] = ()
    through: tuple[str, Callable[[Row, FromClause], Sql]] | None = None


@dataclass(frozen=True)
class Resource:
    """A resource in the database. `actions`: what a rule may grant on it. `order`: columns of its lists, each with descending."""

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
        """Whether it is a part of a dispute: it has a `dispute_id` and takes the attributes of its dispute."""
        return "dispute_id" in self.table.c

    @cached_property
    def policy(self) -> policy.Resource:
        """The policy's view of it."""
        return policy.Resource(
            self.name,
            self.label,
            {name: readable.policy for name, readable in self.fields.items()},
            {name: attribute.policy for name, attribute in self.attributes.items()},
            self.actions,
        )


def today() -> Sql:
    """The date in the county, by which deadlines are counted."""
    return literal_column(TODAY_SQL)


def literals(codes: Iterable[str]) -> list[Sql]:
    """Codes as literals of the statement, not its parameters. SECURITY: nothing is escaped, so they must be constants of the code."""
    return [literal_column(f"'{code}'") for code in codes]


def is_in(column: Sql, *codes: str) -> Sql:
    """The column holds one of the codes, as `literals`."""
    return column.in_(literals(codes))


def json_value(kind: TypeEngine[Any], value: Sql) -> Sql:
    """The value for a JSON answer: money as text with two decimals, the rest as PostgreSQL writes it (ISO 8601, UTC)."""
    return cast(value, Text) if isinstance(kind, Numeric) and kind.scale == Money.scale else value
