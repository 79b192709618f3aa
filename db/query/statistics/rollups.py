"""The sums behind the metrics of the visible disputes of a period, by group, from rollups where there are any.

The widest scope of a caller is read from the rollups, with the changes that they lack and, for the days that no whole month covers, the
measures of single disputes; what else the caller sees is summed from the measures of those disputes. The tables are those of
`db.tables.tally`. It decides nothing about visibility: it splits the row predicate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.types import Date, DateTime, Text, Uuid

from db import tables as t
from db.query import plan as p
from db.query.access_paths import AccessPaths
from db.query.statistics.period import OF_FIRST, OF_LAST
from db.query.visibility import Visibility
from db.resources.aliases import alias
from db.resources.catalog import RESOURCES
from db.resources.resource import Resource, Row, Sql, today
from db.tables.tally import SCOPES
from policies.predicate import Always, ClaimRef, Eq, Never, Predicate, all_of, any_of, disjuncts, negate

# The days from the first on and before the second; None: without that bound.
Span = tuple[Sql | None, Sql | None]

# Filters whose values are groups.
_GROUPED = frozenset({"state", "tier", "sub_category", "source"})
# The groups of any kind sum up to the totals; this kind has the fewest.
_FEWEST_GROUPS = "TIER"
# Counted of every dispute at its day; the rest is measured of those that were concluded.
COUNTED = frozenset({"registered", "accepted", "finished"})
# Sums that are read from rows of their own beside those of the others, by what these rows are.
BRANCHED = {"due": "not due yet", "performed": "not due yet", "rebounded": "rebounds"}
_ZERO: Sql = literal_column("0")
_NONE: Sql = literal_column("NULL::bigint")


@dataclass(frozen=True)
class RollupScope:
    """A scope that has rollups: the disputes whose column is one of the claims; all disputes if there are none."""

    column: str
    claims: tuple[ClaimRef, ...]


def split_scope(rows: Predicate) -> tuple[RollupScope | None, Predicate]:
    """The widest scope among the alternatives of a predicate, and the rows that lie outside it."""
    # SECURITY: only an alternative that is nothing but `scope = claim` is read from the rollups; whatever says more goes by the rows.
    parts = disjuncts(rows)
    if Always() in parts:
        return RollupScope(SCOPES[0], ()), Never()
    for column in SCOPES:
        claims = {part: claim for part in parts if (claim := _claim(part, column)) is not None}
        if claims:
            # What is in the scope is not counted again outside of it.
            outside = negate(any_of(claims))
            remainder = any_of(all_of([part, outside]) for part in parts if part not in claims)
            return RollupScope(column, tuple(claims.values())), remainder
    return None, rows


def _claim(part: Predicate, column: str) -> ClaimRef | None:
    """The claim that the column must equal, if that is all that the part says."""
    match part:
        case Eq(attribute=attribute, value=ClaimRef() as claim) if attribute == column:
            return claim
    return None


def exact_count(
    visibility: Visibility, paths: AccessPaths, resource: Resource, conditions: Sequence[p.Condition] = ()
) -> Sql | None:
    """The number of visible disputes, all or those with certain values of one field, where rollups give it;
    None where rows must be counted."""
    if resource.name != "Dispute":
        return None
    scope, remainder = split_scope(visibility.access.grant("Dispute").rows)
    # What lies outside the rollups is read row by row. Outside the county that is little; of the rows outside a narrower scope as many as
    # a count goes to are counted sooner along the indexes of their scopes.
    if scope is None or (remainder != Never() and scope.column != SCOPES[0]):
        return None
    match conditions:
        case ():
            group_by = None
        case (p.Condition(operator="in", fields=(name,)),) if name in _GROUPED:
            group_by = name.upper()
        case _:
            return None
    everything = p.Statistics("", "", since=False, until=False, group_by=group_by, items=())
    sums = MetricSums(visibility, paths, everything).sums(["registered"]).cte()
    number = func.coalesce(func.sum(sums.c.registered), _ZERO)
    groups = (sums.c.key == func.any(bindparam(one.bind, type_=ARRAY(Text))) for one in conditions)
    return select(cast(number, BigInteger)).select_from(sums).where(*groups).scalar_subquery()


# A column of a SELECT by its name and its value.
Column = Callable[[str, Sql], ColumnElement[Any]]


def _labelled(name: str, value: Sql) -> ColumnElement[Any]:
    return value.label(name)


class MetricSums:
    """The sums of one `statistics` field.

    `sums` has one row a group, `histogram` one a group and number of days; the key is null for disputes of no group, and one constant where
    there is no grouping. `column`: makes the column of a sum.
    """

    def __init__(
        self, visibility: Visibility, paths: AccessPaths, item: p.Statistics, column: Column = _labelled
    ) -> None:
        self.visibility, self.paths, self.item, self._column = visibility, paths, item, column
        self.scope, self.remainder = split_scope(visibility.access.grant("Dispute").rows)
        self.period: Span = (self._at("start"), self._at("end"))

    def sums(self, wanted: Iterable[str]) -> Select[Any]:
        """`key` and the wanted sums."""
        names = sorted(wanted)
        plain = [name for name in names if name != "rebounded"]
        branches: list[Select[Any]] = []
        if self.scope is not None:
            years = self.item.group_by == "COMPOUND"
            edges = self._edges("year_head_end", "year_tail_start") if years else self._edges("head_end", "tail_start")
            whole = self._span("years") if years else self._span("months")
            branches.append(self._rolled_up(plain, names, "YEAR", self._span("years")))
            if not years:
                around = self._edges("month_head_end", "year_tail_start", "months_start", "months_end")
                branches += [self._rolled_up(plain, names, "MONTH", span) for span in around]
            change = alias(t.tally_change)
            branches.append(self._aggregated(change, plain, names, [whole], self._in_scope(change)))
            if edges:
                tally = alias(t.tally)
                branches.append(self._aggregated(tally, plain, names, edges, self._in_scope(tally)))
        if self.remainder != Never():
            branches.append(self._aggregated(self._outside_scope(), plain, names, [self.period], true()))
        branched = {BRANCHED.get(name) for name in names}
        if "not due yet" in branched:
            branches += self._not_due_yet(names)
        if "rebounds" in branched:
            branches.append(self._rebounds(names))
        every = union_all(*(branches or [self._row(names, null(), {}).where(false())])).subquery()
        total = {name: cast(func.coalesce(func.sum(every.c[name]), _ZERO), BigInteger) for name in names}
        return self._row(names, every.c.key, total).group_by(every.c.key)

    def histogram(self) -> Select[Any]:
        """`key`, `days` and the `number` of disputes that were resolved in so many days."""
        branches: list[Select[Any]] = []

        def added(table: FromClause, number: Sql, spans: list[Span], where: Sql) -> None:
            key = self._key(table)
            statement = self._row(("days", "number"), key, {"days": table.c.days, "number": number})
            statement = statement.where(table.c.days.is_not(None), _within(spans, table.c.concluded_on), where)
            branches.append(statement.group_by(*self._by(key), table.c.days))

        if self.scope is not None:
            whole, around = self._span("years"), list[Span]()
            edges = self._edges("year_head_end", "year_tail_start")
            if self.item.group_by == "COMPOUND":
                # The days of compounds have no rollups: there would be about as many as disputes.
                edges = [self.period]
            else:
                # Those of a county have rollups by the month too.
                if self.scope.column == SCOPES[0]:
                    whole, edges = self._span("months"), self._edges("head_end", "tail_start")
                    around = self._edges("month_head_end", "year_tail_start", "months_start", "months_end")
                for grain, span in (("YEAR", self._span("years")), *(("MONTH", one) for one in around)):
                    rollup = alias(t.tally_days)
                    row = self._row(
                        ("days", "number"), self._rollup_key(rollup), {"days": rollup.c.days, "number": rollup.c.number}
                    )
                    branches.append(row.where(*self._rollup_clauses(rollup, grain, span)))
                change = alias(t.tally_change)
                added(change, func.sum(change.c.weight), [whole], self._in_scope(change))
            if edges:
                tally = alias(t.tally)
                added(tally, func.count(), edges, self._in_scope(tally))
        if self.remainder != Never():
            added(self._outside_scope(), func.count(), [self.period], true())
        every = union_all(*(branches or [self._row(("days", "number"), null(), {}).where(false())])).subquery()
        number = cast(func.sum(every.c.number), BigInteger).label("number")
        return select(every.c.key, every.c.days, number).group_by(every.c.key, every.c.days)

    # -- the period

    def _at(self, bound: str) -> Sql | None:
        bounds = (OF_FIRST if self.item.since else ()) + (OF_LAST if self.item.until else ())
        return bindparam(f"{self.item.bind}_{bound}", type_=Date()) if bound in bounds else None

    def _span(self, name: str) -> Span:
        return self._at(f"{name}_start"), self._at(f"{name}_end")

    def _edges(self, head_end: str, tail_start: str, start: str = "start", end: str = "end") -> list[Span]:
        spans = ((self._at(start), self._at(head_end)), (self._at(tail_start), self._at(end)))
        return [span for span in spans if not _is_open(span)]

    # -- the branches of a sum

    def _row(self, names: Sequence[str], key: Sql, columns: Mapping[str, Sql]) -> Select[Any]:
        """One branch of the union: every branch has all columns."""
        return select(key.label("key"), *(self._column(name, columns.get(name, _NONE)) for name in names))

    def _rolled_up(self, plain: list[str], names: list[str], grain: str, span: Span) -> Select[Any]:
        """The sums of whole months or years, from rollups."""
        rollup = alias(t.tally_sum)
        key = self._rollup_key(rollup)
        row = self._row(names, key, {name: func.sum(rollup.c[name]) for name in plain})
        return row.where(*self._rollup_clauses(rollup, grain, span)).group_by(*self._by(key))

    def _aggregated(
        self, table: FromClause, plain: list[str], names: list[str], spans: list[Span], where: Sql
    ) -> Select[Any]:
        """The sums of measures, or of changes with their weight, as far as their days lie in the spans."""
        key, weight = self._key(table), table.c.weight if "weight" in table.c else None
        columns: dict[str, Sql] = {}
        for name in plain:
            clauses = [_within(spans, table.c[day_of(name)])]
            one: Sql = literal_column("1") if weight is None else weight
            if name == "dated":
                clauses.append(table.c.days.is_not(None))
            elif name not in COUNTED:
                one = table.c[name] if weight is None else weight * table.c[name]
            columns[name] = func.sum(one).filter(and_(*clauses))
        statement = self._row(names, key, columns).select_from(table).where(where)
        if weight is None and not any(map(_is_open, spans)):
            # Each day has its index.
            statement = statement.where(
                or_(*(_within(spans, table.c[day]) for day in sorted({day_of(name) for name in plain})))
            )
        return statement.group_by(*self._by(key))

    def _not_due_yet(self, names: list[str]) -> list[Select[Any]]:
        """What is to be subtracted: agreements whose last day has not passed. They are few; those of the past are many."""
        branches = []
        inside = alias(t.tally)
        sides: list[tuple[FromClause, Sql]] = [(inside, self._in_scope(inside))] if self.scope is not None else []
        if self.remainder != Never():
            sides.append((self._outside_scope(), true()))
        for tally, where in sides:
            key = self._key(tally)
            columns: dict[str, Sql] = {}
            for name, days in (("due", tally.c.due_days), ("performed", tally.c.kept_days)):
                one = func.unnest(days).table_valued("day").render_derived()
                later = (
                    select(func.count()).select_from(one).where(one.c.day >= today()).correlate(tally).scalar_subquery()
                )
                columns[name] = -func.sum(later)
            statement = self._row(names, key, columns).where(
                tally.c.due_on >= today(), _within([self.period], tally.c.concluded_on), where
            )
            branches.append(statement.group_by(*self._by(key)))
        return branches

    def _rebounds(self, names: list[str]) -> Select[Any]:
        """The closed disputes that came back within 180 days, both ends visible: from those that came back, which are few."""
        dispute = RESOURCES["Dispute"]
        later, earlier, tally = alias(t.dispute), alias(t.dispute), alias(t.tally)
        again = (
            select(later.c.previous_id, func.min(later.c.registered_at).label("registered_at"))
            .where(later.c.previous_id.is_not(None), self.visibility.visible(Row(dispute, later, later)))
            .group_by(later.c.previous_id)
            .subquery()
        )
        key = self._key(tally)
        ends = again.join(earlier, earlier.c.id == again.c.previous_id).join(tally, tally.c.dispute_id == earlier.c.id)
        statement = (
            self._row(names, key, {"rebounded": func.count()})
            .select_from(ends)
            .where(
                again.c.registered_at <= earlier.c.closed_at + literal_column("interval '180 days'"),
                tally.c.closed == literal_column("1"),
                _within([self.period], tally.c.concluded_on),
                self.visibility.visible(Row(dispute, earlier, earlier)),
            )
        )
        return statement.group_by(*self._by(key))

    # -- which disputes, and which group

    def _in_scope(self, table: FromClause) -> Sql:
        """Whether the dispute of a row of measures or changes lies in the scope of the rollups."""
        assert self.scope is not None
        if not self.scope.claims:
            return true()
        claims = [self.visibility.claim(one) for one in self.scope.claims]
        column = table.c[self.scope.column]
        return column == claims[0] if len(claims) == 1 else column == func.any(array(claims))

    def _rollup_clauses(self, rollup: FromClause, grain: str, span: Span) -> list[Sql]:
        assert self.scope is not None
        clauses = [
            rollup.c.scope_kind == _word(self.scope.column),
            rollup.c.group_kind == _word(self.item.group_by or _FEWEST_GROUPS),
            rollup.c.grain == _word(grain),
        ]
        claims = [cast(self.visibility.claim(one), Text) for one in self.scope.claims]
        if claims:
            clauses.append(
                rollup.c.scope == claims[0] if len(claims) == 1 else rollup.c.scope == func.any(array(claims))
            )
        return clauses if _is_open(span) else [*clauses, _within([span], rollup.c.starts_on)]

    def _outside_scope(self) -> FromClause:
        """The measures of the disputes that are visible outside that scope, read once for all statistics of a query."""
        if self.remainder not in self.paths.measures:
            tally = alias(t.tally)
            outside = tally.c.dispute_id.in_(self.paths.ids(RESOURCES["Dispute"], self.remainder))
            self.paths.measures[self.remainder] = select(tally).where(outside).cte()
        return self.paths.measures[self.remainder].alias()

    def _key(self, table: FromClause) -> Sql:
        match self.item.group_by:
            case None:
                return literal_column("''")
            case "TOWN":
                return table.c.town_code
            case "COMPOUND":
                return cast(table.c.compound_id, Text)
            case "MONTH":
                return func.to_char(cast(table.c.concluded_on, DateTime()), literal_column("'YYYY-MM'"))
        return table.c[self.item.group_by.lower()]

    def _by(self, key: Sql) -> list[Sql]:
        """The key, if there is one to group by."""
        return [] if self.item.group_by is None else [key]

    def _rollup_key(self, rollup: FromClause) -> Sql:
        return (
            literal_column("''")
            if self.item.group_by is None
            else func.nullif(rollup.c.group_value, literal_column("''"))
        )


def group_label(visibility: Visibility, item: p.Statistics, key: Sql, outer: FromClause) -> tuple[Sql, Sql, Sql]:
    """The key of a group in the answer, its name (a month is its own), and whether it is listed.

    SECURITY: a town or compound that the caller does not see names no group: its disputes are listed in none.
    """
    group_by = item.group_by
    if group_by not in ("TOWN", "COMPOUND"):
        branches: list[tuple[Sql, Sql]] = [
            (key == literal_column(f"'{code}'"), literal_column(f"'{label}'")) for code, label in item.labels
        ]
        return key, case(*branches, else_=key) if branches else key, true()
    resource = RESOURCES["Area" if group_by == "TOWN" else "Compound"]
    row, at = visibility.row(resource, resource.table.alias())
    same = row["code"] == key if group_by == "TOWN" else row["id"] == cast(key, Uuid())
    of_key: Select[Any] = (
        select(literal_column("1")).select_from(at).where(same, visibility.visible(row)).correlate(outer)
    )
    label = select(visibility.shown(row, "name")).select_from(at).where(same, visibility.visible(row)).correlate(outer)
    listed = true() if visibility.visible(row).compare(true()) else exists(of_key)
    return key if group_by == "TOWN" else literal_column("'Compound:'").concat(key), label.scalar_subquery(), listed


def _is_open(span: Span) -> bool:
    return span[0] is None and span[1] is None


def _within(spans: list[Span], day: Sql) -> Sql:
    """Whether the day is not null and in one of the spans."""
    inside = []
    for first, end in spans:
        clauses = [*([] if first is None else [day >= first]), *([] if end is None else [day < end])]
        inside.append(and_(*clauses) if clauses else day.is_not(None))
    return or_(*inside)


def day_of(name: str) -> str:
    return {"registered": "registered_on", "accepted": "accepted_on"}.get(name, "concluded_on")


def _word(word: str) -> Sql:
    return literal_column(f"'{word}'")
