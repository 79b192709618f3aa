"""Lists in an order of the caller's choice over more rows than may be sorted for a page.

The index of the order is scanned, and what the caller may not see or did not ask for is left out. Where a page is not full within the rows
that are scanned, its rows are found by the access paths and sorted: so a rare value costs its own rows, not a scan through all others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.types import Uuid

from db.query import plan as p
from db.query.indexes import INDEXES
from db.query.keyset import MAX_PAGE, Keys, within_cursors
from db.resources.aliases import alias
from db.resources.resource import Resource, Row, Sql

# How many rows of an order are scanned before a page that is not full is found by a sort.
SCAN_ROWS = 2_000

# The most that a page may need. A constant, so that a plan for any size of page is made for about so many rows.
MOST: Sql = literal_column(str(MAX_PAGE + 1))

_LOWEST = literal_column("'00000000-0000-0000-0000-000000000000'::uuid", Uuid())
_HIGHEST = literal_column("'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid", Uuid())


@dataclass(frozen=True)
class ScanRange:
    """A range of the order that one index scan gives: the conditions on its rows, and its keys (none of them null)."""

    rows: Callable[[Keys], list[Sql]]
    keys: tuple[p.Order, ...]


def scan_ranges(resource: Resource, page: p.Page, keys: tuple[p.Order, ...]) -> list[ScanRange] | None:
    """The ranges of the order in the direction of the page; None if no index gives it."""
    if len(keys) != 2 or keys[0].field not in INDEXES[resource.name].orders:
        return None
    by, last = keys
    if not resource.table.c[by.field].nullable:
        return [ScanRange(lambda at: within_cursors(resource, at, page, keys), keys)]
    from_cursor, name = (page.slice.before, "before") if page.slice.backward else (page.slice.after, "after")
    if page.slice.after and page.slice.before:
        return None
    down = by.descending != page.slice.backward
    value: Sql = bindparam(f"{page.slice.size}_{name}_0", type_=resource.table.c[by.field].type)
    key: Sql = bindparam(f"{page.slice.size}_{name}_1", type_=Uuid())

    def present(at: Keys) -> list[Sql]:
        row, cursor = tuple_(at(by.field), at("id")), tuple_(value, key)
        return [at(by.field).is_not(None), *([row < cursor if down else row > cursor] if from_cursor else [])]

    # Rows without a value come last, first backwards: a cursor with a value has all of them on one side, one without it has all others.
    if not page.slice.backward:

        def absent(at: Keys) -> list[Sql]:
            after = func.coalesce(case((value.is_(None), key)), _HIGHEST if down else _LOWEST)
            return [at(by.field).is_(None), *([at("id") < after if down else at("id") > after] if from_cursor else [])]

        return [ScanRange(present, keys), ScanRange(absent, (last,))]

    def absent_before(at: Keys) -> list[Sql]:
        before = [value.is_(None), at("id") < key if down else at("id") > key]
        return [at(by.field).is_(None), *(before if from_cursor else [])]

    def all_before(at: Keys) -> list[Sql]:
        return [at(by.field).is_not(None), value.is_(None)]

    ranges = [ScanRange(absent_before, (last,)), ScanRange(present, keys)]
    return [*ranges, ScanRange(all_before, keys)] if from_cursor else ranges


def order_scan(
    row_of: Callable[[FromClause], tuple[Row, FromClause]],
    conditions: Callable[[Row], list[Sql]],
    resource: Resource,
    ranges: Sequence[ScanRange],
    backward: bool,
    wanted: Sql,
) -> tuple[list[Select[Any]], Sql]:
    """The ids of a page, a select for each range, and whether a scan was cut short: then they are not to be used.

    `row_of`: the row of an alias with its FROM element; `conditions`: what must hold of it.
    """

    def scanned(scan_range: ScanRange, table: FromClause, columns: Any, *only: Sql) -> Select[Any]:
        """The first rows of a range, whether they are wanted or not."""
        at = table.c.__getitem__
        ordered = select(columns).where(*scan_range.rows(at), *only).order_by(*_ordered(scan_range, at, backward))
        return ordered.limit(literal_column(str(SCAN_ROWS)))

    ids: list[Select[Any]] = []
    number: Sql = literal_column("0")
    cut: list[Sql] = []
    for scan_range in ranges:
        # A range is scanned if those before it are at an end and have not filled the page.
        needed = [number < wanted, not_(or_(*cut))] if cut else []
        table, again = alias(resource.table), alias(resource.table)
        row, joined = row_of(scanned(scan_range, table, table, *needed).subquery())
        most = (
            select(row["id"].label("id"))
            .select_from(joined)
            .where(*conditions(row))
            .order_by(*_ordered(scan_range, row.__getitem__, backward))
            .limit(MOST)
            .subquery()
        )
        page = select(most.c.id).limit(wanted).cte()
        number = number + select(func.count()).select_from(page).scalar_subquery()
        all_scanned = scanned(scan_range, again, again.c.id).subquery()
        scanned_rows = select(func.count()).select_from(all_scanned).scalar_subquery()
        # One row, so that it is computed once, however often it is read. Counted to the bound only where the page is not full.
        is_cut = and_(number < wanted, scanned_rows == literal_column(str(SCAN_ROWS))).label("cut")
        cut.append(select(select(is_cut).cte().c.cut).scalar_subquery())
        ids.append(select(page.c.id))
    any_cut = or_(*cut)
    return [one.where(not_(any_cut)) for one in ids], any_cut


def _ordered(scan_range: ScanRange, at: Keys, backward: bool) -> list[Sql]:
    return [at(key.field).desc() if key.descending != backward else at(key.field).asc() for key in scan_range.keys]
