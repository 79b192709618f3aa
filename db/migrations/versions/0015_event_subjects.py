"""Events are filed under the row that their command made or changed, where earlier ones stand under the row that it locked.

The row is the one that the event's changes name, or the only one that fits its time and its actor. Where none is found the event keeps its
key under the new kind: no row has it, so no timeline shows the event any more. How many these are is told to whoever runs the migration.

Before anything else every table that this and the next migrations change is locked.
"""

from alembic import op

from db.postgres.migration_notes import tell

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# What 0015 to 0026 change. The dispute comes first, as in every command on a case: such a command is waited for before anything else is
# held, and none begins after.
LOCKED = (
    "dispute", "agreement", "alert_rule", "area", "attendance", "case_counter", "company", "compound", "confirmation", "escalation",
    "event", "follow_up", "inspection", "note", "obligation", "organization", "party", "performance", "person", "referral", "request",
    "session", "tally", "tally_change", "tally_days", "tally_sum", "team",
)  # fmt: skip

# By action: the resource that it made or changed.
SUBJECTS = {
    "dispute.assign": "Assignment",
    "dispute.disclose": "Recusal",
    "dispute.recuse": "Recusal",
    "dispute.measure": "Measure",
    "dispute.record": "Session",
    "dispute.assess": "Assessment",
    "dispute.report": "Referral",
    "dispute.invite": "Referral",
    "dispute.refer": "Referral",
    "dispute.extend": "Extension",
    "dispute.escalate": "Escalation",
    "dispute.take": "Escalation",
    "dispute.return": "Escalation",
    "dispute.opine": "Opinion",
    "dispute.consent": "Party",
    "dispute.refuse": "Party",
    "dispute.agree": "Agreement",
    "dispute.perform": "Obligation",
    "agreement.sign": "Signature",
    "obligation.perform": "Performance",
    "obligation.excuse": "Performance",
    "obligation.urge": "Performance",
    "team.replace": "TeamMember",
}
_DAY = "(e.at AT TIME ZONE 'Asia/Shanghai')::date"
# By resource: the rows that an event can be about which does not name one.
_FITTING = {
    "Assessment": "assessment r WHERE r.dispute_id = e.dispute_id AND r.assessed_at = e.happened_at AND r.assessor_id = e.actor_id",
    "Performance": "performance r WHERE r.obligation_id = e.resource_id AND r.recorded_at = e.at",
    "Party": "party r WHERE r.dispute_id = e.dispute_id AND r.consent = 'REFUSED' AND e.action = 'dispute.refuse'",
    "Agreement": f"agreement r WHERE r.dispute_id = e.dispute_id AND r.agreed_on = {_DAY}",
    "Obligation": f"obligation r WHERE r.dispute_id = e.dispute_id AND r.performed_on = {_DAY}",
    "TeamMember": "team_member r WHERE r.team_id = e.resource_id AND r.role = e.reason AND r.valid_from >= e.happened_at::date",
}
_KINDS = ", ".join(f"('{action}', '{kind}')" for action, kind in SUBJECTS.items())
# The last of the rows: an assignment that begins stands behind those that end.
_NAMED = """(
    SELECT (c.value ->> 1)::uuid FROM json_array_elements(e.changes) WITH ORDINALITY c (value, place)
    WHERE c.value ->> 0 = m.kind ORDER BY c.place DESC LIMIT 1
)"""
_ONLY = " ".join(
    f"WHEN '{kind}' THEN (SELECT min(r.id::text)::uuid FROM {rows} HAVING count(*) = 1)"  # noqa: S608
    for kind, rows in _FITTING.items()
)
MOVE = f"""
DO $$
BEGIN
    CREATE TEMPORARY TABLE moved ON COMMIT DROP AS
        SELECT e.id, m.kind, coalesce({_NAMED}, CASE m.kind {_ONLY} END) AS key
        FROM event e JOIN (VALUES {_KINDS}) m (action, kind) ON m.action = e.action
        WHERE e.resource IN ('Dispute', 'Obligation', 'Agreement', 'Team') AND e.resource <> m.kind;
    -- Whoever had signed before made no signature.
    DELETE FROM moved WHERE kind = 'Signature' AND key IS NULL;
    UPDATE event SET resource = moved.kind, resource_id = coalesce(moved.key, event.resource_id)
        FROM moved WHERE moved.id = event.id;
END
$$
"""  # noqa: S608


def upgrade() -> None:
    op.execute(f"LOCK TABLE {', '.join(LOCKED)} IN ACCESS EXCLUSIVE MODE")
    op.execute("ALTER TABLE event DISABLE TRIGGER event_append_only")
    op.execute(MOVE)
    op.execute("ALTER TABLE event ENABLE TRIGGER event_append_only")
    tell(
        "下列办理记录找不到所对应的内容，已原样保留，但不再显示在办理经过中",
        {"办理记录 {} 条": "SELECT count(*) FROM moved WHERE key IS NULL"},
    )
    op.execute("DROP TABLE moved")
