"""Computation beside the event loop, in one thread: bounded in time and in the length of its queue. It knows no work.

A thread cannot be stopped: work that exceeds its time is no longer waited for, and nothing else begins before it has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

MAX_PENDING = 8
# Of one person: whoever asks for much waits for themselves, and the others for little.
MAX_OWNED = 2
TIMEOUT_SECONDS = 20.0


class WorkTimeout(Exception):
    """The work was not done in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class QueueFull(Exception):
    """So much work is `pending` already that no more is taken."""

    def __init__(self, pending: int) -> None:
        super().__init__(pending)
        self.pending = pending


class Worker:
    """One thread for one process. `seconds`: how long a piece of work may take, its waiting included. `pending`: how many at once."""

    def __init__(self, seconds: float = TIMEOUT_SECONDS, pending: int = MAX_PENDING) -> None:
        self._thread = ThreadPoolExecutor(1, "worker")
        self._seconds, self._max_pending = seconds, pending
        self._pending: list[tuple[Future[Any], Hashable]] = []

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of the work, which is nobody's. Raises WorkTimeout, QueueFull and what the work raises."""
        return await self.run_for(None, work, *arguments)

    async def run_for(self, owner: Hashable, work: Callable[..., T], *arguments: Any) -> T:
        """The same, of which one owner may have MAX_OWNED at a time; None is nobody."""
        self._pending = [pending for pending in self._pending if not pending[0].done()]
        owned = sum(1 for _, other in self._pending if other == owner) if owner is not None else 0
        if len(self._pending) >= self._max_pending or owned >= MAX_OWNED:
            raise QueueFull(owned if owned >= MAX_OWNED else len(self._pending))
        future = self._thread.submit(work, *arguments)
        self._pending.append((future, owner))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError:
            raise WorkTimeout(self._seconds) from None

    def close(self) -> None:
        """Release the thread; work that has not begun never will."""
        self._thread.shutdown(wait=False, cancel_futures=True)
