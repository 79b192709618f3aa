"""A search proposes disputes by the pairs of characters of the text that it looks into: `dispute` is written anew once, after all else."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

BIGRAMS = """
CREATE OR REPLACE FUNCTION bigrams(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(text, position, 2)), '{}')
    FROM (SELECT public.searched(value)) AS one (text), generate_series(1, length(text) - 1) AS position
    WHERE substr(text, position, 2) !~ '[[:space:]]'
$$
"""


def upgrade() -> None:
    op.execute(BIGRAMS)
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    # The table is written anew once, with the pairs of both columns.
    op.execute(
        "ALTER TABLE dispute ALTER COLUMN public_grams SET EXPRESSION AS"
        " (bigrams(title || '|' || coalesce(public_summary, '') || '|' || coalesce(case_number, ''))),"
        " ALTER COLUMN narrative_grams SET EXPRESSION AS (bigrams(summary))"
    )
