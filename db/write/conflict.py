"""The conflict report: what others changed since the version that a caller has, over the fields that they read in clear."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, bindparam, cast, select
from sqlalchemy.types import Text, Uuid

from db import tables as t
from db.resources.aliases import alias
from db.resources.catalog import RESOURCES
from db.write.command import Conflict, Difference, VersionConflict
from db.write.transaction import UnitOfWork


async def check_version(work: UnitOfWork, dispute: Mapping[str, Any] | None, expected: int | None, input: Any) -> None:
    """Raises VersionConflict where the dispute has moved on from the version that the caller has."""
    if expected is None or dispute is None or dispute["version"] == expected:
        return
    raise VersionConflict(Conflict(expected, dispute["version"], await _differences(work, dispute, expected, input)))


_CHANGES = (
    select(cast(t.event.c.changes, Text).label("changes"), t.event.c.dispute_version)
    .where(
        t.event.c.dispute_id == bindparam("of", type_=Uuid()),
        t.event.c.dispute_version.is_not(None),
        t.event.c.changes.is_not(None),
    )
    .order_by(t.event.c.dispute_version, t.event.c.at)
)


async def _differences(
    work: UnitOfWork, dispute: Mapping[str, Any], expected: int, input: Any
) -> tuple[Difference, ...]:
    base: dict[str, str | None] = {}
    changed: dict[str, None] = {}
    for row in await work.fetch(_CHANGES, {"of": dispute["id"]}):
        for kind, _, name, value in json.loads(row["changes"]):
            if kind != "Dispute":
                continue
            if row["dispute_version"] <= expected:
                base[name] = value
            else:
                changed[name] = None
    readable = await _readable(work, dispute, tuple(name for name in changed if name in RESOURCES["Dispute"].fields))
    yours = {field.name: getattr(input, field.name) for field in dataclasses.fields(input)}
    return tuple(
        Difference(name, base.get(name), None if yours.get(name) is None else str(yours[name]), theirs)
        for name, theirs in readable.items()
    )


async def _readable(work: UnitOfWork, dispute: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str | None]:
    """SECURITY: the present values of the fields that the caller reads in clear on this dispute, and of no other."""
    if not names:
        return {}

    def make() -> Select[Any]:
        resource = RESOURCES["Dispute"]
        row, where = work.visibility.row(resource, alias(resource.table))
        grant = work.actor.access.grant("Dispute")
        columns: list[Any] = []
        for index, name in enumerate(names):
            columns.append(
                work.visibility.where(grant.field(resource.fields[name].policy).clear, row).label(f"c{index}")
            )
            columns.append(cast(resource.fields[name].value(row), Text).label(f"v{index}"))
        wanted = row["id"] == bindparam("of", type_=Uuid())
        return select(*columns).select_from(where).where(wanted, work.visibility.visible(row))

    rows = await work.fetch_for_caller(("readable", names), make, {"of": dispute["id"]})
    if not rows:
        return {}
    return {name: rows[0][f"v{i}"] for i, name in enumerate(names) if rows[0][f"c{i}"]}
