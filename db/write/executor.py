"""Executes one command: idempotency, the row under the policy, the change, the event, the commit. Acknowledged means stored."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import asyncpg
import orjson

from db.crypto import Cipher
from db.postgres.pool import Pool
from db.resources.transitions import transition_of
from db.worker import QueueFull, Worker, WorkTimeout
from db.write.chronology import check_chronology, facts_of
from db.write.command import (
    Absent,
    Command,
    Conflict,
    KeyReused,
    Order,
    Outcome,
    Refused,
    Told,
    UserError,
    VersionConflict,
)
from db.write.conflict import check_version
from db.write.constraints import user_error_of
from db.write.deferred import Deferred, Results
from db.write.disclosure import MATCH
from db.write.rollups import compact
from db.write.row_locks import ClearFact, Fact, Opening, Request
from db.write.rule_check import check_rules
from db.write.texts import NAMES, names_fact, note_personal_data
from db.write.transaction import Actor, Record, UnitOfWork

# After a deadlock or a serialization failure.
ATTEMPTS = 4
# So many commands, and what they have added to the metrics is moved into the sums: a fifth of a second every few minutes.
COMPACT_AFTER = 500
_BUSY = UserError("", "BUSY", "正在计算的请求过多，或计算得太久，什么都没有保存；请稍后重试。")
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
    # The global ids of what was made beside it, by the path in the input.
    parts: Mapping[str, str] = field(default_factory=dict)


class CommandExecutor:
    """Executes the commands of one process."""

    def __init__(self, pool: Pool, cipher: Cipher, worker: Worker | None = None) -> None:
        self._pool, self._cipher = pool, cipher
        self._worker = worker or Worker()
        self._executed = 0
        self._compacting: asyncio.Task[None] | None = None

    async def execute(
        self,
        command: Command,
        actor: Actor,
        order: Order,
        *,
        key: str | None,
        expected_version: int | None,
        late_reason: str | None = None,
    ) -> Receipt:
        """Execute it once. `late_reason`: why it is told so long after it happened. What is wrong with the input is in the receipt.

        Raises KeyReused, and Stale where the caller's rights have changed.
        """
        results = Results()
        once = partial(self._once, command, actor, order, key, expected_version, late_reason, results)
        while True:
            try:
                return await self._execute(command, actor, once)
            except Deferred as deferred:
                try:
                    await results.work_out(deferred, self._worker, actor.person_id)
                except (QueueFull, WorkTimeout):
                    return Receipt(command.shows, user_errors=(_BUSY,))

    async def _execute(self, command: Command, actor: Actor, once: Callable[[], Awaitable[Receipt]]) -> Receipt:
        for attempt in range(ATTEMPTS):
            try:
                receipt = await once()
                self._count()
                return receipt
            except Told as told:
                await self._record_told(actor, told)
                return Receipt(command.shows, user_errors=told.user_errors)
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

    async def _record_told(self, actor: Actor, told: Told) -> None:
        """SECURITY: what is told is recorded first, for good. Raises Stale."""
        async with self._pool.transaction() as connection:
            work = UnitOfWork(connection, actor, self._cipher, dt.datetime.now(dt.UTC))
            await work.open(None, None, None)
            await work.record_alone(MATCH, told.outcome)

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

    async def _once(
        self,
        command: Command,
        actor: Actor,
        order: Order,
        key: str | None,
        expected: int | None,
        late_reason: str | None,
        results: Results,
    ) -> Receipt:
        request = self._request(command, order, key)
        async with self._pool.transaction() as connection:
            work = UnitOfWork(connection, actor, self._cipher, dt.datetime.now(dt.UTC))
            work.results = results
            # SECURITY: authorised before anything else is looked at. Who has the right nowhere gets one answer, whatever they sent.
            if not work.may(command.resource, command.action):
                await work.open(None, None, None)
                raise Refused(command.forbidden)
            try:
                row_key = _row_key(command, order)
            except Refused:
                # SECURITY: whoever is no longer admitted is not told either that the id is wrong.
                await work.open(None, None, None)
                raise
            opening = await work.open(request, command.wanted, row_key)
            if not opening.new:
                assert request is not None
                return await _replayed(connection, command, actor, request)
            record = await _authorised(work, command, order, opening)
            if order.user_errors:
                raise Refused(*order.user_errors)
            if key is not None and request is None:
                raise Refused(UserError("idempotencyKey", "BAD_KEY", f"幂等键应为 1 至 {KEY_LENGTH} 个可见字符。"))
            given = command.input_type(**order.values)
            note_personal_data(work, given, () if record is None else record.values.get(NAMES, ()))
            work.by_hand, work.late_reason = command.by_hand, late_reason
            if getattr(given, "happened_at", None) is not None:
                check_chronology(work, record, given.happened_at)
            if record is None:
                outcome = await command.run(work, given)
            else:
                if command.target is not None:
                    await check_version(work, record.dispute, expected, given)
                outcome = await command.run(work, record, given)
            # The row to show: the one that the command is about, where it shows such; else the one that it was given on.
            shown = outcome.id if record is None or outcome.kind == command.shows else record.id
            if command.makes:
                # SECURITY: what was asked of its place is asked again of the object that is there now.
                work.ensure_after(command.resource, shown, command.action, command.forbidden)
            elif command.resource == "Dispute" and record is not None and not command.leaves:
                work.ensure_still_allowed("Dispute", record.id, command.action)
            work.raise_errors()
            dispute_id = _dispute_of(record, outcome)
            await work.finish(command.name, dispute_id, outcome, (command.shows, shown))
            if dispute_id is not None:
                impartial = transition_of(command.resource, command.action).impartial
                await check_rules(work, dispute_id, given, impartial=impartial)
        return Receipt(command.shows, shown, revealed=outcome.revealed, parts=work.parts)

    def _request(self, command: Command, order: Order, key: str | None) -> Request | None:
        """What the idempotency key stands for; None without a key that can be kept, or an input that is right in form."""
        if key is None or not 1 <= len(key) <= KEY_LENGTH or not key.isprintable() or order.user_errors:
            return None
        # Whatever way the client wrote it, the same input is the same bytes.
        canonical = orjson.dumps(command.input_type(**order.values), default=str, option=orjson.OPT_SORT_KEYS)
        return Request(key, command.name, self._cipher.request_digest(f"{command.name}\n".encode() + canonical))


def _row_key(command: Command, order: Order) -> UUID | None:
    """The key of the row that the order names. Raises Refused where it is no key."""
    if command.target is None:
        return None
    assert command.row_field is not None
    order.require(command.row_field)
    key: UUID = order.values[command.row_field]
    return key


async def _authorised(work: UnitOfWork, command: Command, order: Order, opening: Opening) -> Record | None:
    """The row that the command wants, in a state for it, or what the place of the new object was read from. Raises Absent where the
    caller does not see it, else Refused where they may not act on it, or not now."""
    if command.wanted is not None:
        assert command.row_field is not None
        field = command.forbidden.field
        if not opening.seen:
            raise Absent(field)
        if not opening.found:
            raise Refused(command.forbidden)
        facts: tuple[Fact | ClearFact, ...] = (
            *command.facts,
            *names_fact(command.wanted.kind, command.input_type),
            *facts_of(command.wanted.kind, command.rests_on, command.input_type),
        )
        return await work.load_locked(command.wanted, order.values[command.row_field], field, facts)
    assert command.place is not None
    order.require(*command.place.names)
    site = await command.place.find(work, order.values)
    if not work.may_make(command.resource, command.action, site.attributes):
        raise Refused(command.forbidden)
    record: Record | None = site.record
    return record


def _dispute_of(record: Record | None, outcome: Outcome) -> UUID | None:
    """The dispute that the event belongs to."""
    if outcome.dispute_id is not None:
        return outcome.dispute_id
    if record is not None and record.dispute is not None:
        return UUID(str(record.dispute["id"]))
    return outcome.id if outcome.kind == "Dispute" else None


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
    return Receipt(receipt["kind"], UUID(receipt["id"]), replayed=True, parts=receipt.get("parts", {}))
