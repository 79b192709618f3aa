"""Asks real questions of a real database as real people, without the network: documents, gate and statement as in production."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from api.http.documents import Documents, InvalidDocument
from api.http.errors import document_error, finish_errors
from api.http.limits import Limits
from api.lifespan import Services, open_services
from api.settings import Settings
from db.identity import tokens
from db.policy_admin.versions import publish_first
from db.postgres.address import Address
from policies.compile import POLICY_PATH
from schema.planning.operation import Operation
from schema.refusal import Refusal
from tests.databases import SECRET_KEY
from tests.recorder import StatementRecorder

# All that a list says of its length.
COUNTS = "totalCount exact: totalCount(exact: true) totalCountCapped"


@dataclass(frozen=True)
class Response:
    """An answer: `data` parsed, the errors as a client sees them, and the JSON text of the data as it stood."""

    data: Any
    errors: tuple[dict[str, Any], ...] = ()
    text: bytes | None = None

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]


@dataclass
class GraphQLClient:
    """One process, and a connection as the owner of the database beside it."""

    services: Services
    connection: "asyncpg.Connection[Any]"
    documents: Documents
    recorder: StatementRecorder
    _tokens: dict[str, str] = field(default_factory=dict)

    async def token(self, person: str, appointment: UUID | None = None) -> str:
        """A token of a person by name, issued once."""
        key = f"{person}/{appointment}"
        if key not in self._tokens:
            person_id = await self.connection.fetchval("SELECT id FROM person WHERE name = $1", person)
            issued = await tokens.issue(
                self.connection, person_id=person_id, appointment_id=appointment, label="law", days=1
            )
            self._tokens[key] = issued.text
        return self._tokens[key]

    async def ask(self, person: str, query: str, /, **variables: Any) -> Response:
        """The answer that a person gets."""
        return await self.ask_with(await self.token(person), query, variables)

    async def ask_with(self, token: str, query: str, variables: dict[str, Any], name: str | None = None) -> Response:
        """The answer that the bearer of a token gets."""
        try:
            accepted = self.documents.find(query) or self.documents.accept(query)
            answer = await self.services.gate.answer(
                Operation(accepted.document, accepted.select_operation(name), name, variables), token
            )
        except InvalidDocument as invalid:
            return Response(None, tuple(finish_errors(map(document_error, invalid.errors), "r")))
        except Refusal as refusal:
            return Response(None, tuple(finish_errors([refusal.formatted()], "r")))
        data = None if answer.data is None else orjson.loads(answer.data)
        return Response(data, tuple(finish_errors(answer.errors, "r")), answer.data)

    async def data(self, person: str, query: str, /, **variables: Any) -> Any:
        """The data of an answer that must have no errors."""
        response = await self.ask(person, query, **variables)
        assert not response.errors, (person, query, response.errors)
        return response.data


@asynccontextmanager
async def open_client(
    address: Address, *, limits: Limits | None = None, **settings: Any
) -> AsyncIterator[GraphQLClient]:
    """A process on a database. Publishes the policy that a new installation starts with, if there is none yet."""
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        await publish_first(connection, POLICY_PATH.read_text(encoding="utf-8"))
        recorder = StatementRecorder()
        chosen = Settings(**{"pool_size": 2, "statement_timeout_ms": 30_000, "secret_key": SECRET_KEY, **settings})
        async with open_services(chosen, address, recorder.attach) as services:
            yield GraphQLClient(services, connection, Documents(services.schema, limits or Limits()), recorder)
    finally:
        await connection.close()
