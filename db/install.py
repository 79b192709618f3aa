"""Makes a database ready to serve: the database itself, its newest schema, and the policy that it starts with.

Safe to repeat and safe to run twice at once. A policy that is already there is never touched.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.postgres.address import Address


class BadPolicy(Exception):
    """The policy cannot take the place of the live one; the message (Chinese) says why."""


@dataclass(frozen=True)
class Installed:
    """The state of the live policy: why it cannot be used, in sentences, and whether somebody could publish another. `notes`: what the
    migrations could not decide about the rows that are there."""

    broken: tuple[str, ...]
    in_charge: bool
    notes: tuple[str, ...] = ()


async def install(address: "Address") -> Installed:
    """Bring the database at `address` to the state in which `serve` expects it."""
    import asyncpg

    from db.policy_admin.versions import broken, in_charge, publish_first
    from db.postgres.databases import ensure_database
    from db.postgres.migrate import migrate
    from policies.compile import POLICY_PATH

    await ensure_database(address)
    notes = await migrate(address)
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        await publish_first(connection, POLICY_PATH.read_text(encoding="utf-8"))
        reasons = tuple(await broken(connection))
        return Installed(reasons, not reasons and await in_charge(connection), notes)
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
