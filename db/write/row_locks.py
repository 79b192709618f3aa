"""The statements by which a unit of work locks a row, loads it behind the lock, and checks it after the change. Needs no connection."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    FromClause,
    Select,
    Table,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.types import Uuid

from db import tables as t
from db.query.epoch import EPOCH
from db.query.visibility import Visibility
from db.resources.aliases import alias
from db.resources.catalog import RESOURCES
from db.resources.guards import CALLER_ID
from db.resources.interest import is_interested
from db.resources.resource import Row, Sql
from db.resources.transitions import transition_of
from policies.predicate import implies


class Fact(NamedTuple):
    """What a command must know of a row beside its columns: one value, read in the statement that reads the row. No policy is asked."""

    name: str
    of: Callable[[Row], Sql]


class ClearFact(NamedTuple):
    """A fact of which only as much is read as the caller reads in clear."""

    name: str
    of: Callable[[Visibility, Row], Sql]


class Wanted(NamedTuple):
    """A row that a command wants: of which resource, for which action. `new`: the action is to make a part of that kind, of which the
    columns `mine` name the caller; the policy is asked about the part as it will be."""

    kind: str
    action: str
    new: str | None = None
    mine: tuple[str, ...] = ()

    @property
    def resource(self) -> str:
        """The resource about which the policy is asked."""
        return self.new or self.kind


class Request(NamedTuple):
    """The idempotency key of a request with the command and the digest of the input that it stands for."""

    key: str
    command: str
    digest: bytes


class Opening(NamedTuple):
    """How a transaction begins: whether the request is `new`; whether the row was `found` for the action, and is locked; whether the
    caller at least sees it."""

    new: bool
    found: bool
    seen: bool


def begin(visibility: Visibility, keyed: bool, wanted: Wanted | None) -> Select[Any]:
    """The epoch; `request`, the key of the row that stands for the request if it is new; `found`, whether there is such a row for the
    caller to act on, which is then locked; `seen`, whether the caller at least sees it. In this order: a transaction that waits for the
    same request locks no row meanwhile. `keyed`: there is an idempotency key."""
    epoch = EPOCH.scalar_subquery()
    request: Sql = literal_column("NULL::uuid")
    found: Sql = literal_column("0")
    seen: Sql = literal_column("false")
    locked = None if wanted is None else lock_row(visibility, wanted)
    if keyed:
        columns = ("person_id", "key", "command", "digest")
        values = {name: bindparam(f"request_{name}", type_=t.request.c[name].type) for name in columns}
        new = insert(t.request).values(values).on_conflict_do_nothing().returning(t.request.c.id).cte("new")
        request = select(new.c.id).scalar_subquery()
        if locked is not None:
            locked = locked.where(exists(select(new.c.id)))
    if locked is not None:
        found = select(func.count()).select_from(locked.cte("locked")).scalar_subquery()
    if wanted is not None:
        seen = case((found == literal_column("0"), exists(_visible_key(visibility, wanted.kind))), else_=true())
    return select(epoch.label("epoch"), request.label("request"), found.label("found"), seen.label("seen"))


def lock_row(visibility: Visibility, wanted: Wanted) -> Select[Any]:
    """The key of the row, locked with its dispute, if the caller may do the action to it."""
    # SECURITY: no row is locked for an action that no command registers.
    transition_of(wanted.resource, wanted.action)
    row, at = _row(visibility, wanted)
    of = [row.at] if row.dispute is None or row.dispute is row.at else [row.at, row.dispute]
    return (
        select(row["id"])
        .select_from(at)
        # SECURITY: a row that the caller may not change is not even waited for.
        .where(row["id"] == bindparam("row_id", type_=Uuid()), _may(visibility, row, wanted))
        .with_for_update(of=of)
    )


def load_locked_row(visibility: Visibility, wanted: Wanted, facts: tuple[Fact | ClearFact, ...]) -> Select[Any]:
    """The row that was locked (`r_`), its dispute (`d_`), the facts, whether the caller may and has an interest, and each guard (`g_`)."""
    row, at = _row(visibility, wanted)
    columns: list[Any] = [row.at.c[name].label(f"r_{name}") for name in columns_of(RESOURCES[wanted.kind].table)]
    if row.dispute is not None and row.dispute is not row.at:
        columns += [row.dispute.c[name].label(f"d_{name}") for name in columns_of(t.dispute)]
    columns += [_fact(visibility, row, fact).label(f"r_{fact.name}") for fact in facts]
    allowed = [_may(visibility, row, wanted), *visibility.sees_guarded(row, wanted.resource, wanted.action)]
    columns.append(_is_true(and_(*allowed)).label("allowed"))
    transition = transition_of(wanted.resource, wanted.action)
    if transition.impartial and row.dispute is not None:
        columns.append(is_interested(row.dispute_id, CALLER_ID).label("interested"))
    guards = transition.guards
    columns += [_is_true(guard.holds(row)).label(f"g_{i}") for i, guard in enumerate(guards)]
    return select(*columns).select_from(at).where(row["id"] == bindparam("row_id", type_=Uuid()))


def load_visible_row(visibility: Visibility, kind: str, facts: tuple[Fact, ...]) -> Select[Any]:
    """A row that the caller sees, with the facts."""
    resource = RESOURCES[kind]
    row, at = visibility.row(resource, alias(resource.table))
    columns = [
        *(row.at.c[name] for name in columns_of(resource.table)),
        *(fact.of(row).label(fact.name) for fact in facts),
    ]
    wanted = row["id"] == bindparam("row_id", type_=Uuid())
    return select(*columns).select_from(at).where(wanted, visibility.visible(row))


def still_allowed(visibility: Visibility, kind: str, action: str, or_seen: bool) -> Select[Any]:
    """A row on which the caller may do the action, or which they at least see."""
    resource = RESOURCES[kind]
    row, at = visibility.row(resource, alias(resource.table))
    may = _may_or_sees(visibility, row, action) if or_seen else visibility.visible(row, action)
    return select(row["id"]).select_from(at).where(row["id"] == bindparam("row_id", type_=Uuid()), may)


def _row(visibility: Visibility, wanted: Wanted) -> tuple[Row, FromClause]:
    """The row, and what stands in FROM for it."""
    resource = RESOURCES[wanted.kind]
    return visibility.row(resource, alias(resource.table), locked=True)


def _may(visibility: Visibility, row: Row, wanted: Wanted) -> Sql:
    """Whether the caller may do the action: to the row, or with the part that is to be made of it, which the caller must then see."""
    if wanted.new is None:
        return visibility.visible(row, wanted.action)
    resource = RESOURCES[wanted.new]
    columns = {
        column.name: bindparam("me", type_=column.type) if column.name in wanted.mine else cast(null(), column.type)
        for column in resource.table.c
    }
    part = select(*(value.label(name) for name, value in columns.items())).subquery(wanted.new.lower())
    return and_(visibility.visible(row), visibility.visible(Row(resource, part, row.at), wanted.action))


def _visible_key(visibility: Visibility, kind: str) -> Select[Any]:
    """The key of the row if the caller sees it."""
    resource = RESOURCES[kind]
    row, at = visibility.row(resource, alias(resource.table))
    return (
        select(row["id"]).select_from(at).where(row["id"] == bindparam("row_id", type_=Uuid()), visibility.visible(row))
    )


def _may_or_sees(visibility: Visibility, row: Row, action: str) -> Sql:
    """Whether the caller may do the action, or at least sees the row."""
    may = visibility.access.grant(row.resource.name, action).rows
    sees = visibility.access.grant(row.resource.name).rows
    # What holds wherever the other does is enough.
    if implies(may, sees):
        return visibility.visible(row)
    allowed = visibility.visible(row, action)
    return allowed if implies(sees, may) else or_(allowed, visibility.visible(row))


@cache
def columns_of(table: Table) -> tuple[str, ...]:
    """The columns of a record: not those that serve search alone."""
    return tuple(one.name for one in table.c if not (one.computed is not None and isinstance(one.type, ARRAY)))


def _fact(visibility: Visibility, row: Row, fact: Fact | ClearFact) -> Sql:
    return fact.of(row) if isinstance(fact, Fact) else fact.of(visibility, row)


def _is_true(value: Sql) -> Sql:
    return value.is_(literal_column("true"))
