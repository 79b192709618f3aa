"""The two database roles of the application and what each may do. Roles belong to the server, grants to a database."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Another database of the same server may create the role at the same moment, or have created it long ago.
ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$
"""

# A superuser can take the role already; another owner of the database is made a member of it.
MEMBERSHIP = """
DO $$
BEGIN
    IF NOT pg_has_role(current_user, '{role}', 'SET') THEN
        GRANT {role} TO current_user;
    END IF;
END $$
"""

# Holds only for sessions that log in as the role; one that takes it with SET ROLE is kept from writing by its grants.
READ_ONLY = """
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_db_role_setting AS setting JOIN pg_roles ON pg_roles.oid = setting.setrole
        WHERE rolname = 'sanlian_reader' AND 'default_transaction_read_only=on' = ANY (setting.setconfig)
    ) THEN
        ALTER ROLE sanlian_reader SET default_transaction_read_only = on;
    END IF;
END $$
"""

OPEN = (
    "access_epoch", "agreement", "appointment", "area", "assignment", "attendance", "company", "compound",
    "confirmation", "dispute",
    "event", "extension", "follow_up", "measure", "mediator", "note", "obligation", "organization",
    "performance", "person", "policy_version", "referral", "session", "signature", "team", "team_member",
)  # fmt: skip

# SECURITY: all columns of party but id_number_cipher and id_number_hash. A new column is granted by its migration.
PARTY = (
    "id", "dispute_id", "side", "kind", "is_natural_person", "name", "is_alias", "phone", "address", "id_number",
    "credit_code", "agent_name", "is_minor", "consent", "consent_on", "supplied_by_id", "company_id",
)  # fmt: skip

# SECURITY: nothing is ever deleted, an event is never changed, the epoch moves by trigger only, and of a policy version
# only its way through the states can be written.
WRITABLE = tuple(table for table in OPEN if table not in ("access_epoch", "event", "policy_version"))


def upgrade() -> None:
    for role in ("sanlian_reader", "sanlian_writer"):
        op.execute(ROLE.format(role=role))
        op.execute(MEMBERSHIP.format(role=role))
    op.execute(READ_ONLY)
    op.execute("GRANT USAGE ON SCHEMA public TO sanlian_reader, sanlian_writer")

    op.execute(f"GRANT SELECT ON {', '.join(OPEN)} TO sanlian_reader, sanlian_writer")
    op.execute(f"GRANT SELECT ({', '.join(PARTY)}) ON party TO sanlian_reader")

    op.execute("GRANT SELECT, INSERT, UPDATE ON party, token TO sanlian_writer")
    op.execute(f"GRANT INSERT, UPDATE ON {', '.join(WRITABLE)} TO sanlian_writer")
    op.execute("GRANT INSERT ON event, policy_version TO sanlian_writer")
    op.execute("GRANT UPDATE (state, note, approver_id, published_at) ON policy_version TO sanlian_writer")
    op.execute("GRANT USAGE ON SEQUENCE policy_version_id_seq TO sanlian_writer")
