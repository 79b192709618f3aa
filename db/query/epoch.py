"""The epoch of access: the number that every change of tokens, people, posts, team members or the live policy raises.

Every read returns it beside its data, so that no answer is given under rights that have ended (`db/tables/access.py`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from db import tables as t
from db.query.statement import compile_statement

EPOCH = select(t.access_epoch.c.epoch)
_SQL = compile_statement(EPOCH).sql


async def read_epoch(connection: Any) -> int:
    """The epoch of the connection's snapshot. `connection`: anything with asyncpg's `fetchrow`, a `Pool` too."""
    row = await connection.fetchrow(_SQL)
    return int(row["epoch"])
