"""The writes of a command, held back and brought to the database together: one statement for as many as can stand in one.

It asks nobody for permission: what is written was taken under the policy before, or is looked at behind (db/write/transaction.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, Table, bindparam, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.types import Text

from db import tables as t
from db.lru_cache import LruCache
from db.query.statement import compile_statement
from db.resources.resource import Sql

# Long lists are written in several statements: each length of list is a text of its own that is kept here and on every connection.
MOST_VALUES = 1000


@dataclass(frozen=True)
class Latest:
    """As a value: the version that a dispute has by then."""

    dispute_id: UUID | None


@dataclass(frozen=True)
class Found:
    """As a value: what a sub-select finds for texts. `of` makes it of their parameters."""

    of: Callable[..., Sql]
    texts: tuple[str | None, ...]


class Write(NamedTuple):
    """What rows written together have in common. `raised`: columns that go up by one."""

    kind: str  # insert; insert_or_ignore: insert unless a unique rule has a row in its place; update
    table: Table
    names: tuple[str, ...]
    raised: tuple[str, ...] = ()


class _Made(NamedTuple):
    """A compiled batch. `places`: where the value of each parameter is, as (write, row, column, which of its texts)."""

    sql: str
    places: tuple[tuple[int, int, str, int], ...]


_CACHE: LruCache[_Made] = LruCache(1000)


class Batch:
    """Writes in the order in which they were given."""

    def __init__(self) -> None:
        self._writes: list[tuple[Write, list[Mapping[str, Any]]]] = []
        self._keys: set[tuple[str, Any]] = set()
        self._values = 0

    def __bool__(self) -> bool:
        return bool(self._writes)

    @property
    def tables(self) -> list[str]:
        """The tables that it writes to."""
        return [write.table.name for write, _ in self._writes]

    def takes(self, table: Table, key: Any) -> bool:
        """Whether there is room for a write to this row: PostgreSQL changes a row only once in a statement."""
        return (table.name, key) not in self._keys and self._values < MOST_VALUES

    def add(self, write: Write, values: Mapping[str, Any]) -> None:
        """One more row. `values`: those of `write.names` and the key `id`."""
        if not self._writes or self._writes[-1][0] != write or write.kind == "update":
            self._writes.append((write, []))
        self._writes[-1][1].append(values)
        self._keys.add((write.table.name, values["id"]))
        self._values += len(values)

    def statement(self) -> tuple[str, list[Any]]:
        """The SQL text of all of it, and its values."""
        # SECURITY: none of the values is in the text, nor does it depend on a policy: the same writes are the same for everybody.
        worked_out = tuple(
            (at, row, name, self._written(value.dispute_id) if isinstance(value, Latest) else value.of)
            for at, (write, rows) in enumerate(self._writes)
            for row, values in enumerate(rows)
            for name in write.names
            if isinstance(value := values[name], Latest | Found)
        )
        key = (tuple((*write, len(rows)) for write, rows in self._writes), worked_out)
        made = _CACHE.get(key, self._make)
        return made.sql, [_given(self._writes[at][1][row][name], text) for at, row, name, text in made.places]

    def _written(self, dispute_id: UUID | None) -> int | None:
        """Which of the writes is to this dispute."""
        for at, (write, rows) in enumerate(self._writes):
            if write.table is t.dispute and any(values["id"] == dispute_id for values in rows):
                return at
        return None

    def _make(self) -> _Made:
        places: dict[str, tuple[int, int, str, int]] = {}
        made: list[CTE] = []
        for at, (write, rows) in enumerate(self._writes):

            def value(row: int, name: str, at: int = at, write: Write = write, rows: Any = rows) -> Sql:
                def bind(kind: Any, text: int = 0) -> Sql:
                    bound = f"w{at}_{row}_{name}_{text}"
                    places[bound] = (at, row, name, text)
                    return bindparam(bound, type_=kind)

                given = rows[row][name]
                if isinstance(given, Found):
                    return given.of(*(bind(Text(), text) for text in range(len(given.texts))))
                if not isinstance(given, Latest):
                    return bind(write.table.c[name].type)
                written = self._written(given.dispute_id)
                of = t.dispute if written is None else made[written]
                return select(of.c.version).where(of.c.id == bind(of.c.id.type)).scalar_subquery()

            made.append(_write(write, rows, value).cte(f"w{at}"))
        # Counted one after the other, so that they are carried out in this order.
        counted = (select(func.count()).select_from(one).scalar_subquery().label(one.name) for one in made)
        compiled = compile_statement(select(*counted))
        return _Made(compiled.sql, tuple(places[name] for name in compiled.binds))


def _given(value: Any, text: int) -> Any:
    if isinstance(value, Found):
        return value.texts[text]
    return value.dispute_id if isinstance(value, Latest) else value


def _write(write: Write, rows: list[Mapping[str, Any]], value: Any) -> Any:
    table = write.table
    back = [table.c.id, *([table.c.version] if table is t.dispute else [])]
    if write.kind == "update":
        changed = {name: value(0, name) for name in write.names}
        changed |= {name: table.c[name] + literal_column("1") for name in write.raised}
        return update(table).where(table.c.id == value(0, "id")).values(changed).returning(*back)
    made = insert(table).values([{name: value(row, name) for name in write.names} for row in range(len(rows))])
    return (made.on_conflict_do_nothing() if write.kind == "insert_or_ignore" else made).returning(*back)
