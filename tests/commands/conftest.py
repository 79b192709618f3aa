"""The office of the tests of commands (office.py), on a county that one module may change: each test makes cases of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from db.postgres.address import Address
from tests.commands.office import Office, open_office
from tests.conftest import _lend


@pytest.fixture(scope="module")
def changing_county(county_template: Address) -> Iterator[Address]:
    """The demo county, for one module to change."""
    yield from _lend(county_template)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(changing_county: Address) -> AsyncIterator[Office]:
    """Commands as people give them."""
    async with open_office(changing_county) as opened:
        yield opened
