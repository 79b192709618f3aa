"""Relations between resources: by a key, by an area, by an assignment."""

from __future__ import annotations

from sqlalchemy import FromClause, and_, literal_column, select

from db import tables as t
from db.resources.attributes import lead_mediator_key
from db.resources.resource import Relation, Row, Sql


def one(name: str, target: str, key: str, to: str = "id", same_dispute: bool = False) -> tuple[str, Relation]:
    return name, Relation(name, target, False, lambda row, at: at.c[to] == row[key], same_dispute)


def many(
    name: str, target: str, key: str, *order: str, own: str = "id", same_dispute: bool = False
) -> tuple[str, Relation]:
    return name, Relation(name, target, True, lambda row, at: at.c[key] == row[own], same_dispute, (*order, "id"))


def part(name: str, target: str, key: str, *order: str) -> tuple[str, Relation]:
    return many(name, target, key, *order, same_dispute=True)


def below(name: str, target: str, key: str) -> tuple[str, Relation]:
    """What lies in an area or below it: a range of codes (':' follows '9'), which an index on the code can walk."""
    return name, Relation(
        name,
        target,
        True,
        lambda row, at: and_(at.c[key] >= row["code"], at.c[key] < row["code"].concat(literal_column("':'"))),
        order=("id",),
    )


def lead_mediator(row: Row, at: FromClause) -> Sql:
    return at.c.person_id == lead_mediator_key(row)


def mediated(row: Row, at: FromClause) -> Sql:
    link = t.assignment.alias()
    return at.c.id.in_(
        select(link.c.dispute_id)
        .select_from(link)
        .where(link.c.person_id == row["person_id"], link.c.ended_at.is_(None))
        .correlate(row.at)
    )


def mediating(row: Row, link: FromClause) -> Sql:
    return and_(link.c.person_id == row["person_id"], link.c.ended_at.is_(None))


IN_DISPUTE = one("dispute", "Dispute", "dispute_id")
