"""Pages by keyset: forwards, backwards, with ties, nulls and mixed directions every row stands on exactly one page."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from graphql import get_named_type

from db.county.people import PRINCIPALS, THREE_POSTS
from db.postgres.address import Address
from db.query import count, order_paths
from db.query.indexes import INDEXES
from schema.sdl import graphql_schema
from tests.laws.client import GraphQLClient, open_client
from tests.schema.paging import all_ids, paged

# Nulls and ties on purpose: few states, many disputes that are not concluded, amounts that are missing.
ORDERS = {
    "default": "",
    "newest": "[{field: REGISTERED_AT}]",
    "oldest": "[{field: REGISTERED_AT, direction: ASC}]",
    "ties": "[{field: STATE, direction: ASC}]",
    "nulls last": "[{field: CONCLUDED_AT}]",
    "nulls last, ascending": "[{field: DUE_ON, direction: ASC}]",
    "mixed directions": "[{field: STATE}, {field: CONCLUDED_AT, direction: ASC}, {field: TITLE}]",
    "mixed with nulls first key": "[{field: CLOSED_AT, direction: ASC}, {field: STATE}]",
    "no nulls, mixed": "[{field: TITLE, direction: ASC}, {field: REGISTERED_AT}]",
    "a field twice": "[{field: STATE, direction: ASC}, {field: STATE, direction: DESC}]",
}
MONEY = {"money": "[{field: AMOUNT_CLAIMED}, {field: PEOPLE_COUNT, direction: ASC}]"}
PEOPLE = {
    "bureau_admin": (PRINCIPALS["bureau_admin"], 47),
    "mediator": (PRINCIPALS["mediator"], 9),
    "police": (PRINCIPALS["police"], 2),
    "court": (PRINCIPALS["court"], 2),
    "squad_member": (PRINCIPALS["squad_member"], 11),
    "centre_staff": (PRINCIPALS["centre_staff"], 7),
    "three posts": (THREE_POSTS, 5),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county) as opened:
        yield opened


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("who", PEOPLE)
async def test_every_row_once(gql: GraphQLClient, who: str, order: str) -> None:
    """Forwards and backwards the same rows in the same order, each once; as long as the list says."""
    person, size = PEOPLE[who]
    query = paged(ORDERS[order])
    forwards = await all_ids(gql, person, query, size, backward=False)
    assert len(forwards) == len(set(forwards)) > size
    assert await all_ids(gql, person, query, size, backward=True) == forwards
    at_once = await gql.data(person, query, first=200)
    assert [edge["node"]["id"] for edge in at_once["disputes"]["edges"]] == forwards


EVERY_ORDER = {
    "disputes": ("OCCURRED_ON", "ACCEPTED_AT", "DUE_ON", "CONCLUDED_AT", "CLOSED_AT", "AMOUNT_CLAIMED", "PEOPLE_COUNT", "CASE_NUMBER",
                 "TITLE", "STATE"),
    "followUps": ("DUE_ON", "DONE_AT", "SATISFACTION"),
    "obligations": ("DUE_ON", "AMOUNT"),
}  # fmt: skip


FILTERS = {
    "disputes": ("", "{state: [MEDIATING, CLOSED]}", "{tier: [CENTRE], riskLevel: [HIGH]}"),
    "followUps": ("", "{done: true}"),
    "obligations": ("",),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def other_services(county: Address) -> AsyncIterator[tuple[GraphQLClient, GraphQLClient]]:
    """Two services more, each with statements of its own."""
    async with open_client(county) as one, open_client(county) as other:
        yield one, other


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize(("place", "by"), [(place, by) for place, names in EVERY_ORDER.items() for by in names])
async def test_every_order_by_any_path(
    gql: GraphQLClient,
    other_services: tuple[GraphQLClient, GraphQLClient],
    place: str,
    by: str,
    direction: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the index of the order, or from a sort after a scan that is cut short, the pages are those of all rows sorted."""
    short_scans, sorting = other_services
    # Time goes into making statements, not into reading: each condition once more is half a second for each order.
    for who, size, conditions in (("bureau_admin", 31, FILTERS[place]), ("squad_member", 7, FILTERS[place][-1:])):
        person = PRINCIPALS[who]
        for filters in conditions:
            query = paged(f"[{{field: {by}, direction: {direction}}}]" + (filters and f", filter: {filters}"), place)
            with monkeypatch.context() as patch:
                for resource in ("Dispute", "FollowUp", "Obligation"):
                    patch.setitem(INDEXES, resource, replace(INDEXES[resource], orders=frozenset()))
                if "FIELD_NOT_READABLE" in (await sorting.ask(person, query, first=1)).codes:
                    assert who != "bureau_admin"
                    continue
                expected = await all_ids(sorting, person, query, size, backward=False, place=place)
            for backward in (False, True):
                assert await all_ids(gql, person, query, size, backward, place) == expected
            with monkeypatch.context() as patch:
                patch.setattr(order_paths, "SCAN_ROWS", 7)
                backward = direction == "DESC"
                assert await all_ids(short_scans, person, query, size, backward, place) == expected


@pytest.mark.parametrize("order", ["default", "oldest", "ties", "nulls last"])
@pytest.mark.parametrize("who", PEOPLE)
async def test_a_count_cut_short_leaves_the_page_alone(
    gql: GraphQLClient, county: Address, who: str, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Count and page of few visible rows come from the same rows, of which those behind the bound of the count are left out."""
    person, bound = PEOPLE[who][0], 9
    whole = await all_ids(gql, person, paged(ORDERS[order]), 50, backward=False)
    assert len(whole) > bound or who in ("police", "court")
    monkeypatch.setattr(count, "COUNT_CAP", bound)
    asked = paged(ORDERS[order]).replace("totalCount", "totalCount totalCountCapped")
    async with open_client(county) as other:
        for size in (1, bound - 1, bound):
            for end, expected in (("first", whole[:size]), ("last", whole[-size:])):
                page = (await other.data(person, asked, **{end: size}))["disputes"]
                assert [edge["node"]["id"] for edge in page["edges"]] == expected
                if who not in ("bureau_admin", "squad_member"):
                    assert (page["totalCount"], page["totalCountCapped"]) == (
                        min(len(whole), bound),
                        len(whole) > bound,
                    )
        at, paged_ids = None, list[str]()
        while len(paged_ids) < min(len(whole), 3 * bound):
            page = (await other.data(person, asked, first=bound, after=at))["disputes"]
            paged_ids += [edge["node"]["id"] for edge in page["edges"]]
            at = page["pageInfo"]["endCursor"]
        assert paged_ids == whole[: len(paged_ids)]
        filtered = asked.replace("last: $last,", "last: $last, filter: {state: [CLOSED, MEDIATING]},")
        for size in (1, bound):
            beside = (await gql.data(person, filtered.replace("totalCount totalCountCapped ", ""), first=size))[
                "disputes"
            ]
            page = (await other.data(person, filtered, first=size))["disputes"]
            assert page["edges"] == beside["edges"]
            assert page["pageInfo"] == beside["pageInfo"]


@pytest.mark.parametrize("order", MONEY)
async def test_money_and_numbers(gql: GraphQLClient, order: str) -> None:
    query = paged(MONEY[order])
    forwards = await all_ids(gql, PRINCIPALS["bureau_admin"], query, 41, backward=False)
    assert len(forwards) == len(set(forwards)) == 200
    assert await all_ids(gql, PRINCIPALS["bureau_admin"], query, 41, backward=True) == forwards


@pytest.mark.parametrize("place", ["followUps", "obligations", "agreements", "referrals", "people", "compounds"])
async def test_other_lists(gql: GraphQLClient, place: str) -> None:
    """Lists with a nullable or tied default key too."""
    order = {
        "followUps": "[{field: SATISFACTION}, {field: DONE_AT, direction: ASC}]",
        "obligations": "[{field: AMOUNT, direction: ASC}]",
    }
    query = paged(order.get(place, ""), place)
    forwards = await all_ids(gql, PRINCIPALS["bureau_admin"], query, 23, backward=False, place=place)
    assert len(forwards) == len(set(forwards))
    assert await all_ids(gql, PRINCIPALS["bureau_admin"], query, 23, backward=True, place=place) == forwards


@pytest.mark.parametrize("order", ["default", "ties", "nulls last", "mixed directions"])
async def test_between_cursors(gql: GraphQLClient, order: str) -> None:
    """after and before together bound the list; first and last cut it from either end."""
    person, query = PRINCIPALS["bureau_admin"], paged(ORDERS[order])
    edges = (await gql.data(person, query, first=200))["disputes"]["edges"]
    cursors, ids = [edge["cursor"] for edge in edges], [edge["node"]["id"] for edge in edges]
    for low, high in ((10, 30), (0, 199), (100, 101), (50, 50), (120, 90)):
        bounds = {"after": cursors[low], "before": cursors[high]}
        inside = ids[low + 1 : high]
        first = (await gql.data(person, query, first=5, **bounds))["disputes"]
        last = (await gql.data(person, query, last=5, **bounds))["disputes"]
        assert [edge["node"]["id"] for edge in first["edges"]] == inside[:5]
        assert [edge["node"]["id"] for edge in last["edges"]] == inside[-5:]
        assert first["totalCount"] == len(ids)
        assert first["pageInfo"]["hasPreviousPage"] is True
        assert last["pageInfo"]["hasNextPage"] is True
        assert last["pageInfo"]["hasPreviousPage"] is (len(inside) > 5)


async def test_an_empty_list(gql: GraphQLClient) -> None:
    """No row, no cursor, no further page; the parts of a page can be asked for one by one."""
    person = PRINCIPALS["auditor"]
    page = (await gql.data(person, paged("")))["disputes"]
    none = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert page == {"totalCount": 0, "pageInfo": none, "edges": []}
    for name, value in none.items():
        assert (await gql.data(person, f"{{ disputes {{ pageInfo {{ {name} }} }} }}"))["disputes"]["pageInfo"] == {
            name: value
        }


@pytest.mark.parametrize("part", ["hasNextPage", "hasPreviousPage", "__typename"])
@pytest.mark.parametrize("more", ["", "totalCount"])
async def test_a_page_of_which_little_is_asked(gql: GraphQLClient, part: str, more: str) -> None:
    """A page is one object however many rows it has, also where none of them is listed or counted."""
    for arguments in ("first: 3", "last: 3", "first: 200"):
        data = await gql.data(
            PRINCIPALS["bureau_admin"], f"{{ disputes({arguments}) {{ {more} pageInfo {{ {part} }} }} }}"
        )
        wanted: Any = {
            "hasNextPage": arguments == "first: 3",
            "hasPreviousPage": arguments == "last: 3",
            "__typename": "PageInfo",
        }
        assert data["disputes"]["pageInfo"] == {part: wanted[part]}


# -- what is refused

BAD_SIZES: list[dict[str, Any]] = [
    {"first": 0}, {"first": -1}, {"first": 201}, {"first": 2147483647}, {"last": 0}, {"last": -5}, {"last": 201},
    {"first": 1, "last": 1},
]  # fmt: skip


@pytest.mark.parametrize("asked", BAD_SIZES, ids=str)
async def test_bad_sizes(gql: GraphQLClient, asked: dict[str, Any]) -> None:
    answer = await gql.ask(PRINCIPALS["mediator"], paged(""), **asked)
    assert (answer.data, answer.codes) == (None, ["BAD_USER_INPUT"])
    literal = ", ".join(f"{name}: {value}" for name, value in asked.items())
    answer = await gql.ask(
        PRINCIPALS["mediator"], f"{{ areas {{ nodes {{ disputes({literal}) {{ totalCount }} }} }} }}"
    )
    assert (answer.data, answer.codes) == (None, ["BAD_USER_INPUT"])


def _orders() -> list[tuple[str, list[str]]]:
    """Every list of the root with every order that it may have, both ways."""
    schema = graphql_schema()
    assert schema.query_type is not None
    found = []
    for name, field in schema.query_type.fields.items():
        if "orderBy" in field.args:
            kind: Any = get_named_type(field.args["orderBy"].type)
            keys = get_named_type(kind.fields["field"].type).values
            found.append((name, [f"[{{field: {key}, direction: {by}}}]" for key in keys for by in ("ASC", "DESC")]))
    return found


@pytest.mark.parametrize("who", ["bureau_admin", "mediator"])
@pytest.mark.parametrize(("name", "orders"), _orders(), ids=lambda value: value if isinstance(value, str) else "")
async def test_a_list_may_stand_in_a_query_twice(gql: GraphQLClient, who: str, name: str, orders: list[str]) -> None:
    """Every list with every order that the caller may use, twice in one statement: no name in it is given to two things."""
    readable = []
    for order in orders:
        answer = await gql.ask(PRINCIPALS[who], f"{{ {name}(first: 1, orderBy: {order}) {{ nodes {{ id }} }} }}")
        assert answer.codes in ([], ["FIELD_NOT_READABLE"])
        readable += [] if answer.codes else [(order, answer.data)]
    for begin in range(0, len(readable), 5):
        some = readable[begin : begin + 5]
        fields = " ".join(
            f"{alias}{index}: {name}(first: 1, orderBy: {order}) {{ nodes {{ id }} }}"
            for index, (order, _) in enumerate(some)
            for alias in "ab"
        )
        data = await gql.data(PRINCIPALS[who], f"{{ {fields} }}")
        for index, (_, alone) in enumerate(some):
            assert data[f"a{index}"] == data[f"b{index}"] == alone[name]
