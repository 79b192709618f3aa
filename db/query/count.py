"""How many rows a list has, and the rows that a count and its page read together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, false, func, literal_column, select

from db.query import plan as p
from db.query.access_paths import AccessPaths, Branch, Limit, ListQuery, merge
from db.query.indexes import is_sortable
from db.query.keyset import Keys, direction
from db.resources.aliases import alias
from db.resources.resource import Row, Sql
from policies.predicate import In, conjuncts, disjuncts

# The most that a count goes to unless an exact one is requested.
COUNT_CAP = 10_000


def count(
    paths: AccessPaths, query: ListQuery, *, exact: bool, materialized: list[Branch] | None = None
) -> Select[Any]:
    """How many rows the list has, as one row: `total`, and whether that is `capped` at COUNT_CAP."""
    page, resource, visibility = query.page, query.resource, paths.visibility
    rows = paths.visible_rows(resource)
    branches = materialized or (paths.branches(resource, rows, page.conditions) if page.relation is None else None)

    def bounded(statement: Select[Any], row: Row, _: Keys, met: Sequence[p.Condition]) -> Select[Any]:
        statement = statement.where(*query.row_filter(row, met))
        return statement if exact else statement.limit(literal_column(str(COUNT_CAP + 1)))

    counted: Any
    if branches is None:
        row, at = visibility.row(resource, alias(resource.table), query.dispute)
        statement = select(row["id"]).select_from(at).where(visibility.where(rows, row))
        counted = bounded(statement, row, row.__getitem__, ()).correlate(*query.outer)
    else:
        # If no branch alone goes beyond the bound, each is whole, and so is their union.
        counted = merge([branch(Limit(bounded)) for branch in branches])
    total: Sql = func.count()
    most: Sql = literal_column(str(COUNT_CAP))
    capped: Sql = false() if exact else total > most
    columns = ((total if exact else func.least(total, most)).label("total"), capped.label("capped"))
    return select(*columns).select_from(counted.subquery())


def materialize(paths: AccessPaths, query: ListQuery, *, exact: bool) -> list[Branch] | None:
    """The branches of a caller who sees few rows, each materialized once for count and page, as far as a count goes. None where
    either is found sooner by itself."""
    page, resource = query.page, query.resource
    rows = paths.visible_rows(resource)
    if page.relation is not None or not is_sortable(resource, rows):
        return None
    whole = exact or resource.part or not query.in_page_order
    if not whole and (page.slice.after or page.slice.before):
        # The page may lie beyond the count.
        return None

    def in_order(column: Keys) -> list[Sql]:
        return [] if whole else [direction(column(key.field), key, page.slice.backward) for key in query.keys]

    def every(statement: Select[Any], row: Row, scanned: Keys, met: Sequence[p.Condition]) -> Select[Any]:
        keys = (scanned(key.field).label(key.field) for key in query.keys[:-1])
        hits = statement.add_columns(*keys).where(*query.row_filter(row, met)).order_by(*in_order(scanned))
        return hits if whole else hits.limit(literal_column(str(COUNT_CAP + 1)))

    def once(branch: Branch) -> Branch:
        hits = branch(Limit(every, in_page_order=not whole))
        # The order once more, though nothing is left to sort: so PostgreSQL knows it of the materialized rows.
        cte = hits.order_by(*in_order(hits.selected_columns.__getitem__)).cte()
        row = Row(resource, cte)
        return lambda limit: select(limit.apply(select(cte.c.id), row, row.__getitem__, page.conditions).subquery())

    branches = paths.branches(resource, rows, page.conditions)
    parts = (
        [(rows, paths.where_branch(resource, rows))]
        if branches is None
        else zip(disjuncts(rows), branches, strict=True)
    )
    # The branch of a list of scopes is one scan for each: its rows would have to be sorted for the page.
    return [
        branch if not whole and any(isinstance(one, In) for one in conjuncts(part)) else once(branch)
        for part, branch in parts
    ]
