"""What a new text costs: its price is known before anything is compiled, and what it needs is done beside the event loop."""

import itertools
import random
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest
import pytest_asyncio

import api.http.documents
import schema.execution.query
import schema.planning.budget
import schema.questions.answer
from api.http.endpoint import Endpoint
from api.http.limits import Limits
from db.county.people import PRINCIPALS
from db.postgres.address import Address
from db.worker import Worker
from schema.execution.plan_cache import PlanCache
from tests.laws.client import GraphQLClient, open_client

TIMELINE = "timeline { at action label fromState toState actor { id name } changes { resource field value } }"
ACCESS = "access { can hidden masked }"
NESTED = f"previous {{ {ACCESS} " * 9 + "id" + " }" * 9
# Each is small, within the limits on documents, and took seconds to compile.
COSTLY = {
    "timelines": " ".join(f"a{n}: {TIMELINE}" for n in range(28)),
    "timelines of relations": " ".join(f"a{n}: previous {{ {TIMELINE} }}" for n in range(28)),
    "relations": " ".join(f"a{n}: parties {{ {ACCESS} obligations {{ {ACCESS} }} }}" for n in range(28)),
    "access": " ".join(
        f"a{n}: previous {{ {ACCESS} parties {{ {ACCESS} }} agreements {{ {ACCESS} }} }}" for n in range(28)
    ),
    "nested": f"{NESTED} " + " ".join(f"a{n}: {NESTED}" for n in range(8)),
    "inline fragments": " ".join(f"... on Dispute {{ a{n}: {TIMELINE} }}" for n in range(28)),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county) as opened:
        yield opened


Spied = dict[str, set[int]]


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch) -> Spied:
    """The threads in which each costly step was done."""
    threads: Spied = {}

    def spy(module: Any, name: str) -> None:
        key, real = f"{module.__name__}.{name}", getattr(module, name)

        def spied(*arguments: Any, **named: Any) -> Any:
            threads.setdefault(key, set()).add(threading.get_ident())
            return real(*arguments, **named)

        monkeypatch.setattr(module, name, spied)

    for module, name in (
        (api.http.documents, "parse_document"),
        (api.http.documents, "validate"),
        (schema.execution.query, "plan_operation"),
        (schema.execution.query, "execute"),
        (schema.execution.query, "merged"),
        (schema.planning.budget, "select_plan"),
        (schema.questions.answer, "select_plan"),
    ):
        spy(module, name)
    return threads


def of_a_dispute(selection: str) -> str:
    return f'{{ dispute(caseNumber: "x") {{ {selection} }} }}'


def of_a_mutation(selection: str) -> str:
    given = '{id: "Dispute:00000000-0000-4000-8000-000000000000", happenedAt: "2024-02-20T09:00:00+08:00"}'
    return f"mutation {{ disputeAccept(input: {given}) {{ dispute {{ {selection} }} }} }}"


@pytest.mark.parametrize("operation", [of_a_dispute, of_a_mutation], ids=["query", "mutation"])
@pytest.mark.parametrize("name", COSTLY)
async def test_what_is_costly_is_refused_before_it_is_compiled(
    gql: GraphQLClient, spied: Spied, operation: Callable[[str], str], name: str
) -> None:
    response = await gql.ask(PRINCIPALS["mediator"], operation(COSTLY[name]))
    assert response.codes == ["TOO_COSTLY"]
    extensions = response.errors[0]["extensions"]
    assert extensions["cost"] > extensions["limit"] > 0
    assert "schema.planning.budget.select_plan" not in spied


async def test_types_of_an_interface_are_bounded_before_they_are_planned(gql: GraphQLClient, spied: Spied) -> None:
    """Each selection below `nodes` is planned for each type that is asked for."""
    types = (
        "Dispute",
        "Party",
        "Agreement",
        "Obligation",
        "Person",
        "Team",
        "Compound",
        "Area",
        "Organization",
        "Event",
    )
    ids = [f"{one}:00000000-0000-4000-8000-000000000000" for one in types] * 10
    query = "query ($ids: [ID!]!) {" + " ".join(f"r{n}: nodes(ids: $ids) {{ ...F }}" for n in range(10)) + "}"
    query += " fragment F on Node { " + " ".join(f"...F{n}" for n in range(15)) + " }"
    query += "".join(f" fragment F{n} on Node {{ x{n}: id y{n}: {ACCESS} }}" for n in range(15))
    response = await gql.ask(PRINCIPALS["mediator"], query, ids=ids)
    assert response.codes == ["TOO_COSTLY"]
    assert "schema.planning.budget.select_plan" not in spied


async def test_a_new_text_is_worked_on_beside_the_event_loop(gql: GraphQLClient, spied: Spied) -> None:
    """Over HTTP: queries, mutations, questions and introspection, each step of each in another thread than that of the loop."""
    endpoint = Endpoint(gql.services.schema, gql.services.gate, Limits(), worker=gql.services.planner)
    token = await gql.token(PRINCIPALS["security_admin"])
    bodies = (
        "{ disputes { nodes { id } } __schema { queryType { name } } }",
        "{ viewer { roles } policyMatrix(roles: []) { sha256 } }",
        "{ viewer { policyVersion } policyVersions(first: 1) { nodes { version } } }",
        of_a_mutation("id"),
        "{ nothing }",
    )
    for body in bodies:
        sent: list[Any] = []

        async def receive(body: str = body) -> Any:
            return {"type": "http.request", "body": orjson.dumps({"query": body}), "more_body": False}

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json"), (b"authorization", b"Bearer " + token.encode())]
        scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
        await endpoint(scope, receive, send)
        assert sent[0]["status"] in (200, 400)
    assert set(spied) >= {
        "api.http.documents.parse_document",
        "api.http.documents.validate",
        "schema.execution.query.plan_operation",
        "schema.execution.query.execute",
        "schema.execution.query.merged",
        "schema.planning.budget.select_plan",
    }
    assert threading.get_ident() not in set().union(*spied.values())


async def test_plans_stay_under_their_bound(county: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many texts with variants, as several people, with a bound so small that it is reached."""
    caches: list[PlanCache[Any]] = []

    class Watched(PlanCache[Any]):
        def __init__(self, max_bytes: int, worker: Worker) -> None:
            super().__init__(max_bytes // 300, worker)
            caches.append(self)

    monkeypatch.setattr(schema.execution.query, "PlanCache", Watched)
    dice, weights = random.Random(3), []
    async with open_client(county) as gql:
        for number in range(8):
            flags = " ".join(f"$f{n}: Boolean!" for n in range(4))
            fields = " ".join(f"a{n}: access @include(if: $f{n}) {{ can hidden masked }}" for n in range(4))
            text = f"query Q{number}({flags}) {{ disputes(first: 1) {{ nodes {{ id {fields} }} }} }}"
            for _ in range(3):
                person = PRINCIPALS[dice.choice(("mediator", "grid_worker", "bureau_admin"))]
                await gql.data(person, text, **{f"f{n}": dice.random() < 0.5 for n in range(4)})
                weights.append(caches[0].weight)
    bound = schema.execution.query.MAX_PLAN_BYTES // 300
    assert max(weights) <= bound
    assert any(after < before for before, after in itertools.pairwise(weights))  # it was reached
