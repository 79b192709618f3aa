"""Agreements, their signatures, court confirmations, and extensions of the month by consent."""

from sqlalchemy import Uuid

from db import tables as t
from db.resources.attributes import column
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE, one, part

AGREEMENT = declare_part(
    "Agreement",
    "调解协议",
    t.agreement,
    order="agreed_on desc",
    relations=[
        IN_DISPUTE,
        part("obligations", "Obligation", "agreement_id", "due_on"),
        part("signatures", "Signature", "agreement_id", "signed_on"),
        part("confirmations", "Confirmation", "agreement_id", "applied_on"),
    ],
    attributes=[column("form", "形式")],
    actions=frozenset({"read", "sign", "vary", "rescind", "apply", "sue", "judge"}),
)

SIGNATURE = declare_part(
    "Signature",
    "签名",
    t.signature,
    order="signed_on",
    relations=[
        one("agreement", "Agreement", "agreement_id", same_dispute=True),
        one("party", "Party", "party_id", same_dispute=True),
        one("person", "Person", "person_id"),
        one("organization", "Organization", "organization_id"),
    ],
)

CONFIRMATION = declare_part(
    "Confirmation",
    "司法确认",
    t.confirmation,
    order="applied_on",
    relations=[
        IN_DISPUTE,
        one("agreement", "Agreement", "agreement_id", same_dispute=True),
        one("court", "Organization", "court_id"),
    ],
    attributes=[column("court_id", "法庭", Uuid())],
    actions=frozenset({"read", "decide"}),
)

EXTENSION = declare_part("Extension", "期限延长", t.extension, order="from_on", relations=[IN_DISPUTE])
