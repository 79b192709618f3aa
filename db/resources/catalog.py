"""The policy's catalog: every resource, and the claims that an appointment makes. Each noun's resources stand in its own file."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text, TypeEngine

from db.resources.agreement import AGREEMENT, CONFIRMATION, EXTENSION, SIGNATURE
from db.resources.area import AREA
from db.resources.assignment import ASSIGNMENT
from db.resources.compound import COMPANY, COMPOUND
from db.resources.dispute import DISPUTE
from db.resources.event import EVENT
from db.resources.follow_up import FOLLOW_UP
from db.resources.handover import ESCALATION, OPINION, RECUSAL
from db.resources.measure import MEASURE
from db.resources.obligation import OBLIGATION, PERFORMANCE
from db.resources.organization import ORGANIZATION
from db.resources.party import PARTY
from db.resources.person import APPOINTMENT, MEDIATOR, PERSON
from db.resources.policy import POLICY_VERSION
from db.resources.referral import REFERRAL
from db.resources.resource import Resource
from db.resources.risk import ALERT, ALERT_RULE, ASSESSMENT
from db.resources.session import ATTENDANCE, NOTE, SESSION
from db.resources.team import TEAM, TEAM_MEMBER
from db.resources.visit import FACTOR, INSPECTION, VISIT
from policies import catalog as policy

# In the order in which the grant sheet and the matrix list them.
_RESOURCES = (
    AREA, ORGANIZATION, COMPANY, COMPOUND, PERSON, APPOINTMENT, MEDIATOR, TEAM, TEAM_MEMBER, DISPUTE, PARTY, ASSIGNMENT,
    MEASURE, SESSION, ATTENDANCE, NOTE, AGREEMENT, SIGNATURE, CONFIRMATION, EXTENSION, OBLIGATION, PERFORMANCE, FOLLOW_UP,
    REFERRAL, ALERT, ALERT_RULE, ASSESSMENT, ESCALATION, RECUSAL, OPINION, INSPECTION, VISIT, FACTOR, EVENT, POLICY_VERSION,
)  # fmt: skip

RESOURCES: dict[str, Resource] = {resource.name: resource for resource in _RESOURCES}

# The SQL type of each claim.
CLAIMS: dict[str, TypeEngine[Any]] = {
    "person_id": Uuid(),
    "organization_id": Uuid(),
    "area_code": Text(),
    "team_ids": ARRAY(Uuid()),
}

CATALOG = policy.Catalog(
    {name: resource.policy for name, resource in RESOURCES.items()},
    {
        "person_id": policy.Claim("person_id", "key", "本人"),
        "organization_id": policy.Claim("organization_id", "key", "任职机构"),
        "area_code": policy.Claim("area_code", "text", "任职区域"),
        "team_ids": policy.Claim("team_ids", "set", "本人以此角色所在的团队"),
    },
)
