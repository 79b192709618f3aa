"""A referral that was sent before its dispute was archived is still answered: nothing else would ever take it off the receiver's list."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP TRIGGER dispute_archived ON referral")
    op.execute(
        "CREATE TRIGGER dispute_archived BEFORE INSERT OR DELETE ON referral FOR EACH ROW EXECUTE FUNCTION dispute_archived()"
    )
    op.execute(
        "CREATE TRIGGER dispute_archived_update BEFORE UPDATE ON referral FOR EACH ROW"
        " WHEN (OLD.state NOT IN ('SENT', 'TAKEN') OR NEW.answered_at IS NOT DISTINCT FROM OLD.answered_at"
        " OR OLD.dispute_id <> NEW.dispute_id) EXECUTE FUNCTION dispute_archived()"
    )
