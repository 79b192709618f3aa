"""The endpoint from outside: status codes, media types, hostile bodies, and what never leaves it."""

import json
import re
import socket
import time
from typing import Any

import httpx2
import orjson
import pytest
import structlog

from api.http.documents import Documents, InvalidDocument
from api.http.endpoint import Endpoint
from api.http.errors import without_values
from api.http.limits import DEFAULT, Limits
from api.http.request import GRAPHQL, JSON, negotiate_media_type
from schema.refusal import Code
from tests.api.http.small import TOKEN, Gate, small_schema
from tests.api.serving import small_application
from tests.server import Served

STRICT = "application/graphql-response+json"
SCHEMA = small_schema()


class Caller:
    """Posts to one endpoint without a network."""

    def __init__(self, **options: Any) -> None:
        self.gate = Gate(SCHEMA)
        self.endpoint = Endpoint(SCHEMA, self.gate, **options)
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.endpoint), base_url="http://api")

    async def post(self, body: Any, accept: str = STRICT, token: str | None = TOKEN, **headers: str) -> httpx2.Response:
        sent = {"content-type": "application/json", "accept": accept}
        if token is not None:
            sent["authorization"] = "Bearer " + token
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.client.post("/graphql", content=content, headers=sent)

    async def ask(self, query: str, accept: str = STRICT, **more: Any) -> httpx2.Response:
        return await self.post({"query": query, **more}, accept)

    async def get(self, accept: str = STRICT, **parameters: str) -> httpx2.Response:
        headers = {"authorization": "Bearer " + TOKEN, "accept": accept}
        return await self.client.get("/graphql", params=parameters, headers=headers)


@pytest.fixture
def caller() -> Caller:
    return Caller()


def code_of(response: httpx2.Response) -> str:
    body = response.json()
    assert "data" not in body
    for error in body["errors"]:
        assert set(error) <= {"message", "locations", "path", "extensions"}
        assert error["extensions"]["requestId"] == response.headers["x-request-id"]
        assert re.search("[\u4e00-\u9fff]", error["message"])
    return str(body["errors"][0]["extensions"]["code"])


async def test_data_goes_out_as_it_came(caller: Caller) -> None:
    response = await caller.ask("{ hello }")
    assert response.status_code == 200
    assert response.content == '{"data":{"hello":"你好，世界"}}'.encode()
    assert response.headers["content-type"] == STRICT + "; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert not any(name.startswith("access-control") for name in response.headers)


async def test_extensions_and_errors_stand_beside_data(caller: Caller) -> None:
    assert (await caller.ask("{ search { id } }")).json()["extensions"] == {"cost": {"rows": 1}}
    response = await caller.ask("{ hello broken }")
    assert response.status_code == 200
    body = response.json()
    assert body["data"] == {"hello": "你好，世界", "broken": None}
    assert body["errors"][0]["path"] == ["broken"]
    assert body["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "extensions" not in body


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        (b"", JSON),
        (b"*/*", JSON),
        (b"application/*", JSON),
        (b"application/json", JSON),
        (b"application/graphql-response+json", GRAPHQL),
        (b"application/graphql-response+json; charset=utf-8, application/json;q=0.9", GRAPHQL),
        (b"application/json, application/graphql-response+json", GRAPHQL),
        (b"application/json, */*;q=0.1", JSON),
        (b"application/json;q=0.5, application/graphql-response+json;q=0.4", JSON),
        (b"application/json;q=0, */*", GRAPHQL),
        (b"Application/JSON", JSON),
        (b"application/json, multipart/mixed", JSON),
        (b"text/csv", None),
        (b"application/json;q=0", None),
        (b"application/json;charset=latin1", None),
        (b"application/json;q=nan", None),
        (b"text/html", None),
        (b";;;,,,q=", None),
    ],
)
def test_media_type_is_negotiated(accept: bytes | None, chosen: bytes | None) -> None:
    assert negotiate_media_type(accept) == chosen


async def test_not_acceptable(caller: Caller) -> None:
    response = await caller.ask("{ hello }", accept="text/csv")
    assert (response.status_code, code_of(response)) == (406, "BAD_USER_INPUT")


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
    import asyncio

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


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_other_methods(caller: Caller, method: str) -> None:
    response = await caller.client.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


async def test_queries_over_get(caller: Caller) -> None:
    query = "query A($n: String) { hello(name: $n) } query B { __typename }"
    response = await caller.get(query=query, operationName="A", variables='{"n":"张三"}', extensions="{}")
    assert response.json() == {"data": {"hello": "你好，张三"}}


async def test_mutations_never_over_get(caller: Caller) -> None:
    mutation = 'mutation { close(id: "1") { item { id } } }'
    for _ in range(2):
        response = await caller.get(query=mutation)
        assert (response.status_code, response.headers["allow"]) == (405, "POST")
        assert (await caller.ask(mutation)).status_code == 200  # known by now, and refused again all the same
    assert caller.gate.answered == 2


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("?query=%7Bhello%7D&query=%7Bhello%7D", 400),
        ("?query=%FF", 400),
        ("?query=%7Bhello%7D&variables=%7B", 400),
        ("?query=%7Bhello%7D&variables=[]", 400),
        ("?query=%7Bhello%7D&extensions=1", 400),
        ("?" + "&".join(f"a{n}=1" for n in range(30)), 400),
        ("", 400),
        ("?query=" + "x" * 66_000, 414),
    ],
)
async def test_bad_addresses(caller: Caller, address: str, status: int) -> None:
    scope_query = address.removeprefix("?").encode()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", b"Bearer " + TOKEN.encode())]
    scope = {"type": "http", "method": "GET", "path": "/graphql", "query_string": scope_query, "headers": headers}
    await caller.endpoint(scope, None, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == status


async def test_anonymous_callers_cost_nothing(caller: Caller) -> None:
    for token in (None, "", "wrong token", "to,ken", "=", "x" * 5_000):
        response = await caller.post({"query": "{ hello }"}, token=token)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
        assert code_of(response) == "UNAUTHENTICATED"
    assert caller.gate.admitted == 0
    for accept in (STRICT, "application/json"):
        response = await caller.post({"query": "{ nothing }"}, accept=accept, token="not-admitted")
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert len(caller.endpoint.documents) == 0


async def test_a_known_document_tells_a_stranger_nothing(caller: Caller) -> None:
    await caller.ask("query A { hello }")
    for body in ({"query": "query A { hello }"}, {"query": "query A { hello }", "operationName": "B"}):
        assert (await caller.post(body, token="not-admitted")).status_code == 401
    assert (await caller.post({"query": "{ __schema { types { name } } }"}, token="not-admitted")).status_code == 401


async def test_a_token_is_taken_from_the_header_only(caller: Caller) -> None:
    body = {"query": "{ hello }", "token": TOKEN, "access_token": TOKEN}
    response = await caller.post(body, token=None, cookie=f"token={TOKEN}", x_api_key=TOKEN)
    assert response.status_code == 401
    response = await caller.client.get("/graphql", params={"query": "{ hello }", "access_token": TOKEN})
    assert response.status_code == 401
    assert (await caller.post(body, token=None, authorization="Basic " + TOKEN)).status_code == 401
    assert (await caller.post(body, token=None, authorization="bearer " + TOKEN)).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ helo }",
        "{ hello(nam: 1) }",
        "{ search(kind: LAN) { id } }",
        "{ node(id: 1) }",
        "query($k: Kin) { hello }",
    ],
)
async def test_document_errors(caller: Caller, query: str) -> None:
    strict = await caller.ask(query)
    plain = await caller.ask(query, accept="application/json")
    assert (strict.status_code, plain.status_code) == (400, 200)
    assert code_of(strict) == code_of(plain) == "BAD_USER_INPUT"
    assert "Did you mean" not in strict.text + plain.text
    for name in ("'hello'", "'name'", "LAND", "'Kind'"):
        assert name not in strict.text.replace("query.hello", "").replace("in 'Kind' enum", "")
    assert caller.gate.answered == 0
    assert len(caller.endpoint.documents) == 0


@pytest.mark.parametrize(
    "variables",
    [
        {"i": "canary"},
        {"i": 1, "k": "canary"},
        {"i": 1, "f": {"canary": 1}},
        {"i": 1, "f": {"tags": ["ok", {"canary": "canary"}]}},
        {"i": 1, "f": "canary"},
        {"i": 1, "f": {"and": [{"kind": "canary"}]}},
        {"k": "LAND", "f": {"tags": ["canary"]}},
        {"i": {"canary": ["canary"]}},
    ],
)
async def test_a_wrong_variable_is_not_echoed(caller: Caller, variables: dict[str, Any]) -> None:
    query = "query($i: Int!, $k: Kind, $f: Filter) { echo(a0: $i, kind: $k) search(filter: $f) { id } }"
    strict = await caller.ask(query, variables=variables)
    plain = await caller.ask(query, accept="application/json", variables=variables)
    assert (strict.status_code, plain.status_code) == (400, 200)
    assert code_of(strict) == "BAD_USER_INPUT"
    assert "canary" not in strict.text + plain.text
    assert "变量 $" in strict.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("core", "ours"),
    [
        (
            " '$id' has invalid value: Expected value of non-null type 'ID!' not to be None.",
            " $id 不能为空（类型 ID!）。",
        ),
        (
            " '$f' has invalid value at .and[0]: Int cannot represent non-integer value: 'x'",
            " $f（位置 and[0]） 不是 Int 类型的值。",
        ),
        (" '$d' has invalid value: 日期应为 ISO 8601 文本。", " $d：日期应为 ISO 8601 文本。"),
        (" '$d' has invalid value: something new: 'canary'", " $d 的值不符合要求。"),
        (": canary", "的值不符合要求，请对照接口定义检查。"),
    ],
)
def test_what_is_said_of_a_wrong_variable(core: str, ours: str) -> None:
    assert without_values("Variable" + core) == "变量" + ours


@pytest.mark.parametrize("code", list(Code))
async def test_refusals_keep_their_code(caller: Caller, code: Code) -> None:
    query = "query($code: String!) { refused(code: $code) }"
    strict = await caller.ask(query, variables={"code": code})
    plain = await caller.ask(query, accept="application/json", variables={"code": code})
    wanted = {Code.UNAUTHENTICATED: (401, 401), Code.INTERNAL: (500, 500)}.get(code, (400, 200))
    assert (strict.status_code, plain.status_code) == wanted
    assert code_of(strict) == code_of(plain) == code
    assert strict.json()["errors"][0]["path"] == ["refused"]
    assert ("www-authenticate" in strict.headers) == (code == Code.UNAUTHENTICATED)


async def test_an_unexpected_exception_shows_nothing(caller: Caller) -> None:
    with structlog.testing.capture_logs() as logs:
        response = await caller.post({"query": "{ crash }"}, x_request_id="trace-42")
    assert (response.status_code, code_of(response)) == (500, "INTERNAL")
    assert response.headers["x-request-id"] == "trace-42"
    assert "canary" not in response.text
    assert "Traceback" not in response.text
    assert [(one["event"], one["request_id"], one["error"]) for one in logs] == [
        ("request_failed", "trace-42", "RuntimeError")
    ]
    assert "canary" not in repr(logs)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abc-1.2_X", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ("a\tb", False),
        ("<script>", False),
        ("", False),
    ],
)
async def test_request_ids(caller: Caller, given: str, kept: bool) -> None:
    response = await caller.post({"query": "{ hello }"}, x_request_id=given)
    assert (response.headers["x-request-id"] == given) == kept
    assert re.fullmatch("[A-Za-z0-9._-]{1,64}", response.headers["x-request-id"])


def test_accepted_documents_are_kept_within_bounds() -> None:
    documents = Documents(SCHEMA, Limits(), max_count=10, max_bytes=200)
    first = documents.accept("{ hello }")
    assert documents.find("{ hello }") is first
    for n in range(40):
        documents.accept(f"query Q{n} {{ hello }}")
        documents.find("{ hello }")
        assert len(documents) <= 10
    assert documents.find("{ hello }") is first  # the one in use stays
    assert documents.find("query Q0 { hello }") is None
    documents.accept("{ hello } # " + "x" * 300)
    assert len(documents) == 0  # nothing heavier than the whole is kept


def test_rejected_documents_are_not_kept() -> None:
    documents = Documents(SCHEMA, Limits())
    for n in range(20):
        with pytest.raises(InvalidDocument):
            documents.accept("{ nothing" + str(n) + " }")
    assert len(documents) == 0


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


async def test_pages_and_health() -> None:
    app = small_application()
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://api")
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health/ready")).status_code == 503  # nothing is open yet
    async with app.router.lifespan_context(app):
        assert (await client.get("/health/ready")).json() == {"status": "ready"}
        answer = await client.post(
            "/graphql", json={"query": "{ hello }"}, headers={"authorization": "Bearer " + TOKEN}
        )
        assert answer.status_code == 200
        browser = await client.get("/graphql", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert (browser.status_code, browser.headers["location"]) == (303, "/graphiql")
        for path in ("/", "/graphiql"):
            page = await client.get(path)
            assert page.status_code == 200
            assert "unsafe" not in page.headers["content-security-policy"]
            for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
                assert address.startswith(("/console/", "data:,"))
                if address.startswith("/"):
                    part = await client.get(address)
                    assert part.status_code == 200
                    wanted = "immutable" if "/vendor/" in address else "no-cache"
                    assert wanted in part.headers["cache-control"]
                    tag = {"if-none-match": part.headers["etag"]}
                    assert (await client.get(address, headers=tag)).status_code == 304
        missing = await client.get("/console/../settings.py")
        assert (missing.status_code, missing.headers["x-content-type-options"]) == (404, "nosniff")
        assert (await client.post("/health/live")).status_code == 405
    assert (await client.get("/health/ready")).status_code == 503
    broken = small_application(ready=False)
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=broken), base_url="http://api")
    async with broken.router.lifespan_context(broken):
        assert (await client.get("/health/ready")).status_code == 503
