"""The desks of the laws (asking.py), one process for each module, on the demo county that the module shares.

To whoever adds a law: take `desk`; a test that writes takes `own_county` and opens a desk of its own.
"""

from collections.abc import AsyncIterator

import pytest_asyncio

from db.postgres.address import Address
from tests.laws.client import Desk, open_desk


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(county: Address) -> AsyncIterator[Desk]:
    """Answers from the demo county."""
    async with open_desk(county) as opened:
        yield opened
