"""The endpoint from outside: methods, addresses, media types of answers, tokens and pages."""

import re
from typing import Any

import httpx2
import pytest
from starlette.routing import Route

from api.http.request import GRAPHQL, JSON, negotiate_media_type
from tests.api.http.client import STRICT, Caller, code_of
from tests.api.http.small import TOKEN
from tests.api.serving import small_application


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
    ("sent", "accepted"),
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
async def test_request_ids(caller: Caller, sent: str, accepted: bool) -> None:
    response = await caller.post({"query": "{ hello }"}, x_request_id=sent)
    assert (response.headers["x-request-id"] == sent) == accepted
    assert re.fullmatch("[A-Za-z0-9._-]{1,64}", response.headers["x-request-id"])


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


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "[", "a@b", ""])
async def test_no_answer_repeats_the_host(host: str) -> None:
    """Whatever the address, with and without a slash at the end: no redirect to, and no word of, the host that the request names."""
    app = small_application()
    paths = {route.path for route in app.routes if isinstance(route, Route)} | {"/graphql", "/nothing", "/console"}
    async with app.router.lifespan_context(app):
        for path in sorted(
            paths | {path.rstrip("/") + "/" for path in paths} | {"//evil.example/..", "//evil.example"}
        ):
            for method in ("GET", "POST", "HEAD"):
                sent: list[Any] = []

                async def receive() -> dict[str, Any]:
                    return {"type": "http.request", "body": b"", "more_body": False}

                async def send(message: Any, sent: list[Any] = sent) -> None:
                    sent.append(message)

                scope = {
                    "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
                    "root_path": "", "scheme": "http", "server": ("127.0.0.1", 80), "http_version": "1.1",
                    "headers": [(b"host", host.encode()), (b"accept", b"text/html"), (b"x-forwarded-host", b"evil.example")],
                }  # fmt: skip
                await app(scope, receive, send)
                head = dict(sent[0]["headers"])
                assert sent[0]["status"] in (200, 303, 401, 404, 405, 406)
                assert head.get(b"location", b"/graphiql") == b"/graphiql"
                assert not any(b"evil" in value for value in head.values())
                assert b"evil" not in sent[1]["body"]
