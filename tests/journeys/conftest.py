"""The served counties of the journeys: one that they share, each with a dispute of its own, and one for the races."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from db.postgres.address import Address
from tests.databases import lend
from tests.journeys.service import open_service
from tests.office import Office


@pytest.fixture(scope="session")
def walked_county(county_template: Address) -> Iterator[Address]:
    """The demo county, for the journeys to change."""
    yield from lend(county_template)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def office(walked_county: Address) -> AsyncIterator[Office]:
    """Commands as people give them, over HTTP. One connection for reading, so that each statement is planned once."""
    async with open_service(walked_county, pool_size=1) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def busy_office(changing_county: Address) -> AsyncIterator[Office]:
    """The same with as many connections as in production."""
    async with open_service(changing_county, pool_size=8) as opened:
        yield opened
