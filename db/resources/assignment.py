"""Assignments of mediators to disputes."""

from db import tables as t
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE, one

ASSIGNMENT = declare_part(
    "Assignment",
    "调解员指派",
    t.assignment,
    order="assigned_at",
    relations=[IN_DISPUTE, one("mediator", "Mediator", "person_id", "person_id")],
)
