"""Obligations of an agreement and the steps of their performance."""

from __future__ import annotations

from sqlalchemy import and_, literal_column
from sqlalchemy.types import Boolean

from db import tables as t
from db.resources.declaration import Derived
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE, one, part
from db.resources.resource import Row, Sql, is_in, today
from db.tables.obligation import OWED_STATES

# Days from today to the due day on which both parties are reminded (S20): three days before, on it, and one day after.
REMINDERS = (3, 0, -1)


def _owed(row: Row) -> Sql:
    return is_in(row["state"], *OWED_STATES)


def _remind_today(row: Row) -> Sql:
    return and_(_owed(row), row["due_on"].in_([today() + literal_column(str(days)) for days in REMINDERS]))


OBLIGATION = declare_part(
    "Obligation",
    "协议义务",
    t.obligation,
    order="due_on",
    relations=[
        IN_DISPUTE,
        one("agreement", "Agreement", "agreement_id", same_dispute=True),
        one("party", "Party", "party_id", same_dispute=True),
        part("performances", "Performance", "obligation_id", "occurred_on"),
    ],
    derived={
        "overdue": Derived(
            "public", "是否逾期未履行", Boolean(), lambda row: and_(row["due_on"] < today(), _owed(row))
        ),
        # S19: what was not performed when the agreement took effect is watched until it is.
        "watched": Derived("public", "是否须关注：协议已生效而尚未履行完毕", Boolean(), _owed),
        "remind_today": Derived("public", "今日是否应提醒", Boolean(), _remind_today),
    },
    actions=frozenset({"read", "perform", "release", "excuse", "enforce", "urge"}),
)

PERFORMANCE = declare_part(
    "Performance",
    "履行记录",
    t.performance,
    order="occurred_on",
    relations=[
        IN_DISPUTE,
        one("obligation", "Obligation", "obligation_id", same_dispute=True),
        one("party", "Party", "party_id", same_dispute=True),
    ],
)
