"""Law: every caller, by every path, sees exactly the rows and cells that the policy's text gives them.

The expectation is computed without the compiler and without SQL (visibility_oracle.py).
"""

from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from graphql import (
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from db.county.people import ENDED
from tests.laws.callers import EVERYONE
from tests.laws.client import COUNTS, GraphQLClient
from tests.laws.expected_cells import ROOTS, SCHEMA, expected_cells, selection, sorted_access
from tests.laws.visibility_oracle import TABLES, Rights, Snapshot, global_id, key_of


@pytest.mark.parametrize("person", EVERYONE)
async def test_the_lists(gql: GraphQLClient, snapshot: Snapshot, person: str) -> None:
    """Every list has exactly the rows in reach, each cell in the form that the text gives, and counts them."""
    rights = Rights(snapshot, snapshot.appointments(person))
    for root, resource in ROOTS.items():
        query = f"""query ($after: String) {{
          {root}(first: 200, after: $after) {{
            {COUNTS} pageInfo {{ hasNextPage endCursor }} edges {{ cursor node {{ {selection(gql, resource)} }} }}
          }}
        }}"""
        found: dict[UUID, Any] = {}
        after = None
        while True:
            page = (await gql.data(person, query, after=after))[root]
            counted = (page["totalCount"], page["exact"], page["totalCountCapped"])
            assert counted == (len(rights.ids(resource)), len(rights.ids(resource)), False), (person, root)
            for edge in page["edges"]:
                assert key_of(edge["node"]["id"]) not in found
                found[key_of(edge["node"]["id"])] = sorted_access(edge["node"])
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert found == {key: expected_cells(gql, snapshot, rights, resource, key) for key in rights.ids(resource)}, (
            root
        )


@pytest.mark.parametrize("person", EVERYONE)
async def test_by_identifier(gql: GraphQLClient, snapshot: Snapshot, person: str) -> None:
    """`nodes` gives rows in reach and null for the others; `node` gives one and the same answer for a hidden and a missing row."""
    rights = Rights(snapshot, snapshot.appointments(person))
    for resource, rows in snapshot.rows.items():
        # By digest, so that the rows asked for are spread over the county.
        keys = sorted(rows, key=lambda key: key.int * 0x9E3779B97F4A7C15 % 2**64)
        seen = [key for key in keys if key in rights.ids(resource)]
        unseen = [key for key in keys if key not in rights.ids(resource)]
        asked = sorted([*seen[:60], *unseen[:40]])
        query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {resource} {{ {selection(gql, resource)} }} }} }}"
        data = await gql.data(person, query, ids=[global_id(resource, key) for key in asked])
        for key, node in zip(asked, data["nodes"], strict=True):
            if key in rights.ids(resource):
                assert sorted_access(node) == expected_cells(gql, snapshot, rights, resource, key)
            else:
                assert node is None, (person, resource, key)
        one = "query ($id: ID!) { node(id: $id) { id } }"
        missing = await gql.ask(person, one, id=global_id(resource, uuid4()))
        assert (missing.data, missing.codes) == ({"node": None}, ["NOT_FOUND"])
        for key in unseen[:1]:
            assert await gql.ask(person, one, id=global_id(resource, key)) == missing


# The plain lists of a dispute, all of them of its own parts.
PARTS = {
    name: get_named_type(one.type).name
    for name, one in cast("GraphQLObjectType", SCHEMA.type_map["Dispute"]).fields.items()
    if is_list_type(get_nullable_type(one.type)) and get_named_type(one.type).name in TABLES
}


@pytest.mark.parametrize("person", EVERYONE)
async def test_below_a_dispute(gql: GraphQLClient, snapshot: Snapshot, person: str) -> None:
    """Below the disputes in reach stand exactly their parts in reach, in the same form as anywhere else."""
    rights = Rights(snapshot, snapshot.appointments(person))
    for relation, resource in PARTS.items():
        query = f"""query ($after: String) {{ disputes(first: 200, after: $after) {{
            pageInfo {{ hasNextPage endCursor }} nodes {{ id {relation} {{ {selection(gql, resource)} dispute {{ id }} }} }}
        }} }}"""
        data = await gql.data(person, query)
        assert not data["disputes"]["pageInfo"]["hasNextPage"]
        found = {}
        for dispute in data["disputes"]["nodes"]:
            for node in dispute[relation]:
                assert node.pop("dispute")["id"] == dispute["id"]
                found[key_of(node["id"])] = sorted_access(node)
        disputes = rights.ids("Dispute")
        assert found == {
            key: expected_cells(gql, snapshot, rights, resource, key)
            for key in rights.ids(resource)
            if snapshot.rows[resource][key]["dispute_id"] in disputes
        }, relation


async def test_rows_are_seen_by_somebody_and_hidden_from_somebody(snapshot: Snapshot) -> None:
    """The county is rich enough: for every guarded kind of row there is one that a person sees and another does not."""
    all_rights = [Rights(snapshot, snapshot.appointments(person)) for person in EVERYONE]
    for resource, rows in snapshot.rows.items():
        if not rows:
            continue  # the county tells no story with one
        seen = set().union(*(rights.ids(resource) for rights in all_rights))
        assert seen, resource
        assert any(rights.ids(resource) != set(rows) for rights in all_rights), resource
    assert Rights(snapshot, snapshot.appointments(ENDED)).lines == []
