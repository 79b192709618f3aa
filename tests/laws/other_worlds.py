"""Other worlds: the same county, but for rows that one caller does not see. Removed, changed, or added; everything within one transaction.

A world keeps what gives the caller rights: on every row that they see, they may what they might. The oracle of the policy's text says what
is hidden.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Boolean, Date, DateTime, Integer, Numeric, Table, Text, Uuid

from db.resources.catalog import RESOURCES
from tests.laws.visibility_oracle import Rights, Snapshot

PARTS = tuple(name for name, resource in RESOURCES.items() if resource.part and name != "Event")
# What belongs to no dispute and gives nobody rights: that of people and teams does (the freshness laws change those).
REGISTERS = ("Company", "Compound", "Mediator", "AlertRule", "Inspection")
_DECIDING = {("assignment", "is_lead"), ("dispute", "closed_at")}
_REMOVED = (*reversed(PARTS), "Dispute", *REGISTERS)


class Undone:
    """A connection whose transactions are parts of the one that is open, and are undone."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    @asynccontextmanager
    async def transaction(self, **_: Any) -> AsyncIterator[asyncpg.Connection[Any]]:
        undone = self._connection.transaction()
        await undone.start()
        try:
            yield self._connection
        finally:
            await undone.rollback()


class OneConnection:
    """All pools of a process in one: a connection in whose transaction everything is read and carried out, and nothing lasts."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection = Undone(connection)
        self.transaction = self._connection.transaction

    async def fetchrow(self, sql: str, arguments: Iterable[Any] = ()) -> Any:
        return await self._connection.fetchrow(sql, *arguments)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Undone]:
        yield self._connection


class World:
    """Makes worlds for one caller, from the rows of a snapshot."""

    def __init__(self, connection: asyncpg.Connection[Any], snapshot: Snapshot, rights: Rights, me: UUID) -> None:
        self.connection, self.snapshot, self.rights, self.me = connection, snapshot, rights, me
        self.seen = {name: rights.ids(name) for name in RESOURCES}
        claims = [post.claims for post in rights.appointments]
        self._mine = {
            me,
            *(claim["organization_id"] for claim in claims),
            *(one for claim in claims for one in claim["team_ids"]),
        }

    def hidden(self, resource: str) -> list[UUID]:
        """The rows that the caller does not see: of disputes those of which they see no part, of registers those that are hidden wholly."""
        rows = self.snapshot.rows[resource]
        if resource in REGISTERS and resource != "Inspection" and self.seen[resource]:
            return []
        if resource == "Dispute":
            of_parts = (
                self.snapshot.rows[name][key]["dispute_id"] for name in (*PARTS, "Event") for key in self.seen[name]
            )
            return list(rows.keys() - self.seen["Dispute"] - set(of_parts))
        # What names the caller may be what gives them rights.
        return [key for key in rows.keys() - self.seen[resource] if self._mine.isdisjoint(rows[key].values())]

    @asynccontextmanager
    async def other(self, kind: str) -> AsyncIterator[int]:
        """The world, and how many rows are another there. `kind`: "removed", "changed" or "added"."""
        undone = self.connection.transaction()
        await undone.start()
        try:
            # No guard fires: the rows are another, they do not become another.
            await self.connection.execute("SET LOCAL session_replication_role = replica")
            number = await {"removed": self._remove, "changed": self._change, "added": self._add}[kind]()
            await self.connection.execute("SELECT tally_rebuild()")
            await self.connection.execute("SET LOCAL session_replication_role = origin")
            yield number
        finally:
            await undone.rollback()

    async def _check_rights(self) -> None:
        """What the caller sees is what they saw, row by row."""
        for name, shown in (await self._rights_here()).items():
            assert shown == self.rights.visibility(name), name

    async def _rights_here(self) -> dict[str, dict[UUID, dict[str, str]]]:
        rights = Rights(await Snapshot.read(self.connection), self.rights.appointments, self.rights.policy)
        return {name: rights.visibility(name) for name in RESOURCES}

    async def _forget_events(self, resource: str, keys: list[UUID]) -> None:
        """No event of theirs either, unless the caller reads the trail itself."""
        if not self.seen["Event"]:
            await self.connection.execute(
                "DELETE FROM event WHERE resource = $1 AND resource_id = ANY ($2)", resource, keys
            )

    async def _remove(self) -> int:
        number = 0
        for resource in _REMOVED:
            keys = self.hidden(resource)
            await self._forget_events(resource, keys)
            await self.connection.execute(f"DELETE FROM {RESOURCES[resource].table.name} WHERE id = ANY ($1)", keys)
            number += len(keys)
        return number

    async def _change(self) -> int:
        """Every column that says something is another, where its constraints allow; who and whose it is stays."""
        number = 0
        for resource in (*PARTS, "Dispute", *REGISTERS):
            table, keys = RESOURCES[resource].table, self.hidden(resource)
            for column in table.c if keys else ():
                value = _another(column)
                # What a condition speaks of decides who sees the row.
                if (
                    value is None
                    or column.name in RESOURCES[resource].attributes
                    or (table.name, column.name) in _DECIDING
                ):
                    continue
                try:
                    async with self.connection.transaction():
                        await self.connection.execute(
                            f"UPDATE {table.name} SET {column.name} = {value} WHERE id = ANY ($1)", keys
                        )
                    number += len(keys)
                except asyncpg.IntegrityConstraintViolationError:
                    continue
        await self._check_rights()
        return number

    async def _add(self) -> int:
        """To each dispute that the caller sees, two more of each of its parts, copied from others; those that would be seen are not."""
        number, disputes = 0, sorted(self.seen["Dispute"])[:60]
        for resource in PARTS:
            table = RESOURCES[resource].table
            keys = [
                column.name
                for column in table.c
                if isinstance(column.type, Uuid) and column.name not in ("id", "dispute_id")
            ]
            patterns = [
                key
                for key, row in sorted(self.snapshot.rows[resource].items())
                if self._mine.isdisjoint(row[name] for name in keys)
            ]
            number += await self._copy(table, patterns[:1] + patterns[-1:], disputes)
        for resource, shown in (await self._rights_here()).items():
            made = [key for key in shown if key not in self.seen[resource]]
            assert {key: shown[key] for key in self.seen[resource]} == self.rights.visibility(resource), resource
            await self.connection.execute(f"DELETE FROM {RESOURCES[resource].table.name} WHERE id = ANY ($1)", made)
            number -= len(made)
        return number

    async def _copy(self, table: Table, patterns: list[UUID], disputes: list[UUID]) -> int:
        """Copies of rows for other disputes: what they refer to is of the same dispute, as the database demands."""
        values = {
            one.name: f"pattern.{one.name}"
            for one in table.c
            if one.computed is None and one.name not in ("id", "dispute_id")
        }
        # A ciphertext opens in its own row only.
        values |= {name: "NULL" for name in values if name.startswith("id_number")}
        needed = ["true"]
        for constraint in table.foreign_key_constraints:
            within = {one.parent.name: one.column for one in constraint.elements}
            if "dispute_id" in within and len(within) == 2:
                own = next(name for name in within if name != "dispute_id")
                target, of = within[own], within["dispute_id"].name
                values[own] = f"(SELECT {target.name} FROM {target.table.name} WHERE {of} = d.id ORDER BY id LIMIT 1)"
                needed += [] if table.c[own].nullable else [f"{values[own]} IS NOT NULL"]
        status = await self.connection.execute(
            f"INSERT INTO {table.name} (dispute_id, {', '.join(values)}) SELECT d.id, {', '.join(values.values())}"
            f" FROM {table.name} pattern, dispute d WHERE pattern.id = ANY ($1) AND d.id = ANY ($2) AND {' AND '.join(needed)}"
            " ON CONFLICT DO NOTHING",
            patterns,
            disputes,
        )
        return int(status.rpartition(" ")[2])


def _another(column: Any) -> str | None:
    """Another value of a column, as SQL; None for keys and what the database computes."""
    name = column.name
    if (
        column.computed is not None
        or isinstance(column.type, Uuid)
        or name == "id"
        or name.endswith(("_code", "_hash", "_cipher"))
    ):
        return None
    codes = column.info.get("values")
    if codes:
        listed = ", ".join(f"'{code}'" for code in codes)
        return f"(ARRAY[{listed}])[1 + (array_position(ARRAY[{listed}], {name}) % {len(codes)})]"
    match column.type:
        case Boolean():
            return f"NOT {name}"
        case DateTime():
            return f"CASE WHEN {name} IS NULL THEN now() ELSE {name} - interval '1 day' END"
        case Date():
            return f"CASE WHEN {name} IS NULL THEN current_date ELSE {name} - 1 END"
        case Integer() | Numeric():
            return f"coalesce({name}, 0) + 1"
        case Text():
            return f"coalesce({name}, '') || '另'"
    return None
