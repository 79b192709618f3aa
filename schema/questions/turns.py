"""Turns: one operation with questions of a person at a time, so that whoever asks much waits for themselves and the others find a connection."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from schema.refusal import TooCostly

# Operations of one person that may wait for the one that is being answered.
MAX_WAITING = 4


class Turns:
    """The turns of the people who ask one process."""

    def __init__(self) -> None:
        self._turns: dict[UUID, asyncio.Lock] = {}
        self._present: Counter[UUID] = Counter()

    @asynccontextmanager
    async def take(self, person_id: UUID) -> AsyncIterator[None]:
        """The person's turn, for the block. Raises Refusal where too many of theirs wait already."""
        present = self._present[person_id]
        if present > MAX_WAITING:
            raise TooCostly(f"您已有 {present} 个问题在等候答复，请稍后重试。", present + 1, present)
        self._present[person_id] += 1
        try:
            async with self._turns.setdefault(person_id, asyncio.Lock()):
                yield
        finally:
            self._present[person_id] -= 1
            if not self._present[person_id]:
                del self._present[person_id], self._turns[person_id]
