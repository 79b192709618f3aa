"""County time, the working-day calendar, and statutory and house deadlines as pure functions over it. Days are the county's dates.

Civil Code Arts. 200-203: the first day is not counted; a month ends on the matching day (or the month's last); a term that ends
on a day of rest ends on the next working day.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

import asyncpg
from asyncpg.pool import PoolConnectionProxy

ONE_DAY = dt.timedelta(days=1)

COUNTY_ZONE = "Asia/Shanghai"
COUNTY_TIME = ZoneInfo(COUNTY_ZONE)
# The county's date at the start of the transaction, in SQL.
TODAY_SQL = f"(now() AT TIME ZONE '{COUNTY_ZONE}')::date"


def local(moment: dt.datetime) -> dt.datetime:
    """The moment in the county's time."""
    return moment.astimezone(COUNTY_TIME)


def day_of(moment: dt.datetime) -> dt.date:
    """The county's date of a moment."""
    return local(moment).date()


def start_of(day: dt.date) -> dt.datetime:
    """The moment at which a day of the county begins."""
    return dt.datetime.combine(day, dt.time(), COUNTY_TIME)


# 《全国年节及纪念日放假办法》: the holidays of the solar calendar, (month, day) and the first year in which the day is one. Those of the
# lunar calendar are known by the yearly notice alone, and so is what is worked instead.
_FIXED_HOLIDAYS = {(1, 1): 1950, (5, 1): 1950, (5, 2): 2025, (10, 1): 1950, (10, 2): 1950, (10, 3): 2000}
# How far ahead of a day a deadline may lie: an extension of the month goes to 92 days.
_AHEAD = dt.timedelta(days=92)


@dataclass(frozen=True)
class Calendar:
    """Working days: Monday to Friday, but for the fixed holidays, and before both the exceptions of the yearly notices (False for a
    holiday, True for a make-up day)."""

    exceptions: Mapping[dt.date, bool] = field(default_factory=dict)

    def is_working_day(self, day: dt.date) -> bool:
        works = self.exceptions.get(day)
        if works is not None:
            return works
        return day.weekday() < 5 and day.year < _FIXED_HOLIDAYS.get((day.month, day.day), day.year + 1)

    @cached_property
    def noticed_years(self) -> frozenset[int]:
        """The years whose notice is there. The notice of a year may reach into the days beside it."""
        return frozenset(day.year for day in self.exceptions if 2 <= day.month <= 11)

    def unnoticed_years(self, today: dt.date) -> list[int]:
        """The years without a notice into which a deadline of today may reach: it may be some days too early."""
        return sorted({today.year, (today + _AHEAD).year} - self.noticed_years)

    def next_working_day(self, day: dt.date) -> dt.date:
        """The day itself if it is a working day, else the first one after it."""
        while not self.is_working_day(day):
            day += ONE_DAY
        return day


def month_after(day: dt.date) -> dt.date:
    """The matching day of the next month, or that month's last day."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def mediation_due(accepted_on: dt.date, working: Calendar) -> dt.date:
    """The last day of the month of mediation (人民调解工作若干规定 Art. 33): 2023-12-27 gives 2024-01-29."""
    return working.next_working_day(month_after(accepted_on))


def confirmation_due(effective_on: dt.date, working: Calendar) -> dt.date:
    """The last day to apply jointly for confirmation (人民调解法 Art. 33, thirty days): 2024-02-20 gives 2024-03-21."""
    return working.next_working_day(effective_on + dt.timedelta(days=30))


async def load_calendar(
    connection: asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record],
) -> Calendar:
    """The calendar with the exceptions that the database holds (`db/tables/calendar.py`)."""
    rows = await connection.fetch("SELECT day, works FROM calendar_day")
    return Calendar({row["day"]: row["works"] for row in rows})
