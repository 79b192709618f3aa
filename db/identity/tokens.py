"""Bearer tokens: issued, listed, revoked, and looked up with all that decides what their holders may do.

A token reads `sl_<prefix>_<secret>`. The prefix names it in lists and logs; the secret is shown once and never stored. What a policy makes
of a holder's posts is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import FromClause, LargeBinary, and_, bindparam, func, or_, select
from sqlalchemy.types import Text

from db import tables as t
from db.identity.appointments import claims_of, is_active, next_change, posts_in_force
from db.postgres.pool import Pool
from db.query.epoch import EPOCH
from db.query.statement import Statement, compile_statement, json_list
from db.resources.resource import Sql, today
from db.tables.policy import LIVE_VERSION
from policies.grant import Appointment

_ALPHABET = string.ascii_lowercase + string.digits
_PREFIX_LENGTH = 8
_SECRET_BYTES = 32  # 43 characters
_FORM = re.compile(r"sl_([a-z0-9]{8})_[A-Za-z0-9_-]{43}")

# Anything with asyncpg's `fetch` and `fetchrow`: a connection, or one taken from a pool.
Connection = Any


@dataclass(frozen=True)
class ParsedToken:
    """A token of the right form: only what is needed to look it up."""

    prefix: str
    hash: bytes = field(repr=False)


@dataclass(frozen=True)
class IssuedToken:
    """A new token. `text` exists only here: it must be shown to its holder now."""

    text: str = field(repr=False)
    prefix: str
    expires_at: datetime


@dataclass(frozen=True)
class ListedToken:
    """A token as a list shows it. `role` is None when it stands for all appointments of the person."""

    prefix: str
    person: str
    role: str | None
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    valid: bool


@dataclass(frozen=True)
class ValidToken:
    """A token that is accepted now. `appointment_id` is None when it stands for all appointments of the person."""

    prefix: str
    label: str
    person_id: UUID
    appointment_id: UUID | None


@dataclass(frozen=True)
class TokenHolder:
    """What one snapshot says of a valid token: the holder, the posts in force that the token stands for, and what they rest on.

    `policy_version` is None where no policy is live. `changes_at`: when the holder's posts or memberships next begin or end, if they do.
    """

    epoch: int
    policy_version: int | None
    person_id: UUID
    prefix: str
    expires_at: datetime
    changes_at: datetime | None
    appointments: tuple[Appointment, ...]


def _is_valid(token: FromClause) -> Sql:
    """Whether a token is neither revoked nor expired."""
    return and_(token.c.revoked_at.is_(None), token.c.expires_at > func.now())


def parse(text: str) -> ParsedToken | None:
    """Recognise a token by its form; None if it cannot be one. Whether it is valid, only the database knows."""
    form = _FORM.fullmatch(text)
    return ParsedToken(form[1], hash_of(text)) if form else None


def hash_of(text: str) -> bytes:
    """The SHA-256 of a token, 32 bytes: what the database holds of it."""
    # SECURITY: a plain hash is right here. The secret is 256 random bits: there is nothing to guess, so nothing for a
    # slow, salted hash to slow down; and being plain, it is found through a unique index, with no secret compared in
    # Python.
    return hashlib.sha256(text.encode()).digest()


# -- the look-up of every request that brings a token not in the cache


def _look_up() -> Statement:
    """One statement, one snapshot: the token's holder, the posts in force with their teams, the epoch and the live version."""
    token, person, appointment = t.token.alias(), t.person.alias(), t.appointment.alias()
    posts = (
        posts_in_force(appointment, today())
        .where(
            appointment.c.person_id == token.c.person_id,
            or_(token.c.appointment_id.is_(None), appointment.c.id == token.c.appointment_id),
        )
        .order_by(appointment.c.role, appointment.c.area_code, appointment.c.id)
        .correlate(token)
    )
    return compile_statement(
        select(
            EPOCH.scalar_subquery().label("epoch"),
            LIVE_VERSION.scalar_subquery().label("policy_version"),
            token.c.person_id,
            token.c.expires_at,
            token.c.prefix,
            and_(_is_valid(token), is_active(person)).label("valid"),
            json_list(posts).scalar_subquery().label("appointments"),
            next_change(token.c.person_id, today()).scalar_subquery().label("changes_at"),
        )
        .select_from(token.join(person, person.c.id == token.c.person_id))
        .where(token.c.hash == bindparam("hash", type_=LargeBinary()))
    )


_LOOK_UP = _look_up()


async def look_up(pool: Pool, text: str) -> TokenHolder | None:
    """The holder of a token, None for a token that is unknown, expired or revoked, or whose holder is suspended."""
    # SECURITY: only the hash is compared, in the database, by an index: the time taken tells nothing about a token.
    row = await pool.fetchrow(_LOOK_UP.sql, [hash_of(text)])
    if row is None or not row["valid"]:
        return None
    appointments = tuple(_appointment(post) for post in orjson.loads(row["appointments"]))
    return TokenHolder(
        row["epoch"],
        row["policy_version"],
        row["person_id"],
        row["prefix"],
        row["expires_at"],
        row["changes_at"],
        appointments,
    )


def _appointment(post: dict[str, Any]) -> Appointment:
    claims = claims_of(
        UUID(post["person_id"]),
        UUID(post["organization_id"]),
        post["area_code"],
        [UUID(one) for one in post["team_ids"]],
    )
    return Appointment(post["role"], claims)


_NOTE_USE = "UPDATE token SET last_used_at = greatest(last_used_at, now()) WHERE prefix = $1"


async def note_use(pool: Pool, prefix: str) -> None:
    """Record that a token was used now."""
    await pool.fetchrow(_NOTE_USE, [prefix])


# -- valid tokens by themselves

_VALID = select(t.token.c.prefix, t.token.c.label, t.token.c.person_id, t.token.c.appointment_id).where(
    _is_valid(t.token)
)
_ALL_VALID = compile_statement(_VALID.order_by(t.token.c.prefix))
_VALID_BY_PREFIX = compile_statement(_VALID.where(t.token.c.prefix == bindparam("prefix", type_=Text())))
_VALID_BY_HASH = compile_statement(_VALID.where(t.token.c.hash == bindparam("hash", type_=LargeBinary())))


async def list_valid(connection: Connection) -> list[ValidToken]:
    """The tokens that are accepted now, by prefix."""
    return [ValidToken(**row) for row in await connection.fetch(_ALL_VALID.sql)]


async def find_valid(connection: Connection, prefix: str) -> ValidToken | None:
    """The token of a prefix; None where none is valid."""
    row = await connection.fetchrow(_VALID_BY_PREFIX.sql, prefix)
    return None if row is None else ValidToken(**row)


async def is_valid(connection: Connection, text: str) -> bool:
    """Whether this token would be accepted now."""
    parsed = parse(text)
    return parsed is not None and await connection.fetchrow(_VALID_BY_HASH.sql, parsed.hash) is not None


# -- issued, listed, revoked


async def issue(
    connection: Connection, *, person_id: UUID, appointment_id: UUID | None = None, label: str, days: int
) -> IssuedToken:
    """Issue a token for a person, or for one appointment only. Raises asyncpg's error for an unknown person."""
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
            hash_of(text),
            person_id,
            appointment_id,
            label,
            days,
        )
        if expires_at is not None:  # otherwise the prefix was taken: draw again
            return IssuedToken(text, prefix, expires_at)


async def revoke(connection: Connection, prefix: str) -> datetime | None:
    """End a token now, for every request that starts later; the time at which it ended, None if there is none such."""
    ended: datetime | None = await connection.fetchval(
        "UPDATE token SET revoked_at = coalesce(revoked_at, now()) WHERE prefix = $1 RETURNING revoked_at",
        prefix.removeprefix("sl_"),
    )
    return ended


_LIST = compile_statement(
    select(
        *(t.token.c[name] for name in ("prefix", "label", "created_at", "expires_at", "revoked_at", "last_used_at")),
        t.person.c.name.label("person"),
        t.appointment.c.role,
        _is_valid(t.token).label("valid"),
    )
    .select_from(
        t.token.join(t.person, t.person.c.id == t.token.c.person_id).outerjoin(
            t.appointment, t.appointment.c.id == t.token.c.appointment_id
        )
    )
    .order_by(t.token.c.created_at.desc(), t.token.c.prefix)
)


async def list_all(connection: Connection) -> list[ListedToken]:
    """Every token ever issued, newest first, without its secret."""
    return [ListedToken(**row) for row in await connection.fetch(_LIST.sql)]
