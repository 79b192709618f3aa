"""What the indexes of the tables offer to a list, derived from `Table.indexes`: scopes, filters and orders that an index scan gives.

An index is named nowhere else: who adds one to a table adds its access path, who drops it drops the path. Used are B-tree indexes of plain
columns over all rows, or over all in which the leading column has a value. Left out on purpose:

- partial indexes of other conditions (`ix_dispute_under_mediation`, `ix_follow_up_owing`, `ix_obligation_owing`): PostgreSQL chooses them
  by itself where a filter implies their condition, in the page order that they share with the plain index;
- indexes of expressions (`lower(title)`), by which no list is filtered or ordered;
- GIN indexes of bigrams: a text search names their columns (`db.query.filters`), and PostgreSQL finds the index;
- indexes whose leading column is no attribute that a policy may compare with a claim (`compound_id`, the keys of the link tables): a
  relation or a `Link` leads to them;
- unique indexes of several columns: they are constraints, and lead to one row;
- orders of what is no part of a dispute (people, teams, compounds and the like): those lists are sorted;
- the page order of a resource itself: it is the path of every page and needs no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Column, ColumnElement, Index, UniqueConstraint, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import desc_op
from sqlalchemy.types import Text

from db.query import plan as p
from db.query.statement import text_array
from db.resources.catalog import RESOURCES
from db.resources.resource import Resource, Sql
from db.tables.dispute import STATES
from policies.predicate import ClaimRef, Eq, Has, In, Predicate, conjuncts, disjuncts

# An index column: its name, and whether the index has it in descending order.
IndexColumn = tuple[str, bool]

# The one scope that is the whole county: an index that starts with it leaves no row out.
_WHOLE_COUNTY = "county_code"
# A filter that is absent stands for all its values where they are few: an index with this column in the middle serves without it.
_ALL_VALUES = {"state": text_array(STATES)}
# Of two indexes that meet as many conditions, the one with more values to its column: each of its scans reads fewer rows. A column that is
# not in this list comes last.
_SELECTIVITY = ("sub_category", "state", "source", "tier", "risk_level")


@dataclass(frozen=True)
class ResourceIndexes:
    """What the indexes of one resource lead to.

    `scopes`: attributes with an index in page order behind them. `scoped_filters`: by scope, the filter columns that stand between it and
    the page order, an entry for each index; scopes that have any grow with the county. `filters`: fields with an index in page order
    behind them, whatever the scope. `orders`: columns with an index of (column, id).
    """

    scopes: frozenset[str]
    scoped_filters: Mapping[str, tuple[tuple[str, ...], ...]]
    filters: frozenset[str]
    orders: frozenset[str]

    @cached_property
    def scoped_columns(self) -> frozenset[str]:
        """The filter columns that have an index in some scope."""
        return frozenset(name for indexes in self.scoped_filters.values() for columns in indexes for name in columns)


def derive_indexes(resource: Resource) -> ResourceIndexes:
    """What the indexes of the resource's table lead to; nothing for what is neither a dispute nor a part of one."""
    scopes: set[str] = set()
    scoped_filters: dict[str, list[tuple[str, ...]]] = {}
    filters: set[str] = set()
    orders: set[str] = set()
    page_order = [*resource.order, ("id", resource.order[-1][1])]
    for columns in _scannable(resource) if resource.name == "Dispute" or resource.part else ():
        (leading, _), *behind = columns
        if leading != page_order[0][0] and [name for name, _ in behind] == ["id"]:
            orders.add(leading)
        if columns[-len(page_order) :] != page_order:
            continue
        prefix = tuple(name for name, _ in columns[: -len(page_order)])
        if not resource.part and leading in resource.attributes:
            if len(prefix) == 1:
                scopes.add(leading)
            elif len(prefix) > 1:
                scoped_filters.setdefault(leading, []).append(prefix[1:])
        elif len(prefix) == 1 and leading in resource.fields:
            filters.add(leading)
    return ResourceIndexes(
        frozenset(scopes),
        {scope: tuple(sorted(filtered, key=_by_selectivity)) for scope, filtered in sorted(scoped_filters.items())},
        frozenset(filters),
        frozenset(orders),
    )


def _by_selectivity(columns: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(_SELECTIVITY.index(name) if name in _SELECTIVITY else len(_SELECTIVITY) for name in columns)


def _scannable(resource: Resource) -> Iterator[list[IndexColumn]]:
    """The columns of each index that serves any list, and of each unique column, which orders as an index of (column, id) does."""
    for index in resource.table.indexes:
        columns = [_index_column(one) for one in index.expressions]
        if not index.unique and not index.dialect_options["postgresql"]["using"] and None not in columns:
            named = [one for one in columns if one is not None]
            if _covers_all(index, named[0][0]):
                yield named
    for constraint in resource.table.constraints:
        if isinstance(constraint, UniqueConstraint) and len(constraint.columns) == 1:
            yield [(constraint.columns[0].name, False), ("id", False)]


def _index_column(expression: ColumnElement[object] | str) -> IndexColumn | None:
    """The column of an index, None for an expression."""
    descending = isinstance(expression, UnaryExpression) and expression.modifier is desc_op
    column = expression.element if isinstance(expression, UnaryExpression) and descending else expression
    return (column.name, descending) if isinstance(column, Column) else None


def _covers_all(index: Index, leading: str) -> bool:
    """Whether the index has all rows, or all in which its leading column has a value."""
    where = index.dialect_options["postgresql"]["where"]
    assert index.table is not None
    return where is None or str(where).removeprefix(f"{index.table.name}.") == f"{leading} IS NOT NULL"


INDEXES: dict[str, ResourceIndexes] = {name: derive_indexes(resource) for name, resource in RESOURCES.items()}


@dataclass(frozen=True)
class ScopedIndex:
    """The columns of an index behind a scope, and the conditions that give their values; None: any value."""

    columns: tuple[str, ...]
    conditions: tuple[p.Condition | None, ...]

    @property
    def met(self) -> tuple[p.Condition, ...]:
        """The conditions that every row of a scan meets."""
        return tuple(one for one in self.conditions if one is not None)

    def values(self) -> dict[str, Sql]:
        """By column the list of values, one index scan for each."""
        return {
            column: _ALL_VALUES[column] if one is None else bindparam(one.bind, type_=ARRAY(Text))
            for column, one in zip(self.columns, self.conditions, strict=True)
        }


def scoped_index(resource: Resource, leading: Predicate, conditions: Sequence[p.Condition]) -> ScopedIndex | None:
    """The index behind a scope that meets most conditions, if there is one that meets any."""
    if resource.part or not isinstance(leading, Eq):
        return None
    lists = {one.fields[0]: one for one in conditions if one.operator == "in"}
    indexes = [
        ScopedIndex(columns, tuple(lists.get(column) for column in columns))
        for columns in INDEXES["Dispute"].scoped_filters.get(leading.attribute, ())
        if all(column in lists or column in _ALL_VALUES for column in columns)
    ]
    best = max(indexes, key=lambda index: (len(index.met), len(index.columns)), default=None)
    return best if best is not None and best.met else None


def index_condition(resource: Resource, alternative: Predicate) -> Predicate | None:
    """The conjunct of an alternative of a row predicate from which an index leads to its rows; None if none does."""
    return next((one for one in conjuncts(alternative) if _has_index(resource, one)), None)


def _has_index(resource: Resource, conjunct: Predicate) -> bool:
    match conjunct:
        case Eq(attribute=name, value=ClaimRef()) | In(attribute=name):
            # A part has no index on the scopes of its dispute: its own keys, and those of the dispute through its key. For what belongs
            # to no dispute the scopes of disputes stand in: they tell as well how few rows are visible.
            return resource.part or name in INDEXES["Dispute"].scopes
        case Has(attribute=name):
            return resource.attributes[name].link is not None
    return False


def is_growing(condition: Predicate | None) -> bool:
    """Whether the rows that the condition leads to grow with the county; None, no condition, leads to all of them."""
    return condition is None or getattr(condition, "attribute", "") in INDEXES["Dispute"].scoped_filters


def growing_conditions(resource: Resource, rows: Predicate) -> list[Predicate | None]:
    """Of the alternatives of a row predicate that grow with the county, the index conditions."""
    return [one for part in disjuncts(rows) if is_growing(one := index_condition(resource, part))]


def is_sortable(resource: Resource, rows: Predicate) -> bool:
    """Whether so few rows are visible that all of them may be sorted."""
    return not growing_conditions(resource, rows)


def is_unbounded(resource: Resource, rows: Predicate) -> bool:
    """Whether most of the rows may be visible: some alternative has no index condition narrower than the county."""
    return not all(
        any(_has_index(resource, one) and getattr(one, "attribute", "") != _WHOLE_COUNTY for one in conjuncts(part))
        for part in disjuncts(rows)
    )


def text_condition(resource: Resource, condition: Predicate, conditions: Sequence[p.Condition]) -> p.Condition | None:
    """The text that is searched for in a scope that grows with the county."""
    if resource.part or not is_growing(condition):
        return None
    return next((one for one in conditions if one.operator == "text"), None)
