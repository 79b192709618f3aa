"""An id or a code of another kind than is wanted is refused wherever one may stand; it is never merely found nowhere."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from graphql import get_argument_values, get_nullable_type, parse

from db.county.people import PRINCIPALS
from db.postgres.address import Address
from db.write.command import UserError
from schema.execution.command_input import read_order
from schema.mutation import COMMAND_OF
from schema.node import NODE_TYPES
from schema.sdl import graphql_schema
from tests.laws.callers import appoint_several
from tests.laws.client import GraphQLClient, open_client
from tests.laws.edges import UUID, Position, all_positions, literal

# Somebody who may filter by everything.
READER = "多职丁"
# What may be anything with an identifier.
ANY = ("node(id: %s)", "nodes(ids: [%s])", "explainAccess(node: %s)", "whoCanSee(node: %s)")


SCHEMA = graphql_schema()
POSITIONS = [
    one for one in all_positions(SCHEMA) if str(get_nullable_type(one.kind)) == "ID" and "submitOutbox" not in one.text
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county) as opened:
        await appoint_several(opened.connection)
        yield opened


async def wanted(gql: GraphQLClient, position: Position, value: str) -> str | None:
    """The type that is named in the refusal of a value; None where it is taken."""
    text = f"{position.operation} {position.text % literal(position.kind, value)}"
    if position.operation == "query":
        response = await gql.ask(READER, text)
        said = [one["message"] for one in response.errors if one["extensions"]["code"] == "BAD_USER_INPUT"]
    else:
        # Only the keys around the value stand before it.
        place = re.findall(r"(\w+):", position.text.partition("%s")[0].partition("input: ")[2])
        said = [one.message for one in _mistakes(text) if one.code == "BAD_ID" and _keys(one.field) == place]
    match = re.search(r"形如 (\w+):", said[0]) if said else None
    return match and match[1]


def _mistakes(text: str) -> tuple[UserError, ...]:
    """What is wrong with the input of a mutation in form."""
    operation: Any = parse(text).definitions[0]
    (node,) = operation.selection_set.selections
    mutation: Any = SCHEMA.mutation_type
    values = get_argument_values(mutation.fields[node.name.value], node)
    return read_order(COMMAND_OF[node.name.value].input_type, values["input"]).user_errors


def test_an_outbox_takes_the_inputs_of_the_commands() -> None:
    mutation: Any = SCHEMA.mutation_type
    items: Any = SCHEMA.type_map["OutboxItemInput"]
    for name, field in items.fields.items():
        if name != "temporaryId":
            assert field.type is get_nullable_type(mutation.fields[name].args["input"].type)


def _keys(path: str) -> list[str]:
    return [one for one in path.split(".") if not one.isdigit()]


def test_there_are_many() -> None:
    assert len(POSITIONS) > 70
    assert {one.operation for one in POSITIONS} == {"query", "mutation"}


@pytest.mark.parametrize("position", POSITIONS, ids=lambda one: one.text[:70])
async def test_ids_of_another_type_are_refused(gql: GraphQLClient, position: Position) -> None:
    kind = await wanted(gql, position, f"Banana:{UUID}")
    assert kind in NODE_TYPES
    assert await wanted(gql, position, f"{kind}:{UUID}") is None
    for wrong in ("junk", f"{kind}:{UUID.upper()}", f"{kind}:{UUID}x"):
        assert await wanted(gql, position, wrong) == kind, wrong
    for other in ("Person", "Dispute"):
        takes_any = any(one in position.text for one in ANY)
        assert await wanted(gql, position, f"{other}:{UUID}") == (None if takes_any or other == kind else kind)


CODED = "query ($code: String) { areas(filter: {code: $code}) { totalCount } }"
LISTS = (
    "disputes",
    "compounds",
    "teams",
    "organizations",
    "areas",
    "agreements",
    "obligations",
    "followUps",
    "alerts",
    "inspections",
)


@pytest.mark.parametrize("place", LISTS)
async def test_padded_codes_of_statistics(gql: GraphQLClient, place: str) -> None:
    """Zeros that pad a code to twelve digits change nothing; what is no code is refused; an area that is not there has no rows."""
    text = (
        f"query ($code: String) {{ {place}(filter: {{areaCode: $code}}, first: 200) {{ totalCount nodes {{ id }} }} }}"
    )
    person = PRINCIPALS["bureau_admin"]
    for code, padded in (("371525", "371525000000"), ("371525002", "371525002000"), ("371525", "371525000")):
        assert await gql.data(person, text, code=padded) == await gql.data(person, text, code=code)
    for code in ("371525", "371525000000"):
        assert (await gql.data(person, CODED, code=code))["areas"]["totalCount"] == 1
    for unknown in ("370000", "371500000000", "999999", "371525999999"):
        assert (await gql.data(person, text, code=unknown))[place]["nodes"] == []
    for wrong in (
        "",
        "37",
        "3715",
        "37152500200",
        "371525002001001001",
        "３７１５２５",
        "371525 ",
        "崇文街道",
        "-371525",
    ):
        for query in (text, CODED):
            assert (await gql.ask(person, query, code=wrong)).codes == ["BAD_USER_INPUT"], wrong
