"""The access paths to the visible rows: an index scan for each alternative of the row predicate, to be merged in page order.

`a OR b ... ORDER BY ... LIMIT` makes PostgreSQL choose between the index of the order and those of the scopes, and either is wrong
for some caller. Here each alternative of a predicate is read by itself, where an index has its scope first and the page order behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import CTE, FromClause, Select, func, literal_column, select, true, union
from sqlalchemy.dialects.postgresql import distinct_on

from db.query import plan as p
from db.query.filters import condition
from db.query.indexes import index_condition, scoped_index, text_condition
from db.query.keyset import Keys, keys_of
from db.query.visibility import Visibility
from db.resources.aliases import alias
from db.resources.resource import ALWAYS, Link, Resource, Row, Sql
from policies.predicate import Always, Has, In, Predicate, all_of, conjuncts, disjuncts

# How many rows are scanned in page order for a text before its own index is used: a text that many rows have is among them.
_TEXT_SCAN_ROWS = 2_000


class RowFilter(Protocol):
    """The conditions beside visibility: the relation and the filter, without those that an access path meets already."""

    def __call__(self, row: Row, met: Sequence[p.Condition] = (), /) -> list[Sql]: ...


@dataclass(frozen=True)
class ListQuery:
    """One list in a statement: its page, the conditions of its rows, and its place.

    `outer`: the FROM elements of the row above it, to which it may refer; empty at the root. `dispute`: that of the row above, if the
    rows of the list are parts of it; `seen`: what holds of that dispute.
    """

    page: p.Page
    resource: Resource
    row_filter: RowFilter
    outer: tuple[FromClause, ...] = ()
    dispute: FromClause | None = None
    seen: Predicate = ALWAYS

    @property
    def keys(self) -> tuple[p.Order, ...]:
        """The keys of the order, the id last."""
        return keys_of(self.page)

    @property
    def in_page_order(self) -> bool:
        """Whether the rows come in the order of the resource, or in the opposite: the indexes behind its scopes give both."""
        own = tuple(p.Order(*key) for key in self.resource.order)
        opposite = tuple(p.Order(key.field, not key.descending) for key in own)
        return self.page.order == own or (
            self.page.order == opposite and not any(self.resource.table.c[key.field].nullable for key in own)
        )


@dataclass(frozen=True)
class Limit:
    """What a page or a count asks of an access path.

    `apply` adds the conditions to a select of rows (but those that are met already), the order and the limit. `order_rows`, where there is
    an order, adds only that and the cursors; `wanted` is the number of rows then. `in_page_order`: whether the order, if there is one, is
    that of the resource.
    """

    apply: Callable[[Select[Any], Row, Keys, Sequence[p.Condition]], Select[Any]]
    order_rows: Callable[[Select[Any], Keys], Select[Any]] | None = None
    wanted: Sql | None = None
    in_page_order: bool = True


# One alternative of the row predicate as a select of what the limit asks of a row: its id, and the keys of the order.
Branch = Callable[[Limit], Select[Any]]


class AccessPaths:
    """The access paths of one access in one statement.

    `measures`: the measures of the disputes of a predicate (`db.query.statistics`), read once for all statistics of the statement.
    """

    def __init__(self, visibility: Visibility) -> None:
        self.visibility = visibility
        self.measures: dict[Predicate, CTE] = {}

    def visible_rows(self, resource: Resource) -> Predicate:
        """The row predicate of the caller's grant."""
        return self.visibility.access.grant(resource.name).rows

    def ids(self, resource: Resource, rows: Predicate) -> Select[Any]:
        """The ids of the rows of a predicate by the best access path, for statistics."""
        branches = self.branches(resource, rows)
        if branches is None:
            row, at = self.visibility.row(resource, alias(resource.table))
            return select(row["id"].label("id")).select_from(at).where(self.visibility.where(rows, row))
        every = Limit(lambda statement, row, _, __: statement)
        return merge([branch(every) for branch in branches])  # type: ignore[no-any-return]

    def branches(
        self, resource: Resource, rows: Predicate, conditions: tuple[p.Condition, ...] = ()
    ) -> list[Branch] | None:
        """The alternatives of a row predicate, each by its index; None if a plain WHERE is as good."""
        if resource.name != "Dispute" and not resource.part:
            return None
        branches: list[Branch] = []
        plain = True
        for part in disjuncts(rows):
            leading = index_condition(resource, part)
            if leading is None:
                return None
            branch = self._index_branch(resource, part, leading, conditions)
            plain = plain and branch is None
            branches.append(branch or self.where_branch(resource, part))
        return None if not branches or (plain and len(branches) == 1) else branches

    def where_branch(self, resource: Resource, part: Predicate) -> Branch:
        """The rows of an alternative by a plain WHERE."""
        row, at = self.visibility.row(resource, alias(resource.table))

        def where(limit: Limit) -> Select[Any]:
            statement = select(row["id"].label("id")).select_from(at).where(self.visibility.where(part, row))
            return select(limit.apply(statement, row, row.__getitem__, ()).subquery())

        return where

    def _index_branch(
        self, resource: Resource, part: Predicate, leading: Predicate, conditions: tuple[p.Condition, ...]
    ) -> Branch | None:
        """The rows of an alternative from the index of its leading condition; None if a plain WHERE does as well."""
        rest = all_of(one for one in conjuncts(part) if one != leading)
        row, at = self.visibility.row(resource, alias(resource.table))
        match leading:
            case Has(attribute=name) if not resource.part:
                link = resource.attributes[name].link
                assert link is not None
                return self._link_scan(row, at, link, leading, rest, filtered=bool(conditions))
            case In(attribute=name, claim=claim):
                value = resource.attributes[name].value
                assert value is not None
                return self._index_scans(row, at, [(value(row), self.visibility.claim(claim))], rest, ())
        if (text := text_condition(resource, leading, conditions)) is not None:
            return self._text_search(resource, part, text)
        if (index := scoped_index(resource, leading, conditions)) is not None:
            scans = [(row[column], values) for column, values in index.values().items()]
            return self._index_scans(row, at, scans, part, index.met)
        return None

    def _text_search(self, resource: Resource, part: Predicate, text: p.Condition) -> Branch:
        """A text that many rows have is found soon in page order; one that few have, by the index of the texts."""

        def text_search(limit: Limit) -> Select[Any]:
            row, _ = self.visibility.row(resource, alias(resource.table))
            # OFFSET 0: nothing but the text may lead to these rows.
            with_text = (
                select(row.at).where(condition(self.visibility, row, text)).offset(literal_column("0")).subquery()
            )
            hit = Row(resource, with_text, with_text)
            hits = select(hit["id"].label("id")).where(self.visibility.where(part, hit))
            if limit.order_rows is None or limit.wanted is None:
                return select(limit.apply(hits, hit, hit.__getitem__, (text,)).subquery())
            scanned, _ = self.visibility.row(resource, alias(resource.table))
            visible = select(scanned.at).where(self.visibility.where(part, scanned))
            scan = limit.order_rows(visible, scanned.__getitem__)
            nearest_rows = scan.limit(literal_column(str(_TEXT_SCAN_ROWS))).subquery()
            near = Row(resource, nearest_rows, nearest_rows)
            nearest = limit.apply(select(near["id"].label("id")), near, near.__getitem__, ())
            too_few = select(func.count()).select_from(nearest.subquery()).scalar_subquery() < limit.wanted
            farther = limit.apply(hits.where(too_few), hit, hit.__getitem__, (text,))
            return select(union(select(nearest.subquery()), select(farther.subquery())).subquery())

        return text_search

    def _link_scan(
        self, row: Row, at: FromClause, link: Link, leading: Has, rest: Predicate, *, filtered: bool
    ) -> Branch:
        """The disputes that a link table leads to: a scan of its index in page order, or a semi-join where the page has another order."""
        via = alias(link.table)
        linked = (via.c[link.key] == self.visibility.claim(leading.claim), link.alive(via))

        def semi_join(limit: Limit) -> Select[Any]:
            ids = select(via.c.dispute_id).where(*linked)
            statement = (
                select(row["id"].label("id"))
                .select_from(at)
                .where(row["id"].in_(ids), self.visibility.where(rest, row))
            )
            return select(limit.apply(statement, row, row.__getitem__, ()).subquery())

        def scan(limit: Limit) -> Select[Any]:
            if not limit.in_page_order:
                return semi_join(limit)
            # The page keys are read from the link, so that the link's index gives the order.
            keys = {"id": via.c.dispute_id, "registered_at": via.c.dispute_registered_at}
            joined = via if not filtered and rest == Always() else via.join(row.at, row["id"] == via.c.dispute_id)
            statement = (
                select(keys["id"].label("id"))
                # One dispute may be linked twice to one value (an invitation and a report): each counts once, before the limit.
                .ext(distinct_on(keys["registered_at"], keys["id"]))
                .select_from(joined)
                .where(*linked, self.visibility.where(rest, row))
            )
            return select(limit.apply(statement, row, keys.__getitem__, ()).subquery())

        return scan

    def _index_scans(
        self,
        row: Row,
        at: FromClause,
        columns: Sequence[tuple[Sql, Sql]],
        scope: Predicate,
        met: Sequence[p.Condition],
    ) -> Branch:
        """A nested loop of index scans, one for each combination of values. `columns`: each with the list of its values."""

        def scans(limit: Limit) -> Select[Any]:
            # A list may hold a value twice; its rows are found once.
            lists = [select(func.unnest(values).label("value")).distinct().subquery() for _, values in columns]
            statement = select(row["id"].label("id")).select_from(at).where(self.visibility.where(scope, row))
            for (column, _), values in zip(columns, lists, strict=True):
                statement = statement.where(column == values.c.value)
            statement = statement.correlate(*lists)
            scan = limit.apply(statement, row, row.__getitem__, met).correlate(*lists).lateral()
            combinations: FromClause = lists[0]
            for other in lists[1:]:
                combinations = combinations.join(other, true())
            return select(scan).select_from(combinations.join(scan, true()))

        return scans


def merge(branches: list[Select[Any]]) -> Any:
    """The rows of all branches, each once: a branch has a row once, and two branches may have the same."""
    return branches[0].union(*branches[1:]) if len(branches) > 1 else branches[0]
