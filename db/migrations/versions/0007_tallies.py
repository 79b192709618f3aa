# ruff: noqa: S608 - the statements are made of constants of this file
"""What the disputes add to the figures: tallies and their sums, kept by triggers in the transaction of each change.

A change appends to `tally_change`, so that no two writers wait for one sum; `tally_fold` moves what has gathered into the sums.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCOPES = ("county_code", "town_code", "squad_id", "centre_id", "source_organization_id")
GROUPS = {
    "STATE": "state",
    "TIER": "tier",
    "SUB_CATEGORY": "sub_category",
    "SOURCE": "source",
    "MONTH": "coalesce(to_char(concluded_on::timestamp, 'YYYY-MM'), '')",
    "COMPOUND": "compound_id::text",
}
MEASURES = {
    "concluded": "终结",
    "resolved": "已化解",
    "agreed": "全部达成",
    "failed": "调解不成",
    "withdrawn": "受理后撤回",
    "settled": "达成、部分达成、不成或撤回",
    "closed": "已结案",
    "followed": "已化解且已回访",
    "ratings": "已化解的评价数",
    "good_ratings": "其中基本满意及以上",
    "rating_total": "评价之和",
    "due": "有义务的生效协议",
    "performed": "其中均已履行",
    "on_time": "按期终结",
    "confirmed": "达成且经司法确认",
    "local": "本地化解",
}
COLUMNS = (
    "dispute_id", *SCOPES, "compound_id", "state", "tier", "sub_category", "source",
    "registered_on", "accepted_on", "concluded_on", *MEASURES, "days", "due_on", "due_days", "kept_days",
)  # fmt: skip
SUMS = ("registered", "accepted", "finished", *MEASURES, "days", "dated")
KEY = ("scope_kind", "scope", "group_kind", "grain", "starts_on", "group_value")

# The tally of every dispute as its rows say. For one dispute the planner brings its id into every sub-select; for all of them it joins sets.
RECKONING = """
CREATE VIEW tally_reckoning AS
SELECT d.id AS dispute_id, d.county_code, d.town_code, d.squad_id, d.centre_id, d.source_organization_id, d.compound_id,
    d.state, d.tier, d.sub_category, d.source, d.registered_on, d.accepted_on, d.concluded_on,
    d.concluded::int::smallint AS concluded,
    d.resolved::int::smallint AS resolved,
    (d.concluded AND wholly)::int::smallint AS agreed,
    (d.concluded AND d.state = 'FAILED')::int::smallint AS failed,
    (d.concluded AND d.state = 'WITHDRAWN')::int::smallint AS withdrawn,
    (d.concluded AND (wholly OR partly OR d.state IN ('FAILED', 'WITHDRAWN')))::int::smallint AS settled,
    (d.concluded AND d.state IN ('CLOSED', 'ARCHIVED'))::int::smallint AS closed,
    (d.resolved AND visited.dispute_id IS NOT NULL)::int::smallint AS followed,
    (CASE WHEN d.resolved THEN coalesce(visited.ratings, 0) ELSE 0 END)::smallint AS ratings,
    (CASE WHEN d.resolved THEN coalesce(visited.good, 0) ELSE 0 END)::smallint AS good_ratings,
    (CASE WHEN d.resolved THEN coalesce(visited.total, 0) ELSE 0 END)::smallint AS rating_total,
    cardinality(had.due_days)::smallint AS due,
    cardinality(had.kept_days)::smallint AS performed,
    (d.concluded AND coalesce(d.concluded_on <= d.due_on, false))::int::smallint AS on_time,
    (d.concluded AND wholly AND confirmed.dispute_id IS NOT NULL)::int::smallint AS confirmed,
    (d.resolved AND sent.dispute_id IS NULL)::int::smallint AS local,
    CASE WHEN d.resolved THEN agreed.effective_on - d.accepted_on END AS days,
    had.due_days[cardinality(had.due_days)] AS due_on, had.due_days, had.kept_days
FROM (
    SELECT id, county_code, town_code, squad_id, centre_id, source_organization_id, compound_id, state, tier, sub_category, source, due_on,
        (registered_at AT TIME ZONE 'Asia/Shanghai')::date AS registered_on,
        (accepted_at AT TIME ZONE 'Asia/Shanghai')::date AS accepted_on,
        (concluded_at AT TIME ZONE 'Asia/Shanghai')::date AS concluded_on,
        concluded_at IS NOT NULL AND accepted_at IS NOT NULL AS concluded,
        concluded_at IS NOT NULL AND accepted_at IS NOT NULL AND state IN ('PERFORMED', 'CLOSED', 'ARCHIVED') AS resolved
    FROM dispute
) AS d LEFT JOIN (
    SELECT dispute_id, min(effective_on) FILTER (WHERE scope = 'FULL') AS effective_on,
        count(*) FILTER (WHERE scope = 'FULL') AS full_count, count(*) FILTER (WHERE scope <> 'FULL') AS partial_count,
        array_agg(last_on ORDER BY last_on) FILTER (WHERE last_on IS NOT NULL) AS due_days,
        array_agg(last_on ORDER BY last_on) FILTER (WHERE last_on IS NOT NULL AND kept) AS kept_days
    FROM (
        SELECT a.dispute_id, a.scope, a.effective_on, max(o.due_on) AS last_on,
            bool_and(o.state IN ('PERFORMED', 'ENFORCED', 'EXCUSED')) AS kept
        FROM agreement AS a LEFT JOIN obligation AS o ON o.agreement_id = a.id
        WHERE a.state IN ('EFFECTIVE', 'VARIED') GROUP BY a.id
    ) AS one GROUP BY dispute_id
) AS agreed ON agreed.dispute_id = d.id LEFT JOIN (
    SELECT dispute_id, count(satisfaction) AS ratings, count(*) FILTER (WHERE satisfaction >= 3) AS good,
        sum(satisfaction) AS total
    FROM follow_up WHERE done_at IS NOT NULL GROUP BY dispute_id
) AS visited ON visited.dispute_id = d.id LEFT JOIN (
    SELECT dispute_id FROM confirmation WHERE result = 'CONFIRMED' GROUP BY dispute_id
) AS confirmed ON confirmed.dispute_id = d.id LEFT JOIN (
    SELECT dispute_id FROM referral WHERE kind IN ('COURT_REFERRAL', 'TRANSFER') GROUP BY dispute_id
) AS sent ON sent.dispute_id = d.id
CROSS JOIN LATERAL (SELECT
    coalesce(agreed.full_count > 0, false) AS wholly,
    coalesce(agreed.full_count = 0 AND agreed.partial_count > 0, false) AS partly,
    CASE WHEN d.concluded THEN coalesce(agreed.due_days, '{}') ELSE '{}' END AS due_days,
    CASE WHEN d.concluded THEN coalesce(agreed.kept_days, '{}') ELSE '{}' END AS kept_days
) AS had
"""

# SECURITY: runs as its owner: the application's roles write no tallies but by what they write to the register.
# The row of the tally is locked before anything is read, so that of two changes to one dispute the later sees the earlier.
REFRESH = f"""
CREATE FUNCTION tally_refresh(touched uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before tally;
    after tally;
BEGIN
    SELECT * INTO before FROM tally WHERE dispute_id = touched FOR UPDATE;
    SELECT {", ".join(COLUMNS)} INTO after FROM tally_reckoning WHERE dispute_id = touched;
    IF before IS NOT DISTINCT FROM after THEN
        RETURN;
    END IF;
    IF after.dispute_id IS NULL THEN
        DELETE FROM tally WHERE dispute_id = touched;
    ELSIF before.dispute_id IS NULL THEN
        INSERT INTO tally VALUES (after.*);
    ELSE
        UPDATE tally SET {", ".join(f"{name} = after.{name}" for name in COLUMNS[1:])} WHERE dispute_id = touched;
    END IF;
    IF before.dispute_id IS NOT NULL THEN
        INSERT INTO tally_change VALUES (-1, before.*);
    END IF;
    IF after.dispute_id IS NOT NULL THEN
        INSERT INTO tally_change VALUES (1, after.*);
    END IF;
END $$
"""

# One function for disputes and one for parts: each names the column that holds the dispute's id.
TOUCHED = """
CREATE FUNCTION tally_{kind}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM tally_refresh(NEW.{key});
    END IF;
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND OLD.{key} <> NEW.{key}) THEN
        PERFORM tally_refresh(OLD.{key});
    END IF;
    RETURN NULL;
END $$
"""

# What changes a tally: table -> (an insert or a delete that does, columns whose update does).
TRIGGERS = {
    "dispute": ("true", (
        "id", "grid_code", "squad_id", "centre_id", "source_organization_id", "compound_id", "state", "tier", "sub_category", "source",
        "registered_at", "accepted_at", "concluded_at", "due_on",
    )),
    "agreement": ("{row}.state IN ('EFFECTIVE', 'VARIED')", ("dispute_id", "state", "scope", "effective_on")),
    "obligation": ("true", ("dispute_id", "agreement_id", "due_on", "state")),
    "follow_up": ("{row}.done_at IS NOT NULL", ("dispute_id", "done_at", "satisfaction")),
    "confirmation": ("{row}.result = 'CONFIRMED'", ("dispute_id", "result")),
    "referral": ("{row}.kind IN ('COURT_REFERRAL', 'TRANSFER')", ("dispute_id", "kind")),
}  # fmt: skip


# The group kinds are sets of one aggregation; TOWN is the set without another column. What lies in a compound is kept by the year alone:
# it is little; and so are days.
_SETS = ", ".join(
    ["(month_on)", *(f"({kind.lower()}, {'year' if kind == 'COMPOUND' else 'month'}_on)" for kind in GROUPS)]
)
_KIND = "CASE " + " ".join(f"WHEN grouping({kind.lower()}) = 0 THEN '{kind}'" for kind in GROUPS) + " ELSE 'TOWN' END"
_VALUE = f"coalesce({', '.join(kind.lower() for kind in GROUPS)}, town_code)"
_DATED = ", ".join(f"({kind.lower()}, year_on, days)" for kind in GROUPS if kind != "COMPOUND")
_LIES = ", ".join(f"('{scope}', {scope}::text)" for scope in SCOPES)
IN_SCOPES = f"CROSS JOIN LATERAL (VALUES {_LIES}) AS lies (scope_kind, scope)"
IN_SPANS = "CROSS JOIN LATERAL (VALUES ('MONTH', starts_on), ('YEAR', date_trunc('year', starts_on::timestamp)::date)) AS span (grain, begins_on)"


def _grouped(day: str, changes: str) -> str:
    groups = ", ".join(f"{value} AS {kind.lower()}" for kind, value in GROUPS.items())
    return f"""(
        SELECT weight, {", ".join(SCOPES)}, {", ".join(MEASURES)}, days, {groups},
            date_trunc('month', {day}::timestamp)::date AS month_on, date_trunc('year', {day}::timestamp)::date AS year_on
        FROM {changes} WHERE {day} IS NOT NULL
    ) AS one"""


def _entry(day: str, sums: dict[str, str], changes: str) -> str:
    """What the changes add at their registration, acceptance or conclusion: for each group and month, within one of each scope."""
    columns = ", ".join(f"{sums.get(name, '0')}::integer AS {name}" for name in SUMS)
    return f"""
    SELECT {", ".join(SCOPES)}, {_KIND} AS kind, {_VALUE} AS value, coalesce(month_on, year_on) AS starts_on, {columns}
    FROM {_grouped(day, changes)} GROUP BY {", ".join(SCOPES)}, GROUPING SETS ({_SETS})
    HAVING {" OR ".join(f"{one} <> 0" for one in sums.values())}"""


def added_by(changes: str) -> str:
    """WITH clauses: `added` for the sums and `spread` for the days, from rows with a weight."""
    measures = {name: f"sum(weight * {name})" for name in MEASURES}
    dated = "coalesce(sum(weight) FILTER (WHERE days IS NOT NULL), 0)"
    concluded = {"finished": "sum(weight)", **measures, "days": "coalesce(sum(weight * days), 0)", "dated": dated}
    return f"""
    entry AS (
        {_entry("registered_on", {"registered": "sum(weight)"}, changes)}
        UNION ALL {_entry("accepted_on", {"accepted": "sum(weight)"}, changes)}
        UNION ALL {_entry("concluded_on", concluded, changes)}
    ),
    added AS (
        SELECT scope_kind, scope, kind AS group_kind, grain, begins_on AS starts_on, value AS group_value,
            {", ".join(f"sum({name})::integer AS {name}" for name in SUMS)}
        FROM entry {IN_SCOPES} {IN_SPANS} WHERE scope IS NOT NULL AND (grain = 'YEAR' OR kind <> 'COMPOUND')
        GROUP BY 1, 2, 3, 4, 5, 6 HAVING {" OR ".join(f"sum({name}) <> 0" for name in SUMS)}
    ),
    dated AS (
        SELECT {", ".join(SCOPES)}, {_KIND.replace(" WHEN grouping(compound) = 0 THEN 'COMPOUND'", "")} AS kind,
            {_VALUE.replace(", compound", "")} AS value, year_on AS starts_on, days, sum(weight)::integer AS number
        FROM {_grouped("concluded_on", changes)} WHERE days IS NOT NULL
        GROUP BY {", ".join(SCOPES)}, GROUPING SETS ((year_on, days), {_DATED})
    ),
    spread AS (
        SELECT scope_kind, scope, kind AS group_kind, 'YEAR' AS grain, starts_on, value AS group_value, days, sum(number)::integer AS number
        FROM dated {IN_SCOPES} WHERE scope IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(number) <> 0
    )"""


def _merge(table: str, key: tuple[str, ...], columns: tuple[str, ...], given: str) -> str:
    """Adds what is given; a row whose numbers are all zero is no row."""
    gone = " AND ".join(f"kept.{name} + given.{name} = 0" for name in columns)
    return f"""
    MERGE INTO {table} AS kept USING {given} AS given
    ON {" AND ".join(f"kept.{name} = given.{name}" for name in key)}
    WHEN MATCHED AND {gone} THEN DELETE
    WHEN MATCHED THEN UPDATE SET {", ".join(f"{name} = kept.{name} + given.{name}" for name in columns)}
    WHEN NOT MATCHED THEN INSERT ({", ".join((*key, *columns))}) VALUES ({", ".join(f"given.{name}" for name in (*key, *columns))})"""


LOCK = 0x5A17_7A11

# One statement: whoever reads sees the changes outside the sums or inside, never both and never neither. The changes are few and the
# sums many: each is looked up by its key, which the planner cannot know.
FOLD = f"""
CREATE FUNCTION tally_fold() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    folded bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock({LOCK}) THEN
        RETURN 0;
    END IF;
    WITH gone AS (DELETE FROM tally_change RETURNING *), {added_by("gone")},
    days AS ({_merge("tally_days", (*KEY, "days"), ("number",), "spread")} RETURNING 1),
    sums AS ({_merge("tally_sum", KEY, SUMS, "added")} RETURNING 1)
    SELECT count(*) INTO folded FROM gone;
    RETURN folded;
END $$
"""

# For a register that was filled with the triggers off. Everything is locked meanwhile. It runs with the rights of its caller.
REBUILD = f"""
CREATE FUNCTION tally_rebuild() RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET work_mem = '256MB' AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({LOCK});
    TRUNCATE tally, tally_change, tally_sum, tally_days;
    INSERT INTO tally SELECT {", ".join(COLUMNS)} FROM tally_reckoning;
    WITH every AS (SELECT 1 AS weight, * FROM tally), {added_by("every")},
    days AS (INSERT INTO tally_days ({", ".join((*KEY, "days"))}, number) SELECT {", ".join((*KEY, "days"))}, number FROM spread)
    INSERT INTO tally_sum ({", ".join((*KEY, *SUMS))}) SELECT {", ".join((*KEY, *SUMS))} FROM added;
END $$
"""


def _tally() -> list[sa.Column[Any]]:
    return [
        sa.Column("county_code", sa.Text(), nullable=False, comment="县区代码"),
        sa.Column("town_code", sa.Text(), nullable=False, comment="镇街代码"),
        sa.Column("squad_id", sa.Uuid(), nullable=True, comment="调解队"),
        sa.Column("centre_id", sa.Uuid(), nullable=True, comment="调解中心"),
        sa.Column("source_organization_id", sa.Uuid(), nullable=True, comment="来源单位"),
        sa.Column("compound_id", sa.Uuid(), nullable=False, comment="小区"),
        sa.Column("state", sa.Text(), nullable=False, comment="状态"),
        sa.Column("tier", sa.Text(), nullable=False, comment="办理层级"),
        sa.Column("sub_category", sa.Text(), nullable=False, comment="物业纠纷子类"),
        sa.Column("source", sa.Text(), nullable=False, comment="案件来源"),
        sa.Column("registered_on", sa.Date(), nullable=False, comment="登记日（北京时间，下同）"),
        sa.Column("accepted_on", sa.Date(), nullable=True, comment="受理日"),
        sa.Column("concluded_on", sa.Date(), nullable=True, comment="终结日"),
        *(sa.Column(name, sa.SmallInteger(), nullable=False, comment=label) for name, label in MEASURES.items()),
        sa.Column("days", sa.Integer(), nullable=True, comment="化解天数"),
        sa.Column("due_on", sa.Date(), nullable=True, comment="各协议最后一项义务期限中最晚的"),
        sa.Column("due_days", postgresql.ARRAY(sa.Date()), nullable=False, comment="各协议最后一项义务的期限"),
        sa.Column("kept_days", postgresql.ARRAY(sa.Date()), nullable=False, comment="其中均已履行的"),
    ]


def _key() -> list[sa.Column[Any]]:
    return [
        sa.Column("scope_kind", sa.Text(), nullable=False, comment="范围的类别"),
        sa.Column("scope", sa.Text(), nullable=False, comment="范围"),
        sa.Column("group_kind", sa.Text(), nullable=False, comment="分组方式"),
        sa.Column("grain", sa.Text(), nullable=False, comment="月或年"),
        sa.Column("starts_on", sa.Date(), nullable=False, comment="起始日"),
        sa.Column("group_value", sa.Text(), nullable=False, comment="分组键"),
    ]


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        *_tally(),
        sa.PrimaryKeyConstraint("dispute_id", name=op.f("pk_tally")),
        comment="纠纷的统计数",
    )
    op.create_index("ix_tally_registered_on", "tally", ["registered_on", "town_code"])
    for day in ("accepted_on", "concluded_on"):
        op.create_index(f"ix_tally_{day}", "tally", [day, "town_code"], postgresql_where=sa.text(f"{day} IS NOT NULL"))
    op.create_index("ix_tally_due_on", "tally", ["due_on"], postgresql_where=sa.text("due_on IS NOT NULL"))
    op.create_table(
        "tally_change",
        sa.Column("weight", sa.SmallInteger(), nullable=False, comment="一为加，负一为减"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        *_tally(),
        comment="尚未并入合计的统计变动",
    )
    op.create_table(
        "tally_sum",
        *_key(),
        sa.Column("registered", sa.Integer(), nullable=False, comment="登记"),
        sa.Column("accepted", sa.Integer(), nullable=False, comment="受理"),
        sa.Column("finished", sa.Integer(), nullable=False, comment="有终结日的，不论是否受理"),
        *(sa.Column(name, sa.Integer(), nullable=False, comment=label) for name, label in MEASURES.items()),
        sa.Column("days", sa.Integer(), nullable=False, comment="化解天数之和"),
        sa.Column("dated", sa.Integer(), nullable=False, comment="有化解天数的"),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("pk_tally_sum")),
        comment="统计数的合计",
    )
    op.create_table(
        "tally_days",
        *_key(),
        sa.Column("days", sa.Integer(), nullable=False, comment="化解天数", autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="纠纷数"),
        sa.PrimaryKeyConstraint(*KEY, "days", name=op.f("pk_tally_days")),
        comment="化解天数的分布",
    )
    # Every row of it is read by whoever asks for figures, and goes with the next fold.
    op.execute("ALTER TABLE tally_change SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)")
    touched = [TOUCHED.format(kind=kind, key=key) for kind, key in (("of_dispute", "id"), ("of_part", "dispute_id"))]
    for statement in (RECKONING, REFRESH, *touched, FOLD, REBUILD):
        op.execute(statement)

    # At commit, when all parts of a change are in place.
    for table, (counts, columns) in TRIGGERS.items():
        function = "tally_of_dispute" if table == "dispute" else "tally_of_part"
        call = f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ({{condition}}) EXECUTE FUNCTION {function}()"
        changed = f"({', '.join(f'OLD.{name}' for name in columns)}) IS DISTINCT FROM ({', '.join(f'NEW.{name}' for name in columns)})"
        for event, condition in (
            ("INSERT", counts.format(row="NEW")),
            ("DELETE", counts.format(row="OLD")),
            ("UPDATE", changed),
        ):
            op.execute(
                f"CREATE CONSTRAINT TRIGGER tally_{event.lower()} AFTER {event} ON {table} {call.format(condition=condition)}"
            )

    for function in ("tally_refresh(uuid)", "tally_fold()"):
        op.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION tally_fold() TO sanlian_writer")
    op.execute("GRANT SELECT ON tally, tally_change, tally_sum, tally_days TO sanlian_reader, sanlian_writer")
    op.execute("SELECT tally_rebuild()")
