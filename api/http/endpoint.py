"""The GraphQL endpoint: bytes in, bytes out. Reads the request, finds or accepts the document, asks the gate, answers.

The `data` of an answer goes to the socket as the text it already is. It knows no tables, no rules and no cookies.
"""

import re
import secrets
from typing import Any, Protocol

import orjson
import structlog
from graphql import GraphQLSchema, OperationDefinitionNode, OperationType
from starlette.types import Receive, Scope, Send

from api.http.document_limits import measure_variables
from api.http.documents import Documents, Invalid, Known
from api.http.errors import (
    ALLOW_POST,
    BEARER,
    Headers,
    Rejection,
    finish,
    reject,
    status_of,
    tell_document,
    tell_exception,
    tell_internal,
    tell_refusal,
    where_from,
)
from api.http.limits import DEFAULT, Limits
from api.http.request import (
    GRAPHQL,
    JSON,
    Asked,
    Gone,
    check_content,
    choose,
    from_address,
    from_body,
    method_of,
    read_body,
)
from schema.planning.operation import Answer, Operation
from schema.refusal import Code, Refusal

log = structlog.get_logger("sanlian.endpoint")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]{1,4096}=*")
_FIXED: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"vary", b"Accept, Authorization"),
)
_TYPES = {JSON: b"application/json; charset=utf-8", GRAPHQL: b"application/graphql-response+json; charset=utf-8"}
_WANTED = frozenset(
    {b"accept", b"authorization", b"content-type", b"content-encoding", b"content-length", b"x-request-id"}
)


class OperationGate(Protocol):
    """Who may ask, and the answer: everything behind the endpoint."""

    async def admit(self, token: str) -> Any:
        """Return whom the token stands for, now; raise Refusal UNAUTHENTICATED."""

    async def answer(self, operation: Operation, token: str) -> Answer:
        """Answer one operation for the bearer of the token; raise Refusal when it is refused as a whole."""


class Endpoint:
    """An ASGI application for one path."""

    def __init__(
        self,
        schema: GraphQLSchema,
        gate: OperationGate,
        limits: Limits = DEFAULT,
        *,
        body_seconds: float = 10.0,
        console: bytes | None = None,
    ) -> None:
        self.documents = Documents(schema, limits)
        self._gate = gate
        self._limits = limits
        self._body_seconds = body_seconds
        self._console = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, one response, whatever happens."""
        headers = {name: value for name, value in scope["headers"] if name in _WANTED}
        request_id = _identify(headers.get(b"x-request-id"))
        media = choose(headers.get(b"accept"))
        if self._console is not None and scope["method"] == "GET" and _is_browser(headers.get(b"accept", b"")):
            await _send(send, 303, b"", b"text/plain", request_id, ((b"location", self._console),))
            return
        try:
            status, body, extra = await self._respond(scope, receive, headers, media, request_id)
        except Gone:
            return
        except Rejection as rejection:
            status, extra = rejection.status, rejection.headers
            body = _enveloped(None, (tell_refusal(rejection.refusal),), {}, request_id)
        except Exception as error:  # noqa: BLE001  the last line of defence: no stack trace leaves the process
            told = {"request_id": request_id, "error": type(error).__name__, "frames": where_from(error)}
            log.error("request_failed", **told)  # noqa: TRY400  a traceback would carry the message, and that values
            status, extra = 500, ()
            body = _enveloped(None, (tell_internal(),), {}, request_id)
        await _send(send, status, body, _TYPES[media or JSON], request_id, extra)

    async def _respond(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], media: bytes | None, request_id: str
    ) -> tuple[int, bytes, Headers]:
        method = method_of(scope)
        if media is None:
            raise reject(406, "只能以 application/graphql-response+json 或 application/json 回答，请修改 Accept。")
        # Only a client that asks for plain JSON by name gets the status codes of old: 200 for a request that is refused.
        strict = media == GRAPHQL or b"application/json" not in headers.get(b"accept", b"").lower()
        if method == "POST":
            check_content(headers.get(b"content-type"), headers.get(b"content-encoding"))
        # SECURITY: without a token nothing is read; with a token that is not valid nothing is parsed (see _document).
        token = _bearer(headers.get(b"authorization"))
        if token is None:
            return self._refused(_ANONYMOUS, request_id, strict)
        if method == "POST":
            most = self._limits.max_body_bytes
            body = await read_body(receive, headers.get(b"content-length"), most, self._body_seconds)
            asked = from_body(body)
        else:
            asked = from_address(scope["query_string"], self._limits.max_address_bytes)
        try:
            operation = await self._operation(asked, token, method, request_id)
            answer = await self._gate.answer(operation, token)
        except Invalid as invalid:
            errors = tuple(tell_document(error) for error in invalid.errors)
            return 400 if strict else 200, _enveloped(None, errors, {}, request_id), ()
        except Refusal as refusal:
            return self._refused(refusal, request_id, strict)
        if answer.data is None:
            errors = answer.errors or (tell_internal(),)
            code = str(finish(errors[:1], request_id)[0]["extensions"]["code"])
            status = status_of(code, strict)
            extra = BEARER if status == 401 else ()
            return status, _enveloped(None, errors, answer.extensions, request_id), extra
        return 200, _enveloped(answer.data, answer.errors, answer.extensions, request_id), ()

    async def _operation(self, asked: Asked, token: str, method: str, request_id: str) -> Operation:
        known = self.documents.find(asked.query)
        try:
            if known is None:
                known = await self._document(asked.query, token)
            definition = known.choose(asked.name)
            self._check(definition, method)
            if asked.variables:
                measure_variables(asked.variables, self._limits)
        except (Refusal, Rejection) as refused:
            # SECURITY: what is wrong with a request is told only to those who may ask.
            if not (isinstance(refused, Refusal) and refused.code == Code.UNAUTHENTICATED):
                await self._gate.admit(token)
            if isinstance(refused, Refusal) and refused.code != Code.UNAUTHENTICATED:
                raise Rejection(400, refused) from None
            raise
        return Operation(known.document, definition, asked.name, asked.variables, request_id)

    async def _document(self, text: str, token: str) -> Known:
        # SECURITY: parsing and validation are the dear part of a request; only those admitted make us do it.
        await self._gate.admit(token)
        return self.documents.accept(text)

    def _check(self, definition: OperationDefinitionNode, method: str) -> None:
        if definition.operation is OperationType.SUBSCRIPTION:
            raise Refusal(Code.BAD_USER_INPUT, "订阅不能用普通请求发起，请用 WebSocket 或 SSE 连接。")
        if method == "GET" and definition.operation is not OperationType.QUERY:
            # SECURITY: a link, a prefetch or an image must never change anything.
            raise reject(405, "GET 只能查询；变更请用 POST。", ALLOW_POST)

    def _refused(self, refusal: Refusal, request_id: str, strict: bool) -> tuple[int, bytes, Headers]:
        status = status_of(refusal.code, strict)
        return status, _enveloped(None, (tell_exception(refusal),), {}, request_id), BEARER if status == 401 else ()


_ANONYMOUS = Refusal(Code.UNAUTHENTICATED, "请先登录：在 Authorization 头里带上 Bearer 令牌。")


def _bearer(authorization: bytes | None) -> str | None:
    # SECURITY: the header is the only place for a token: never the address (it is logged) nor a cookie (it is sent
    # along by other people's pages).
    if authorization is None or authorization[:7].lower() != b"bearer ":
        return None
    token = authorization[7:].strip(b" ")
    return token.decode("ascii") if _TOKEN.fullmatch(token) else None


def _identify(given: bytes | None) -> str:
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode("ascii")
    return secrets.token_hex(12)


def _is_browser(accept: bytes) -> bool:
    return b"text/html" in accept and b"json" not in accept


def _enveloped(data: bytes | None, errors: tuple[Any, ...], extensions: dict[str, Any], request_id: str) -> bytes:
    """The response around a `data` that is already text."""
    parts: list[bytes] = []
    if data is not None:
        parts += (b'"data":', data)
    if errors:
        parts += (b"," if parts else b"", b'"errors":', orjson.dumps(finish(errors, request_id)))
    if extensions:
        parts += (b"," if parts else b"", b'"extensions":', orjson.dumps(extensions))
    return b"".join((b"{", *parts, b"}"))


async def _send(send: Send, status: int, body: bytes, media: bytes, request_id: str, extra: Headers = ()) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", media),
                (b"content-length", str(len(body)).encode()),
                (b"x-request-id", request_id.encode()),
                *_FIXED,
                *extra,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
