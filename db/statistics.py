"""Figures of a period (domain formulas of the county's yearly report), over the visible disputes only, in one statement.

A zero denominator gives null. Outside the grant `count`, a number from 1 to 4, and a rate of or over so few, is null.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    FromClause,
    Numeric,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import Date, DateTime, Text

from db import plan as p
from db import tables as t
from db.catalog import SOURCES
from db.sight import Sight
from db.source import Row, Sql, today
from db.statement import JsonRow
from db.ways import Ways
from policies.predicate import implies

Columns = Callable[[str], Sql]

SMALL = 5


@dataclass(frozen=True)
class Figure:
    """`needs`: the fields (resource, field) it is computed from; `numerator` over `denominator` if it is a rate."""

    needs: tuple[tuple[str, str], ...]
    numerator: Callable[[Columns], Sql]
    denominator: Callable[[Columns], Sql] | None = None
    average: bool = False


def _count(*conditions: str) -> Callable[[Columns], Sql]:
    return lambda c: func.count().filter(and_(*(c(name) for name in conditions)))


def _sum(name: str, *conditions: str) -> Callable[[Columns], Sql]:
    return lambda c: func.coalesce(func.sum(c(name)).filter(and_(*(c(one) for one in conditions))), literal_column("0"))


def _total(*names: str) -> Callable[[Columns], Sql]:
    return lambda c: func.count().filter(and_(c("in_concluded"), or_(*(c(name) for name in names))))


_DAY = (("Dispute", "concluded_at"), ("Dispute", "accepted_at"), ("Dispute", "state"))
_AGREED = (*_DAY, ("Agreement", "state"), ("Agreement", "scope"), ("Agreement", "effective_on"))
_VISITED = (*_DAY, ("FollowUp", "done_at"))
_RATED = (*_VISITED, ("FollowUp", "satisfaction"))
_PERFORMED = (*_AGREED, ("Obligation", "state"), ("Obligation", "due_on"))

FIGURES: dict[str, Figure] = {
    "registered": Figure((("Dispute", "registered_at"),), _count("in_registered")),
    "accepted": Figure(_DAY, _count("in_accepted")),
    "concluded": Figure(_DAY, _count("in_concluded")),
    "resolved": Figure(_DAY, _count("resolved")),
    "agreed": Figure(_AGREED, _count("in_concluded", "agreed")),
    "failed": Figure(_DAY, _count("in_concluded", "failed")),
    "withdrawn": Figure(_DAY, _count("in_concluded", "withdrawn")),
    "followed_up": Figure(_VISITED, _count("resolved", "followed")),
    "follow_up_rate": Figure(_VISITED, _count("resolved", "followed"), _count("resolved")),
    "success_rate_of_accepted": Figure(_AGREED, _count("in_concluded", "agreed"), _count("in_accepted")),
    "success_rate_of_concluded": Figure(
        _AGREED, _count("in_concluded", "agreed"), _total("agreed", "partly_agreed", "failed", "withdrawn")
    ),
    "performance_rate": Figure(
        _PERFORMED, _sum("performed_agreements", "in_concluded"), _sum("due_agreements", "in_concluded")
    ),
    "ratings": Figure(_RATED, _sum("ratings", "resolved")),
    "satisfaction_rate": Figure(_RATED, _sum("good_ratings", "resolved"), _sum("ratings", "resolved")),
    "average_satisfaction": Figure(_RATED, _sum("rating_total", "resolved"), _sum("ratings", "resolved"), average=True),
    "average_days": Figure(_AGREED, _sum("days", "resolved"), _count("resolved", "has_days"), average=True),
    "median_days": Figure(_AGREED, lambda c: null(), _count("resolved", "has_days")),
    "rebound_rate": Figure(_DAY, _count("closed", "rebounded"), _count("closed")),
    "on_time_rate": Figure((*_DAY, ("Dispute", "due_on")), _count("in_concluded", "on_time"), _count("in_concluded")),
    "confirmed_rate": Figure(
        (*_AGREED, ("Confirmation", "result")),
        _count("in_concluded", "agreed", "confirmed"),
        _count("in_concluded", "agreed"),
    ),
    "local_rate": Figure((*_DAY, ("Referral", "kind")), _count("local"), _count("in_concluded")),
}

GROUPS: dict[str, tuple[str, str]] = {
    "TOWN": ("Dispute", "area"),
    "STATE": ("Dispute", "state"),
    "TIER": ("Dispute", "tier"),
    "SUB_CATEGORY": ("Dispute", "sub_category"),
    "SOURCE": ("Dispute", "source"),
    "MONTH": ("Dispute", "concluded_at"),
    "COMPOUND": ("Dispute", "compound"),
}


def statistics(sight: Sight, ways: Ways, item: p.Statistics) -> Sql:
    """One JSON object: the totals and, if grouped, the groups in order of their keys."""
    dispute = sight.access.grant("Dispute")
    exact = implies(dispute.rows, sight.access.grant("Dispute", "count").rows)
    base = _base(sight, ways, item)
    asked = dict.fromkeys(name for _, name in item.items if isinstance(name, str) and name != "typename")
    columns = [_figure(name, base, exact).label(name) for name in asked]
    totals = select(*columns).select_from(base).subquery() if columns else None
    members: list[tuple[str, Sql]] = []
    for key, what in item.items:
        if isinstance(what, p.Figures):
            members.append((key, _groups(sight, ways, item, what, exact)))
        elif what == "typename" or totals is None:
            members.append((key, literal_column("'Statistics'")))
        else:
            members.append((key, totals.c[what]))
    statement = select(JsonRow(members))
    return (statement.select_from(totals) if totals is not None else statement).scalar_subquery()


def _groups(sight: Sight, ways: Ways, item: p.Statistics, figures: p.Figures, exact: bool) -> Sql:
    if item.group_by is None:
        return literal_column("'[]'::json")
    base = _base(sight, ways, item)
    columns: list[Sql] = []
    for _, name in figures.items:
        if name == "typename":
            columns.append(literal_column("'StatisticsGroup'"))
        elif name == "key":
            columns.append(base.c.group_key)
        elif name == "label":
            columns.append(func.max(_label(item.group_by, base)))
        else:
            columns.append(_figure(name, base, exact))
    rows = (
        select(base.c.group_key, *(value.label(f"f{i}") for i, value in enumerate(columns)))
        .select_from(base)
        .where(base.c.group_key.is_not(None))
        .group_by(base.c.group_key)
        .subquery()
    )
    row = JsonRow([(key, rows.c[f"f{i}"]) for i, (key, _) in enumerate(figures.items)])
    listed = func.json_agg(aggregate_order_by(row, rows.c.group_key))
    return select(func.coalesce(listed, literal_column("'[]'::json"))).select_from(rows).scalar_subquery()


def _figure(name: str, base: FromClause, exact: bool) -> Sql:
    figure = FIGURES[name]

    def column(wanted: str) -> Sql:
        return base.c[wanted]

    if figure.denominator is None:
        number = figure.numerator(column)
        return number if exact else case((_small(number), null()), else_=number)
    below = figure.denominator(column)
    if name == "median_days":
        middle = func.percentile_cont(literal_column("0.5")).within_group(base.c.days).filter(base.c.resolved)
        value: Sql = func.round(cast(middle, Numeric), literal_column("1"))
    else:
        digits: Sql = literal_column("4" if not figure.average else "1" if name == "average_days" else "2")
        value = func.round(cast(figure.numerator(column), Numeric) / func.nullif(below, literal_column("0")), digits)
    if exact:
        return value
    # SECURITY: a rate times its denominator is the numerator, so a rate of a number too small to be told is not told either.
    untold = (
        _small(below)
        if figure.average or name == "median_days"
        else or_(_small(below), _small(figure.numerator(column)))
    )
    return case((untold, null()), else_=value)


def _small(number: Sql) -> Sql:
    return number.between(literal_column("1"), literal_column(str(SMALL - 1)))


def _label(group_by: str, base: FromClause) -> Sql:
    """What people call the group; codes are labelled by the schema's enums, so they stand as they are."""
    if group_by in ("TOWN", "COMPOUND"):
        table = t.area if group_by == "TOWN" else t.compound
        at = table.alias()
        key = at.c.code if group_by == "TOWN" else literal_column("'Compound:'").concat(cast(at.c.id, Text))
        return select(at.c.name).select_from(at).where(key == base.c.group_key).correlate(base).scalar_subquery()
    return base.c.group_key


def _group_key(group_by: str | None, row: Row) -> Sql:
    match group_by:
        case None:
            return literal_column("''")
        case "TOWN":
            return row["town_code"]
        case "COMPOUND":
            return literal_column("'Compound:'").concat(cast(row["compound_id"], Text))
        case "MONTH":
            return func.to_char(
                func.timezone(literal_column("'Asia/Shanghai'"), row["concluded_at"]), literal_column("'YYYY-MM'")
            )
    return row[group_by.lower()]


def _base(sight: Sight, ways: Ways, item: p.Statistics) -> FromClause:
    """One row for each visible dispute of the period with what the figures count. OFFSET 0: columns not asked for are not computed,
    and those asked for are computed once."""

    def within(instant: Sql) -> Sql:
        clauses: list[Sql] = [instant.is_not(None)]
        if item.since:
            clauses.append(instant >= _midnight(bindparam(f"{item.bind}_from", type_=Date())))
        if item.until:
            clauses.append(instant < _midnight(bindparam(f"{item.bind}_to", type_=Date()) + literal_column("1")))
        return and_(*clauses)

    source = SOURCES["Dispute"]
    at = t.dispute.alias()
    row = Row(source, at, at)

    def of_period(one: Row) -> list[Sql]:
        if not (item.since or item.until):
            return []
        return [or_(within(one["registered_at"]), within(one["accepted_at"]), within(one["concluded_at"]))]

    ids = ways.ids(source, of_period)
    agreed = _agreements(sight, row)
    concluded = and_(within(row["concluded_at"]), row["accepted_at"].is_not(None))
    resolved = and_(_in(row["state"], "PERFORMED", "CLOSED", "ARCHIVED"), concluded)
    days = agreed.c.effective_on - cast(func.timezone(literal_column("'Asia/Shanghai'"), row["accepted_at"]), Date)
    visits = _visits(sight, row)
    later = t.dispute.alias()
    rebounded = (
        select(literal_column("1"))
        .select_from(later)
        .where(
            later.c.previous_id == row["id"],
            sight.visible(Row(source, later, later)),
            later.c.registered_at <= row["closed_at"] + literal_column("interval '180 days'"),
        )
        .correlate(at)
        .exists()
    )
    court = sight.row(SOURCES["Confirmation"], t.confirmation.alias(), at)[0]
    confirmed = (
        select(literal_column("1"))
        .select_from(court.at)
        .where(court["dispute_id"] == row["id"], court["result"] == literal_column("'CONFIRMED'"), sight.visible(court))
        .correlate(at)
        .exists()
    )
    sent = sight.row(SOURCES["Referral"], t.referral.alias(), at)[0]
    sent_on = (
        select(literal_column("1"))
        .select_from(sent.at)
        .where(sent["dispute_id"] == row["id"], _in(sent["kind"], "COURT_REFERRAL", "TRANSFER"), sight.visible(sent))
        .correlate(at)
        .exists()
    )
    columns = {
        "group_key": _group_key(item.group_by, row),
        "in_registered": within(row["registered_at"]),
        "in_accepted": within(row["accepted_at"]),
        "in_concluded": concluded,
        "resolved": resolved,
        "agreed": _had(agreed, "full"),
        "partly_agreed": and_(~_had(agreed, "full"), _had(agreed, "partial")),
        "failed": row["state"] == literal_column("'FAILED'"),
        "withdrawn": and_(row["state"] == literal_column("'WITHDRAWN'"), row["accepted_at"].is_not(None)),
        "days": days,
        "has_days": days.is_not(None),
        "due_agreements": agreed.c.due,
        "performed_agreements": agreed.c.performed,
        "followed": visits.c.done > literal_column("0"),
        "ratings": visits.c.ratings,
        "good_ratings": visits.c.good,
        "rating_total": visits.c.total,
        "closed": and_(_in(row["state"], "CLOSED", "ARCHIVED"), concluded),
        "rebounded": rebounded,
        "confirmed": confirmed,
        "on_time": cast(func.timezone(literal_column("'Asia/Shanghai'"), row["concluded_at"]), Date) <= row["due_on"],
        "local": and_(resolved, ~sent_on),
    }
    return (
        select(*(value.label(name) for name, value in columns.items()))
        .select_from(at.join(agreed, true()).join(visits, true()))
        .where(row["id"].in_(ids))
        .offset(literal_column("0"))
        .subquery()
    )


def _agreements(sight: Sight, row: Row) -> FromClause:
    """The effective agreements of one dispute, summed up: when the first full one took effect, how many are due, how many performed."""
    agreement = sight.row(SOURCES["Agreement"], t.agreement.alias(), row.at)[0]
    obligation = sight.row(SOURCES["Obligation"], t.obligation.alias(), row.at)[0]
    own: Select[Any] = (
        select(
            func.max(obligation["due_on"]).label("last"),
            func.bool_and(_in(obligation["state"], "PERFORMED", "ENFORCED", "EXCUSED")).label("performed"),
        )
        .select_from(obligation.at)
        .where(obligation["agreement_id"] == agreement["id"], sight.visible(obligation))
        .correlate(agreement.at, row.at)
    )
    duties = own.lateral()
    full = agreement["scope"] == literal_column("'FULL'")
    due = duties.c.last < today()
    return (
        select(
            func.min(agreement["effective_on"]).filter(full).label("effective_on"),
            func.count().filter(full).label("full"),
            func.count().filter(~full).label("partial"),
            func.count().filter(due).label("due"),
            func.count().filter(and_(due, duties.c.performed)).label("performed"),
        )
        .select_from(agreement.at.join(duties, true()))
        .where(
            agreement["dispute_id"] == row["id"],
            _in(agreement["state"], "EFFECTIVE", "VARIED"),
            sight.visible(agreement),
        )
        .correlate(row.at)
        .lateral()
    )


def _visits(sight: Sight, row: Row) -> FromClause:
    """The completed follow-ups of one dispute, summed up."""
    visit = sight.row(SOURCES["FollowUp"], t.follow_up.alias(), row.at)[0]
    rating = visit["satisfaction"]
    return (
        select(
            func.count().label("done"),
            func.count(rating).label("ratings"),
            func.count().filter(rating >= literal_column("3")).label("good"),
            func.coalesce(func.sum(rating), literal_column("0")).label("total"),
        )
        .select_from(visit.at)
        .where(visit["dispute_id"] == row["id"], visit["done_at"].is_not(None), sight.visible(visit))
        .correlate(row.at)
        .lateral()
    )


def _had(agreed: FromClause, column: str) -> Sql:
    return agreed.c[column] > literal_column("0")


def _in(column: Sql, *values: str) -> Sql:
    return column.in_([literal_column(f"'{value}'") for value in values])


def _midnight(day: Sql) -> Sql:
    return func.timezone(literal_column("'Asia/Shanghai'"), cast(day, DateTime()))
