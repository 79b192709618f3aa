"""The working-day calendar as the database holds it."""

from typing import Any

from db.clocks import Calendar


async def calendar_of(connection: Any) -> Calendar:
    """The calendar: the week's rule with the days that differ from it."""
    rows = await connection.fetch("SELECT day, works FROM calendar_day")
    return Calendar({row["day"]: row["works"] for row in rows})
