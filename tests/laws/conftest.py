"""The desks of the laws (asking.py), one process for each module, on the demo county that the module shares.

To whoever adds a law: take `desk`; a test that writes takes `own_county` and opens a desk of its own.
"""

from collections.abc import AsyncIterator

import pytest_asyncio

from db.postgres.address import Address
from tests.laws.client import GraphQLClient, open_client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    """Answers from the demo county."""
    async with open_client(county) as opened:
        yield opened
