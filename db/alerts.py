"""Alerts: opened by commands and by the daily look, one for a subject of a rule at a time; closed only with a note."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.types import Text

from db import tables as t
from db.desk import Desk

_RULE = select(t.alert_rule.c.label, t.alert_rule.c.level).where(
    t.alert_rule.c.rule == bindparam("rule", type_=Text()), t.alert_rule.c.enabled
)


async def open_alert(
    desk: Desk, rule: str, dispute_id: UUID, *, subject: str, at: dt.datetime, message: str | None = None, **about: Any
) -> None:
    """Open an alert of an enabled rule, unless one for this subject is open. `about`: compound_id, company_id, due_on."""
    found = await desk.fetch(_RULE, {"rule": rule})
    if not found:
        return
    await desk.offer(
        t.alert,
        dispute_id=dispute_id,
        subject=subject,
        rule=rule,
        level=found[0]["level"],
        message=message or found[0]["label"],
        opened_at=at,
        **about,
    )
