"""The unit of work of a command: one transaction of one caller. Every row that it changes is locked under the policy.

The check is the fetch: `SELECT ... WHERE id = :id AND <rows of this action> FOR UPDATE`. What the caller may not touch is absent.
Statements are built once and cached; writes are held back and sent to the database together (db/write/batch.py).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self
from uuid import UUID

import asyncpg
from sqlalchemy import ClauseElement, Select, Table

from db import tables as t
from db.calendar import local, start_of
from db.crypto import Cipher
from db.lru_cache import LruCache
from db.query.statement import Statement, compile_statement
from db.query.visibility import Visibility, claim_values
from db.resources.aliases import shared_aliases
from db.resources.catalog import RESOURCES
from db.resources.transitions import transition_of
from db.uuid7 import uuid7
from db.write import row_locks
from db.write.batch import Batch, LatestVersion, Write
from db.write.case_rules import CALLER_INTERESTED
from db.write.command import Absent, Outcome, Refused, UserError, forbidden_on
from db.write.deferred import Results
from db.write.row_locks import ClearFact, Fact, Opening, Request, Wanted, columns_of
from db.write.state_words import wrong_state
from policies.grant import Access
from policies.predicate import Never, evaluate


class _Cached(NamedTuple):
    """A compiled statement with the words of its text, and whether it changes anything."""

    statement: Statement
    words: frozenset[str]
    writes: bool

    @classmethod
    def of(cls, statement: ClauseElement) -> Self:
        compiled = compile_statement(statement)
        return cls(compiled, frozenset(re.findall(r"[a-z_]+", compiled.sql)), not isinstance(statement, Select))


# Statements of this process. Of those that a policy shapes, the shape of the access is part of the key.
_CACHE: LruCache[_Cached] = LruCache(20_000_000, lambda cached: 2_000 + 3 * len(cached.statement.sql))


class Stale(Exception):
    """The caller's rights have changed since they were read; nothing was done."""


@dataclass(frozen=True)
class Actor:
    """The caller: their access with the epoch of its reading, their person, the id of the request."""

    access: Access
    person_id: UUID
    epoch: int
    request_id: str | None = None


@dataclass(frozen=True)
class Record:
    """A loaded row: its resource, its columns and facts, and the row of its dispute (itself for a dispute)."""

    kind: str
    values: Mapping[str, Any]
    dispute: Mapping[str, Any] | None

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @cached_property
    def id(self) -> UUID:
        return UUID(str(self.values["id"]))


class _Postcondition(NamedTuple):
    """After the change the row must be one for the action, or with `or_seen` one that the caller sees; else the user error is raised."""

    kind: str
    key: UUID
    action: str
    or_seen: bool
    user_error: UserError


class UnitOfWork:
    """One transaction of one caller. `now` is the time of recording."""

    def __init__(
        self, connection: asyncpg.Connection[asyncpg.Record], actor: Actor, cipher: Cipher, now: dt.datetime
    ) -> None:
        self.connection, self.actor, self.cipher, self.now = connection, actor, cipher, now
        self.visibility = Visibility(actor.access)
        self.results = Results()
        self.user_errors: list[UserError] = []
        self._batch = Batch()
        # The tables that were written to, and of those whose columns are known `table.column`.
        self.written: set[str] = set()
        self.made: set[tuple[str, UUID]] = set()
        # What was made beside the row to show: its global id, by the path in the input.
        self.parts: dict[str, str] = {}
        self._changed: set[tuple[str, UUID]] = set()
        self._postconditions: list[_Postcondition] = []
        self._request: UUID | None = None
        # How many days after the fact it is recorded, why so late, and whether the command is one of those by which a case is made.
        self.late_days, self.by_hand = 0, False
        self.late_reason: str | None = None

    # -- user errors: all at once, nothing stored

    def error(self, field: str, code: str, message: str) -> None:
        """Note a user error and go on checking."""
        self.user_errors.append(UserError(field, code, message))

    def raise_errors(self) -> None:
        """End the checking. Raises Refused with every user error noted."""
        if self.user_errors:
            raise Refused(*self.user_errors)

    def check_time(self, field: str, at: dt.datetime, not_before: dt.datetime | None = None, what: str = "") -> None:
        """Check when a fact happened: not in the future, not before what it rests on (`what`, in words). One mistake of a field will do."""
        if any(error.field == field for error in self.user_errors):
            return
        if at > self.now:
            self.error(field, "IN_FUTURE", "发生时间不能晚于现在。")
        elif not_before is not None and at < not_before:
            self.error(field, "TOO_EARLY", f"发生时间不能早于{what}（{local(not_before):%Y-%m-%d %H:%M}）。")

    def check_day(self, field: str, at: dt.datetime, not_before: dt.date, what: str) -> None:
        """The same for a fact that rests on one of which the day is known."""
        self.check_time(field, at, start_of(not_before), what)

    def check_text(self, field: str, text: str, longest: int) -> None:
        """Check a text that must say something."""
        if not text.strip():
            self.error(field, "REQUIRED", "不能为空。")
        elif len(text) > longest:
            self.error(field, "TOO_LONG", f"至多 {longest} 字。")

    # -- reading

    async def fetch(self, statement: ClauseElement, values: Mapping[str, Any] | None = None) -> list[Any]:
        """Rows of a statement that is the same for everybody: built once, outside the function that runs it."""
        return await self._run(_CACHE.get(statement, lambda: _Cached.of(statement)), values)

    async def fetch_for_caller(
        self, name: Hashable, make: Callable[[], Select[Any]], values: Mapping[str, Any]
    ) -> list[Any]:
        """Rows of a statement that depends on what the caller may, and beyond that on nothing but its name."""
        return await self._run(self._cached(name, make), values)

    def _cached(self, name: Hashable, make: Callable[[], Select[Any]]) -> _Cached:
        # SECURITY: the shape holds the policy and the roles: nobody is answered by a statement that was made for other rights.
        def compiled() -> _Cached:
            with shared_aliases():
                return _Cached.of(make())

        return _CACHE.get((self.actor.access.shape, name), compiled)

    async def _run(self, read: _Cached, values: Mapping[str, Any] | None) -> list[Any]:
        if read.writes:
            self.written |= read.words
        # Writes held back go first where the statement could see them.
        if self._batch and (read.writes or not read.words.isdisjoint(self._batch.tables)):
            await self._flush()
        bound = {**self._caller, **(values or {}), **read.statement.constants}
        return list(await self.connection.fetch(read.statement.sql, *[bound[name] for name in read.statement.binds]))

    @cached_property
    def _caller(self) -> dict[str, Any]:
        return {"me": self.actor.person_id, **claim_values(self.actor.access)}

    # -- locking and loading

    async def open(self, request: Request | None, wanted: Wanted | None, key: UUID | None) -> Opening:
        """Begin: one statement. Waits for a request of the same key that is under way, then for the row. Raises Stale."""
        values: dict[str, Any] = {"row_id": key}
        if request is not None:
            values |= {"request_person_id": self.actor.person_id, "request_key": request.key}
            values |= {"request_command": request.command, "request_digest": request.digest}
        keyed = request is not None
        rows = await self.fetch_for_caller(
            ("begin", keyed, wanted), lambda: row_locks.begin(self.visibility, keyed, wanted), values
        )
        row = rows[0]
        # SECURITY: rights that ended before this request are not used: the epoch is that of the caller's reading, or nothing is done.
        if row["epoch"] != self.actor.epoch:
            raise Stale
        self._request = row["request"]
        return Opening(request is None or self._request is not None, bool(row["found"]), bool(row["seen"]))

    async def lock(self, kind: str, key: UUID, action: str, *, field: str = "id") -> Record:
        """The row, locked, if the caller may do `action` to it and its state and guards allow it.

        Raises Absent where there is no such row for this action and the caller does not even see it, Refused where the caller sees it
        but may not do this, or not now; LookupError where no command registers the action.
        """
        wanted = Wanted(kind, action)
        if not await self.fetch_for_caller(
            ("lock", wanted), lambda: row_locks.lock_row(self.visibility, wanted), {"row_id": key}
        ):
            await self.load_visible(kind, key, field=field)
            raise Refused(forbidden_on(field))
        return await self.load_locked(wanted, key, field)

    async def load_locked(
        self, wanted: Wanted, key: UUID, field: str = "id", facts: tuple[Fact | ClearFact, ...] = ()
    ) -> Record:
        """The row that was locked, if the policy, its state and its guards allow the action. Raises Refused.

        A statement of its own, behind the lock: that of the lock sees other tables as they were before it waited, so that two commands
        at once could both find nothing in their way.
        """
        transition = transition_of(wanted.resource, wanted.action)
        rows = await self.fetch_for_caller(
            ("load_locked", wanted, facts),
            lambda: row_locks.load_locked_row(self.visibility, wanted, facts),
            {"row_id": key},
        )
        row = rows[0]
        # SECURITY: a caller who was replaced while waiting for the lock acts no more.
        if not row["allowed"]:
            raise Refused(forbidden_on(field))
        if row.get("interested"):
            raise Refused(UserError(field, CALLER_INTERESTED.code, CALLER_INTERESTED.message))
        names = (*columns_of(RESOURCES[wanted.kind].table), *(fact.name for fact in facts))
        values = {name: row[f"r_{name}"] for name in names}
        dispute = values if wanted.kind == "Dispute" else None
        if dispute is None and "d_id" in row:
            dispute = {name: row[f"d_{name}"] for name in columns_of(t.dispute)}
        if transition.states is not None and values["state"] not in transition.states:
            raise Refused(UserError(field, "WRONG_STATE", wrong_state(values["state"], wanted.kind, wanted.action)))
        for i, guard in enumerate(transition.guards):
            if not row[f"g_{i}"]:
                self.error(guard.field, guard.code, guard.message)
        self.raise_errors()
        return Record(wanted.kind, values, dispute)

    async def load_visible(self, kind: str, key: UUID, *, field: str, facts: tuple[Fact, ...] = ()) -> Record:
        """A row that the caller sees, not locked, to refer to. Raises Absent."""
        rows = await self.fetch_for_caller(
            ("load_visible", kind, facts),
            lambda: row_locks.load_visible_row(self.visibility, kind, facts),
            {"row_id": key},
        )
        if not rows:
            raise Absent(field)
        return Record(kind, dict(rows[0]), None)

    def may(self, kind: str, action: str) -> bool:
        """Whether any rule grants the action on some row of the resource."""
        return self.actor.access.grant(kind, action).rows != Never()

    def may_make(self, kind: str, action: str, attributes: Mapping[str, Any]) -> bool:
        """Whether the caller may do the action to a row that will have these attributes. What is written is asked again in the end."""
        unknown: dict[str, Any] = dict.fromkeys(RESOURCES[kind].attributes)
        return evaluate(
            self.actor.access.grant(kind, action).rows, unknown | dict(attributes), self.actor.access.claims
        )

    # -- postconditions: what must hold of the rows after the change

    def ensure_after(self, kind: str, key: UUID, action: str, user_error: UserError, *, or_seen: bool = False) -> None:
        """SECURITY: the row must in the end be one on which the caller may do the action; whatever was written is rolled back
        otherwise. `or_seen`: a row that was locked, which the caller may as well only see afterwards."""
        self._postconditions.append(_Postcondition(kind, key, action, or_seen, user_error))

    def ensure_still_allowed(self, kind: str, key: UUID, action: str) -> None:
        """SECURITY: after the change the row must still be one on which the caller may act, or which the caller at least sees."""
        message = "此变更会使纠纷脱离您的职责范围，不能办理。"
        self.ensure_after(kind, key, action, UserError("", "FORBIDDEN", message), or_seen=True)

    async def _check(self, condition: _Postcondition) -> None:
        kind, key, action, or_seen, user_error = condition
        read = self._cached(
            ("ensure_after", kind, action, or_seen),
            lambda: row_locks.still_allowed(self.visibility, kind, action, or_seen),
        )
        # A row that was locked was checked behind its lock: it is checked again if something was written that decides.
        if or_seen and read.words.isdisjoint(self.written):
            return
        if not await self._run(read, {"row_id": key}):
            raise Refused(user_error)

    # -- writing

    async def insert(self, table: Table, **values: Any) -> UUID:
        """A new row; its id. The event of the command is about one of these."""
        key = await self.insert_consequence(table, **values)
        self.made.add((table.name, key))
        return key

    async def insert_consequence(self, table: Table, **values: Any) -> UUID:
        """A new row that follows from what the command does, as a visit that becomes due; its id. The event is about something else."""
        key: UUID = values.setdefault("id", uuid7())
        await self._write(Write("insert", table, tuple(values)), values)
        return key

    async def insert_or_ignore(self, table: Table, **values: Any) -> None:
        """A new row that follows from what the command does, unless a unique rule has one in its place."""
        values.setdefault("id", uuid7())
        await self._write(Write("insert_or_ignore", table, tuple(values)), values)

    async def update(self, table: Table, key: UUID, **values: Any) -> None:
        """Change a row that was locked."""
        self._changed.add((table.name, key))
        await self._write(Write("update", table, tuple(values)), {**values, "id": key})

    async def update_dispute(self, dispute_id: UUID, **values: Any) -> None:
        """Change a dispute that was locked; its version goes up by one, also where only a part changed. It is told how late this is."""
        told: dict[str, Any] = {"late_days": self.late_days} if self.late_days else {}
        hand = {"one_hand": self.actor.person_id} if self.by_hand else {}
        write = Write("update", t.dispute, tuple(values), ("version",), tuple(told), tuple(hand))
        await self._write(write, {**values, **told, **hand, "id": dispute_id})

    def hand(self) -> dict[str, Any]:
        """The columns of a new dispute that say who made it, and how late it is told."""
        return {"hand_id": self.actor.person_id, "one_hand": True, "late_days": self.late_days}

    async def _write(self, write: Write, values: Mapping[str, Any]) -> None:
        if not self._batch.has_room(write.table, values["id"]):
            await self._flush()
        self._batch.add(write, values)
        # A version that goes up decides nothing about the row.
        if write.kind != "update" or write.names:
            self.written.add(write.table.name)
            self.written |= {f"{write.table.name}.{name}" for name in write.names}

    async def _flush(self) -> None:
        batch, self._batch = self._batch, Batch()
        sql, values = batch.statement()
        await self.connection.fetch(sql, *values)

    def _check_subject(self, outcome: Outcome) -> None:
        """SECURITY: fails closed, with LookupError: no event is filed under a row that is seen by others than what the command wrote."""
        written = self.made or self._changed
        if written and (RESOURCES[outcome.kind].table.name, outcome.id) not in written:
            raise LookupError(f"{outcome.kind} {outcome.id} is none of the rows that the command wrote")

    async def finish(self, name: str, dispute_id: UUID | None, outcome: Outcome, shown: tuple[str, UUID]) -> None:
        """Write the one event of the command and the receipt of its request, which names the row to show; then check the postconditions.

        Raises Refused.
        """
        self._check_subject(outcome)
        await self._record(name, dispute_id, outcome)
        if self._request is not None:
            receipt = json.dumps(
                {"kind": shown[0], "id": str(shown[1]), **({"parts": self.parts} if self.parts else {})}
            )
            await self.update(t.request, self._request, receipt=receipt)
        await self._flush()
        for condition in self._postconditions:
            await self._check(condition)

    async def record_alone(self, name: str, outcome: Outcome) -> None:
        """Write an event of which nothing else is stored."""
        await self._record(name, outcome.dispute_id, outcome)
        await self._flush()

    async def _record(self, name: str, dispute_id: UUID | None, outcome: Outcome) -> None:
        await self.insert(
            t.event,
            dispute_id=dispute_id,
            actor_id=self.actor.person_id,
            at=self.now,
            happened_at=outcome.happened_at,
            late_reason=self.late_reason if outcome.happened_at is not None else None,
            action=name,
            resource=outcome.kind,
            resource_id=outcome.id,
            from_state=outcome.from_state,
            to_state=outcome.to_state,
            dispute_version=LatestVersion(dispute_id),
            fields=" ".join(outcome.fields) or None,
            reason=outcome.reason,
            policy_version=self.actor.access.policy.version,
            request_id=self.actor.request_id,
            changes=json.dumps(
                [[kind, str(key), cell, value] for kind, key, cell, value in outcome.changes], ensure_ascii=False
            )
            if outcome.changes
            else None,
        )
