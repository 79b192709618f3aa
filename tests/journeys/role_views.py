"""What every role sees of one dispute at a moment of its life, held against the policy's text (tests/laws/visibility_oracle.py).

One request for each role asks for the dispute and each of its parts by id, for the lists below it, and for its timeline.
"""

import asyncio
import json
from typing import Any
from uuid import UUID

from db.county.people import PRINCIPALS
from db.resources.catalog import RESOURCES
from schema.names import snake
from tests.laws.expected_cells import columns_of, expected_cells, scalars, sorted_access
from tests.laws.visibility_oracle import ZONE, Record, Rights, Snapshot, camel, global_id, key_of
from tests.office import Case, Office

_PARTS = (
    "Party Assignment Measure Session Attendance Note Agreement Signature Confirmation Extension Obligation Performance FollowUp "
    "Referral Alert Assessment Escalation Recusal Opinion Visit Factor Event"
).split()
_PLACES = (
    "Area",
    "Organization",
    "Company",
    "Compound",
    "Person",
    "Appointment",
    "Mediator",
    "Team",
    "TeamMember",
    "AlertRule",
)
# The lists below a dispute, each plain.
_LISTS = {
    "parties": "Party", "assignments": "Assignment", "measures": "Measure", "sessions": "Session", "notes": "Note",
    "agreements": "Agreement", "obligations": "Obligation", "confirmations": "Confirmation", "extensions": "Extension",
    "followUps": "FollowUp", "referrals": "Referral", "alerts": "Alert", "assessments": "Assessment",
    "escalations": "Escalation", "recusals": "Recusal", "opinions": "Opinion", "visits": "Visit", "factors": "Factor",
}  # fmt: skip
_ALL = ("Dispute", *_PARTS)
_BELOW = {*_LISTS, "timeline"}
_NOTHING = UUID(int=1)
_TIMELINE = " timeline { action fromState toState changes { resource field value } }"


class RoleViews:
    """All principals, looking at one dispute."""

    def __init__(self, office: Office, case: Case) -> None:
        self.office, self.case = office, case
        schema = office.gql.services.schema
        texts = []
        for resource in _ALL:
            below = " ".join(f"{name} {{ id }}" for name in _LISTS) + _TIMELINE if resource == "Dispute" else ""
            cells = f"id {' '.join(scalars(schema, resource))} access {{ hidden masked }} {below}"
            texts.append(f"_{resource}: nodes(ids: $_{resource}) {{ ... on {resource} {{ {cells} }} }}")
        self._query = f"query({', '.join(f'$_{one}: [ID!]!' for one in _ALL)}) {{ {' '.join(texts)} }}"
        self._places: dict[str, dict[UUID, Record]] = {}
        self.cells = 0

    async def look(self) -> dict[str, Any]:
        """Compare what every role sees with the text of the policy; returns what each sees of the dispute itself, None for nothing."""
        snapshot = await self._world()
        # Of each type also one that does not exist: it is null like one that is not visible, and every response has the same shape.
        ids = {
            resource: [global_id(resource, key) for key in (*snapshot.rows[resource], _NOTHING)] for resource in _ALL
        }
        seen = await asyncio.gather(*(self._role(snapshot, role, ids) for role in PRINCIPALS))
        return dict(zip(PRINCIPALS, seen, strict=True))

    async def _role(self, snapshot: Snapshot, role: str, ids: dict[str, list[str]]) -> Any:
        name = PRINCIPALS[role]
        rights = Rights(snapshot, snapshot.appointments(name))
        got = await self.office.gql.data(name, self._query, **{f"_{resource}": some for resource, some in ids.items()})
        itself = None
        for resource in _ALL:
            for identifier, cells in zip(ids[resource], got[f"_{resource}"], strict=True):
                key, shown, wanted = key_of(identifier), None, None
                if key in rights.ids(resource):
                    wanted = expected_cells(self.office.gql, snapshot, rights, resource, key)
                if cells is not None:
                    shown = sorted_access({name: cells[name] for name in cells if name not in _BELOW})
                assert shown == wanted, (role, identifier)
                self.cells += len(shown or "1")
                if cells is not None and resource == "Dispute":
                    itself = cells
        if itself is not None:
            for below, target in _LISTS.items():
                listed = {one["id"] for one in itself[below]}
                assert listed == {global_id(target, one) for one in rights.ids(target)}, (role, below)
            assert itself["timeline"] == self._timeline(snapshot, rights), role
        return itself

    def _timeline(self, snapshot: Snapshot, rights: Rights) -> list[dict[str, Any]]:
        """What the role should be told of what was done: of rows that it sees, and only values that it reads in clear."""

        def reads(resource: str, key: UUID, cell: str) -> bool:
            if resource not in _ALL or key not in rights.ids(resource):
                return False
            columns = {
                column: (kind, how)
                for column, kind, how in columns_of(self.office.gql.services.schema, resource).values()
            }
            kind, how = columns.get(cell, (None, None))
            return kind is not None and how != "stored" and rights.visibility(resource)[key].get(kind) == "clear"

        entries = []
        for event in sorted(snapshot.rows["Event"].values(), key=lambda one: (one["at"], one["id"])):
            about, key = event["resource"], event["resource_id"]
            if about not in _ALL or key not in rights.ids(about):
                continue
            state = reads("Dispute", self.case.key, "state") and (
                "state" not in RESOURCES[about].fields or reads(about, key, "state")
            )
            changes = [(kind, UUID(of), cell, value) for kind, of, cell, value in json.loads(event["changes"] or "[]")]
            entries.append(
                {
                    "action": event["action"],
                    "fromState": event["from_state"] if state else None,
                    "toState": event["to_state"] if state else None,
                    "changes": [
                        {"resource": kind, "field": camel(cell), "value": value}
                        for kind, of, cell, value in changes
                        if reads(kind, of, cell)
                    ],
                }
            )
        return entries

    async def _world(self) -> Snapshot:
        if not self._places:
            self._places = {name: await self._rows(f"SELECT * FROM {snake(name)}") for name in _PLACES}
        key = self.case.key
        rows = dict(self._places) | {"Dispute": await self._rows("SELECT * FROM dispute WHERE id = $1", key)}
        for name in _PARTS:
            rows[name] = await self._rows(f"SELECT * FROM {snake(name)} WHERE dispute_id = $1", key)
        today = await self.office.value(f"SELECT (now() AT TIME ZONE '{ZONE.key}')::date")
        return Snapshot(rows, today)

    async def _rows(self, sql: str, *values: Any) -> dict[UUID, Record]:
        return {row["id"]: row for row in await self.office.rows(sql, *values)}
