# ruff: noqa: E501 - the statements are the subject of this module; broken into short lines nobody could read them
"""The hand-written handler of the writing workloads: asyncpg, one transaction, the same checks as the product's commands.

Access under a lock, state, guards, expected version, idempotency key, event, receipt.
"""

import datetime as dt
import hashlib
import json
import re
from typing import Any
from uuid import UUID, uuid4

_PHONE = re.compile(r"1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}")
_COUNTY_TIME = dt.timezone(dt.timedelta(hours=8))

_REPLAY = (
    "INSERT INTO request (person_id, key, command, digest) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id"
)
_RECEIPT = "UPDATE request SET receipt = $3 WHERE person_id = $1 AND key = $2"
_EVENT = """
INSERT INTO event (dispute_id, actor_id, at, happened_at, action, resource, resource_id, from_state, to_state, dispute_version, fields, policy_version, request_id, changes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
_COMPOUND = "SELECT c.id, c.grid_code, (SELECT id FROM team WHERE team.grid_code = c.grid_code AND team.state = 'ACTIVE' LIMIT 1) AS team_id FROM compound c WHERE c.id = $1"
_DISPUTE = """
INSERT INTO dispute (id, title, category, sub_category, source, state, tier, risk_level, people_count, summary, registered_at, grid_code, compound_id, team_id)
VALUES ($1, $2, 'PROPERTY', $3, $4, 'REGISTERED', 'TEAM', 'LOW', 1, $5, $6, $7, $8, $9)
"""
_PARTY = """
INSERT INTO party (id, dispute_id, side, kind, name, is_natural_person, phone, credit_code, company_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (SELECT id FROM company WHERE $4 = 'COMPANY' AND (company.credit_code = $8 OR $8 IS NULL AND company.name = $5)))
"""
_LEAD = """
INSERT INTO assignment (dispute_id, dispute_registered_at, person_id, is_lead, mode, assigned_at)
SELECT $1, $2, person_id, true, 'APPOINTED', $2 FROM mediator WHERE person_id = $3 RETURNING id
"""
_TAKE = """
SELECT d.id, d.state, d.version, d.notified_at, EXISTS (SELECT FROM party p WHERE p.dispute_id = d.id AND p.consent = 'REFUSED' AND p.side IN ('APPLICANT', 'RESPONDENT') AND p.withdrawn_on IS NULL) AS refused,
    (SELECT max(p.consent_on) FROM party p WHERE p.dispute_id = d.id AND p.side IN ('APPLICANT', 'RESPONDENT')) AS consented_on
FROM dispute d WHERE d.id = $1 AND EXISTS (SELECT FROM assignment a WHERE a.dispute_id = d.id AND a.person_id = $2 AND a.ended_at IS NULL)
FOR UPDATE OF d
"""
_SESSION = "INSERT INTO session (dispute_id, held_at, place, is_joint, result, record) VALUES ($1, $2, $3, false, $4, $5) RETURNING id"
_VERSION = "UPDATE dispute SET version = version + 1 WHERE id = $1"
_TAKE_VISIT = """
SELECT f.done_at, d.id, d.state, d.version, d.concluded_at
FROM follow_up f JOIN dispute d ON d.id = f.dispute_id
WHERE f.id = $1 AND EXISTS (SELECT FROM assignment a WHERE a.dispute_id = d.id AND a.person_id = $2 AND a.ended_at IS NULL)
FOR UPDATE OF f, d
"""
_VISIT = "UPDATE follow_up SET visitor_id = $2, done_at = $3, method = $4, result = $5, satisfaction = $6, remark = $7 WHERE id = $1"
_LIMIT = "SELECT parameters FROM alert_rule WHERE rule = 'DISSATISFIED'"


class UserError(Exception):
    """The request is refused, with a code."""


async def execute(pool: Any, person: UUID, kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """Execute a command once; a user error is answered with its code, and nothing is stored."""
    command, work = {
        "W1": ("dispute.register", _register),
        "record": ("dispute.record", _record),
        "visit": ("followUp.complete", _complete),
    }[kind]
    try:
        async with pool.acquire() as connection, connection.transaction():
            key = values["idempotencyKey"]
            digest = hashlib.sha256(json.dumps([command, values], sort_keys=True).encode()).digest()
            if await connection.fetchval(_REPLAY, person, key, command, digest) is None:
                return await _replayed(connection, person, key, digest)
            receipt, shown = await work(connection, person, values)
            await connection.execute(_RECEIPT, person, key, json.dumps(receipt))
    except UserError as error:
        return {"userErrors": [{"code": str(error)}], "replayed": False}
    return {**shown, "userErrors": [], "replayed": False}


async def _replayed(connection: Any, person: UUID, key: str, digest: bytes) -> dict[str, Any]:
    row = await connection.fetchrow(
        "SELECT digest, receipt FROM request WHERE person_id = $1 AND key = $2", person, key
    )
    if row["digest"] != digest:
        raise UserError("CONFLICT")
    return {**json.loads(row["receipt"]), "userErrors": [], "replayed": True}


def _happened(text: str, after: dt.datetime | None) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment > dt.datetime.now(dt.UTC) or (after is not None and moment < after):
        raise UserError("WRONG_TIME")
    return moment


def _checked_text(text: str, longest: int) -> str:
    if not text.strip() or len(text) > longest:
        raise UserError("BAD_TEXT")
    return text.strip()


async def _event(
    connection: Any,
    dispute: UUID,
    person: UUID,
    happened: dt.datetime,
    action: str,
    resource: tuple[str, UUID],
    states: tuple[str | None, str | None],
    version: int,
    fields: str,
    changes: list[Any],
) -> None:
    now = dt.datetime.now(dt.UTC)
    serialized = json.dumps(changes, ensure_ascii=False) if changes else None
    await connection.execute(
        _EVENT, dispute, person, now, happened, action, *resource, *states, version, fields, 1, uuid4().hex, serialized
    )


async def _register(connection: Any, person: UUID, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    happened = _happened(values["happenedAt"], None)
    title, summary = _checked_text(values["title"], 100), _checked_text(values["summary"], 4000)
    for party in values["parties"]:
        _checked_text(party["name"], 60)
        if party.get("phone") and not _PHONE.fullmatch(party["phone"]):
            raise UserError("BAD_PHONE")
    compound = await connection.fetchrow(_COMPOUND, UUID(values["compoundId"].removeprefix("Compound:")))
    if compound is None:
        raise UserError("NOT_FOUND")
    key = uuid4()
    await connection.execute(
        _DISPUTE,
        key,
        title,
        values["subCategory"],
        values["source"],
        summary,
        happened,
        compound["grid_code"],
        compound["id"],
        compound["team_id"],
    )
    await connection.executemany(
        _PARTY,
        [
            (
                uuid4(),
                key,
                one["side"],
                one["kind"],
                one["name"].strip(),
                one["kind"] == "OWNER",
                one.get("phone"),
                one.get("creditCode"),
            )
            for one in values["parties"]
        ],
    )
    if await connection.fetchval(_LEAD, key, happened, person) is None:
        raise UserError("FORBIDDEN")
    await _event(
        connection,
        key,
        person,
        happened,
        "dispute.register",
        ("Dispute", key),
        (None, "REGISTERED"),
        1,
        "title sub_category summary",
        [],
    )
    return {"kind": "Dispute", "id": str(key)}, {
        "dispute": {"id": f"Dispute:{key}", "state": "REGISTERED", "version": 1}
    }


async def _record(connection: Any, person: UUID, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    key = UUID(values["id"].removeprefix("Dispute:"))
    row = await connection.fetchrow(_TAKE, key, person)
    if row is None:
        raise UserError("NOT_FOUND")
    if row["state"] != "MEDIATING" or row["notified_at"] is None or row["refused"]:
        raise UserError("WRONG_STATE")
    if row["version"] != values["expectedVersion"]:
        raise UserError("CONFLICT")
    earliest = row["notified_at"]
    if row["consented_on"] is not None:
        earliest = max(earliest, dt.datetime.combine(row["consented_on"], dt.time(), _COUNTY_TIME))
    happened = _happened(values["happenedAt"], earliest)
    place, record = _checked_text(values["place"], 200), _checked_text(values["record"], 20_000)
    session = await connection.fetchval(_SESSION, key, happened, place, values["result"], record)
    await connection.execute(_VERSION, key)
    version = row["version"] + 1
    changes = [["Session", str(session), "result", values["result"]], ["Session", str(session), "place", place]]
    fields = "held_at place result record"
    await _event(
        connection, key, person, happened, "dispute.record", ("Dispute", key), (None, None), version, fields, changes
    )
    shown = {"dispute": {"id": values["id"], "state": row["state"], "version": version}, "conflict": None}
    return {"kind": "Dispute", "id": str(key)}, shown


async def _complete(connection: Any, person: UUID, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    key = UUID(values["id"].removeprefix("FollowUp:"))
    row = await connection.fetchrow(_TAKE_VISIT, key, person)
    if row is None:
        raise UserError("NOT_FOUND")
    if row["done_at"] is not None or row["state"] not in ("AGREED", "PERFORMING", "PERFORMED", "CLOSED"):
        raise UserError("WRONG_STATE")
    if row["version"] != values["expectedVersion"]:
        raise UserError("CONFLICT")
    happened = _happened(values["happenedAt"], row["concluded_at"])
    satisfaction, remark = values["satisfaction"], _checked_text(values["remark"], 2000)
    if not 1 <= satisfaction <= 5:
        raise UserError("OUT_OF_RANGE")
    limit = json.loads(await connection.fetchval(_LIMIT) or "{}").get("satisfaction", 2)
    if satisfaction <= limit:
        raise UserError("DISSATISFIED")  # the second visit is not asked for here
    done = happened.astimezone(_COUNTY_TIME).date()
    await connection.execute(_VISIT, key, person, done, values["method"], values["result"], satisfaction, remark)
    await connection.execute(_VERSION, row["id"])
    changes = [
        ["FollowUp", str(key), name, value]
        for name, value in (("done_at", str(done)), ("result", values["result"]), ("satisfaction", str(satisfaction)))
    ]
    fields = "done_at method result satisfaction remark"
    await _event(
        connection,
        row["id"],
        person,
        happened,
        "followUp.complete",
        ("FollowUp", key),
        (None, None),
        row["version"] + 1,
        fields,
        changes,
    )
    shown = {"followUp": {"id": values["id"], "doneAt": str(done)}, "conflict": None}
    return {"kind": "FollowUp", "id": str(key)}, shown
