"""Heads of requests over a real socket: too large, too many, too slow, endless; and what is sent after an answer."""

import contextlib
import socket

import orjson
import pytest

from api.http import connection as bounds
from tests.server import Served

LINE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /health/live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
MEGABYTE = b"x" * 1_048_576


def _exchange(served: Served, *pieces: bytes, repeat: bytes = b"", times: int = 0) -> tuple[bytes, int]:
    """What came back until the server closed the connection, and how many bytes it had taken by then."""
    sent, answer = 0, b""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as client:
        with contextlib.suppress(ConnectionError):
            for piece in (*pieces, *[repeat] * times):
                client.sendall(piece)
                sent += len(piece)
        with contextlib.suppress(ConnectionError):
            while piece := client.recv(65_536):
                answer += piece
    return answer, sent


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"x" * (bounds.MAX_TARGET_BYTES + 1) + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (LINE + b"A: " + b"x" * (bounds.MAX_HEADER_BYTES + 1) + b"\r\n\r\n", 431),
        (LINE + b"A" * (bounds.MAX_HEADER_BYTES + 1) + b": x\r\n\r\n", 431),
        (LINE + b"A: x\r\n" * (bounds.MAX_HEADERS + 1) + b"\r\n", 431),
        (b"nonsense\r\n\r\n", 400),
    ],
    ids=["target", "value", "name", "count", "nonsense"],
)
def test_what_is_too_large_is_refused_with_a_code(served_app: Served, request_bytes: bytes, status: int) -> None:
    answer, _ = _exchange(served_app, request_bytes)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b" ", 2)[1] == str(status).encode()
    assert orjson.loads(body)["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "endless",
    [
        (b"GET /", MEGABYTE),
        (LINE + b"A: ", MEGABYTE),
        (LINE + b"A", MEGABYTE),
        (LINE, b"A: x\r\n" * 100_000),
        (b"", b"\r\n" * 500_000),
        (POST + b"1;", MEGABYTE),
        (POST, b"1\r\nx\r\n" * 200_000),
        (POST + b"0\r\nA: ", MEGABYTE),
        (POST + b"fffffff\r\n", MEGABYTE),
        (LINE + b"Content-Length: 999999999\r\n\r\n", MEGABYTE),
        (b"", (LINE + b"\r\n") * 20_000),
    ],
    ids="target value name headers blank-lines chunk-extension chunks trailer chunk body pipelined".split(),
)
def test_what_is_endless_is_left(served_app: Served, endless: tuple[bytes, bytes]) -> None:
    head, piece = endless
    _, taken = _exchange(served_app, head, repeat=piece, times=60)
    assert taken < 30 * len(piece)


def test_a_head_that_is_slow_is_left(served_app: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "SECONDS", 0.2)
    for request in (b"", b"GET /", LINE, LINE + b"\r\n" + LINE, POST + b"1\r\n"):
        with socket.create_connection(("127.0.0.1", served_app.port), timeout=3) as client:
            client.sendall(request)
            while client.recv(65_536):  # raises where the server waits longer
                pass


def test_requests_follow_one_another(served_app: Served) -> None:
    with socket.create_connection(("127.0.0.1", served_app.port), timeout=5) as client:
        client.sendall((LINE + b"\r\n") * 5)
        client.sendall(POST + b"5\r\nhello\r\n0\r\n\r\n" + LINE + b"Connection: close\r\n\r\n")
        answer = b""
        while piece := client.recv(65_536):
            answer += piece
    assert answer.count(b"HTTP/1.1 200") == 6
    assert answer.count(b"HTTP/1.1 405") == 1
