"""A period of days cut into whole years, whole months and single days, as the values of binds. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

# Which bounds there are when the period has a first day, and when it has a last. A span has its start, and not its end.
OF_FIRST = ("start", "months_start", "years_start", "head_end", "year_head_end", "month_head_end")
OF_LAST = ("end", "months_end", "years_end", "tail_start", "year_tail_start")


def bounds(first: dt.date | None, last: dt.date | None) -> Mapping[str, dt.date]:
    """The bounds by name.

    `months_*`, `years_*`: the whole months and years. `start` to `head_end` and `tail_start` to `end`: the days around the whole months;
    with `year_head_end` and `year_tail_start`: around the whole years. `months_start` to `month_head_end` and `year_tail_start` to
    `months_end`: the months around the whole years. A period that ends before it begins is empty in all parts.
    """
    result: dict[str, dt.date] = {}
    if first is not None:
        result |= {"start": first, "months_start": _first_month(first), "years_start": _first_year(first)}
    if last is not None:
        end = dt.date.fromordinal(min(last.toordinal() + 1, dt.date.max.toordinal()))
        result |= {"end": end, "months_end": end.replace(day=1), "years_end": end.replace(month=1, day=1)}
    if first is not None:
        result["head_end"] = min(result["months_start"], result.get("end", dt.date.max))
        result["year_head_end"] = min(result["years_start"], result.get("end", dt.date.max))
        result["month_head_end"] = min(result["years_start"], result.get("months_end", dt.date.max))
    if last is not None:
        result["tail_start"] = max(result["months_end"], result.get("months_start", dt.date.min))
        result["year_tail_start"] = max(result["years_end"], result.get("years_start", dt.date.min))
    return result


def _first_month(day: dt.date) -> dt.date:
    """The first day on or after it that begins a month."""
    if day.day == 1:
        return day
    if day.month == 12:
        return _first_year(day)
    return dt.date(day.year, day.month + 1, 1)


def _first_year(day: dt.date) -> dt.date:
    if (day.month, day.day) == (1, 1):
        return day
    return dt.date(day.year + 1, 1, 1) if day.year < dt.MAXYEAR else dt.date.max
