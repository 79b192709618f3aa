"""Referrals and invitations to other organizations."""

from sqlalchemy import Uuid

from db import tables as t
from db.resources.attributes import column
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE, one

REFERRAL = declare_part(
    "Referral",
    "移送与邀请",
    t.referral,
    order="sent_at desc",
    relations=[
        IN_DISPUTE,
        one("organization", "Organization", "organization_id"),
        one("from_organization", "Organization", "from_organization_id"),
    ],
    attributes=[
        column("organization_id", "送往单位", Uuid()),
        column("from_organization_id", "送出单位", Uuid()),
        column("kind", "类型"),
    ],
    actions=frozenset({"read", "answer"}),
)
