"""The callers of the laws: the principal of each role, people with special standing, and people with several appointments."""

from typing import Any
from uuid import UUID, uuid4

from db.county.people import ENDED, PRINCIPALS, SECOND_MEDIATOR, THREE_POSTS

# Invented for the laws: appointments whose scopes overlap, and whose claims must never mix.
SEVERAL: dict[str, tuple[str, ...]] = {
    "多职甲": ("court", "police"),
    "多职乙": ("grid_worker", "analyst", "legal_adviser"),
    "多职丙": ("justice_office", "mediator", "centre_staff"),
    "多职丁": ("bureau_admin", "auditor"),
}

# Those of EVERYONE whose rights are made in different ways.
TYPICAL = (*PRINCIPALS.values(), THREE_POSTS, *list(SEVERAL)[:3])
EVERYONE = (*PRINCIPALS.values(), THREE_POSTS, SECOND_MEDIATOR, ENDED, *SEVERAL)


async def appoint_several(connection: Any) -> None:
    """Give the people of SEVERAL the appointments of the principals of their roles, in another town where there is one."""
    for name, roles in SEVERAL.items():
        person = await connection.fetchval("INSERT INTO person (name) VALUES ($1) RETURNING id", name)
        for role in roles:
            await connection.execute(
                """
                INSERT INTO appointment (role, valid_from, person_id, organization_id, area_code)
                SELECT a.role, '2022-01-01', $1, a.organization_id, a.area_code
                  FROM appointment a JOIN person p ON p.id = a.person_id
                 WHERE a.role = $2 AND ($2 = 'centre_staff' OR p.name <> $3)
                   AND a.valid_from <= current_date AND a.valid_to IS NULL
                 ORDER BY $2 IN ('court', 'police') AND p.name = $3 DESC, a.area_code, a.id LIMIT 1
                """,
                person,
                role,
                PRINCIPALS[role] if role not in ("court", "police", "analyst", "auditor") else "",
            )
            if role == "mediator":
                await assist(connection, person, 3)


async def assist(connection: Any, person: UUID, count: int) -> None:
    """Register the person as a mediator and assign them beside the lead in some disputes that are not archived."""
    await connection.execute(
        "INSERT INTO mediator (id, hired_as, full_time, qualified_on, person_id, organization_id)"
        " SELECT $1, 'MEMBER', false, '2022-01-01', $2, organization_id FROM mediator LIMIT 1",
        uuid4(),
        person,
    )
    await connection.execute(
        "INSERT INTO assignment (dispute_id, dispute_registered_at, person_id, is_lead, mode, assigned_at)"
        " SELECT id, registered_at, $1, false, 'APPOINTED', registered_at FROM dispute WHERE state <> 'ARCHIVED'"
        " ORDER BY md5(id::text) LIMIT $2",
        person,
        count,
    )
