"""The desk at which a command works: one transaction of one caller. Every row it takes is taken under the policy.

The check is the fetch: `SELECT ... WHERE id = :id AND <rows of this action> FOR UPDATE`. What the caller may not touch is absent.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ClauseElement, FromClause, Table, bindparam, insert, literal_column, select, update
from sqlalchemy.types import Uuid

from db import tables as t
from db.catalog import SOURCES
from db.command import Absent, Mistake, Outcome, Refused
from db.crypto import Cipher
from db.guards import Guard, guards_of
from db.sight import Sight
from db.source import Row
from db.statement import compile_statement
from db.transitions import FROM_STATES
from policies.grant import Access
from policies.predicate import Never

COUNTY_TIME = ZoneInfo("Asia/Shanghai")


class Stale(Exception):
    """The caller's rights have changed since they were read; nothing was done."""


@dataclass(frozen=True)
class Actor:
    """Who acts: his access with the epoch of its reading, his person, the request."""

    access: Access
    person_id: UUID
    epoch: int
    request_id: str | None = None


@dataclass(frozen=True)
class Record:
    """A row taken for a change: its resource, its columns, and the row of its dispute (itself for a dispute)."""

    kind: str
    values: Mapping[str, Any]
    dispute: Mapping[str, Any] | None

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def id(self) -> UUID:
        return UUID(str(self.values["id"]))


class Desk:
    """One transaction of one caller. `now` is the time of recording."""

    def __init__(self, connection: Any, actor: Actor, cipher: Cipher, now: dt.datetime) -> None:
        self.connection, self.actor, self.cipher, self.now = connection, actor, cipher, now
        self.sight = Sight(actor.access)
        self.mistakes: list[Mistake] = []

    # -- mistakes: all at once, nothing stored

    def mistake(self, field: str, code: str, message: str) -> None:
        """Note a mistake and go on checking."""
        self.mistakes.append(Mistake(field, code, message))

    def settle(self) -> None:
        """End the checking. Raises Refused with every mistake noted."""
        if self.mistakes:
            raise Refused(*self.mistakes)

    def happened(self, field: str, at: dt.datetime, not_before: dt.datetime | None = None, what: str = "") -> None:
        """Check when a fact happened: not in the future, not before what it rests on (`what`, in words)."""
        if at > self.now:
            self.mistake(field, "IN_FUTURE", "发生时间不能晚于现在。")
        elif not_before is not None and at < not_before:
            self.mistake(field, "TOO_EARLY", f"发生时间不能早于{what}（{local(not_before):%Y-%m-%d %H:%M}）。")

    def text(self, field: str, text: str, longest: int) -> None:
        """Check a text that must say something."""
        if not text.strip():
            self.mistake(field, "REQUIRED", "不能为空。")
        elif len(text) > longest:
            self.mistake(field, "TOO_LONG", f"至多 {longest} 字。")

    # -- reading

    async def fetch(self, statement: ClauseElement, values: Mapping[str, Any] | None = None) -> list[Any]:
        """Rows of a statement; `values` are added to the caller's claims."""
        compiled = compile_statement(statement)
        bound = {**self._claims(), **(values or {}), **compiled.constants}
        return list(await self.connection.fetch(compiled.sql, *(bound[name] for name in compiled.binds)))

    def _claims(self) -> dict[str, Any]:
        return {
            f"claim_{slot}_{name}": value
            for slot, claims in enumerate(self.actor.access.claims)
            for name, value in claims.items()
        }

    async def take(self, kind: str, key: UUID, action: str, *, on: str | None = None, field: str = "id") -> Record:
        """The row, locked, if the caller may do `action` to it and its state and guards allow it.

        `on`: the resource whose action is asked (the row's dispute for `Dispute`). Raises Absent where there is no such row for
        this action and the caller does not even see it, Refused where he sees it but may not do this, or not now.
        """
        source = SOURCES[kind]
        row, at = self.sight.row(source, source.table.alias())
        asked = self._row_of(row, on or kind)
        allowed = self.sight.visible(asked, action)
        columns: list[Any] = [row.at.c[column.name].label(f"r_{column.name}") for column in source.table.c]
        if row.dispute is not None and row.dispute is not row.at:
            columns += [row.dispute.c[column.name].label(f"d_{column.name}") for column in t.dispute.c]
        statement = (
            select(
                *columns, allowed.is_(literal_column("true")).label("allowed"), self.sight.visible(row).label("seen")
            )
            .select_from(at)
            .where(row["id"] == bindparam("taken_id", type_=Uuid()))
            .with_for_update(of=[row.at] if row.dispute is None or row.dispute is row.at else [row.at, row.dispute])
        )
        found = await self.fetch(statement, {"taken_id": key})
        if not found or not (found[0]["allowed"] or found[0]["seen"]):
            raise Absent(field)
        one = found[0]
        if not one["allowed"]:
            raise Refused(_forbidden(field))
        values = {column.name: one[f"r_{column.name}"] for column in source.table.c}
        dispute = values if kind == "Dispute" else None
        if row.dispute is not None and row.dispute is not row.at:
            dispute = {column.name: one[f"d_{column.name}"] for column in t.dispute.c}
        if (
            (on or kind) == "Dispute"
            and dispute is not None
            and dispute["state"] not in FROM_STATES.get(action, (dispute["state"],))
        ):
            raise Refused(Mistake(field, "WRONG_STATE", f"纠纷现为 {dispute['state']}，此时不能办理此事项。"))
        await self._check_again(allowed, guards_of(on or kind, action), row, at, asked, key, field)
        return Record(kind, values, dispute)

    async def _check_again(
        self, allowed: Any, guards: tuple[Guard, ...], row: Row, at: FromClause, asked: Row, key: UUID, field: str
    ) -> None:
        """What must hold beside the state. A statement of its own, behind the lock: that of the lock sees other tables as they stood
        before it waited, so that two commands at once could both find nothing in their way."""
        holds = [guard.holds(asked).is_(literal_column("true")).label(f"g_{i}") for i, guard in enumerate(guards)]
        statement = (
            select(allowed.is_(literal_column("true")).label("allowed"), *holds)
            .select_from(at)
            .where(row["id"] == bindparam("taken_id", type_=Uuid()))
        )
        held = (await self.fetch(statement, {"taken_id": key}))[0]
        # SECURITY: whoever was replaced while he waited for the lock acts no more.
        if not held["allowed"]:
            raise Refused(_forbidden(field))
        for i, guard in enumerate(guards):
            if not held[f"g_{i}"]:
                self.mistake(guard.field, guard.code, guard.message)
        self.settle()

    def _row_of(self, row: Row, kind: str) -> Row:
        if kind == row.source.name:
            return row
        assert kind == "Dispute"
        assert row.dispute is not None
        return Row(SOURCES["Dispute"], row.dispute, row.dispute)

    async def see(self, kind: str, key: UUID, *, field: str) -> Record:
        """A row that the caller sees, not locked, to refer to. Raises Absent."""
        source = SOURCES[kind]
        row, at = self.sight.row(source, source.table.alias())
        statement = (
            select(*(row.at.c[column.name] for column in source.table.c))
            .select_from(at)
            .where(row["id"] == bindparam("seen_id", type_=Uuid()), self.sight.visible(row))
        )
        found = await self.fetch(statement, {"seen_id": key})
        if not found:
            raise Absent(field)
        return Record(kind, dict(found[0]), None)

    async def still(self, kind: str, key: UUID, action: str) -> None:
        """SECURITY: the row as it stands after the change must still be one on which the caller may act, or at least see."""
        source = SOURCES[kind]
        row, at = self.sight.row(source, source.table.alias())
        statement = (
            select((self.sight.visible(row, action) | self.sight.visible(row)).is_(literal_column("true")).label("may"))
            .select_from(at)
            .where(row["id"] == bindparam("kept_id", type_=Uuid()))
        )
        found = await self.fetch(statement, {"kept_id": key})
        if not found or not found[0]["may"]:
            raise Refused(Mistake("", "FORBIDDEN", "此变更会使纠纷脱离您的职责范围，不能办理。"))

    def may(self, kind: str, action: str) -> bool:
        """Whether any rule grants the action on some row of the resource."""
        return self.actor.access.grant(kind, action).rows != Never()

    # -- writing

    async def insert(self, table: Table, **values: Any) -> UUID:
        """A new row; its id."""
        compiled = insert(table).values(**values).returning(table.c.id)
        return UUID(str((await self.fetch(compiled))[0]["id"]))

    async def update(self, table: Table, key: UUID, **values: Any) -> None:
        """Change a row that was taken."""
        await self.fetch(update(table).where(table.c.id == key).values(**values).returning(table.c.id))

    async def change(self, dispute_id: UUID, **values: Any) -> None:
        """Change a dispute that was taken; its version goes up by one, also where only a part of it changed."""
        await self.update(t.dispute, dispute_id, **values, version=t.dispute.c.version + literal_column("1"))

    async def record(self, name: str, dispute_id: UUID | None, outcome: Outcome) -> None:
        """The one event of the command."""
        await self.insert(
            t.event,
            dispute_id=dispute_id,
            actor_id=self.actor.person_id,
            at=self.now,
            happened_at=outcome.happened_at,
            action=name,
            resource=outcome.kind,
            resource_id=outcome.id,
            from_state=outcome.from_state,
            to_state=outcome.to_state,
            dispute_version=select(t.dispute.c.version).where(t.dispute.c.id == dispute_id).scalar_subquery(),
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


def _forbidden(field: str) -> Mistake:
    return Mistake(field, "FORBIDDEN", "您无权在这件纠纷上办理此事项，或它现在不由您办理。")


def local(moment: dt.datetime) -> dt.datetime:
    """The moment in the county's time."""
    return moment.astimezone(COUNTY_TIME)


def day_of(moment: dt.datetime) -> dt.date:
    """The county's date of a moment."""
    return local(moment).date()
