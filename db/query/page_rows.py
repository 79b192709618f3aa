"""The rows of one page, found before anything is built of them: merged index scans, a scan of the order, or a sort of few rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, Select, literal_column, select, union_all

from db.query import plan as p
from db.query.access_paths import AccessPaths, Branch, Limit, ListQuery, merge
from db.query.indexes import is_sortable
from db.query.keyset import Keys, direction, within_cursors
from db.query.order_paths import MOST, ScanRange, order_scan, scan_ranges
from db.resources.aliases import alias
from db.resources.resource import Row, Sql


@dataclass(frozen=True)
class PageRows:
    """Selects the rows of one list's page. `wanted`: how many, one more than the page shows."""

    paths: AccessPaths
    query: ListQuery
    wanted: Sql

    def select(self, materialized: list[Branch] | None = None) -> Select[Any]:
        """The page's rows as a SELECT that ends with LIMIT, so that no node is built for a row that is not shown.

        `materialized`: the branches, where a count reads the same rows (`db.query.count.materialize`).
        """
        query, resource = self.query, self.query.resource
        rows = self.paths.visible_rows(resource)
        branches = materialized
        if branches is None and not query.outer:
            branches = self.paths.branches(resource, rows, query.page.conditions)
        if branches is not None and query.in_page_order:
            return self._fetched(self._merge_append(branches), fenced=False)
        if query.outer or query.in_page_order:
            return self._filtered()
        if is_sortable(resource, rows):
            branches = branches or [self.paths.where_branch(resource, rows)]
            if len(branches) == 1 and materialized is None:
                # Nothing is merged: the rows that are sorted are those that are shown.
                return branches[0](Limit(self._top_n_whole, in_page_order=False))
            ids = merge([branch(Limit(self._top_n, in_page_order=False)) for branch in branches]).subquery()
            return self._fetched(ids, fenced=True)
        if (order := scan_ranges(resource, query.page, query.keys)) is not None:
            ids = self._order_scan(order, branches or [self.paths.where_branch(resource, rows)])
            return self._fetched(ids, fenced=True)
        return self._filtered()

    # -- the order of the page

    def _ordered(self, column: Keys) -> list[Sql]:
        return [direction(column(key.field), key, self.query.page.slice.backward) for key in self.query.keys]

    def _order_rows(self, statement: Select[Any], scanned: Keys) -> Select[Any]:
        """The rows within the cursors, in the order of the page."""
        query = self.query
        cursors = within_cursors(query.resource, scanned, query.page, query.keys)
        return statement.where(*cursors).order_by(*self._ordered(scanned))

    def _key_columns(self, scanned: Keys) -> list[Sql]:
        return [scanned(key.field).label(key.field) for key in self.query.keys[:-1]]

    def _first(self, rows: FromClause) -> Select[Any]:
        """As many rows as are wanted, the first in the order of the page."""
        return select(rows).order_by(*self._ordered(rows.c.__getitem__)).limit(self.wanted)

    # -- what a limit makes of a branch

    def _limited(self, statement: Select[Any], row: Row, scanned: Keys, met: Sequence[p.Condition]) -> Select[Any]:
        """A scan in page order, ended when the page is full."""
        keyed = statement.add_columns(*self._key_columns(scanned)).where(*self.query.row_filter(row, met))
        return self._first(self._order_rows(keyed, scanned).limit(MOST).subquery())

    def _sorted(
        self, statement: Select[Any], row: Row, columns: list[Sql], met: Sequence[p.Condition], *only: Sql
    ) -> FromClause:
        # OFFSET 0: all rows of the access path are found first; the index of the order must not lead to them.
        hits = statement.add_columns(*columns).where(*self.query.row_filter(row, met), *only)
        every = hits.offset(literal_column("0")).subquery()
        return self._order_rows(select(every), every.c.__getitem__).limit(MOST).subquery()

    def _top_n(
        self, statement: Select[Any], row: Row, scanned: Keys, met: Sequence[p.Condition], *only: Sql
    ) -> Select[Any]:
        """All rows of the branch sorted, the first kept (a top-N sort), by their ids."""
        most = self._sorted(statement, row, self._key_columns(scanned), met, *only)
        return select(most.c.id).order_by(*self._ordered(most.c.__getitem__)).limit(self.wanted)

    def _top_n_whole(self, statement: Select[Any], row: Row, scanned: Keys, met: Sequence[p.Condition]) -> Select[Any]:
        """The same with all columns of the rows."""
        columns: list[Sql] = [one for one in row.at.c if one.key != "id"]
        return self._first(self._sorted(statement, row, columns, met))

    # -- where the rows come from

    def _merge_append(self, branches: list[Branch]) -> FromClause:
        """One ordered index scan for each branch, merged: no plan has to choose between an index on the order and one on the scope.

        The merged scans bring the keys of the order with them: a row is fetched only if it is shown.
        """
        limit = Limit(self._limited, self._order_rows, self.wanted)
        merged = merge([branch(limit) for branch in branches]).subquery()
        return select(merged.c.id).order_by(*self._ordered(merged.c.__getitem__)).limit(self.wanted).subquery()

    def _order_scan(self, order: Sequence[ScanRange], branches: list[Branch]) -> FromClause:
        """The ids from the index of the order; where that scan is cut short, all rows of the branches sorted."""
        query, visibility = self.query, self.paths.visibility
        rows = self.paths.visible_rows(query.resource)
        scans, cut_short = order_scan(
            lambda at: visibility.row(query.resource, at),
            lambda row: [visibility.where(rows, row), *query.row_filter(row)],
            query.resource,
            order,
            query.page.slice.backward,
            self.wanted,
        )
        limit = Limit(lambda *rows: self._top_n(*rows, cut_short), in_page_order=False)
        sorted_ids = merge([branch(limit) for branch in branches]).subquery()
        return union_all(*scans, select(sorted_ids.c.id)).subquery()

    def _filtered(self) -> Select[Any]:
        """The rows by a plain WHERE, in the order of the page."""
        query, visibility = self.query, self.paths.visibility
        row, joined = visibility.row(query.resource, alias(query.resource.table), query.dispute)
        visible = visibility.where(self.paths.visible_rows(query.resource), row)
        statement = select(row.at).select_from(joined).where(visible).correlate(*query.outer)
        filtered = statement.where(*query.row_filter(row, ()))
        return self._first(self._order_rows(filtered, row.__getitem__).limit(MOST).subquery())

    def _fetched(self, ids: FromClause, *, fenced: bool) -> Select[Any]:
        """The rows of the ids, in the order of the page."""
        at = alias(self.query.resource.table)
        shown = select(at).select_from(ids.join(at, at.c.id == ids.c.id))
        if not fenced:
            return shown.order_by(*self._ordered(at.c.__getitem__)).limit(self.wanted)
        # OFFSET 0: the ids lead to these rows.
        return self._first(shown.offset(literal_column("0")).subquery())
