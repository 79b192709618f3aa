"""What every part of a dispute shares: the key of its dispute, enforced by foreign keys."""

from typing import Any

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Uuid

from db.tables.column import internal


def of_dispute(**options: Any) -> Column[Any]:
    """The dispute that the row belongs to; it never changes."""
    return internal("dispute_id", Uuid, "纠纷", ForeignKey("dispute.id"), index=True, **options)


def within(column: str, target: str) -> ForeignKeyConstraint:
    """`column` points to a row of `target` of the *same* dispute: a part cannot refer to a part of another dispute."""
    return ForeignKeyConstraint([column, "dispute_id"], [f"{target}.id", f"{target}.dispute_id"])
