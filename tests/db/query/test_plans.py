"""The plans of the benchmark's questions: no big table is read from end to end, nothing longer than a page is sorted, whoever asks.

`tests/golden/plans/*.txt` is the shape of each plan at a million disputes or more, where the laws hold as they do here. To make the
files again, load a demo with a million (`python -m api demo --scale 1000000`), and with its database's address in
SANLIAN_DATABASE_URL: python -m tests.db.query.test_plans. Then read the difference.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from api.lifespan import READER
from db.postgres.address import Address
from db.postgres.session import PLANNING
from db.query.keyset import MAX_PAGE
from db.query.statement import GENERIC, Statement
from tests.bench import workload
from tests.db.query.statements import statement_of
from tests.db.world import connected
from tests.paths import GOLDEN

PLANS = GOLDEN / "plans"

# What grows with the county.
BIG = {
    "dispute", "party", "assignment", "agreement", "obligation", "performance", "follow_up", "referral", "session", "note", "measure",
    "attendance", "signature", "confirmation", "extension", "assessment", "alert", "escalation", "recusal", "opinion", "visit",
    "factor", "event", "tally", "tally_sum", "tally_days",
}  # fmt: skip

CALLERS: dict[str, tuple[str, ...]] = {
    "bureau_admin": ("bureau_admin",),
    "justice_office": ("justice_office",),
    "mediator": ("mediator",),
    "grid_worker": ("grid_worker",),
    "court": ("court",),
    "agency_hotline": ("agency_hotline",),
    "three_appointments": ("grid_worker", "grid_worker", "law_leader"),
}
ALL = tuple(CALLERS)
# name: (query, variables, who asks it: those whom it is not refused)
QUESTIONS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "Q1": (workload.Q1, {"first": 50}, ALL),
    "Q1_deep": (workload.Q1, {"first": 50, "after": "x"}, ALL),
    "Q2": (workload.Q2, {"id": "Dispute:x"}, ALL),
    "Q3": (workload.Q3, {"state": ["CLOSED"], "subCategory": ["P02"]}, ALL),
    # Of several appointments, what a handful of them sees is a good part of a county of the tests' size.
    "Q4": (workload.Q4, {}, tuple(one for one in ALL if one != "three_appointments")),
    "Q5": (workload.Q5, {}, tuple(one for one in ALL if one != "court")),
}
CASES = [(question, caller) for question, (_, _, callers) in QUESTIONS.items() for caller in callers]

# Where few rows are left over at the size of the tests, and another path to them is as good; the laws hold for these as well.
SIZED = {
    *(("Q4", caller) for caller in QUESTIONS["Q4"][2]),
    ("Q3", "mediator"), ("Q3", "grid_worker"), ("Q3", "court"), ("Q3", "three_appointments"),
    *(("Q5", caller) for caller in QUESTIONS["Q5"][2]),
}  # fmt: skip

# The longest list that may be sorted, as PostgreSQL guesses it: a page for each of ten branches, of scopes or of a filter's values.
SORTED = 10 * (MAX_PAGE + 1)


@cache
def stated(question: str, caller: str) -> Statement:
    """The statement of a question. Its plan is the one for any values."""
    query, variables, _ = QUESTIONS[question]
    return statement_of(CALLERS[caller], query, variables)


async def explained(connection: "asyncpg.Connection[Any]", question: str, caller: str) -> dict[str, Any]:
    """The plan for any values, as a reader's generic pool makes it."""
    statement = stated(question, caller)
    values = ", ".join("NULL" for _ in statement.binds)
    async with connection.transaction():
        settings = (f"SET ROLE {READER}", "SET plan_cache_mode TO force_generic_plan", *PLANNING)
        await connection.execute("; ".join(settings).replace("SET ", "SET LOCAL "))
        await connection.execute(f"PREPARE asked AS {statement.sql}")
        text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{f'({values})' if values else ''}")
        await connection.execute("DEALLOCATE asked")
    plan: dict[str, Any] = json.loads(text)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any], depth: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every node of a plan with its depth."""
    yield depth, plan
    for below in plan.get("Plans", ()):
        yield from nodes(below, depth + 1)


def shape(plan: dict[str, Any]) -> str:
    """What a plan does, without what it thinks of numbers."""
    lines = []
    for depth, node in nodes(plan):
        words = [node["Node Type"]]
        if "Index Name" in node and "Relation Name" not in node:
            words.append(f"of {node['Index Name']}")
        if "Relation Name" in node:
            words.append(f"on {node['Relation Name']}")
            if "Index Name" in node:
                # Both find a dispute by its id; which of them is smaller is chance.
                words.append(f"by {node['Index Name']}".replace("uq_dispute_id_registered_at", "pk_dispute"))
        if node.get("Scan Direction") == "Backward":
            words.append("backward")
        if node.get("Join Type", "Inner") != "Inner":
            words.append(node["Join Type"].lower())
        lines.append("  " * depth + " ".join(words))
    return "\n".join(lines) + "\n"


def check(plan: dict[str, Any]) -> None:
    """The laws of every plan."""
    for _, node in nodes(plan):
        assert node["Node Type"] != "Seq Scan" or node["Relation Name"] not in BIG, node["Relation Name"]
        if node["Node Type"] in ("Sort", "Incremental Sort"):
            assert node["Plans"][0]["Plan Rows"] <= SORTED, node["Sort Key"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def connection(large_county: Address) -> AsyncIterator["asyncpg.Connection[Any]"]:
    async with connected(large_county) as opened:
        yield opened


@pytest.mark.parametrize(("question", "caller"), CASES)
async def test_no_plan_reads_or_sorts_more_than_it_shows(
    connection: "asyncpg.Connection[Any]", question: str, caller: str
) -> None:
    check(await explained(connection, question, caller))


@pytest.mark.parametrize(("question", "caller"), [case for case in CASES if case not in SIZED])
async def test_the_plan_is_that_of_a_million(connection: "asyncpg.Connection[Any]", question: str, caller: str) -> None:
    plan = shape(await explained(connection, question, caller))
    assert plan == (PLANS / f"{question}_as_{caller}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("question", "caller"), CASES)
def test_one_plan_serves_all_values(question: str, caller: str) -> None:
    assert stated(question, caller).planning == GENERIC


async def _write(address: Address) -> None:
    PLANS.mkdir(parents=True, exist_ok=True)
    async with connected(address) as opened:
        for question, caller in CASES:
            plan = await explained(opened, question, caller)
            check(plan)
            (PLANS / f"{question}_as_{caller}.txt").write_text(shape(plan), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write(Address.parse(os.environ["SANLIAN_DATABASE_URL"])))
