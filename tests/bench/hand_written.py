# ruff: noqa: E501 - the statements are the subject of this module; broken into short lines nobody could read them
"""The bare route: one hand-written statement a workload and role that builds the JSON, asyncpg, the bytes sent on as they are.

The floor under every Python service: no GraphQL, no policy, no authentication (the caller is a trusted header). `pgbench` runs
the same statements.
"""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.calendar import TODAY_SQL
from db.postgres.address import Address
from tests.bench import hand_written_commands
from tests.bench.access import ACCESS, FIRST, RoleAccess
from tests.bench.python_server import caller_of, serve

POOL = 8

_PERSON = "(SELECT row_to_json(x) FROM (SELECT w.name FROM person w WHERE w.id = a.person_id) x)"
_LEAD = '(SELECT row_to_json(x) FROM (SELECT w.name FROM assignment a JOIN person w ON w.id = a.person_id WHERE a.dispute_id = d.id AND a.is_lead AND a.ended_at IS NULL) x) AS "leadMediator"'


def _list(name: str, columns: str, rest: str, order: str, granted: bool = True) -> str:
    if not granted:
        return f"'[]'::json AS \"{name}\""
    return f"(SELECT coalesce(json_agg(x), '[]') FROM (SELECT {columns} FROM {rest} ORDER BY {order}) x) AS \"{name}\""


def _compound(columns: str) -> str:
    return f"(SELECT row_to_json(x) FROM (SELECT {columns} FROM compound c WHERE c.id = d.compound_id) x) AS compound"


def _parties(reach: RoleAccess, columns: str) -> str:
    expressions = {
        "id": "'Party:' || p.id AS id", "side": "p.side", "kind": "p.kind", "name": f"{reach.name} AS name", "phone": f"{reach.phone} AS phone",
        "address": f"{reach.address} AS address", "consent": "p.consent", "consentOn": 'p.consent_on AS "consentOn"',
        "company": "(SELECT row_to_json(y) FROM (SELECT o.name FROM company o WHERE o.id = p.company_id) y) AS company",
    }  # fmt: skip
    chosen = ", ".join(expressions[name] for name in columns.split())
    return _list("parties", chosen, f"party p WHERE p.dispute_id = d.id AND {reach.party}", "p.side, p.id")


def _assignments(reach: RoleAccess) -> str:
    columns = f'a.is_lead AS "isLead", a.mode, a.assigned_at AS "assignedAt", {_PERSON} AS mediator'
    return _list(
        "assignments",
        columns,
        "assignment a WHERE a.dispute_id = d.id",
        "a.assigned_at, a.id",
        "assignment" in reach.parts,
    )


def page_statement(reach: RoleAccess) -> str:
    """Q1. $1 claim, $2 and $3 the cursor, $4 how many and one more."""
    return f"""
WITH keys AS MATERIALIZED ({reach.keys})
SELECT convert_to('{{"data":{{"disputes":{{"pageInfo":' || (
    SELECT row_to_json(i) FROM (SELECT count(*) >= $4 AS "hasNextPage",
        (array_agg(translate(encode(convert_to(json_build_array(registered_at, id)::text, 'UTF8'), 'base64'), E'\\n', '') ORDER BY registered_at DESC, id DESC))[least(count(*), $4 - 1)] AS "endCursor" FROM keys) i
)::text || ',"nodes":' || (
    SELECT coalesce(json_agg(n), '[]') FROM (
        SELECT 'Dispute:' || d.id AS id, d.case_number AS "caseNumber", d.title, d.category, d.sub_category AS "subCategory", d.source, d.state, d.tier,
            d.registered_at AS "registeredAt", d.accepted_at AS "acceptedAt", d.due_on AS "dueOn", d.concluded_at AS "concludedAt", d.version,
            {_compound("c.name")}, {_LEAD}, {_parties(reach, "id side kind name phone")}, {_assignments(reach)}
        FROM (SELECT id AS key FROM keys ORDER BY registered_at DESC, id DESC LIMIT $4 - 1) k JOIN dispute d ON d.id = k.key
        ORDER BY d.registered_at DESC, d.id DESC
    ) n
)::text || '}}}}}}', 'UTF8')"""


def dispute_statement(reach: RoleAccess) -> str:
    """Q2. $1 claim, $2 the dispute."""
    obligations = _list(
        "obligations",
        'o.kind, o.content, o.amount::text AS amount, o.due_on AS "dueOn", o.state, o.performed_on AS "performedOn"',
        "obligation o WHERE o.agreement_id = g.id",
        "o.due_on, o.id",
    )
    return f"""
SELECT convert_to('{{"data":{{"dispute":' || row_to_json(n)::text || '}}}}', 'UTF8') FROM (
    SELECT 'Dispute:' || d.id AS id, d.case_number AS "caseNumber", d.title, d.category, d.sub_category AS "subCategory", d.source, d.state, d.tier,
        d.risk_level AS "riskLevel", d.amount_claimed::text AS "amountClaimed", d.people_count AS "peopleCount", d.summary, d.public_summary AS "publicSummary",
        d.occurred_on AS "occurredOn", d.registered_at AS "registeredAt", d.accepted_at AS "acceptedAt", d.due_on AS "dueOn",
        d.concluded_at AS "concludedAt", d.closed_at AS "closedAt", d.outcome, d.version,
        {_compound("c.name, c.address")}, {_LEAD},
        {_parties(reach, "id side kind name phone address consent consentOn company")}, {_assignments(reach)},
        {_list("sessions", 's.held_at AS "heldAt", s.place, s.is_joint AS "isJoint", s.result, s.record', "session s WHERE s.dispute_id = d.id", "s.held_at, s.id")},
        {_list("agreements", f'g.form, g.scope, g.state, g.content, g.agreed_on AS "agreedOn", g.effective_on AS "effectiveOn", {obligations}', "agreement g WHERE g.dispute_id = d.id", "g.agreed_on, g.id")},
        {_list("followUps", 'f.due_on AS "dueOn", f.done_at AS "doneAt", f.method, f.result, f.satisfaction, f.remark', "follow_up f WHERE f.dispute_id = d.id", "f.due_on, f.id")},
        {_list("referrals", 'r.kind, r.state, r.sent_at AS "sentAt", r.reason, (SELECT row_to_json(y) FROM (SELECT z.name FROM organization z WHERE z.id = r.organization_id) y) AS organization', "referral r WHERE r.dispute_id = d.id", "r.sent_at, r.id")}
    FROM dispute d WHERE d.id = $2 AND {reach.visible}
) n"""


def filtered_statement(reach: RoleAccess) -> str:
    """Q3. $1 claim, $2 states, $3 sub-categories."""
    condition = f"{reach.visible} AND d.state = ANY ($2::text[]) AND d.sub_category = ANY ($3::text[])"
    return f"""
WITH page AS MATERIALIZED (
    SELECT d.id, d.registered_at FROM dispute d WHERE {condition} ORDER BY d.registered_at DESC, d.id DESC LIMIT 21
)
SELECT convert_to('{{"data":{{"disputes":{{"totalCount":' || (SELECT count(*) FROM dispute d WHERE {condition}) || ',"pageInfo":{{"hasNextPage":'
    || (SELECT count(*) > 20 FROM page) || '}},"nodes":' || (
    SELECT coalesce(json_agg(n), '[]') FROM (
        SELECT 'Dispute:' || d.id AS id, d.case_number AS "caseNumber", d.title, d.state, d.registered_at AS "registeredAt", d.concluded_at AS "concludedAt",
            {_compound("c.name")}, {_parties(reach, "side name phone")}
        FROM (SELECT id AS key FROM page ORDER BY registered_at DESC, id DESC LIMIT 20) k JOIN dispute d ON d.id = k.key
        ORDER BY d.registered_at DESC, d.id DESC
    ) n
)::text || '}}}}}}', 'UTF8')"""


def statistics_statement(reach: RoleAccess) -> str:
    """Q4. $1 claim."""

    def shown(column: str) -> str:
        return column if reach.exact else f"CASE WHEN {column} BETWEEN 1 AND 4 THEN NULL ELSE {column} END"

    columns = ", ".join(f"{shown(name)} AS {name}" for name in ("registered", "accepted", "concluded", "resolved"))
    return f"""
WITH counted AS MATERIALIZED (
    SELECT d.town_code, d.state, count(*) AS registered, count(d.accepted_at) AS accepted,
        count(*) FILTER (WHERE d.concluded_at IS NOT NULL AND d.accepted_at IS NOT NULL) AS concluded,
        count(*) FILTER (WHERE d.concluded_at IS NOT NULL AND d.accepted_at IS NOT NULL AND d.state IN ('PERFORMED', 'CLOSED', 'ARCHIVED')) AS resolved
    FROM dispute d WHERE {reach.visible} GROUP BY d.town_code, d.state
), towns AS (
    SELECT town_code AS key, sum(registered)::int AS registered, sum(accepted)::int AS accepted, sum(concluded)::int AS concluded, sum(resolved)::int AS resolved
    FROM counted GROUP BY town_code
), states AS (
    SELECT state AS key, sum(registered)::int AS registered, sum(accepted)::int AS accepted, sum(concluded)::int AS concluded, sum(resolved)::int AS resolved
    FROM counted GROUP BY state
)
SELECT convert_to('{{"data":{{"byTown":{{"groups":' || (
    SELECT coalesce(json_agg(n), '[]') FROM (SELECT key, (SELECT name FROM area WHERE code = key) AS label, {columns} FROM towns ORDER BY key) n
)::text || '}},"byState":{{"groups":' || (SELECT coalesce(json_agg(n), '[]') FROM (SELECT key, {columns} FROM states ORDER BY key) n)::text || '}}}}}}', 'UTF8')"""


def worklist_statement(reach: RoleAccess) -> str:
    """Q5. $1 claim."""
    return f"""
SELECT convert_to('{{"data":{{"disputes":{{"nodes":' || (
    SELECT coalesce(json_agg(n), '[]') FROM (
        SELECT 'Dispute:' || d.id AS id, d.case_number AS "caseNumber", d.title, d.state, d.due_on AS "dueOn",
            coalesce(d.due_on < {TODAY_SQL} AND d.state IN ('ACCEPTED', 'MEDIATING'), false) AS overdue,
            {_compound("c.name")}, {_LEAD}, {_parties(reach, "side name phone")}
        FROM dispute d WHERE {reach.visible} AND d.state IN ('ACCEPTED', 'MEDIATING', 'PERFORMING', 'PERFORMED')
        ORDER BY d.registered_at DESC, d.id DESC LIMIT 50
    ) n
)::text || '}},"followUps":{{"nodes":' || (
    SELECT coalesce(json_agg(n), '[]') FROM (
        SELECT 'FollowUp:' || f.id AS id, f.due_on AS "dueOn", true AS overdue, (SELECT row_to_json(x) FROM (SELECT d.case_number AS "caseNumber", d.title) x) AS dispute
        FROM follow_up f JOIN dispute d ON d.id = f.dispute_id
        WHERE {reach.visible} AND f.done_at IS NULL AND f.due_on < {TODAY_SQL} ORDER BY f.due_on, f.id LIMIT 20
    ) n
)::text || '}}}}}}', 'UTF8')"""


_STATEMENTS = {
    "Q1": page_statement,
    "Q2": dispute_statement,
    "Q3": filtered_statement,
    "Q4": statistics_statement,
    "Q5": worklist_statement,
}


@cache
def statement(workload: str, role: str) -> str:
    """The statement of a workload as a role; the claim's type is said once, so that every driver agrees."""
    reach = ACCESS[role]
    text = _STATEMENTS[workload](reach).replace("$1", f"$1::{reach.kind}")
    return (
        text.replace("($2, $3)", "($2::timestamptz, $3::uuid)").replace("$4", "$4::int") if workload == "Q1" else text
    )


def arguments(workload: str, variables: dict[str, Any]) -> tuple[Any, ...]:
    """What the statement takes after the claim."""
    if workload == "Q1":
        instant, key = (variables["after"] or FIRST)[:2]
        when = dt.datetime.max.replace(tzinfo=dt.UTC) if instant == "infinity" else dt.datetime.fromisoformat(instant)
        return when, UUID(key), variables["first"] + 1
    if workload == "Q2":
        return (UUID(variables["id"].removeprefix("Dispute:")),)
    return (variables["state"], variables["subCategory"]) if workload == "Q3" else ()


def application(address: Address) -> Starlette:
    """One route for each workload: POST its variables."""

    async def prepare(connection: Any) -> None:
        await connection.execute("SET timezone TO 'UTC'; SET plan_cache_mode TO force_generic_plan")

    async def keep(_: Any) -> None:
        pass

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            **address.connect_arguments(),
            min_size=POOL,
            max_size=POOL,
            init=prepare,
            reset=keep,
            max_cacheable_statement_size=0,
        ) as app.state.pool:
            yield

    async def answer(request: Request) -> Response:
        workload = request.path_params["workload"]
        role, claim = caller_of(request.headers["x-caller"])
        variables = orjson.loads(await request.body())
        body = await request.app.state.pool.fetchval(statement(workload, role), claim, *arguments(workload, variables))
        return Response(body or b'{"data":{"dispute":null}}', media_type="application/json")

    async def write(request: Request) -> Response:
        _, person = caller_of(request.headers["x-caller"])
        values = orjson.loads(await request.body())
        payload = await hand_written_commands.execute(
            request.app.state.pool, person, request.path_params["kind"], values
        )
        return Response(orjson.dumps({"data": {"done": payload}}), media_type="application/json")

    routes = [Route("/write/{kind}", write, methods=["POST"]), Route("/{workload}", answer, methods=["POST"])]
    return Starlette(routes=routes, lifespan=lifespan)


if __name__ == "__main__":
    serve(application)
