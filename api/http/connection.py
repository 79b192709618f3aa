"""The connections of the HTTP server, bounded: how large the head of a request is, how long it takes, and what stands around a body.

uvicorn bounds none of it for httptools. A body is counted where it is read (`api.http.request`). It knows no GraphQL.
"""

import asyncio
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from schema.refusal import Code

MAX_TARGET_BYTES = 66_560  # a query string as long as `Limits.max_address_bytes`, and its path
MAX_HEADER_BYTES = 32_768
MAX_HEADERS = 100
# All that is no body: the head, and what frames the chunks of the body and follows it, for which each byte of body allows one more.
MAX_FRAMING_BYTES = MAX_TARGET_BYTES + MAX_HEADER_BYTES + 4 * MAX_HEADERS + 1_024
MAX_PIPELINED = 32  # requests that wait on one connection for the answer to an earlier one
MAX_LEFT_BYTES = 4_194_304  # of a body that nobody reads, because its request is answered already
SECONDS = 10.0  # for a whole head; and for the rest of a body that nobody reads

_MESSAGES = {
    400: "请求不是合法的 HTTP；请检查客户端或代理。",
    414: f"网址超过 {MAX_TARGET_BYTES} 字节；请改用 POST。",
    431: f"请求头超过 {MAX_HEADER_BYTES} 字节或 {MAX_HEADERS} 项；请去掉不需要的请求头。",
}


class _HeadTooLarge(Exception):
    """The head of a request exceeds a limit. The parser ends with it."""


class BoundedConnection(HttpToolsProtocol):
    """One connection. What exceeds a bound is answered with an error where no other answer is under way, and the connection is closed."""

    _framing = 0  # bytes of the present message that are no body
    _body = 0
    _left = 0
    _head_bytes = 0
    _in_head = False
    _complete = True  # the present message has come to its end, or there is none yet
    _status = 400
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new connection: its first head must come in time."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of the connection."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """SECURITY: bytes are counted as they come, so that nothing endless gathers in the parser."""
        self._framing += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._framing > MAX_FRAMING_BYTES + self._body:
            self._status = 431
            self.send_400_response("")
        elif self._timer is None and (self._in_head or (self._complete and self._is_answered())):
            self._start_timer()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._framing = self._body = self._left = self._head_bytes = 0
        self._in_head, self._complete = True, False

    def on_url(self, url: bytes) -> None:
        """A piece of the target. Raises where it grows too long."""
        super().on_url(url)
        if len(self.url) > MAX_TARGET_BYTES:
            self._status = 414
            raise _HeadTooLarge

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer after the body. Raises where they are too large or too many."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MAX_HEADER_BYTES or len(self.headers) >= MAX_HEADERS:
            self._status = 431
            raise _HeadTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The end of a head. Raises where too many requests wait already."""
        self._in_head = False
        self._stop_timer()
        if len(self.pipeline) >= MAX_PIPELINED:
            raise _HeadTooLarge
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._framing -= len(body)
        self._body += len(body)
        if self._is_answered():
            self._left += len(body)
            if self._left > MAX_LEFT_BYTES:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The last byte of a request. If it is answered already, the next one is waited for."""
        self._complete = True
        if self._is_answered():
            self._start_timer()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The end of an answer. The rest of a body that was not read must come in time."""
        super().on_response_complete()
        if not self._complete and self._is_answered() and not self.transport.is_closing():
            self._start_timer()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or one that is too large, in place of uvicorn's plain text; and close."""
        if self._is_answered():
            self.transport.write(_refusal(self._status))
        self.transport.close()

    def _is_answered(self) -> bool:
        """Whether no answer is under way."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(SECONDS, self._time_out)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_out(self) -> None:
        self._timer = None
        self.transport.close()


def _refusal(status: int) -> bytes:
    error: dict[str, Any] = {"message": _MESSAGES[status], "extensions": {"code": str(Code.BAD_USER_INPUT)}}
    body = orjson.dumps({"errors": [error]})
    head = b"content-type: application/json; charset=utf-8\r\ncache-control: no-store\r\nconnection: close\r\n"
    return STATUS_LINE[status] + head + b"content-length: %d\r\n\r\n" % len(body) + body
