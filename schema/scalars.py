"""Scalars whose text the database writes and the wire carries unchanged: instants, dates, money.

Input is checked here, by forms of our own: what the library of a Python version reads beside them is no input. Output passes through: it is
text already.
"""

import datetime as dt
import decimal
import re
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

Instant = NewType("Instant", str)
Day = NewType("Day", str)
Money = NewType("Money", str)

# No day or time of a dispute lies outside.
FIRST_YEAR, LAST_YEAR = 1900, 2200

_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
# RFC 3339, date-time; there is no leap second in a county.
_INSTANT = re.compile(
    rf"{_DAY.pattern}[Tt]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_MONEY = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,2})?")


def instant_of(text: str) -> dt.datetime:
    """The instant that an RFC 3339 text names, in UTC, to the microsecond. Raises ValueError."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError("no date-time of RFC 3339")
    day, (hour, minute, second, fraction, sign, hours, minutes) = _day(*match.groups()[:3]), match.groups()[3:]
    time = dt.time(int(hour), int(minute), int(second), int((fraction or "")[:6].ljust(6, "0")), dt.UTC)
    offset = dt.timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return dt.datetime.combine(day, time) + (offset if sign == "-" else -offset)


def day_of(text: str) -> dt.date:
    """The day that a text YYYY-MM-DD names. Raises ValueError."""
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError("no full-date of RFC 3339")
    return _day(*match.groups())


def _day(year: str, month: str, day: str) -> dt.date:
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise ValueError("no year of a dispute")
    return dt.date(int(year), int(month), int(day))


def _parse_instant(value: Any) -> dt.datetime:
    try:
        return instant_of(value)
    except (ValueError, TypeError):
        raise GraphQLError(
            f"时间应为 {FIRST_YEAR} 至 {LAST_YEAR} 年间带时区、写到秒的 RFC 3339 文本，如 2024-02-20T01:30:00Z。"
        ) from None


def _parse_day(value: Any) -> dt.date:
    try:
        return day_of(value)
    except (ValueError, TypeError):
        raise GraphQLError(f"日期应为 {FIRST_YEAR} 至 {LAST_YEAR} 年间的 YYYY-MM-DD，如 2024-02-20。") from None


def _parse_money(value: Any) -> decimal.Decimal:
    if isinstance(value, str) and _MONEY.fullmatch(value):
        # Adding zero makes "-0" a zero without a sign.
        return decimal.Decimal(value).quantize(decimal.Decimal("0.01")) + 0
    raise GraphQLError('金额应为以元计、最多两位小数的文本，如 "1280.50"。')


SCALARS: dict[object, ScalarDefinition] = {
    Instant: strawberry.scalar(
        name="DateTime",
        description="时间，带时区、写到秒的 RFC 3339 文本，输出为 UTC，如 2024-02-20T01:30:00Z",
        serialize=str,
        parse_value=_parse_instant,
    ),
    Day: strawberry.scalar(
        name="Date",
        description=f"日期，YYYY-MM-DD，{FIRST_YEAR} 至 {LAST_YEAR} 年，如 2024-02-20",
        serialize=str,
        parse_value=_parse_day,
    ),
    Money: strawberry.scalar(
        name="Money", description='金额，以元计、两位小数的文本，如 "1280.50"', serialize=str, parse_value=_parse_money
    ),
}
