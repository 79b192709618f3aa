"""Credential -> caller: whom a token stands for, and what his appointments in force let him do.

Callers are cached with the epoch under which they were read. Every answer carries the epoch of its own snapshot; if that has moved
on, the answer is thrown away and the caller is read again (`api.gate`).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import orjson

from db.calendar import COUNTY_ZONE, TODAY_SQL
from db.postgres.pool import Pool
from db.resources.catalog import CATALOG
from policies.compile import compile_policy
from policies.grant import Access, Appointment
from policies.policy import Policy
from schema.refusal import Code, Refusal
from schema.viewer import Viewer

CACHED = 5000
KEPT = 4  # compiled policies
USE_RECORDED_EVERY = 60.0  # seconds

# One statement, one snapshot. The team claim holds the teams in which the person serves in the very role of the appointment.
# `turns_at`: the next midnight in the county at which some appointment begins or ends, when the caller must be read again.
_FIND = f"""
WITH day AS (SELECT {TODAY_SQL} AS today)
SELECT (SELECT epoch FROM access_epoch) AS epoch,
       (SELECT version FROM policy_version WHERE state = 'PUBLISHED') AS policy_version,
       k.person_id, k.expires_at, k.prefix, k.last_used_at,
       k.revoked_at IS NULL AND k.expires_at > now() AND p.state = 'ACTIVE' AS valid,
       (SELECT coalesce(json_agg(json_build_object(
            'role', a.role,
            'organization_id', a.organization_id,
            'area_code', a.area_code,
            'team_ids', (SELECT coalesce(json_agg(m.team_id ORDER BY m.team_id), '[]'::json)
                           FROM team_member m JOIN team t ON t.id = m.team_id
                          WHERE m.person_id = k.person_id AND m.role = upper(a.role) AND t.state = 'ACTIVE'
                            AND m.valid_from <= day.today AND (m.valid_to IS NULL OR m.valid_to >= day.today))
            ) ORDER BY a.role, a.area_code, a.id), '[]'::json)
          FROM appointment a
         WHERE a.person_id = k.person_id AND (k.appointment_id IS NULL OR a.id = k.appointment_id)
           AND a.valid_from <= day.today AND (a.valid_to IS NULL OR a.valid_to >= day.today)) AS appointments,
       (SELECT min(turn)::timestamp AT TIME ZONE '{COUNTY_ZONE}'
          FROM (SELECT a.valid_from AS turn FROM appointment a WHERE a.person_id = k.person_id AND a.valid_from > day.today
                UNION ALL
                SELECT a.valid_to + 1 FROM appointment a WHERE a.person_id = k.person_id AND a.valid_to >= day.today
                UNION ALL
                SELECT m.valid_from FROM team_member m WHERE m.person_id = k.person_id AND m.valid_from > day.today
                UNION ALL
                SELECT m.valid_to + 1 FROM team_member m WHERE m.person_id = k.person_id AND m.valid_to >= day.today) x) AS turns_at
  FROM token k JOIN person p ON p.id = k.person_id CROSS JOIN day
 WHERE k.hash = $1
"""  # noqa: S608 - constants of ours

_UNKNOWN = Refusal(Code.UNAUTHENTICATED, "令牌无效、已过期或已撤销，请重新取得令牌。")


@dataclass(frozen=True)
class Caller:
    """A person behind a valid token. `good_until`: when the token ends or an appointment begins or ends."""

    epoch: int
    viewer: Viewer
    prefix: str
    good_until: dt.datetime


class Policies:
    """The compiled policies of this process, by version; a version never changes."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._compiled: OrderedDict[int, asyncio.Task[Policy]] = OrderedDict()

    async def get(self, version: int | None) -> Policy:
        """The policy of a version. Raises Refusal INTERNAL where none is published: nothing is answered without a policy."""
        if version is None:
            raise Refusal(Code.INTERNAL, "尚未发布访问策略，暂不能提供服务，请联系管理员。")
        compiled = self._compiled.get(version)
        if compiled is None:
            # Compiled once, however many requests are the first under a new version.
            compiled = self._compiled[version] = asyncio.ensure_future(self._compile(version))
            if len(self._compiled) > KEPT:
                self._compiled.popitem(last=False)
        try:
            return await asyncio.shield(compiled)
        except Exception:
            if self._compiled.get(version) is compiled:
                del self._compiled[version]
            raise

    async def _compile(self, version: int) -> Policy:
        row = await self._pool.fetchrow("SELECT text FROM policy_version WHERE version = $1", [version])
        assert row is not None
        return await asyncio.to_thread(compile_policy, row["text"], CATALOG, version)

    async def live(self) -> Policy:
        """The policy in force."""
        row = await self._pool.fetchrow("SELECT version FROM policy_version WHERE state = 'PUBLISHED'")
        return await self.get(None if row is None else row["version"])


class Callers:
    """Callers of this process, found by token."""

    def __init__(self, pool: Pool, policies: Policies) -> None:
        self._pool, self._policies = pool, policies
        self._known: OrderedDict[bytes, Caller] = OrderedDict()
        self._due: dict[str, float] = {}  # prefix -> when its next use is recorded

    async def find(self, token: str) -> Caller:
        """The caller of a token; from the cache if he is there. Raises Refusal UNAUTHENTICATED."""
        key = _hash(token)
        caller = self._known.get(key)
        if caller is None or caller.good_until <= _now():
            caller = await self._read(key)
            self._known[key] = caller
            if len(self._known) > CACHED:
                self._known.popitem(last=False)
        return caller

    def forget(self, token: str) -> None:
        """Read the caller anew next time."""
        self._known.pop(_hash(token), None)

    async def _read(self, key: bytes) -> Caller:
        # SECURITY: only the hash is compared, in the database, by an index: the time taken tells nothing about a token.
        row = await self._pool.fetchrow(_FIND, [key])
        if row is None or not row["valid"]:
            raise _UNKNOWN
        policy = await self._policies.get(row["policy_version"])
        appointments = [_appointment(row["person_id"], one) for one in orjson.loads(row["appointments"])]
        roles = dict.fromkeys(role for one in appointments for role in policy.inherited.get(one.role, (one.role,)))
        good_until = min(row["expires_at"], row["turns_at"] or row["expires_at"])
        viewer = Viewer(Access(policy, appointments), row["person_id"], tuple(roles), row["expires_at"])
        return Caller(row["epoch"], viewer, row["prefix"], good_until)

    def is_due(self, caller: Caller) -> bool:
        """Whether the token's use is to be recorded now: at most once a minute. Takes the turn."""
        now = time.monotonic()
        if now < self._due.get(caller.prefix, now):
            return False
        self._due[caller.prefix] = now + USE_RECORDED_EVERY
        return True

    async def note_use(self, caller: Caller) -> None:
        """Record the token's last use."""
        await self._pool.fetchrow(
            "UPDATE token SET last_used_at = greatest(last_used_at, now()) WHERE prefix = $1", [caller.prefix]
        )


def _appointment(person_id: Any, found: dict[str, Any]) -> Appointment:
    return Appointment(
        found["role"],
        {
            "person_id": person_id,
            "organization_id": uuid.UUID(found["organization_id"]),
            "area_code": found["area_code"],
            "team_ids": [uuid.UUID(one) for one in found["team_ids"]],
        },
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
