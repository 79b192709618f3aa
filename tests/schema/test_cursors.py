"""Cursors: positions of the question that made them; whatever else they may be is refused."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio
from graphql import GraphQLObjectType, get_named_type

from db.county.people import PRINCIPALS, SECOND_MEDIATOR
from db.postgres.address import Address
from schema.node import NODE_TYPES
from schema.sdl import graphql_schema
from tests.laws.callers import appoint_several
from tests.laws.client import GraphQLClient, open_client
from tests.laws.visibility_oracle import TABLES, cursor, global_id
from tests.schema.paging import all_ids, paged

# Somebody who sees every list.
READER = "多职丁"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county) as opened:
        await appoint_several(opened.connection)
        yield opened


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


def connections_below() -> list[tuple[str, str]]:
    """Every list below a row: the type of the row and the field."""
    return [
        (resource, name)
        for resource, kind in graphql_schema().type_map.items()
        if resource in NODE_TYPES and isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    ]


@pytest.mark.parametrize(("resource", "field"), connections_below())
async def test_lists_below_a_row(gql: GraphQLClient, resource: str, field: str) -> None:
    """They go on from a cursor of their own, and refuse that of the same list of another row."""
    person = READER
    rows = await gql.connection.fetch(f"SELECT id FROM {TABLES[resource]} ORDER BY id LIMIT 100")
    page = f"{{ {field}(first: 1, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ id }} }} }}"
    every = f"query ($ids: [ID!]!, $after: String) {{ nodes(ids: $ids) {{ id ... on {resource} {page} }} }}"
    one = f"query ($id: ID!, $after: String) {{ node(id: $id) {{ ... on {resource} {page} }} }}"
    found = await gql.data(person, every, ids=[global_id(resource, row["id"]) for row in rows])
    longer = [row for row in found["nodes"] if row and row[field]["pageInfo"]["hasNextPage"]][:2]
    assert longer
    at = longer[0][field]["pageInfo"]["endCursor"]
    following = (await gql.data(person, one, id=longer[0]["id"], after=at))["node"][field]["nodes"]
    assert following
    assert following != longer[0][field]["nodes"]
    for other in longer[1:]:
        assert (await gql.ask(person, one, id=other["id"], after=at)).codes == ["BAD_USER_INPUT"]


async def test_what_a_cursor_holds(gql: GraphQLClient) -> None:
    """The keys of the order and the id of the row, nothing else."""
    person = PRINCIPALS["grid_worker"]
    query = "{ disputes(first: 3, orderBy: [{field: TITLE}]) { edges { cursor node { id title } } } }"
    for edge in (await gql.data(person, query))["disputes"]["edges"]:
        keys = orjson.loads(base64.b64decode(edge["cursor"]))
        mark, *keys = keys
        assert keys == [edge["node"]["title"], edge["node"]["id"].partition(":")[2]]
        assert len(mark) == 16
