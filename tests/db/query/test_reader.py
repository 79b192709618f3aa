"""Which plan answers: one for all values, one for certain codes, or one for each question."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from db.county.people import PRINCIPALS
from db.postgres.address import Address
from db.query.reader import MOST_CODES, OFTEN, Reader
from db.query.statement import GENERIC, Statement, per_codes
from tests.laws.client import GraphQLClient, open_client

QUERY = """query ($state: [DisputeState!], $source: [DisputeSource!], $first: Int, $after: String) {
  disputes(first: $first, after: $after, filter: {state: $state, source: $source}) { totalCount edges { cursor node { id state source } } } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county) as opened:
        yield opened


def reader_of(gql: GraphQLClient) -> Reader:
    reader: Reader = gql.services.gate._reader
    return reader


def kept(gql: GraphQLClient) -> int:
    """How many statements there are for certain codes."""
    return sum(with_codes is not None for _, with_codes in reader_of(gql)._code_sets.values())


async def test_codes_that_are_asked_for_often_have_a_statement_of_their_own(
    gql: GraphQLClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answers are those of the other statement, to every caller, on every page; the values of a cursor stay values."""
    heard: list[str] = []
    pool: Any = reader_of(gql)._generic
    fetchrow = pool.fetchrow

    async def listening(sql: str, arguments: Any = ()) -> Any:
        heard.append(sql)
        return await fetchrow(sql, arguments)

    monkeypatch.setattr(pool, "fetchrow", listening)
    for who in ("bureau_admin", "squad_member"):
        for codes in (
            {"state": ["CLOSED"], "source": ["GRID", "APPLY"]},
            {"state": ["MEDIATING", "CLOSED"], "source": ["GRID"]},
        ):
            before = kept(gql)
            first = await gql.data(PRINCIPALS[who], QUERY, first=3, **codes)
            edges = first["disputes"]["edges"]
            beyond = await gql.data(PRINCIPALS[who], QUERY, first=3, after=edges[0]["cursor"], **codes)
            assert beyond["disputes"]["edges"][: len(edges) - 1] == edges[1:]
            assert all(
                edge["node"]["state"] in codes["state"] and edge["node"]["source"] in codes["source"] for edge in edges
            )
            assert not heard
            for _ in range(OFTEN + 2):
                assert await gql.data(PRINCIPALS[who], QUERY, first=3, **codes) == first
                assert await gql.data(PRINCIPALS[who], QUERY, first=3, after=edges[0]["cursor"], **codes) == beyond
            assert kept(gql) == before + 2
            assert len(heard) == 2 * 3
            assert all("'{" + ",".join(listed) + "}'" in heard[-1] for listed in codes.values())
            # What was asked for once has none.
            shorter = await gql.data(PRINCIPALS[who], QUERY, first=3, state=["ACCEPTED"], source=codes["source"])
            assert all(edge["node"]["state"] == "ACCEPTED" for edge in shorter["disputes"]["edges"])
            assert len(heard) == 2 * 3
            heard.clear()


async def test_long_lists_are_not_remembered(gql: GraphQLClient) -> None:
    before = len(reader_of(gql)._code_sets)
    many = ["CLOSED"] * (MOST_CODES + 1)
    for _ in range(OFTEN + 2):
        found = await gql.data(PRINCIPALS["bureau_admin"], QUERY, first=2, state=many, source=["GRID"])
        assert len(found["disputes"]["edges"]) == 2
    assert len(reader_of(gql)._code_sets) == before


STATEMENT = Statement("SELECT $2::TEXT[], $1::INTEGER, $3::TEXT[], $11", tuple("abcdefghijk"), {}, per_codes("bc"))


def test_a_statement_with_codes_has_the_other_values_in_order() -> None:
    with_codes = STATEMENT.with_codes({"b": ["CLOSED", "P02"], "c": []})
    assert with_codes is not None
    assert with_codes.sql == "SELECT '{CLOSED,P02}'::TEXT[], $1::INTEGER, '{}'::TEXT[], $9"
    assert with_codes.planning == GENERIC
    assert with_codes.binds == tuple("adefghijk")


@pytest.mark.parametrize("value", ["", "a", "A'", "A}", "A,B", "A B", "A\n", "1", "é", "A" * 41])
def test_what_is_no_code_is_put_into_no_text(value: str) -> None:
    given: Mapping[str, list[str]] = {"b": ["CLOSED", value], "c": []}
    assert STATEMENT.with_codes(given) is None
