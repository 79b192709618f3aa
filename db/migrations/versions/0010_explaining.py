"""What it takes to explain the policy: whose a token is, for the reader, and the runs of impacts."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# SECURITY: all but the hash.
TOKEN = (
    "id", "prefix", "person_id", "appointment_id", "label", "created_at", "expires_at", "revoked_at", "last_used_at",
)  # fmt: skip


def upgrade() -> None:
    op.execute(f"GRANT SELECT ({', '.join(TOKEN)}) ON token TO sanlian_reader")
    op.create_table(
        "policy_impact",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="所问策略的散列"),
        sa.Column("against_sha256", sa.Text(), nullable=False, comment="与之比较的策略的散列"),
        sa.Column("state", sa.Text(), nullable=False, comment="状态"),
        sa.Column("done", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="已数的项数"),
        sa.Column("total", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="应数的项数"),
        sa.Column("epoch", sa.BigInteger(), nullable=True, comment="所据快照的纪元"),
        sa.Column("result", sa.Text(), nullable=True, comment="结果，JSON"),
        sa.Column("digest", sa.Text(), nullable=True, comment="结果的散列"),
        sa.Column(
            "begun_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="开始时间"
        ),
        sa.Column(
            "beat_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="最近一次报告进度的时间",
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="结束时间"),
        sa.CheckConstraint(
            "(state = 'DONE') = (result IS NOT NULL AND digest IS NOT NULL AND epoch IS NOT NULL)",
            name=op.f("ck_policy_impact_result"),
        ),
        sa.CheckConstraint("(state = 'RUNNING') = (ended_at IS NULL)", name=op.f("ck_policy_impact_ended")),
        sa.CheckConstraint("state IN ('RUNNING', 'DONE', 'FAILED')", name=op.f("ck_policy_impact_state_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_impact")),
        sa.UniqueConstraint("sha256", "against_sha256", name=op.f("uq_policy_impact_sha256_against_sha256")),
        comment="策略影响",
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON policy_impact TO sanlian_writer")
