"""Computation beside the event loop: one at a time, with a time limit and a bounded queue."""

import asyncio
import threading
import time

import pytest

from db.worker import MAX_OWNED, QueueFull, Worker, WorkTimeout


async def test_work_is_done_beside_the_event_loop_one_at_a_time() -> None:
    worker, at_once, most = Worker(), [0], [0]

    def work(number: int) -> int:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        time.sleep(0.01)
        at_once[0] -= 1
        return number

    assert await asyncio.gather(*(worker.run(work, number) for number in range(5))) == [0, 1, 2, 3, 4]
    assert most == [1]
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)
    worker.close()


async def test_work_over_its_time_is_given_up_and_nothing_begins_before_it_ends() -> None:
    worker, go = Worker(seconds=0.5, pending=2), threading.Event()
    with pytest.raises(WorkTimeout):
        await worker.run(go.wait)
    begun: list[int] = []
    with pytest.raises(WorkTimeout):
        await worker.run(begun.append, 1)
    assert begun == []
    # The second was given up before it began: it never will.
    waiting = asyncio.ensure_future(worker.run(begun.append, 2))
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        await worker.run(begun.append, 3)
    go.set()
    await waiting
    assert begun == [2]
    worker.close()


async def test_one_owner_has_little_of_it_and_the_others_find_room() -> None:
    worker, go = Worker(pending=MAX_OWNED + 2), threading.Event()
    owned = [asyncio.ensure_future(worker.run_for("one", go.wait)) for _ in range(MAX_OWNED)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        await worker.run_for("one", go.wait)
    other = asyncio.ensure_future(worker.run_for("other", go.wait))
    await asyncio.sleep(0)
    assert not other.done()
    go.set()
    await asyncio.gather(*owned, other)
    worker.close()
