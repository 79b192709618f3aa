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
from db.resources.resource import Resource, Row, Sql

# How many rows of an order are scanned before a page that is not full is found by a sort.
SCAN_ROWS = 2_000

# The most that a page may need. A constant, so that a plan for any size of page is made for about so many rows.
MOST: Sql = literal_column(str(MAX_PAGE + 1))

_LOWEST = literal_column("'00000000-0000-0000-0000-000000000000'::uuid", Uuid())
_HIGHEST = literal_column("'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid", Uuid())


@dataclass(frozen=True)
class Piece:
    """A part of the order that one index walk gives: its rows, and its keys (none of them null)."""

    rows: Callable[[Keys], list[Sql]]
    keys: tuple[p.Order, ...]


def pieces(resource: Resource, page: p.Page, keys: tuple[p.Order, ...]) -> list[Piece] | None:
    """The order in pieces, from the first to the last of the walk; None if no index gives it."""
    if len(keys) != 2 or keys[0].field not in INDEXES[resource.name].orders:
        return None
    by, last = keys
    if not resource.table.c[by.field].nullable:
        return [Piece(lambda at: within_cursors(resource, at, page, keys), keys)]
    given, name = (page.slice.before, "before") if page.slice.backward else (page.slice.after, "after")
    if page.slice.after and page.slice.before:
        return None
    down = by.descending != page.slice.backward
    value: Sql = bindparam(f"{page.slice.size}_{name}_0", type_=resource.table.c[by.field].type)
    place: Sql = bindparam(f"{page.slice.size}_{name}_1", type_=Uuid())

    def present(at: Keys) -> list[Sql]:
        here, there = tuple_(at(by.field), at("id")), tuple_(value, place)
        return [at(by.field).is_not(None), *([here < there if down else here > there] if given else [])]

    # Rows without a value come last, first backwards: a cursor with a value has all of them on one side, one without it has all others.
    if not page.slice.backward:

        def absent(at: Keys) -> list[Sql]:
            behind = func.coalesce(case((value.is_(None), place)), _HIGHEST if down else _LOWEST)
            return [at(by.field).is_(None), *([at("id") < behind if down else at("id") > behind] if given else [])]

        return [Piece(present, keys), Piece(absent, (last,))]

    def absent_before(at: Keys) -> list[Sql]:
        before = [value.is_(None), at("id") < place if down else at("id") > place]
        return [at(by.field).is_(None), *(before if given else [])]

    def all_before(at: Keys) -> list[Sql]:
        return [at(by.field).is_not(None), value.is_(None)]

    found = [Piece(absent_before, (last,)), Piece(present, keys)]
    return [*found, Piece(all_before, keys)] if given else found


def scan(
    row_of: Callable[[FromClause], tuple[Row, FromClause]],
    seen: Callable[[Row], list[Sql]],
    resource: Resource,
    order: Sequence[Piece],
    backward: bool,
    wanted: Sql,
) -> tuple[list[Select[Any]], Sql]:
    """The ids of a page, a select for each piece, and whether one was cut short: then they are not to be used.

    `row_of`: the row of an alias with what stands in FROM for it; `seen`: what must hold of it.
    """

    def in_order(piece: Piece, at: Keys) -> list[Sql]:
        return [at(key.field).desc() if key.descending != backward else at(key.field).asc() for key in piece.keys]

    found: list[Select[Any]] = []
    number: Sql = literal_column("0")
    cut: list[Sql] = []
    for at, piece in enumerate(order):
        # A piece is walked if those before it are at an end and have not filled the page.
        needed = [number < wanted, not_(or_(*cut))] if cut else []
        table = resource.table.alias()
        looked = (
            select(table)
            .where(*piece.rows(table.c.__getitem__), *needed)
            .order_by(*in_order(piece, table.c.__getitem__))
            .limit(literal_column(str(SCAN_ROWS)))
        )
        row, joined = row_of(looked.subquery())
        most = (
            select(row["id"].label("id"))
            .select_from(joined)
            .where(*seen(row))
            .order_by(*in_order(piece, row.__getitem__))
            .limit(MOST)
            .subquery()
        )
        near = select(most.c.id).limit(wanted).cte()
        other = resource.table.alias()
        all_looked = (
            select(other.c.id)
            .where(*piece.rows(other.c.__getitem__))
            .order_by(*in_order(piece, other.c.__getitem__))
            .limit(literal_column(str(SCAN_ROWS)))
        )
        number = number + select(func.count()).select_from(near).scalar_subquery()
        looked_at = select(func.count()).select_from(all_looked.subquery()).scalar_subquery()
        # One row, so that it is found out once, however often it is asked. Counted to the bound only where the page is not full.
        said = select(and_(number < wanted, looked_at == literal_column(str(SCAN_ROWS))).label("cut")).cte(f"cut_{at}")
        cut.append(select(said.c.cut).scalar_subquery())
        found.append(select(near.c.id))
    any_cut = or_(*cut)
    return [one.where(not_(any_cut)) for one in found], any_cut
