"""Bodies of requests: their media types, their limits, hostile ones, and those that arrive in pieces or not at all."""

import asyncio
import json
import socket
import time
from typing import Any

import httpx2
import orjson
import pytest

from api.http.limits import DEFAULT
from tests.api.http.client import Caller, code_of
from tests.api.http.small import TOKEN
from tests.server import Served


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql", ""],
)
async def test_only_json_is_read(caller: Caller, content_type: str) -> None:
    response = await caller.post({"query": "{ hello }"}, content_type=content_type)
    assert (response.status_code, code_of(response)) == (415, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON;charset="UTF-8"', 200),
        ("application/json; charset=gbk", 415),
        ("application/json; charset=utf-16", 415),
    ],
)
async def test_charset(caller: Caller, content_type: str, status: int) -> None:
    assert (await caller.post({"query": "{ hello }"}, content_type=content_type)).status_code == status


@pytest.mark.parametrize(("encoding", "status"), [("gzip", 415), ("br", 415), ("identity", 200)])
async def test_compressed_bodies_are_refused(caller: Caller, encoding: str, status: int) -> None:
    assert (await caller.post({"query": "{ hello }"}, content_encoding=encoding)).status_code == status


HOSTILE_BODIES = {
    "empty": b"",
    "broken": b'{ "not a JSON',
    "array": b"[]",
    "batch": b'[{"query":"{ hello }"},{"query":"{ hello }"}]',
    "string": b'"{ hello }"',
    "null": b"null",
    "number": b"1",
    "byte order mark": b'\xef\xbb\xbf{"query":"{ hello }"}',
    "latin-1": '{"query":"{ hello(name: \\"é\\") }"}'.encode("latin-1"),
    "utf-16": '{"query":"{ hello }"}'.encode("utf-16"),
    "overlong": b'{"query":"{ hello }","x":"\xc0\x80"}',
    "surrogate": b'{"query":"{ hello(name: \\"\\ud800\\") }"}',
    "nan": b'{"query":"{ hello }","variables":{"a":NaN}}',
    "infinity": b'{"query":"{ hello }","variables":{"a":1e999}}',
    "deep arrays": b'{"query":"{ hello }","variables":{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}}",
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "open arrays": b"[" * 60_000,
    "long integer": b'{"query":"{ hello }","variables":{"a":' + b"9" * 60_000 + b"}}",
    "trailing": b'{"query":"{ hello }"} x',
    "no query": b"{}",
    "null query": b'{"query":null}',
    "list query": b'{"query":["{ hello }"]}',
    "text variables": b'{"query":"{ hello }","variables":"{}"}',
    "list variables": b'{"query":"{ hello }","variables":[]}',
    "list name": b'{"query":"{ hello }","operationName":[]}',
    "text extensions": b'{"query":"{ hello }","extensions":"x"}',
    "unknown operation": b'{"query":"{ hello }","operationName":"other"}',
    "two operations": b'{"query":"query A { hello } query B { hello }"}',
    "only a fragment": b'{"query":"fragment f on Query { hello }"}',
    "empty query": b'{"query":""}',
    "nul in query": b'{"query":"{ hello(name: \\"\\\\u0000\\") }"}',
    "nul in variables": b'{"query":"query($n: String) { hello(name: $n) }","variables":{"n":"\\u0000"}}',
    "deep variables": b'{"query":"{ hello }","variables":{"a":' + b"[" * 900 + b"]" * 900 + b"}}",
    "many variables": json.dumps({"query": "{ hello }", "variables": {f"v{n}": n for n in range(2_000)}}).encode(),
    "subscription": b'{"query":"subscription { changed { id } }"}',
}


@pytest.mark.parametrize("name", list(HOSTILE_BODIES))
async def test_hostile_bodies_are_client_errors(caller: Caller, name: str) -> None:
    response = await caller.post(HOSTILE_BODIES[name])
    assert response.status_code == 400
    assert code_of(response) in {"BAD_USER_INPUT", "TOO_COSTLY"}
    assert caller.gate.answered == 0


async def test_of_duplicate_keys_the_last_counts(caller: Caller) -> None:
    response = await caller.post(b'{"query":"{ nothing }","query":"{ hello }"}')
    assert response.json() == {"data": {"hello": "你好，世界"}}


async def test_the_declared_length_is_believed_only_against_the_sender(caller: Caller) -> None:
    big = orjson.dumps({"query": "{ hello }", "x": "x" * DEFAULT.max_body_bytes})
    assert (await caller.post(big)).status_code == 413
    # Declared small, sent large, in pieces: what counts is what arrives.
    status, read = await _stream(Caller(), [big[n : n + 90_000] for n in range(0, len(big), 90_000)], declared=b"10")
    assert status == 413
    assert read <= DEFAULT.max_body_bytes // 90_000 + 1
    status, read = await _stream(Caller(), [b"x"] * 3, declared=b"99999999999999999999")
    assert (status, read) == (413, 0)
    status, _ = await _stream(Caller(), [b"x"], declared=b"-1")
    assert status == 400


async def test_a_long_document_is_not_parsed_and_a_long_variable_is_none(caller: Caller) -> None:
    long = "x" * 100_000
    refused = await caller.post(orjson.dumps({"query": f'{{ echo(text: "{long}") }}'}))
    assert [one["extensions"]["code"] for one in refused.json()["errors"]] == ["TOO_COSTLY"]
    query = "query($t: String!) { echo(text: $t) }"
    answered = await caller.post(orjson.dumps({"query": query, "variables": {"t": long}}))
    assert answered.json() == {"data": {"echo": long}}


async def test_an_endless_body_is_left_after_the_limit() -> None:
    status, read = await _stream(Caller(), [b" " * 16_384] * 10_000, declared=None)
    assert status == 413
    assert read <= DEFAULT.max_body_bytes // 16_384 + 2


async def test_a_body_that_never_ends_times_out() -> None:
    caller = Caller(body_seconds=0.2)
    started = time.monotonic()
    status, _ = await _stream(caller, [b"{"] * 3, declared=None, pause=0.15)
    assert status == 408
    assert time.monotonic() - started < 5


async def test_a_client_that_hangs_up_gets_nothing() -> None:
    status, _ = await _stream(Caller(), [b"{"], declared=None, hang_up=True)
    assert status is None


async def _stream(
    caller: Caller, chunks: list[bytes], declared: bytes | None, pause: float = 0, hang_up: bool = False
) -> tuple[int | None, int]:
    """The status for a body sent piece by piece, and how many pieces were taken."""
    sent: list[Any] = []
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        if read == len(chunks):
            if hang_up:
                return {"type": "http.disconnect"}
            await asyncio.sleep(60)
        await asyncio.sleep(pause)
        read += 1
        return {"type": "http.request", "body": chunks[read - 1], "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"authorization", b"Bearer " + TOKEN.encode())]
    if declared is not None:
        headers.append((b"content-length", declared))
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    await caller.endpoint(scope, receive, send)
    return (sent[0]["status"] if sent else None), read


def test_over_a_real_socket(served_app: Served) -> None:
    head = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += f"Authorization: Bearer {served_app.token}\r\n"
    query = b'{"query":"{ hello }"}'
    cases: list[tuple[bytes, bytes]] = [
        (head.encode() + b"Content-Length: %d\r\n\r\n" % len(query) + query, b"200"),
        (head.encode() + b"Content-Length: 99999999\r\n\r\n", b"413"),
        (head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + b"4000\r\n" + b" " * 0x4000 + b"\r\n", b""),
        (head.encode() + b"Content-Length: abc\r\n\r\n", b"400"),
        (head.encode() + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", b"415"),
    ]
    for request, status in cases:
        with socket.create_connection(("127.0.0.1", served_app.port), timeout=5) as connection:
            connection.sendall(request)
            if not status:
                continue  # left open half way through: the server must go on serving the others
            answer = connection.recv(65_536)
        assert answer.split(b" ", 2)[1] == status


def test_a_refused_body_does_not_spoil_the_connection(served_app: Served) -> None:
    headers = {"authorization": "Bearer " + served_app.token, "content-type": "application/json"}
    with httpx2.Client(base_url=served_app.url) as client:
        for _ in range(3):
            assert (
                client.post("/graphql", headers=headers, content=b" " * (DEFAULT.max_body_bytes + 1)).status_code == 413
            )
            assert client.post("/graphql", headers=headers, content=b'{"query":"{ hello }"}').status_code == 200
