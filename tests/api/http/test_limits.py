"""Hostile documents: each is refused, and the work to refuse it grows with its length and no faster."""

import json

import httpx2
import pytest
from graphql import GraphQLError, get_introspection_query, parse, validate

from api.http.document_limits import check_document, check_variables, parse_document
from api.http.limits import DEFAULT, Limits
from schema.refusal import Code, Refusal
from tests.api.http import hostile
from tests.api.http.hostile import DOCUMENTS, Hostile
from tests.api.http.small import small_schema
from tests.server import Served

SCHEMA = small_schema()
_NAMES = [document.name for document in DOCUMENTS]


@pytest.mark.parametrize("document", DOCUMENTS, ids=_NAMES)
def test_limits_refuse_what_is_too_large_before_validation(document: Hostile) -> None:
    if document.limited:
        with pytest.raises((Refusal, GraphQLError)) as caught:
            parse_document(document.text)
        if isinstance(caught.value, Refusal):
            assert caught.value.code in {Code.BAD_USER_INPUT, Code.TOO_COSTLY}
            assert len(caught.value.message) < 200
    else:
        ast, visited = parse_document(document.text)
        assert visited <= 8 * DEFAULT.max_tokens
        assert (
            len(validate(SCHEMA, ast, max_errors=DEFAULT.max_errors, hide_suggestions=True)) <= DEFAULT.max_errors + 1
        )


@pytest.mark.parametrize("document", [one for one in DOCUMENTS if one.limited], ids=lambda one: one.name)
def test_hostile_documents_get_a_client_error(document: Hostile, served_app: Served) -> None:
    response = httpx2.post(
        served_app.url + "/graphql",
        headers={"authorization": "Bearer " + served_app.token, "accept": "application/graphql-response+json"},
        json={"query": document.text},
    )
    assert 400 <= response.status_code < 500
    assert response.json()["errors"][0]["extensions"]["code"] in {"BAD_USER_INPUT", "TOO_COSTLY"}
    assert len(response.content) < 4_000


@pytest.mark.parametrize("document", [one for one in DOCUMENTS if one.limited], ids=lambda one: one.name)
def test_a_limit_is_a_client_error_in_plain_json_too(document: Hostile, served_app: Served) -> None:
    headers = {"authorization": "Bearer " + served_app.token, "accept": "application/json"}
    response = httpx2.post(served_app.url + "/graphql", headers=headers, json={"query": document.text})
    # "{ { {" is wrong at its third character: a syntax error like any other, and 200 in plain JSON.
    assert response.status_code in ({200} if document.name == "tokens" else {400, 413})
    assert "data" not in response.json()


_GROWING = {
    "doubling": hostile.doubling,
    "siblings": hostile.siblings,
    "repeated": hostile.repeated,
    "cycle": hostile.cycle,
    "aliases": hostile.aliases,
    "directives": hostile.directives,
    "deep inline": hostile.deep_inline,
    "long list": hostile.long_list,
    "operations sharing": lambda count: hostile.operations_sharing(10, count),
    "crossing": lambda count: hostile.crossing(count, 3),
}


class _Counting(int):
    """A limit that counts how often it was held against something."""

    looked = 0

    def __lt__(self, other: int) -> bool:
        type(self).looked += 1
        return int.__lt__(self, other)


@pytest.mark.parametrize("name", list(_GROWING))
def test_work_is_linear_in_the_length(name: str) -> None:
    # Counted, not timed: every node, fragment and merged field is held against some limit exactly once or twice.
    counting = Limits(**{field: _Counting(getattr(DEFAULT, field)) for field in Limits.__dataclass_fields__})
    for size in (8, 16, 32, 64, 128):
        ast = parse(_GROWING[name](size))
        tokens = len(_GROWING[name](size).split()) * 4
        _Counting.looked = 0
        try:
            visited = check_document(ast, counting)
        except Refusal:
            visited = 0
        bound = 4 * tokens + 2 * DEFAULT.max_selections
        assert _Counting.looked <= bound
        assert visited <= bound


def test_fragments_are_measured_once() -> None:
    roomy = Limits(max_selections=10**12, max_spreads=10**6, max_fragments=10**4, max_merges=10**12, max_depth=10**6)
    with pytest.raises(Refusal, match="展开片段后的字段"):
        check_document(parse(hostile.doubling(200)), roomy)


def test_a_relay_style_document_passes() -> None:
    names = [f"Card{n}" for n in range(30)]
    text = "query Page { search { id " + " ".join("..." + name for name in names) + " } } "
    text += " ".join(f"fragment {name} on Item {{ id title kind next {{ id }} }}" for name in names)
    ast, _ = parse_document(text)
    assert validate(SCHEMA, ast) == []


def test_the_standard_introspection_query_passes() -> None:
    for text in (
        get_introspection_query(),
        get_introspection_query(input_value_deprecation=True, specified_by_url=True),
    ):
        ast, _ = parse_document(text)
        assert validate(SCHEMA, ast) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (hostile.deep(12), "查询嵌套达到 14 层，上限是 12 层"),
        ("{ " + " ".join(f"a{n}: hello" for n in range(11)) + " }", "顶层字段达到 11 个，上限是 10 个"),
        ("mutation { " + " ".join(f'a{n}: close(id: "1") {{ item {{ id }} }}' for n in range(5)) + " }", "上限是 4 个"),
        ("{ hello " + "@skip(if: false) " * 41 + "}", "指令达到 41 个，上限是 40 个"),
        ("{ " + "a" * 64 + ": hello }", "达到 64 个字符，上限是 63 个字符"),
        ("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "循环引用"),
        ("{ ...a } fragment a on Query { hello } fragment a on Query { hello }", "重复"),
        ('{ hello(name: "a\\u0000b") }', "U\\+0000"),
        ("type A { a: Int }", "不能定义类型"),
    ],
)
def test_the_sentence_names_limit_and_actual(text: str, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        parse_document(text)


def test_aliased_names_hidden_in_fragments_count_as_root_fields() -> None:
    fragments = " ".join(
        f"fragment f{n} on Query {{ {' '.join(f'a{n}_{m}: hello' for m in range(5))} }}" for n in range(3)
    )
    with pytest.raises(Refusal, match="顶层字段达到 15 个"):
        parse_document("{ ...f0 ...f1 ... { ...f2 } } " + fragments)


def test_depth_is_counted_through_fragments() -> None:
    text = "{ node(id: 1) { ...f0 } } " + " ".join(
        f"fragment f{n} on Item {{ next {{ next {{ ...f{n + 1} }} }} }}" for n in range(6)
    )
    with pytest.raises(Refusal, match="查询嵌套达到 14 层"):
        parse_document(text + " fragment f6 on Item { id }")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({f"v{n}": n for n in range(51)}, "变量达到 51 个"),
        ({"v": list(range(501))}, "列表达到 501 项"),
        ({"v": {f"k{n}": 1 for n in range(101)}}, "对象达到 101 项"),
        ({"v": [list(range(400)) for _ in range(20)]}, "变量中的值"),
        ({"v": ["a\0b"]}, "U\\+0000"),
        ({"v": {"a\0b": 1}}, "U\\+0000"),
        (json.loads('{"v":' + "[" * 20 + "]" * 20 + "}"), "变量嵌套达到 17 层"),
    ],
)
def test_variables_have_limits(variables: dict[str, object], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        check_variables(variables)


def test_ordinary_variables_pass() -> None:
    assert check_variables({"filter": {"town": ["a", "b"], "and": [{"x": 1.5}, {"y": None}]}, "first": 20}) > 0
