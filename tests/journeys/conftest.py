"""One served county for each module of journeys."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from db.engine import Address
from tests.commands.office import Office
from tests.conftest import _lend
from tests.journeys.service import open_service


@pytest.fixture(scope="module")
def walked_county(county_template: Address) -> Iterator[Address]:
    """The demo county, for one module to change."""
    yield from _lend(county_template)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(walked_county: Address) -> AsyncIterator[Office]:
    """Commands as people give them, over HTTP."""
    async with open_service(walked_county) as opened:
        yield opened
