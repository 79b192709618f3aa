"""Runs an ASGI application with a real server on loopback, in a thread of the test process."""

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

import uvicorn

from api.app import Application, assemble
from api.lifespan import Services
from tests.api.http.small import TOKEN, Gate, small_schema


class Served(NamedTuple):
    """Where the application listens, and a token that it admits."""

    url: str
    port: int
    token: str


def small_application(ready: bool = True) -> Application:
    """The real application around the small schema."""
    schema = small_schema()

    async def is_ready() -> bool:
        if not ready:
            raise ConnectionError("no database")
        return True

    @asynccontextmanager
    async def connect() -> AsyncIterator[Services]:
        yield Services(schema, Gate(schema), is_ready)

    return assemble(connect)


@contextmanager
def serve(app: Any, token: str) -> Iterator[Served]:
    """Serve until the block ends."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = uvicorn.Config(app, loop="uvloop", ws="none", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        yield Served(f"http://127.0.0.1:{port}", port, token)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()


@contextmanager
def serve_small() -> Iterator[Served]:
    with serve(small_application(), TOKEN) as served:
        yield served
