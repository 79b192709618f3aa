"""On which parts of a dispute the guards of an action rest, read from their own expressions, so that no guard can forget to say it."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Table
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import Alias

from db import tables as t
from db.resources.catalog import RESOURCES
from db.resources.guards import Guard
from db.resources.resource import Row
from db.resources.transitions import transition_of

_PARTS = {resource.table: name for name, resource in RESOURCES.items() if resource.part}


@cache
def rests_on(resource: str, action: str) -> tuple[str, ...]:
    """The parts of a dispute whose rows the guards of the action look at, beside the row itself.

    Other disputes (`reopen`) and what belongs to none are not among them: that a dispute was reopened, and which policy is live, binds
    whoever may act on it.
    """
    found = (part for guard in transition_of(resource, action).guards for part in _looked_at(guard, resource))
    return tuple(sorted(set(found)))


def _looked_at(guard: Guard, resource: str) -> set[str]:
    at = RESOURCES[resource].table.alias()
    dispute = at if resource == "Dispute" else t.dispute.alias() if RESOURCES[resource].part else None
    found = list(visitors.iterate(guard.holds(Row(RESOURCES[resource], at, dispute))))
    aliases = {id(one): one.element for one in found if isinstance(one, Alias)}
    others = [table for key, table in aliases.items() if key not in (id(at), id(dispute))]
    plain = [one for one in found if isinstance(one, Table) and one not in list(aliases.values())]
    return {_PARTS[table] for table in (*others, *plain) if table in _PARTS}
