"""What the migration to results makes of disputes that were there: the result of each, and figures that count by it."""

from typing import Any

import asyncpg
from alembic import command
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.postgres.address import Address
from db.postgres.databases import ensure_database
from db.postgres.migrate import configuration, migrate
from tests.db.world import connected

BEFORE = "0014"
PLACES = """
INSERT INTO area (code, name, level) VALUES ('371525', '县', 'COUNTY'), ('371525002', '街道', 'TOWN'), ('371525002001', '社区', 'COMMUNITY'),
    ('371525002001001', '网格', 'GRID');
INSERT INTO compound (name, address, households, grid_code) VALUES ('某小区', '某路', 100, '371525002001001');
INSERT INTO organization (kind, name, area_code) VALUES ('COMMITTEE', '调委会', '371525002');
"""
DISPUTE = """
INSERT INTO dispute (title, category, sub_category, source, state, tier, risk_level, people_count, summary, registered_at, grid_code,
    compound_id, accepted_at, concluded_at, closed_at, case_number, case_year, case_sequence, committee_id, decline_reason)
SELECT $1, 'PROPERTY', 'P01', 'APPLY', $2, 'TEAM', 'LOW', 2, '略', '2024-01-01', '371525002001001', c.id, taken.at, taken.at + '9 days',
    CASE WHEN $2 IN ('CLOSED', 'ARCHIVED') THEN timestamptz '2024-02-01' END, CASE WHEN $3 THEN $1 END, CASE WHEN $3 THEN 2024 END,
    CASE WHEN $3 THEN $4::int END, CASE WHEN $3 THEN o.id END, CASE WHEN $3 THEN NULL ELSE 'NOT_CIVIL' END
FROM compound AS c, organization AS o, LATERAL (SELECT CASE WHEN $3 THEN timestamptz '2024-01-02' END AS at) AS taken
RETURNING id
"""
EVENT = """
INSERT INTO event (dispute_id, at, action, resource, resource_id, from_state, to_state)
VALUES ($1::uuid, clock_timestamp(), $2, $3, $1::uuid, $4, $5)
"""
AGREEMENT = """
WITH party AS (
    INSERT INTO party (dispute_id, side, kind, is_natural_person, name) VALUES ($1, 'RESPONDENT', 'OTHER', true, '某') RETURNING id
), agreement AS (
    INSERT INTO agreement (dispute_id, form, scope, state, content, agreed_on, effective_on)
    VALUES ($1, 'ORAL', 'FULL', 'EFFECTIVE', '略', '2024-01-11', '2024-01-11') RETURNING id
)
INSERT INTO obligation (dispute_id, agreement_id, party_id, kind, content, due_on, state, performed_on)
SELECT $1, agreement.id, party.id, 'OTHER', '略', '2024-01-11', $2, CASE WHEN $2 = 'ENFORCED' THEN date '2024-01-11' END
FROM agreement, party
"""
# title: state, accepted, the event that ended it (action, resource, before, after), the state of its obligation; result.
OLD: dict[str, tuple[str, bool, tuple[str, ...] | None, str | None, str | None]] = {
    "waiting": ("REGISTERED", False, None, None, None),
    "owed": ("PERFORMING", True, None, "PENDING", "AGREED"),
    "failed": ("FAILED", True, None, None, "FAILED"),
    "closed": ("CLOSED", True, None, "ENFORCED", "PERFORMED"),
    "excused": ("PERFORMED", True, None, "EXCUSED", "UNPERFORMED"),
    "archived as failed": ("ARCHIVED", True, ("dispute.archive", "Dispute", "FAILED", "ARCHIVED"), None, "FAILED"),
    "archived as withdrawn": ("ARCHIVED", True, ("dispute.withdraw", "Dispute", "MEDIATING", "WITHDRAWN"), None, "WITHDRAWN"),
    "archived as closed": ("ARCHIVED", True, ("dispute.archive", "Dispute", "CLOSED", "ARCHIVED"), "ENFORCED", "PERFORMED"),
    "archived as excused": ("ARCHIVED", True, ("dispute.archive", "Dispute", "CLOSED", "ARCHIVED"), "EXCUSED", "UNPERFORMED"),
    # The state of an alert is none of the dispute.
    "archived without a word": ("ARCHIVED", True, ("alert.close", "Alert", "OPEN", "CLOSED"), None, "FAILED"),
    "archived without events": ("ARCHIVED", True, None, "ENFORCED", "PERFORMED"),
    "archived as declined": ("ARCHIVED", False, None, None, "DECLINED"),
}  # fmt: skip


async def _fill(connection: "asyncpg.Connection[Any]") -> None:
    await connection.execute(PLACES)
    for number, (title, (state, accepted, ended, obligation, _)) in enumerate(OLD.items(), 1):
        begun = "CLOSED" if state == "ARCHIVED" else state
        key = await connection.fetchval(DISPUTE, title, begun, accepted, number)
        if ended is not None:
            await connection.execute(EVENT, key, *ended)
        if obligation is not None:
            await connection.execute(AGREEMENT, key, obligation)
        await connection.execute("UPDATE dispute SET state = $2 WHERE id = $1 AND state <> $2", key, state)


async def test_every_dispute_gets_its_result_and_the_figures_follow(database: Address) -> None:
    older = database.with_database(f"{database.database}_older")
    await ensure_database(older)
    engine = create_async_engine(older.url(), poolclass=NullPool)
    async with engine.begin() as migrating:
        await migrating.run_sync(lambda sync: command.upgrade(configuration(sync), BEFORE))
    await engine.dispose()
    async with connected(older) as connection:
        await _fill(connection)
        before = await connection.fetchval("SELECT sum(resolved) FROM tally_reckoning")
        assert before == 8
    await migrate(older)
    async with connected(older) as connection:
        rows = await connection.fetch("SELECT title, state, result FROM dispute")
        assert {row["title"]: row["result"] for row in rows} == {title: old[-1] for title, old in OLD.items()}
        assert {row["state"] for row in rows if row["title"] == "excused"} == {"UNPERFORMED"}
        sums = await connection.fetchrow(
            "SELECT sum(resolved) AS resolved, sum(failed) AS failed, sum(withdrawn) AS withdrawn, sum(closed) AS closed,"
            " sum(due) AS due, sum(performed) AS performed FROM tally_sum"
            " WHERE scope_kind = 'county_code' AND group_kind = 'TOWN' AND grain = 'YEAR'"
        )
        assert dict(sums) == {"resolved": 3, "failed": 3, "withdrawn": 1, "closed": 4, "due": 6, "performed": 3}
        await connection.execute("SELECT tally_rebuild()")
        again = "(TABLE tally EXCEPT TABLE tally_reckoning)"
        assert await connection.fetch(again) == []
    async with connected(database) as connection:
        await connection.execute(f"DROP DATABASE {older.database} WITH (FORCE)")
