"""Makes a database ready to serve: the database itself, its newest schema, the policy that it starts with, and the demo county.

Safe to repeat and safe to run twice at once. A policy that is already there is never touched.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from db.crypto import Cipher
    from db.postgres.address import Address


class BadPolicy(Exception):
    """The policy cannot take the place of the live one; the message (Chinese) says why."""


@dataclass(frozen=True)
class Installed:
    """The state of the live policy: why it cannot be used, in sentences, and whether somebody could publish another."""

    broken: tuple[str, ...]
    in_charge: bool


async def install(address: "Address") -> Installed:
    """Bring the database at `address` to the state in which `serve` expects it."""
    import asyncpg

    from db.policy_admin.versions import broken, in_charge, publish_first
    from db.postgres.databases import ensure_database
    from db.postgres.migrate import migrate
    from policies.compile import POLICY_PATH

    await ensure_database(address)
    await migrate(address)
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        await publish_first(connection, POLICY_PATH.read_text(encoding="utf-8"))
        reasons = tuple(await broken(connection))
        return Installed(reasons, not reasons and await in_charge(connection))
    finally:
        await connection.close()


async def replace_policy(address: "Address", text: str) -> int:
    """Publish a text in place of a live policy that cannot be used any more; the number of the new version. Raises BadPolicy."""
    import asyncpg

    from db.policy_admin.versions import StillUsable, publish_instead
    from policies.policy import PolicyRefused

    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        return await publish_instead(connection, text)
    except StillUsable:
        raise BadPolicy("现行策略还能用，请照常起草、批准、发布（python -m api policy draft …）。") from None
    except PolicyRefused as refused:
        raise BadPolicy(str(refused)) from None
    finally:
        await connection.close()


@asynccontextmanager
async def demo_connection(address: "Address") -> "AsyncIterator[Any]":
    """A connection to the database of the demo, for one process at a time: the second to ask waits, and then finds what the first made."""
    import asyncpg

    from db.postgres.advisory_locks import AdvisoryLock

    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", AdvisoryLock.DEMO)
        yield connection
    finally:
        await connection.close()


async def load_county(connection: Any, cipher: "Cipher") -> None:
    """Make the demo county where it is not there yet."""
    from db import county

    await county.load(connection, cipher)


async def extend_county(connection: Any, disputes: int, progress: Callable[[int, int], None]) -> int:
    """Add synthetic disputes until there are so many of them; the number added. `progress` hears how many are done, of how many."""
    from db.county.scale import extend

    added = await extend(connection, disputes, progress)
    if added:
        # Counts and index-only scans are quick once the pages are known to be visible to all.
        await connection.execute("VACUUM (ANALYZE) dispute, party, assignment, referral")
    return added
