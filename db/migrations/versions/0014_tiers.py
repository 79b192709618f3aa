"""Walks of a county by the tier; those by source and by risk level hold the other filters too, so that rows are counted without being read."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NEWEST = (sa.text("registered_at DESC"), sa.text("id DESC"))
FILTERED = ("sub_category", "source", "tier", "risk_level", "state")


def upgrade() -> None:
    for filtered in ("source", "tier", "risk_level"):
        name = f"ix_dispute_county_code_{filtered}"
        op.drop_index(name, table_name="dispute", if_exists=True)
        op.create_index(
            name,
            "dispute",
            ["county_code", filtered, *_NEWEST],
            postgresql_include=[column for column in FILTERED if column != filtered],
        )
