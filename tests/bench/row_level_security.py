# ruff: noqa: E501 - the policies are the subject of this module; broken into short lines nobody could read them
"""Row-level security for PostGraphile: a database role for each of the benchmark's roles, policies, masks as computed columns.

The product's own database roles bypass it, so that it costs them nothing. Its statements stand in the benchmark's database alone.
"""

import asyncpg

from db.calendar import TODAY_SQL
from db.postgres.address import Address

PARTS = ("party", "assignment", "session", "agreement", "obligation", "follow_up", "referral")
OPEN_TABLES = ("person", "compound", "company", "organization", "area", "mediator")
_CLAIM = "(SELECT current_setting('bench.claim', true))"
_RECENT = "(d.closed_at IS NULL OR d.closed_at > now() - interval '30 days')"

# A list of ids taken once a statement lets the planner scan the primary key; a sub-select in a policy would be asked for each row.
_DISPUTE = {
    "bureau_admin": f"county_code = {_CLAIM}",
    "mediator": f"id = ANY (ARRAY(SELECT dispute_id FROM bench.assigned WHERE person_id = {_CLAIM}::uuid AND ended_at IS NULL))",
    "grid_worker": f"grid_code = {_CLAIM}",
    "court": f"id = ANY (ARRAY(SELECT dispute_id FROM bench.referred WHERE organization_id = {_CLAIM}::uuid AND state <> 'WITHDRAWN')) OR source_organization_id = {_CLAIM}::uuid",
    "agency_hotline": f"source_organization_id = {_CLAIM}::uuid",
}
_VISIBLE = "EXISTS (SELECT FROM dispute WHERE dispute.id = {0}.dispute_id)"
_OWN = (
    f"EXISTS (SELECT FROM bench.assigned WHERE assigned.dispute_id = {{0}}.dispute_id AND assigned.person_id = {_CLAIM}::uuid"
    " AND assigned.ended_at IS NULL)"
)
_REFERRED = (
    f"EXISTS (SELECT FROM bench.referred WHERE referred.dispute_id = {{0}}.dispute_id AND referred.organization_id = {_CLAIM}::uuid"
    " AND referred.state <> 'WITHDRAWN')"
)
_AT_TEAM = f"EXISTS (SELECT FROM dispute WHERE dispute.id = {{0}}.dispute_id AND dispute.tier = 'TEAM' AND dispute.grid_code = {_CLAIM})"
_PART: dict[str, dict[str, str]] = {
    "bureau_admin": dict.fromkeys(PARTS, _VISIBLE),
    "mediator": dict.fromkeys(PARTS, _OWN),
    "grid_worker": {
        "party": _AT_TEAM,
        "agreement": _AT_TEAM,
        "assignment": _VISIBLE,
        "follow_up": _VISIBLE,
    },
    "court": {
        **dict.fromkeys(("party", "agreement", "obligation"), _REFERRED),
        "referral": f"organization_id = {_CLAIM}::uuid AND state <> 'WITHDRAWN'",
    },
    "agency_hotline": {
        "party": f"supplied_by_id = {_CLAIM}::uuid",
        "follow_up": _VISIBLE,
        "referral": f"organization_id = {_CLAIM}::uuid AND state <> 'WITHDRAWN'",
    },
}


def _shown(column: str, masked: str, grid: str) -> str:
    return f"""
CREATE OR REPLACE FUNCTION party_shown_{column}(p party) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE current_setting('bench.role')
        WHEN 'bureau_admin' THEN {masked}
        WHEN 'grid_worker' THEN (SELECT {grid} FROM dispute d WHERE d.id = p.dispute_id)
        ELSE p.{column} END
$$"""


_MASKED_NAME = "CASE WHEN p.is_natural_person THEN mask_name(p.name) ELSE p.name END"
_COUNTED = ", ".join(
    f"CASE WHEN current_setting('bench.role') <> 'bureau_admin' AND {name} BETWEEN 1 AND 4 THEN NULL ELSE {name}::int END"
    for name in ("registered", "accepted", "concluded", "resolved")
)
_FUNCTIONS = (
    _shown("name", _MASKED_NAME, f"CASE WHEN {_RECENT} THEN p.name ELSE {_MASKED_NAME} END"),
    _shown("phone", "mask_phone(p.phone)", f"CASE WHEN {_RECENT} THEN mask_phone(p.phone) END"),
    _shown(
        "address", "mask_address(p.address)", f"CASE WHEN {_RECENT} THEN p.address ELSE mask_address(p.address) END"
    ),
    """CREATE OR REPLACE FUNCTION dispute_lead(d dispute) RETURNS person LANGUAGE sql STABLE AS $$
    SELECT person.* FROM bench.assigned JOIN person ON person.id = assigned.person_id
    WHERE assigned.dispute_id = d.id AND assigned.is_lead AND assigned.ended_at IS NULL
$$""",
    """CREATE OR REPLACE FUNCTION assignment_person(a assignment) RETURNS person LANGUAGE sql STABLE AS $$
    SELECT * FROM person WHERE id = a.person_id
$$""",
    f"""CREATE OR REPLACE FUNCTION dispute_overdue(d dispute) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(d.due_on < {TODAY_SQL} AND d.state IN ('ACCEPTED', 'MEDIATING'), false)
$$""",
    f"""CREATE OR REPLACE FUNCTION follow_up_overdue(f follow_up) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT f.done_at IS NULL AND f.due_on < {TODAY_SQL}
$$""",
    """CREATE OR REPLACE FUNCTION open_disputes() RETURNS SETOF dispute LANGUAGE sql STABLE AS $$
    SELECT * FROM dispute WHERE state IN ('ACCEPTED', 'MEDIATING', 'PERFORMING', 'PERFORMED') ORDER BY registered_at DESC, id DESC
$$""",
    f"""CREATE OR REPLACE FUNCTION overdue_visits() RETURNS SETOF follow_up LANGUAGE sql STABLE AS $$
    SELECT * FROM follow_up WHERE done_at IS NULL AND due_on < {TODAY_SQL} ORDER BY due_on, id
$$""",
    f"""CREATE OR REPLACE FUNCTION figures_by_town() RETURNS TABLE (key text, label text, registered int, accepted int, concluded int, resolved int) LANGUAGE sql STABLE AS $$
    SELECT town_code, (SELECT name FROM area WHERE code = town_code), {_COUNTED} FROM (
        SELECT town_code, count(*) AS registered, count(accepted_at) AS accepted,
            count(*) FILTER (WHERE concluded_at IS NOT NULL AND accepted_at IS NOT NULL) AS concluded,
            count(*) FILTER (WHERE concluded_at IS NOT NULL AND accepted_at IS NOT NULL AND state IN ('PERFORMED', 'CLOSED', 'ARCHIVED')) AS resolved
        FROM dispute GROUP BY town_code) AS counted ORDER BY town_code
$$""",
    f"""CREATE OR REPLACE FUNCTION figures_by_state() RETURNS TABLE (key text, registered int, accepted int, concluded int, resolved int) LANGUAGE sql STABLE AS $$
    SELECT state, {_COUNTED} FROM (
        SELECT state, count(*) AS registered, count(accepted_at) AS accepted,
            count(*) FILTER (WHERE concluded_at IS NOT NULL AND accepted_at IS NOT NULL) AS concluded,
            count(*) FILTER (WHERE concluded_at IS NOT NULL AND accepted_at IS NOT NULL AND state IN ('PERFORMED', 'CLOSED', 'ARCHIVED')) AS resolved
        FROM dispute GROUP BY state) AS counted ORDER BY state
$$""",
)

_PRODUCT_ROLES = (
    "SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'sanlian') AND NOT rolsuper AND NOT rolbypassrls"
)


async def install_policies(address: Address) -> None:
    """Bring roles, policies and functions into the database; safe to repeat."""
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        async with connection.transaction():
            for row in await connection.fetch(_PRODUCT_ROLES):
                await connection.execute(f"ALTER ROLE {row['rolname']} BYPASSRLS")
            await connection.execute(
                "CREATE SCHEMA IF NOT EXISTS bench;"
                # Views have the rights of their owner: the policies may look into what they themselves guard.
                " CREATE OR REPLACE VIEW bench.assigned AS SELECT dispute_id, person_id, is_lead, ended_at FROM assignment;"
                " CREATE OR REPLACE VIEW bench.referred AS SELECT dispute_id, organization_id, state FROM referral"
            )
            for role, condition in _DISPUTE.items():
                await _role(connection, role, condition)
            for function in _FUNCTIONS:
                await connection.execute(function)
    finally:
        await connection.close()


async def _role(connection: "asyncpg.Connection[asyncpg.Record]", role: str, condition: str) -> None:
    name = f"bench_{role}"
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", name):
        await connection.execute(f"CREATE ROLE {name} NOLOGIN")
    tables = ", ".join(("dispute", *PARTS, *OPEN_TABLES, "bench.assigned", "bench.referred"))
    await connection.execute(f"GRANT USAGE ON SCHEMA public, bench TO {name}; GRANT SELECT ON {tables} TO {name}")
    for table in ("dispute", *PARTS):
        await connection.execute(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS {name} ON {table}"
        )
        allowed = condition if table == "dispute" else _PART[role].get(table)
        if allowed is not None:
            await connection.execute(
                f"CREATE POLICY {name} ON {table} FOR SELECT TO {name} USING ({allowed.format(table)})"
            )
