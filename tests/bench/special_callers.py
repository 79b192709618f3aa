"""Two people whom growth may hurt most, added to the benchmark's county: `few` sees 20 disputes of all, `three` has three appointments.

`few` is a mediator like any other, so every contestant can answer. What `three` sees is the union of three scopes, which only the
product can answer: its peers here have one rule a caller.
"""

from typing import Any
from uuid import UUID

from db.county import scale

FEW, THREE = "few", "three"
SPECIAL = (FEW, THREE)
MARK = "be9c0000"  # how their identifiers begin

# Who, by which name, and how many disputes they mediate.
_PEOPLE = {
    FEW: (UUID(f"{MARK}-0000-8000-8000-000000000001"), "示例新手", 20),
    THREE: (UUID(f"{MARK}-0000-8000-8000-000000000002"), "示例多职", 100),
}

_TOWN = "SELECT area_code, id FROM organization WHERE kind = 'COMMITTEE' ORDER BY area_code DESC LIMIT 1"
_GRID = "SELECT code FROM area WHERE level = 'GRID' AND code LIKE '371525001%' ORDER BY code LIMIT 1"
_OFFICE = "SELECT id FROM organization WHERE kind = 'JUSTICE_OFFICE' AND area_code = $1 LIMIT 1"
# A dispute that may still be given parts, from a number on.
_NEXT = "SELECT id, registered_at FROM dispute WHERE id >= $1 AND state IN ('CLOSED', 'FAILED') ORDER BY id LIMIT 1"
_APPOINT = "INSERT INTO appointment (role, valid_from, person_id, organization_id, area_code) VALUES ($1, '2012-06-01', $2, $3, $4)"


async def appoint(connection: Any, who: str, rows: int) -> tuple[UUID, UUID | None]:
    """The person, made if need be, with disputes from everywhere in the county; and the one appointment that a token is for."""
    key, name, cases = _PEOPLE[who]
    async with connection.transaction():
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM person WHERE id = $1)", key):
            town, committee = await connection.fetchrow(_TOWN)
            await connection.execute("INSERT INTO person (id, name, state) VALUES ($1, $2, 'ACTIVE')", key, name)
            await connection.execute(
                "INSERT INTO mediator (hired_as, full_time, qualified_on, person_id, organization_id) VALUES ('HIRED', true, '2012-06-01', $1, $2)",
                key,
                committee,
            )
            await connection.execute(_APPOINT, "mediator", key, committee, town)
            if who == THREE:
                office = await connection.fetchval(_OFFICE, town)
                await connection.execute(_APPOINT, "grid_worker", key, committee, await connection.fetchval(_GRID))
                await connection.execute(_APPOINT, "justice_office", key, office or committee, town)
            for number in range(cases):
                start = scale.identifier("dispute", 1 + number * (rows - 50) // cases)
                dispute = await connection.fetchrow(_NEXT, start)
                await connection.execute(
                    "INSERT INTO assignment (dispute_id, dispute_registered_at, person_id, is_lead, mode, assigned_at)"
                    " VALUES ($1, $2, $3, false, 'APPOINTED', $2) ON CONFLICT DO NOTHING",
                    dispute["id"],
                    dispute["registered_at"],
                    key,
                )
        one = await connection.fetchval("SELECT id FROM appointment WHERE person_id = $1 AND role = 'mediator'", key)
    return key, one if who == FEW else None
