"""Computation beside the event loop: what takes too long, or waits behind too much, is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from db.worker import QueueFull, Worker, WorkTimeout
from schema.refusal import TooCostly

T = TypeVar("T")


async def compute(worker: Worker, work: Callable[..., T], *arguments: object) -> T:
    """The result of work that would hold up the event loop. Raises Refusal TOO_COSTLY, and what the work raises."""
    try:
        return await worker.run(work, *arguments)
    except WorkTimeout as late:
        seconds = int(late.seconds)
        raise TooCostly(f"计算超过 {seconds} 秒：请缩小请求后重试。", seconds, seconds) from None
    except QueueFull as full:
        message = f"正在计算的请求已有 {full.pending} 个，请稍后重试。"
        raise TooCostly(message, full.pending, full.pending) from None
