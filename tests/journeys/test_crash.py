"""`kill -9` in mid-load, first of the service, then of its database: every acknowledged write is there once, and nothing half."""

import asyncio
import dataclasses
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from api.cli.demo import TOKENS_FILE
from db.county.people import SEED_GRID
from db.postgres.embedded.placement import find_base
from db.postgres.embedded.server import EmbeddedServer, erase
from tests.server import start_demo

CLIENTS = 6
ENOUGH = 40  # acknowledged in a round, before it is killed

_REGISTER = """mutation($input: DisputeRegisterInput!) { disputeRegister(input: $input) {
  dispute { id } replayed userErrors { code } } }"""

# A dispute of the load that lacks anything that was written with it, or has it twice.
_HALF = """
SELECT count(*) FROM dispute d WHERE title LIKE 'crash %' AND NOT (
    (SELECT count(*) FROM party WHERE dispute_id = d.id) = 2
    AND (SELECT count(*) FROM event WHERE dispute_id = d.id AND action = 'dispute.register') = 1
    AND (SELECT count(*) FROM assignment WHERE dispute_id = d.id) = 1
    AND (SELECT count(*) FROM alert WHERE dispute_id = d.id) = 1
    AND (SELECT count(*) FROM request WHERE receipt ->> 'id' = d.id::text) = 1)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="sanlian-crash-"))
    place.chmod(0o711)
    yield place / "home"
    erase(place / "home")
    shutil.rmtree(place)


@dataclasses.dataclass
class Load:
    """Registrations, each with a key of its own. `acknowledged`: key and id of what the service said is stored."""

    compound: str
    token: str
    sent: list[str] = dataclasses.field(default_factory=list)
    acknowledged: dict[str, str] = dataclasses.field(default_factory=dict)
    replayed: set[str] = dataclasses.field(default_factory=set)
    enough: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    wanted: int = 0

    async def send(self, client: httpx2.AsyncClient, url: str, key: str) -> bool:
        """Send one; whether it was acknowledged."""
        order = {
            "title": f"crash {key}", "compoundId": self.compound, "subCategory": "P02", "utilityCut": "WATER", "source": "INITIATIVE",
            "summary": "停水。", "happenedAt": "2024-03-01T09:00:00+08:00", "lateReason": "补记。", "idempotencyKey": key,
            "parties": [
                {"side": "APPLICANT", "kind": "OWNER", "name": "某人"}, {"side": "RESPONDENT", "kind": "COMPANY", "name": "某物业"},
            ],
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            answer = await client.post(url, json={"query": _REGISTER, "variables": {"input": order}}, headers=headers)
            body: Any = answer.json()
        except (httpx2.HTTPError, ValueError):
            return False
        payload = (body.get("data") or {}).get("disputeRegister")
        if not payload or not payload["dispute"]:
            assert not (payload or {}).get("userErrors"), payload
            return False
        stored = payload["dispute"]["id"]
        assert self.acknowledged.setdefault(key, stored) == stored
        if len(self.acknowledged) >= self.wanted:
            self.enough.set()
        if payload["replayed"]:
            self.replayed.add(key)
        return True

    async def run(self, client: httpx2.AsyncClient, url: str, name: str) -> None:
        """Send one after the other, until one is not acknowledged."""
        for number in range(10_000):
            key = f"{name}-{number}"
            self.sent.append(key)
            if not await self.send(client, url, key):
                return


async def test_killed_in_mid_load(home: Path) -> None:
    """Slow: the demo starts three times, the first time with the load of its county, twice with the recovery of its database."""
    async with httpx2.AsyncClient(timeout=10, trust_env=False) as client:
        service = start_demo(home, home.parent / "log")
        try:
            service.wait()
            url = f"{service.url}/graphql"
            load = Load(await _compound(home), json.loads((home / TOKENS_FILE).read_text())["mediator"])
            for round_, victim in enumerate(("service", "database")):
                load.enough.clear()
                load.wanted = ENOUGH * (round_ + 1)
                clients = [
                    asyncio.create_task(load.run(client, url, f"{round_}-{number}")) for number in range(CLIENTS)
                ]
                await asyncio.wait_for(load.enough.wait(), 30)
                if victim == "database":
                    os.kill(_postmaster(home), signal.SIGKILL)
                    await asyncio.wait(clients, timeout=10)
                service.kill()
                await asyncio.wait(clients)
                for one in clients:
                    one.result()
                service = start_demo(home, home.parent / "log")
                service.wait()
                url = f"{service.url}/graphql"
                await _check(home, client, url, load)
        finally:
            service.kill()


async def _check(home: Path, client: httpx2.AsyncClient, url: str, load: Load) -> None:
    server = EmbeddedServer.start(home)
    assert server.joined
    connection = await asyncpg.connect(**server.address.connect_arguments())
    try:
        found = {
            row["title"].removeprefix("crash "): f"Dispute:{row['id']}"
            for row in await connection.fetch("SELECT id, title FROM dispute WHERE title LIKE 'crash %'")
        }
        assert load.acknowledged.items() <= found.items()
        assert found.keys() <= set(load.sent)
        assert await connection.fetchval(_HALF) == 0
        # What was stored but not acknowledged, or not stored at all, is sent again, and some of the rest: nothing is doubled.
        again = [*(set(load.sent) - load.acknowledged.keys()), *list(load.acknowledged)[:20]]
        acknowledged_before = set(load.acknowledged)
        assert all(await asyncio.gather(*(load.send(client, url, key) for key in again)))
        assert {key for key in again if key in acknowledged_before} <= load.replayed
        assert load.acknowledged.keys() == set(load.sent)
        count = "SELECT count(*) AS rows, count(DISTINCT title) AS titles FROM dispute WHERE title LIKE 'crash %'"
        assert dict(await connection.fetchrow(count)) == {"rows": len(load.sent), "titles": len(load.sent)}
        assert await connection.fetchval(_HALF) == 0
    finally:
        await connection.close()
        server.stop()


async def _compound(home: Path) -> str:
    server = EmbeddedServer.start(home)
    connection = await asyncpg.connect(**server.address.connect_arguments())
    try:
        return (
            f"Compound:{await connection.fetchval('SELECT id FROM compound WHERE grid_code = $1 LIMIT 1', SEED_GRID)}"
        )
    finally:
        await connection.close()
        server.stop()


def _postmaster(home: Path) -> int:
    base = find_base(home)
    assert base is not None
    return int((base / "data" / "postmaster.pid").read_text().splitlines()[0])
