"""What every role sees of one dispute at a moment of its life, held against the policy's text (tests/laws/expected.py).

One request for each role asks for the dispute and each of its parts by id, and for the lists below it.
"""

import asyncio
from typing import Any
from uuid import UUID

from db.county.people import PRINCIPALS
from schema.node import snake
from tests.commands.office import Case, Office
from tests.laws.expected import Record, Rights, World, gid, key_of
from tests.laws.test_matrix import expected_cells, scalars, sorted_access

_PARTS = (
    "Party Assignment Measure Session Attendance Note Agreement Signature Confirmation Extension Obligation Performance FollowUp "
    "Referral Alert Assessment Escalation Recusal Opinion Visit Factor Event"
).split()
_ALL = ("Dispute", *_PARTS)
_PLACES = ("Area", "Organization", "Company", "Compound", "Person", "Appointment", "Mediator", "Team", "TeamMember", "AlertRule")
# The lists below a dispute, each plain.
_LISTS = {
    "parties": "Party", "assignments": "Assignment", "measures": "Measure", "sessions": "Session", "notes": "Note",
    "agreements": "Agreement", "obligations": "Obligation", "confirmations": "Confirmation", "extensions": "Extension",
    "followUps": "FollowUp", "referrals": "Referral", "alerts": "Alert", "assessments": "Assessment",
    "escalations": "Escalation", "recusals": "Recusal", "opinions": "Opinion", "visits": "Visit", "factors": "Factor",
}  # fmt: skip


class Onlookers:
    """All principals, looking at one dispute."""

    def __init__(self, office: Office, case: Case) -> None:
        self.office, self.case = office, case
        schema = office.desk.parts.schema
        texts = []
        for resource in _ALL:
            below = " ".join(f"{name} {{ id }}" for name in _LISTS) if resource == "Dispute" else ""
            cells = f"id {' '.join(scalars(schema, resource))} access {{ hidden masked }} {below}"
            texts.append(f"_{resource}: nodes(ids: $_{resource}) {{ ... on {resource} {{ {cells} }} }}")
        self._query = f"query({', '.join(f'$_{one}: [ID!]!' for one in _ALL)}) {{ {' '.join(texts)} }}"
        self._places: dict[str, dict[UUID, Record]] = {}
        self.cells = 0

    async def look(self) -> dict[str, Any]:
        """Hold every role's sight against the text; returns what each sees of the dispute itself, None for nothing."""
        world = await self._world()
        ids = {resource: [gid(resource, key) for key in world.rows[resource]] for resource in _ALL}
        import time; t0=time.monotonic()
        seen = await asyncio.gather(*(self._role(world, role, ids) for role in PRINCIPALS))
        print("LOOK", time.monotonic()-t0)
        return dict(zip(PRINCIPALS, seen, strict=True))

    async def _role(self, world: World, role: str, ids: dict[str, list[str]]) -> Any:
        name = PRINCIPALS[role]
        rights = Rights(world, world.posts(name))
        got = await self.office.desk.data(name, self._query, **{f"_{resource}": some for resource, some in ids.items()})
        itself = None
        for resource, identifier, cells in (
            (resource, *pair) for resource in _ALL for pair in zip(ids[resource], got[f"_{resource}"], strict=True)
        ):
            key = key_of(identifier)
            wanted = None
            if key in rights.ids(resource):
                wanted = expected_cells(self.office.desk, world, rights, resource, key)
            if cells is not None and resource == "Dispute":
                itself = cells
                for below, target in _LISTS.items():
                    listed = {one["id"] for one in cells[below]}
                    assert listed == {gid(target, one) for one in rights.ids(target)}, (role, below)
                cells = {name: cells[name] for name in cells if name not in _LISTS}
            assert (None if cells is None else sorted_access(cells)) == wanted, (role, identifier)
            self.cells += 1 if cells is None else len(cells)
        return itself

    async def _world(self) -> World:
        if not self._places:
            self._places = {name: await self._rows(f"SELECT * FROM {snake(name)}") for name in _PLACES}
        key = self.case.key
        rows = dict(self._places) | {"Dispute": await self._rows("SELECT * FROM dispute WHERE id = $1", key)}
        for name in _PARTS:
            rows[name] = await self._rows(f"SELECT * FROM {snake(name)} WHERE dispute_id = $1", key)
        today = await self.office.value("SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date")
        return World(rows, today)

    async def _rows(self, sql: str, *values: Any) -> dict[UUID, Record]:
        return {row["id"]: row for row in await self.office.rows(sql, *values)}
