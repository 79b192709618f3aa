"""The stored versions of the access policy: which is live, compiled, published first, and replaced where nothing else helps."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ClauseElement, bindparam, func, literal_column, select
from sqlalchemy.types import DateTime, Integer, Uuid

from db import tables as t
from db.policy_admin.staff import governed, read_staff
from db.postgres.advisory_locks import AdvisoryLock
from db.postgres.connection import Connection
from db.postgres.pool import Pool
from db.query.statement import compile_statement
from db.resources.catalog import CATALOG
from db.tables.policy import LIVE_VERSION
from policies.compile import compile_policy
from policies.policy import Policy, PolicyRefused

_V = t.policy_version.c
_TEXT = compile_statement(select(_V.text).where(_V.version == bindparam("version", type_=Integer()))).sql
_LIVE = compile_statement(LIVE_VERSION).sql
_IN_FORCE_AT = compile_statement(
    select(_V.version)
    .where(_V.published_at <= bindparam("instant", type_=DateTime(timezone=True)))
    .order_by(_V.published_at.desc(), _V.version.desc())
    .limit(literal_column("1"))
).sql

CACHED_VERSIONS = 4  # compiled policies of a process

# -- which version is live, and what a version says


async def live_version(connection: Connection | Pool) -> int | None:
    """The number of the live version; None where none is published."""
    row = await connection.fetchrow(_LIVE)
    return None if row is None else int(row["version"])


async def version_at(connection: Connection, instant: dt.datetime) -> int | None:
    """The number of the version in force at an instant; None before the first one."""
    row = await connection.fetchrow(_IN_FORCE_AT, instant)
    return None if row is None else int(row["version"])


async def text_of(connection: Connection, version: int) -> str:
    """The text of a stored version. Raises LookupError where there is none."""
    row = await connection.fetchrow(_TEXT, version)
    if row is None:
        raise LookupError(f"no policy version {version}")
    return str(row["text"])


async def compile_version(connection: Connection, version: int) -> Policy:
    """A stored version, compiled beside the event loop.

    Raises LookupError where there is none, PolicyRefused where it does not compile under the present catalog.
    """
    return await _compile(await text_of(connection, version), version)


async def _compile(text: str, version: int) -> Policy:
    return await asyncio.to_thread(compile_policy, text, CATALOG, version)


async def live_policy(connection: Connection) -> Policy:
    """The policy in force. Raises LookupError where none is published, PolicyRefused where it no longer compiles."""
    version = await live_version(connection)
    if version is None:
        raise LookupError("no policy is published")
    return await compile_version(connection, version)


class CompiledVersions:
    """The compiled policies of a process, by version; a version never changes."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._compiled: OrderedDict[int, asyncio.Task[Policy]] = OrderedDict()

    async def get(self, version: int) -> Policy:
        """The policy of a stored version. Raises what `compile_version` raises."""
        compiled = self._compiled.get(version)
        if compiled is None:
            # Compiled once, however many requests are the first under a new version.
            compiled = self._compiled[version] = asyncio.ensure_future(self._compile(version))
            if len(self._compiled) > CACHED_VERSIONS:
                self._compiled.popitem(last=False)
        try:
            return await asyncio.shield(compiled)
        except Exception:
            if self._compiled.get(version) is compiled:
                del self._compiled[version]
            raise

    async def _compile(self, version: int) -> Policy:
        async with self._pool.transaction() as connection:
            text = await text_of(connection, version)
        return await _compile(text, version)

    async def live(self) -> Policy:
        """The policy in force. Raises what `live_policy` raises."""
        version = await live_version(self._pool)
        if version is None:
            raise LookupError("no policy is published")
        return await self.get(version)


# -- versions as lists show them

_AUTHOR, _FIRST, _SECOND = t.person.alias(), t.person.alias(), t.person.alias()
_LIST = compile_statement(
    select(
        *(_V[name] for name in ("version", "state", "note", "digest", "created_at", "published_at")),
        _AUTHOR.c.name.label("author"),
        func.concat_ws(literal_column("'、'"), _FIRST.c.name, _SECOND.c.name).label("approvers"),
    )
    .select_from(
        t.policy_version.outerjoin(_AUTHOR, _AUTHOR.c.id == _V.author_id)
        .outerjoin(_FIRST, _FIRST.c.id == _V.approver_id)
        .outerjoin(_SECOND, _SECOND.c.id == _V.second_approver_id)
    )
    .order_by(_V.version.desc())
).sql
_KEYS = compile_statement(select(_V.version, _V.id)).sql
_BY_KEY = compile_statement(select(t.policy_version).where(_V.id == bindparam("key", type_=Uuid()))).sql


async def list_versions(connection: Connection) -> list[Any]:
    """All versions, the newest first: `version`, `state`, `note`, `digest`, `created_at`, `published_at` and the names `author`,
    `approvers`."""
    return list(await connection.fetch(_LIST))


async def keys_by_version(connection: Connection) -> Mapping[int, UUID]:
    """The key of each version, by its number."""
    return {row["version"]: UUID(str(row["id"])) for row in await connection.fetch(_KEYS)}


async def version_of(connection: Connection, key: UUID) -> Any:
    """The row of a version by its key; None where there is none."""
    return await connection.fetchrow(_BY_KEY, key)


# -- the first version, and one in place of another


async def publish_first(connection: Connection, text: str) -> int:
    """Publish the text as version 1 where no policy was ever stored; the number of the live version, whatever it is.

    Raises PolicyRefused: a text that cannot be explained is never stored as published.
    """
    policy = compile_policy(text, CATALOG, 1)
    await connection.execute(
        "INSERT INTO policy_version (version, text, sha256, state, note, published_at)"
        " SELECT 1, $1, $2, 'PUBLISHED', '初始策略', now() WHERE NOT EXISTS (SELECT FROM policy_version) ON CONFLICT DO NOTHING",
        policy.text,
        policy.sha256,
    )
    return int(await connection.fetchval(_LIVE))


async def publish_instead(connection: Connection, text: str) -> int:
    """Publish the text in place of a live version that no command can replace any more; the number of the new version.

    For the owner of the database. Raises StillUsable where the commands would do, PolicyRefused where the text is no better.
    """
    policy = compile_policy(text, CATALOG)
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({AdvisoryLock.RIGHTS})")
        if not await broken(connection) and await in_charge(connection):
            raise StillUsable
        await connection.execute("UPDATE policy_version SET state = 'RETIRED' WHERE state = 'PUBLISHED'")
        return int(
            await connection.fetchval(
                "WITH published AS (INSERT INTO policy_version (version, text, sha256, state, note, published_at)"
                " SELECT max(version) + 1, $1, $2, 'PUBLISHED', '由数据库管理者替换不能再用的版本', now()"
                " FROM policy_version RETURNING *),"
                " recorded AS (INSERT INTO event (at, action, resource, resource_id, to_state, reason)"
                " SELECT now(), 'policy.replace', 'PolicyVersion', id, state, note FROM published)"
                " SELECT version FROM published",
                policy.text,
                policy.sha256,
            )
        )


class StillUsable(Exception):
    """The live version works, and somebody can publish another."""


async def broken(connection: Connection) -> list[str]:
    """Why the live version cannot be used under the present catalog, in sentences; nothing for one that works."""
    try:
        await live_policy(connection)
    except LookupError:
        return ["没有现行的访问策略，服务对任何请求都不能作答。"]
    except PolicyRefused as refused:
        head = "现行的访问策略在这一版软件中已不能编译，服务对任何请求都不能作答："
        return [head, *(f"第 {one.line} 行第 {one.column} 列：{one.message}" for one in refused.problems)]
    return []


async def in_charge(connection: Connection) -> bool:
    """Whether somebody could put another policy in the place of the live one, which must work; or there is nobody yet at all."""

    async def fetch(statement: ClauseElement) -> list[Any]:
        return list(await connection.fetch(compile_statement(statement).sql))

    staff = await read_staff(fetch, of_today=True)
    return not staff.appointments or governed(await live_policy(connection), staff)
