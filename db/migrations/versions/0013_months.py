"""The spread of days is kept by the month too for a county, whose median over odd months would read a good part of its disputes.

The tallies of the narrower scopes that are spread over the county have an index; a rebuild writes tallies by the day of registration,
as they gather otherwise, so that those of a period lie together.
"""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SPREAD = {
    "AS value, year_on AS starts_on, days": "AS value, month_on AS starts_on, days",
    "GROUPING SETS ((year_on, days)": "GROUPING SETS ((month_on, days)",
    ", year_on, days)": ", month_on, days)",
    "kind AS group_kind, 'YEAR' AS grain, starts_on, value": "kind AS group_kind, grain, begins_on AS starts_on, value",
    "WHERE scope IS NOT NULL GROUP BY": "WHERE scope IS NOT NULL AND (grain = 'YEAR' OR scope_kind = 'county_code') GROUP BY",
}


def upgrade() -> None:
    kept = import_module("db.migrations.versions.0007_tallies")

    def by_month(text: str) -> str:
        head, spread = text.split("    dated AS (", 1)
        spans = {f"FROM dated {kept.IN_SCOPES}": f"FROM dated {kept.IN_SCOPES} {kept.IN_SPANS}"}
        for old, new in (_SPREAD | spans).items():
            if old not in spread:
                raise ValueError(old)
            spread = spread.replace(old, new)
        return f"{head}    dated AS ({spread}"

    for function in (kept.FOLD, kept.REBUILD):
        ordered = by_month(function).replace("FROM tally_reckoning;", "FROM tally_reckoning ORDER BY registered_on;")
        op.execute(ordered.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    for scope in ("squad_id", "centre_id", "source_organization_id"):
        present = sa.text(f"{scope} IS NOT NULL")
        op.create_index(f"ix_tally_{scope}", "tally", [scope, "concluded_on"], postgresql_where=present)
    # Nothing changes between the fold and the reading of what it left.
    op.execute("LOCK TABLE tally, tally_change, tally_sum, tally_days IN SHARE ROW EXCLUSIVE MODE")
    op.execute(f"SELECT pg_advisory_xact_lock({kept.LOCK})")
    op.execute("SELECT tally_fold()")
    columns = ", ".join((*kept.KEY, "days", "number"))
    every = by_month(kept.added_by("every"))
    op.execute(
        f"WITH every AS (SELECT 1 AS weight, * FROM tally), {every}"  # noqa: S608
        f" INSERT INTO tally_days ({columns}) SELECT {columns} FROM spread WHERE grain = 'MONTH'"
    )
