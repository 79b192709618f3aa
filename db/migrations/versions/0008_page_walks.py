"""Indexes in page order: for filters within scopes that grow with the county, and for the lists of what belongs to disputes."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NEWEST = (sa.text("registered_at DESC"), sa.text("id DESC"))
_UNDER_MEDIATION = sa.text("state IN ('ACCEPTED', 'MEDIATING')")
_OWED = sa.text("state IN ('PENDING', 'PARTLY_PERFORMED')")

# (name, table, columns, condition)
INDEXES = (
    *(
        (f"ix_dispute_{scope}_{filtered[0]}", "dispute", (scope, *filtered, *_NEWEST), condition)
        for scope, filtered, condition in (
            ("county_code", ("state",), None),
            ("county_code", ("source",), None),
            ("county_code", ("risk_level",), None),
            ("county_code", ("sub_category", "state"), None),
            ("town_code", ("state",), None),
            ("town_code", ("sub_category", "state"), None),
            ("squad_id", ("state",), sa.text("squad_id IS NOT NULL")),
            ("squad_id", ("sub_category", "state"), sa.text("squad_id IS NOT NULL")),
            ("centre_id", ("state",), sa.text("centre_id IS NOT NULL")),
            ("centre_id", ("sub_category", "state"), sa.text("centre_id IS NOT NULL")),
        )
    ),
    ("ix_dispute_under_mediation", "dispute", (*_NEWEST, "due_on"), _UNDER_MEDIATION),
    ("ix_agreement_agreed_on", "agreement", (sa.text("agreed_on DESC"), sa.text("id DESC")), None),
    ("ix_obligation_due_on", "obligation", ("due_on", "id"), None),
    ("ix_obligation_owing", "obligation", ("due_on", "id"), _OWED),
    ("ix_follow_up_due_on", "follow_up", ("due_on", "id"), None),
    ("ix_follow_up_owing", "follow_up", ("due_on", "id"), sa.text("done_at IS NULL")),
    (
        "ix_referral_confirming",
        "referral",
        ("organization_id", sa.text("dispute_registered_at DESC"), sa.text("dispute_id DESC")),
        sa.text("kind = 'CONFIRMATION' AND state <> 'WITHDRAWN'"),
    ),
    ("ix_referral_sent_at", "referral", (sa.text("sent_at DESC"), sa.text("id DESC")), None),
    (
        "ix_referral_organization_sent_at",
        "referral",
        ("organization_id", sa.text("sent_at DESC"), sa.text("id DESC")),
        None,
    ),
    ("ix_party_phone", "party", ("phone",), None),
    ("ix_person_name", "person", ("name", "id"), None),
    ("ix_mediator_qualified_on", "mediator", ("qualified_on", "id"), None),
    ("ix_team_name", "team", ("name", "id"), None),
    ("ix_compound_name", "compound", ("name", "id"), None),
)

# What stands above replaces these: each is the beginning of one of them, or narrower than it.
REPLACED = (
    ("ix_dispute_state", "dispute"),
    ("ix_dispute_sub_category", "dispute"),
    ("ix_dispute_due_on", "dispute"),
    ("ix_obligation_due_on", "obligation"),
    ("ix_follow_up_due_on", "follow_up"),
)


def upgrade() -> None:
    for name, table in REPLACED:
        op.drop_index(name, table_name=table)
    for name, table, columns, condition in INDEXES:
        op.create_index(name, table, list(columns), postgresql_where=condition)
