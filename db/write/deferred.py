"""Long work of a command, which is done beside its transaction: no row, no connection and nobody else waits for it.

A command asks for a result. Where it is not there yet, `Deferred` ends the transaction, the executor has the work done, and the command is
executed again from its beginning, its authorisation included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from db.worker import QueueFull, Worker, WorkTimeout

T = TypeVar("T")


class Deferred(Exception):
    """The command goes on when this work is done."""

    def __init__(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        super().__init__(work.__name__)
        self.work, self.arguments = work, arguments


class Results:
    """What was worked out for one execution of a command."""

    def __init__(self) -> None:
        self._done: list[tuple[Callable[..., Any], tuple[Any, ...], Any, Exception | None]] = []

    def of(self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of the work. Raises Deferred where it is not there yet, and what the work raised."""
        for done, given, result, error in self._done:
            if done is work and all(one is other or one == other for one, other in zip(given, arguments, strict=True)):
                if error is not None:
                    raise error
                return result  # type: ignore[no-any-return]
        raise Deferred(work, arguments)

    async def work_out(self, deferred: Deferred, worker: Worker, owner: UUID) -> None:
        """Have the work done for its owner. Raises QueueFull and WorkTimeout; what the work raises is kept for the command."""
        result, error = None, None
        try:
            result = await worker.run_for(owner, deferred.work, *deferred.arguments)
        except (QueueFull, WorkTimeout):
            raise
        except Exception as raised:  # noqa: BLE001  the command knows what it means
            error = raised
        self._done.append((deferred.work, deferred.arguments, result, error))
