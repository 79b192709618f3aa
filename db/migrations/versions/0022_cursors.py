"""Whether a cursor belongs to the list of a row: what is no cursor of that list ends the statement."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # STABLE, though it may raise: an expression that calls it can still be left out where its row is not shown.
    op.execute("""
        CREATE FUNCTION cursor_of_row(row_id uuid, theirs uuid) RETURNS boolean
        LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        BEGIN
            IF row_id = theirs THEN
                RETURN true;
            END IF;
            RAISE EXCEPTION 'the cursor belongs to the list of another row' USING ERRCODE = 'SL001';
        END
        $$
    """)
