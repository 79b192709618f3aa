"""Ways into the visible rows: one ordered index walk for each scope of a union, merged.

`a OR b ... ORDER BY ... LIMIT` makes PostgreSQL choose between the index of the order and those of the scopes, and either is wrong
for somebody. Here each alternative of a predicate walks an index that has its scope first and the page order behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import FromClause, Select, false, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import distinct_on

from db import plan as p
from db.paging import Keys, direction, within_cursors
from db.sight import Sight
from db.source import Row, Source, Sql
from policies.predicate import ClaimRef, Eq, Has, In, Predicate, all_of, conjuncts, disjuncts

# Adds the conditions, the order and the limit of a page to a select of rows.
Limit = Callable[[Select[Any], Row, Keys], Select[Any]]
Branch = Callable[[Limit], Select[Any]]
# The conditions beside visibility: the relation and the filter.
Narrow = Callable[[Row], list[Sql]]

# How far a count goes unless it is asked to be exact.
COUNTED = 10_000

_INDEXED = frozenset(
    {
        "county_code",
        "grid_code",
        "community_code",
        "town_code",
        "team_id",
        "squad_id",
        "centre_id",
        "source_organization_id",
    }
)

# Scopes that hold few disputes in a county of any size; a set of people or organizations of a dispute (`Has`) is one, too.
_NARROW = frozenset({"grid_code", "team_id", "lead_mediator_id"})


class Ways:
    """The ways of one sight."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight

    def found(
        self,
        page: p.Page,
        source: Source,
        narrowed: Narrow,
        outer: Sequence[FromClause],
        same: FromClause | None,
        keys: tuple[p.Order, ...],
        wanted: Sql,
    ) -> FromClause:
        """The page's rows as a FROM element that ends with LIMIT, so that no node is built for a row that is not shown."""
        rows = self.sight.access.grant(source.name).rows

        def limited(statement: Select[Any], row: Row, walked: Keys) -> Select[Any]:
            clauses = [*narrowed(row), *within_cursors(source, walked, page, keys)]
            ordered = [direction(walked(key.field), key, page.slice.backward) for key in keys]
            return statement.where(*clauses).order_by(*ordered).limit(wanted)

        branches = (
            self.branches(source, rows)
            if not outer and page.order == tuple(p.Order(*key) for key in source.order)
            else None
        )
        if branches is None:
            row, at = self.sight.row(source, source.table.alias(), same)
            statement = limited(select(row.at).select_from(at).where(self.sight.where(rows, row)), row, row.__getitem__)
            return statement.correlate(*outer).subquery()
        # One ordered walk for each way in, merged: no plan has to choose between an index on the order and one on the scope.
        parts = [branch(limited) for branch in branches]
        # Distinct even if there is one way only: a claim that is a set may hold a value twice.
        union = (parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0].distinct()).subquery()
        at = source.table.alias()
        row = Row(source, at, at)
        ordered = [direction(row[key.field], key, page.slice.backward) for key in keys]
        return select(at).select_from(union.join(at, at.c.id == union.c.id)).order_by(*ordered).limit(wanted).subquery()

    def count(
        self,
        page: p.Page,
        source: Source,
        narrowed: Narrow,
        outer: Sequence[FromClause],
        same: FromClause | None,
        *,
        exact: bool,
    ) -> FromClause:
        """How many rows the list has, as a FROM element of one row: `total`, and whether that is `capped` at COUNTED."""
        rows = self.sight.access.grant(source.name).rows
        branches = self.branches(source, rows) if page.relation is None else None

        def bounded(statement: Select[Any]) -> Select[Any]:
            return statement if exact else statement.limit(literal_column(str(COUNTED + 1)))

        if branches is None:
            row, at = self.sight.row(source, source.table.alias(), same)
            found: Any = select(row["id"]).select_from(at).where(self.sight.where(rows, row), *narrowed(row))
            found = bounded(found).correlate(*outer)
        else:
            # If no way in alone goes beyond the bound, each is whole, and so is their union.
            parts = [branch(lambda statement, row, _: bounded(statement.where(*narrowed(row)))) for branch in branches]
            found = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0].distinct()
        total: Sql = func.count()
        most: Sql = literal_column(str(COUNTED))
        columns = (
            (total.label("total"), false().label("capped"))
            if exact
            else (func.least(total, most).label("total"), (total > most).label("capped"))
        )
        return select(*columns).select_from(found.subquery()).subquery()

    def ids(self, source: Source, rows: Predicate) -> Select[Any]:
        """The ids of the rows of a predicate, by whatever way in is best. For statistics."""
        branches = self.branches(source, rows)
        if branches is None:
            row, at = self.sight.row(source, source.table.alias())
            return select(row["id"].label("id")).select_from(at).where(self.sight.where(rows, row))
        parts = [branch(lambda statement, row, _: statement) for branch in branches]
        return parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0].distinct()  # type: ignore[return-value]

    def wide(self, source: Source) -> bool:
        """Whether the caller may see most of the rows: no way into them starts at one of a few scopes."""
        parts = disjuncts(self.sight.access.grant(source.name).rows)
        return not all(
            any(self._drives(source, one) and getattr(one, "attribute", "") != "county_code" for one in conjuncts(part))
            for part in parts
        )

    def narrow(self, source: Source) -> bool:
        """Whether the caller sees few rows however many there are: every way into them starts at a scope of people or of a grid."""
        rows = self.sight.access.grant(source.name).rows
        return (source.part or source.name == "Dispute") and all(
            any(isinstance(one, Has) or getattr(one, "attribute", None) in _NARROW for one in conjuncts(part))
            for part in disjuncts(rows)
        )

    def branches(self, source: Source, rows: Predicate) -> list[Branch] | None:
        """The ways into a union of scopes, each a select of ids that walks one index in page order; None if a plain WHERE is as good."""
        if source.name != "Dispute":
            return None
        parts = disjuncts(rows)
        found: list[Branch] = []
        plain = True
        for part in parts:
            driver = next((one for one in conjuncts(part) if self._drives(source, one)), None)
            if driver is None:
                return None
            plain = plain and isinstance(driver, Eq)
            found.append(self._branch(source, part, driver))
        return None if not found or (plain and len(found) == 1) else found

    @staticmethod
    def _drives(source: Source, part: Predicate) -> bool:
        match part:
            case Eq(attribute=name, value=ClaimRef()) | In(attribute=name):
                return name in _INDEXED
            case Has(attribute=name):
                return source.attributes[name].link is not None
        return False

    def _branch(self, source: Source, part: Predicate, driver: Predicate) -> Branch:
        rest = all_of(one for one in conjuncts(part) if one != driver)
        at = source.table.alias()
        row = Row(source, at, at)

        def direct(limited: Limit) -> Select[Any]:
            statement = select(at.c.id).select_from(at).where(self.sight.where(part, row))
            return select(limited(statement, row, row.__getitem__).subquery().c.id)

        def by_link(limited: Limit) -> Select[Any]:
            assert isinstance(driver, Has)
            link = source.attributes[driver.attribute].link
            assert link is not None
            via = link.table.alias()
            # The page keys are read from the link, so that the link's index gives the order.
            keys = {"id": via.c.dispute_id, "registered_at": via.c.dispute_registered_at}
            statement = (
                select(at.c.id)
                # One dispute may be linked twice to one value (an invitation and a report): each counts once, before the limit.
                .ext(distinct_on(keys["registered_at"], keys["id"]))
                .select_from(via.join(at, at.c.id == via.c.dispute_id))
                .where(via.c[link.key] == self.sight.claim(driver.claim), link.alive(via), self.sight.where(rest, row))
            )
            return select(limited(statement, row, keys.__getitem__).subquery().c.id)

        def by_each(limited: Limit) -> Select[Any]:
            assert isinstance(driver, In)
            each = func.unnest(self.sight.claim(driver.claim)).table_valued("value").render_derived()
            inner = limited(
                select(at.c.id)
                .select_from(at)
                .where(at.c[driver.attribute] == each.c.value, self.sight.where(rest, row)),
                row,
                row.__getitem__,
            ).correlate(each)
            walk = inner.lateral()
            return select(walk.c.id).select_from(each.join(walk, true()))

        return by_link if isinstance(driver, Has) else by_each if isinstance(driver, In) else direct
