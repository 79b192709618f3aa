"""The small application: the real one around the small schema, with and without a network."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from starlette.routing import BaseRoute

from api.app import Application, assemble
from api.lifespan import Services
from db.worker import Worker
from tests.api.http.small import TOKEN, Gate, small_schema
from tests.server import Served, serve


def small_application(ready: bool = True, extra: Sequence[BaseRoute] = ()) -> Application:
    """The real application around the small schema; `extra`: more routes."""
    schema = small_schema()

    async def is_ready() -> bool:
        if not ready:
            raise ConnectionError("no database")
        return True

    @asynccontextmanager
    async def connect() -> AsyncIterator[Services]:
        yield Services(schema, Gate(schema), is_ready, Worker())

    return assemble(connect, extra=extra)


@contextmanager
def serve_small() -> Iterator[Served]:
    """Serve the small application until the block ends."""
    with serve(small_application(), TOKEN) as served:
        yield served
