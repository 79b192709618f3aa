"""One person's questions wait for each other, few of them, and for nobody else's."""

import asyncio
from uuid import UUID

import pytest

from schema.questions.turns import MAX_WAITING, Turns
from schema.refusal import Refusal

GREEDY, OTHER = UUID(int=1), UUID(int=2)


async def test_whoever_asks_much_waits_for_themselves() -> None:
    turns, go, begun = Turns(), asyncio.Event(), []

    async def ask(person: UUID, number: int) -> None:
        async with turns.take(person):
            begun.append((person, number))
            if person == GREEDY:
                await go.wait()

    asked = [asyncio.create_task(ask(GREEDY, number)) for number in range(MAX_WAITING + 1)]
    await asyncio.sleep(0)
    with pytest.raises(Refusal) as refused:
        await ask(GREEDY, 99)
    assert refused.value.extensions == {"code": "TOO_COSTLY", "cost": MAX_WAITING + 2, "limit": MAX_WAITING + 1}
    # Only the first has its turn, and another person has theirs beside it.
    await ask(OTHER, 0)
    assert begun == [(GREEDY, 0), (OTHER, 0)]
    asked[1].cancel()
    go.set()
    await asyncio.gather(*asked, return_exceptions=True)
    # In the order of asking, without the one that was given up; then nothing is kept.
    assert [number for person, number in begun if person == GREEDY] == [0, *range(2, MAX_WAITING + 1)]
    await ask(GREEDY, 5)
