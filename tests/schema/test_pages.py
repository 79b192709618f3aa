"""Pages by keyset: forwards, backwards, with ties, nulls and mixed directions every row stands on exactly one page."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
import pytest_asyncio
from graphql import get_named_type

from db.county.people import PRINCIPALS, SECOND_MEDIATOR, THREE_POSTS
from db.postgres.address import Address
from db.query import count, order_paths
from db.query.indexes import INDEXES
from schema.sdl import graphql_schema
from tests.laws.client import GraphQLClient, open_client
from tests.laws.visibility_oracle import cursor

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


def paged(order: str, place: str = "disputes") -> str:
    order = f", orderBy: {order}" if order else ""
    return f"""query ($first: Int, $after: String, $last: Int, $before: String) {{
      {place}(first: $first, after: $after, last: $last, before: $before{order}) {{
        totalCount pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} edges {{ cursor node {{ id }} }}
      }} }}"""


async def all_ids(
    gql: GraphQLClient, person: str, query: str, size: int, backward: bool, place: str = "disputes"
) -> list[str]:
    """All ids in the order of the list, page by page; checks the page info and the count of each page."""
    every: list[str] = []
    at: str | None = None
    while True:
        asked = {"last": size, "before": at} if backward else {"first": size, "after": at}
        page = (await gql.data(person, query, **asked))[place]
        edges, info = page["edges"], page["pageInfo"]
        ids = [edge["node"]["id"] for edge in edges]
        every = [*ids, *every] if backward else [*every, *ids]
        more, behind = ("hasPreviousPage", "hasNextPage") if backward else ("hasNextPage", "hasPreviousPage")
        assert info[behind] is (at is not None)
        assert (info["startCursor"], info["endCursor"]) == (edges[0]["cursor"], edges[-1]["cursor"])
        if not info[more]:
            assert len(every) == page["totalCount"]
            return every
        assert len(edges) == size
        at = info["startCursor" if backward else "endCursor"]


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


UUID = "0190a6c2-0000-7000-8000-000000000000"
BAD_CURSORS = [
    "", "junk", "====", "é", "null", base64.b64encode(b"{}").decode(), base64.b64encode(b"null").decode(), cursor(),
    cursor("2024-01-01T00:00:00Z"), cursor("2024-01-01T00:00:00Z", "not-a-key"), cursor("2024-01-01T00:00:00Z", None),
    cursor("2024-01-01", UUID), cursor("2024-01-01T00:00:00", UUID), cursor("x", UUID), cursor(5, UUID), cursor(True, UUID),
    cursor(["2024-01-01T00:00:00Z"], UUID), cursor({"a": 1}, UUID), cursor("2024-01-01T00:00:00Z", UUID, UUID),
    cursor("2024-01-01T00:00:00Z", 5), cursor("infinity", UUID), cursor("0001-01-01T00:00:00+23:59", UUID),
    cursor("9999-12-31T23:59:59-23:59", UUID), cursor("2024-01-01T00:00:00Z' OR true --", UUID),
    base64.b64encode(b'["2024-01-01T00:00:00Z", "' + UUID.encode() + b'"] ').decode()[:-3], "A" * 5000,
    base64.b64encode(b"[" * 3000).decode(),
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_CURSORS)
@pytest.mark.parametrize("name", ["after", "before"])
async def test_tampered_cursors(gql: GraphQLClient, name: str, text: str) -> None:
    """Whatever is no cursor of this order is refused, in words that do not repeat it."""
    answer = await gql.ask(PRINCIPALS["mediator"], paged(""), **{name: text})
    assert (answer.data, answer.codes) == (None, ["BAD_USER_INPUT"]), text
    assert len(text) < 5 or text not in answer.errors[0]["message"]


BAD_KEYS: list[tuple[str, Any]] = [
    ("AMOUNT_CLAIMED", "NaN"), ("AMOUNT_CLAIMED", "Infinity"), ("AMOUNT_CLAIMED", "1e400"), ("AMOUNT_CLAIMED", [1]), ("AMOUNT_CLAIMED", ""),
    ("AMOUNT_CLAIMED", True), ("AMOUNT_CLAIMED", {}), ("PEOPLE_COUNT", 2**31), ("PEOPLE_COUNT", -(2**63)), ("PEOPLE_COUNT", "5"),
    ("PEOPLE_COUNT", 1.5), ("PEOPLE_COUNT", True), ("TITLE", 5), ("TITLE", "a\x00b"), ("TITLE", []), ("DUE_ON", "2024-13-01"),
    ("DUE_ON", "20240101T00"), ("DUE_ON", 20240101), ("CONCLUDED_AT", "0001-01-01T00:00:00+14:00"), ("CONCLUDED_AT", False),
]  # fmt: skip


def moved(text: str, *keys: Any) -> str:
    """A cursor with the mark of another and keys of its own."""
    mark, *_ = orjson.loads(base64.b64decode(text))
    return cursor(mark, *keys)


@pytest.mark.parametrize(("field", "value"), BAD_KEYS, ids=str)
async def test_tampered_keys(gql: GraphQLClient, field: str, value: Any) -> None:
    person, query = PRINCIPALS["bureau_admin"], paged(f"[{{field: {field}}}]")
    own = (await gql.data(person, query, first=1))["disputes"]["pageInfo"]["endCursor"]
    answer = await gql.ask(person, query, after=moved(own, value, UUID))
    assert (answer.data, answer.codes) == (None, ["BAD_USER_INPUT"])


async def test_a_cursor_is_only_a_position(gql: GraphQLClient) -> None:
    """A cursor is a position under an order, not a right: with other keys it shows nothing more."""
    person = PRINCIPALS["mediator"]
    everything = await all_ids(gql, person, paged(""), 50, backward=False)
    own = (await gql.data(person, paged(""), first=1))["disputes"]["pageInfo"]["endCursor"]
    for moment in ("1900-01-01T00:00:00Z", "2199-01-01T00:00:00Z"):
        for name in ("after", "before"):
            page = (await gql.data(person, paged(""), **{name: moved(own, moment, UUID)}, first=200))["disputes"]
            assert {edge["node"]["id"] for edge in page["edges"]} <= set(everything)


# The lists: the row above (None: the root) and the field.
PLACES = {
    "disputes": (None, "disputes"), "agreements": (None, "agreements"), "of a town": ("town", "disputes"), "of another": ("other", "disputes"),
    "of a compound": ("compound", "disputes"), "areas of a town": ("town", "areas"),
}  # fmt: skip
QUESTIONS = [
    *[(place, "") for place in PLACES],
    ("disputes", ", orderBy: [{field: REGISTERED_AT, direction: ASC}]"),
    ("disputes", ", orderBy: [{field: ACCEPTED_AT}]"),
    ("disputes", ", orderBy: [{field: REGISTERED_AT}, {field: TITLE}]"),
    ("disputes", ", filter: {category: [PROPERTY]}"),
    ("disputes", ", filter: {category: [PROPERTY, OTHER]}"),
    ("disputes", ', filter: {areaCode: "371525"}'),
    ("disputes", ', filter: {registeredFrom: "2023-01-01"}'),
    ("disputes", ', filter: {registeredTo: "2030-01-01"}'),
    ("disputes", ", filter: {overdue: false}"),
    ("of a town", ", orderBy: [{field: REGISTERED_AT, direction: ASC}]"),
    ("of a town", ", filter: {category: [PROPERTY]}"),
]


async def rows_above(gql: GraphQLClient) -> dict[str, str]:
    towns = await gql.connection.fetch(
        "SELECT a.id FROM area a JOIN dispute d ON left(d.grid_code, 9) = a.code GROUP BY a.id HAVING count(*) > 3 ORDER BY a.id LIMIT 2"
    )
    compound = await gql.connection.fetchval(
        "SELECT compound_id FROM dispute GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )
    return {"town": f"Area:{towns[0]['id']}", "other": f"Area:{towns[1]['id']}", "compound": f"Compound:{compound}"}


def asked(above: dict[str, str], place: str, more: str) -> str:
    row, field = PLACES[place]
    text = f"found: {field}(first: 2, after: $after{more}) {{ pageInfo {{ endCursor }} edges {{ cursor }} }}"
    if row is not None:
        text = f'node(id: "{above[row]}") {{ ... on {above[row].partition(":")[0]} {{ {text} }} }}'
    return f"query ($after: String) {{ {text} }}"


async def test_a_cursor_belongs_to_its_question(gql: GraphQLClient) -> None:
    """Used under another list, row, order, direction or filter it is refused: rows would come twice, and others never."""
    person, above = PRINCIPALS["bureau_admin"], await rows_above(gql)
    texts = [asked(above, *question) for question in QUESTIONS]
    cursors = []
    for text in texts:
        data = await gql.data(person, text)
        page = data["node"]["found"] if "node" in data else data["found"]
        assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
        cursors.append(page["pageInfo"]["endCursor"])
    for own, text in enumerate(texts):
        for number, at in enumerate(cursors):
            answer = await gql.ask(person, text, after=at)
            assert answer.codes == ([] if number == own else ["BAD_USER_INPUT"]), (QUESTIONS[own], QUESTIONS[number])
            assert not answer.errors or answer.errors[0]["message"].startswith("游标无效")
    # Of somebody else, even of the same role.
    for one in (SECOND_MEDIATOR, PRINCIPALS["squad_member"]):
        theirs = (await gql.data(PRINCIPALS["mediator"], texts[0]))["found"]["pageInfo"]["endCursor"]
        assert (await gql.ask(one, texts[0], after=theirs)).codes == ["BAD_USER_INPUT"]
    assert len(set(cursors)) == len(cursors)


async def test_a_cursor_below_several_rows(gql: GraphQLClient) -> None:
    """It is of one of them: below another it is refused, unless that is not shown."""
    person = PRINCIPALS["bureau_admin"]
    text = (
        "query ($size: Int, $after: String, $before: String) { areas(first: $size) { nodes {"
        " disputes(first: 2, after: $after, before: $before) { pageInfo { endCursor hasNextPage } edges { cursor node { id } } } } } }"
    )
    pages = [one["disputes"] for one in (await gql.data(person, text, size=3))["areas"]["nodes"]]
    at = pages[0]["pageInfo"]["endCursor"]
    for name in ("after", "before"):
        assert (await gql.ask(person, text, size=3, **{name: at})).codes == ["BAD_USER_INPUT"]
        (one,) = (await gql.data(person, text, size=1, **{name: at}))["areas"]["nodes"]
        assert one["disputes"]["edges"] != pages[0]["edges"]


async def test_what_a_cursor_holds(gql: GraphQLClient) -> None:
    """The keys of the order and the id of the row, nothing else."""
    person = PRINCIPALS["grid_worker"]
    query = "{ disputes(first: 3, orderBy: [{field: TITLE}]) { edges { cursor node { id title } } } }"
    for edge in (await gql.data(person, query))["disputes"]["edges"]:
        keys = orjson.loads(base64.b64decode(edge["cursor"]))
        mark, *keys = keys
        assert keys == [edge["node"]["title"], edge["node"]["id"].partition(":")[2]]
        assert len(mark) == 16


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
