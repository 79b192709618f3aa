"""When a fact of a case may have happened, by one rule for every command that tells a time: not in the future, not before the registration
or any other fact that it rests on, and not so late that nobody can look into it, unless a reason is given.

A command declares the facts that its own rests on by name (`rests_on`); they are read with its row.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import TIMESTAMP

from db import tables as t
from db.calendar import COUNTY_ZONE
from db.canonical.personal_data import find_personal_data
from db.resources.aliases import alias
from db.resources.catalog import RESOURCES
from db.resources.guards import equals
from db.resources.resource import Row, Sql, is_in
from db.tables.party import MAIN_SIDES
from db.write.row_locks import Fact
from db.write.transaction import Record, UnitOfWork

# A house rule: what is recorded later says why.
LATE_AFTER_DAYS = 7
_FACT = "rests_on_"


def _of_dispute(column: str) -> Callable[[Row], Sql]:
    def moment(row: Row) -> Sql:
        assert row.dispute is not None
        return row.dispute.c[column]

    return moment


def _last(
    table: Table, column: Callable[[Any], Sql], *conditions: Callable[[Row, Any], ColumnElement[bool]]
) -> Callable[[Row], Sql]:
    """The last moment that rows of the dispute tell."""

    def moment(row: Row) -> Sql:
        at: Any = alias(table)
        clauses = [condition(row, at) for condition in conditions]
        last = select(func.max(column(at))).select_from(at).where(at.c.dispute_id == row.dispute_id, *clauses)
        return last.correlate_except(at).scalar_subquery()

    return moment


def _day(column: str) -> Callable[[Any], Sql]:
    """A day as the moment at which it begins."""
    return lambda at: func.timezone(literal_column(f"'{COUNTY_ZONE}'"), cast(at.c[column], TIMESTAMP))


# By name: what it is called, and its moment.
FACTS: dict[str, tuple[str, Callable[[Row], Sql]]] = {
    "registered": ("登记时间", _of_dispute("registered_at")),
    "accepted": ("受理时间", _of_dispute("accepted_at")),
    "notified": ("告知权利义务的时间", _of_dispute("notified_at")),
    "concluded": ("调解终结时间", _of_dispute("concluded_at")),
    "closed": ("结案时间", _of_dispute("closed_at")),
    "consented": (
        "各方同意调解之日",
        _last(
            t.party,
            _day("consent_on"),
            equals("consent", "CONSENTED"),
            lambda _, at: and_(at.c.withdrawn_on.is_(None), is_in(at.c.side, *MAIN_SIDES)),
        ),
    ),
    "session": ("最近一次调解的时间", _last(t.session, lambda at: at.c.held_at)),
    "extended": ("最近一次同意延长之日", _last(t.extension, _day("consented_on"))),
    "handed": (
        "最近一次移交或答复的时间",
        _last(t.escalation, lambda at: func.coalesce(at.c.answered_at, at.c.sent_at)),
    ),
    "performed": ("最近一次履行之日", _last(t.obligation, _day("performed_on"))),
    "urged": ("最近一次督促之日", _last(t.performance, _day("occurred_on"), equals("kind", "URGE"))),
    "visited": ("最近一次回访之日", _last(t.follow_up, _day("done_at"))),
}
# What has been done in mediating: whatever ends it, or comes of it, is not before.
COURSE = ("accepted", "notified", "consented", "session", "extended", "handed")


def facts_of(kind: str, rests_on: tuple[str, ...], input_type: type) -> tuple[Fact, ...]:
    """The facts that a command on a dispute or a part of one reads with its row, if it tells a time; the registration always among them."""
    timed = any(field.name == "happened_at" for field in dataclasses.fields(input_type))
    if not timed or not (kind == "Dispute" or RESOURCES[kind].part):
        return ()
    return tuple(Fact(_FACT + name, FACTS[name][1]) for name in dict.fromkeys(("registered", *rests_on)))


def check_chronology(work: UnitOfWork, record: Record | None, at: dt.datetime) -> None:
    """Note a user error where the time is one that cannot be, or is told too late."""
    values = {} if record is None else record.values
    told = [(values[_FACT + name], what) for name, (what, _) in FACTS.items() if values.get(_FACT + name) is not None]
    last, what = max(told, default=(None, ""))
    work.check_time("happenedAt", at, last, what)
    work.late_days = max(0, (work.now - at).days)
    if work.late_reason is not None:
        work.check_text("lateReason", work.late_reason, 200)
        if find_personal_data(work.late_reason):
            work.error("lateReason", "PERSONAL_DATA", "迟记的原因不写个人信息。")
    elif work.late_days > LATE_AFTER_DAYS:
        message = f"发生已逾 {LATE_AFTER_DAYS} 日才补记，请在 lateReason 写明迟记的原因；迟记的日数随办理经过显示。"
        work.error("happenedAt", "TOO_LATE", message)
