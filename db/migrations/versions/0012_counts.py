"""The walks by state and sub-category hold what else is filtered by, so that rows are counted without being read. No date of a
dispute's course is before its registration, which tells where the rows of a period begin in page order."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NEWEST = (sa.text("registered_at DESC"), sa.text("id DESC"))
FILTERED = ("sub_category", "source", "tier", "risk_level")
SCOPES = (
    ("county_code", None),
    ("town_code", None),
    ("squad_id", "squad_id IS NOT NULL"),
    ("centre_id", "centre_id IS NOT NULL"),
)


def upgrade() -> None:
    op.create_check_constraint(
        op.f("ck_dispute_course"),
        "dispute",
        "accepted_at >= registered_at AND concluded_at >= registered_at AND closed_at >= registered_at"
        " AND due_on >= (registered_at AT TIME ZONE 'Asia/Shanghai')::date",
    )
    for scope, condition in SCOPES:
        for filtered in (("state",), ("sub_category", "state")):
            name = f"ix_dispute_{scope}_{filtered[0]}"
            op.drop_index(name, table_name="dispute")
            op.create_index(
                name,
                "dispute",
                [scope, *filtered, *_NEWEST],
                postgresql_where=condition and sa.text(condition),
                postgresql_include=[column for column in FILTERED if column not in filtered],
            )
