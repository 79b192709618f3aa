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
from schema.execution.mutation import Mutator, Standing
from schema.execution.query import Executor
from schema.planning.operation import Answer, Operation
from schema.refusal import Code, Refusal

log = structlog.get_logger("sanlian.gate")

ATTEMPTS = 5


class Gate:
    """Admits callers and answers operations for one process."""

    def __init__(self, callers: Callers, executor: Executor, mutator: Mutator, reader: Reader) -> None:
        self._callers, self._executor, self._mutator, self._reader = callers, executor, mutator, reader
        self._notes: set[asyncio.Task[None]] = set()

    async def admit(self, token: str) -> Caller:
        """The caller as he stands now. Raises Refusal UNAUTHENTICATED."""
        for _ in range(ATTEMPTS):
            caller = await self._callers.find(token)
            if await self._reader.epoch() == caller.epoch:
                return caller
            self._callers.forget(token)
        raise _RESTLESS

    async def answer(self, operation: Operation, token: str) -> Answer:
        """The answer of one operation under rights that held when it was read. Raises Refusal."""
        if operation.definition.operation is OperationType.MUTATION:
            return await self._change(operation, token)
        for _ in range(ATTEMPTS):
            caller = await self._callers.find(token)
            try:
                epoch, answer = await self._executor.run(operation, caller.viewer, caller.epoch)
            except Refusal:
                # SECURITY: what is refused is refused under current rights too, and only to those who are still admitted.
                if await self._reader.epoch() == caller.epoch:
                    raise
                epoch = -1
            if epoch == caller.epoch:
                self._note(caller)
                return answer
            self._callers.forget(token)
        raise _RESTLESS

    async def _change(self, operation: Operation, token: str) -> Answer:
        async def stand(anew: bool) -> Standing:
            if anew:
                self._callers.forget(token)
            caller = await self._callers.find(token)
            self._note(caller)
            return Standing(caller.epoch, caller.viewer)

        return await self._mutator.run(operation, stand)

    def _note(self, caller: Caller) -> None:
        if not self._callers.is_due(caller):
            return
        task = asyncio.ensure_future(self._callers.note_use(caller))
        self._notes.add(task)
        task.add_done_callback(self._noted)

    def _noted(self, task: asyncio.Task[None]) -> None:
        self._notes.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("token_use_not_recorded", error=type(task.exception()).__name__)

    async def close(self) -> None:
        """Wait for what is still being recorded."""
        if self._notes:
            await asyncio.wait(self._notes, timeout=2)


_RESTLESS = Refusal(Code.CONFLICT, "访问权正在变更，请稍后重试。")
