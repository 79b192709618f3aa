"""Bearer tokens: made, recognised, listed and revoked. It knows nothing of what a token's bearer may do.

A token reads `sl_<prefix>_<secret>`. The prefix names it in lists and logs; the secret is shown once and never kept.
"""

import hashlib
import re
import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

_ALPHABET = string.ascii_lowercase + string.digits
_PREFIX_LENGTH = 8
_SECRET_BYTES = 32  # 43 characters
_FORM = re.compile(r"sl_([a-z0-9]{8})_[A-Za-z0-9_-]{43}")

# Anything with asyncpg's `fetch` and `fetchrow`: a connection, one taken from a pool, or a pool.
Connection = Any


@dataclass(frozen=True)
class Presented:
    """A token as a request brought it: only what is needed to look it up."""

    prefix: str
    hash: bytes = field(repr=False)


@dataclass(frozen=True)
class Issued:
    """A new token. `text` exists only here; whoever asked for it must be shown it now."""

    text: str = field(repr=False)
    prefix: str
    expires_at: datetime


@dataclass(frozen=True)
class Listed:
    """A token as a list shows it. `role` is None when it stands for all appointments of the person."""

    prefix: str
    person: str
    role: str | None
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    live: bool


def parse(text: str) -> Presented | None:
    """Recognise a token by its form; None if it cannot be one. Whether it is valid, only the database knows."""
    form = _FORM.fullmatch(text)
    return Presented(form[1], _hash(text)) if form else None


async def issue(
    connection: Connection, *, person_id: UUID, appointment_id: UUID | None = None, label: str, days: int
) -> Issued:
    """Make a token for a person, or for one appointment only. Raises asyncpg's error for an unknown person."""
    while True:
        prefix = "".join(secrets.choice(_ALPHABET) for _ in range(_PREFIX_LENGTH))
        text = f"sl_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        expires_at = await connection.fetchval(
            """
            INSERT INTO token (prefix, hash, person_id, appointment_id, label, expires_at)
            VALUES ($1, $2, $3, $4, $5, now() + make_interval(days => $6))
            ON CONFLICT (prefix) DO NOTHING
            RETURNING expires_at
            """,
            prefix,
            _hash(text),
            person_id,
            appointment_id,
            label,
            days,
        )
        if expires_at is not None:  # otherwise the prefix was taken: draw again
            return Issued(text, prefix, expires_at)


async def is_live(connection: Connection, text: str) -> bool:
    """Whether this token would be accepted now."""
    presented = parse(text)
    return presented is not None and await connection.fetchval(
        "SELECT EXISTS (SELECT FROM token WHERE hash = $1 AND revoked_at IS NULL AND expires_at > now())",
        presented.hash,
    )


async def find_people(connection: Connection, name: str) -> list[UUID]:
    """The active people of this name; a name need not be unique."""
    rows = await connection.fetch("SELECT id FROM person WHERE name = $1 AND state = 'ACTIVE' ORDER BY id", name)
    return [row["id"] for row in rows]


async def revoke(connection: Connection, prefix: str) -> datetime | None:
    """End a token now, for every request that starts later; the time at which it ended, None if there is none such."""
    ended: datetime | None = await connection.fetchval(
        "UPDATE token SET revoked_at = coalesce(revoked_at, now()) WHERE prefix = $1 RETURNING revoked_at",
        prefix.removeprefix("sl_"),
    )
    return ended


async def list_all(connection: Connection) -> list[Listed]:
    """Every token ever issued, newest first, without its secret."""
    rows = await connection.fetch(
        """
        SELECT token.prefix, person.name AS person, appointment.role, token.label, token.created_at, token.expires_at,
               token.revoked_at, token.last_used_at, token.revoked_at IS NULL AND token.expires_at > now() AS live
        FROM token
        JOIN person ON person.id = token.person_id
        LEFT JOIN appointment ON appointment.id = token.appointment_id
        ORDER BY token.created_at DESC, token.prefix
        """
    )
    return [Listed(**row) for row in rows]


def _hash(text: str) -> bytes:
    # SECURITY: a plain hash is right here. The secret is 256 random bits: there is nothing to guess, so nothing for a
    # slow, salted hash to slow down; and being plain, it is found through a unique index, with no secret compared in
    # Python.
    return hashlib.sha256(text.encode("ascii")).digest()
