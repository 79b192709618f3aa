"""What is compiled once: the same text whatever was made before, names that hide no others, a bounded weight."""

import random
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import bindparam, exists, literal_column, select
from sqlalchemy.types import Text

from db import tables as t
from db.query.fragment import Fragment, FragmentCache, compile_fragment, fragments_of, slot
from db.query.statement import GENERIC, Statement
from db.query.statement_text import StatementText
from policies.policy import Policy
from schema.refusal import Refusal
from schema.sdl import graphql_schema
from tests.db.query.statements import shipped_policy, statement_of
from tests.db.query.test_plans import CALLERS, QUESTIONS
from tests.laws.queries import Query
from tests.laws.visibility_oracle import TABLES

RANDOM_QUERIES = 12
SHAPES = {name: CALLERS[name] for name in ("mediator", "three_appointments")}
# What stands in a FROM, by its name: labels of columns have no number behind them.
_NAMED = re.compile(r'\bAS ("-_\d+"|[a-z_]+_\d+\b)|(?:WITH|,) (cte_\d+) AS')

# Case: (roles, query, variables).
Case = tuple[tuple[str, ...], str, dict[str, object]]


def cases() -> Iterator[Case]:
    """The benchmark's questions of every caller, and random queries, the shapes of callers mixed."""
    for query, variables, callers in QUESTIONS.values():
        for caller in SHAPES.keys() & callers:
            yield SHAPES[caller], query, variables
    ids = {name: [f"{name}:00000000-0000-4000-8000-000000000001"] for name in TABLES}
    for number in range(RANDOM_QUERIES):
        dice = random.Random(number)
        query = Query(graphql_schema(), dice, ids)
        yield dice.choice(list(SHAPES.values())), query.text, query.variables


def made(case: Case, policy: Policy) -> Statement | None:
    """The statement of a case; None where it is refused."""
    try:
        return statement_of(*case, policy)
    except (Refusal, AssertionError):
        return None


@pytest.fixture(scope="module")
def statements() -> list[tuple[Case, Statement]]:
    """All cases that are not refused, with their statements, made in this order under one policy."""
    policy = shipped_policy()
    return [(case, statement) for case in cases() if (statement := made(case, policy)) is not None]


def test_a_statement_does_not_depend_on_what_was_made_before(statements: list[tuple[Case, Statement]]) -> None:
    """SECURITY: the key of a fragment holds all that it depends on, else a row, a caller or a list would get the text of another.

    Where a key lacks something, the first to come makes the text, so another order gives another one."""
    assert len(statements) > 15
    policy = shipped_policy()
    for case, statement in reversed(statements):
        assert made(case, policy) == statement, case


def scopes(sql: str) -> Iterator[tuple[str, list[set[str]]]]:
    """Each name that is given to something in a FROM or WITH, with the names of the scopes around it, its own last: those between the
    parentheses that are open there. An expression may stand in several places: side by side, not inside of itself."""
    open_: list[set[str]] = [set()]
    for match in re.finditer(r"'(?:[^']|'')*'|[()]|" + _NAMED.pattern, sql):
        if match[0] == "(":
            open_.append(set())
        elif match[0] == ")":
            open_.pop()
        elif name := match[1] or match[2]:
            yield name, open_
            open_[-1].add(name)


def test_no_name_of_a_statement_hides_another(statements: list[tuple[Case, Statement]]) -> None:
    """Nothing is called by a name that something in its scope or around it has."""
    for case, statement in statements:
        for name, around in scopes(statement.sql):
            assert not any(name in names for names in around), (name, case)
        assert "\x01" not in statement.sql
        assert "\x02" not in statement.sql


def test_inner_names_hide_no_outer_ones() -> None:
    """A fragment that reads the same table as the row around it, in a statement where that row has any name."""
    outer = t.assignment.alias(slot("row"))
    inner = t.assignment.alias()
    clause = exists(select(literal_column("1")).where(inner.c.dispute_id == outer.c.dispute_id).correlate(outer))
    fragment = compile_fragment({"": clause}, outer)
    text = StatementText()
    for _ in range(3):
        name = text.name("assignment")
        (written,) = text.take(fragment, {"row": name}).values()
        assert name not in [inner for inner, _ in scopes(written)]
        assert f"= {name}.dispute_id" in written


def test_binds_are_numbered_in_one_row_and_may_be_renamed() -> None:
    fragment = compile_fragment({"": bindparam("value", type_=Text()) == bindparam("claim", type_=Text())})
    text = StatementText()
    one, other = (text.take(fragment, {}, {"value": name})[""] for name in ("v1", "v2"))
    statement = text.finish(f"SELECT {one}, {other}", GENERIC)
    assert statement.sql == "SELECT $1::VARCHAR = $2::VARCHAR, $3::VARCHAR = $2::VARCHAR"
    assert statement.binds == ("v1", "claim", "v2")


def test_a_cte_is_there_once_for_the_same_values() -> None:
    def fragment() -> Fragment:
        cte = select(t.area.c.code).where(t.area.c.code == bindparam("code", type_=Text())).cte()
        again = select(cte.c.code).distinct().cte()
        return compile_fragment({"": select(again.c.code).scalar_subquery()})

    text = StatementText()
    for bind in ("v1", "v2", "v1"):
        text.take(fragment(), {}, {"code": bind})
    sql = text.finish("SELECT 1", GENERIC).sql
    assert [name for name, _ in scopes(sql) if name.startswith("cte")] == ["cte_1", "cte_2", "cte_3", "cte_4"]
    assert sql.index("cte_1 AS") < sql.index("cte_2 AS") < sql.index("FROM cte_1")


def test_fragments_are_bounded_by_their_bytes() -> None:
    def fragment(size: int) -> Fragment:
        return compile_fragment({"": literal_column("'" + "x" * size + "'")})

    cache = FragmentCache(30_000)
    kept = cache.get("kept", lambda: fragment(10))
    for number in range(50):
        cache.get(number, lambda: fragment(5_000))
        assert cache.get("kept", lambda: fragment(10)) is kept
        assert cache.weight <= 30_000
    assert 2 < len(cache) < 7
    # What weighs more than all may is made each time.
    cache.get("large", lambda: fragment(40_000))
    assert len(cache) == cache.weight == 0


@pytest.mark.parametrize("caller", ["mediator", "three_appointments"])
def test_what_is_made_once_is_not_made_again(caller: str) -> None:
    """Another text of the same shape of access adds nothing for what it has in common with those before."""
    policy = shipped_policy()
    for query, variables, callers in QUESTIONS.values():
        if caller in callers:
            statement_of(CALLERS[caller], query, variables, policy)
    number = len(fragments_of(policy))
    assert number > 20
    other = "query One($one: ID!) { it: dispute(id: $one) { state title parties { phone side } sessions { place } } }"
    statement_of(CALLERS[caller], other, {"one": "Dispute:x"}, policy)
    assert len(fragments_of(policy)) == number


def test_statistics_are_compiled_once_for_all_metrics() -> None:
    """Which sums are wanted is chosen from one text: another choice adds the formulas of its metrics and nothing else."""
    policy = shipped_policy()

    def made_of(metrics: str) -> Statement:
        return statement_of(
            ("bureau_admin",), f"{{ statistics(groupBy: TOWN) {{ groups {{ {metrics} }} }} }}", {}, policy
        )

    made_of("key registered")
    number = len(fragments_of(policy))
    sql = made_of("key resolved onTimeRate averageSatisfaction").sql
    assert len(fragments_of(policy)) == number + 3
    assert " AS on_time," in sql
    assert " AS local" not in sql
    assert not {"\x04", "\x05", "\x06"} & set(sql)
