"""Policies without fear: versions with tests, results and approvals; posts delegated for a leave; administrators' posts that exclude each other."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

DIGEST = "encode(sha256(decode(sha256 || proof_sha256 || coalesce(impact_sha256, ''), 'hex')), 'hex')"
STATE_CODE = "state IN ('DRAFT', 'APPROVED', 'PUBLISHED', 'RETIRED')"

# A version is what it was drafted as. It moves on through the states; while it waits, approvals are added, and what becomes known of
# its impact voids them.
IMMUTABLE = """
CREATE OR REPLACE FUNCTION policy_version_immutable() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    waiting boolean := OLD.state IN ('DRAFT', 'APPROVED');
BEGIN
    IF TG_OP = 'UPDATE' AND waiting AND NEW.impact_sha256 IS DISTINCT FROM OLD.impact_sha256 THEN
        NEW.state := 'DRAFT';
        NEW.approver_id := NULL;
        NEW.second_approver_id := NULL;
        NEW.approved_digest := NULL;
        NEW.approved_at := NULL;
    END IF;
    IF TG_OP = 'DELETE'
        OR to_jsonb(NEW) - ARRAY['state', 'approver_id', 'second_approver_id', 'approved_digest', 'approved_at', 'published_at',
                                 'impact_sha256', 'digest']
            IS DISTINCT FROM
           to_jsonb(OLD) - ARRAY['state', 'approver_id', 'second_approver_id', 'approved_digest', 'approved_at', 'published_at',
                                 'impact_sha256', 'digest']
        OR NOT waiting AND to_jsonb(NEW) - ARRAY['state', 'digest'] IS DISTINCT FROM to_jsonb(OLD) - ARRAY['state', 'digest']
        OR NOT (NEW.state = OLD.state OR (OLD.state, NEW.state) IN (
            ('DRAFT', 'APPROVED'), ('APPROVED', 'DRAFT'), ('APPROVED', 'PUBLISHED'), ('PUBLISHED', 'RETIRED'))) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_version_immutable',
            TABLE = 'policy_version', MESSAGE = 'a policy version never changes but for its way to publication';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""

WRITABLE = (
    "state", "approver_id", "second_approver_id", "approved_digest", "approved_at", "published_at", "impact_sha256",
)  # fmt: skip


def upgrade() -> None:
    _versions()
    _appointments()


def _versions() -> None:
    # The number stays what events name; a version gets a key like every other object.
    op.drop_constraint("pk_policy_version", "policy_version")
    op.alter_column("policy_version", "id", new_column_name="version", server_default=None)
    op.execute(
        "ALTER TABLE policy_version RENAME CONSTRAINT policy_version_id_not_null TO policy_version_version_not_null"
    )
    op.execute("DROP SEQUENCE policy_version_id_seq")
    op.add_column(
        "policy_version",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
    )
    op.create_primary_key(op.f("pk_policy_version"), "policy_version", ["id"])
    op.create_unique_constraint(op.f("uq_policy_version_version"), "policy_version", ["version"])

    def column(name: str, kind: sa.types.TypeEngine[Any], comment: str, default: str | None = None) -> None:
        op.add_column(
            "policy_version",
            sa.Column(
                name,
                kind,
                nullable=default is None,
                server_default=None if default is None else sa.text(default),
                comment=comment,
            ),
        )

    column("tests", sa.Text(), "策略测试全文；空为随附的测试")
    column("proof_sha256", sa.Text(), "测试及其结果的散列", "''")
    column("impact_sha256", sa.Text(), "影响的散列")
    op.add_column(
        "policy_version",
        sa.Column(
            "digest",
            sa.Text(),
            sa.Computed(DIGEST, persisted=True),
            nullable=True,
            comment="批准所据的散列：全文、测试及结果、影响",
        ),
    )
    column("rollback", sa.Boolean(), "是否为回退", "false")
    column("green", sa.Boolean(), "测试是否全部符合且每条规则都有测试", "false")
    column("cases", sa.Integer(), "测试例数", "0")
    column("mutants", sa.Integer(), "改动规则的次数", "0")
    column("failures", sa.ARRAY(sa.Text()), "不符的测试", "'{}'")
    column("survivors", sa.ARRAY(sa.Text()), "测试没有发现的改动", "'{}'")
    column("widens", sa.Boolean(), "与起草时的现行版本相比是否有放宽", "false")
    column("differences", sa.ARRAY(sa.Text()), "与起草时的现行版本相比的变化", "'{}'")
    column("gains", sa.ARRAY(sa.Text()), "起草人及其机构由此多得的权限", "'{}'")
    column("approvals_needed", sa.Integer(), "须经几人批准", "1")
    column("organization_ids", sa.ARRAY(sa.Uuid()), "起草时起草人的任职机构", "'{}'")
    column("parent_id", sa.Uuid(), "由哪一版改来")
    column("base_id", sa.Uuid(), "起草时的现行版本")
    column("second_approver_id", sa.Uuid(), "第二批准人")
    column("approved_digest", sa.Text(), "批准时的散列")
    column("approved_at", sa.DateTime(timezone=True), "批准时间")
    for name, target in (
        ("parent_id", "policy_version"),
        ("base_id", "policy_version"),
        ("second_approver_id", "person"),
    ):
        op.create_foreign_key(op.f(f"fk_policy_version_{name}"), "policy_version", target, [name], ["id"])

    op.drop_constraint("ck_policy_version_published", "policy_version")
    op.drop_constraint("ck_policy_version_state_code", "policy_version")
    for name, condition in (
        ("state_code", STATE_CODE),
        ("published", "(state IN ('DRAFT', 'APPROVED')) = (published_at IS NULL)"),
        (
            "four_eyes",
            "approver_id <> author_id AND second_approver_id <> author_id AND second_approver_id <> approver_id",
        ),
        ("second_approver", "second_approver_id IS NULL OR approver_id IS NOT NULL"),
        (
            "approval",
            "(approver_id IS NULL) = (approved_digest IS NULL) AND (approver_id IS NULL) = (approved_at IS NULL)",
        ),
        ("approved_digest", "approved_digest = digest"),
        (
            "approved",
            "state = 'DRAFT' OR approver_id IS NOT NULL OR author_id IS NULL OR rollback AND state <> 'APPROVED'",
        ),
    ):
        op.create_check_constraint(op.f(f"ck_policy_version_{name}"), "policy_version", condition)
    op.execute(IMMUTABLE)
    op.execute(f"GRANT UPDATE ({', '.join(WRITABLE)}) ON policy_version TO sanlian_writer")
    op.execute("REVOKE UPDATE (note) ON policy_version FROM sanlian_writer")

    # SECURITY: the live version alone decides access. What is only drafted or approved makes nobody's rights be read anew.
    op.execute("DROP TRIGGER access_epoch_bump ON policy_version")
    for event, condition in (
        ("INSERT", "NEW.state = 'PUBLISHED'"),
        ("UPDATE OF state, text", "OLD.state = 'PUBLISHED' OR NEW.state = 'PUBLISHED'"),
        ("DELETE", "OLD.state = 'PUBLISHED'"),
    ):
        op.execute(
            f"CREATE TRIGGER access_epoch_bump_{event[:6].lower()} AFTER {event} ON policy_version"
            f" FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION access_epoch_bump()"
        )


def _appointments() -> None:
    op.add_column("appointment", sa.Column("delegated_from_id", sa.Uuid(), nullable=True, comment="代行的是哪一任职"))
    op.create_foreign_key(
        op.f("fk_appointment_delegated_from_id"), "appointment", "appointment", ["delegated_from_id"], ["id"]
    )
    op.create_index(op.f("ix_appointment_delegated_from_id"), "appointment", ["delegated_from_id"], unique=False)
    op.drop_constraint("ck_appointment_validity", "appointment")
    op.create_check_constraint(
        op.f("ck_appointment_validity"), "appointment", "valid_to IS NULL OR valid_to >= valid_from - 1"
    )
    op.drop_index("uq_appointment_administrator", "appointment")
    op.execute("CREATE TYPE uuid_range AS RANGE (subtype = uuid)")
    op.create_exclude_constraint(
        "appointment_administrator",
        "appointment",
        (sa.literal_column("uuid_range(person_id, person_id, '[]')"), "&&"),
        (sa.literal_column("daterange(valid_from, valid_to + 1)"), "&&"),
        using="gist",
        where=sa.text("role IN ('system_admin', 'security_admin', 'auditor')"),
    )
