"""Keyset pagination in SQL: the order with its last key, cursors, and the rows beyond a cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, cast, false, func, literal_column, or_, tuple_
from sqlalchemy.types import Text

from db.query import plan as p
from db.resources.resource import Resource, Sql, json_value

# The most rows of a page.
MAX_PAGE = 200

# The column of a key of the order, by name.
Keys = Callable[[str], Sql]


def keys_of(page: p.Page) -> tuple[p.Order, ...]:
    """The order with its last key, the id, in the direction of the key before it."""
    return (*page.order, p.Order("id", page.order[-1].descending if page.order else False))


def within_cursors(resource: Resource, scanned: Keys, page: p.Page, keys: tuple[p.Order, ...]) -> list[Sql]:
    """The conditions of `after` and `before`: rows beyond the one and before the other. The binds are those of `plan.Slice`."""
    clauses = []
    for present, name in ((page.slice.after, "after"), (page.slice.before, "before")):
        if present:
            binds = [
                bindparam(f"{page.slice.size}_{name}_{i}", type_=_key_type(resource, key.field))
                for i, key in enumerate(keys)
            ]
            clauses.append(_beyond(scanned, keys, binds, backward=name == "before"))
    return clauses


# The mark of the question that a cursor belongs to.
MARK: Sql = bindparam("mark", type_=Text())


def cursor_of(resource: Resource, keys: tuple[p.Order, ...], values: Sequence[Sql], parent_id: Sql | None) -> Sql:
    """The cursor of a row: the base64 of a JSON array of a mark and its values under the keys of the order. The mark names the question,
    and the row above where there is one. SECURITY: all values are fields that the caller reads in clear."""
    typed = zip(keys, values, strict=True)
    mark = MARK if parent_id is None else MARK.concat(cast(parent_id, Text))
    parts = func.json_build_array(mark, *(json_value(_key_type(resource, key.field), value) for key, value in typed))
    encoded = func.encode(func.convert_to(cast(parts, Text), literal_column("'UTF8'")), literal_column("'base64'"))
    return func.translate(encoded, literal_column("E'\\n'"), literal_column("''"))


def _key_type(resource: Resource, name: str) -> Any:
    return resource.table.c[name].type


def direction(column: Sql, key: p.Order, backward: bool) -> Sql:
    """An order key in the direction of the page; nulls come last forwards, first backwards. Non-null keys need no NULLS clause, so that
    the index on them gives the order."""
    descending = key.descending != backward
    ordered = column.desc() if descending else column.asc()
    if not getattr(column, "nullable", True):
        return ordered
    return ordered.nulls_first() if backward else ordered.nulls_last()


def _beyond(scanned: Keys, keys: tuple[p.Order, ...], binds: Sequence[Sql], backward: bool) -> Sql:
    """Rows after (or before) a cursor under the order, nulls last."""
    columns = [scanned(key.field) for key in keys]
    if all(not getattr(column, "nullable", True) for column in columns) and len({key.descending for key in keys}) == 1:
        left, right = tuple_(*columns), tuple_(*binds)
        return left < right if keys[0].descending != backward else left > right
    result: Sql = false()
    for column, bind, key in reversed(list(zip(columns, binds, keys, strict=True))):
        if not getattr(column, "nullable", True):
            further = column < bind if key.descending != backward else column > bind
            same = column == bind
        elif backward:
            further = or_(column > bind if key.descending else column < bind, and_(bind.is_(None), column.is_not(None)))
            same = or_(column == bind, and_(bind.is_(None), column.is_(None)))
        else:
            further = or_(column < bind if key.descending else column > bind, and_(bind.is_not(None), column.is_(None)))
            same = or_(column == bind, and_(bind.is_(None), column.is_(None)))
        result = or_(further, and_(same, result))
    return result
