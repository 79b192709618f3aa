"""Counts in SQL what another policy changes: rows and cells gained and lost, by both compiled policies at once, exactly.

Units (`comparison`) that differ in their claims alone are counted by one statement. The claims decide whose rows they are; the access of
the asker decides which of them are shown as samples.
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
from db.policy_admin.impact.comparison import CellChange, CountUnit, Totals, is_selective
from db.postgres.connection import Connection
from db.query.statement import Statement, compile_statement
from db.query.visibility import Visibility, claim_values
from db.resources.aliases import alias
from db.resources.catalog import CLAIMS, RESOURCES
from db.resources.resource import Resource, Row, Sql
from policies.grant import Access
from policies.predicate import Always, And, ClaimRef, Never, Not, Or, Predicate, atoms_of

CACHED_STATEMENTS = 500
_statements: LruCache[Statement] = LruCache(CACHED_STATEMENTS)


async def count(connection: Connection, units: Sequence[CountUnit]) -> list[Totals]:
    """What changes for one holder of each unit's claims. The units differ in their claims alone."""
    kind = replace(units[0], claims=())
    statement = _statements.get(kind, lambda: _count_statement(units[0]))
    claims = [{"n": number, **dict(unit.claims)} for number, unit in enumerate(units)]
    rows = await connection.fetch(statement.sql, orjson.dumps(claims, default=str).decode())
    totals_by_unit = [Totals() for _ in units]
    for n, *numbers in rows:
        place = 0
        for change in kind.changes:
            if change.cell == "row":
                totals_by_unit[n].gained, totals_by_unit[n].lost = numbers[place : place + 2]
                place += 2
            else:
                totals_by_unit[n].add_cells(change, *numbers[place : place + 3])
                place += 3
    return totals_by_unit


async def samples(connection: Connection, unit: CountUnit, asker: Access, most: int) -> tuple[list[UUID], list[UUID]]:
    """At most `most` keys of rows on which something is gained, and of rows on which something is lost, that the asker sees too."""
    statement = compile_statement(_sample_statement(unit, asker, most))
    values = dict(unit.claims) | claim_values(asker, "asker")
    rows = await connection.fetch(statement.sql, *(_bind(values[name]) for name in statement.binds))
    return [row["id"] for row in rows if row["gains"]], [row["id"] for row in rows if not row["gains"]]


def _bind(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


class _CandidateRows:
    """The rows among which something differs, with each condition worked out once as a column; predicates are put together from these."""

    def __init__(self, unit: CountUnit, visibility: Visibility) -> None:
        self.resource = RESOURCES[unit.resource]
        changes = (*unit.changes, *unit.subtracted)
        predicates = [part for one in changes for pair in (one.clear, one.masked) for part in pair]
        self.names = {
            atom: f"c{number}"
            for number, atom in enumerate(sorted(frozenset().union(*map(atoms_of, predicates)), key=repr))
        }
        parts = [
            self._part(row, at, clause, visibility)
            for row, at, clause in _rows(self.resource, visibility, unit.candidates)
        ]
        self.rows = (union_all(*parts) if len(parts) > 1 else parts[0]).subquery("read")

    def _part(self, row: Row, at: FromClause, clause: Sql, visibility: Visibility) -> Select[Any]:
        columns = [visibility.where(atom, row).label(name) for atom, name in self.names.items()]
        # The offset keeps PostgreSQL from working each condition out anew wherever it is named.
        candidate_rows = (
            select(row["id"].label("id"), *columns).select_from(at).where(clause).offset(literal_column("0")).subquery()
        )
        return select(*candidate_rows.c)

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

    def flags(self, change: CellChange) -> tuple[list[Sql], list[Sql]]:
        """What is counted of a change: for the row gained, lost; for cells newly clear, masked, hidden. And the same as gain and loss."""
        was, is_ = (self.holds(one) for one in change.clear)
        if change.cell == "row":
            gained, lost = and_(is_, not_(was)), and_(was, not_(is_))
            return [gained, lost], [gained, lost]
        covered, covers = (self.holds(one) for one in change.masked)
        masked_before, masked_after = and_(covered, not_(was)), and_(covers, not_(is_))
        clear = and_(is_, not_(was))
        masked = and_(masked_after, not_(masked_before))
        hidden = and_(not_(is_), not_(covers), or_(was, covered))
        gained = or_(clear, and_(masked, not_(was)))
        lost = or_(hidden, and_(masked, was))
        return [clear, masked, hidden], [gained, lost]


def _rows(
    resource: Resource, visibility: Visibility, candidates: Sequence[Predicate]
) -> Iterator[tuple[Row, FromClause, Sql]]:
    """The rows among which something differs, each once: a row, what stands in FROM for it, and a condition. Selective alternatives
    are read one by one, each by its own index and without the rows of those before."""
    if not all(is_selective(one) for one in candidates):
        row, at = visibility.row(resource, alias(resource.table))
        yield row, at, or_(*(visibility.where(one, row) for one in candidates))
        return
    for number, one in enumerate(candidates):
        row, at = visibility.row(resource, alias(resource.table))
        yield (
            row,
            at,
            and_(
                visibility.where(one, row),
                *(visibility.where(other, row).is_not(true()) for other in candidates[:number]),
            ),
        )


class _ClaimsTable(Visibility):
    """The visibility of many holders at once: their claims are the columns of `each`, which has one row for each holder."""

    def claim(self, reference: ClaimRef) -> Sql:
        # As text, for a column would bring its table along into every sub-select that names it.
        return literal_column(f"each.{_claim(reference)}", CLAIMS[reference.name])


def _claim(reference: ClaimRef) -> str:
    return f"claim_{reference.slot}_{reference.name}"


# The claims stand in the statement: no grant of an access plays a part.
_NO_ACCESS: Any = None


def _count_statement(unit: CountUnit) -> Statement:
    candidate_rows = _CandidateRows(unit, _ClaimsTable(_NO_ACCESS))
    flags = [flag for change in unit.changes for flag in candidate_rows.flags(change)[0]]
    counts: list[Sql] = [func.count().filter(flag) for flag in flags]
    if unit.subtracted:
        subtracted = [
            func.count().filter(flag) for change in unit.subtracted for flag in candidate_rows.flags(change)[0]
        ]
        counts = [one - other for one, other in zip(counts, subtracted, strict=True)]
    counted = (
        select(*(one.label(f"n{number}") for number, one in enumerate(counts)))
        .select_from(candidate_rows.rows)
        .lateral("counted")
    )
    columns = [column("n", Integer()), *(column(name, CLAIMS[name.split("_", 2)[2]]) for name, _ in unit.claims)]
    claims = func.json_to_recordset(cast(bindparam("claims", type_=Text()), JSON()))
    each = claims.table_valued(*columns).render_derived(name="each", with_types=True)
    return compile_statement(select(each.c.n, *counted.c).select_from(each.join(counted, literal_column("true"))))


def _sample_statement(unit: CountUnit, asker: Access, most: int) -> Any:
    candidate_rows = _CandidateRows(unit, Visibility(_NO_ACCESS))
    sides = []
    for gains in (True, False):
        flags = [candidate_rows.flags(change)[1][0 if gains else 1] for change in unit.changes]
        of_asker = Visibility(asker, "asker")
        seen, at = of_asker.row(candidate_rows.resource, alias(candidate_rows.resource.table))
        sides.append(
            select(seen["id"].label("id"), literal_column("true" if gains else "false").label("gains"))
            .select_from(at.join(candidate_rows.rows, candidate_rows.rows.c.id == seen["id"]))
            # SECURITY: no row is shown, not even by its key alone, to an administrator who does not see it.
            .where(or_(*flags), of_asker.visible(seen))
            .order_by(seen["id"])
            .limit(literal_column(str(int(most))))
            .subquery()
        )
    return select(sides[0]).union_all(select(sides[1]))
