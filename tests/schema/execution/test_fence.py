"""The fence by itself: what is answered, refused and repeated as the epoch moves. No database."""

from dataclasses import dataclass
from typing import Any

import pytest

from db.write.transaction import Stale
from schema.execution.fence import ATTEMPTS, NO_EPOCH, RIGHTS_CHANGING, Fence
from schema.refusal import Code, Refusal, TooCostly

REFUSED = TooCostly("查询过大。", 2, 1)
EXPELLED = Refusal(Code.UNAUTHENTICATED, "令牌已撤销。")


@dataclass
class Caller:
    epoch: int
    viewer: Any = None


class Database:
    """Callers cached with the epoch of their reading, and an epoch that moves."""

    def __init__(self, epoch: int = 1) -> None:
        self.epoch, self.admitted = epoch, True
        self.cached: Caller | None = None
        self.epochs_read = 0

    async def find(self) -> Caller:
        if self.cached is None:
            if not self.admitted:
                raise EXPELLED
            self.cached = Caller(self.epoch)
        return self.cached

    def forget(self) -> None:
        self.cached = None

    async def read_epoch(self) -> int:
        self.epochs_read += 1
        return self.epoch

    def fence(self) -> Fence[Caller]:
        return Fence(self.find, self.forget, self.read_epoch)


async def test_an_answer_of_the_callers_epoch_is_given_at_once() -> None:
    database = Database()

    async def attempt(caller: Caller) -> tuple[int, str]:
        return database.epoch, f"of {caller.epoch}"

    assert await database.fence().hold(attempt) == "of 1"
    assert database.epochs_read == 0


@pytest.mark.parametrize("stale", [2, NO_EPOCH])
async def test_an_answer_of_another_epoch_is_thrown_away(stale: int) -> None:
    """A cached caller is read again, and what is given is of the new epoch."""
    database = Database(2)
    database.cached = Caller(1)
    epochs = [stale, 2]

    async def attempt(caller: Caller) -> tuple[int, str]:
        return epochs.pop(0), f"of {caller.epoch}"

    assert await database.fence().hold(attempt) == "of 2"


async def test_a_refusal_under_rights_that_have_ended_is_not_given() -> None:
    database = Database(2)
    database.cached = Caller(1)

    async def attempt(caller: Caller) -> tuple[int, str]:
        if caller.epoch == 1:
            raise REFUSED
        return 2, "answered"

    assert await database.fence().hold(attempt) == "answered"


async def test_a_refusal_under_current_rights_is_given() -> None:
    database = Database()

    async def attempt(_: Caller) -> tuple[int, str]:
        raise REFUSED

    with pytest.raises(Refusal) as refused:
        await database.fence().hold(attempt)
    assert refused.value is REFUSED
    assert database.epochs_read == 1


async def test_whoever_is_no_longer_admitted_is_told_nothing_else() -> None:
    """Neither an answer nor a refusal of the attempt, but that they are not admitted."""
    for refuse in (False, True):
        database = Database(2)
        database.cached, database.admitted = Caller(1), False

        async def attempt(_: Caller, refuse: bool = refuse) -> tuple[int, str]:
            if refuse:
                raise REFUSED
            return 2, "secret"

        with pytest.raises(Refusal) as refused:
            await database.fence().hold(attempt)
        assert refused.value is EXPELLED


@pytest.mark.parametrize("exhausted", [RIGHTS_CHANGING, REFUSED])
async def test_rights_that_change_with_every_attempt(exhausted: Refusal) -> None:
    database, attempts = Database(), 0

    async def attempt(_: Caller) -> tuple[int, str]:
        nonlocal attempts
        attempts += 1
        database.epoch += 1
        if attempts % 2:
            raise Stale
        return database.epoch, "never given"

    with pytest.raises(Refusal) as refused:
        await database.fence().hold(attempt, exhausted)
    assert (refused.value, attempts, database.cached) == (exhausted, ATTEMPTS, None)


async def test_one_operation_keeps_its_caller() -> None:
    """What another operation finds meanwhile is no caller of this one."""
    database = Database()
    fence = database.fence()
    first = await fence.caller()
    database.cached = Caller(2)
    assert await fence.caller() is first


async def test_confirm_asks_the_database_once() -> None:
    database = Database()
    fence = database.fence()
    await fence.confirm()
    await fence.confirm()
    assert (fence.confirmed, database.epochs_read) == (True, 1)


async def test_confirm_refuses_whoever_is_no_longer_admitted() -> None:
    database = Database(2)
    database.cached, database.admitted = Caller(1), False
    with pytest.raises(Refusal) as refused:
        await database.fence().confirm()
    assert refused.value is EXPELLED


async def test_a_refusal_after_a_transaction_that_compared_the_epochs_needs_no_other_proof() -> None:
    database = Database()
    fence = database.fence()
    fence.confirmed = True

    async def attempt(_: Caller) -> tuple[int, str]:
        raise REFUSED

    with pytest.raises(Refusal):
        await fence.hold(attempt)
    assert database.epochs_read == 0
