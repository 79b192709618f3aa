"""Clients of the laws: one process for each module, on the demo county that the module shares.

To whoever adds a law: take `gql`; a test that writes takes `own_county` and opens a client of its own.
"""

from collections.abc import AsyncIterator

import pytest_asyncio

from db.postgres.address import Address
from tests.laws.callers import appoint_several
from tests.laws.client import GraphQLClient, open_client
from tests.laws.visibility_oracle import Snapshot


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    """Answers from the demo county."""
    async with open_client(county) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def snapshot(gql: GraphQLClient) -> Snapshot:
    """All rows of the demo county, with the people of several appointments among them."""
    await appoint_several(gql.connection)
    return await Snapshot.read(gql.connection)


@pytest_asyncio.fixture(loop_scope="session")
async def two(own_county: Address) -> AsyncIterator[tuple[GraphQLClient, GraphQLClient]]:
    """Two processes on one database, which the test may change."""
    async with open_client(own_county) as one, open_client(own_county) as other:
        yield one, other
