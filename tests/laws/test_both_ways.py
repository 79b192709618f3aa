"""Law: the text that PostgreSQL writes is what graphql-core would have answered: same keys in the same order, same errors."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from api.http.limits import Limits
from db.postgres.address import Address
from schema.planning.question import QUESTIONS
from tests.laws.callers import EVERYONE, appoint_several
from tests.laws.client import GraphQLClient, open_client
from tests.laws.queries import NASTY, Query
from tests.laws.visibility_oracle import TABLES, global_id

WIDE = Limits(
    max_tokens=20_000, max_aliases=500, max_root_fields=50, max_directives=500, max_depth=30, max_introspections=50
)
QUERIES = 100


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def both(county: Address) -> AsyncIterator[tuple[GraphQLClient, GraphQLClient]]:
    """Two processes on one database: the fast one and the one that completes field by field."""
    async with open_client(county, limits=WIDE) as fast, open_client(county, limits=WIDE, fast_path=False) as slow:
        await appoint_several(fast.connection)
        yield fast, slow


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ids(both: tuple[GraphQLClient, GraphQLClient]) -> dict[str, list[str]]:
    """Some identifiers of each type."""
    found = {}
    for resource, table in TABLES.items():
        keys = await both[0].connection.fetch(f"SELECT id FROM {table} ORDER BY md5(id::text) LIMIT 6")
        found[resource] = [global_id(resource, row["id"]) for row in keys]
    return found


async def alike(both: tuple[GraphQLClient, GraphQLClient], person: str, text: str, **variables: object) -> list[str]:
    """Ask both; the codes of the errors (`OK` for none)."""
    token = await both[0].token(person)
    fast, slow = await asyncio.gather(*(gql.ask_with(token, text, variables) for gql in both))
    assert fast.errors == slow.errors, (text, variables)
    assert (fast.data is None) == (slow.data is None), (text, variables)
    # Parsed and written again: the numbers of both in one notation, the keys in the order in which each stood.
    assert orjson.dumps(fast.data) == orjson.dumps(slow.data), (text, variables)
    return fast.codes or ["OK"]


@pytest.mark.parametrize("part", range(4))
async def test_random_queries(both: tuple[GraphQLClient, GraphQLClient], ids: dict[str, list[str]], part: int) -> None:
    """Random queries as random people."""
    outcomes: Counter[str] = Counter()
    for number in range(part, QUERIES, 4):
        dice = random.Random(number)
        query = Query(both[0].services.schema, dice, ids)
        outcomes.update(await alike(both, dice.choice(EVERYONE), query.text, **query.variables))
    assert outcomes["OK"] > QUERIES / 12, outcomes
    assert not outcomes["INTERNAL"], outcomes


async def test_random_questions(both: tuple[GraphQLClient, GraphQLClient], ids: dict[str, list[str]]) -> None:
    """Questions that Python answers, among others and alone: about the caller, about others, refused ones, unknown rows."""
    outcomes: Counter[str] = Counter()
    for number in range(5000, 5000 + QUERIES // 2):
        dice = random.Random(number)
        # A run of an impact tells the time; the tests of a policy take too long for so many.
        questions = dice.sample(sorted(set(QUESTIONS) - {"policyImpact", "policyTest"}), 4)
        query = Query(both[0].services.schema, dice, ids, questions)
        while not any(one in query.text for one in questions):
            query = Query(both[0].services.schema, dice, ids, questions)
        outcomes.update(await alike(both, dice.choice(EVERYONE), query.text, **query.variables))
    assert outcomes["OK"] > 2, outcomes
    assert outcomes["FORBIDDEN"] > 2, outcomes
    assert not outcomes["INTERNAL"], outcomes


@pytest.mark.parametrize("alias", NASTY)
async def test_any_alias(both: tuple[GraphQLClient, GraphQLClient], alias: str) -> None:
    """A response key is only a key, whatever the word means to a database."""
    text = f"""{{ {alias}: disputes(first: 2) {{ {alias}: nodes {{ {alias}: title area {{ {alias}: name }} parties {{ {alias}: name }}
        access {{ {alias}: hidden }} }} p: pageInfo {{ {alias}: endCursor }} n: totalCount }} s: statistics {{ {alias}: registered }} }}"""
    assert await alike(both, "罗明远", text) == ["OK"]
