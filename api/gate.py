"""The gate behind the endpoint: token -> caller -> answer, and the freshness fence.

An answer is given only under the epoch of the very snapshot that it was read from, so a revocation is in force for every request
that starts after it commits, on every worker, without another round trip.
"""

from __future__ import annotations

import asyncio

import structlog
from graphql import OperationType

from api.caller import Caller, Callers
from db.query.reader import Reader
from schema.execution.fence import Fence
from schema.execution.mutation import MutationExecutor
from schema.execution.query import QueryExecutor
from schema.planning.operation import Answer, Operation

log = structlog.get_logger("sanlian.gate")


class Gate:
    """Authenticates callers and answers operations for one process."""

    def __init__(self, callers: Callers, executor: QueryExecutor, mutator: MutationExecutor, reader: Reader) -> None:
        self._callers, self._executor, self._mutator, self._reader = callers, executor, mutator, reader
        self._recordings: set[asyncio.Task[None]] = set()

    async def admit(self, token: str) -> Caller:
        """The caller of a token as far as this process knows: what is done for them is confirmed later. Raises Refusal UNAUTHENTICATED."""
        return await self._callers.find(token)

    async def authenticate(self, token: str) -> Caller:
        """The caller of a token, under rights that hold now. Raises Refusal UNAUTHENTICATED."""

        async def attempt(caller: Caller) -> tuple[int, Caller]:
            return await self._reader.epoch(), caller

        return await self._fence(token).hold(attempt)

    async def answer(self, operation: Operation, token: str) -> Answer:
        """The answer of one operation under rights that held when it was read. Raises Refusal."""
        if operation.definition.operation is OperationType.MUTATION:
            return await self._mutator.run(operation, self._fence(token, record_use=True))

        async def attempt(caller: Caller) -> tuple[int, tuple[Caller, Answer]]:
            epoch, answer = await self._executor.run(operation, caller.viewer, caller.epoch)
            return epoch, (caller, answer)

        caller, answer = await self._fence(token).hold(attempt)
        self._record_use_when_due(caller)
        return answer

    def _fence(self, token: str, *, record_use: bool = False) -> Fence[Caller]:
        """The fence of one operation. `record_use`: the use of the token is recorded as soon as its caller is found."""

        async def find() -> Caller:
            caller = await self._callers.find(token)
            if record_use:
                self._record_use_when_due(caller)
            return caller

        return Fence(find, lambda: self._callers.forget(token), self._reader.epoch)

    def _record_use_when_due(self, caller: Caller) -> None:
        if not self._callers.is_due(caller):
            return
        task = asyncio.ensure_future(self._callers.note_use(caller))
        self._recordings.add(task)
        task.add_done_callback(self._recorded)

    def _recorded(self, task: asyncio.Task[None]) -> None:
        self._recordings.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("token_use_not_recorded", error=type(task.exception()).__name__)

    async def close(self) -> None:
        """Wait for what is still being recorded."""
        if self._recordings:
            await asyncio.wait(self._recordings, timeout=2)
