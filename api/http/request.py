"""Bytes -> the parameters of a GraphQL request, and an Accept header -> a media type (GraphQL over HTTP; RFC 9110 section 12.5.1).

It counts while it reads and refuses what is not exactly one JSON object. It parses no GraphQL.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from api.http.errors import ALLOW_BOTH, reject, reject_busy

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

JSON = b"application/json"
GRAPHQL = b"application/graphql-response+json"
_OFFERED = (JSON, GRAPHQL)  # of two equally welcome to a wildcard, plain JSON
_WEIGHT = re.compile(rb"[01](\.[0-9]{0,3})?")
_PARAMETERS = frozenset({"query", "variables", "operationName", "extensions"})


class GraphQLParams(NamedTuple):
    """The parameters of GraphQL over HTTP, their JSON types checked."""

    query: str
    variables: dict[str, Any]
    name: str | None


class ClientDisconnected(Exception):
    """The client hung up while it was sending."""


def negotiate_media_type(accept: bytes | None) -> bytes | None:
    """The media type to answer in: the one with the highest weight, None when neither is acceptable."""
    if accept is None or not accept.strip():
        return JSON
    if accept in _OFFERED:
        return accept
    best_quality: tuple[float, int] = (0.0, 0)
    best_type: bytes | None = None
    for offered in _OFFERED:
        weight, exactness = _quality(accept.lower(), offered)
        if weight > 0 and (weight, exactness) > best_quality:
            best_quality, best_type = (weight, exactness), offered
    # A client that names both with the same weight understands the newer one, whose status codes say more.
    if best_type == JSON and best_quality[1] == 2 and _quality(accept.lower(), GRAPHQL) == best_quality:
        return GRAPHQL
    return best_type


def _quality(accept: bytes, offered: bytes) -> tuple[float, int]:
    """Weight and exactness of the most exact range that covers the type: exact 2, application/* 1, */* 0."""
    quality = (0.0, -1)
    for part in accept.split(b",")[:40]:
        media_type, *parameters = (piece.strip() for piece in part.split(b";"))
        exactness = {offered: 2, b"application/*": 1, b"*/*": 0}.get(media_type, -1)
        if exactness <= quality[1]:
            continue
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition(b"=")
            if name == b"q":
                weight = min(float(value), 1.0) if _WEIGHT.fullmatch(value) else 0.0
            elif name == b"charset" and value.strip(b'"') not in (b"utf-8", b"utf8"):
                weight = 0.0
        quality = (weight, exactness)
    return quality


def check_content(content_type: bytes | None, encoding: bytes | None) -> None:
    """Raises Rejection 415 for anything but uncompressed UTF-8 JSON."""
    # SECURITY: a form or text/plain post needs no CORS preflight, so those types are never taken for JSON; compressed
    # bodies are refused because a small one may unpack to any size.
    if encoding is not None and encoding.strip().lower() not in (b"", b"identity"):
        raise reject(415, "不接受压缩的请求体，请去掉 Content-Encoding。")
    if content_type == JSON:
        return
    media_type, *parameters = (piece.strip().lower() for piece in (content_type or b"").split(b";"))
    if media_type != JSON:
        raise reject(415, "请求体须是 JSON，请把 Content-Type 设为 application/json。")
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"charset" and value.strip().strip(b'"') not in (b"utf-8", b"utf8"):
            raise reject(415, "请求体须用 UTF-8 编码。")


# Called with the number of bytes that are held from now on. Raises Rejection 503.
Reserve = Callable[[int], None]


class BodyRoom:
    """The bytes of all bodies that a process holds at once, bounded."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0

    @contextmanager
    def reserved(self) -> Iterator[Reserve]:
        """Room for one body, which it takes as it comes, until the end of the block."""
        own = 0

        def reserve(count: int) -> None:
            nonlocal own
            if self._bytes + count > self._max_bytes:
                # SECURITY: a caller with a token may open any number of connections.
                raise reject_busy(self._bytes + count, self._max_bytes)
            own += count
            self._bytes += count

        try:
            yield reserve
        finally:
            self._bytes -= own


async def read_body(
    receive: Receive, declared: bytes | None, max_bytes: int, seconds: float, reserve: Reserve
) -> bytes:
    """The whole body, at most `max_bytes` bytes, within `seconds` altogether. Raises Rejection 400, 408, 413 or 503, and ClientDisconnected."""
    # SECURITY: counted while it streams, so that a false or missing Content-Length gains nothing, and timed as a whole,
    # so that a byte now and then does not keep the connection.
    if declared is not None:
        if not declared.isdigit():
            raise reject(400, "Content-Length 不是数字。")
        if len(declared) > 15 or int(declared) > max_bytes:
            raise _too_large(max_bytes)
    message = await _receive(receive, seconds)
    body: bytes = message.get("body", b"")
    reserve(len(body))
    if not message.get("more_body", False):
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
        return body
    deadline = asyncio.get_running_loop().time() + seconds
    chunks, size = [body], len(body)
    while message.get("more_body", False):
        if size > max_bytes:
            raise _too_large(max_bytes)
        message = await _receive(receive, deadline - asyncio.get_running_loop().time())
        chunk: bytes = message.get("body", b"")
        reserve(len(chunk))
        chunks.append(chunk)
        size += len(chunk)
    if size > max_bytes:
        raise _too_large(max_bytes)
    return b"".join(chunks)


async def _receive(receive: Receive, seconds: float) -> Message:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            message = await receive()
    except TimeoutError:
        raise reject(408, "请求体发送过慢，已超时；请重试。") from None
    if message["type"] == "http.disconnect":
        raise ClientDisconnected
    return message


def _too_large(max_bytes: int) -> Exception:
    return reject(413, f"请求体超过 {max_bytes} 字节；请缩小查询，或把长内容分几次提交。")


def params_from_body(body: bytes) -> GraphQLParams:
    """The parameters in a POST body. Raises Rejection 400."""
    try:
        # SECURITY: orjson refuses by itself NaN, a byte order mark, broken UTF-8, lone surrogates, nesting beyond 1024
        # and numbers beyond a double, each in linear time and with the same exception.
        parameters = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise reject(400, "请求体不是合法的 JSON（UTF-8）。") from None
    if isinstance(parameters, list):
        raise reject(400, "不支持批量请求，请一次只发一个操作。")
    if not isinstance(parameters, dict):
        raise reject(400, "请求体须是一个 JSON 对象。")
    return _checked(
        parameters.get("query"),
        parameters.get("variables"),
        parameters.get("operationName"),
        parameters.get("extensions"),
    )


def params_from_query_string(query_string: bytes, max_bytes: int) -> GraphQLParams:
    """The parameters in the query string of a GET. Raises Rejection 400 or 414."""
    if len(query_string) > max_bytes:
        raise reject(414, f"网址超过 {max_bytes} 字节；请改用 POST。")
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, max_num_fields=20, encoding="utf-8", errors="strict"
        )
    except ValueError:
        raise reject(400, "网址参数不是合法的 UTF-8，或参数过多。") from None
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name in parameters and name in _PARAMETERS:
            raise reject(400, f"网址参数 {name} 重复。")
        parameters[name] = value
    return _checked(
        parameters.get("query"),
        _decoded(parameters.get("variables"), "variables"),
        parameters.get("operationName"),
        _decoded(parameters.get("extensions"), "extensions"),
    )


def _decoded(text: str | None, name: str) -> Any:
    if text is None or text == "":
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise reject(400, f"网址参数 {name} 不是合法的 JSON。") from None


def _checked(query: Any, variables: Any, name: Any, extensions: Any) -> GraphQLParams:
    if not isinstance(query, str):
        raise reject(400, "缺少 query，或它不是文本。")
    if variables is not None and not isinstance(variables, dict):
        raise reject(400, "variables 须是 JSON 对象。")
    if name is not None and not isinstance(name, str):
        raise reject(400, "operationName 须是文本。")
    if extensions is not None and not isinstance(extensions, dict):
        raise reject(400, "extensions 须是 JSON 对象。")
    return GraphQLParams(query, variables or {}, name)


def method_of(scope: Message) -> str:
    """GET or POST. Raises Rejection 405 for any other method, naming the two."""
    method = scope["method"]
    if method not in ("POST", "GET"):
        raise reject(405, "只支持 GET 和 POST。", ALLOW_BOTH)
    return str(method)
