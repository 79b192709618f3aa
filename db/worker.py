"""Heavy thinking beside the event loop: one piece of work at a time in a thread, so many waiting, so long each. It knows no work.

A thread cannot be stopped: work that takes too long is no longer waited for, and nothing else begins before it has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

WAITING = 8
SECONDS = 20.0


class TooLong(Exception):
    """The work was not done in time."""


class Busy(Exception):
    """Too much work is waiting already."""


class Worker:
    """The one place of a process where such work is done."""

    def __init__(self, seconds: float = SECONDS, waiting: int = WAITING) -> None:
        self._thread = ThreadPoolExecutor(1, "worker")
        self._seconds, self._waiting = seconds, waiting
        self._pending: list[Future[Any]] = []

    async def do(self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of the work. Raises TooLong, Busy and what the work raises."""
        self._pending = [one for one in self._pending if not one.done()]
        if len(self._pending) >= self._waiting:
            raise Busy
        future = self._thread.submit(work, *arguments)
        self._pending.append(future)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError:
            raise TooLong from None

    def close(self) -> None:
        """Let go of the thread; work that has not begun never will."""
        self._thread.shutdown(wait=False, cancel_futures=True)
