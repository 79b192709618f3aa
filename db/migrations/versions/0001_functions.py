"""SQL functions that columns, masks and searches stand on. All are immutable and independent of the server's locale."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Two-character grams of every run of letters, digits and ideographs; a run of one character is kept as it is.
BIGRAMS = r"""
CREATE FUNCTION bigrams(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT CASE length(run) WHEN 1 THEN run ELSE substr(run, position, 2) END), '{}')
    FROM regexp_split_to_table(lower(value COLLATE "pg_c_utf8"), '[[:space:][:punct:]]+') AS run,
         generate_series(1, greatest(length(run) - 1, 1)) AS position
    WHERE run <> ''
$$
"""

# The masks are single expressions and not STRICT, so that the planner puts them into the query in place of the call.
MASK_NAME = r"""
CREATE FUNCTION mask_name(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN length(value) <= 1 THEN repeat('*', length(value))
                WHEN length(value) = 2 THEN left(value, 1) || '*'
                ELSE left(value, 1) || '**' END
$$
"""

MASK_PHONE = r"""
CREATE FUNCTION mask_phone(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value ~ '^1[0-9]{10}$' THEN left(value, 3) || '****' || right(value, 4)
                WHEN value ~ '^0(10|2[0-9]|[3-9][0-9]{2})-[0-9]{7,8}$'
                THEN split_part(value, '-', 1) || '-'
                    || repeat('*', length(split_part(value, '-', 2)) - 2) || right(value, 2)
                ELSE repeat('*', length(value)) END
$$
"""

MASK_ADDRESS = r"""
CREATE FUNCTION mask_address(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT regexp_replace(value, '[0-9A-Za-z０-９Ａ-Ｚａ-ｚ〇零一二两三四五六七八九十百千]+', '*', 'g')
$$
"""


def upgrade() -> None:
    for function in (BIGRAMS, MASK_NAME, MASK_PHONE, MASK_ADDRESS):
        op.execute(function)
