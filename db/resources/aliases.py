"""Aliases of tables that statements share: SQLAlchemy copies every column of a table into each alias of it, a quarter of the time that a
statement took to be made, so an alias is made once and used again by the next statement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Table
from sqlalchemy.sql.selectable import NamedFromClause

_made: dict[Table, list[NamedFromClause[Any]]] = defaultdict(list)
_used: ContextVar[dict[Table, int] | None] = ContextVar("used_aliases", default=None)


@contextmanager
def shared_aliases() -> Iterator[None]:
    """Within it `alias` takes aliases that earlier statements used. For the making of one whole statement, compiling included."""
    token = _used.set(defaultdict(int))
    try:
        yield
    finally:
        _used.reset(token)


def alias(table: Table) -> NamedFromClause[Any]:
    """An alias of the table that nothing else in the statement has; a new one where no statement is being made (`shared_aliases`)."""
    used = _used.get()
    if used is None:
        return table.alias()
    made, number = _made[table], used[table]
    used[table] = number + 1
    if number == len(made):
        made.append(table.alias())
    return made[number]
