"""Long work of a command is done before its transaction: meanwhile nothing is held, and nobody else waits."""

import asyncio
import threading
from typing import Any

from api.lifespan import WRITER
from db.commands import COMMANDS
from db.crypto import Cipher
from db.postgres.address import Address
from db.postgres.pool import Pool
from db.postgres.session import Session
from db.worker import MAX_OWNED, Worker
from db.write.command import Order
from db.write.executor import CommandExecutor, Receipt
from db.write.transaction import Actor
from tests.databases import KEY
from tests.db.commands.drafting import less
from tests.laws.examples import SPARE_GRID
from tests.office import Office, name_of, now


async def actors(office: Office, *people: str) -> list[Actor]:
    gate: Any = office.gql.services.gate
    tokens = [await office.gql.token(name_of(who)) for who in people]
    callers = [await gate.authenticate(token) for token in tokens]
    return [Actor(one.viewer.access, one.viewer.person_id, one.epoch) for one in callers]


async def test_a_draft_that_waits_for_its_examination_holds_nothing(office: Office, changing_county: Address) -> None:
    """One connection and a worker that is busy: drafts wait for the worker, too many are refused, other commands go on."""
    pool, worker, go = Pool(Session(changing_county, WRITER, 5_000), 1), Worker(), threading.Event()
    commands = CommandExecutor(pool, Cipher(KEY), worker)
    drafter, former, inspector = await actors(office, "security_admin", "justice_office", "grid_worker")
    draft, inspect = COMMANDS["policy.draft"], COMMANDS["inspection.record"]

    async def drafting(number: int) -> Receipt:
        order = Order({"note": f"第 {number} 次", **less()})
        return await commands.execute(draft, drafter, order, key=f"draft {number}", expected_version=None)

    busy = asyncio.create_task(worker.run(go.wait))
    await asyncio.sleep(0)
    try:
        waiting = [asyncio.create_task(drafting(number)) for number in range(MAX_OWNED + 1)]
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert [[one.code for one in task.result().user_errors] for task in done] == [["BUSY"]]
        grid = inspector.access.appointments[0].claims["area_code"]
        order = Order({"grid_code": grid, "found_count": 0, "happened_at": now()})
        assert (await commands.execute(inspect, inspector, order, key=None, expected_version=None)).id is not None
        refused = await commands.execute(
            draft, former, Order({"note": "无权", "text": SPARE_GRID}), key=None, expected_version=None
        )
        assert [one.code for one in refused.user_errors] == ["FORBIDDEN"]
        in_hand = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND state LIKE 'idle in transaction%'"
        assert await office.value(in_hand, changing_county.database) == 0
        assert await office.value("SELECT count(*) FROM request WHERE key LIKE 'draft %'") == 0
    finally:
        go.set()
    await busy
    receipts = [await task for task in waiting]
    assert sorted(receipt.id is not None for receipt in receipts) == [False, True, True]
    # Once for each order, however often the transaction began.
    assert await office.value("SELECT count(*) FROM event WHERE action = 'policy.draft'") == MAX_OWNED
    worker.close()
    await pool.close()
