"""Counts in SQL what another policy changes: rows and cells gained and lost, by both compiled policies at once, exactly.

Units (`comparison`) that differ in their claims alone are counted by one statement. Whose rows they are is said by claims; who may
see which of them as a sample, by another access.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    FromClause,
    Select,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.types import JSON, Integer, Text

from db.lru_cache import LruCache
from db.policy_admin.impact.comparison import Shift, Tally, Unit, narrow
from db.query.statement import Statement, compile_statement
from db.query.visibility import Visibility, claim_values
from db.resources.catalog import CLAIMS, RESOURCES
from db.resources.resource import Resource, Row, Sql
from policies.grant import Access
from policies.predicate import Always, And, ClaimRef, Never, Not, Or, Predicate, atoms_of

KEPT = 500
_counts: LruCache[Statement] = LruCache(KEPT)


async def count(connection: Any, units: Sequence[Unit]) -> list[Tally]:
    """What changes for one holder of each unit's claims. The units differ in their claims alone."""
    kind = replace(units[0], claims=())
    statement = _counts.get(kind, lambda: _count_statement(units[0]))
    claims = [{"n": number, **dict(unit.claims)} for number, unit in enumerate(units)]
    rows = await connection.fetch(statement.sql, orjson.dumps(claims, default=str).decode())
    tallies = [Tally() for _ in units]
    for n, *numbers in rows:
        place = 0
        for shift in kind.shifts:
            if shift.cell == "row":
                tallies[n].gained, tallies[n].lost = numbers[place : place + 2]
                place += 2
            else:
                tallies[n].add_cells(shift, *numbers[place : place + 3])
                place += 3
    return tallies


async def samples(connection: Any, unit: Unit, asker: Access, most: int) -> tuple[list[UUID], list[UUID]]:
    """Some rows on which something is gained, and some on which something is lost, among those that the asker sees himself."""
    statement = compile_statement(_sample_statement(unit, asker, most))
    values = dict(unit.claims) | claim_values(asker, "asker")
    rows = await connection.fetch(statement.sql, *(_bind(values[name]) for name in statement.binds))
    return [row["id"] for row in rows if row["gains"]], [row["id"] for row in rows if not row["gains"]]


def _bind(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


class _Read:
    """The conditions of a statement, each worked out once for a row; what is made of them is worked out from that."""

    def __init__(self, unit: Unit, visibility: Visibility) -> None:
        self.resource = RESOURCES[unit.resource]
        shifts = (*unit.shifts, *unit.less)
        predicates = [part for one in shifts for pair in (one.clear, one.masked) for part in pair]
        self.names = {
            atom: f"c{number}"
            for number, atom in enumerate(sorted(frozenset().union(*map(atoms_of, predicates)), key=repr))
        }
        parts = [
            self._part(row, at, clause, visibility) for row, at, clause in _rows(self.resource, visibility, unit.among)
        ]
        self.rows = (union_all(*parts) if len(parts) > 1 else parts[0]).subquery("read")

    def _part(self, row: Row, at: FromClause, clause: Sql, visibility: Visibility) -> Select[Any]:
        columns = [visibility.where(atom, row).label(name) for atom, name in self.names.items()]
        # The offset keeps PostgreSQL from working each condition out anew wherever it is named.
        read = (
            select(row["id"].label("id"), *columns).select_from(at).where(clause).offset(literal_column("0")).subquery()
        )
        return select(*read.c)

    def holds(self, predicate: Predicate) -> Sql:
        """The predicate in SQL, true or false."""
        return func.coalesce(self._truth(predicate), literal_column("false"))

    def _truth(self, predicate: Predicate) -> Sql:
        match predicate:
            case Always():
                return literal_column("true")
            case Never():
                return literal_column("false")
            case And(parts=parts):
                return and_(*(self._truth(part) for part in parts))
            case Or(parts=parts):
                return or_(*(self._truth(part) for part in parts))
            case Not(part=part):
                return self._truth(part).is_not(literal_column("true"))
        return self.rows.c[self.names[predicate]]

    def flags(self, shift: Shift) -> tuple[list[Sql], list[Sql]]:
        """What is counted of a shift: for the row gained, lost; for cells newly clear, masked, hidden. And the same as gain and loss."""
        was, is_ = (self.holds(one) for one in shift.clear)
        if shift.cell == "row":
            gained, lost = and_(is_, not_(was)), and_(was, not_(is_))
            return [gained, lost], [gained, lost]
        covered, covers = (self.holds(one) for one in shift.masked)
        masked_before, masked_after = and_(covered, not_(was)), and_(covers, not_(is_))
        clear = and_(is_, not_(was))
        masked = and_(masked_after, not_(masked_before))
        hidden = and_(not_(is_), not_(covers), or_(was, covered))
        gained = or_(clear, and_(masked, not_(was)))
        lost = or_(hidden, and_(masked, was))
        return [clear, masked, hidden], [gained, lost]


def _rows(
    resource: Resource, visibility: Visibility, among: Sequence[Predicate]
) -> Iterator[tuple[Row, FromClause, Sql]]:
    """The rows among which something differs, each once: a row, what stands in FROM for it, and a condition. Narrow alternatives are
    walked one by one, each by its own index and without the rows of those before."""
    if not all(narrow(one) for one in among):
        row, at = visibility.row(resource, resource.table.alias())
        yield row, at, or_(*(visibility.where(one, row) for one in among))
        return
    for number, one in enumerate(among):
        row, at = visibility.row(resource, resource.table.alias())
        yield (
            row,
            at,
            and_(
                visibility.where(one, row), *(visibility.where(other, row).is_not(true()) for other in among[:number])
            ),
        )


class _Each(Visibility):
    """The eyes of many at once: their claims are the columns of a row of `each`, one row for each of them."""

    def claim(self, reference: ClaimRef) -> Sql:
        # As text, for a column would bring its table along into every sub-select that names it.
        return literal_column(f"each.{_claim(reference)}", CLAIMS[reference.name])


def _claim(reference: ClaimRef) -> str:
    return f"claim_{reference.slot}_{reference.name}"


# Whose claims they are is no access of anybody: nothing is asked of it.
_NOBODY: Any = None


def _count_statement(unit: Unit) -> Statement:
    read = _Read(unit, _Each(_NOBODY))
    flags = [flag for shift in unit.shifts for flag in read.flags(shift)[0]]
    counts: list[Sql] = [func.count().filter(flag) for flag in flags]
    if unit.less:
        known = [func.count().filter(flag) for shift in unit.less for flag in read.flags(shift)[0]]
        counts = [one - other for one, other in zip(counts, known, strict=True)]
    counted = (
        select(*(one.label(f"n{number}") for number, one in enumerate(counts)))
        .select_from(read.rows)
        .lateral("counted")
    )
    columns = [column("n", Integer()), *(column(name, CLAIMS[name.split("_", 2)[2]]) for name, _ in unit.claims)]
    given = func.json_to_recordset(cast(bindparam("claims", type_=Text()), JSON()))
    each = given.table_valued(*columns).render_derived(name="each", with_types=True)
    return compile_statement(select(each.c.n, *counted.c).select_from(each.join(counted, literal_column("true"))))


def _sample_statement(unit: Unit, asker: Access, most: int) -> Any:
    read = _Read(unit, Visibility(_NOBODY))
    sides = []
    for gains in (True, False):
        flags = [read.flags(shift)[1][0 if gains else 1] for shift in unit.shifts]
        eyes = Visibility(asker, "asker")
        seen, at = eyes.row(read.resource, read.resource.table.alias())
        sides.append(
            select(seen["id"].label("id"), literal_column("true" if gains else "false").label("gains"))
            .select_from(at.join(read.rows, read.rows.c.id == seen["id"]))
            # SECURITY: no row is shown, be it by its key alone, to an administrator who does not see it himself.
            .where(or_(*flags), eyes.visible(seen))
            .order_by(seen["id"])
            .limit(literal_column(str(int(most))))
            .subquery()
        )
    return select(sides[0]).union_all(select(sides[1]))
