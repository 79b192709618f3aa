"""Token -> caller: whose token it is, and what the posts in force let that person do.

Callers are cached with the epoch under which they were read. Every answer carries the epoch of its own snapshot; where that has moved
on, the answer is dropped and the caller is read again (`api.gate`).
"""

from __future__ import annotations

import datetime as dt
import time
from collections import OrderedDict
from dataclasses import dataclass

from db.identity import tokens
from db.policy_admin.versions import CompiledVersions
from db.postgres.pool import Pool
from policies.grant import Access
from schema.refusal import Code, Refusal
from schema.viewer import Viewer

CACHED_CALLERS = 5000
USE_RECORDED_EVERY = 60.0  # seconds

_INVALID_TOKEN = Refusal(Code.UNAUTHENTICATED, "令牌无效、已过期或已撤销，请重新取得令牌。")
_NO_POLICY = Refusal(Code.INTERNAL, "尚未发布访问策略，暂不能提供服务，请联系管理员。")


@dataclass(frozen=True)
class Caller:
    """A person behind a valid token. `good_until`: when the token ends or an appointment begins or ends."""

    epoch: int
    viewer: Viewer
    prefix: str
    good_until: dt.datetime


class Callers:
    """Callers of this process, by token."""

    def __init__(self, pool: Pool, policies: CompiledVersions) -> None:
        self._pool, self._policies = pool, policies
        self._cached: OrderedDict[bytes, Caller] = OrderedDict()
        self._due: dict[str, float] = {}  # prefix -> when its next use is recorded

    async def find(self, token: str) -> Caller:
        """The caller of a token, from the cache where it is there. Raises Refusal UNAUTHENTICATED, and INTERNAL where no policy is live."""
        key = tokens.hash_of(token)
        caller = self._cached.get(key)
        if caller is None or caller.good_until <= dt.datetime.now(dt.UTC):
            caller = await self._read(token)
            self._cached[key] = caller
            if len(self._cached) > CACHED_CALLERS:
                self._cached.popitem(last=False)
        return caller

    def forget(self, token: str) -> None:
        """Read the caller anew next time."""
        self._cached.pop(tokens.hash_of(token), None)

    async def _read(self, token: str) -> Caller:
        holder = await tokens.look_up(self._pool, token)
        if holder is None:
            raise _INVALID_TOKEN
        if holder.policy_version is None:
            # SECURITY: nothing is answered without a policy.
            raise _NO_POLICY
        policy = await self._policies.get(holder.policy_version)
        roles = dict.fromkeys(
            role for post in holder.appointments for role in policy.inherited.get(post.role, (post.role,))
        )
        good_until = min(holder.expires_at, holder.changes_at or holder.expires_at)
        viewer = Viewer(Access(policy, holder.appointments), holder.person_id, tuple(roles), holder.expires_at)
        return Caller(holder.epoch, viewer, holder.prefix, good_until)

    def is_due(self, caller: Caller) -> bool:
        """Whether the token's use is to be recorded now, at most once a minute; the caller of this method then records it."""
        now = time.monotonic()
        if now < self._due.get(caller.prefix, now):
            return False
        self._due[caller.prefix] = now + USE_RECORDED_EVERY
        return True

    async def note_use(self, caller: Caller) -> None:
        """Record the token's last use."""
        await tokens.note_use(self._pool, caller.prefix)
