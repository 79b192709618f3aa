"""The clocks of a dispute in SQL: name, last day and state, computed at every read and never stored.

SECURITY: a clock shows only where the caller reads the fields that it is computed from, on rows that they see, and where they see whatever
rows may stop it: what they do not see neither stops it nor leaves it running.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, cast, exists, func, literal_column, or_, select, union_all
from sqlalchemy.types import Date

from db import tables as t
from db.calendar import COUNTY_ZONE
from db.query import plan as p
from db.query.fragment import Fragment, compile_fragment
from db.query.place import Place, Writer
from db.query.statement_text import json_row, or_empty
from db.query.visibility import Visibility, scope_of
from db.resources.aliases import alias, shared_aliases
from db.resources.catalog import RESOURCES
from db.resources.resource import Row, Sql, is_in, today
from db.tables.agreement import IN_FORCE_STATES
from db.tables.dispute import (
    BEFORE_AGREEMENT_STATES,
    ENDED_STATES,
    UNDER_MEDIATION_STATES,
    UNDER_PERFORMANCE_STATES,
)

CLOCKS = ("FIRST_CONTACT", "MEDIATION_MONTH", "CONFIRMATION", "TIER", "FOLLOW_UP")
CLOCK_STATES = ("RUNNING", "DUE_SOON", "OVERDUE", "DONE")

# House rules, in days, where the session sets no others (`db.postgres.session`): no law sets a time to a tier (domain 4.3).
TIER_DAYS = {"TEAM": 7, "SQUAD": 10, "CENTRE": 30}
FIRST_CONTACT_HOURS, FIRST_CONTACT_SOON_HOURS = 24, 6
SOON_DAYS = {"MEDIATION_MONTH": 3, "CONFIRMATION": 7, "TIER": 2, "FOLLOW_UP": 3}


def tier_setting(tier: str) -> str:
    """The setting of a session that has the days of a tier."""
    return f"sanlian.tier_days_{tier.lower()}"


def _tier_days(tier: str, days: int) -> Sql:
    """The days of a tier: those of the session, or these."""
    name = tier_setting(tier)
    return literal_column(f"coalesce(nullif(current_setting('{name}', true), '')::int, {days})")


def clocks(writer: Writer, place: Place, item: p.Clocks) -> str:
    """The clocks of a dispute as a JSON list, in the order of CLOCKS. `item`: what is selected of each."""

    def compiled() -> Fragment:
        with shared_aliases():
            row, visibility = writer.row(place), writer.visibility
            every = union_all(*(clock(visibility, row) for clock in _EVERY))
            return compile_fragment({"": every}, *scope_of(row))

    every = writer.text.take(writer.fragment((place.context, "clocks"), compiled), place.slots)[""]
    clock = writer.text.name("clock")
    one = json_row([(key, "'Clock'" if name == "typename" else f"{clock}.{name}") for key, name in item.items])
    listed = or_empty(f"json_agg({one} ORDER BY {clock}.place, {clock}.due_on, {clock}.state)")
    return f"(SELECT {listed} FROM ({every}) AS {clock})"  # noqa: S608  made of compiled expressions


def _columns(name: str, due_on: Sql, state: Sql) -> list[ColumnElement[Any]]:
    """The columns of one clock in the union of all."""
    return [
        literal_column(str(CLOCKS.index(name))).label("place"),
        literal_column(f"'{name}'").label("name"),
        due_on.label("due_on"),
        state.label("state"),
    ]


def _state(name: str, due_on: Sql, done: Sql) -> Sql:
    """The state of a clock that runs to the end of a day."""
    soon: Sql = literal_column(str(SOON_DAYS[name]))
    return case(
        (done, literal_column("'DONE'")),
        (due_on < today(), literal_column("'OVERDUE'")),
        (due_on - soon <= today(), literal_column("'DUE_SOON'")),
        else_=literal_column("'RUNNING'"),
    )


def _day(moment: Sql) -> Sql:
    """The day of an instant in the county."""
    return cast(func.timezone(literal_column(f"'{COUNTY_ZONE}'"), moment), Date)


def _reads(visibility: Visibility, row: Row, *fields: str) -> Sql:
    """SECURITY: whether the caller reads all of the fields in clear."""
    return and_(*(visibility.clear(row, name) for name in fields))


def _some(visibility: Visibility, row: Row, part: str, *on: Callable[[Row], Sql]) -> Sql:
    """SECURITY: whether the dispute has a row of a part that the caller sees. `on`: what else must hold of it."""
    one, at = visibility.row(RESOURCES[part], alias(RESOURCES[part].table), row.at, visibility.dispute_predicate(row))
    clauses = [one["dispute_id"] == row["id"], visibility.visible(one), *(condition(one) for condition in on)]
    return exists(select(literal_column("1")).select_from(at).where(*clauses).correlate_except(one.at))


def _first_contact(visibility: Visibility, row: Row) -> Select[Any]:
    """A supply that was cut: the service acts within a day of the registration.

    What was done about the supply is what counts first; a session or a visit stops the clock for those who see it.
    """
    due = row["registered_at"] + literal_column(f"interval '{FIRST_CONTACT_HOURS} hours'")
    acted = [_some(visibility, row, part) for part in ("Measure", "Session", "Visit")]
    now: Sql = literal_column("now()")
    state = case(
        (or_(is_in(row["state"], *ENDED_STATES), *acted), literal_column("'DONE'")),
        (due < now, literal_column("'OVERDUE'")),
        (due - literal_column(f"interval '{FIRST_CONTACT_SOON_HOURS} hours'") <= now, literal_column("'DUE_SOON'")),
        else_=literal_column("'RUNNING'"),
    )
    cut = or_(row["utility_cut"].is_not(None), row["sub_category"] == literal_column("'P02'"))
    readable = and_(
        _reads(visibility, row, "utility_cut", "sub_category", "registered_at", "state"),
        visibility.sees_every(row, "Measure", visibility.dispute_predicate(row)),
    )
    return select(*_columns("FIRST_CONTACT", _day(due), state)).where(cut, readable).correlate(row.at)


def _month(visibility: Visibility, row: Row) -> Select[Any]:
    """The month of mediation with its extensions (人民调解工作若干规定 Art. 33)."""
    done = ~is_in(row["state"], *UNDER_MEDIATION_STATES)
    return (
        select(*_columns("MEDIATION_MONTH", row["due_on"], _state("MEDIATION_MONTH", row["due_on"], done)))
        .where(row["due_on"].is_not(None), _reads(visibility, row, "due_on", "state"))
        .correlate(row.at)
    )


def _confirmation(visibility: Visibility, row: Row) -> Select[Any]:
    """The window to apply jointly for confirmation (人民调解法 Art. 33), of each agreement in force."""
    agreement, at = visibility.row(RESOURCES["Agreement"], alias(t.agreement), row.at)
    applied = _some(visibility, row, "Confirmation", lambda one: one["agreement_id"] == agreement["id"])
    done = or_(~is_in(row["state"], *UNDER_PERFORMANCE_STATES), applied)
    due = agreement["confirm_by_on"]
    return (
        select(*_columns("CONFIRMATION", due, _state("CONFIRMATION", due, done)))
        .select_from(at)
        .where(
            agreement["dispute_id"] == row["id"],
            is_in(agreement["state"], *IN_FORCE_STATES),
            due.is_not(None),
            visibility.visible(agreement),
            _reads(visibility, agreement, "state", "confirm_by_on"),
            _reads(visibility, row, "state"),
            visibility.sees_every(row, "Confirmation", visibility.dispute_predicate(row)),
        )
        .correlate(row.at)
    )


def _tier(visibility: Visibility, row: Row) -> Select[Any]:
    """The time that the tier has which now holds the case: the team from acceptance, the others from the day on which they took it over."""
    escalation, at = visibility.row(RESOURCES["Escalation"], alias(t.escalation), row.at)
    taken_over_at = (
        select(func.max(escalation["answered_at"]))
        .select_from(at)
        .where(
            escalation["dispute_id"] == row["id"],
            escalation["to_tier"] == row["tier"],
            is_in(escalation["state"], "TAKEN"),
            visibility.visible(escalation),
            _reads(visibility, escalation, "state", "to_tier", "answered_at"),
        )
        .correlate(row.at)
        .scalar_subquery()
    )
    own = func.coalesce(row["accepted_at"], row["registered_at"])
    since = case((is_in(row["tier"], "TEAM"), own), else_=taken_over_at)
    days = case(
        *((is_in(row["tier"], tier), _tier_days(tier, count)) for tier, count in TIER_DAYS.items()),
        else_=literal_column("0"),
    )
    due = _day(since) + days
    done = ~is_in(row["state"], *BEFORE_AGREEMENT_STATES)
    readable = _reads(visibility, row, "tier", "state", "accepted_at", "registered_at")
    return select(*_columns("TIER", due, _state("TIER", due, done))).where(due.is_not(None), readable).correlate(row.at)


def _follow_up(visibility: Visibility, row: Row) -> Select[Any]:
    """The next follow-up that is due; once all are done, the last that was."""
    visit, at = visibility.row(RESOURCES["FollowUp"], alias(t.follow_up), row.at)
    pending = visit["done_at"].is_(None)
    next_due = func.min(visit["due_on"]).filter(pending)
    due = func.coalesce(next_due, func.max(visit["due_on"]))
    return (
        select(*_columns("FOLLOW_UP", due, _state("FOLLOW_UP", due, next_due.is_(None))))
        .select_from(at)
        .where(
            visit["dispute_id"] == row["id"], visibility.visible(visit), _reads(visibility, visit, "due_on", "done_at")
        )
        .having(func.count(visit["id"]) > literal_column("0"))
        .correlate(row.at)
    )


_EVERY = (_first_contact, _month, _confirmation, _tier, _follow_up)
