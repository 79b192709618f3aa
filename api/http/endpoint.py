"""The GraphQL endpoint: an ASGI application for one path, bytes in, bytes out. It knows no tables, no rules and no cookies.

The stages of a request, from the socket to SQL and back, with the module of each:

0. connection: a head within limits, in time                       `api.http.connection`
1. headers: method, media type, bearer token                       `api.http.request`, here
2. token -> caller, for whom alone a body is read                  `api.gate`, `api.caller`, `db.identity.tokens`
3. body or query string -> parameters, within limits               `api.http.request`
4. document -> accepted: parsed, limited, validated, cached        `api.http.documents`, `api.http.document_limits`
5. operation selected, variables limited                           here, `api.http.document_limits`
6. the fence: answered under the epoch of its own snapshot          `api.gate`, `schema.execution.fence`
7. operation -> plan, cached by document and shape of access        `schema.execution.query`, `schema.planning`
   or, for a mutation, commands in transactions                     `schema.execution.mutation`, `db.write`
   or, for a question about the policy, Python in one snapshot      `schema.questions`
8. plan -> one SQL statement under the caller's policy              `db.query.select`, `db.query.visibility`
9. statement -> JSON text of `data`                                 `db.query.reader`, `db.postgres.pool`
10. response: `data` as the text it already is, errors, status       here, `api.http.errors`
"""

import re
import secrets
from typing import Any, Protocol

import orjson
import structlog
from graphql import GraphQLSchema, OperationDefinitionNode, OperationType
from starlette.types import Receive, Scope, Send

from api.http.document_limits import check_variables
from api.http.documents import AcceptedDocument, Documents, InvalidDocument
from api.http.errors import (
    ALLOW_POST,
    BEARER,
    Headers,
    Rejection,
    document_error,
    finish_errors,
    internal_error,
    reject,
    status_of,
)
from api.http.limits import DEFAULT, Limits
from api.http.request import (
    GRAPHQL,
    JSON,
    BodyRoom,
    ClientDisconnected,
    GraphQLParams,
    Reserve,
    check_content,
    method_of,
    negotiate_media_type,
    params_from_body,
    params_from_query_string,
    read_body,
)
from api.logging import frames_of
from db.worker import Worker
from schema.computation import compute
from schema.planning.operation import Answer, Operation
from schema.refusal import Code, Refusal

log = structlog.get_logger("sanlian.endpoint")

_REQUEST_ID_FORM = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_TOKEN_FORM = re.compile(rb"[A-Za-z0-9._~+/-]{1,4096}=*")
_FIXED_HEADERS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"vary", b"Accept, Authorization"),
)
_TYPES = {JSON: b"application/json; charset=utf-8", GRAPHQL: b"application/graphql-response+json; charset=utf-8"}
_HEADERS_READ = frozenset(
    {b"accept", b"authorization", b"content-type", b"content-encoding", b"content-length", b"x-request-id"}
)


class OperationGate(Protocol):
    """Everything behind the endpoint: who the caller is, and the answer."""

    async def admit(self, token: str) -> Any:
        """The caller of a token as far as this process knows. Raises Refusal UNAUTHENTICATED."""

    async def authenticate(self, token: str) -> Any:
        """The caller of a token, as of now. Raises Refusal UNAUTHENTICATED."""

    async def answer(self, operation: Operation, token: str) -> Answer:
        """The answer of one operation for the bearer of a token. Raises Refusal where the operation is refused as a whole."""


class Endpoint:
    """An ASGI application for one path."""

    def __init__(
        self,
        schema: GraphQLSchema,
        gate: OperationGate,
        limits: Limits = DEFAULT,
        *,
        body_seconds: float = 10.0,
        worker: Worker | None = None,
        console: bytes | None = None,
    ) -> None:
        self.documents = Documents(schema, limits)
        self._gate = gate
        self._limits = limits
        self._body_seconds = body_seconds
        self._worker = worker or Worker()
        self._room = BodyRoom(limits.max_bodies_bytes)
        self._console = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, one response, whatever happens."""
        headers = {name: value for name, value in scope["headers"] if name in _HEADERS_READ}
        request_id = _request_id(headers.get(b"x-request-id"))
        media = negotiate_media_type(headers.get(b"accept"))
        if self._console is not None and scope["method"] == "GET" and _is_browser(headers.get(b"accept", b"")):
            await _send(send, 303, b"", b"text/plain", request_id, ((b"location", self._console),))
            return
        try:
            status, body, extra = await self._respond(scope, receive, headers, media, request_id)
        except ClientDisconnected:
            return
        except Rejection as rejection:
            status, extra = rejection.status, rejection.headers
            body = _response_body(None, (rejection.refusal.formatted(),), {}, request_id)
        except Exception as error:  # noqa: BLE001  the last line of defence: no stack trace leaves the process
            fields = {"request_id": request_id, "error": type(error).__name__, "frames": frames_of(error)}
            log.error("request_failed", **fields)  # noqa: TRY400  a traceback would carry the message, and that values
            status, extra = 500, ()
            body = _response_body(None, (internal_error(),), {}, request_id, logged=True)
        await _send(send, status, body, _TYPES[media or JSON], request_id, extra)

    async def _respond(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], media: bytes | None, request_id: str
    ) -> tuple[int, bytes, Headers]:
        method = method_of(scope)
        if media is None:
            raise reject(406, "只能以 application/graphql-response+json 或 application/json 回答，请修改 Accept。")
        # Only a client that asks for plain JSON by name gets the status codes of old: 200 for a request that is refused.
        strict = media == GRAPHQL or b"application/json" not in headers.get(b"accept", b"").lower()
        # SECURITY: without a token that is known nothing is read; what is wrong with a request, and what a document says, is told to those
        # alone whose token is valid now (see _params, _operation).
        token = _bearer_token(headers.get(b"authorization"))
        if token is None:
            return self._refusal(_ANONYMOUS, request_id, strict)
        try:
            await self._gate.admit(token)
            with self._room.reserved() as reserve:
                params = await self._params(scope, receive, headers, token, reserve)
                operation = await self._operation(params, token, method, request_id)
                answer = await self._gate.answer(operation, token)
        except InvalidDocument as invalid:
            errors = tuple(document_error(error) for error in invalid.errors)
            return 400 if strict else 200, _response_body(None, errors, {}, request_id), ()
        except Refusal as refusal:
            return self._refusal(refusal, request_id, strict)
        if answer.data is None:
            errors = answer.errors or (internal_error(),)
            code = str(finish_errors(errors[:1], request_id)[0]["extensions"]["code"])
            status = status_of(code, strict)
            extra = BEARER if status == 401 else ()
            return status, _response_body(None, errors, answer.extensions, request_id), extra
        return 200, _response_body(answer.data, answer.errors, answer.extensions, request_id), ()

    async def _params(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], token: str, reserve: Reserve
    ) -> GraphQLParams:
        try:
            if scope["method"] == "GET":
                return params_from_query_string(scope["query_string"], self._limits.max_address_bytes)
            check_content(headers.get(b"content-type"), headers.get(b"content-encoding"))
            max_bytes = self._limits.max_body_bytes
            body = await read_body(receive, headers.get(b"content-length"), max_bytes, self._body_seconds, reserve)
            return params_from_body(body)
        except Rejection:
            await self._gate.authenticate(token)
            raise

    async def _operation(self, params: GraphQLParams, token: str, method: str, request_id: str) -> Operation:
        accepted = self.documents.find(params.query)
        try:
            if accepted is None:
                accepted = await self._document(params.query, token)
            definition = accepted.select_operation(params.name)
            self._check(definition, method)
            if params.variables:
                check_variables(params.variables, self._limits)
        except (Refusal, Rejection) as refused:
            # SECURITY: what is wrong with a request is answered to authenticated callers alone.
            if not (isinstance(refused, Refusal) and refused.code == Code.UNAUTHENTICATED):
                await self._gate.authenticate(token)
            if isinstance(refused, Refusal) and refused.code != Code.UNAUTHENTICATED:
                raise Rejection(400, refused) from None
            raise
        return Operation(accepted.document, definition, params.name, params.variables, request_id)

    async def _document(self, text: str, token: str) -> AcceptedDocument:
        # SECURITY: parsing and validation are the costly part of a request; they are done for authenticated callers alone.
        await self._gate.authenticate(token)
        # It takes up to a tenth of a second: others are answered meanwhile.
        accepted = await compute(self._worker, self.documents.check, text)
        self.documents.keep(accepted)
        return accepted

    def _check(self, definition: OperationDefinitionNode, method: str) -> None:
        if definition.operation is OperationType.SUBSCRIPTION:
            raise Refusal(Code.BAD_USER_INPUT, "订阅不能用普通请求发起，请用 WebSocket 或 SSE 连接。")
        if method == "GET" and definition.operation is not OperationType.QUERY:
            # SECURITY: a link, a prefetch or an image must never change anything.
            raise reject(405, "GET 只能查询；变更请用 POST。", ALLOW_POST)

    def _refusal(self, refusal: Refusal, request_id: str, strict: bool) -> tuple[int, bytes, Headers]:
        status = status_of(refusal.code, strict)
        return (
            status,
            _response_body(None, (refusal.formatted(),), {}, request_id),
            BEARER if status == 401 else (),
        )


_ANONYMOUS = Refusal(Code.UNAUTHENTICATED, "请先登录：在 Authorization 头里带上 Bearer 令牌。")


def _bearer_token(authorization: bytes | None) -> str | None:
    # SECURITY: the header is the only place for a token: never the address (it is logged) nor a cookie (it is sent
    # along by other people's pages).
    if authorization is None or authorization[:7].lower() != b"bearer ":
        return None
    token = authorization[7:].strip(b" ")
    return token.decode("ascii") if _TOKEN_FORM.fullmatch(token) else None


def _request_id(header: bytes | None) -> str:
    if header is not None and _REQUEST_ID_FORM.fullmatch(header):
        return header.decode("ascii")
    return secrets.token_hex(12)


def _is_browser(accept: bytes) -> bool:
    return b"text/html" in accept and b"json" not in accept


def _response_body(
    data: bytes | None,
    errors: tuple[Any, ...],
    extensions: dict[str, Any],
    request_id: str,
    *,
    logged: bool = False,
) -> bytes:
    """The response around a `data` that is already text. `logged`: its internal error is in the log."""
    parts: list[bytes] = []
    if data is not None:
        parts += (b'"data":', data)
    if errors:
        finished = finish_errors(errors, request_id)
        for error in finished:
            # The message of an internal error promises that it is in the log.
            if error["extensions"]["code"] == Code.INTERNAL and not logged:
                log.error("answered_internal_error", request_id=request_id, path=error.get("path"))
        parts += (b"," if parts else b"", b'"errors":', orjson.dumps(finished))
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
                *_FIXED_HEADERS,
                *extra,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
