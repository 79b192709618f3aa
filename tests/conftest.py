"""Databases for the tests: one private server a session, and clones of two templates, made only when asked for.

`database` is an empty, migrated database of one test. `county` is the demo county, shared by a module that only reads;
`own_county` is the same for one test that writes; `large_county` has rows enough for plans and bounds.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from db.postgres.address import Address
from db.postgres.databases import ensure_database
from db.postgres.embedded.server import EmbeddedServer
from tests.databases import KEY, clone, lend
from tests.office import Office, open_office

LARGE = 20_000


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """The server of this session. It ends with the session, and with the process if that is killed."""
    # Not pytest's own temporary directory: it is readable by its owner only, and root's server has another account.
    home = Path(tempfile.mkdtemp(prefix="sanlian-tests-"))
    home.chmod(0o711)
    try:
        with EmbeddedServer.start(home, durable=False) as running:
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> Address:
    """A migrated, empty database. Never connect to it: clones are made of it."""
    from db.postgres.migrate import migrate

    address = server.address.with_database("template_empty")

    async def make() -> None:
        await ensure_database(address)
        await migrate(address)

    asyncio.run(make())
    return address


@pytest.fixture(scope="session")
def county_template(template: Address) -> Address:
    """A migrated database with the demo county. Never connect to it: clones are made of it."""
    from db.county.loading import load
    from db.crypto import Cipher

    address = template.with_database("template_county")

    async def make() -> None:
        await clone(template, address)
        connection = await asyncpg.connect(**address.connect_arguments())
        try:
            await load(connection, Cipher(KEY))
        finally:
            await connection.close()

    asyncio.run(make())
    return address


@pytest.fixture(scope="session")
def large_template(county_template: Address) -> Address:
    """The demo county with LARGE synthetic disputes more. Never connect to it: clones are made of it."""
    from db.county.scale import extend

    address = county_template.with_database("template_large")

    async def make() -> None:
        await clone(county_template, address)
        connection = await asyncpg.connect(**address.connect_arguments())
        try:
            await extend(connection, LARGE)
            await connection.execute("VACUUM (ANALYZE)")
        finally:
            await connection.close()

    asyncio.run(make())
    return address


@pytest.fixture
def database(template: Address) -> Iterator[Address]:
    """An empty, migrated database of this test alone."""
    yield from lend(template)


@pytest.fixture(scope="module")
def county(county_template: Address) -> Iterator[Address]:
    """The demo county, for the tests of one module, which must leave it as it is."""
    yield from lend(county_template)


@pytest.fixture
def own_county(county_template: Address) -> Iterator[Address]:
    """The demo county, for this test alone to change."""
    yield from lend(county_template)


@pytest.fixture(scope="module")
def changing_county(county_template: Address) -> Iterator[Address]:
    """The demo county, for one module to change."""
    yield from lend(county_template)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(changing_county: Address) -> AsyncIterator[Office]:
    """Commands as people give them, on a county that one module may change: each test makes cases of its own."""
    async with open_office(changing_county) as opened:
        yield opened


@pytest.fixture(scope="module")
def large_county(large_template: Address) -> Iterator[Address]:
    """The demo county with many synthetic disputes, for the tests of one module."""
    yield from lend(large_template)
