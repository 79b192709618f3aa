"""Who asks is known before anything is done for them: no body is read for an unknown token, and a bad request tells only its own caller."""

from typing import Any

import orjson
import pytest

from api.http.limits import Limits
from schema.refusal import Code, Refusal
from tests.api.http.client import Caller, code_of
from tests.api.http.small import TOKEN
from tests.api.http.test_bodies import HOSTILE_BODIES

HEADERS: dict[str, dict[str, str]] = {
    "no media type": {"content-type": ""},
    "a form": {"content-type": "application/x-www-form-urlencoded"},
    "another charset": {"content-type": "application/json; charset=gbk"},
    "compressed": {"content-encoding": "gzip"},
    "too large": {"content-length": "99999999"},
    "no length": {"content-length": "-1"},
}
ADDRESSES = (
    "",
    "query=%FF",
    "query=%7B",
    "query=%7Bhello%7D&variables=%7B",
    "query=" + "x" * 66_000,
    "query=%7Bnothing%7D",
)


async def _ask(caller: Caller, token: str, method: str, body: bytes, query: str, **more: str) -> tuple[int, Any, int]:
    """The status, the answer, and how often the body was asked for."""
    sent: list[Any] = []
    received = 0

    async def receive() -> dict[str, Any]:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"} | more
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": "/graphql", "query_string": query.encode(), "headers": pairs}
    await caller.endpoint(scope, receive, send)
    return sent[0]["status"], orjson.loads(sent[1]["body"]), received


REQUESTS: list[Any] = [
    *(pytest.param("POST", body, "", {}, id=f"body: {name}") for name, body in HOSTILE_BODIES.items()),
    *(pytest.param("POST", b"{}", "", headers, id=f"headers: {name}") for name, headers in HEADERS.items()),
    *(pytest.param("GET", b"", query, {}, id=f"address: {query[:30]}") for query in ADDRESSES),
]


@pytest.mark.parametrize(("method", "body", "query", "headers"), REQUESTS)
async def test_a_stranger_is_told_so_whatever_the_request_is(
    caller: Caller, method: str, body: bytes, query: str, headers: dict[str, str]
) -> None:
    status, answer, received = await _ask(caller, "unknown", method, body, query, **headers)
    assert (status, answer["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    assert received == 0
    assert len(caller.endpoint.documents) == 0


@pytest.mark.parametrize(("method", "body", "query", "headers"), REQUESTS)
async def test_a_token_that_was_revoked_meanwhile_is_told_so_too(
    caller: Caller, method: str, body: bytes, query: str, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(token: str) -> object:
        raise Refusal(Code.UNAUTHENTICATED, "令牌已撤销。")

    async def admit(token: str) -> object:
        return token

    monkeypatch.setattr(caller.gate, "authenticate", refuse)
    monkeypatch.setattr(caller.gate, "admit", admit)
    status, answer, _ = await _ask(caller, TOKEN, method, body, query, **headers)
    assert (status, answer["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")


async def test_all_bodies_together_have_a_limit() -> None:
    caller = Caller(limits=Limits(max_bodies_bytes=1_000))
    for _ in range(3):  # room is free again after each answer, and after each refusal
        assert (await caller.post({"query": "{ hello }", "x": "x" * 500})).status_code == 200
        refused = await caller.post({"query": "{ hello }", "x": "x" * 1_000})
        assert (refused.status_code, refused.headers["retry-after"], code_of(refused)) == (503, "1", "TOO_COSTLY")
        extensions = refused.json()["errors"][0]["extensions"]
        assert extensions["cost"] > extensions["limit"] == 1_000
