# ruff: noqa: E501, S608 - the statements are made of constants of this file; broken into short lines they could not be read
"""Fills a county with synthetic disputes of the years 2013 to 2022, to measure how the service behaves with ten million.

The rows are made by the database itself from running numbers, so the same number is the same dispute on every machine.
One in fifty, registered in October 2022, is still open. A synthetic row is recognised by its identifier; the statistics since
2023 do not change.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg

from db.calendar import COUNTY_ZONE
from db.county import deterministic
from db.county.builder import AGREED_STATES, RESOLVED_STATES
from db.county.places import CHONGWEN
from db.county.texts import MATTERS
from db.postgres.advisory_locks import AdvisoryLock
from db.postgres.connection import Connection
from db.tables.column import sql_list
from db.tables.dispute import CLOSED_STATES, OPEN_STATES, UNDER_MEDIATION_STATES, UNDER_PERFORMANCE_STATES

BATCH = 20_000
_OF_COMPOUND = 50  # synthetic disputes in each compound that was there before
_OF_MEDIATOR = 200  # and of each synthetic mediator; two of them share a grid

Progress = Callable[[int, int], None]

# The kind of a synthetic row stands in its identifier; the rest is its number.
_KINDS = {
    name: number
    for number, name in enumerate(
        ("dispute", "applicant", "respondent", "assignment", "agreement", "obligation", "performance", "follow_up", "referral",
         "area", "compound", "team", "grid_worker", "mediator", "adviser", "leader", "register", "appointment", "member", "community", "session"), 1
    )
}  # fmt: skip


def identifier(kind: str, number: int) -> UUID:
    """The identifier of the synthetic row with that number, at most 48 bits."""
    return UUID(f"5ca1e000-{_KINDS[kind]:04x}-8000-8000-{number:012x}")


def _id(kind: str, number: str) -> str:
    return f"('5ca1e000-{_KINDS[kind]:04x}-8000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


def _chance(column: str, multiplier: int, limit: str) -> str:
    """A number below `limit` that looks random and depends on the row's number only."""
    return f"((({column} * {multiplier}::bigint + 12345) % 2147483647) / 997 % {limit})::int"


# Where each block of disputes lies and who mediates it: first the compounds that exist, then synthetic grids.
_PLACES = f"""
INSERT INTO scale_place WITH seat AS (
    SELECT town.code AS town_code, town.name AS town_name, committee.id AS committee_id, committee.short_name,
        (SELECT id FROM organization WHERE kind = 'CENTRE' AND area_code = town.code ORDER BY id LIMIT 1) AS centre_id,
        (SELECT array_agg(id ORDER BY name) FROM organization WHERE kind = 'SQUAD') AS squads,
        row_number() OVER (ORDER BY town.code) AS number,
        -- Streets have more disputes than villages.
        generate_series(1, CASE WHEN town.name LIKE '%街道' THEN 3 ELSE 1 END) AS seat
    FROM area AS town JOIN organization AS committee ON committee.area_code = town.code AND committee.kind = 'COMMITTEE'
    WHERE town.level = 'TOWN'
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY seat, town_code) - 1 AS place, count(*) OVER () AS places FROM seat
), existing AS (
    SELECT (row_number() OVER (ORDER BY compound.id) - 1)::int AS block, compound.id AS compound_id, compound.name AS compound_name,
        compound.grid_code, team.id AS team_id, member.person_id AS mediator_id, compound.town_code
    FROM compound
    LEFT JOIN team ON team.grid_code = compound.grid_code AND team.state = 'ACTIVE'
    LEFT JOIN team_member AS member ON member.team_id = team.id AND member.role = 'MEDIATOR' AND member.valid_to IS NULL
    WHERE compound.id NOT BETWEEN '{identifier("compound", 0)}' AND '{identifier("compound", 2**48 - 1)}'
), invented AS (
    SELECT block, block / 2 AS grid, numbered.*,
        500 + block / 2 / places::int / 20 + 150 * (seat - 1) AS community, block / 2 / places::int % 20 + 1 AS grid_number
    FROM generate_series(0, greatest(0, $1::bigint - (SELECT count(*) * {_OF_COMPOUND} FROM existing))::int / {_OF_MEDIATOR}) AS block
    JOIN numbered ON numbered.place = block / 2 % places
)
SELECT existing.block, false AS synthetic, NULL::int AS grid, NULL::int AS invented, compound_id, compound_name, grid_code, team_id,
    coalesce(mediator_id, (SELECT person_id FROM mediator WHERE organization_id = committee_id ORDER BY person_id LIMIT 1)) AS mediator_id,
    seat.town_code, town_name, committee_id, short_name, centre_id, squads[1 + seat.number % array_length(squads, 1)] AS squad_id
FROM existing JOIN seat ON seat.town_code = existing.town_code AND seat.seat = 1
UNION ALL
SELECT (SELECT count(*) FROM existing)::int + block, true, grid, block, {_id("compound", "grid")}, '示例' || grid || '号院',
    town_code || lpad(community::text, 3, '0') || lpad(grid_number::text, 3, '0'), {_id("team", "grid")}, {_id("mediator", "block")},
    town_code, town_name, committee_id, short_name, centre_id, squads[1 + number % array_length(squads, 1)]
FROM invented
"""

# Communities, grids, compounds, people and teams of the synthetic blocks. Running it again adds what is new.
_PLACES_AND_PEOPLE = (
    f"""INSERT INTO area (id, code, name, level, parent_code)
        SELECT DISTINCT {_id("community", "left(grid_code, 12)::bigint")}, left(grid_code, 12),
            '示例' || substr(grid_code, 10, 3) || '社区', 'COMMUNITY', town_code
        FROM scale_place WHERE synthetic ON CONFLICT DO NOTHING""",
    f"""INSERT INTO area (id, code, name, level, parent_code)
        SELECT DISTINCT {_id("area", "grid")}, grid_code, '示例' || substr(grid_code, 10, 3) || '社区第' || right(grid_code, 2)::int || '网格',
            'GRID', left(grid_code, 12)
        FROM scale_place WHERE synthetic ON CONFLICT DO NOTHING""",
    """INSERT INTO compound (id, name, address, households, grid_code, company_id)
        SELECT DISTINCT compound_id, compound_name, '冠县' || town_name || '示例路' || 1000 + grid || '号', 200 + grid % 700, grid_code,
            (SELECT array_agg(id ORDER BY name) FROM company)[1 + grid % (SELECT count(*) FROM company)]
        FROM scale_place WHERE synthetic ON CONFLICT DO NOTHING""",
    f"""INSERT INTO person (id, name, state)
        SELECT DISTINCT ON (id) id, name, 'ACTIVE' FROM scale_place, LATERAL (VALUES
            ({_id("mediator", "invented")}, '示例调解员' || invented), ({_id("grid_worker", "grid")}, '示例网格员' || grid),
            ({_id("adviser", "left(grid_code, 12)::bigint")}, '示例顾问' || substr(grid_code, 7, 6)),
            ({_id("leader", "left(grid_code, 12)::bigint")}, '示例带头人' || substr(grid_code, 7, 6))
        ) AS one (id, name) WHERE synthetic ON CONFLICT DO NOTHING""",
    f"""INSERT INTO mediator (id, hired_as, full_time, qualified_on, person_id, organization_id)
        SELECT {_id("register", "invented")}, 'HIRED', true, '2012-06-01', mediator_id, committee_id
        FROM scale_place WHERE synthetic ON CONFLICT DO NOTHING""",
    f"""INSERT INTO appointment (id, role, valid_from, person_id, organization_id, area_code)
        SELECT DISTINCT ON (id) id, role, '2012-06-01'::date, person_id, committee_id, area_code FROM scale_place, LATERAL (VALUES
            ({_id("appointment", "invented * 4::bigint")}, 'mediator', mediator_id, town_code),
            ({_id("appointment", "grid * 4::bigint + 1")}, 'grid_worker', {_id("grid_worker", "grid")}, grid_code),
            ({_id("appointment", "left(grid_code, 12)::bigint * 4 + 2")}, 'legal_adviser', {_id("adviser", "left(grid_code, 12)::bigint")},
                town_code),
            ({_id("appointment", "left(grid_code, 12)::bigint * 4 + 3")}, 'law_leader', {_id("leader", "left(grid_code, 12)::bigint")},
                left(grid_code, 12))
        ) AS one (id, role, person_id, area_code) WHERE synthetic ON CONFLICT DO NOTHING""",
    """INSERT INTO team (id, name, state, formed_on, grid_code)
        SELECT DISTINCT team_id, compound_name || '“1+3”团队', 'ACTIVE', '2012-06-01'::date, grid_code
        FROM scale_place WHERE synthetic ON CONFLICT DO NOTHING""",
    f"""INSERT INTO team_member (id, role, valid_from, team_id, person_id)
        SELECT id, role, '2012-06-01'::date, team_id, person_id FROM scale_place, LATERAL (VALUES
            ({_id("member", "grid * 4::bigint")}, 'GRID_WORKER', {_id("grid_worker", "grid")}),
            ({_id("member", "grid * 4::bigint + 1")}, 'LEGAL_ADVISER', {_id("adviser", "left(grid_code, 12)::bigint")}),
            ({_id("member", "grid * 4::bigint + 2")}, 'LAW_LEADER', {_id("leader", "left(grid_code, 12)::bigint")}),
            ({_id("member", "grid * 4::bigint + 3")}, 'MEDIATOR', mediator_id)
        ) AS one (id, role, person_id) WHERE synthetic AND invented % 2 = 0 ON CONFLICT DO NOTHING""",
)

# One batch of numbers, with what more than one table needs. The open disputes were registered early enough that every event of
# theirs is before 2023; what is still owed is overdue since then.
_BATCH = f"""
INSERT INTO scale_batch
SELECT n, {_id("dispute", "n")}, place.*, registered_at,
    CASE WHEN state NOT IN ({sql_list(UNDER_MEDIATION_STATES)}) THEN registered_at + make_interval(days => length) END, form, state
FROM (
    SELECT n, CASE WHEN n <= $3 * {_OF_COMPOUND} THEN (n - 1) / {_OF_COMPOUND}
                   ELSE $3 + (n - 1 - $3 * {_OF_COMPOUND}) / {_OF_MEDIATOR} END AS block,
        CASE WHEN fate < 98 THEN timestamptz '2013-01-01 08:30+08' + make_interval(days => {_chance("n", 48271, "3585")})
             ELSE timestamptz '2022-10-01 08:30+08' + make_interval(days => {_chance("n", 48271, "30")}) END
            + make_interval(mins => {_chance("n", 69621, "240")}) AS registered_at,
        3 + {_chance("n", 16807, "26")} AS length,
        1 + {_chance("n", 39373, "$4::int")} AS form,
        CASE WHEN fate < 69 THEN 'ARCHIVED' WHEN fate < 90 THEN 'CLOSED' WHEN fate < 95 THEN 'FAILED' WHEN fate < 98 THEN 'WITHDRAWN'
             ELSE (ARRAY['ACCEPTED', 'MEDIATING', 'PERFORMING', 'PERFORMED'])[1 + {_chance("n", 62089911, "4")}] END AS state
    FROM generate_series($1::bigint, $2::bigint) AS n, LATERAL (SELECT {_chance("n", 40692, "100")} AS fate) AS drawn
) AS one JOIN scale_place AS place USING (block)
"""

_OPEN = f"state IN ({sql_list(OPEN_STATES)})"
_CLOSED = f"state IN ({sql_list(CLOSED_STATES)})"
_AGREED = f"state IN ({sql_list(AGREED_STATES)})"
_RESOLVED = f"state IN ({sql_list(RESOLVED_STATES)})"
_DAY = "concluded_at::date"

_TABLES = (
    f"""INSERT INTO dispute (id, case_number, title, category, sub_category, source, state, tier, risk_level, amount_claimed, people_count,
            summary, public_summary, occurred_on, registered_at, accepted_at, notified_at, due_on, concluded_at, closed_at, outcome,
            external_ref, version, result,
            committee_id, case_year, case_sequence, grid_code, compound_id, team_id, squad_id, centre_id, source_organization_id)
        SELECT id, '(' || year || ')' || short_name || '人调字第' || 100000 + n || '号', title, category, sub_category,
            CASE WHEN source_id IS NULL THEN CASE WHEN n % 3 = 0 THEN 'GRID' ELSE 'APPLY' END ELSE source END, state, tier,
            CASE WHEN n % 40 = 0 THEN 'HIGH' WHEN n % 5 = 0 THEN 'MEDIUM' ELSE 'LOW' END, amount, 2 + n % 4,
            compound_name || n % 20 + 1 || '号楼' || summary, town_name || '某小区' || title,
            registered_at::date - (n % 9)::int, registered_at, registered_at + interval '3 hours',
            CASE WHEN state <> 'ACCEPTED' THEN registered_at + interval '5 hours' END, registered_at::date + 31, concluded_at,
            CASE WHEN {_CLOSED} THEN concluded_at + interval '20 days' WHEN NOT {_OPEN} THEN concluded_at END,
            CASE WHEN {_CLOSED} THEN '调解成功，履行完毕' WHEN state = 'FAILED' THEN '调解不成，已告知其他途径'
                WHEN state = 'WITHDRAWN' THEN '申请人撤回' END,
            CASE WHEN source_id IS NOT NULL THEN 'SL' || n END,
            CASE state WHEN 'ACCEPTED' THEN 2 WHEN 'MEDIATING' THEN 3 WHEN 'PERFORMING' THEN 4 WHEN 'PERFORMED' THEN 5 ELSE 6 END,
            CASE WHEN state IN ({sql_list(UNDER_MEDIATION_STATES)}) THEN NULL WHEN state IN ({sql_list(UNDER_PERFORMANCE_STATES)}) THEN 'AGREED'
                WHEN {_CLOSED} THEN 'PERFORMED' ELSE state END, committee_id, year, 100000 + n, grid_code, compound_id, team_id,
            CASE WHEN tier <> 'TEAM' THEN squad_id END, CASE WHEN tier = 'CENTRE' THEN centre_id END, source_id
        FROM scale_batch JOIN scale_form USING (form), LATERAL (SELECT
            extract(year FROM registered_at)::int AS year,
            (300 + {_chance("n", 22695, "9000")})::numeric(14, 2) AS amount,
            CASE WHEN n % 20 = 7 THEN 'CENTRE' WHEN n % 10 = 3 THEN 'SQUAD' ELSE 'TEAM' END AS tier,
            CASE turn WHEN 1 THEN 'HOTLINE' WHEN 2 THEN 'PETITION' ELSE 'GOVERNANCE_CENTRE' END AS source,
            CASE turn WHEN 1 THEN $1::uuid WHEN 2 THEN $2::uuid WHEN 4 THEN $3::uuid END AS source_id
            FROM (SELECT n % CASE WHEN n < 10000 THEN 60 ELSE 1000 END AS turn) AS turns
        ) AS derived""",
    f"""INSERT INTO party (id, dispute_id, side, kind, is_natural_person, name, phone, address, consent, consent_on)
        SELECT {_id("applicant", "n")}, id, 'APPLICANT', 'OWNER', true,
            substr($1, 1 + {_chance("n", 48271, "length($1)")}, 1) || ($2::text[])[1 + {_chance("n", 69621, "array_length($2::text[], 1)")}],
            '1380000' || lpad((n % 10000)::text, 4, '0'),
            '冠县' || town_name || compound_name || n % 20 + 1 || '号楼' || n % 4 + 1 || '单元' || n % 17 + 1 || '01室',
            'CONSENTED', registered_at::date + 1
        FROM scale_batch""",
    f"""INSERT INTO party (id, dispute_id, side, kind, is_natural_person, name, phone, credit_code, consent, consent_on, company_id)
        SELECT {_id("respondent", "n")}, batch.id, 'RESPONDENT', 'COMPANY', false, company.name, company.phone, company.credit_code,
            'CONSENTED', registered_at::date + 1, company.id
        FROM scale_batch AS batch JOIN compound ON compound.id = batch.compound_id JOIN company ON company.id = compound.company_id""",
    f"""INSERT INTO assignment (id, dispute_id, dispute_registered_at, person_id, is_lead, mode, assigned_at)
        SELECT {_id("assignment", "n")}, id, registered_at, mediator_id, true, 'APPOINTED', registered_at + interval '4 hours'
        FROM scale_batch""",
    # One session of each that is under mediation, and of one in ten of the others.
    f"""INSERT INTO session (id, dispute_id, held_at, place, is_joint, result, record)
        SELECT {_id("session", "n")}, id, registered_at + interval '1 day', town_name || '调解室', false,
            CASE WHEN state = 'MEDIATING' THEN 'TO_CONTINUE' ELSE 'AGREED' END, '双方陈述了意见，调解员释明了有关规定。'
        FROM scale_batch WHERE state = 'MEDIATING' OR {_AGREED} AND n % 10 = 0""",
    # Oral agreements: they need no signatures, which would be four rows more for each.
    f"""INSERT INTO agreement (id, dispute_id, form, scope, state, content, agreed_on, effective_on, confirm_by_on)
        SELECT {_id("agreement", "n")}, id, 'ORAL', 'FULL', 'EFFECTIVE', term, {_DAY}, {_DAY}, {_DAY} + 30
        FROM scale_batch JOIN scale_form USING (form) WHERE {_AGREED}""",
    f"""INSERT INTO obligation (id, dispute_id, agreement_id, party_id, kind, content, amount, due_on, state, performed_on)
        SELECT {_id("obligation", "n")}, id, {_id("agreement", "n")}, {_id("respondent", "n")}, 'OTHER', term,
            NULL, {_DAY} + 10, CASE WHEN {_RESOLVED} THEN 'PERFORMED' ELSE 'PENDING' END, CASE WHEN {_RESOLVED} THEN {_DAY} + 8 END
        FROM scale_batch JOIN scale_form USING (form) WHERE {_AGREED}""",
    f"""INSERT INTO performance (id, dispute_id, obligation_id, kind, occurred_on, recorded_at, evidence)
        SELECT {_id("performance", "n")}, id, {_id("obligation", "n")}, 'PERFORM', {_DAY} + 8, concluded_at + interval '8 days', '确认单第' || n || '号'
        FROM scale_batch WHERE {_RESOLVED}""",
    f"""INSERT INTO follow_up (id, dispute_id, visitor_id, due_on, done_at, method, result, satisfaction, remark)
        SELECT {_id("follow_up", "n")}, id, mediator_id, {_DAY} + 20, done.*
        FROM scale_batch LEFT JOIN LATERAL (SELECT {_DAY} + 15, 'PHONE', 'NORMAL', (3 + n % 3)::int, '双方表示已履行。') AS done ON {_CLOSED}
        WHERE {_RESOLVED}""",
    f"""INSERT INTO referral (id, dispute_id, dispute_registered_at, organization_id, from_organization_id, kind, state, sent_at, reason)
        SELECT {_id("referral", "n")}, id, registered_at, organization_id, committee_id, kind, CASE WHEN {_OPEN} THEN 'SENT' ELSE 'DONE' END,
            registered_at + interval '1 day', '邀请联动处理'
        FROM scale_batch, LATERAL (SELECT
            CASE turn WHEN 11 THEN 'POLICE_STATION' WHEN 12 THEN 'COURT' WHEN 13 THEN 'HOUSING_DEPARTMENT' END AS receiver,
            CASE turn WHEN 13 THEN 'TRANSFER' ELSE 'INVITATION' END AS kind
            -- Denser among the first, so that every agency has more than a page of them at any scale.
            FROM (SELECT n % CASE WHEN n < 10000 THEN 20 ELSE 1000 END AS turn) AS turns
        ) AS sent, LATERAL (
            SELECT id AS organization_id FROM organization WHERE organization.kind = receiver
            ORDER BY area_code = town_code DESC, id LIMIT 1
        ) AS found""",
)  # fmt: skip

_TEMPORARY = (
    """CREATE TEMP TABLE scale_place (block int PRIMARY KEY, synthetic boolean, grid int, invented int, compound_id uuid, compound_name text,
        grid_code text, team_id uuid, mediator_id uuid, town_code text, town_name text, committee_id uuid, short_name text, centre_id uuid,
        squad_id uuid) ON COMMIT DROP""",
    """CREATE TEMP TABLE scale_form (form int PRIMARY KEY, title text, category text, sub_category text, summary text, term text)
        ON COMMIT DROP""",
    """CREATE TEMP TABLE scale_batch (n bigint, id uuid, LIKE scale_place, registered_at timestamptz, concluded_at timestamptz, form int,
        state text) ON COMMIT DROP""",
)
_LOADED = (
    "dispute", "party", "assignment", "session", "agreement", "obligation", "performance", "follow_up", "referral",
)  # fmt: skip
_PLACE_TABLES = ("area", "compound", "person", "mediator", "appointment", "team", "team_member")
_SECONDARY_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index WHERE indrelid = ANY ($1::text[]::regclass[]) AND NOT indisunique ORDER BY 1
"""


class NoCounty(Exception):
    """There is no county to fill: it takes towns, committees and compounds."""


async def extend(connection: Connection, count: int, progress: Progress = lambda done, total: None) -> int:
    """Add synthetic disputes until there are `count` of them; returns how many were added.

    One transaction, so that nothing is left half done; the tables are locked meanwhile. The user must own the tables; a
    superuser is faster, for the foreign keys are then left unchecked. `progress` is called with the number done and the total.
    Raises NoCounty.
    """
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({AdvisoryLock.SCALE})")
        await connection.execute(
            f"SET LOCAL timezone = '{COUNTY_ZONE}'; SET LOCAL statement_timeout = 0; SET LOCAL maintenance_work_mem = '512MB'"
        )
        lowest, highest = identifier("dispute", 0), identifier("dispute", 2**48 - 1)
        present = int(
            await connection.fetchval("SELECT count(*) FROM dispute WHERE id BETWEEN $1 AND $2", lowest, highest)
        )
        if present >= count:
            return 0
        replica = await _disable_triggers(connection)
        compounds = await _prepare(connection, count)
        others = await connection.fetchval("SELECT count(*) FROM dispute")
        # Building an index once is cheaper than feeding it row by row, unless most of its rows are there already.
        indexes = await connection.fetch(_SECONDARY_INDEXES, list(_LOADED)) if count - present > others // 2 else []
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['name']}")
        await _fill(connection, present, count, compounds, progress)
        for index in indexes:
            await connection.execute(index["definition"])
        if not replica:
            for table in (*_LOADED, *_PLACE_TABLES):
                await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        # SECURITY: the triggers that do it were disabled, and there are new people, posts and teams.
        await connection.execute("UPDATE access_epoch SET epoch = epoch + 1")
        await connection.execute("ANALYZE; SELECT tally_rebuild()")
    await connection.execute("ANALYZE")
    return count - present


async def _disable_triggers(connection: Connection) -> bool:
    """Disable the triggers, which check or write nothing that does not hold by construction. Whether for this session alone."""
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
        return True
    except asyncpg.InsufficientPrivilegeError:
        for table in (*_LOADED, *_PLACE_TABLES):
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        return False


async def _prepare(connection: Connection, count: int) -> int:
    """Fill the temporary tables and write the places and people; returns the number of compounds that were there before."""
    for statement in _TEMPORARY:
        await connection.execute(statement)
    forms = [
        (
            matter.category,
            code,
            title,
            "业主反映" + title.removesuffix("纠纷") + "，多次沟通未果。",
            matter.terms[-1].text.format(amount="若干"),
        )
        for code, matter in MATTERS.items()
        if (matter.applicant, matter.respondent) == ("OWNER", "COMPANY")
        for title in matter.titles
    ]
    await connection.executemany(
        "INSERT INTO scale_form (form, category, sub_category, title, summary, term) VALUES ($1, $2, $3, $4, $5, $6)",
        [(number, *form) for number, form in enumerate(forms, 1)],
    )
    await connection.execute(_PLACES, count)
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM scale_place WHERE synthetic)"):
        raise NoCounty("no towns with committees and compounds")
    for statement in _PLACES_AND_PEOPLE:
        await connection.execute(statement)
    return int(await connection.fetchval("SELECT count(*) FROM scale_place WHERE NOT synthetic"))


async def _fill(connection: Connection, present: int, count: int, compounds: int, progress: Progress) -> None:
    forms = await connection.fetchval("SELECT count(*)::int FROM scale_form")
    agencies = [
        await connection.fetchval(
            "SELECT id FROM organization WHERE kind = $1 ORDER BY area_code = $2 DESC, id LIMIT 1", kind, CHONGWEN
        )
        for kind in ("HOTLINE_OFFICE", "PETITION_OFFICE", "GOVERNANCE_CENTRE")
    ]
    arguments: dict[int, list[Any]] = {0: agencies, 1: [deterministic.SURNAMES, deterministic.GIVEN_NAMES]}
    for begin in range(present + 1, count + 1, BATCH):
        end = min(begin + BATCH - 1, count)
        await connection.execute("TRUNCATE scale_batch")
        await connection.execute(_BATCH, begin, end, compounds, forms)
        for number, statement in enumerate(_TABLES):
            await connection.execute(statement, *arguments.get(number, []))
        progress(end - present, count - present)
