"""The epoch of access: the number that every change of tokens, people, posts, team members or the live policy raises.

Every read returns it beside its data, so that no answer is given under rights that have ended (`db/tables/access.py`).
"""

from __future__ import annotations

from sqlalchemy import select

from db import tables as t
from db.postgres.connection import Connection
from db.postgres.pool import Pool
from db.query.statement import compile_statement

EPOCH = select(t.access_epoch.c.epoch)
EPOCH_SQL = compile_statement(EPOCH).sql


async def read_epoch(connection: Connection | Pool) -> int:
    """The epoch of the connection's snapshot, or of now for a pool."""
    row = await connection.fetchrow(EPOCH_SQL)
    assert row is not None  # the table has one row
    return int(row["epoch"])
