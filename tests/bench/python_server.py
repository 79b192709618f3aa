"""How the Python contestants beside the product are served: the same server, the same event loop, on loopback."""

import json
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import uvicorn

from db.postgres.address import Address
from tests.bench.access import ACCESS
from tests.server import listen


def caller_of(header: str) -> tuple[str, Any]:
    """Role and claim of the header `role claim`. It is trusted: these contestants have no authentication of their own."""
    role, _, claim = header.partition(" ")
    return role, UUID(claim) if ACCESS[role].kind == "uuid" else claim


def serve(application: Callable[[Address], Any]) -> None:
    """Serve `application(address)`; the arguments are the port and the address of the database as JSON."""
    port, address = int(sys.argv[1]), Address(**json.loads(sys.argv[2]))
    config = uvicorn.Config(
        application(address),
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        log_level="warning",
    )
    uvicorn.Server(config).run(sockets=[listen(port)])
