"""The form of a policy text: what a line and its columns may not be, and where a mistake stands."""

import pytest

from policies.text import MAX_BYTES, Problem, find_invisible, parse_lines
from tests.policies.small import READ, only_problem, places, problems


def test_quotes_are_refused_because_casbin_keeps_them() -> None:
    assert "双引号" in only_problem('p, clerk, Case, read, "True", public, allow')
    assert "双引号" in only_problem('p, "clerk", Case, read, True, public, allow')


def test_a_comma_in_quotes_is_refused_because_it_splits_all_the_same() -> None:
    assert "应有 6 列，实有 7 列" in only_problem("p, clerk, Case, read, \"r.obj.state == 'a, b'\", public, allow")
    assert "应有 6 列，实有 7 列" in only_problem("p, clerk, Case, read, r.obj.state == 'a,b', public, allow")


def test_a_comma_in_brackets_is_refused_although_casbin_would_keep_it_together() -> None:
    assert "应有 6 列，实有 7 列" in only_problem("p, clerk, Case, read, f(r.obj.open, True), public, allow")


@pytest.mark.parametrize("key", ["P", "p1", "p4", "pp", "g2", "r", "m", "e", "policy", "", "p ,p", "\ufeffp", "ｐ"])
def test_a_line_with_an_unknown_key_is_refused_because_casbin_drops_it_in_silence(key: str) -> None:
    ((line, _),) = problems(f"{READ}{key}, clerk, Case, read, True, narrative, deny\n")
    assert line == 5


@pytest.mark.parametrize("written", ["deny ", "deny\t", "deny  \r", "allow "])
def test_an_effect_with_a_blank_behind_it_is_refused_because_another_reader_may_keep_it(written: str) -> None:
    assert problems(f"{READ}p, clerk, Case, read, r.obj.open, name, {written}\n") == [(5, "列末不能有空格")]


@pytest.mark.parametrize("column", range(1, 6))
def test_no_column_ends_with_a_blank(column: int) -> None:
    parts = ["p", "clerk", "Case", "read", "True", "public", "allow"]
    parts[column] += " "
    ((line, message, place),) = places(", ".join(parts))
    assert (line, message) == (4, "列末不能有空格")
    assert ", ".join(parts)[place - 1] == " "


def test_a_text_too_large_is_not_read() -> None:
    assert problems("#" * MAX_BYTES)[0] == (0, "策略过大（至多 8 MB）")


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("p, clerk, Case, read, True, public", "应有 6 列，实有 5 列"),
        ("p, clerk, Case, read, True, public, allow, extra", "应有 6 列，实有 7 列"),
        ("p, clerk, Case, read, , public, allow", "列不能为空"),
        ("p, clerk, Case, read, True, public, allow # 说明", "#"),
        ("p, clerk, Case, read, r.obj[0], public, allow", "方括号"),
        ("p, clerk, Case, read, r.obj.o\u202epen, public, allow", "控制字符或不可见字符"),
        ("p, clerk, Case, read, True, public, allow\0", "控制字符或不可见字符"),
        ("p, clerk, Case, read, True, public, al\u200blow", "控制字符或不可见字符"),
        ("p, clerk, Case, read, True, public, allow\u2028p, x", "控制字符或不可见字符"),
        ("# 注释 \u2067 反向", "控制字符或不可见字符"),
        ("p3, new, \ud800", "控制字符或不可见字符"),
        ("p3, new", "p3 行应有 2 列，实有 1 列"),
        ("p2, near, r.obj.open, 附\u0301近", "U+0301"),
        ("p3, new, 新\u3164", "U+3164"),
        ("p3, new, \ue000", "U+E000"),
        ("g, clerk", "g 行应有 2 列，实有 1 列"),
    ],
)
def test_a_malformed_line_is_refused(line: str, part: str) -> None:
    ((number, message),) = problems(f"{line}\n{READ}")
    assert (number, part in message) == (4, True), message


def test_lines_keep_their_place_and_lose_leading_blanks_and_comments() -> None:
    refused: list[Problem] = []
    text = "# 注释\n\n p,  clerk,Case, read, True,\tpublic, allow\r\nq\ng, chief, clerk"
    lines = parse_lines(text, refused.append)
    assert [(line.number, line.key, line.columns) for line in lines] == [
        (3, "p", ("clerk", "Case", "read", "True", "public", "allow")),
        (5, "g", ("chief", "clerk")),
    ]
    assert [lines[0].raw[slice(*lines[0].span(column))] for column in range(1, 7)] == list(lines[0].columns)
    assert [(problem.line, problem.column) for problem in refused] == [(4, 1)]


@pytest.mark.parametrize(
    ("text", "index"),
    [("r.obj.open，本镇（甲）", None), ("a\tb", None), ("a\u200bb", 1), ("é", None), ("e\u0301", 1), ("甲\u3164", 1)],
)
def test_invisible_characters(text: str, index: int | None) -> None:
    assert find_invisible(text) == index
