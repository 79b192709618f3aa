"""The service as people meet it: served over HTTP on loopback, asked with tokens, on a demo county that the journeys may change.

`HttpClient` has the methods of `GraphQLClient` (tests/laws/client.py), so `Office` (tests/office.py) works over it.
"""

import asyncio
import dataclasses
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
from graphql import GraphQLSchema

from api.app import build
from api.settings import Settings
from db.calendar import COUNTY_TIME
from db.identity import tokens
from db.policy_admin.versions import publish_first
from db.postgres.address import Address
from policies.compile import POLICY_PATH
from schema.sdl import graphql_schema
from tests.databases import SECRET_KEY
from tests.laws.client import Response
from tests.office import Office
from tests.server import serve


def at(day: str, time: str = "09:00") -> dt.datetime:
    """A moment in the county's time."""
    return dt.datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=COUNTY_TIME)


@dataclasses.dataclass
class _Services:
    """What `Office` reads of the services of a process."""

    schema: GraphQLSchema


@dataclasses.dataclass
class HttpClient:
    """A client of the service with a token for each person, and a connection as the owner of the database beside it."""

    url: str
    client: httpx2.AsyncClient
    connection: "asyncpg.Connection[Any]"
    services: _Services
    _tokens: dict[str, str] = dataclasses.field(default_factory=dict)
    _issuing: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)

    async def token(self, person: str) -> str:
        """A token of a person by name, issued once."""
        async with self._issuing:
            if person not in self._tokens:
                person_id = await self.connection.fetchval("SELECT id FROM person WHERE name = $1", person)
                issued = await tokens.issue(self.connection, person_id=person_id, label="journey", days=1)
                self._tokens[person] = issued.text
            return self._tokens[person]

    async def ask(self, person: str, query: str, /, **variables: Any) -> Response:
        """The answer that a person gets."""
        headers = {"Authorization": f"Bearer {await self.token(person)}"}
        answer = await self.client.post(self.url, json={"query": query, "variables": variables}, headers=headers)
        body = answer.json()
        return Response(body.get("data"), tuple(body.get("errors", ())), answer.content)

    async def data(self, person: str, query: str, /, **variables: Any) -> Any:
        """The data of an answer that must have no errors."""
        response = await self.ask(person, query, **variables)
        assert not response.errors, (person, query, response.errors)
        return response.data


@asynccontextmanager
async def open_service(address: Address, *, pool_size: int) -> AsyncIterator[Office]:
    """The served application on a database that holds the demo county, as an office whose every command goes over HTTP."""
    connection = await asyncpg.connect(**address.connect_arguments())
    settings = Settings(
        secret_key=SECRET_KEY, statement_timeout_ms=60_000, pool_size=pool_size, max_root_fields=30, max_cost=1_000_000
    )
    try:
        await publish_first(connection, POLICY_PATH.read_text(encoding="utf-8"))
        with serve(build(settings, address), "") as served:
            async with httpx2.AsyncClient(timeout=60, trust_env=False) as client:
                caller: Any = HttpClient(f"{served.url}/graphql", client, connection, _Services(graphql_schema()))
                yield Office(caller)
    finally:
        await connection.close()


async def one(office: Office, table: str, case: Any, condition: str = "true") -> UUID:
    """The id of the only row of a dispute's part."""
    rows = await office.rows(f"SELECT id FROM {table} WHERE dispute_id = $1 AND {condition}", case.key)
    assert len(rows) == 1, (table, condition, len(rows))
    return UUID(str(rows[0]["id"]))
