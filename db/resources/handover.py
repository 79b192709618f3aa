"""Escalations between tiers, recusals, opinions."""

from sqlalchemy import Uuid

from db import tables as t
from db.resources.attributes import column
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE, one

ESCALATION = declare_part(
    "Escalation",
    "层级移交",
    t.escalation,
    order="sent_at",
    relations=[IN_DISPUTE, one("organization", "Organization", "organization_id")],
    attributes=[column("organization_id", "接收单位", Uuid())],
)

RECUSAL = declare_part(
    "Recusal",
    "披露与回避",
    t.recusal,
    order="occurred_at",
    relations=[
        IN_DISPUTE,
        one("mediator", "Mediator", "person_id", "person_id"),
        one("party", "Party", "party_id", same_dispute=True),
        one("replacement", "Mediator", "replacement_id", "person_id"),
    ],
)

OPINION = declare_part(
    "Opinion",
    "意见",
    t.opinion,
    order="given_at",
    relations=[
        IN_DISPUTE,
        one("author", "Person", "author_id"),
        one("organization", "Organization", "organization_id"),
    ],
    attributes=[column("author_id", "出具人", Uuid()), column("organization_id", "出具单位", Uuid())],
)
