"""Law: whatever stands below a row belongs to that row, is in the caller's reach, and none that they may see there is left out."""

import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from graphql import get_named_type

from api.http.limits import Limits
from db.postgres.address import Address
from tests.laws.callers import TYPICAL
from tests.laws.client import COUNTS, GraphQLClient, open_client
from tests.laws.relations import RELATIONS, THROUGH
from tests.laws.visibility_oracle import TABLES, Rights, Snapshot, global_id, key_of

ROWS, PAGE = 12, 12


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(county: Address) -> AsyncIterator[GraphQLClient]:
    """Without the bounds on size: what is asked here is wide on purpose."""
    async with open_client(county, limits=Limits(max_depth=20), max_cost=10_000_000) as opened:
        yield opened


def test_every_type_has_relations(gql: GraphQLClient) -> None:
    """Every kind of row can be reached from another one, or leads to one."""
    nodes = {
        name
        for name, kind in gql.services.schema.type_map.items()
        if any(one.name == "Node" for one in getattr(kind, "interfaces", ()))
    }
    assert nodes == set(TABLES)
    met = {name for name, _ in RELATIONS} | {target for target, _ in RELATIONS.values()}
    assert nodes - met <= {"AlertRule"}


def select(gql: GraphQLClient, resource: str, chosen: dict[str, Any]) -> str:
    """`id` and the chosen relations, each with what is chosen below it."""
    fields = ["id"]
    kind: Any = gql.services.schema.type_map[resource]
    for relation, below in chosen.items():
        target, _ = RELATIONS[resource, relation]
        inner = select(gql, target, below)
        paged = get_named_type(kind.fields[relation].type).name.endswith("Connection")
        fields.append(
            f"{relation}(first: {PAGE}) {{ {COUNTS} nodes {{ {inner} }} }}" if paged else f"{relation} {{ {inner} }}"
        )
    return " ".join(fields)


def hold(snapshot: Snapshot, rights: Rights, resource: str, node: Any, chosen: dict[str, Any], path: str) -> int:
    """Hold one node and all below it against the keys of the rows; the number of rows met."""
    key = key_of(node["id"])
    assert node["id"] == global_id(resource, key)
    assert key in rights.ids(resource), path
    met = 1
    for relation, below in chosen.items():
        target, follow = RELATIONS[resource, relation]
        wanted = follow(snapshot, snapshot.rows[resource][key]) & rights.ids(target)
        if (resource, relation) in THROUGH:
            part, makes = THROUGH[resource, relation]
            links = [link for link in snapshot.rows[part].values() if link["id"] in rights.ids(part)]
            made = [link for link in links if makes(snapshot.rows[resource][key], link)]
            wanted = {one for one in wanted if any(_ends_at(snapshot, target, one, link) for link in made)}
        found = node[relation]
        if isinstance(found, dict) and "nodes" in found:
            counted = (found["totalCount"], found["exact"], found["totalCountCapped"])
            assert counted == (len(wanted), len(wanted), False), f"{path}.{relation}"
            complete = len(wanted) <= PAGE
            found = found["nodes"]
        else:
            complete = True
            found = found if isinstance(found, list) else [found] if found else []
        keys = [key_of(one["id"]) for one in found]
        assert len(set(keys)) == len(keys), f"{path}.{relation}"
        assert set(keys) == wanted if complete else set(keys) < wanted, f"{path}.{relation}"
        met += sum(hold(snapshot, rights, target, one, below, f"{path}.{relation}") for one in found)
    return met


def _ends_at(snapshot: Snapshot, target: str, key: Any, link: Any) -> bool:
    """Whether a part that makes a relation leads to this row."""
    row = snapshot.rows[target][key]
    return bool(link["dispute_id"] == key if target == "Dispute" else link["person_id"] == row["person_id"])


_asked: set[Any] = set()


def new(rights: Rights, resource: str) -> bool:
    """Whether nobody was asked yet who sees the same rows with the same rows around them: for registers that are open to all."""
    around = [resource, *(target for (name, _), (target, _) in RELATIONS.items() if name == resource)]
    key = (resource, *(rights.openness(one) for one in around))
    if any(one is None and rights.rules(name) for name, one in zip(around, key[1:], strict=True)):
        return True
    return key not in _asked and not _asked.add(key)


@pytest.mark.parametrize("person", TYPICAL)
async def test_each_relation(gql: GraphQLClient, snapshot: Snapshot, person: str) -> None:
    """Every relation of every type, from rows in reach spread over the county."""
    rights = Rights(snapshot, snapshot.appointments(person))
    for resource in snapshot.rows:
        keys = sorted(rights.ids(resource), key=lambda key: key.int * 0x9E3779B97F4A7C15 % 2**64)[:ROWS]
        chosen: dict[str, Any] = {relation: {} for name, relation in RELATIONS if name == resource}
        if keys and new(rights, resource):
            query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {resource} {{ {select(gql, resource, chosen)} }} }} }}"
            data = await gql.data(person, query, ids=[global_id(resource, key) for key in keys])
            assert len(data["nodes"]) == len(keys)
            for node in data["nodes"]:
                hold(snapshot, rights, resource, node, chosen, resource)


def wander(dice: random.Random, resource: str, depth: int) -> dict[str, Any]:
    """A random tree of relations: two ways out, each walked on."""
    if depth == 0:
        return {}
    own = sorted(relation for name, relation in RELATIONS if name == resource)
    return {
        relation: wander(dice, RELATIONS[resource, relation][0], depth - 1)
        for relation in dice.sample(own, min(len(own), 2 if depth == 5 else 1))
    }


@pytest.mark.parametrize("person", TYPICAL)
async def test_deep_walks(gql: GraphQLClient, snapshot: Snapshot, person: str) -> None:
    """Random walks of five relations there and back, from rows of any type."""
    rights, met = Rights(snapshot, snapshot.appointments(person)), 0
    dice = random.Random(person)
    reachable = [resource for resource in snapshot.rows if rights.ids(resource)]
    for resource in dice.sample(reachable, min(len(reachable), 4)):
        chosen = wander(dice, resource, 5)
        keys: list[UUID] = dice.sample(sorted(rights.ids(resource)), min(3, len(rights.ids(resource))))
        query = (
            f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {resource} {{ {select(gql, resource, chosen)} }} }} }}"
        )
        response = await gql.ask(person, query, ids=[global_id(resource, key) for key in keys])
        assert not response.errors, (query, response.errors)
        met += sum(hold(snapshot, rights, resource, node, chosen, resource) for node in response.data["nodes"])
    assert met or not reachable
