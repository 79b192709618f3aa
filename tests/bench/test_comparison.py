"""Two answers are the same where the rows, fields and values are, whatever their envelope."""

from typing import Any

import pytest

from tests.bench.comparison import Different, canonical, compare, count_rows
from tests.bench.contestants import POSTGRAPHILE

_ID = "502d5e2e-ebe6-518f-8604-c6f608223f7e"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"id": f"Dispute:{_ID}"}, {"id": _ID}),
        ({"at": "2024-02-10T01:22:00+00:00"}, {"at": "2024-02-10T09:22:00.000000+08:00"}),
        ({"at": "2024-02-10T01:22:00Z"}, {"at": "2024-02-10T01:22:00+00:00"}),
        ({"pageInfo": {"endCursor": "WyI"}}, {"pageInfo": {"endCursor": "another"}}),
        ({"a": 1, "__typename": "A"}, {"a": 1}),
        ({"totalCount": 10_000}, {"totalCount": 26_513}),
    ],
)
def test_what_may_differ(first: Any, second: Any) -> None:
    compare(canonical(first), canonical(second))


@pytest.mark.parametrize(
    ("first", "second", "where"),
    [
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}]}, "data.a: 2 rows and 1"),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 2}, {"b": 1}]}, "data.a[0].b"),
        ({"phone": "138****0001"}, {"phone": "13800000001"}, "data.phone"),
        ({"phone": None}, {"phone": "138****0001"}, "data.phone"),
        ({"a": 1}, {"a": 1, "b": 2}, "fields ['b']"),
        ({"amount": "1860.00"}, {"amount": 1860}, "data.amount"),
        ({"flag": True}, {"flag": 1}, "data.flag"),
        ({"totalCount": 9_999}, {"totalCount": 26_513}, "data.totalCount"),
        ({"pageInfo": {"endCursor": None}}, {"pageInfo": {"endCursor": "x"}}, "data.pageInfo.endCursor"),
    ],
)
def test_what_may_not_differ(first: Any, second: Any, where: str) -> None:
    with pytest.raises(Different) as error:
        compare(canonical(first), canonical(second))
    assert where in str(error.value)


def test_rows_are_counted_at_every_depth() -> None:
    assert count_rows({"disputes": {"nodes": [{"parties": [{}, {}]}, {"parties": []}]}}) == 4
    assert count_rows({"disputes": {"nodes": []}}) == 0


def test_postgraphile_s_connections_become_lists_below_the_first_one() -> None:
    answer = {
        "disputes": {"nodes": [{"id": 1, "parties": {"nodes": [{"name": "李"}]}, "lead": {"name": "郑"}}]},
        "followUps": {"nodes": []},
    }
    assert POSTGRAPHILE.normalize("Q1", answer) == {
        "disputes": {"nodes": [{"id": 1, "parties": [{"name": "李"}], "lead": {"name": "郑"}}]},
        "followUps": {"nodes": []},
    }
