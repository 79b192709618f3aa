# ruff: noqa: E501 - one statement makes the whole stock; broken into short lines nobody could read it
"""The writing workloads: what is written, the stock of open disputes that it is written to, and that all leave the same rows.

Every command is executed once: keys never come again, and what the last round has done to the stock is undone before the next.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from typing import Any

import asyncpg

from db.postgres.address import Address
from tests.bench import process_usage, wrk
from tests.bench.comparison import Different, canonical, compare
from tests.bench.contestant import Request, Running
from tests.bench.contestants import WRITERS
from tests.bench.county import Caller
from tests.bench.rounds import LoadMeter, Measure, Unequal

STOCK_YEAR = 1900  # marks the disputes of the stock
EACH = 80  # disputes under mediation and as many performed ones of each mediator
HAPPENED = "2024-06-03T09:00:00+08:00"
_REGISTRATIONS = 4000  # of W1 in a file; each gets a number of its own besides

# One template a mediator and state: a dispute of the mediator in that state, else any that is, with the mediator in the lead.
_STOCK = f"""
WITH made AS (
    INSERT INTO dispute (id, case_number, title, category, sub_category, source, state, tier, risk_level, people_count, summary, registered_at,
        accepted_at, notified_at, due_on, concluded_at, committee_id, case_year, case_sequence, grid_code, compound_id, team_id)
    SELECT gen_random_uuid(), '基准第' || number || '号', d.title, d.category, d.sub_category, d.source, d.state, 'TEAM', d.risk_level, d.people_count,
        d.summary, timestamptz '2012-06-01 09:00+08', timestamptz '2012-06-01 10:00+08', timestamptz '2012-06-01 11:00+08', '2012-07-01',
        CASE d.state WHEN 'PERFORMED' THEN timestamptz '2012-06-20 09:00+08' END, d.committee_id, {STOCK_YEAR}, number, d.grid_code, d.compound_id, d.team_id
    FROM (VALUES ('MEDIATING'), ('PERFORMED')) AS wanted (state)
    CROSS JOIN LATERAL (SELECT * FROM dispute WHERE dispute.state = wanted.state AND case_sequence > 100000 ORDER BY id LIMIT 1) AS d
    CROSS JOIN LATERAL (SELECT generate_series(1, $2::int) + CASE wanted.state WHEN 'PERFORMED' THEN $2::int ELSE 0 END AS number) AS numbers
    RETURNING id, registered_at, state, case_sequence
), parties AS (
    INSERT INTO party (dispute_id, side, kind, is_natural_person, name, phone, consent, consent_on)
    SELECT id, side, kind, kind = 'OWNER', name, '13800000000', 'CONSENTED', '2012-06-01'
    FROM made, (VALUES ('APPLICANT', 'OWNER', '示例业主'), ('RESPONDENT', 'COMPANY', '示例物业')) AS one (side, kind, name)
), visits AS (
    INSERT INTO follow_up (dispute_id, due_on) SELECT id, '2012-07-10' FROM made WHERE state = 'PERFORMED'
)
INSERT INTO assignment (dispute_id, dispute_registered_at, person_id, is_lead, mode, assigned_at)
SELECT id, registered_at, ($1::uuid[])[1 + case_sequence % array_length($1::uuid[], 1)], true, 'APPOINTED', registered_at FROM made
"""
_IN_STOCK = f"(SELECT id FROM dispute WHERE case_year = {STOCK_YEAR})"
_RESTORE = f"""
UPDATE follow_up SET done_at = NULL, method = NULL, result = NULL, satisfaction = NULL, remark = NULL, visitor_id = NULL
WHERE done_at IS NOT NULL AND dispute_id IN {_IN_STOCK};
DELETE FROM session WHERE dispute_id IN {_IN_STOCK}
"""
_OPEN = f"""
SELECT d.id, d.version, d.state, a.person_id, f.id AS visit_id
FROM dispute d JOIN assignment a ON a.dispute_id = d.id LEFT JOIN follow_up f ON f.dispute_id = d.id
WHERE d.case_year = {STOCK_YEAR} ORDER BY d.case_sequence
"""
# What a command leaves, without what is new each time.
_LEFT = """
SELECT to_jsonb(d) - 'id' AS dispute,
    (SELECT jsonb_agg(to_jsonb(p) - 'id' - 'dispute_id' ORDER BY p.side) FROM party p WHERE p.dispute_id = d.id) AS parties,
    (SELECT jsonb_agg(to_jsonb(a) - 'id' - 'dispute_id') FROM assignment a WHERE a.dispute_id = d.id) AS assignments,
    (SELECT jsonb_agg(to_jsonb(s) - 'id' - 'dispute_id') FROM session s WHERE s.dispute_id = d.id) AS sessions,
    (SELECT jsonb_agg(to_jsonb(f) - 'id' - 'dispute_id') FROM follow_up f WHERE f.dispute_id = d.id) AS visits,
    (SELECT jsonb_agg(jsonb_build_object('action', e.action, 'resource', e.resource, 'from', e.from_state, 'to', e.to_state, 'fields', e.fields,
        'version', e.dispute_version, 'actor', e.actor_id, 'happened', e.happened_at) ORDER BY e.at DESC) -> 0
     FROM event e WHERE e.dispute_id = d.id) AS event
FROM dispute d WHERE d.id = $1
"""
_PASSING = ("case_number", "case_sequence", "public_grams")


async def stock(address: Address, people: Sequence[Caller]) -> None:
    """Make the stock for the mediators who write, unless it is there: in one county they are always the same."""
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        if not await connection.fetchval(f"SELECT EXISTS {_IN_STOCK}"):
            await connection.execute(_STOCK, [one.claim for one in people], EACH * len(people))
    finally:
        await connection.close()


async def commands(
    address: Address, workload: str, people: Sequence[Caller]
) -> list[tuple[Caller, str, dict[str, Any]]]:
    """Who writes what, in an order that is random and always the same: (caller, kind, input)."""
    connection = await asyncpg.connect(**address.connect_arguments())
    chance = random.Random(workload)
    try:
        if workload != "W1":
            await connection.execute(_RESTORE)
        # The product folds what has changed into its sums, whoever changed it: of the restoring and of the others' rounds it is not charged.
        await connection.execute("SELECT tally_fold()")
        if workload == "W1":
            compounds = [
                str(row["id"]) for row in await connection.fetch("SELECT id FROM compound ORDER BY id LIMIT 500")
            ]
            return [
                (chance.choice(people), "W1", _registration(chance.choice(compounds))) for _ in range(_REGISTRATIONS)
            ]
        by_person = {one.claim: one for one in people}
        rows = await connection.fetch(_OPEN)
        result: list[tuple[Caller, str, dict[str, Any]]] = []
        for row in rows:
            caller = by_person[str(row["person_id"])]
            if row["state"] == "MEDIATING":
                result.append((caller, "record", _session(row)))
            else:
                result.append((caller, "visit", _visit(row)))
        chance.shuffle(result)
        return result
    finally:
        await connection.close()


def _registration(compound: str) -> dict[str, Any]:
    return {
        "title": "电梯停运多日未修", "compoundId": f"Compound:{compound}", "subCategory": "P06", "source": "INITIATIVE", "happenedAt": HAPPENED,
        "summary": "业主反映电梯停运多日，物业未修，多次沟通未果。", "idempotencyKey": "@@",
        "parties": [
            {"side": "APPLICANT", "kind": "OWNER", "name": "示例业主", "phone": "13800000000"},
            {"side": "RESPONDENT", "kind": "COMPANY", "name": "示例物业服务有限公司", "phone": "0635-0000001"},
        ],
    }  # fmt: skip


def _session(row: Any) -> dict[str, Any]:
    return {
        "id": f"Dispute:{row['id']}", "happenedAt": HAPPENED, "place": "街道调解室", "result": "TO_CONTINUE",
        "record": "双方陈述了意见，约定再次调解。", "expectedVersion": row["version"], "idempotencyKey": "@@",
    }  # fmt: skip


def _visit(row: Any) -> dict[str, Any]:
    return {
        "id": f"FollowUp:{row['visit_id']}", "happenedAt": HAPPENED, "method": "PHONE", "result": "NORMAL", "satisfaction": 4,
        "remark": "双方表示已履行。", "expectedVersion": row["version"], "idempotencyKey": "@@",
    }  # fmt: skip


async def check_equal_answers(
    address: Address, workload: str, people: Sequence[Caller], writers: Sequence[Running]
) -> int:
    """That every writer accepts the same command and leaves the same rows; returns how many commands were compared. Raises Unequal."""
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        kinds = ("W1",) if workload == "W1" else ("record", "visit")
        for kind in kinds:
            traces: list[Any] = []
            for number, running in enumerate(writers):
                asked = [
                    one for one in await commands(address, workload, people) if one[1] == kind and one[0] is people[0]
                ]
                caller, _, values = asked[0 if kind == "W1" else number]
                traces.append(await _once(connection, running, caller, kind, values))
            for running, trace in zip(writers[1:], traces[1:], strict=True):
                try:
                    compare(traces[0], trace)
                except Different as different:
                    raise Unequal(
                        f"{workload}: {writers[0].contestant.name}, {running.contestant.name}: {different}"
                    ) from None
        return len(kinds) * len(writers)
    finally:
        await connection.close()


async def _once(connection: Any, running: Running, caller: Caller, kind: str, values: dict[str, Any]) -> Any:
    request = WRITERS[running.contestant.name](caller, kind, values)
    body = request.body.replace(b"@@", f"check-{time.time_ns()}".encode())
    answer = json.loads(running.send(Request(request.path, request.headers, body)))
    if answer.get("errors"):
        raise Unequal(f"{kind}: {running.contestant.name}: {answer['errors'][0]}")
    payload = next(iter(answer["data"].values()))
    if payload["userErrors"] or payload["replayed"]:
        raise Unequal(f"{kind}: {running.contestant.name}: {payload}")
    if kind == "visit":
        visit = payload["followUp"]["id"].removeprefix("FollowUp:")
        key = await connection.fetchval("SELECT dispute_id FROM follow_up WHERE id = $1", visit)
    else:
        key = payload["dispute"]["id"].removeprefix("Dispute:")
        payload["dispute"].pop("id")
    row = await connection.fetchrow(_LEFT, key)
    trace = {name: json.loads(value) if value else value for name, value in row.items()}
    for name in _PASSING if kind != "W1" else ():
        trace["dispute"].pop(name)
    # The versions and the follow-up's own number differ between the disputes of the stock.
    payload.get("followUp", {}).pop("id", None)
    trace["dispute"]["version"] = trace["event"]["version"] - trace["dispute"]["version"]
    trace["event"].pop("version")
    payload.get("dispute", {}).pop("version", None)
    return canonical({"rows": trace, "payload": payload})


async def measure(
    address: Address, workload: str, people: Sequence[Caller], running: Running, load_meter: LoadMeter, seconds: float
) -> Measure:
    """One round of one writer. Raises LoadFailed if a command was not stored."""
    name = f"{running.contestant.name}-{time.time_ns()}"
    path = load_meter.folder / f"{name}.txt"
    asked = [WRITERS[running.contestant.name](*one) for one in await commands(address, workload, people)]
    wrk.write_requests(path, [(one.path, one.headers, one.body) for one in asked])
    server, database = process_usage.cpu_seconds(running.pid), process_usage.cpu_seconds(load_meter.postmaster)
    load = wrk.run(running.port, path, seconds, once=workload != "W1", name=name)
    load_meter.drain(running)
    server, database = (
        process_usage.cpu_seconds(running.pid) - server,
        process_usage.cpu_seconds(load_meter.postmaster) - database,
    )
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        stored = "SELECT count(*) FROM request WHERE starts_with(key, $1) AND receipt IS NOT NULL"
        stored_count = await connection.fetchval(stored, f"{name}-")
    finally:
        await connection.close()
    if load.refused or load.broken or stored_count < load.requests:
        raise wrk.LoadFailed(
            f"{workload}: {running.contestant.name}: {load.requests} answered, {stored_count} stored, {load.refused} refused"
        )
    each = 1000 / load.work
    return Measure(
        running.contestant.name, load.rate, load.p50, load.p90, load.p99, server * each, database * each, load.requests
    )
