"""The clocks of the law as pure functions: known dates, month ends, rest days, and that they never run backwards."""

import datetime as dt
import importlib
from itertools import pairwise

import pytest

from db.calendar import Calendar, confirmation_due, load_calendar, mediation_due, month_after
from db.postgres.address import Address
from tests.db.world import connected

_MIGRATION = importlib.import_module("db.migrations.versions.0006_calendar")
OFFICIAL = Calendar({day: works for day, (works, _) in _MIGRATION.differing().items()})
WEEKS = Calendar()
DAY = dt.timedelta(days=1)
DAYS = [dt.date(2022, 12, 1) + n * DAY for n in range(4 * 366 + 60)]


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("accepted", "due"),
    [
        ("2023-12-27", "2024-01-29"),  # the 27th is a Saturday
        ("2024-01-31", "2024-02-29"),  # the last day of a leap February
        ("2023-01-31", "2023-02-28"),
        ("2024-01-10", "2024-02-18"),  # the Spring Festival, then a Sunday that is worked
        ("2023-09-01", "2023-10-07"),  # the holiday week ends on a Saturday that is worked
        ("2024-12-01", "2025-01-02"),  # New Year
        ("2023-08-31", "2023-10-07"),  # 30 September is in the same week
        # Years without a notice: the fixed holidays hold all the same.
        ("2026-12-01", "2027-01-04"),  # New Year, then a weekend
        ("2027-09-01", "2027-10-04"),  # 1 October, then a weekend
        ("2029-04-01", "2029-05-03"),  # two days in May since 2025
        ("2018-04-01", "2018-05-02"),  # one before
    ],
)
def test_known_months(accepted: str, due: str) -> None:
    assert mediation_due(day(accepted), OFFICIAL) == day(due)


@pytest.mark.parametrize(
    ("effective", "due"),
    [
        ("2024-02-20", "2024-03-21"),
        ("2024-01-12", "2024-02-18"),  # 11 February is in the Spring Festival
        ("2024-03-28", "2024-04-28"),  # 27 April is a Saturday, the Sunday after it is worked
    ],
)
def test_known_windows(effective: str, due: str) -> None:
    assert confirmation_due(day(effective), OFFICIAL) == day(due)


@pytest.mark.parametrize("working", [WEEKS, OFFICIAL])
def test_a_deadline_is_a_working_day_and_the_first_from_the_matching_day(working: Calendar) -> None:
    for start in DAYS:
        for due, matching in (
            (mediation_due(start, working), month_after(start)),
            (confirmation_due(start, working), start + 30 * DAY),
        ):
            assert working.is_working_day(due)
            assert matching <= due
            assert not any(working.is_working_day(matching + n * DAY) for n in range((due - matching).days))


def test_a_year_without_a_notice_is_told() -> None:
    """From the day on which a deadline may reach into it."""
    assert OFFICIAL.noticed_years == {2023, 2024, 2025, 2026}
    assert OFFICIAL.unnoticed_years(day("2026-09-30")) == []
    assert OFFICIAL.unnoticed_years(day("2026-11-28")) == [2027]
    assert OFFICIAL.unnoticed_years(day("2027-11-28")) == [2027, 2028]
    assert WEEKS.unnoticed_years(day("2024-05-06")) == [2024]


@pytest.mark.parametrize("working", [WEEKS, OFFICIAL])
def test_a_later_start_never_gives_an_earlier_deadline(working: Calendar) -> None:
    for first, second in pairwise(DAYS):
        assert mediation_due(first, working) <= mediation_due(second, working)
        assert confirmation_due(first, working) <= confirmation_due(second, working)


def test_a_month_ends_on_the_matching_day_or_on_the_last() -> None:
    for start in DAYS:
        end = month_after(start)
        assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == 1
        assert end.day == start.day or (end + DAY).day == 1
        assert end.day <= start.day
        assert 28 <= (end - start).days <= 31


def test_only_days_that_differ_from_the_week_are_kept() -> None:
    for one, works in OFFICIAL.exceptions.items():
        assert works != (one.weekday() < 5), one
    # 全国年节及纪念日放假办法: eleven days of rest a year, thirteen from 2025; rest days beside them are worked off.
    for year, by_law in ((2023, 11), (2024, 11), (2025, 13), (2026, 13)):
        days = [works for one, works in OFFICIAL.exceptions.items() if one.year == year]
        assert days.count(False) - days.count(True) == by_law, year


async def test_the_database_holds_the_same_calendar(database: Address) -> None:
    async with connected(database) as connection:
        assert dict((await load_calendar(connection)).exceptions) == dict(OFFICIAL.exceptions)
