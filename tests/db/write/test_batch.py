"""Writes held back: brought in one statement, in their order, whatever they are."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import func, select

from db import tables as t
from db.postgres.address import Address
from db.resources.resource import Sql
from db.uuid7 import uuid7
from db.write.batch import Batch, LatestVersion, Lookup, Write

_NOW = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)


def _insert(batch: Batch, table: Any, as_: str = "insert", /, **values: Any) -> UUID:
    values.setdefault("id", uuid7())
    batch.add(Write(as_, table, tuple(values)), values)
    key: UUID = values["id"]
    return key


def _update(batch: Batch, table: Any, key: UUID, incremented: tuple[str, ...] = (), **values: Any) -> None:
    batch.add(Write("update", table, tuple(values), incremented), {**values, "id": key})


def _event(batch: Batch, dispute: UUID | None) -> UUID:
    return _insert(
        batch, t.event, dispute_id=dispute, at=_NOW, action="dispute.note", resource="Dispute", resource_id=uuid7(),
        dispute_version=LatestVersion(dispute),
    )  # fmt: skip


async def _carry_out(connection: "asyncpg.Connection[Any]", batch: Batch) -> Mapping[str, int]:
    sql, values = batch.statement()
    return dict(await connection.fetchrow(sql, *values) or {})


async def test_one_statement(county: Address) -> None:
    """Rows of several tables, several rows of one, an update; counted, and the event has the version that is made beside it."""
    connection = await asyncpg.connect(**county.connect_arguments())
    try:
        row = await connection.fetchrow("SELECT id, version FROM dispute WHERE state = 'MEDIATING' ORDER BY id LIMIT 1")
        assert row is not None
        async with connection.transaction():
            batch = Batch()
            for name in ("甲", "乙", "丙"):
                _insert(
                    batch, t.party, dispute_id=row["id"], side="THIRD", kind="OWNER", name=name, is_natural_person=True
                )
            _update(batch, t.dispute, row["id"], ("version",), title="已改")
            event = _event(batch, row["id"])
            other = _event(batch, None)
            assert batch.tables == ["party", "dispute", "event"]
            assert await _carry_out(connection, batch) == {"w0": 3, "w1": 1, "w2": 2}
            dispute_version = await connection.fetchval("SELECT dispute_version FROM event WHERE id = $1", event)
            assert dispute_version == row["version"] + 1
            assert await connection.fetchval("SELECT dispute_version FROM event WHERE id = $1", other) is None
            assert await connection.fetchval("SELECT title FROM dispute WHERE id = $1", row["id"]) == "已改"
            # Of a dispute that is not written to beside it, the event has the version that stands.
            batch = Batch()
            event = _event(batch, row["id"])
            await _carry_out(connection, batch)
            dispute_version = await connection.fetchval("SELECT dispute_version FROM event WHERE id = $1", event)
            assert dispute_version == row["version"] + 1
    finally:
        await connection.close()


async def test_in_their_order(county: Address) -> None:
    """What gives way goes before what comes in its place: one mediator leads at a time."""
    connection = await asyncpg.connect(**county.connect_arguments())
    try:
        lead = await connection.fetchrow(
            "SELECT a.id, a.dispute_id, a.dispute_registered_at, a.assigned_at FROM assignment a JOIN dispute d ON d.id = a.dispute_id"
            " WHERE a.is_lead AND a.ended_at IS NULL AND d.state = 'MEDIATING' ORDER BY a.id LIMIT 1"
        )
        assert lead is not None
        person = await connection.fetchval(
            "SELECT person_id FROM mediator WHERE person_id NOT IN (SELECT person_id FROM assignment WHERE dispute_id = $1) LIMIT 1",
            lead["dispute_id"],
        )
        async with connection.transaction():
            batch = Batch()
            _update(batch, t.assignment, lead["id"], ended_at=lead["assigned_at"] + dt.timedelta(days=1))
            _insert(
                batch, t.assignment, dispute_id=lead["dispute_id"], dispute_registered_at=lead["dispute_registered_at"],
                person_id=person, is_lead=True, mode="APPOINTED", assigned_at=lead["assigned_at"],
            )  # fmt: skip
            assert await _carry_out(connection, batch) == {"w0": 1, "w1": 1}
    finally:
        await connection.close()


async def test_what_is_offered_gives_way(county: Address) -> None:
    """Of two alerts of one rule for one subject the second is left out; the rest of the batch is carried out."""
    connection = await asyncpg.connect(**county.connect_arguments())
    try:
        dispute = await connection.fetchval("SELECT id FROM dispute WHERE state = 'MEDIATING' ORDER BY id LIMIT 1")
        about = {
            "dispute_id": dispute,
            "subject": "x",
            "rule": "HIGH_RISK",
            "level": "ORANGE",
            "message": "m",
            "opened_at": _NOW,
        }
        async with connection.transaction():
            batch = Batch()
            _insert(batch, t.alert, "insert_or_ignore", **about)
            _insert(batch, t.alert, "insert_or_ignore", **about)
            _event(batch, dispute)
            assert await _carry_out(connection, batch) == {"w0": 1, "w1": 1}
    finally:
        await connection.close()


async def test_what_is_found_is_found_as_the_row_is_written(county: Address) -> None:
    """A value that a sub-select gives, beside rows where it is given; what it finds depends on its texts, the statement does not."""
    connection = await asyncpg.connect(**county.connect_arguments())

    def named(name: Sql, other: Sql) -> Sql:
        return select(t.company.c.id).where(t.company.c.name == func.coalesce(name, other)).scalar_subquery()

    try:
        dispute = await connection.fetchval("SELECT id FROM dispute WHERE state = 'MEDIATING' ORDER BY id LIMIT 1")
        company = await connection.fetchrow("SELECT id, name FROM company ORDER BY id LIMIT 1")
        assert company is not None
        statements = set()
        async with connection.transaction():
            for texts in ((company["name"], None), (None, company["name"]), ("没有这家公司", company["name"])):
                batch = Batch()
                keys = [
                    _insert(
                        batch, t.party, dispute_id=dispute, side="THIRD", kind="COMPANY", name="甲", is_natural_person=False,
                        company_id=value,
                    )
                    for value in (None, Lookup(named, texts), company["id"])
                ]  # fmt: skip
                statements.add(batch.statement()[0])
                assert await _carry_out(connection, batch) == {"w0": 3}
                found = [await connection.fetchval("SELECT company_id FROM party WHERE id = $1", key) for key in keys]
                assert found == [None, None if "没有这家公司" in texts else company["id"], company["id"]]
        assert len(statements) == 1
    finally:
        await connection.close()


def test_a_row_is_changed_once_in_a_statement() -> None:
    batch = Batch()
    key = _insert(batch, t.party, name="甲")
    assert not batch.has_room(t.party, key)
    assert batch.has_room(t.dispute, key)
    assert batch.has_room(t.party, uuid7())


def test_the_text_depends_on_what_is_written_and_not_on_the_values() -> None:
    def text(*names: str) -> str:
        batch = Batch()
        for name in names:
            _insert(batch, t.party, name=name)
        sql, values = batch.statement()
        assert all(name not in sql and name in values for name in names)
        return sql

    assert text("'; DROP TABLE party; --", "乙") == text("丙", "丁")
    assert text("甲") != text("甲", "乙")
