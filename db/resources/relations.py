"""Constructors of relations between resources: by a key, by an area, and from a dispute to its parts."""

from __future__ import annotations

from sqlalchemy import and_, literal_column

from db.resources.resource import Relation


def one(name: str, target: str, key: str, to: str = "id", same_dispute: bool = False) -> Relation:
    """The row of `target` whose column `to` equals the row's `key`."""
    return Relation(name, target, False, lambda row, at: at.c[to] == row[key], same_dispute)


def many(name: str, target: str, key: str, *order: str, own: str = "id", same_dispute: bool = False) -> Relation:
    """The rows of `target` whose `key` equals the row's column `own`, in the order of the columns `order`, then by id."""
    return Relation(name, target, True, lambda row, at: at.c[key] == row[own], same_dispute, (*order, "id"))


def part(name: str, target: str, key: str, *order: str) -> Relation:
    """The rows of `target` in the same dispute whose `key` equals the row's id."""
    return many(name, target, key, *order, same_dispute=True)


def below(name: str, target: str, key: str) -> Relation:
    """What lies in an area or below it: a range of codes (':' follows '9'), which an index on the code can scan."""
    return Relation(
        name,
        target,
        True,
        lambda row, at: and_(at.c[key] >= row["code"], at.c[key] < row["code"].concat(literal_column("':'"))),
        order=("id",),
    )


IN_DISPUTE = one("dispute", "Dispute", "dispute_id")
