"""What the visible disputes of a period add to the figures, by group, from the sums that the database keeps (`db.tables.tally`).

The widest scope of a caller is read from the sums, with the changes that they lack and the days that no whole month covers; what else he
sees is added up from the tallies of those disputes. It decides nothing about visibility: it takes the row predicate apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    FromClause,
    Select,
    and_,
    bindparam,
    cast,
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
from db.resources.catalog import RESOURCES
from db.resources.resource import Resource, Row, Sql, today
from db.tables.tally import SCOPES
from policies.predicate import Always, ClaimRef, Eq, Never, Predicate, all_of, any_of, disjuncts, negate

# Days from the first on and before the last; None: without bound.
Span = tuple[Sql | None, Sql | None]

# Filters whose values are groups.
_GROUPED = frozenset({"state", "tier", "sub_category", "source"})
# Any kind of group adds up to the totals; this one has the fewest values.
_FEWEST = "TIER"
# Counted of every dispute at its day; the rest is measured of those that were concluded.
_COUNTED = frozenset({"registered", "accepted", "finished"})
_ZERO: Sql = literal_column("0")
_NONE: Sql = literal_column("NULL::bigint")


@dataclass(frozen=True)
class Wide:
    """A scope of which sums are kept: the disputes whose column is one of the claims; all disputes if there are none."""

    column: str
    claims: tuple[ClaimRef, ...]


def taken_apart(rows: Predicate) -> tuple[Wide | None, Predicate]:
    """The widest scope among the alternatives of a predicate, and the rows that lie outside it."""
    # SECURITY: only an alternative that is nothing but `scope = claim` is read from the sums; whatever says more goes by the rows.
    parts = disjuncts(rows)
    if Always() in parts:
        return Wide(SCOPES[0], ()), Never()
    for column in SCOPES:
        claims = {part: claim for part in parts if (claim := _claim(part, column)) is not None}
        if claims:
            # What is in the scope is not counted again among the others.
            outside = negate(any_of(claims))
            rest = any_of(all_of([part, outside]) for part in parts if part not in claims)
            return Wide(column, tuple(claims.values())), rest
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
    """The number of visible disputes, all or those with certain values of one field, where the sums tell it; None where rows must be counted."""
    if resource.name != "Dispute":
        return None
    wide, rest = taken_apart(visibility.access.grant("Dispute").rows)
    # What lies outside the sums is read row by row. Outside the county that is little; of the rows outside a narrower scope as many as
    # a count goes to are counted sooner along the indexes of their scopes.
    if wide is None or (rest != Never() and wide.column != SCOPES[0]):
        return None
    match conditions:
        case ():
            group_by = None
        case (p.Condition(operator="in", fields=(name,)),) if name in _GROUPED:
            group_by = name.upper()
        case _:
            return None
    everything = p.Statistics("", "", since=False, until=False, group_by=group_by, items=())
    tallies = Tallies(visibility, paths, everything).sums(["registered"], grouped=False)
    number = func.coalesce(func.sum(tallies.c.registered), _ZERO)
    asked = (tallies.c.key == func.any(bindparam(one.bind, type_=ARRAY(Text))) for one in conditions)
    return select(cast(number, BigInteger)).select_from(tallies).where(*asked).scalar_subquery()


class Tallies:
    """The sums of one question. `sums` and `spread` have one row a group (its key null for disputes of none) and days."""

    def __init__(self, visibility: Visibility, paths: AccessPaths, item: p.Statistics) -> None:
        self.visibility, self.paths, self.item = visibility, paths, item
        self.wide, self.rest = taken_apart(visibility.access.grant("Dispute").rows)
        self.period: Span = (self._at("start"), self._at("end"))

    def sums(self, wanted: Iterable[str], grouped: bool) -> CTE:
        """`key` and the wanted sums. `grouped`: also those that tell whether a group has anything in the period."""
        names = sorted({*wanted, *(_COUNTED if grouped else ())})
        plain = [name for name in names if name != "rebounded"]
        branches: list[Select[Any]] = []
        if self.wide is not None:
            years = self.item.group_by == "COMPOUND"
            edges = self._edges("year_head_end", "year_tail_start") if years else self._edges("head_end", "tail_start")
            whole = self._span("years") if years else self._span("months")
            branches.append(self._kept(plain, names, "YEAR", self._span("years")))
            if not years:
                around = self._edges("month_head_end", "year_tail_start", "months_start", "months_end")
                branches += [self._kept(plain, names, "MONTH", span) for span in around]
            change = t.tally_change.alias()
            branches.append(self._added(change, plain, names, [whole], self._lies_in(change)))
            if edges:
                tally = t.tally.alias()
                branches.append(self._added(tally, plain, names, edges, self._lies_in(tally)))
        if self.rest != Never():
            branches.append(self._added(self._others(), plain, names, [self.period], true()))
        if {"due", "performed"} & set(names):
            branches += self._not_due_yet(names)
        if "rebounded" in names:
            branches.append(self._rebounds(names))
        every = union_all(*(branches or [self._row(names, null(), {}).where(false())])).subquery()
        columns = [cast(func.coalesce(func.sum(every.c[name]), _ZERO), BigInteger).label(name) for name in names]
        return select(every.c.key, *columns).group_by(every.c.key).cte()

    def spread(self) -> CTE:
        """`key`, `days` and the `number` of disputes that were resolved in so many days."""
        branches: list[Select[Any]] = []

        def added(table: FromClause, number: Sql, spans: list[Span], where: Sql) -> None:
            key = self._key(table)
            statement = self._row(("days", "number"), key, {"days": table.c.days, "number": number})
            statement = statement.where(table.c.days.is_not(None), _within(spans, table.c.concluded_on), where)
            branches.append(statement.group_by(*self._by(key), table.c.days))

        if self.wide is not None:
            whole, around = self._span("years"), list[Span]()
            edges = self._edges("year_head_end", "year_tail_start")
            if self.item.group_by == "COMPOUND":
                # The days of compounds are not kept: they would be about as many as the disputes.
                edges = [self.period]
            else:
                # Of a county they are kept by the month too.
                if self.wide.column == SCOPES[0]:
                    whole, edges = self._span("months"), self._edges("head_end", "tail_start")
                    around = self._edges("month_head_end", "year_tail_start", "months_start", "months_end")
                for grain, span in (("YEAR", self._span("years")), *(("MONTH", one) for one in around)):
                    kept = t.tally_days.alias()
                    row = self._row(
                        ("days", "number"), self._kept_key(kept), {"days": kept.c.days, "number": kept.c.number}
                    )
                    branches.append(row.where(*self._kept_in(kept, grain, span)))
                change = t.tally_change.alias()
                added(change, func.sum(change.c.weight), [whole], self._lies_in(change))
            if edges:
                tally = t.tally.alias()
                added(tally, func.count(), edges, self._lies_in(tally))
        if self.rest != Never():
            added(self._others(), func.count(), [self.period], true())
        every = union_all(*(branches or [self._row(("days", "number"), null(), {}).where(false())])).subquery()
        number = cast(func.sum(every.c.number), BigInteger).label("number")
        return select(every.c.key, every.c.days, number).group_by(every.c.key, every.c.days).cte()

    # -- the period

    def _at(self, bound: str) -> Sql | None:
        known = (OF_FIRST if self.item.since else ()) + (OF_LAST if self.item.until else ())
        return bindparam(f"{self.item.bind}_{bound}", type_=Date()) if bound in known else None

    def _span(self, name: str) -> Span:
        return self._at(f"{name}_start"), self._at(f"{name}_end")

    def _edges(self, head_end: str, tail_start: str, start: str = "start", end: str = "end") -> list[Span]:
        spans = ((self._at(start), self._at(head_end)), (self._at(tail_start), self._at(end)))
        return [span for span in spans if not _is_open(span)]

    # -- where from

    def _row(self, names: Sequence[str], key: Sql, columns: Mapping[str, Sql]) -> Select[Any]:
        """One branch: every branch has all the columns."""
        return select(key.label("key"), *(columns.get(name, _NONE).label(name) for name in names))

    def _kept(self, plain: list[str], names: list[str], grain: str, span: Span) -> Select[Any]:
        """The sums of whole months or years."""
        kept = t.tally_sum.alias()
        key = self._kept_key(kept)
        row = self._row(names, key, {name: func.sum(kept.c[name]) for name in plain})
        return row.where(*self._kept_in(kept, grain, span)).group_by(*self._by(key))

    def _added(
        self, table: FromClause, plain: list[str], names: list[str], spans: list[Span], where: Sql
    ) -> Select[Any]:
        """The sums of tallies, or of changes with their weight, as far as their days lie in the spans."""
        key, weight = self._key(table), table.c.weight if "weight" in table.c else None
        columns: dict[str, Sql] = {}
        for name in plain:
            clauses = [_within(spans, table.c[_day_of(name)])]
            one: Sql = literal_column("1") if weight is None else weight
            if name == "dated":
                clauses.append(table.c.days.is_not(None))
            elif name not in _COUNTED:
                one = table.c[name] if weight is None else weight * table.c[name]
            columns[name] = func.sum(one).filter(and_(*clauses))
        statement = self._row(names, key, columns).select_from(table).where(where)
        if weight is None and not any(map(_is_open, spans)):
            # Each day has its index.
            statement = statement.where(
                or_(*(_within(spans, table.c[day]) for day in sorted({_day_of(name) for name in plain})))
            )
        return statement.group_by(*self._by(key))

    def _not_due_yet(self, names: list[str]) -> list[Select[Any]]:
        """What is to be taken off: agreements whose last day has not passed. They are few; those of the past are many."""
        found = []
        kept = t.tally.alias()
        sides: list[tuple[FromClause, Sql]] = [(kept, self._lies_in(kept))] if self.wide is not None else []
        if self.rest != Never():
            sides.append((self._others(), true()))
        for tally, lies in sides:
            key = self._key(tally)
            columns: dict[str, Sql] = {}
            for name, days in (("due", tally.c.due_days), ("performed", tally.c.kept_days)):
                one = func.unnest(days).table_valued("day").render_derived()
                later = (
                    select(func.count()).select_from(one).where(one.c.day >= today()).correlate(tally).scalar_subquery()
                )
                columns[name] = -func.sum(later)
            statement = self._row(names, key, columns).where(
                tally.c.due_on >= today(), _within([self.period], tally.c.concluded_on), lies
            )
            found.append(statement.group_by(*self._by(key)))
        return found

    def _rebounds(self, names: list[str]) -> Select[Any]:
        """The closed disputes that came back within 180 days, both ends visible: from those that came back, which are few."""
        dispute = RESOURCES["Dispute"]
        later, earlier, tally = t.dispute.alias(), t.dispute.alias(), t.tally.alias()
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

    def _lies_in(self, table: FromClause) -> Sql:
        """Whether a tally lies in the wide scope."""
        assert self.wide is not None
        if not self.wide.claims:
            return true()
        claims = [self.visibility.claim(one) for one in self.wide.claims]
        column = table.c[self.wide.column]
        return column == claims[0] if len(claims) == 1 else column == func.any(array(claims))

    def _kept_in(self, kept: FromClause, grain: str, span: Span) -> list[Sql]:
        assert self.wide is not None
        clauses = [
            kept.c.scope_kind == _word(self.wide.column),
            kept.c.group_kind == _word(self.item.group_by or _FEWEST),
            kept.c.grain == _word(grain),
        ]
        claims = [cast(self.visibility.claim(one), Text) for one in self.wide.claims]
        if claims:
            clauses.append(kept.c.scope == claims[0] if len(claims) == 1 else kept.c.scope == func.any(array(claims)))
        return clauses if _is_open(span) else [*clauses, _within([span], kept.c.starts_on)]

    def _others(self) -> FromClause:
        """The tallies of the disputes that are visible outside the wide scope, read once for all statistics of a query."""
        if self.rest not in self.paths.tallies:
            tally = t.tally.alias()
            outside = tally.c.dispute_id.in_(self.paths.ids(RESOURCES["Dispute"], self.rest))
            self.paths.tallies[self.rest] = select(tally).where(outside).cte()
        return self.paths.tallies[self.rest].alias()

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

    def _kept_key(self, kept: FromClause) -> Sql:
        return (
            literal_column("''")
            if self.item.group_by is None
            else func.nullif(kept.c.group_value, literal_column("''"))
        )


def name_of(group_by: str, key: Sql, outer: FromClause) -> tuple[Sql, Sql]:
    """The key of a group as it is told, and what people call it; codes are labelled by the schema's enums, so they stand as they are."""
    if group_by not in ("TOWN", "COMPOUND"):
        return key, key
    at = (t.area if group_by == "TOWN" else t.compound).alias()
    found = at.c.code == key if group_by == "TOWN" else at.c.id == cast(key, Uuid())
    label = select(at.c.name).select_from(at).where(found).correlate(outer).scalar_subquery()
    return key if group_by == "TOWN" else literal_column("'Compound:'").concat(key), label


def _is_open(span: Span) -> bool:
    return span[0] is None and span[1] is None


def _within(spans: list[Span], day: Sql) -> Sql:
    """Whether the day is known and in one of the spans."""
    found = []
    for first, end in spans:
        clauses = [*([] if first is None else [day >= first]), *([] if end is None else [day < end])]
        found.append(and_(*clauses) if clauses else day.is_not(None))
    return or_(*found)


def _day_of(name: str) -> str:
    return {"registered": "registered_on", "accepted": "accepted_on"}.get(name, "concluded_on")


def _word(word: str) -> Sql:
    return literal_column(f"'{word}'")
