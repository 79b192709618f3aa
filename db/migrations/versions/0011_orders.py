"""An index for each order that a list of disputes, follow-ups or obligations may be given."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COLUMNS = (
    *(
        ("dispute", column)
        for column in (
            "occurred_on",
            "accepted_at",
            "due_on",
            "concluded_at",
            "closed_at",
            "amount_claimed",
            "people_count",
            "title",
            "state",
        )
    ),
    ("follow_up", "satisfaction"),
    ("obligation", "amount"),
)


def upgrade() -> None:
    # The one with the id behind it takes its place.
    op.drop_index("ix_dispute_concluded_at", table_name="dispute")
    for table, column in COLUMNS:
        op.create_index(f"ix_{table}_{column}", table, [column, "id"])
    done = sa.text("done_at IS NOT NULL")
    op.create_index("ix_follow_up_done_at", "follow_up", ["done_at", "id"], postgresql_where=done)
