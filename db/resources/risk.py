"""Alerts, the rules that open them, and assessments of risk."""

from sqlalchemy import Uuid
from sqlalchemy.types import Text

from db import tables as t
from db.resources.attributes import column
from db.resources.declaration import Derived, declare
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE, one
from db.resources.resource import Source

_LEGAL_BASIS = Source("AlertRule", "legal_basis", lambda row, at: at.c.rule == row["rule"])

ALERT = declare_part(
    "Alert",
    "预警",
    t.alert,
    order="opened_at desc",
    relations=[
        IN_DISPUTE,
        one("compound", "Compound", "compound_id"),
        one("company", "Company", "company_id"),
        one("handler", "Person", "handler_id"),
    ],
    attributes=[column("handler_id", "处置人", Uuid())],
    derived={"legal_basis": Derived("public", "法律依据与处置建议", Text(), _LEGAL_BASIS)},
    actions=frozenset({"read", "handle", "close"}),
)

ALERT_RULE = declare("AlertRule", "预警规则", t.alert_rule, order="rule")

ASSESSMENT = declare_part(
    "Assessment",
    "风险评估",
    t.assessment,
    order="assessed_at",
    relations=[IN_DISPUTE, one("assessor", "Person", "assessor_id")],
)
