"""Law: what cannot be coerced is refused, never taken for absent. Whether it can is the verdict of graphql-core's own executor on the
same schema; the fast path and the one by graphql-core give the same answer."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from graphql import (
    GraphQLEnumType,
    GraphQLObjectType,
    GraphQLSchema,
    execute,
    get_nullable_type,
    is_introspection_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    parse,
    validate,
)

from db.county.people import PRINCIPALS
from db.postgres.address import Address
from schema.sdl import graphql_schema
from tests.laws.client import GraphQLClient, Response, open_client
from tests.laws.edges import CONTROLS, Position, Question, all_positions, good, literal, positions, questions

OWN_REFUSALS = {"BAD_USER_INPUT", "FIELD_NOT_READABLE", "FORBIDDEN", "NOT_FOUND", "TOO_COSTLY"}


def _value_of(kind: Any) -> Any:
    bare = get_nullable_type(kind)
    if is_list_type(bare):
        return [_value_of(bare.of_type)]
    if is_leaf_type(bare):
        if not is_non_null_type(kind):
            return None
        return next(iter(bare.values.values())).value if isinstance(bare, GraphQLEnumType) else 0
    return {} if isinstance(bare, GraphQLObjectType) else None


def _resolver(value: Any) -> Any:
    return lambda *_, **__: value


@pytest.fixture(scope="module")
def reference() -> GraphQLSchema:
    """The schema with a value for every field, so that graphql-core comes to the arguments of all of them."""
    schema = graphql_schema()
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not is_introspection_type(kind):
            kind.is_type_of = None
            for field in kind.fields.values():
                field.resolve = _resolver(_value_of(field.type))
    return schema


def coerces(reference: GraphQLSchema, question: Question) -> bool:
    """Whether graphql-core takes every value of the question."""
    document = parse(question.text)
    if validate(reference, document):
        return False
    result: Any = execute(reference, document, variable_values=question.variables)
    return not result.errors


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def both(county: Address) -> AsyncIterator[tuple[GraphQLClient, GraphQLClient]]:
    async with open_client(county) as fast, open_client(county, fast_path=False) as slow:
        yield fast, slow


POSITIONS = positions(graphql_schema(), 1)


def _of(operation: str) -> list[Position]:
    return [one for one in POSITIONS if one.operation == operation]


async def answers(both: tuple[GraphQLClient, GraphQLClient], person: str, question: Question) -> list[Response]:
    token = await both[0].token(person)
    return list(await asyncio.gather(*(gql.ask_with(token, question.text, question.variables) for gql in both)))


@pytest.mark.parametrize("position", _of("query"), ids=lambda one: one.text)
async def test_queries(both: tuple[GraphQLClient, GraphQLClient], reference: GraphQLSchema, position: Position) -> None:
    # The questions about the policy are long: whoever may not ask them is answered at once.
    asker = "mediator" if "{ policy" in position.text else "bureau_admin"
    outcomes: Counter[str] = Counter()
    for question in questions(position):
        fast, slow = await answers(both, PRINCIPALS[asker], question)
        assert (fast.data, fast.errors) == (slow.data, slow.errors), question
        if coerces(reference, question):
            assert set(fast.codes) <= OWN_REFUSALS, (question, fast.errors)
            outcomes["taken"] += 1
        else:
            assert (fast.data, set(fast.codes)) == (None, {"BAD_USER_INPUT"}), (question, fast)
            outcomes["refused"] += 1
    assert outcomes["refused"] > 1, outcomes
    assert outcomes["taken"] > 1, outcomes


@pytest.mark.parametrize("position", _of("mutation"), ids=lambda one: one.text[:80])
async def test_mutations(
    both: tuple[GraphQLClient, GraphQLClient], reference: GraphQLSchema, position: Position
) -> None:
    """Asked by somebody who may do nothing of it, so that nothing is stored."""
    for question in questions(position):
        fast = await both[0].ask(PRINCIPALS["auditor"], question.text, **question.variables)
        if not coerces(reference, question):
            assert set(fast.codes) == {"BAD_USER_INPUT"}, (question, fast)
            assert fast.data is None or list(fast.data.values()) == [None]
        else:
            assert set(fast.codes) <= OWN_REFUSALS, (question, fast.errors)
            assert all(payload is None or _errors(payload) for payload in (fast.data or {}).values())


def _errors(payload: dict[str, Any]) -> bool:
    return "userErrors" not in payload or bool(payload["userErrors"])


async def test_control_characters_are_refused_everywhere(both: tuple[GraphQLClient, GraphQLClient]) -> None:
    """In every text of a query; PostgreSQL holds no NUL, and half a surrogate pair is no UTF-8."""
    asked = 0
    for position in all_positions(both[0].services.schema):
        if position.operation != "query" or position.below or str(get_nullable_type(position.kind)) != "String":
            continue
        asked += 1
        text = f"query ($v: {position.kind}) {position.text % '$v'}"
        control = CONTROLS[asked % len(CONTROLS)]
        for person in (PRINCIPALS["bureau_admin"], PRINCIPALS["security_admin"]):
            response = await both[0].ask(person, text, v=control)
            assert response.codes, (position.text, control)
            assert set(response.codes) <= OWN_REFUSALS
            assert not response.data or list(response.data.values()) == [None]
    assert asked > 60


async def test_null_in_a_list_is_not_an_absent_filter(both: tuple[GraphQLClient, GraphQLClient]) -> None:
    """A variable with a default value passes validation where null may not stand; so the value says whether it may."""
    text = "query ($s: DisputeState = MEDIATING) { disputes(filter: {state: [PERFORMED, $s]}) { totalCount } %s }"
    for beside in ("", "__schema { queryType { name } }"):
        question = Question(text % beside, {"s": None})
        for response in await answers(both, PRINCIPALS["bureau_admin"], question):
            assert (response.data, response.codes) == (None, ["BAD_USER_INPUT"])
            assert "$s" in response.errors[0]["message"]
        right = await answers(both, PRINCIPALS["bureau_admin"], Question(text % beside, {}))
        assert right[0].data == right[1].data
        assert right[0].data["disputes"]["totalCount"] > 0


async def test_an_error_of_a_mutation_leaves_the_others(
    both: tuple[GraphQLClient, GraphQLClient], reference: GraphQLSchema
) -> None:
    """GraphQL 6.4.4: what has no value is null, so every mutation may be null, and its neighbour keeps its payload."""
    mutation: Any = reference.mutation_type
    for name, field in mutation.fields.items():
        assert not is_non_null_type(field.type), name
        ((argument, definition),) = field.args.items()
        default = literal(definition.type, good(definition.type))
        text = (
            f"mutation ($v: {get_nullable_type(definition.type)} = {default})"
            f" {{ {name}({argument}: $v) {{ __typename }} beside: __typename }}"
        )
        assert not validate(reference, parse(text))
        response = await both[0].ask(PRINCIPALS["auditor"], text, v=None)
        assert (response.data, response.codes) == ({name: None, "beside": "Mutation"}, ["BAD_USER_INPUT"]), name
        assert response.errors[0]["path"] == [name]
