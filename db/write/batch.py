"""The writes of a command, held back and sent to the database together: one statement for as many as fit in one.

It checks no permission: what is written was locked under the policy before, or is checked afterwards (db/write/transaction.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, Table, Update, and_, bindparam, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate
from sqlalchemy.types import Text, TypeEngine

from db import tables as t
from db.lru_cache import LruCache
from db.query.statement import compile_statement
from db.resources.resource import Sql

# Long lists are written in several statements: each length of list is a text of its own that is cached here and on every connection.
MAX_VALUES = 1000


@dataclass(frozen=True)
class LatestVersion:
    """As a value: the version of a dispute after the writes before this one."""

    dispute_id: UUID | None


@dataclass(frozen=True)
class Lookup:
    """As a value: the result of a scalar sub-select over texts. `build` makes it of their parameters."""

    build: Callable[..., Sql]
    texts: tuple[str | None, ...]


class Write(NamedTuple):
    """What rows written together have in common. `incremented`: columns that go up by one; `raised`: those that take the value where it is
    more; `same_hand`: a flag that stays where `hand_id` is the value."""

    kind: str  # insert; insert_or_ignore: insert unless a unique rule has a row in its place; update
    table: Table
    names: tuple[str, ...]
    incremented: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    same_hand: tuple[str, ...] = ()


class _Place(NamedTuple):
    """Where the value of a parameter stands: which write, which row of it, which column, and which text of a `Lookup`."""

    write: int
    row: int
    name: str
    text: int


class _Compiled(NamedTuple):
    """The text of a batch and the places of its parameters' values, in their order."""

    sql: str
    places: tuple[_Place, ...]


_Rows = list[Mapping[str, Any]]
_CACHE: LruCache[_Compiled] = LruCache(5_000_000, lambda compiled: len(compiled.sql) + 300 * len(compiled.places))


class Batch:
    """Writes in the order in which they were added."""

    def __init__(self) -> None:
        self._writes: list[tuple[Write, _Rows]] = []
        self._keys: set[tuple[str, Any]] = set()
        self._values = 0

    def __bool__(self) -> bool:
        return bool(self._writes)

    @property
    def tables(self) -> list[str]:
        """The tables that it writes to."""
        return [write.table.name for write, _ in self._writes]

    def has_room(self, table: Table, key: Any) -> bool:
        """Whether a write to this row fits in: PostgreSQL changes a row only once in a statement."""
        return (table.name, key) not in self._keys and self._values < MAX_VALUES

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
        computed = tuple(
            (at, row, name, self._write_to(value.dispute_id) if isinstance(value, LatestVersion) else value.build)
            for at, (write, rows) in enumerate(self._writes)
            for row, values in enumerate(rows)
            for name in write.names
            if isinstance(value := values[name], LatestVersion | Lookup)
        )
        key = (tuple((*write, len(rows)) for write, rows in self._writes), computed)
        compiled = _CACHE.get(key, self._compile)
        return compiled.sql, [self._argument(place) for place in compiled.places]

    def _argument(self, place: _Place) -> Any:
        value = self._writes[place.write][1][place.row][place.name]
        if isinstance(value, Lookup):
            return value.texts[place.text]
        return value.dispute_id if isinstance(value, LatestVersion) else value

    def _write_to(self, dispute_id: UUID | None) -> int | None:
        """Which of the writes is to this dispute."""
        for at, (write, rows) in enumerate(self._writes):
            if write.table is t.dispute and any(values["id"] == dispute_id for values in rows):
                return at
        return None

    def _compile(self) -> _Compiled:
        places: dict[str, _Place] = {}
        ctes: list[CTE] = []
        for at, (write, rows) in enumerate(self._writes):

            def value(
                row: int,
                name: str,
                kind: TypeEngine[Any] | None = None,
                at: int = at,
                write: Write = write,
                rows: _Rows = rows,
            ) -> Sql:
                def bind(of: TypeEngine[Any], text: int = 0) -> Sql:
                    parameter = f"w{at}_{row}_{name}_{text}"
                    places[parameter] = _Place(at, row, name, text)
                    return bindparam(parameter, type_=of)

                plain = rows[row][name]
                if isinstance(plain, Lookup):
                    return plain.build(*(bind(Text(), text) for text in range(len(plain.texts))))
                if not isinstance(plain, LatestVersion):
                    return bind(write.table.c[name].type if kind is None else kind)
                changed = self._write_to(plain.dispute_id)
                source = t.dispute if changed is None else ctes[changed]
                return select(source.c.version).where(source.c.id == bind(source.c.id.type)).scalar_subquery()

            ctes.append(_statement(write, rows, value).cte(f"w{at}"))
        # Counted one after the other, so that they are carried out in this order.
        counts = (select(func.count()).select_from(cte).scalar_subquery().label(cte.name) for cte in ctes)
        compiled = compile_statement(select(*counts))
        return _Compiled(compiled.sql, tuple(places[name] for name in compiled.binds))


def _statement(
    write: Write, rows: Sequence[Mapping[str, Any]], value: Callable[..., Sql]
) -> ReturningInsert[Any] | ReturningUpdate[Any]:
    """One write as a statement that returns the keys, and the versions of disputes."""
    table = write.table
    returned = [table.c.id, *([table.c.version] if table is t.dispute else [])]
    if write.kind == "update":
        changed: dict[str, Any] = {name: value(0, name) for name in write.names}
        changed |= {name: table.c[name] + literal_column("1") for name in write.incremented}
        changed |= {name: func.greatest(table.c[name], value(0, name)) for name in write.raised}
        changed |= {
            name: and_(table.c[name], table.c.hand_id == value(0, name, t.dispute.c.hand_id.type))
            for name in write.same_hand
        }
        statement: Update = update(table).where(table.c.id == value(0, "id")).values(changed)
        return statement.returning(*returned)
    inserted: Insert = insert(table).values(
        [{name: value(row, name) for name in write.names} for row in range(len(rows))]
    )
    return (inserted.on_conflict_do_nothing() if write.kind == "insert_or_ignore" else inserted).returning(*returned)
