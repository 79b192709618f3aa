"""Counts in SQL what another policy changes: rows and cells gained and lost, by both compiled policies at once, exactly.

One unit (`db.impact`) is one statement. Whose rows they are is said by claims; who may see which of them as a sample, by another access.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import FromClause, and_, func, literal_column, not_, or_, select

from db.catalog import SOURCES
from db.impact import Shift, Tally, Unit
from db.kept import Kept
from db.sight import Sight, claim_values
from db.source import Row, Source, Sql
from db.statement import Statement, compile_statement
from policies.grant import Access
from policies.predicate import Always, And, ClaimRef, Eq, Has, In, Never, Not, Or, Predicate, atoms_of, conjuncts

KEPT = 500
_counts: Kept[Statement] = Kept(KEPT)


async def count(connection: Any, unit: Unit) -> Tally:
    """What changes for one holder of the unit's claims."""
    key = (unit.resource, unit.action, unit.shifts, unit.among)
    statement = _counts.get(key, lambda: _count_statement(unit))
    values = dict(unit.claims)
    row = await connection.fetchrow(statement.sql, *(_bind(values[name]) for name in statement.binds))
    tally = Tally()
    place = 0
    for shift in unit.shifts:
        if shift.cell == "row":
            tally.gained, tally.lost = row[place], row[place + 1]
            place += 2
        else:
            tally.add_cells(shift, *row[place : place + 3])
            place += 3
    return tally


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

    def __init__(self, unit: Unit, sight: Sight) -> None:
        self.source = SOURCES[unit.resource]
        predicates = [part for one in unit.shifts for pair in (one.clear, one.masked) for part in pair]
        self.names = {
            atom: f"c{number}"
            for number, atom in enumerate(sorted(frozenset().union(*map(atoms_of, predicates)), key=repr))
        }
        row, at, clause = _rows(self.source, sight, unit.among)
        columns = [sight.where(atom, row).label(name) for atom, name in self.names.items()]
        read = select(row["id"].label("id"), *columns).select_from(at).where(clause)
        # The offset keeps PostgreSQL from working each condition out anew wherever it is named.
        self.rows = read.offset(literal_column("0")).subquery("read")

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


def _rows(source: Source, sight: Sight, among: Sequence[Predicate]) -> tuple[Row, FromClause, Sql]:
    """The rows among which something differs: a row, what stands in FROM for it, and a condition. Narrow alternatives are walked one by
    one, each by its own index."""
    row, at = sight.row(source, source.table.alias())
    if len(among) < 2 or not all(_narrow(one) for one in among):
        return row, at, or_(literal_column("false"), *(sight.where(one, row) for one in among))
    parts = []
    for one in among:
        each, via = sight.row(source, source.table.alias())
        parts.append(select(each["id"].label("id")).select_from(via).where(sight.where(one, each)))
    found = parts[0].union(*parts[1:]).subquery("found")
    return row, at.join(found, found.c.id == row["id"]), literal_column("true")


def _narrow(predicate: Predicate) -> bool:
    """Whether it holds of few rows among many: it speaks of somebody's place or work, below the county."""
    return any(
        isinstance(one, In | Has)
        or (isinstance(one, Eq) and isinstance(one.value, ClaimRef) and one.attribute != "county_code")
        for one in conjuncts(predicate)
    )


# No claim of the holder's is ever written into the text: all are binds, named like those of a reading.
_NOBODY: Any = None


def _count_statement(unit: Unit) -> Statement:
    read = _Read(unit, Sight(_NOBODY))
    columns = [
        func.count().filter(flag).label(f"n{number}")
        for number, flag in enumerate(flag for shift in unit.shifts for flag in read.flags(shift)[0])
    ]
    return compile_statement(select(*columns).select_from(read.rows))


def _sample_statement(unit: Unit, asker: Access, most: int) -> Any:
    read = _Read(unit, Sight(_NOBODY))
    sides = []
    for gains in (True, False):
        flags = [read.flags(shift)[1][0 if gains else 1] for shift in unit.shifts]
        eyes = Sight(asker, "asker")
        seen, at = eyes.row(read.source, read.source.table.alias())
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
