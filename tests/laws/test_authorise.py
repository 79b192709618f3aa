"""Law: authorised before anything else. Who may not do a thing gets one answer, word for word, whatever they send, and touches nothing.

Allowed at all, then visible (NOT_FOUND), then allowed here (FORBIDDEN), and only then states, guards and the values of the input.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull, GraphQLSchema

from db.commands import COMMANDS
from db.county.people import PRINCIPALS
from db.postgres.address import Address
from db.query.statement import compile_statement
from db.query.visibility import Visibility, claim_values
from db.resources.catalog import RESOURCES
from db.write.command import Command, Outcome, command
from db.write.row_locks import lock_row
from db.write.transaction import UnitOfWork
from policies.predicate import Never
from schema.command_list import example_of
from schema.mutation import field_name
from schema.names import pascal, snake
from tests.laws.client import GraphQLClient, open_client

NO_ROW = UUID(int=0)
_TRANSACTION = ("BEGIN", "ROLLBACK", "COMMIT")
SHOWN = "userErrors { field code message } conflict { currentVersion } replayed"
# What is wrong in a way that the type cannot say.
WRONG = {
    "ID": "Banana:1", "String": "\x00", "DateTime": "2199-01-01T00:00:00Z", "Date": "1999-01-01", "Int": -5, "Decimal": "-1",
}  # fmt: skip
# A decree of another county: nobody's grid, and none that is there.
FOREIGN_GRIDS = ("999999999999999", "x")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(county) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rows(gql: GraphQLClient) -> dict[str, list[str]]:
    """Some rows of each resource, as global ids."""
    found: dict[str, list[str]] = {}
    for name, resource in RESOURCES.items():
        some = await gql.connection.fetch(f"SELECT id FROM {resource.table.name} ORDER BY md5(id::text) LIMIT 40")
        found[name] = [f"{name}:{row['id']}" for row in some] or [f"{name}:{NO_ROW}"]
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def access_of(gql: GraphQLClient) -> dict[str, Any]:
    gate: Any = gql.services.gate
    return {person: (await gate.authenticate(await gql.token(person))).viewer.access for person in PRINCIPALS.values()}


# -- inputs of every kind


def _pointed(value: Any, rows: dict[str, list[str]], turn: int) -> Any:
    """The example with rows that are there in the place of those that are not."""
    match value:
        case dict():
            return {name: _pointed(one, rows, turn) for name, one in value.items()}
        case list():
            return [_pointed(one, rows, turn) for one in value]
        case str() if value.endswith(f":{NO_ROW}"):
            kept = rows[value.partition(":")[0]]
            return kept[turn % len(kept)]
    return value


def _spoiled(value: Any, kind: Any, keep: str | None) -> Any:
    """The example with everything wrong that the type lets pass. `keep`: the field that names the row stays."""
    kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(kind, GraphQLList):
        return [_spoiled(one, kind.of_type, None) for one in value]
    if isinstance(kind, GraphQLInputObjectType):
        return {
            name: one if name == keep else _spoiled(one, kind.fields[name].type, None) for name, one in value.items()
        }
    return value if isinstance(kind, GraphQLEnumType) else WRONG.get(kind.name, value)


def _input_type(schema: GraphQLSchema, one: Command) -> Any:
    return schema.type_map[f"{pascal(f'{snake(one.noun)}_{one.verb}')}Input"]


def _document(one: Command, count: int) -> str:
    name, kind = field_name(one), f"{pascal(f'{snake(one.noun)}_{one.verb}')}Input!"
    variables = ", ".join(f"$v{i}: {kind}" for i in range(count))
    return f"mutation({variables}) {{ {' '.join(f'v{i}: {name}(input: $v{i}) {{ {SHOWN} }}' for i in range(count))} }}"


async def _ask(gql: GraphQLClient, person: str, one: Command, inputs: list[dict[str, Any]]) -> list[Any]:
    """The payload or the error of each input."""
    response = await gql.ask(person, _document(one, len(inputs)), **{f"v{i}": given for i, given in enumerate(inputs)})
    assert response.data is not None, (one.name, response.errors)
    refused = {error["path"][0]: error["extensions"]["code"] for error in response.errors}
    return [refused.get(f"v{i}") or response.data[f"v{i}"] for i in range(len(inputs))]


def _forbidden(one: Command) -> dict[str, Any]:
    error = {"field": one.forbidden.field, "code": "FORBIDDEN", "message": one.forbidden.message}
    return {"userErrors": [error], "conflict": None, "replayed": False}


def _variants(schema: GraphQLSchema, one: Command, rows: dict[str, list[str]], turn: int) -> Iterator[dict[str, Any]]:
    """Existing and absent, valid and wrong, with keys that are fresh, used for something else, and unusable."""
    example, kind = example_of(one), _input_type(schema, one)
    yield _pointed(example, rows, turn) | {"idempotencyKey": f"{one.name} {turn}"}
    yield example | {"idempotencyKey": f"{one.name} {turn}"}
    yield _spoiled(example, kind, None) | {"idempotencyKey": "\n"}
    yield _pointed(example, rows, turn + 1) | ({"expectedVersion": 10**6} if "expectedVersion" in kind.fields else {})


# -- the laws


async def test_who_may_not_at_all_gets_one_answer_and_touches_nothing(
    gql: GraphQLClient, rows: dict[str, list[str]], access_of: dict[str, Any]
) -> None:
    """Every command and every role that has its right nowhere, while somebody else holds every table but the receipts."""
    asked: Counter[str] = Counter()
    connection = gql.connection
    tables = ", ".join(sorted({resource.table.name for resource in RESOURCES.values()} | {"request", "case_counter"}))
    async with connection.transaction():
        # Whatever waits for this ends in an error: nobody can lock or write a row.
        await connection.execute(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")
        for person, access in access_of.items():
            for turn, one in enumerate(COMMANDS.values()):
                if access.grant(one.resource, one.action).rows != Never():
                    continue
                variants = list(_variants(gql.services.schema, one, rows, turn))
                with gql.recorder.recording() as recording:
                    answers = await _ask(gql, person, one, variants)
                    sent = set(await recording.texts())
                assert answers == [_forbidden(one)] * len(variants), (person, one.name, answers)
                # The caller is found by their token, and the epoch compared: nothing else, whatever was sent.
                assert all("token" in text or "access_epoch" in text or text in _TRANSACTION for text in sent), sent
                asked[one.name] += 1
    assert set(asked) == set(COMMANDS)
    assert asked.total() > 300


async def test_who_may_elsewhere_gets_one_answer_here(
    gql: GraphQLClient, rows: dict[str, list[str]], access_of: dict[str, Any]
) -> None:
    """On a row that is not the caller's, the rest of the input changes nothing; neither does it whether the row is held by somebody."""
    schema, seen = gql.services.schema, Counter[str]()
    connection = gql.connection
    async with connection.transaction():
        for table in {RESOURCES[one.target].table.name for one in COMMANDS.values() if one.target is not None}:
            await connection.execute(f"SELECT FROM {table} FOR UPDATE")
        for person, access in access_of.items():
            for turn, one in enumerate(COMMANDS.values()):
                if one.target is None or access.grant(one.resource, one.action).rows == Never():
                    continue
                assert one.row_field is not None
                example, kind = example_of(one), _input_type(schema, one)
                keep = next(name for name in example if snake(name) == one.row_field)
                for step in range(2):
                    row = {keep: rows[one.target][(turn + 7 * step) % len(rows[one.target])]}
                    if not await _is_refused(gql, person, one, row[keep]):
                        continue
                    right = _pointed(example, rows, turn) | row
                    wrong = _spoiled(right, kind, keep)
                    spoilt = wrong | ({"expectedVersion": 10**6} if "expectedVersion" in kind.fields else {})
                    answers = await _ask(gql, person, one, [right, wrong, spoilt | {"idempotencyKey": "\n"}])
                    (error,) = answers[0]["userErrors"]
                    assert answers == [answers[0]] * 3, (person, one.name, answers)
                    assert error["field"] == one.forbidden.field
                    seen[error["code"]] += 1
    assert set(seen) == {"NOT_FOUND", "FORBIDDEN"}
    assert seen.total() > 200


async def _is_refused(gql: GraphQLClient, person: str, one: Command, row: str) -> bool:
    """Whether the policy lets the person not do this to the row: asked of the policy alone, without states and guards."""
    gate: Any = gql.services.gate
    caller = await gate.authenticate(await gql.token(person))
    assert one.wanted is not None
    compiled = compile_statement(lock_row(Visibility(caller.viewer.access), one.wanted))
    bound = {
        **claim_values(caller.viewer.access),
        "me": caller.viewer.person_id,
        "row_id": UUID(row.partition(":")[2]),
        **compiled.constants,
    }
    return not await gql.connection.fetch(compiled.sql, *[bound[name] for name in compiled.binds])


async def test_the_place_of_a_new_object_is_decided_first(
    gql: GraphQLClient, rows: dict[str, list[str]], access_of: dict[str, Any]
) -> None:
    """Outside the caller's area nothing else of the input matters: what is there and what is not gets the same answer."""
    schema, asked = gql.services.schema, Counter[str]()
    for person, access in access_of.items():
        for one in COMMANDS.values():
            if one.place is None or "grid_code" not in one.place.names:
                continue
            if access.grant(one.resource, one.action).rows == Never():
                continue
            example, kind = _pointed(example_of(one), rows, 0), _input_type(schema, one)
            inputs = [
                given | {"gridCode": grid}
                for grid in FOREIGN_GRIDS
                for given in (example, _spoiled(example, kind, "gridCode"))
            ]
            assert await _ask(gql, person, one, inputs) == [_forbidden(one)] * len(inputs), (person, one.name)
            asked[one.name] += 1
    assert set(asked) == {"team.form", "inspection.record"}


async def test_a_place_gives_every_attribute_that_a_condition_may_name(
    gql: GraphQLClient, rows: dict[str, Any]
) -> None:
    """What is left out counts as missing, so a rule over it would allow nothing: only keys and links that a new object cannot have."""
    gate: Any = gql.services.gate
    caller = await gate.authenticate(await gql.token(PRINCIPALS["mediator"]))
    lacking = {
        "Dispute": {"squad_id", "centre_id", "committee_id", "referred_organization_ids", "confirming_court_ids"},
        "Team": {"id"},
    }

    class Work:
        actor = type("A", (), {"person_id": NO_ROW, "access": caller.viewer.access})

        async def load_visible(self, *_: Any, **__: Any) -> Any:
            return {"grid_code": "371525001001001", "team_id": NO_ROW, "caller_mediates": True}

    for one in COMMANDS.values():
        if one.place is None:
            continue
        site = await one.place.find(Work(), dict.fromkeys(one.place.names, "371525001001001"))
        known = set(RESOURCES[one.resource].attributes)
        assert known - set(site.attributes) == lacking.get(one.resource, set()), one.name


def test_a_command_that_does_not_say_what_the_policy_is_asked_cannot_be_registered() -> None:
    async def run(work: UnitOfWork, input: Any) -> Outcome:
        raise AssertionError

    register: Any = command
    with pytest.raises(ValueError, match="needs a target or a place"):
        register("dispute", "sneak", "不经授权。", COMMANDS["dispute.accept"].input_type, target=None, shows="Dispute")(
            run
        )
