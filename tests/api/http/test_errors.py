"""Errors: their codes and statuses, and that they repeat no name of the schema and no value of the caller."""

from typing import Any

import pytest
import structlog

from api.http.errors import without_values
from schema.refusal import Code
from tests.api.http.client import Caller, code_of


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


async def test_every_internal_error_is_in_the_log(caller: Caller) -> None:
    """The message promises it: whatever made the error, its request id is found there, once."""
    query = "query($code: String!) { refused(code: $code) }"
    for code, events in (("INTERNAL", ["answered_internal_error"]), ("FORBIDDEN", [])):
        with structlog.testing.capture_logs() as logs:
            response = await caller.ask(query, variables={"code": code})
        assert [one["event"] for one in logs] == events
        assert all(one["request_id"] == response.headers["x-request-id"] for one in logs)


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
