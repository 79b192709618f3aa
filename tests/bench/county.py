"""The county that is measured: loaded once for each number of rows and kept, with callers, their tokens, and what they ask for."""

import asyncio
import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from db.county import scale
from db.county.loading import load
from db.crypto import Cipher
from db.identity import tokens
from db.install import install
from db.postgres.address import Address
from tests.bench import special_callers
from tests.bench.access import ACCESS
from tests.bench.workload import WORKLOADS
from tests.databases import administer, clone

SEED = 20260915
CALLERS = 20  # people of a role at most; no single person is hot
SAMPLES = 400  # questions of one workload and role, asked in turn
TOKEN_DAYS = 7
_ATTEMPTS = 10
_STATES = ("MEDIATING", "PERFORMING", "FAILED", "CLOSED")  # one dispute in 200 to one in five


@dataclass(frozen=True)
class Caller:
    """Somebody who asks: by token at the product, by the header `role claim` elsewhere."""

    role: str
    name: str
    claim: str
    token: str = field(repr=False)

    @property
    def header(self) -> str:
        return f"{self.role} {self.claim}"


@dataclass(frozen=True)
class Question:
    """One request: who asks, and the variables, `after` as (instant, id) so that each contestant makes its own cursor.

    `documents`: what is asked, by contestant, unless it is that of a workload. `mark`: that of the cursor, where a contestant has one.
    """

    caller: Caller
    variables: dict[str, Any]
    documents: Mapping[str, str] | None = None
    mark: str | None = None


# People of a role who have something to see: of each up to $2, those of the demo county first.
_PEOPLE = f"""
SELECT appointment.id AS appointment_id, person.id AS person_id, person.name, appointment.organization_id::text, appointment.area_code
FROM appointment JOIN person ON person.id = appointment.person_id AND person.state = 'ACTIVE'
WHERE appointment.role = $1 AND now()::date BETWEEN appointment.valid_from AND coalesce(appointment.valid_to, 'infinity')
  AND (SELECT count(*) FROM appointment AS other WHERE other.person_id = person.id) = 1
  AND person.id::text NOT LIKE '{special_callers.MARK}%'
ORDER BY person.name LIKE '示例%', md5(person.id::text) LIMIT $2
"""


async def prepare(address: Address, rows: int, key: bytes, say: Any) -> None:
    """Load the county of so many synthetic disputes, unless it is there already."""
    await install(address)
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        await load(connection, Cipher(key))
        added = await scale.extend(connection, rows, lambda done, total: say(f"loading {done:,} of {total:,} disputes"))
        if added:
            await connection.execute("VACUUM (ANALYZE)")
            await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def callers(address: Address, role: str, rows: int) -> list[Caller]:
    """People of the role, each with a token for the one appointment; or one of the special people."""
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        if role in special_callers.SPECIAL:
            key, appointment = await special_callers.appoint(connection, role, rows)
            issued = await tokens.issue(
                connection, person_id=key, appointment_id=appointment, label="benchmark", days=TOKEN_DAYS
            )
            return [Caller("mediator", role, str(key), issued.text)]
        found = []
        for one in await connection.fetch(_PEOPLE, role, CALLERS):
            issued = await tokens.issue(
                connection,
                person_id=one["person_id"],
                appointment_id=one["appointment_id"],
                label="benchmark",
                days=TOKEN_DAYS,
            )
            found.append(Caller(role, one["name"], str(one[ACCESS[role].claim]), issued.text))
        return found
    finally:
        await connection.close()


async def questions(address: Address, workload: str, people: list[Caller], first: int) -> list[Question]:
    """What the people ask, the same for every contestant, in an order that is random and always the same."""
    connection = await asyncpg.connect(**address.connect_arguments())
    chance = random.Random(f"{SEED} {workload}")
    try:
        asked: list[Question] = []
        share = max(1, SAMPLES // len(people))
        for person in people:
            for variables in await _variables(connection, workload, person, first, share, chance):
                asked.append(Question(person, variables))
        chance.shuffle(asked)
        return asked
    finally:
        await connection.close()


async def _variables(
    connection: Any, workload: str, person: Caller, first: int, share: int, chance: random.Random
) -> list[dict[str, Any]]:
    if workload in ("Q1", "Q2"):
        seen = await _visible(connection, person, share, chance)
        if workload == "Q2":
            return [{"id": f"Dispute:{row['id']}"} for row in seen]
        # A tenth of all pages are first pages; the others begin anywhere.
        return [
            {"first": first, "after": None if index % 10 == 0 else (row["registered_at"].isoformat(), str(row["id"]))}
            for index, row in enumerate(seen)
        ]
    if workload == "Q3":
        kinds = await connection.fetch(
            "SELECT DISTINCT sub_category FROM dispute WHERE case_sequence BETWEEN 100001 AND 101000"
        )
        choices = sorted(row["sub_category"] for row in kinds)
        return [
            {"state": [chance.choice(_STATES)], "subCategory": [chance.choice(choices)]} for _ in range(min(share, 40))
        ]
    return [{}]


async def _visible(connection: Any, person: Caller, share: int, chance: random.Random) -> list[Any]:
    """Visible disputes at random: each from a random place of the page order on, so that no index is needed that is not there."""
    reach = ACCESS[person.role]
    statement = f"SELECT k.registered_at, k.id FROM ({reach.keys}) k".replace("$1", f"$1::{reach.kind}").replace(
        "($2, $3)", "($2::timestamptz, $3::uuid)"
    ).replace("$4", "$4::int")  # fmt: skip
    claim: Any = person.claim
    span = await connection.fetchrow("SELECT min(registered_at) AS oldest, max(registered_at) AS newest FROM dispute")
    found: dict[Any, Any] = {}
    for _ in range(share):
        moment = span["oldest"] + (span["newest"] - span["oldest"]) * chance.uniform(0.02, 1)
        for row in await connection.fetch(statement, claim, moment, "ffffffff-ffff-ffff-ffff-ffffffffffff", 1):
            found[row["id"]] = row
    if not found:
        last = await connection.fetch(statement, claim, span["newest"], "ffffffff-ffff-ffff-ffff-ffffffffffff", share)
        found = {row["id"]: row for row in last}
    return [found[key] for key in sorted(found)]


def database_of(address: Address, rows: int) -> Address:
    """Each number of rows has a database of its own."""
    return address.with_database(f"bench_{rows}")


def open_county(home: Path, address: Address, rows: int, key: bytes, say: Any) -> Address:
    """The address of the loaded county with so many rows: a database of its own, kept for the next run."""
    own = database_of(address, rows)
    asyncio.run(prepare(own, rows, key, say))
    return own


@contextmanager
def copy(address: Address) -> Iterator[Address]:
    """A copy of the county that lasts as long as the block. Nobody else may be connected to the county meanwhile."""
    copied = address.with_database(f"{address.database}_copy")
    dropped = f"DROP DATABASE IF EXISTS {copied.database} WITH (FORCE)"
    asyncio.run(administer(address, dropped))
    asyncio.run(clone(address, copied))
    try:
        yield copied
    finally:
        asyncio.run(administer(address, dropped))


def roles_of(workload: str, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The roles that ask a workload: those asked for, as far as it is theirs."""
    theirs = WORKLOADS[workload].roles
    # The special people read a page if they are asked for by name.
    others = tuple(role for role in asked if role in special_callers.SPECIAL and workload == "Q1")
    return (*(role for role in theirs if not asked or role in asked), *others)


def save(path: Path, value: Any) -> None:
    """Write JSON for a person to read."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
