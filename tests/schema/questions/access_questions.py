"""What tests of questions about access share: who asks, the question why, a county whose bureau may explain, and its versions."""

from __future__ import annotations

from typing import Any

from db.county.people import PRINCIPALS
from tests.laws.client import GraphQLClient
from tests.laws.visibility_oracle import TABLES

SECURITY, AUDITOR, BUREAU = PRINCIPALS["security_admin"], PRINCIPALS["auditor"], PRINCIPALS["bureau_admin"]
GRID, POLICE = PRINCIPALS["grid_worker"], PRINCIPALS["police"]
MISSING = "00000000-0000-4000-8000-000000000000"
WHY = """query ($node: ID!, $person: ID, $token: String, $field: String, $action: String! = "read", $asOf: DateTime) {
  answer: explainAccess(node: $node, person: $person, token: $token, field: $field, action: $action, asOf: $asOf) {
    policyVersion personId roles known visible field
    rules { line role roleLabel allow condition fields matched failed decisive }
    changes { line role roleLabel held needs } } }"""
# The county's own bureau may explain here, so that one who sees rows asks about others.
EXPLAINING = "p, bureau_admin, PolicyVersion, explain, anywhere, -, allow\n"


async def live(gql: GraphQLClient) -> str:
    text: str = await gql.connection.fetchval("SELECT text FROM policy_version WHERE state = 'PUBLISHED'")
    return text


async def publish(gql: GraphQLClient, text: str) -> None:
    """Another version, past all commands: how it comes to be is not asked here."""
    async with gql.connection.transaction():
        await gql.connection.execute("SET LOCAL session_replication_role = replica")
        await gql.connection.execute("UPDATE policy_version SET state = 'RETIRED' WHERE state = 'PUBLISHED'")
        await gql.connection.execute(
            "INSERT INTO policy_version (version, text, sha256, state, published_at)"
            " SELECT max(version) + 1, $1, encode(sha256(convert_to($1, 'UTF8')), 'hex'), 'PUBLISHED', clock_timestamp()"
            " FROM policy_version",
            text,
        )
        await gql.connection.execute("UPDATE access_epoch SET epoch = epoch + 1")


async def person(gql: GraphQLClient, name: str) -> str:
    return f"Person:{await gql.connection.fetchval('SELECT id FROM person WHERE name = $1', name)}"


async def some(gql: GraphQLClient, resource: str, count: int) -> list[str]:
    rows = await gql.connection.fetch(f"SELECT id FROM {TABLES[resource]} ORDER BY md5(id::text) LIMIT $1", count)
    return [f"{resource}:{row['id']}" for row in rows]


async def key(gql: GraphQLClient, name: str) -> Any:
    return await gql.connection.fetchval("SELECT id FROM person WHERE name = $1", name)
