"""The price of a plan, which is known before it is compiled, goes with the length of its statement, whoever asks for whatever."""

import random
import uuid
from collections.abc import Iterator

import pytest
from graphql import GraphQLSchema
from graphql.execution.values import get_variable_values

from api.http.documents import Documents, InvalidDocument
from api.http.limits import Limits
from db.query.price import Prices
from db.query.select import select_plan
from db.resources.catalog import CATALOG, RESOURCES
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment
from schema.planning.arguments import Call
from schema.planning.operation import Operation
from schema.planning.planner import plan_operation
from schema.refusal import Refusal
from schema.sdl import graphql_schema
from tests.laws.queries import Query

POLICY = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG, 1)
CLAIMS = {"person_id": uuid.UUID(int=1), "organization_id": uuid.UUID(int=2), "area_code": "1", "team_ids": []}
IDS = {name: [f"{name}:{uuid.UUID(int=number)}" for number in range(3)] for name in RESOURCES}
WIDE = Limits(max_tokens=20_000, max_aliases=500, max_root_fields=50, max_directives=500, max_depth=30)
# Characters of SQL for each unit of the price: never more than so many, so that what is refused is refused in time.
MOST, LEAST = 200, 20

OF_A_DISPUTE = (
    "timeline { at action label fromState toState actor { id name } changes { resource field value } }",
    "timeline { changes { value } }",
    "timeline { toState }",
    "timeline { label }",
    "clocks { name dueOn state }",
    "access { can hidden masked }",
    "access { can }",
    "access { hidden }",
    "access { masked }",
    "previous { id title summary }",
    "parties { name phone idNumber address }",
    "agreements { state obligations { amount performances { amount } } }",
)


def _texts() -> Iterator[tuple[str, dict[str, object], list[str]]]:
    roles = sorted(POLICY.roles)
    for number, selection in enumerate(OF_A_DISPUTE):
        fields = " ".join(f"a{index}: {selection}" for index in range(2))
        for role in roles[number % 3 :: 3]:
            yield f'{{ dispute(caseNumber: "x") {{ {fields} }} }}', {}, [role]
    schema = graphql_schema()
    for seed in range(25):
        dice = random.Random(seed)
        query = Query(schema, dice, IDS)
        yield query.text, query.variables, dice.choices(roles, k=dice.choice((1, 1, 2, 3)))


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graphql_schema()


def test_the_price_goes_with_the_statement(schema: GraphQLSchema) -> None:
    documents, compared = Documents(schema, WIDE), 0
    for text, given, roles in _texts():
        access = Access(POLICY, [Appointment(role, CLAIMS) for role in roles])
        try:
            accepted = documents.check(text)
            definition = accepted.select_operation(None)
            variables = get_variable_values(schema, definition.variable_definitions or (), given)
            assert not isinstance(variables, list)
            operation = Operation(accepted.document, definition, None, given)
            plan = plan_operation(
                schema, operation, access, Call(variables, CLAIMS["person_id"], bytes(32)), typed=False
            ).plan
        except (Refusal, InvalidDocument, AssertionError):
            continue
        price, length = Prices(access).of(plan), len(select_plan(plan, access).sql)
        assert LEAST * price <= length + 600 <= MOST * price + 1_200, (price, length, roles, text)
        compared += 1
    assert compared > 60
