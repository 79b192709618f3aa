"""What the laws of freshness share: a question to two processes on one database, and policies published meanwhile."""

import asyncio

from policies.compile import POLICY_PATH
from tests.laws.client import GraphQLClient, Response

COUNT = "{ disputes(first: 200) { totalCount nodes { parties { id name } } } }"

POLICY = POLICY_PATH.read_text(encoding="utf-8")
WITH_MONEY = POLICY.replace(
    "p, grid_worker, Dispute, read, own_grid, public|status,",
    "p, grid_worker, Dispute, read, own_grid, public|status|money,",
)
assert WITH_MONEY != POLICY


async def ask_both(two: tuple[GraphQLClient, GraphQLClient], token: str, query: str = COUNT) -> Response:
    """The answer of both processes, which is the same."""
    first, second = await asyncio.gather(*(gql.ask_with(token, query, {}) for gql in two))
    assert first == second
    return first


async def publish(gql: GraphQLClient, text: str) -> None:
    """Put a policy in force, without examination."""
    async with gql.connection.transaction():
        await gql.connection.execute("UPDATE policy_version SET state = 'RETIRED' WHERE state = 'PUBLISHED'")
        await gql.connection.execute(
            "INSERT INTO policy_version (version, text, sha256, state, published_at)"
            " SELECT max(version) + 1, $1, encode(sha256(convert_to($1, 'UTF8')), 'hex'), 'PUBLISHED', now() FROM policy_version",
            text,
        )
