"""Walks that spare reading rows: those by state and sub-category hold the other filters, parts have walks by their values.

No date of a dispute's course is before its registration: this tells where the rows of a period begin in page order.
"""

from typing import Any

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
PARTS = (
    *(("obligation", column, ("due_on", "id")) for column in ("state", "kind")),
    *(("follow_up", column, ("due_on", "id")) for column in ("result", "method")),
    *(("agreement", column, (sa.text("agreed_on DESC"), sa.text("id DESC"))) for column in ("state", "scope", "form")),
)


def upgrade() -> None:
    op.create_check_constraint(
        op.f("ck_dispute_course"),
        "dispute",
        "concluded_at >= registered_at AND closed_at >= registered_at"
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
    for table, column, order in PARTS:
        op.create_index(f"ix_{table}_{column}", table, list[Any]((column, *order)))
