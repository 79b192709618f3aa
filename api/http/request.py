"""From bytes to the four parameters of a GraphQL request, and from an Accept header to a media type.

Counts while it reads and refuses what is not exactly one JSON object. It knows no GraphQL.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from api.http.errors import ALLOW_BOTH, reject

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

JSON = b"application/json"
GRAPHQL = b"application/graphql-response+json"
_OFFERED = (JSON, GRAPHQL)  # of two equally welcome to a wildcard, plain JSON
_WEIGHT = re.compile(rb"[01](\.[0-9]{0,3})?")
_PARAMETERS = frozenset({"query", "variables", "operationName", "extensions"})


class Asked(NamedTuple):
    """The parameters of GraphQL over HTTP, their JSON types checked."""

    query: str
    variables: dict[str, Any]
    name: str | None


class Gone(Exception):
    """The client hung up while it was sending."""


def choose(accept: bytes | None) -> bytes | None:
    """The media type to answer in: the one with the highest weight, None when neither is acceptable."""
    if accept is None or not accept.strip():
        return JSON
    if accept in _OFFERED:
        return accept
    best: tuple[float, int] = (0.0, 0)
    chosen: bytes | None = None
    for offered in _OFFERED:
        weight, exactness = _welcome(accept.lower(), offered)
        if weight > 0 and (weight, exactness) > best:
            best, chosen = (weight, exactness), offered
    # Who names both alike understands the newer one, whose status codes say more.
    if chosen == JSON and best[1] == 2 and _welcome(accept.lower(), GRAPHQL) == best:
        return GRAPHQL
    return chosen


def _welcome(accept: bytes, offered: bytes) -> tuple[float, int]:
    """Weight and exactness of the most exact range that covers the type: exact 2, application/* 1, */* 0."""
    found = (0.0, -1)
    for part in accept.split(b",")[:40]:
        kind, *parameters = (piece.strip() for piece in part.split(b";"))
        exactness = {offered: 2, b"application/*": 1, b"*/*": 0}.get(kind, -1)
        if exactness <= found[1]:
            continue
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition(b"=")
            if name == b"q":
                weight = min(float(value), 1.0) if _WEIGHT.fullmatch(value) else 0.0
            elif name == b"charset" and value.strip(b'"') not in (b"utf-8", b"utf8"):
                weight = 0.0
        found = (weight, exactness)
    return found


def check_content(content_type: bytes | None, encoding: bytes | None) -> None:
    """Only uncompressed UTF-8 JSON is read."""
    # SECURITY: a form or text/plain post needs no CORS preflight, so those types are never taken for JSON; compressed
    # bodies are refused because a small one may unpack to any size.
    if encoding is not None and encoding.strip().lower() not in (b"", b"identity"):
        raise reject(415, "不接受压缩的请求体，请去掉 Content-Encoding。")
    if content_type == JSON:
        return
    kind, *parameters = (piece.strip().lower() for piece in (content_type or b"").split(b";"))
    if kind != JSON:
        raise reject(415, "请求体须是 JSON，请把 Content-Type 设为 application/json。")
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"charset" and value.strip().strip(b'"') not in (b"utf-8", b"utf8"):
            raise reject(415, "请求体须用 UTF-8 编码。")


async def read_body(receive: Receive, declared: bytes | None, most: int, seconds: float) -> bytes:
    """The whole body, at most `most` bytes, within `seconds` altogether."""
    # SECURITY: counted while it streams, so that a false or missing Content-Length gains nothing, and timed as a whole,
    # so that a byte now and then does not keep the connection.
    if declared is not None:
        if not declared.isdigit():
            raise reject(400, "Content-Length 不是数字。")
        if len(declared) > 15 or int(declared) > most:
            raise _too_large(most)
    message = await _next(receive, seconds)
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > most:
            raise _too_large(most)
        return body
    deadline = asyncio.get_running_loop().time() + seconds
    chunks, size = [body], len(body)
    while message.get("more_body", False):
        if size > most:
            raise _too_large(most)
        message = await _next(receive, deadline - asyncio.get_running_loop().time())
        chunk: bytes = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
    if size > most:
        raise _too_large(most)
    return b"".join(chunks)


async def _next(receive: Receive, seconds: float) -> Message:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            message = await receive()
    except TimeoutError:
        raise reject(408, "请求体发送过慢，已超时；请重试。") from None
    if message["type"] == "http.disconnect":
        raise Gone
    return message


def _too_large(most: int) -> Exception:
    return reject(413, f"请求体超过 {most} 字节；请缩小查询，或把长内容分几次提交。")


def from_body(body: bytes) -> Asked:
    """The parameters in a POST body."""
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
    return _typed(
        parameters.get("query"),
        parameters.get("variables"),
        parameters.get("operationName"),
        parameters.get("extensions"),
    )


def from_address(query_string: bytes, most: int) -> Asked:
    """The parameters in the query string of a GET."""
    if len(query_string) > most:
        raise reject(414, f"网址超过 {most} 字节；请改用 POST。")
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
    return _typed(
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


def _typed(query: Any, variables: Any, name: Any, extensions: Any) -> Asked:
    if not isinstance(query, str):
        raise reject(400, "缺少 query，或它不是文本。")
    if variables is not None and not isinstance(variables, dict):
        raise reject(400, "variables 须是 JSON 对象。")
    if name is not None and not isinstance(name, str):
        raise reject(400, "operationName 须是文本。")
    if extensions is not None and not isinstance(extensions, dict):
        raise reject(400, "extensions 须是 JSON 对象。")
    return Asked(query, variables or {}, name)


def method_of(scope: Message) -> str:
    """GET or POST; everything else is refused with what is allowed."""
    method = scope["method"]
    if method not in ("POST", "GET"):
        raise reject(405, "只支持 GET 和 POST。", ALLOW_BOTH)
    return str(method)
