"""All tables of the service, one file per noun. Every readable column declares its field class once."""

from db.tables.access import access_epoch, policy_version, token
from db.tables.agreement import agreement, confirmation, extension, signature
from db.tables.area import area
from db.tables.assignment import assignment
from db.tables.column import metadata
from db.tables.compound import company, compound
from db.tables.dispute import dispute
from db.tables.event import event
from db.tables.follow_up import follow_up
from db.tables.measure import measure
from db.tables.obligation import obligation, performance
from db.tables.organization import organization
from db.tables.party import party
from db.tables.person import appointment, mediator, person
from db.tables.referral import referral
from db.tables.session import attendance, note, session
from db.tables.team import team, team_member

__all__ = [
    "access_epoch", "agreement", "appointment", "area", "assignment", "attendance", "company", "compound", "confirmation", "dispute",
    "event", "extension", "follow_up", "measure", "mediator", "metadata", "note", "obligation", "organization", "party", "performance",
    "person", "policy_version", "referral", "session", "signature", "team", "team_member", "token",
]  # fmt: skip
