"""Mediation sessions, the organizations that were present, and the notes."""

from __future__ import annotations

from sqlalchemy import Uuid, exists, literal_column, select
from sqlalchemy.types import Boolean

from db import tables as t
from db.resources.aliases import alias
from db.resources.attributes import column, key_set, truth
from db.resources.declaration import Derived
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE, one, part
from db.resources.resource import Row, Sql


def _attended(row: Row, value: Sql) -> Sql:
    """The organization was at the session: at the row itself, or at the one that the row belongs to."""
    at = alias(t.attendance)
    key = row["session_id"] if row.resource.name in ("Note", "Attendance") else row["id"]
    return exists(
        select(literal_column("1"))
        .select_from(at)
        .where(at.c.session_id == key, at.c.organization_id == value)
        .correlate_except(at)
    )


SESSION = declare_part(
    "Session",
    "调解",
    t.session,
    order="held_at",
    relations=[
        IN_DISPUTE,
        part("notes", "Note", "session_id", "recorded_at"),
        part("attendances", "Attendance", "session_id"),
    ],
    attributes=[
        truth("is_joint", "多部门联合调解", lambda row: row["is_joint"]),
        key_set("attending_organization_ids", "到场单位", _attended),
    ],
)

ATTENDANCE = declare_part(
    "Attendance",
    "到场单位",
    t.attendance,
    order="id",
    relations=[
        one("session", "Session", "session_id", same_dispute=True),
        one("organization", "Organization", "organization_id"),
    ],
    attributes=[
        column("organization_id", "到场单位", Uuid()),
        key_set("attending_organization_ids", "同会到场单位", _attended),
    ],
    # A row of pure links: that the organization was there is the fact.
    derived={"present": Derived("public", "到场", Boolean(), lambda row: literal_column("true"))},
)

NOTE = declare_part(
    "Note",
    "工作记录",
    t.note,
    order="recorded_at",
    relations=[
        IN_DISPUTE,
        one("session", "Session", "session_id", same_dispute=True),
        one("author", "Person", "author_id"),
    ],
    attributes=[
        column("visibility", "知悉范围"),
        column("author_id", "记录人", Uuid()),
        key_set("attending_organization_ids", "该次调解的到场单位", _attended),
    ],
)
