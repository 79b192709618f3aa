"""All tables of the service, one file per noun. Every readable column declares its field class once."""

from db.tables.access import access_epoch, token
from db.tables.agreement import agreement, confirmation, extension, signature
from db.tables.area import area
from db.tables.assignment import assignment
from db.tables.calendar import calendar_day
from db.tables.column import metadata
from db.tables.compound import company, compound
from db.tables.dispute import dispute
from db.tables.event import event
from db.tables.follow_up import follow_up
from db.tables.handover import escalation, opinion, recusal
from db.tables.impact import policy_impact
from db.tables.measure import measure
from db.tables.obligation import obligation, performance
from db.tables.organization import organization
from db.tables.party import party
from db.tables.person import appointment, mediator, person
from db.tables.policy import policy_version
from db.tables.referral import referral
from db.tables.request import case_counter, request
from db.tables.risk import alert, alert_rule, assessment
from db.tables.session import attendance, note, session
from db.tables.tally import tally, tally_change, tally_days, tally_sum
from db.tables.team import team, team_member
from db.tables.visit import factor, inspection, visit

__all__ = [
    "access_epoch", "agreement", "alert", "alert_rule", "appointment", "area", "assessment", "assignment",
    "attendance", "calendar_day", "case_counter", "company", "compound", "confirmation", "dispute", "escalation",
    "event", "extension", "factor", "follow_up", "inspection", "measure", "mediator", "metadata", "note",
    "obligation", "opinion", "organization", "party", "performance", "person", "policy_impact", "policy_version", "recusal",
    "referral", "request", "session", "signature", "tally", "tally_change", "tally_days", "tally_sum", "team", "team_member",
    "token", "visit",
]  # fmt: skip
