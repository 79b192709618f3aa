"""The forms of dates, times and money, the same on every version of Python."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLSchema

from schema.scalars import day_of, instant_of
from schema.sdl import graphql_schema
from tests.laws.edges import EDGES


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graphql_schema()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-02-20T09:30:00+08:00", "2024-02-20 01:30:00"),
        ("2024-02-20t01:30:00z", "2024-02-20 01:30:00"),
        ("2024-02-29T23:59:59.5-00:30", "2024-03-01 00:29:59.500000"),
        ("2024-02-20T01:30:00.123456789Z", "2024-02-20 01:30:00.123456"),
        ("1900-01-01T00:00:00+23:59", "1899-12-31 00:01:00"),
        ("2024-02-20T01:30:00-00:00", "2024-02-20 01:30:00"),
    ],
)
def test_times(text: str, moment: str) -> None:
    assert instant_of(text) == dt.datetime.fromisoformat(f"{moment}+00:00")


def test_days() -> None:
    assert day_of("2024-02-29") == dt.date(2024, 2, 29)
    assert (day_of("1900-01-01"), day_of("2200-12-31")) == (dt.date(1900, 1, 1), dt.date(2200, 12, 31))


RIGHT = {"2024-02-20T09:00:00.123456789Z", "-1.00", "-0"}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, one) for name in ("Date", "DateTime", "Money") for one in EDGES[name] if one not in RIGHT],
    ids=repr,
)
def test_other_forms_are_refused_in_chinese(schema: GraphQLSchema, name: str, value: Any) -> None:
    scalar: Any = schema.type_map[name]
    with pytest.raises(GraphQLError) as refused:
        scalar.coerce_input_value(value)
    assert refused.value.message[0] in "日时金"


def test_money(schema: GraphQLSchema) -> None:
    scalar: Any = schema.type_map["Money"]
    assert str(scalar.coerce_input_value("-0")) == "0.00"
    assert scalar.coerce_input_value("-1.5") == Decimal("-1.50")
    assert scalar.coerce_input_value("9" * 12 + ".99") == Decimal("999999999999.99")
