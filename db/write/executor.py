"""Executes one command: idempotency, the row under the policy, the change, the event, the commit. Acknowledged means stored."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from db.crypto import Cipher
from db.postgres.pool import Pool
from db.write.command import Absent, Command, Conflict, KeyReused, Refused, UserError, VersionConflict
from db.write.conflict import check_version
from db.write.constraints import user_error_of
from db.write.rollups import compact
from db.write.row_locks import Wanted
from db.write.transaction import Actor, Request, UnitOfWork

# After a deadlock or a serialization failure.
ATTEMPTS = 4
# So many commands, and what they have added to the metrics is moved into the sums: a fifth of a second every few minutes.
COMPACT_AFTER = 500
# Characters of an idempotency key at most.
KEY_LENGTH = 100


@dataclass(frozen=True)
class Receipt:
    """The result of a command: the row to show, or why nothing was stored. `replayed`: the same request was executed before."""

    kind: str
    id: UUID | None = None
    user_errors: tuple[UserError, ...] = ()
    conflict: Conflict | None = None
    replayed: bool = False
    # SECURITY: cells in clear, for this one answer.
    revealed: Mapping[str, str | None] | None = field(default=None, repr=False)


class CommandExecutor:
    """Executes the commands of one process."""

    def __init__(self, pool: Pool, cipher: Cipher) -> None:
        self._pool, self._cipher = pool, cipher
        self._executed = 0
        self._compacting: asyncio.Task[None] | None = None

    async def execute(
        self, command: Command, actor: Actor, input: Any, *, key: str | None, expected_version: int | None
    ) -> Receipt:
        """Execute it once. Raises KeyReused, and Stale where the caller's rights have changed; what is wrong with the input is in the receipt."""
        for attempt in range(ATTEMPTS):
            try:
                receipt = await self._once(command, actor, input, key, expected_version)
                self._count()
                return receipt
            except Refused as refused:
                return Receipt(command.shows, user_errors=refused.user_errors)
            except Absent as absent:
                return Receipt(
                    command.shows,
                    user_errors=(UserError(absent.field, "NOT_FOUND", "没有这个对象，或者您无权查看它。"),),
                )
            except VersionConflict as conflicting:
                return Receipt(command.shows, conflict=conflicting.conflict)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                # Two changes crossed each other; neither has happened, so this one is tried again.
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.02 * 2**attempt)
            except asyncpg.IntegrityConstraintViolationError as violated:
                user_error = user_error_of(violated.constraint_name)
                if user_error is None:
                    raise
                return Receipt(command.shows, user_errors=(user_error,))
        raise AssertionError

    def _count(self) -> None:
        """Compact now and then, beside the answers. A process that dies before has changed nothing: the next one compacts."""
        self._executed += 1
        if self._executed % COMPACT_AFTER == 0 and (self._compacting is None or self._compacting.done()):
            self._compacting = asyncio.create_task(self._compact())

    async def _compact(self) -> None:
        # A compaction that fails leaves everything as it was, and every metric right.
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            async with self._pool.transaction() as connection:
                await compact(connection)

    async def _once(self, command: Command, actor: Actor, input: Any, key: str | None, expected: int | None) -> Receipt:
        usable = key is None or (1 <= len(key) <= KEY_LENGTH and key.isprintable())
        request = _request(command, input, key) if key is not None and usable else None
        wanted = None if command.target is None else Wanted(command.target, command.verb)
        async with self._pool.transaction() as connection:
            work = UnitOfWork(connection, actor, self._cipher, dt.datetime.now(dt.UTC))
            new, found = await work.open(request, wanted, None if wanted is None else input.id)
            if not usable:
                raise Refused(UserError("idempotencyKey", "BAD_KEY", f"幂等键应为 1 至 {KEY_LENGTH} 个可见字符。"))
            if request is not None and not new:
                return await _replayed(connection, command, actor, request)
            if wanted is not None:
                if not found:
                    raise Absent
                record = await work.load_locked(wanted, input.id, facts=command.facts)
                await check_version(work, record.dispute, expected, input)
                outcome = await command.run(work, record, input)
                # The row to show: the one that the command is about, where it shows such; else the one that it was given on.
                shown = outcome.id if outcome.kind == command.shows else record.id
                dispute_id = record.dispute["id"] if record.dispute is not None else None
                dispute_id = outcome.dispute_id or dispute_id
                if record.kind == "Dispute" and not command.leaves:
                    work.ensure_still_allowed("Dispute", record.id, command.verb)
            else:
                outcome = await command.run(work, input)
                shown = outcome.id
                dispute_id = outcome.id if outcome.kind == "Dispute" else outcome.dispute_id
            work.raise_errors()
            await work.finish(command.name, dispute_id, outcome, (command.shows, shown))
        return Receipt(command.shows, shown, revealed=outcome.revealed)


def _request(command: Command, input: Any, key: str) -> Request:
    # Whatever way the client wrote it, the same input is the same bytes.
    canonical = orjson.dumps(input, default=str, option=orjson.OPT_SORT_KEYS)
    return Request(key, command.name, hashlib.sha256(f"{command.name}\n".encode() + canonical).digest())


async def _replayed(
    connection: asyncpg.Connection[asyncpg.Record], command: Command, actor: Actor, request: Request
) -> Receipt:
    """The receipt of the earlier request with this key."""
    row = await connection.fetchrow(
        "SELECT digest, receipt FROM request WHERE person_id = $1 AND key = $2", actor.person_id, request.key
    )
    if row is None or row["digest"] != request.digest:
        raise KeyReused
    if command.reveals:
        # SECURITY: what was revealed is stored nowhere, so it cannot be answered again; each revealing has an event of its own.
        message = "这次查看已经给出过明文，不再重复；确需再看的，请换一个幂等键，另计一次。"
        raise Refused(UserError("idempotencyKey", "REVEALED", message))
    receipt = json.loads(row["receipt"])
    return Receipt(receipt["kind"], UUID(receipt["id"]), replayed=True)
