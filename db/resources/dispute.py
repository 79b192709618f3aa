"""Disputes, with all their parts. What a condition may say of one stands in `db.resources.part`, for its parts have it too."""

from __future__ import annotations

from sqlalchemy import FromClause, and_
from sqlalchemy.types import Boolean

from db import tables as t
from db.resources.declaration import Derived, declare
from db.resources.part import DISPUTE_ATTRIBUTES, lead_mediator_key
from db.resources.relations import one, part
from db.resources.resource import Relation, Row, Sql, is_in, today
from db.tables.dispute import UNDER_MEDIATION_STATES

_ACTIONS = frozenset((
    "read", "count", "register", "accept", "decline", "notify", "consent", "refuse", "assign", "disclose", "recuse", "measure", "add",
    "record", "assess", "report", "extend", "escalate", "take", "return", "invite", "refer", "opine", "agree", "follow", "default", "terminate",
    "withdraw", "close", "archive", "reopen",
))  # fmt: skip


def _lead_mediator(row: Row, at: FromClause) -> Sql:
    return at.c.person_id == lead_mediator_key(row)


def _leads(_: Row, link: FromClause) -> Sql:
    """The assignment is that of whoever presides now."""
    return and_(link.c.is_lead, link.c.ended_at.is_(None))


def _overdue(row: Row) -> Sql:
    """The month of mediation (人民调解工作若干规定 Art. 33) with its extensions is over and no agreement was made."""
    return and_(is_in(row["state"], *UNDER_MEDIATION_STATES), row["due_on"].is_not(None), row["due_on"] < today())


DISPUTE = declare(
    "Dispute",
    "纠纷",
    t.dispute,
    order="registered_at desc",
    relations=[
        one("area", "Area", "grid_code", "code"),
        one("compound", "Compound", "compound_id"),
        one("committee", "Organization", "committee_id"),
        one("source_organization", "Organization", "source_organization_id"),
        Relation("lead_mediator", "Mediator", False, _lead_mediator, through=("Assignment", _leads)),
        one("team", "Team", "team_id"),
        one("squad", "Organization", "squad_id"),
        one("centre", "Organization", "centre_id"),
        one("previous", "Dispute", "previous_id"),
        part("assignments", "Assignment", "dispute_id", "assigned_at"),
        part("parties", "Party", "dispute_id", "side"),
        part("measures", "Measure", "dispute_id", "requested_at"),
        part("sessions", "Session", "dispute_id", "held_at"),
        part("notes", "Note", "dispute_id", "recorded_at"),
        part("agreements", "Agreement", "dispute_id", "agreed_on"),
        part("obligations", "Obligation", "dispute_id", "due_on"),
        part("confirmations", "Confirmation", "dispute_id", "applied_on"),
        part("extensions", "Extension", "dispute_id", "from_on"),
        part("follow_ups", "FollowUp", "dispute_id", "due_on"),
        part("referrals", "Referral", "dispute_id", "sent_at"),
        part("alerts", "Alert", "dispute_id", "opened_at"),
        part("assessments", "Assessment", "dispute_id", "assessed_at"),
        part("escalations", "Escalation", "dispute_id", "sent_at"),
        part("recusals", "Recusal", "dispute_id", "occurred_at"),
        part("opinions", "Opinion", "dispute_id", "given_at"),
        part("visits", "Visit", "dispute_id", "visited_at"),
        part("factors", "Factor", "dispute_id", "noted_at"),
        part("events", "Event", "dispute_id", "at"),
    ],
    attributes=DISPUTE_ATTRIBUTES,
    derived={"overdue": Derived("public", "是否超过调解期限", Boolean(), _overdue)},
    actions=_ACTIONS,
)
