"""A grid is inspected once a day. What was recorded twice before stays, marked as repeated and counted; the first of the day is the inspection."""

import sqlalchemy as sa
from alembic import op

from db.postgres.migration_notes import tell

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "inspection",
        sa.Column(
            "repeated",
            sa.Boolean(),
            nullable=False,
            server_default=sa.text("false"),
            comment="同一网格同日重复登记的旧记录",
        ),
    )
    op.execute(
        "UPDATE inspection SET repeated = true WHERE EXISTS (SELECT FROM inspection AS first"
        " WHERE first.grid_code = inspection.grid_code AND first.inspected_on = inspection.inspected_on AND first.id < inspection.id)"
    )
    op.create_index(
        "uq_inspection_day",
        "inspection",
        ["grid_code", "inspected_on"],
        unique=True,
        postgresql_where=sa.text("NOT repeated"),
    )
    tell(
        "下列排查是同一网格同日重复登记的，已标为重复，请人工核对",
        {"排查 {} 次": "SELECT count(*) FROM inspection WHERE repeated"},
    )
