"""The freshness fence: an answer, and a refusal too, is given only under the epoch of the snapshot that it was read from.

Callers are cached with the epoch under which they were read; whatever changes somebody's rights moves the epoch on. An attempt whose
snapshot has another epoch than its caller is thrown away, the caller is read again and the attempt repeated, so what ends a right is in
force for every request that starts after it commits, on every worker, without another round trip.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from db.write.transaction import Stale
from schema.refusal import Code, Refusal
from schema.viewer import Viewer

ATTEMPTS = 5
# No epoch: the result of an attempt that read under more than one, or under none that is known. It is never given.
NO_EPOCH = -1

RIGHTS_CHANGING = Refusal(Code.CONFLICT, "访问权正在变更，请稍后重试。")


class Caller(Protocol):
    """A caller as read under an epoch."""

    @property
    def epoch(self) -> int: ...

    @property
    def viewer(self) -> Viewer: ...


C = TypeVar("C", bound=Caller)
T = TypeVar("T")


class Fence(Generic[C]):
    """The fence of one operation of one caller.

    `find`: the caller, from the cache or from the database; raises Refusal where they are not admitted. `forget`: take the caller out of
    the cache. `read_epoch`: the epoch of the database now.
    """

    def __init__(
        self,
        find: Callable[[], Awaitable[C]],
        forget: Callable[[], None],
        read_epoch: Callable[[], Awaitable[int]],
    ) -> None:
        self._find, self._forget, self._read_epoch = find, forget, read_epoch
        self._caller: C | None = None
        # Whether the database has said in this operation that the caller is still admitted: a transaction that compared the epochs,
        # or `confirm`. What is refused from then on needs no other proof.
        self.confirmed = False

    async def caller(self) -> C:
        """The caller of the operation. Raises Refusal where they are not admitted."""
        if self._caller is None:
            self._caller = await self._find()
        return self._caller

    def forget(self) -> None:
        """Read the caller again from the database when they are needed next."""
        self._forget()
        self._caller = None

    async def hold(self, attempt: Callable[[C], Awaitable[tuple[int, T]]], exhausted: Refusal = RIGHTS_CHANGING) -> T:
        """The result of the first attempt that read under the epoch of its caller. An attempt returns the epoch of its snapshot and its
        result; it may raise Stale. Raises Refusal: that of an attempt, or `exhausted` where rights change with every attempt."""
        for _ in range(ATTEMPTS):
            caller = await self.caller()
            try:
                epoch, result = await attempt(caller)
            except Stale:
                pass
            except Refusal:
                # SECURITY: what is refused is refused under current rights too, and only to those who are still admitted.
                if self.confirmed or await self._read_epoch() == caller.epoch:
                    raise
            else:
                if epoch == caller.epoch:
                    return result
            self.forget()
        raise exhausted

    async def confirm(self) -> None:
        """Make sure that the caller is still admitted, where no transaction of this operation has. Raises Refusal where they are not."""
        if self.confirmed:
            return
        caller = await self.caller()
        self.confirmed = True
        if await self._read_epoch() != caller.epoch:
            self.forget()
            await self.caller()
