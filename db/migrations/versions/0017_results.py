# ruff: noqa: S608 - the statements are made of constants of this file
"""What came of a dispute is a fact beside its state, which its archive does not change; the figures count by it.

Of the disputes that are there it follows the state; of those that are archived, the last event that ended them, or else their rows.
Nothing that was excused was performed. A visit counts where it reached somebody after the performance.
"""

import sqlalchemy as sa
from alembic import op

from db.postgres.migration_notes import tell

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATES = (
    "'REGISTERED', 'ACCEPTED', 'DECLINED', 'MEDIATING', 'AGREED', 'PERFORMING', 'PERFORMED', 'UNPERFORMED', 'CLOSED',"
    " 'ARCHIVED', 'FAILED', 'WITHDRAWN', 'REFUSED'"
)
RESULTS = "'AGREED', 'PERFORMED', 'UNPERFORMED', 'FAILED', 'WITHDRAWN', 'REFUSED', 'DECLINED'"
FITS = (
    "CASE WHEN state IN ('REGISTERED', 'ACCEPTED', 'MEDIATING') THEN result IS NULL"
    " WHEN state IN ('AGREED', 'PERFORMING') THEN coalesce(result = 'AGREED', false)"
    " WHEN state = 'CLOSED' THEN coalesce(result IN ('PERFORMED', 'UNPERFORMED'), false)"
    " WHEN state = 'ARCHIVED' THEN coalesce(result <> 'AGREED', false) ELSE coalesce(result = state, false) END"
)

# An event about an alert or a referral tells the state of that.
TOLD = """
SELECT replace(told.state, 'CLOSED', 'PERFORMED')
FROM event AS e, LATERAL (SELECT CASE WHEN e.action = 'dispute.archive' THEN e.from_state ELSE e.to_state END AS state) AS told
WHERE e.dispute_id = d.id AND e.action ~ '^(dispute|agreement|obligation)[.]'
    AND told.state IN ('PERFORMED', 'CLOSED', 'FAILED', 'WITHDRAWN', 'REFUSED', 'DECLINED')
ORDER BY e.at DESC, e.id DESC LIMIT 1
"""
ENDED = f"""
SELECT coalesce(
    ({TOLD}),
    CASE WHEN d.decline_reason IS NOT NULL OR (d.accepted_at IS NULL AND d.concluded_at IS NULL) THEN 'DECLINED'
         WHEN EXISTS (SELECT FROM agreement AS a WHERE a.dispute_id = d.id AND a.state IN ('EFFECTIVE', 'VARIED')) THEN 'PERFORMED'
         WHEN EXISTS (SELECT FROM party AS p WHERE p.dispute_id = d.id AND p.consent = 'REFUSED'
             AND p.side IN ('APPLICANT', 'RESPONDENT')) THEN 'REFUSED'
         ELSE 'FAILED' END)
"""
DERIVE = f"""
UPDATE dispute AS d SET
    result = CASE WHEN ended.result = 'PERFORMED' AND ended.owing THEN 'UNPERFORMED' ELSE ended.result END,
    state = CASE WHEN d.state = 'PERFORMED' AND ended.owing THEN 'UNPERFORMED' ELSE d.state END
FROM (
    SELECT id, CASE
        WHEN state IN ('AGREED', 'PERFORMING') THEN 'AGREED' WHEN state = 'CLOSED' THEN 'PERFORMED'
        WHEN state = 'ARCHIVED' THEN ({ENDED}) ELSE state END AS result,
    EXISTS (
        SELECT FROM obligation AS o JOIN agreement AS a ON a.id = o.agreement_id
        WHERE o.dispute_id = d.id AND a.state IN ('EFFECTIVE', 'VARIED') AND o.state NOT IN ('PERFORMED', 'ENFORCED')) AS owing
    FROM dispute AS d WHERE state NOT IN ('REGISTERED', 'ACCEPTED', 'MEDIATING')
) AS ended WHERE ended.id = d.id
"""
UNTOLD = (
    f"SELECT count(*) FROM dispute AS d WHERE state = 'ARCHIVED' AND decline_reason IS NULL AND NOT EXISTS ({TOLD})"
)

# Whoever changes a state cannot forget the result, and nobody can give another one.
FOLLOW = """
CREATE FUNCTION dispute_result() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.result := CASE
        WHEN NEW.state IN ('AGREED', 'PERFORMING') THEN 'AGREED'
        WHEN NEW.state IN ('PERFORMED', 'UNPERFORMED', 'FAILED', 'WITHDRAWN', 'REFUSED', 'DECLINED') THEN NEW.state
        WHEN NEW.state NOT IN ('CLOSED', 'ARCHIVED') THEN NULL
        WHEN TG_OP = 'UPDATE' THEN OLD.result
        ELSE NEW.result END;
    RETURN NEW;
END $$
"""

# As in 0007, but for the result, for what is performed, and for which visits count.
RECKONING = """
CREATE OR REPLACE VIEW tally_reckoning AS
SELECT d.id AS dispute_id, d.county_code, d.town_code, d.squad_id, d.centre_id, d.source_organization_id, d.compound_id,
    d.state, d.tier, d.sub_category, d.source, d.registered_on, d.accepted_on, d.concluded_on,
    d.concluded::int::smallint AS concluded,
    d.resolved::int::smallint AS resolved,
    (d.concluded AND wholly)::int::smallint AS agreed,
    (d.concluded AND coalesce(d.result = 'FAILED', false))::int::smallint AS failed,
    (d.concluded AND coalesce(d.result = 'WITHDRAWN', false))::int::smallint AS withdrawn,
    (d.concluded AND (wholly OR partly OR coalesce(d.result IN ('FAILED', 'WITHDRAWN'), false)))::int::smallint AS settled,
    (d.concluded AND d.state IN ('CLOSED', 'ARCHIVED') AND d.result IN ('PERFORMED', 'UNPERFORMED'))::int::smallint AS closed,
    (d.resolved AND coalesce(visited.reached, false))::int::smallint AS followed,
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
        concluded_at IS NOT NULL AND accepted_at IS NOT NULL AND coalesce(result = 'PERFORMED', false) AS resolved,
        result
    FROM dispute
) AS d LEFT JOIN (
    SELECT dispute_id, min(effective_on) FILTER (WHERE scope = 'FULL') AS effective_on,
        count(*) FILTER (WHERE scope = 'FULL') AS full_count, count(*) FILTER (WHERE scope <> 'FULL') AS partial_count,
        array_agg(last_on ORDER BY last_on) FILTER (WHERE last_on IS NOT NULL) AS due_days,
        array_agg(last_on ORDER BY last_on) FILTER (WHERE last_on IS NOT NULL AND kept) AS kept_days
    FROM (
        SELECT a.dispute_id, a.scope, a.effective_on, max(o.due_on) AS last_on,
            bool_and(o.state IN ('PERFORMED', 'ENFORCED')) AS kept
        FROM agreement AS a LEFT JOIN obligation AS o ON o.agreement_id = a.id
        WHERE a.state IN ('EFFECTIVE', 'VARIED') GROUP BY a.id
    ) AS one GROUP BY dispute_id
) AS agreed ON agreed.dispute_id = d.id LEFT JOIN (
    SELECT f.dispute_id, count(f.satisfaction) AS ratings, count(*) FILTER (WHERE f.satisfaction >= 3) AS good,
        sum(f.satisfaction) AS total,
        bool_or(f.result IN ('NORMAL', 'REBOUND_SIGNS', 'REBOUNDED') AND f.done_at >= coalesce(last.performed_on, f.done_at)) AS reached
    FROM follow_up AS f LEFT JOIN (
        SELECT dispute_id, max(performed_on) AS performed_on FROM obligation GROUP BY dispute_id
    ) AS last ON last.dispute_id = f.dispute_id
    WHERE f.done_at IS NOT NULL GROUP BY f.dispute_id
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

# The columns whose update changes a tally, where there are more than before.
UPDATES = {
    "dispute": ("tally_of_dispute", (
        "id", "grid_code", "squad_id", "centre_id", "source_organization_id", "compound_id", "state", "result", "tier", "sub_category",
        "source", "registered_at", "accepted_at", "concluded_at", "due_on",
    )),
    "obligation": ("tally_of_part", ("dispute_id", "agreement_id", "due_on", "state", "performed_on")),
    "follow_up": ("tally_of_part", ("dispute_id", "done_at", "satisfaction", "result")),
}  # fmt: skip


def upgrade() -> None:
    op.add_column(
        "dispute",
        sa.Column("result", sa.Text(), nullable=True, comment="调解结果；尚未终结的为空；结案、归档不改变"),
    )
    op.drop_constraint("ck_dispute_state_code", "dispute")
    op.create_check_constraint(op.f("ck_dispute_state_code"), "dispute", f"state IN ({STATES})")
    op.create_check_constraint(op.f("ck_dispute_result_code"), "dispute", f"result IN ({RESULTS})")
    # An archived row takes its result as any other; the figures are made anew below.
    op.execute("ALTER TABLE dispute DISABLE TRIGGER USER")
    op.execute(DERIVE)
    op.execute("ALTER TABLE dispute ENABLE TRIGGER USER")
    op.create_check_constraint(op.f("ck_dispute_state_result"), "dispute", FITS)
    op.execute(FOLLOW)
    op.execute(
        "CREATE TRIGGER dispute_result BEFORE INSERT OR UPDATE OF state, result ON dispute FOR EACH ROW"
        " EXECUTE FUNCTION dispute_result()"
    )
    # A visit that was due when its dispute was archived may still be made: nothing else would ever take it off the list.
    op.execute("DROP TRIGGER dispute_archived ON follow_up")
    op.execute(
        "CREATE TRIGGER dispute_archived BEFORE INSERT OR DELETE ON follow_up FOR EACH ROW EXECUTE FUNCTION dispute_archived()"
    )
    op.execute(
        "CREATE TRIGGER dispute_archived_update BEFORE UPDATE ON follow_up FOR EACH ROW"
        " WHEN (OLD.done_at IS NOT NULL OR OLD.dispute_id <> NEW.dispute_id) EXECUTE FUNCTION dispute_archived()"
    )
    op.execute(RECKONING)
    for table, (function, columns) in UPDATES.items():
        before, after = (", ".join(f"{row}.{name}" for name in columns) for row in ("OLD", "NEW"))
        op.execute(f"DROP TRIGGER tally_update ON {table}")
        op.execute(
            f"CREATE CONSTRAINT TRIGGER tally_update AFTER UPDATE ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            f" WHEN (({before}) IS DISTINCT FROM ({after})) EXECUTE FUNCTION {function}()"
        )
    op.execute("SELECT tally_rebuild()")
    tell("下列归档纠纷没有记明如何终结，调解结果已按卷内情况推定，请人工核对", {"纠纷 {} 件": UNTOLD})
