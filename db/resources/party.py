"""Parties of a dispute."""

from __future__ import annotations

from sqlalchemy import Uuid, case, func

from db import tables as t
from db.resources.attributes import column, truth
from db.resources.part import declare_part
from db.resources.relations import IN_DISPUTE, one, part
from db.resources.resource import Row, Sql


def _masked_name(row: Row, value: Sql) -> Sql:
    """The name of an organization is not personal data."""
    return case((row["is_natural_person"], func.mask_name(value)), else_=value)


PARTY = declare_part(
    "Party",
    "当事人",
    t.party,
    order="id",
    relations=[
        IN_DISPUTE,
        one("company", "Company", "company_id"),
        part("obligations", "Obligation", "party_id", "due_on"),
    ],
    attributes=[
        column("supplied_by_id", "提供信息的单位", Uuid()),
        column("side", "地位"),
        truth("is_natural_person", "自然人", lambda row: row["is_natural_person"]),
    ],
    masks={"name": _masked_name},
    actions=frozenset({"read", "reveal", "update", "appoint", "withdraw"}),
)
