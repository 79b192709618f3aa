"""Assignments of mediators to disputes."""

from sqlalchemy import and_

from db import tables as t
from db.resources.attributes import truth
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE, one

ASSIGNMENT = declare_part(
    "Assignment",
    "调解员指派",
    t.assignment,
    order="assigned_at",
    relations=[IN_DISPUTE, one("mediator", "Mediator", "person_id", "person_id")],
    attributes=[
        truth("is_presiding", "现主持", lambda row: and_(row["is_lead"], row["ended_at"].is_(None))),
    ],
)
