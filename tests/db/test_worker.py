"""Heavy thinking beside the event loop: one at a time, so long each, so many waiting."""

import asyncio
import threading
import time

import pytest

from db.worker import Busy, TooLong, Worker


async def test_work_is_done_beside_the_event_loop_one_at_a_time() -> None:
    worker, at_once, most = Worker(), [0], [0]

    def work(number: int) -> int:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        time.sleep(0.01)
        at_once[0] -= 1
        return number

    assert await asyncio.gather(*(worker.do(work, number) for number in range(5))) == [0, 1, 2, 3, 4]
    assert most == [1]
    with pytest.raises(ZeroDivisionError):
        await worker.do(lambda: 1 // 0)
    worker.close()


async def test_what_takes_too_long_is_given_up_and_nothing_begins_before_it_ends() -> None:
    worker, go = Worker(seconds=0.5, waiting=2), threading.Event()
    with pytest.raises(TooLong):
        await worker.do(go.wait)
    begun: list[int] = []
    with pytest.raises(TooLong):
        await worker.do(begun.append, 1)
    assert begun == []
    # The second was given up before it began: it never will.
    waiting = asyncio.ensure_future(worker.do(begun.append, 2))
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await worker.do(begun.append, 3)
    go.set()
    await waiting
    assert begun == [2]
    worker.close()
