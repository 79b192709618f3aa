"""Scalars whose text the database writes and the wire carries unchanged: instants, dates, money.

Input is checked here; output passes through: it is text already.
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

_MONEY = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,2})?")


def _parse_instant(value: Any) -> dt.datetime:
    if isinstance(value, str):
        try:
            parsed = dt.datetime.fromisoformat(value)
            if parsed.tzinfo is not None:
                return parsed.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            pass
    raise GraphQLError("时间应为带时区的 RFC 3339 文本，如 2024-02-20T01:30:00Z。")


def _parse_day(value: Any) -> dt.date:
    if isinstance(value, str) and len(value) == 10:
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise GraphQLError("日期应为 ISO 8601 文本，如 2024-02-20。")


def _parse_money(value: Any) -> decimal.Decimal:
    if isinstance(value, str) and _MONEY.fullmatch(value):
        return decimal.Decimal(value).quantize(decimal.Decimal("0.01"))
    raise GraphQLError('金额应为以元计、最多两位小数的文本，如 "1280.50"。')


SCALARS: dict[object, ScalarDefinition] = {
    Instant: strawberry.scalar(
        name="DateTime",
        description="时间，RFC 3339 文本，UTC，如 2024-02-20T01:30:00Z",
        serialize=str,
        parse_value=_parse_instant,
    ),
    Day: strawberry.scalar(
        name="Date", description="日期，ISO 8601 文本，如 2024-02-20", serialize=str, parse_value=_parse_day
    ),
    Money: strawberry.scalar(
        name="Money", description='金额，以元计、两位小数的文本，如 "1280.50"', serialize=str, parse_value=_parse_money
    ),
}
