"""Law: a value that somebody may not see occurs nowhere in what they get: rows, errors, cursors, headers; nor in any log.

Every text, telephone and amount of every dispute is replaced by a canary; each person then asks for everything that may hold one.
"""

import asyncio
import base64
import binascii
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson
import pytest
import structlog
from sqlalchemy import Numeric, Text

from api.app import build
from api.settings import Settings
from db.county.people import PRINCIPALS
from db.crypto import Cipher
from db.postgres.address import Address
from db.tables import metadata
from schema.names import snake
from schema.sdl import graphql_schema
from tests.databases import KEY
from tests.laws.callers import EVERYONE, SEVERAL, appoint_several
from tests.laws.client import open_client
from tests.laws.expected_cells import ROOTS, scalars
from tests.laws.visibility_oracle import Rights, Snapshot, cursor, global_id
from tests.server import serve

# A telephone stands by itself: eleven digits of an identifier or of a hash may look like one.
CANARY = re.compile(r"Zx[0-9a-f]{14}|(?<![0-9a-f])166[0-9]{8}(?![0-9a-f])|[3-6][0-9]{7}\.37")
_STAFF = ("person", "organization", "company")


def planting() -> Iterator[tuple[str, str]]:
    """One update for each table: (table, assignments)."""
    serial = 0
    for table in metadata.tables.values():
        sets = []
        for column in table.c:
            if "field_class" not in column.info or "values" in column.info or column.info["mask"] == "stored":
                continue
            of_dispute = table.name == "dispute" or "dispute_id" in table.c
            if not (of_dispute or (table.name in _STAFF and column.name == "phone")):
                continue
            serial += 1
            if column.name == "phone":
                value = f"'166' || lpad(({serial} * 100000 + row_number) :: text, 8, '0')"
            elif isinstance(column.type, Text):
                value = f"'Zx' || substr(md5(id::text || '{column.name}'), 1, 14)"
            elif isinstance(column.type, Numeric) and column.type.scale == 2:
                value = f"{30000000 + serial * 100000} + row_number + 0.37"
            else:
                continue
            sets.append(f"{column.name} = CASE WHEN {table.name}.{column.name} IS NULL THEN NULL ELSE {value} END")
        if sets:
            yield table.name, ", ".join(sets)


@dataclass
class Planted:
    """A county full of canaries. `owners`: where each stands; `numbers`: the ID numbers, which stand encrypted only."""

    address: Address
    snapshot: Snapshot
    tokens: dict[str, str]
    numbers: set[str]
    owners: dict[str, list[tuple[str, Any, str]]]
    organizations: set[str]

    def allowed(self, person: str) -> set[str]:
        """The canaries that the person may see somewhere."""
        rights = Rights(self.snapshot, self.snapshot.appointments(person))
        found = set()
        for canary, places in self.owners.items():
            for resource, key, field_class in places:
                shown = rights.visibility(resource).get(key, {}).get(field_class)
                # The name of an organization is not personal data: its mask is the name.
                if shown == "clear" or (shown == "masked" and canary in self.organizations):
                    found.add(canary)
        return found


@pytest.fixture
def planted(own_county: Address) -> Planted:
    async def plant() -> Planted:
        async with open_client(own_county) as gql:
            connection = gql.connection
            await appoint_several(connection)
            async with connection.transaction():
                # No guard fires: archived disputes and events get canaries too.
                await connection.execute("SET LOCAL session_replication_role = replica")
                for table, sets in planting():
                    numbered = f"(SELECT id AS n, row_number() OVER (ORDER BY id) FROM {table}) AS numbered"
                    await connection.execute(f"UPDATE {table} SET {sets} FROM {numbered} WHERE n = id")
                await connection.execute("""UPDATE event SET changes = '{"name": "Zxchanges0000000"}'::json""")
            snapshot = await Snapshot.read(connection)
            cipher = Cipher(KEY)
            secret = [row for row in snapshot.rows["Party"].values() if row["id_number_cipher"] is not None]
            numbers = {cipher.decrypt(row["id_number_cipher"], row_id=row["id"]) for row in secret}
            owners: dict[str, list[tuple[str, Any, str]]] = defaultdict(list)
            for resource, rows in snapshot.rows.items():
                for column in metadata.tables[snake(resource)].c:
                    if "field_class" in column.info:
                        for key, row in rows.items():
                            for canary in CANARY.findall(str(row[column.name] or "")):
                                owners[canary].append((resource, key, column.info["field_class"]))
            tokens = {person: await gql.token(person) for person in EVERYONE}
            organizations = {row["name"] for row in snapshot.rows["Party"].values() if not row["is_natural_person"]}
            return Planted(own_county, snapshot, tokens, numbers, owners, organizations)

    return asyncio.run(plant())


SIZES = "first: 200"


class HttpCaller:
    """One person's requests over HTTP, and everything that came back."""

    def __init__(self, client: httpx2.Client, url: str, token: str) -> None:
        self.client, self.url = client, url
        self.headers = {"Authorization": f"Bearer {token}"}
        self.received: list[bytes] = []

    def ask(self, query: str, **variables: Any) -> Any:
        answer = self.client.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables}, headers=self.headers
        )
        self.received += [answer.content, repr(answer.headers.raw).encode()]
        return answer.json()

    def canaries(self) -> set[str]:
        """All canaries that were received, also those in cursors and other base64."""
        text = b"\n".join(self.received).decode()
        found = set(CANARY.findall(text))
        for piece in set(re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", text)):
            try:
                decoded = base64.b64decode(piece + "=" * (-len(piece) % 4)).decode("utf-8", "ignore")
            except (binascii.Error, ValueError):
                continue
            found |= set(CANARY.findall(decoded))
        return found


def leaves(schema: Any, resource: str) -> str:
    return "id " + " ".join(scalars(schema, resource))


def everything(schema: Any, turn: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The wide questions: all lists with all fields and cursors, and all that hangs on a dispute."""
    for root, resource in ROOTS.items():
        if root not in ("disputes", "agreements", "obligations", "followUps", "referrals", "events"):
            continue  # registers that are open to all; their telephones come below
        shown = f"{leaves(schema, resource)} access {{ hidden masked can }}"
        yield (
            f"{{ {root}({SIZES}) {{ pageInfo {{ startCursor endCursor }} edges {{ cursor node {{ {shown} }} }} }} }}",
            {},
        )
        # Cursors hold the keys of the order.
        for code in list(schema.type_map[f"{resource}OrderField"].values)[turn % 4 :: 4]:
            yield (
                f"{{ {root}({SIZES}, orderBy: [{{field: {code}}}]) {{ edges {{ cursor }} pageInfo {{ endCursor }} }} }}",
                {},
            )
    parts = {
        "parties": "Party", "measures": "Measure", "sessions": "Session", "notes": "Note", "confirmations": "Confirmation",
    }  # fmt: skip
    for relation, resource in parts.items():
        yield f"{{ disputes({SIZES}) {{ nodes {{ {relation} {{ {leaves(schema, resource)} }} }} }} }}", {}
    yield (
        "{ disputes(first: 100) { nodes { events { edges { cursor node { reason fields requestId } } } previous { summary } } } }",
        {},
    )
    yield (
        "{ obligations(first: 50) { nodes { performances { evidence bothConfirmed amount } party { name phone } } } }",
        {},
    )
    yield "{ areas(first: 5) { nodes { disputes(first: 20) { nodes { summary parties { name } } } } } }", {}
    yield (
        "{ people(first: 100) { nodes { phone mediator { disputes(first: 3) { nodes { summary externalRef } } } } } }",
        {},
    )
    yield (
        "{ organizations(first: 100) { nodes { phone } } companies(first: 100) { nodes { phone compounds { nodes { name } } } } }",
        {},
    )
    yield "{ statistics(groupBy: COMPOUND) { groups { key label registered } } }", {}


def value_probes(canary: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The canary as the value of a variable."""
    filters = "query ($v: String) { disputes(filter: {%s: $v}) { totalCount nodes { title } } }"
    for name in ("partyPhone", "partyName", "externalRef", "text", "caseNumber"):
        yield filters % name, {"v": canary}
    yield "query ($v: String) { dispute(caseNumber: $v) { title } }", {"v": canary}
    yield "query ($v: [DisputeState!]) { disputes(filter: {state: $v}) { totalCount } }", {"v": [canary]}
    yield "query ($v: Int) { disputes(first: $v) { totalCount } }", {"v": canary}
    yield "query ($v: Money) { disputes(filter: {amountMin: $v}) { totalCount } }", {"v": canary}
    yield "query ($v: Date) { disputes(filter: {dueBefore: $v}) { totalCount } }", {"v": canary}
    yield "query ($v: DateTime) { events(filter: {atFrom: $v}) { totalCount } }", {"v": canary}
    yield "query ($v: String) { disputes(filter: {areaCode: $v}) { totalCount } }", {"v": canary}
    yield "query ($v: ID!) { node(id: $v) { id } }", {"v": canary}
    yield "query ($v: ID!) { node(id: $v) { id } }", {"v": f"Dispute:{canary}"}
    yield "query ($v: ID!) { nodes(ids: [$v]) { id } }", {"v": f"Dispute:{canary}"}
    yield (
        "query ($v: DisputeFilter) { disputes(filter: $v) { totalCount } }",
        {"v": {"text": canary, canary: canary}},
    )
    yield "query ($v: String) { disputes(after: $v) { totalCount } }", {"v": cursor(canary, canary)}
    yield (
        "query ($v: String) { disputes(before: $v, orderBy: [{field: TITLE}]) { nodes { title } } }",
        {"v": cursor(canary, canary)},
    )


def literal_probes(canary: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The canary within the document."""
    for literal in (orjson.dumps(canary).decode(), f'"""{canary}"""', canary if canary.isdigit() else f'["{canary}"]'):
        for argument in (
            "first: %s",
            "filter: {state: %s}",
            "filter: {partyPhone: [%s]}",
            "filter: {partyName: %s}",
            "filter: %s",
        ):
            yield f"{{ disputes({argument % literal}) {{ totalCount }} }}", {}
        yield f"{{ disputes {literal} {{ totalCount }} }}", {}


def question_probes(canary: str, resource: str, key: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The canary in questions about access, and the row that holds it."""
    about = "rules { condition failed } changes { needs }"
    yield (
        f"query ($v: ID!) {{ explainAccess(node: $v) {{ known {about} }} whoCanSee(node: $v) {{ total people {{ name }} }} }}",
        {"v": global_id(resource, key)},
    )
    yield (
        f'query ($v: String) {{ explainAccess(node: "{global_id(resource, key)}", field: $v) {{ known {about} }} }}',
        {"v": canary},
    )
    yield (
        "query ($v: ID!, $a: String!) { explainAccess(node: $v, action: $a) { known } }",
        {"v": canary, "a": canary},
    )
    yield (
        "query ($v: String!) { whatCanSee(token: $v) { roles } policyMatrix(roles: [$v]) { sha256 } }",
        {"v": canary},
    )
    yield (
        f"query ($v: ID!) {{ node(id: $v) {{ id ... on {resource} {{ access {{ hidden can }} }} }} }}",
        {"v": global_id(resource, key)},
    )


def probes(
    turn: int, hidden: list[str], owners: dict[str, list[tuple[str, Any, str]]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Questions that name what is hidden, rightly and wrongly: as a filter, an identifier, a cursor, of the wrong type."""
    for canary in hidden:
        yield from value_probes(canary)
        # What is wrong with a document is said before anybody's rights are looked at: the first ones ask for all.
        if turn <= 2:
            yield from literal_probes(canary)
        resource, key, _ = owners[canary][0]
        yield from question_probes(canary, resource, key)
    yield "query ($v: Boolean!) { disputes @include(if: $v) { totalCount } }", {"v": hidden}


def test_no_echo(planted: Planted) -> None:
    """Everybody asks for everything; nobody gets what they may not see.

    Slow: every request goes over HTTP, one after the other, since a canary may stand in a header too."""
    schema = graphql_schema()
    settings = Settings(pool_size=4, max_cost=1_000_000)
    shown_canaries: set[str] = set()
    with (
        structlog.testing.capture_logs() as logs,
        serve(build(settings, planted.address), "") as served,
        httpx2.Client(trust_env=False, timeout=60) as client,
    ):
        for turn, person in enumerate((*PRINCIPALS.values(), *list(SEVERAL)[1:3])):
            caller = HttpCaller(client, served.url, planted.tokens[person])
            allowed = planted.allowed(person)
            for query, variables in everything(schema, turn):
                caller.ask(query, **variables)
            received = caller.canaries()
            assert received <= allowed, (person, [planted.owners[one] for one in sorted(received - allowed)[:5]])
            shown_canaries |= received
            hidden = sorted(set(planted.owners) - allowed, key=lambda one: one[::-1])
            chosen = [
                *[one for one in hidden if one.startswith("Zx")][:1],
                *[one for one in hidden if one.startswith("166")][:1],
            ]
            for query, variables in probes(turn, chosen, planted.owners):
                answer = caller.ask(query, **variables)
                codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
                assert "INTERNAL" not in codes, (query, variables, answer)
            received = caller.canaries()
            assert received <= allowed, (person, sorted(received - allowed)[:5])
            all_received = b"\n".join(caller.received).decode()
            assert not any(number in all_received for number in planted.numbers)
            assert "Zxchanges" not in all_received
        written = orjson.dumps(logs, default=repr).decode()
    assert not CANARY.findall(written)
    assert not any(number in written for number in planted.numbers)
    # The law was put to the test: most of what is planted was told to somebody.
    assert len(shown_canaries) > len(planted.owners) / 3


def test_a_failure_tells_nothing(planted: Planted, capfd: pytest.CaptureFixture[str]) -> None:
    """When the database refuses in the middle of an answer, neither the client nor the log hears the values at hand."""

    async def spoil() -> None:
        async with open_client(planted.address) as gql:
            await gql.connection.execute("ALTER TABLE note RENAME COLUMN text TO lost")
            await gql.connection.execute("ALTER TABLE party ALTER COLUMN name TYPE text[] USING ARRAY[name]")

    asyncio.run(spoil())
    with (
        structlog.testing.capture_logs() as logs,
        serve(build(Settings(pool_size=2), planted.address), "") as served,
        httpx2.Client(trust_env=False) as client,
    ):
        caller = HttpCaller(client, served.url, planted.tokens[PRINCIPALS["mediator"]])
        canary = next(iter(planted.owners))
        for query in (
            "{ disputes { nodes { notes { text } } } }",
            "query ($v: String) { disputes(filter: {partyName: $v}) { totalCount } }",
        ):
            answer = caller.ask(query, v=canary)
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTERNAL"]
        assert not caller.canaries()
        assert len([entry for entry in logs if entry["event"] == "request_failed"]) == 2
    out, err = capfd.readouterr()
    assert not CANARY.findall(orjson.dumps(logs, default=repr).decode() + out + err)
