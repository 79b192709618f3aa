"""Shared by the commands on rights: one of them runs at a time; the staff with their appointments; somebody stays in charge of the policy."""

from __future__ import annotations

from sqlalchemy import func, literal_column, select

from db.policy_admin.staff import Staff, governed, read_staff
from db.postgres.advisory_locks import AdvisoryLock
from db.query.epoch import EPOCH
from db.write.transaction import Stale, UnitOfWork

_LOCK = select(func.pg_advisory_xact_lock(literal_column(str(AdvisoryLock.RIGHTS.value))))


async def lock_rights(work: UnitOfWork) -> None:
    """Until the end of the transaction nobody else changes appointments, accounts or the policy. What is read after it is current.

    Before anything is written. Raises Stale.
    """
    await work.fetch(_LOCK)
    # SECURITY: a caller who lost their rights while waiting acts no more, and what was computed under another policy is not used.
    if (await work.fetch(EPOCH))[0]["epoch"] != work.actor.epoch:
        raise Stale


async def load_staff(work: UnitOfWork, *, of_today: bool) -> Staff:
    """Active people with their appointments."""
    return await read_staff(work.fetch, of_today=of_today)


async def check_governed(work: UnitOfWork, before: Staff) -> None:
    """Note a user error where the change leaves nobody in charge of the policy although there was somebody."""
    policy = work.actor.access.policy
    if governed(policy, before) and not governed(policy, await load_staff(work, of_today=True)):
        message = "如此便无人可以起草、发布访问策略，或无他人可以批准；请先另行任命。"
        work.error("id", "LOCKED_OUT", message)
