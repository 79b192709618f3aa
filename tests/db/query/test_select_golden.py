"""The statements that a few typical queries become, as files that people read: `tests/golden/*.sql`.

After a change that is meant: python -m tests.db.query.test_select_golden, and read the difference.
"""

import re
from typing import Any

import pytest

from db.query.statement import Statement
from tests.db.query.statements import statement_of
from tests.paths import GOLDEN

NESTED = """
query ($after: String, $states: [DisputeState!]) {
  disputes(first: 20, after: $after, filter: {state: $states}) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes { id title summary amountClaimed leadMediator { name } parties { name phone idNumber access { hidden masked } } }
  }
}"""

# name: (roles of the appointments, query, variables)
CASES: dict[str, tuple[tuple[str, ...], str, dict[str, Any]]] = {
    "page_as_bureau_admin": (("bureau_admin",), NESTED, {"after": "x", "states": ["CLOSED"]}),
    "page_as_mediator": (("mediator",), NESTED, {}),
    "page_with_three_appointments": (("grid_worker", "grid_worker", "law_leader"), NESTED, {}),
    "statistics_as_analyst": (
        ("analyst",),
        'query { statistics(period: {from: "2023-01-01"}, groupBy: TOWN) { resolved followUpRate groups { key label resolved } } }',
        {},
    ),
    "nodes_as_police": (
        ("police",),
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Party { name phone dispute { title } } ... on Note { text } } }",
        {"ids": ["Party:x", "Note:x"]},
    ),
}


def stated(name: str) -> Statement:
    """The statement of a case."""
    return statement_of(*CASES[name])


def rendered(name: str) -> str:
    """The statement, laid out; above it what each parameter is."""
    statement = stated(name)
    binds = "".join(f"-- ${number} {bind}\n" for number, bind in enumerate(statement.binds, 1))
    return f"-- {' + '.join(CASES[name][0])}\n{binds}{laid_out(statement.sql)}\n"


_CLAUSE = re.compile(
    r"(FROM|WHERE|GROUP BY|HAVING|ORDER BY|LIMIT|OFFSET|UNION|(?:LEFT OUTER )?JOIN|AND|SELECT)\b", re.ASCII
)


def laid_out(sql: str) -> str:
    """One clause a line, one column a line, deeper by two for each sub-select. Quoted text stays as it is."""
    pieces = re.findall(r"'(?:[^']|'')*'|\"(?:[^\"])*\"|[()]|,|\s+|[^\s'\"(),]+", sql)
    text = "".join(" " if piece.isspace() else piece for piece in pieces)
    lines, line = [], ""
    # For each open parenthesis whether a sub-select stands in it.
    open_: list[bool] = [True]
    position, quote = 0, ""

    def depth() -> int:
        return sum(open_) - 1

    def end() -> None:
        nonlocal line
        if line.strip():
            lines.append(line.rstrip())
        line = ""

    def begin(extra: int = 0) -> None:
        nonlocal line
        end()
        line = "  " * (depth() * 2 + extra)

    while position < len(text):
        sign = text[position]
        if quote or sign in "'\"":
            quote = "" if sign == quote else quote or sign
            line += sign
        elif sign == "(":
            line += sign
            open_.append(text.startswith("SELECT", position + 1))
            if open_[-1]:
                begin()
        elif sign == ")":
            if open_.pop():
                end()
                line = "  " * (depth() * 2 + 1) + sign
            else:
                line += sign
        elif sign == "," and open_[-1]:
            line += sign
            begin(1)
            position += 1 if text[position + 1] == " " else 0
        elif open_[-1] and text[position - 1] in " (" and (clause := _CLAUSE.match(text, position)):
            begin(1 if clause[1] == "AND" else 0)
            line += clause[1]
            position += len(clause[1]) - 1
        else:
            line += sign
        position += 1
    end()
    return "\n".join(lines)


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str) -> None:
    """As the file says; a difference is read by the one who reviews it."""
    assert rendered(name) == (GOLDEN / f"{name}.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_the_layout_changes_nothing_but_space(name: str) -> None:
    """What is reviewed is what runs."""
    sql = stated(name).sql
    assert re.sub(r"\s", "", laid_out(sql)) == re.sub(r"\s", "", sql)


def test_every_golden_is_used() -> None:
    assert {path.stem for path in GOLDEN.glob("*.sql")} == set(CASES)


if __name__ == "__main__":
    for case in CASES:
        (GOLDEN / f"{case}.sql").write_text(rendered(case), encoding="utf-8")
