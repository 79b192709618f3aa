"""The ASGI application: its routes, and the services that are open while the process serves.

`open_services` (`api.lifespan`) opens the schema, the gate and the pools, and closes them again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import orjson
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from api.console import pages
from api.http.endpoint import Endpoint
from api.http.limits import DEFAULT, Limits
from api.lifespan import Services
from api.logging import frames_of

if TYPE_CHECKING:
    from api.settings import Settings
    from db.postgres.address import Address

log = structlog.get_logger("sanlian.app")

GRAPHQL_PATH = "/graphql"
_READY_SECONDS = 2.0
# Key of the ASGI scope: the exception that `_unexpected_error` has answered and logged.
_LOGGED = "sanlian.logged"
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


OpenServices = Callable[[], AbstractAsyncContextManager[Services]]


class Application(Starlette):
    """Starlette, with a shortcut to the endpoint of GraphQL; no exception reaches the log of the server with its message."""

    endpoint: Endpoint | None = None
    services: Services | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The GraphQL path needs no router and no middleware; everything else goes through Starlette's."""
        if self.endpoint is not None and scope["type"] == "http" and scope["path"] == GRAPHQL_PATH:
            await self.endpoint(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._run_lifespan(scope, receive, send)
        else:
            await self._answer_page(scope, receive, send)

    async def _answer_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except Exception as error:
            # SECURITY: Starlette raises it again after the answer, for the server to log with its message.
            if scope.get(_LOGGED) is not error:
                raise

    async def _run_lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_without_traceback(message: Message) -> None:
            # SECURITY: Starlette puts the traceback and the message of the exception here, and the server logs them.
            message.pop("message", None)
            await send(message)

        try:
            await super().__call__(scope, receive, send_without_traceback)
        except Exception:
            log.exception("lifespan_failed")
            raise


def build(settings: "Settings", address: "Address") -> Application:
    """The application of one process, for the database at `address`."""
    from api.lifespan import open_services

    limits = Limits(
        max_body_bytes=settings.max_body_bytes,
        max_tokens=settings.max_tokens,
        max_depth=settings.max_depth,
        max_aliases=settings.max_aliases,
        max_root_fields=settings.max_root_fields,
        max_directives=settings.max_directives,
    )
    return assemble(lambda: open_services(settings, address), limits)


def assemble(open_services: OpenServices, limits: Limits = DEFAULT, extra: Sequence[BaseRoute] = ()) -> Application:
    """The application around `open_services`, whose services are open from start-up to shutdown."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_services() as services:
            application.services = services
            application.endpoint = Endpoint(
                services.schema, services.gate, limits, worker=services.planner, console=pages.HOME.encode()
            )
            try:
                yield
            finally:
                application.endpoint = application.services = None

    async def ready(request: Request) -> Response:
        return (
            _status_response(200, "ready")
            if await _is_ready(application.services)
            else _status_response(503, "unavailable")
        )

    application = Application(
        routes=[
            Route("/health/live", _live, methods=["GET"]),
            Route("/health/ready", ready, methods=["GET"]),
            *pages.routes(),
            *extra,
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _http_error, Exception: _unexpected_error},
    )
    # SECURITY: Starlette's redirects are absolute, to the host that the request names.
    application.router.redirect_slashes = False
    return application


async def _is_ready(services: Services | None) -> bool:
    if services is None:
        return False
    try:
        async with asyncio.timeout(_READY_SECONDS):
            return await services.ready()
    except Exception as error:  # noqa: BLE001  whatever is wrong, the answer is "not ready"
        log.warning("not_ready", error=type(error).__name__)
        return False


async def _live(request: Request) -> Response:
    return _status_response(200, "live")


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    extra = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return _status_response(status, "not found" if status == 404 else "refused", extra)


async def _unexpected_error(request: Request, error: Exception) -> Response:
    request.scope[_LOGGED] = error
    log.error("page_failed", path=request.scope["path"], error=type(error).__name__, frames=frames_of(error))
    return _status_response(500, "failed")


def _status_response(status: int, status_text: str, extra: dict[str, str] | None = None) -> Response:
    body = orjson.dumps({"status": status_text})
    return Response(body, status, {**_HEADERS, **(extra or {})}, media_type="application/json")
