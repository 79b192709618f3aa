"""The vocabulary of guards: what must hold of a row, beside policy and state, before an action, as SQL with the user's message.

A guard stands beside the command that it guards (db/commands). The command and `access.can` ask the same expression, so what is
offered is what succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Table, Uuid, bindparam, exists, func, literal_column, not_, select

from db.resources.aliases import alias
from db.resources.resource import Row, Sql, is_in

Condition = Callable[[Row, Table], Sql]

# SECURITY: the person of the caller. All appointments of an access name the same person, and without one nothing may be done at all.
CALLER_ID: Sql = bindparam("claim_0_person_id", type_=Uuid())


@dataclass(frozen=True)
class Guard:
    """A condition on a row. `field` and `code` name the user error where it does not hold; `message` says what to do."""

    field: str
    code: str
    message: str
    holds: Callable[[Row], Sql]


def some(table: Table, *conditions: Condition, key: str = "dispute_id", to: str = "id") -> Callable[[Row], Sql]:
    """There is a row of the table that belongs to this one (`key` is this row's `to`) and meets the conditions."""

    def holds(row: Row) -> Sql:
        at = alias(table)
        clauses = [condition(row, at) for condition in conditions]  # type: ignore[arg-type]
        return exists(
            select(literal_column("1")).select_from(at).where(at.c[key] == row[to], *clauses).correlate(row.at)
        )

    return holds


def none(table: Table, *conditions: Condition, key: str = "dispute_id", to: str = "id") -> Callable[[Row], Sql]:
    """There is no such row: the contrary of `some`."""
    holds = some(table, *conditions, key=key, to=to)
    return lambda row: not_(holds(row))


def number_of(row: Row, table: Table, *conditions: Condition) -> Sql:
    """How many rows of the table belong to this dispute and meet the conditions."""
    at = alias(table)
    clauses = [condition(row, at) for condition in conditions]  # type: ignore[arg-type]
    counted = select(func.count()).select_from(at).where(at.c.dispute_id == row["id"], *clauses).correlate(row.at)
    return counted.scalar_subquery()


def equals(column: str, code: str) -> Condition:
    """For `some` and `none`: a column of theirs has this code."""
    return lambda row, at: at.c[column] == literal_column(f"'{code}'")


def state_in(message: str, *states: str) -> Guard:
    """The row itself is in one of the states."""
    return Guard("id", "WRONG_STATE", message, lambda row: is_in(row["state"], *states))


def dispute_in(*states: str) -> Guard:
    """The dispute of a part is in one of the states."""

    def holds(row: Row) -> Sql:
        assert row.dispute is not None
        return is_in(row.dispute.c.state, *states)

    return Guard("id", "WRONG_STATE", "在纠纷现在的状态下不能办理。", holds)
