"""Runs of an impact: one at a time for a pair of texts, in the background of the process that began it; the result is stored.

A run records every second that it is alive; one that has stopped to do so may be begun again by anybody. It checks no rights: who may ask
for an impact is decided where it is asked for.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import asyncpg
import orjson
import structlog

from db.identity import tokens
from db.identity.appointments import people_of
from db.policy_admin.impact.comparison import Comparison, Holder, Totals
from db.policy_admin.impact.count import count
from db.postgres.connection import Connection
from db.postgres.pool import Pool
from db.query.epoch import read_epoch
from db.tables.column import sql_list
from db.tables.policy import UNPUBLISHED_STATES
from db.worker import Worker
from policies.policy import Policy
from policies.words import action_words, class_words

log = structlog.get_logger("sanlian.impact")

SILENT_SECONDS = 30
BATCH_MS = 120_000  # statement_timeout of a count
# Units counted by one statement: enough to be quick, few enough to show progress.
BATCH = 250


@dataclass(frozen=True)
class RunStatus:
    """A run with its progress in units. `result` once it is DONE."""

    state: str
    done: int
    total: int
    epoch: int
    begun_at: Any
    ended_at: Any
    digest: str | None
    result: Mapping[str, Any] | None


async def holders_of(connection: Connection, labels: Mapping[str, str]) -> list[Holder]:
    """The holders for whom an impact is counted: each appointment in force, under its role, and each valid token."""
    people = {person.id: person for person in await people_of(connection)}
    holders = [
        Holder(
            "role", post.appointment.role, labels.get(post.appointment.role, post.appointment.role), (post.appointment,)
        )
        for person in people.values()
        for post in person.posts
    ]
    for token in await tokens.list_valid(connection):
        posts = [post.appointment for post in people[token.person_id].posts if token.appointment_id in (None, post.id)]
        if posts:
            holders.append(Holder("token", token.prefix, token.label, tuple(posts)))
    return holders


async def compute_impact(
    connection: Connection, before: Policy, after: Policy, worker: Worker, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """What the other policy changes, as a value for JSON: `roles` and `tokens`, each a list of holders with their changes.

    `progress` is called with the number of units done and of all. Raises what `Worker.do` raises.
    """
    holders = await holders_of(connection, {**before.roles, **after.roles})
    comparison = await worker.run(Comparison, before, after, holders)
    total, done = len(comparison.units), 0
    changes: dict[tuple[str, str], dict[tuple[str, str], Totals]] = defaultdict(lambda: defaultdict(Totals))
    progress(0, total)
    for units in comparison.batches(BATCH):
        for unit, totals in zip(units, await count(connection, units), strict=True):
            for holder in comparison.units[unit] if totals else ():
                changes[holder.kind, holder.name][unit.resource, unit.action].add(totals)
        done += len(units)
        progress(done, total)
    posts: dict[tuple[str, str], int] = defaultdict(int)
    labels = {}
    for holder in holders:
        posts[holder.kind, holder.name] += len(holder.appointments)
        labels[holder.kind, holder.name] = holder.label
    listed: dict[str, list[Any]] = {"role": [], "token": []}
    for key in sorted(changes):
        by_action = sorted(changes[key].items(), key=itemgetter(0))
        described = [_change(after, *action, totals) for action, totals in by_action if totals]
        if described:
            head = {"name": key[1], "label": labels[key], "appointments": posts[key]}
            listed[key[0]].append({**head, "changes": described})
    return {"roles": listed["role"], "tokens": listed["token"]}


def _change(policy: Policy, resource: str, action: str, totals: Totals) -> dict[str, Any]:
    return {
        "resource": resource,
        "resource_label": policy.catalog.resources[resource].label,
        "action": action,
        "action_label": action_words(resource, action),
        "rows_gained": totals.gained,
        "rows_lost": totals.lost,
        "cells": [
            {
                "field_class": name,
                "label": class_words(name),
                "clear": cells.clear,
                "masked": cells.masked,
                "hidden": cells.hidden,
            }
            for name, cells in sorted(totals.cells.items())
            if cells
        ],
    }


def digest_of(result: Mapping[str, Any]) -> str:
    """The SHA-256 (hex) of a result, to which an approval is bound: the same result has the same digest."""
    return hashlib.sha256(orjson.dumps(result, option=orjson.OPT_SORT_KEYS)).hexdigest()


class ImpactRuns:
    """The runs of one process. `readers` count, with BATCH_MS for a statement; `writers` store."""

    def __init__(self, readers: asyncpg.Pool[asyncpg.Record], writers: Pool, worker: Worker) -> None:
        self._readers, self._writers, self._worker = readers, writers, worker
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def request(self, before: Policy, after: Policy, *, restart: bool, patience: float) -> RunStatus:
        """The run for the two texts, begun if there is none, if it has failed or fallen silent, or with `restart`.

        Waits at most `patience` seconds for its end.
        """
        pair = (after.sha256, before.sha256)
        begun = await self._writers.fetchrow(_BEGIN, [*pair, restart, float(SILENT_SECONDS)])
        if begun is not None:
            task = asyncio.ensure_future(self._run(before, after, (*pair, begun["begun_at"])))
            self._running[pair] = task
            task.add_done_callback(lambda _: self._running.pop(pair, None))
        running = self._running.get(pair)
        if running is not None:
            await asyncio.wait([running], timeout=patience)
        row = await self._writers.fetchrow(_READ, pair)
        assert row is not None
        result = None if row["result"] is None else orjson.loads(row["result"])
        return RunStatus(
            row["state"],
            row["done"],
            row["total"],
            row["epoch"],
            row["begun_at"],
            row["ended_at"],
            row["digest"],
            result,
        )

    async def _run(self, before: Policy, after: Policy, run: tuple[Any, ...]) -> None:
        counted = [0, 0]
        alive = asyncio.ensure_future(self._beat(run, counted))
        try:
            async with (
                self._readers.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                await connection.execute(f"SET LOCAL statement_timeout TO {BATCH_MS}")
                epoch = await read_epoch(connection)

                def progress(done: int, total: int) -> None:
                    counted[:] = [done, total]

                result = await compute_impact(connection, before, after, self._worker, progress)
            text, digest = orjson.dumps(result).decode(), digest_of(result)
            async with self._writers.transaction() as writer:
                await writer.execute(_END, *run, *counted, epoch, text, digest)
                await writer.execute(_VERSIONS, *run[:2], digest)
        except Exception as error:  # noqa: BLE001  whatever went wrong, the run has failed and says so
            log.warning("impact_failed", error=type(error).__name__)
            await self._writers.fetchrow(_FAIL, run)
        finally:
            alive.cancel()

    async def _beat(self, run: tuple[Any, ...], counted: list[int]) -> None:
        while True:
            await asyncio.sleep(1)
            await self._writers.fetchrow(_BEAT, [*run, *counted])

    async def close(self) -> None:
        """End what is running; the next request begins it again."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# One run at a time for a pair: only one of those who begin at once gets the row. When it was begun identifies a run: one
# that was taken for dead writes nothing more.
_BEGIN = """
INSERT INTO policy_impact (sha256, against_sha256, state, done, total, begun_at, beat_at)
VALUES ($1, $2, 'RUNNING', 0, 0, clock_timestamp(), now())
ON CONFLICT (sha256, against_sha256) DO UPDATE
   SET state = 'RUNNING', done = 0, total = 0, begun_at = clock_timestamp(), beat_at = now(), ended_at = NULL,
       result = NULL, digest = NULL
 WHERE policy_impact.state = 'FAILED'
    OR (policy_impact.state = 'DONE' AND $3)
    OR (policy_impact.state = 'RUNNING' AND policy_impact.beat_at < now() - make_interval(secs => $4))
RETURNING begun_at
"""
_BEAT = """
UPDATE policy_impact SET done = $4, total = $5, beat_at = now()
 WHERE sha256 = $1 AND against_sha256 = $2 AND begun_at = $3 AND state = 'RUNNING'
"""
_END = """
UPDATE policy_impact SET state = 'DONE', done = $4, total = $5, epoch = $6, result = $7, digest = $8, ended_at = now()
 WHERE sha256 = $1 AND against_sha256 = $2 AND begun_at = $3 AND state = 'RUNNING'
"""
# SECURITY: whoever approves a version approves its impact as it is known then. A run is begun by a question, which takes no approval back:
# what becomes known later belongs to drafts that nobody has approved yet.
_VERSIONS = f"""
UPDATE policy_version AS draft SET impact_sha256 = $3 FROM policy_version AS base
 WHERE base.id = draft.base_id AND base.sha256 = $2 AND draft.sha256 = $1 AND draft.state IN ({sql_list(UNPUBLISHED_STATES)})
   AND draft.approver_id IS NULL AND draft.impact_sha256 IS DISTINCT FROM $3
"""  # noqa: S608  made of constants
_FAIL = """
UPDATE policy_impact SET state = 'FAILED', ended_at = now()
 WHERE sha256 = $1 AND against_sha256 = $2 AND begun_at = $3 AND state = 'RUNNING'
"""
_READ = """
SELECT state, done, total, epoch, begun_at, ended_at, digest, result FROM policy_impact
 WHERE sha256 = $1 AND against_sha256 = $2
"""
