"""A period is cut into spans that hold each of its days once, whole months and years among them."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Mapping

import pytest

from db.query.statistics.period import OF_FIRST, OF_LAST, bounds

Day = dt.date
CALENDAR = [dt.date(2021, 11, 1) + dt.timedelta(days=number) for number in range(1_200)]
FIRST, LAST = CALENDAR[0], CALENDAR[-1]


def days(spans: Mapping[str, Day], start: str, end: str) -> list[Day]:
    """The days of a span within the calendar; a span with neither bound has none."""
    if start not in spans and end not in spans:
        return []
    return [day for day in CALENDAR if spans.get(start, FIRST) <= day < spans.get(end, dt.date.max)]


def check(first: Day | None, last: Day | None) -> None:
    spans = bounds(first, last)
    assert set(spans) == {*(OF_FIRST if first else ()), *(OF_LAST if last else ())}
    period = [day for day in CALENDAR if (first is None or first <= day) and (last is None or day <= last)]
    months, years = days(spans, "months_start", "months_end"), days(spans, "years_start", "years_end")
    tail = days(spans, "tail_start", "end") if last else []
    head = days(spans, "start", "head_end") if first else []
    assert Counter([*head, *months, *tail]) == Counter(period)
    around = [
        *(days(spans, "start", "year_head_end") if first else []),
        *(days(spans, "year_tail_start", "end") if last else []),
    ]
    assert Counter([*around, *years]) == Counter(period)
    around_years = [
        *(days(spans, "months_start", "month_head_end") if first else []),
        *(days(spans, "year_tail_start", "months_end") if last else []),
    ]
    assert Counter([*around_years, *years]) == Counter(months)
    for name, bound in spans.items():
        if name.startswith("months") and bound != dt.date.max:
            assert bound.day == 1
        if name.startswith("years") and bound != dt.date.max:
            assert (bound.month, bound.day) == (1, 1)


def test_every_day_is_in_one_span() -> None:
    dice = random.Random(1)
    turns = [day for day in CALENDAR if day.day in (1, 28, 29, 30, 31)]
    for _ in range(400):
        first, last = (dice.choice(dice.choice((CALENDAR, turns))) for _ in range(2))
        for period in (
            (first, last),
            (min(first, last), max(first, last)),
            (first, None),
            (None, last),
            (first, first),
        ):
            check(*period)
    assert bounds(None, None) == {}


@pytest.mark.parametrize("day", [dt.date.min, dt.date.max, dt.date(9999, 12, 1), dt.date(9998, 12, 31)])
def test_the_ends_of_the_calendar(day: Day) -> None:
    """No date is out of range."""
    for period in ((day, None), (None, day), (day, day), (dt.date.min, day), (day, dt.date.max)):
        spans = bounds(*period)
        assert set(spans) == {*(OF_FIRST if period[0] else ()), *(OF_LAST if period[1] else ())}
