"""What tells a caller of a value that they may not read is recorded before it is told, and rationed: reveals, and hits of a comparison.

Whoever may compare a value of their own with a hidden one could find it by trying. So the answer "equal" (`Told`) is one reveal: it is
given only once its event is stored, and who has been told enough today compares nothing. "Not equal" is an event too, that of the command
which then succeeds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ClauseElement, bindparam, func, literal_column, select
from sqlalchemy.types import DateTime, Text, Uuid

from db import tables as t
from db.calendar import day_of, start_of
from db.write.command import Refused, UserError

Fetch = Callable[[ClauseElement, Mapping[str, Any]], Awaitable[list[Any]]]

# A house rule: a mediator draws up a few documents a day; more than that needs an explanation.
DAILY_QUOTA = 20
# The actions of the events that count.
REVEAL, MATCH = "party.reveal", "party.match"

_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("lock", type_=Text()), literal_column("0"))))
_USED = select(func.count().label("used")).where(
    t.event.c.actor_id == bindparam("me", type_=Uuid()),
    t.event.c.action.in_([literal_column(f"'{action}'") for action in (REVEAL, MATCH)]),
    t.event.c.at >= bindparam("since", type_=DateTime(timezone=True)),
)


async def ration(fetch: Fetch, person_id: UUID, now: dt.datetime) -> None:
    """Before a disclosure or a comparison, whatever comes of it. Raises Refused where the person has been told enough on this day of the
    county. One person's disclosures wait for each other. `fetch`: of their unit of work."""
    await fetch(_LOCK, {"lock": f"reveal {person_id}"})
    used = int((await fetch(_USED, {"since": start_of(day_of(now))}))[0]["used"])
    if used >= DAILY_QUOTA:
        message = f"今日查看、核对当事人信息已满 {DAILY_QUOTA} 次，请明日再办。"
        raise Refused(UserError("", "QUOTA", message))
