"""Follow-up visits."""

from sqlalchemy import and_
from sqlalchemy.types import Boolean

from db import tables as t
from db.resources.declaration import Derived
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE, one
from db.resources.resource import Row, Sql, today


def _overdue(row: Row) -> Sql:
    return and_(row["due_on"] < today(), row["done_at"].is_(None))


FOLLOW_UP = declare_part(
    "FollowUp",
    "回访",
    t.follow_up,
    order="due_on",
    relations=[IN_DISPUTE, one("visitor", "Person", "visitor_id")],
    derived={"overdue": Derived("public", "是否逾期未回访", Boolean(), _overdue)},
    actions=frozenset({"read", "complete"}),
)
