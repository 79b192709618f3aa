"""Which plan answers: one for all values, one for certain codes, or one for each execution."""

from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from api.lifespan import READER
from db.county.people import PRINCIPALS
from db.postgres.address import Address
from db.query.reader import MOST_CODES, OFTEN
from db.query.statement import GENERIC, Statement, per_codes
from tests.laws.client import GraphQLClient, open_client

QUERY = """query ($state: [DisputeState!], $source: [DisputeSource!], $first: Int, $after: String) {
  disputes(first: $first, after: $after, filter: {state: $state, source: $source}) { totalCount edges { cursor node { id state source } } } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county) as opened:
        yield opened


# The sessions of the reader's pool of generic plans.
GENERIC_SESSIONS = {"role": READER, "plan_cache_mode": "force_generic_plan"}


async def test_codes_that_are_asked_for_often_have_a_statement_of_their_own(gql: GraphQLClient) -> None:
    """Its answers are those of the other statement, to every caller, on every page; the values of a cursor stay values."""
    for who in ("bureau_admin", "squad_member"):
        for codes in (
            {"state": ["CLOSED"], "source": ["GRID", "APPLY"]},
            {"state": ["MEDIATING", "CLOSED"], "source": ["GRID"]},
        ):
            with gql.recorder.recording() as recording:
                first = await gql.data(PRINCIPALS[who], QUERY, first=3, **codes)
                edges = first["disputes"]["edges"]
                beyond = await gql.data(PRINCIPALS[who], QUERY, first=3, after=edges[0]["cursor"], **codes)
                assert beyond["disputes"]["edges"][: len(edges) - 1] == edges[1:]
                assert all(
                    edge["node"]["state"] in codes["state"] and edge["node"]["source"] in codes["source"]
                    for edge in edges
                )
                assert await recording.texts(**GENERIC_SESSIONS) == []
                for _ in range(OFTEN + 2):
                    assert await gql.data(PRINCIPALS[who], QUERY, first=3, **codes) == first
                    assert await gql.data(PRINCIPALS[who], QUERY, first=3, after=edges[0]["cursor"], **codes) == beyond
                texts = await recording.texts(**GENERIC_SESSIONS)
                # Of the two pages one statement each, from the time when they have been asked for often.
                assert (len(texts), len(set(texts))) == (2 * 3, 2)
                for text in texts:
                    assert all("'{" + ",".join(values) + "}'" in text for values in codes.values())
                # What was asked for once has none.
                shorter = await gql.data(PRINCIPALS[who], QUERY, first=3, state=["ACCEPTED"], source=codes["source"])
                assert all(edge["node"]["state"] == "ACCEPTED" for edge in shorter["disputes"]["edges"])
                assert await recording.texts(**GENERIC_SESSIONS) == texts


async def test_a_long_list_has_no_statement_of_its_own(gql: GraphQLClient) -> None:
    many = ["CLOSED"] * (MOST_CODES + 1)
    with gql.recorder.recording() as recording:
        for _ in range(OFTEN + 2):
            page = await gql.data(PRINCIPALS["bureau_admin"], QUERY, first=2, state=many, source=["GRID"])
            assert len(page["disputes"]["edges"]) == 2
        assert await recording.texts(**GENERIC_SESSIONS) == []


STATEMENT = Statement("SELECT $2::TEXT[], $1::INTEGER, $3::TEXT[], $11", tuple("abcdefghijk"), {}, per_codes("bc"))


def test_a_statement_with_codes_has_the_other_values_in_order() -> None:
    with_codes = STATEMENT.with_codes({"b": ["CLOSED", "P02"], "c": []})
    assert with_codes is not None
    assert with_codes.sql == "SELECT '{CLOSED,P02}'::TEXT[], $1::INTEGER, '{}'::TEXT[], $9"
    assert with_codes.planning == GENERIC
    assert with_codes.binds == tuple("adefghijk")


@pytest.mark.parametrize("value", ["", "a", "A'", "A}", "A,B", "A B", "A\n", "1", "é", "A" * 41])
def test_what_is_no_code_is_put_into_no_text(value: str) -> None:
    assert STATEMENT.with_codes({"b": ["CLOSED", value], "c": []}) is None


@pytest.mark.parametrize("fast_path", [True, False])
async def test_what_is_too_large_stays_in_the_database(gql: GraphQLClient, county: Address, fast_path: bool) -> None:
    """The same field under ever more names: an answer as large as the limit comes, one byte more is refused with both numbers."""
    limit, who, codes = 3_000, PRINCIPALS["bureau_admin"], set()
    async with open_client(county, max_answer_bytes=limit, fast_path=fast_path) as bounded:
        for count in (1, 4, 12, 28):
            names = " ".join(f"a{number}: summary" for number in range(count))
            query = f"{{ disputes(first: 5) {{ nodes {{ id {names} }} }} }}"
            whole = (await gql.ask(who, query)).text
            assert whole is not None
            response = await bounded.ask(who, query)
            codes.add(tuple(response.codes))
            if len(whole) <= limit:
                assert response.data == orjson.loads(whole)
            else:
                (error,) = response.errors
                assert (error["extensions"]["cost"], error["extensions"]["limit"]) == (len(whole), limit)
    assert codes == {(), ("TOO_COSTLY",)}
