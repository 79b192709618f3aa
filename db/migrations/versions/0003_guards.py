"""Triggers: the access epoch, and the rules that no check constraint can express.

Every refusal is a check_violation (23514) that carries the name of the broken rule as its constraint name.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# SECURITY: whatever decides access bumps the epoch in its own transaction; every cached right dies with the commit.
# token.last_used_at and label are left out: they decide nothing and change often.
EPOCH = {
    "token": "UPDATE OF revoked_at, expires_at, person_id, appointment_id, hash",
    "person": "UPDATE OF state",
    "appointment": "UPDATE",
    "mediator": "UPDATE",
    "team": "UPDATE OF state, grid_code",
    "team_member": "UPDATE",
    "policy_version": "UPDATE OF state, text",
    "organization": "UPDATE OF area_code, parent_id, kind",
}

# Rows that hang on a dispute and become as immutable as it is. Events do not: reading an archive is recorded too.
PARTS = (
    "agreement", "assignment", "attendance", "confirmation", "extension", "follow_up", "measure", "note", "obligation",
    "party", "performance", "referral", "session", "signature",
)  # fmt: skip

# SECURITY: runs as its owner, so that the application's role can bump the epoch and cannot set it back.
BUMP = """
CREATE FUNCTION access_epoch_bump() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE access_epoch SET epoch = epoch + 1;
    RETURN NULL;
END $$
"""

# The rule's name and its words are the trigger's arguments.
REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_ARGV[0], TABLE = TG_TABLE_NAME,
        MESSAGE = TG_ARGV[1];
END $$
"""

# The lock makes two transactions that each take one member away wait for each other.
TEAM = """
CREATE FUNCTION team_complete() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_TABLE_NAME = 'team' THEN
        touched := ARRAY[NEW.id];
    ELSIF TG_OP = 'DELETE' THEN
        touched := ARRAY[OLD.team_id];
    ELSIF TG_OP = 'UPDATE' THEN
        touched := ARRAY[OLD.team_id, NEW.team_id];
    ELSE
        touched := ARRAY[NEW.team_id];
    END IF;
    PERFORM FROM team WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;
    PERFORM FROM team WHERE id = ANY (touched) AND state = 'ACTIVE' AND (
        SELECT count(*) <> 4 OR count(DISTINCT role) <> 4
        FROM team_member WHERE team_id = team.id AND valid_to IS NULL
    );
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'team_complete', TABLE = 'team',
            MESSAGE = 'an active team has exactly one active member of each of the four roles';
    END IF;
    RETURN NULL;
END $$
"""

# FOR SHARE: a part cannot slip in beside the transaction that archives its dispute.
ARCHIVE = """
CREATE FUNCTION dispute_archived() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM dispute WHERE id IN (
        CASE WHEN TG_OP <> 'INSERT' THEN OLD.dispute_id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.dispute_id END
    ) AND state = 'ARCHIVED' FOR SHARE;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'dispute_archived', TABLE = TG_TABLE_NAME,
            MESSAGE = 'an archived dispute and its parts never change';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""

PROOF = """
CREATE FUNCTION obligation_proof() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    touched uuid := CASE WHEN TG_TABLE_NAME = 'performance'
                         THEN (to_json(OLD) ->> 'obligation_id')::uuid ELSE NEW.id END;
BEGIN
    PERFORM FROM obligation WHERE id = touched AND state = 'PERFORMED' AND NOT EXISTS (
        SELECT FROM performance WHERE obligation_id = obligation.id AND kind = 'PERFORM'
            AND coalesce(evidence, both_confirmed) IS NOT NULL
    );
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'obligation_proof', TABLE = 'obligation',
            MESSAGE = 'a performed obligation needs a performance with evidence or confirmed by both sides';
    END IF;
    RETURN NULL;
END $$
"""

# People's Mediation Law Art. 29: a written agreement takes effect when every party and a mediator have signed and the
# committee has sealed it.
EFFECT = """
CREATE FUNCTION agreement_effective() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    touched uuid := CASE WHEN TG_TABLE_NAME = 'agreement' THEN NEW.id
                         WHEN TG_OP = 'INSERT' THEN (to_json(NEW) ->> 'agreement_id')::uuid
                         ELSE (to_json(OLD) ->> 'agreement_id')::uuid END;
BEGIN
    PERFORM FROM agreement WHERE id = touched AND form = 'WRITTEN' AND state <> 'DRAFT' AND (
        effective_on < (SELECT max(signed_on) FROM signature WHERE agreement_id = agreement.id)
        OR NOT EXISTS (SELECT FROM signature WHERE agreement_id = agreement.id AND kind = 'MEDIATOR')
        OR NOT EXISTS (SELECT FROM signature WHERE agreement_id = agreement.id AND kind = 'SEAL')
        OR EXISTS (
            SELECT FROM party
            WHERE party.dispute_id = agreement.dispute_id AND side IN ('APPLICANT', 'RESPONDENT') AND NOT EXISTS (
                SELECT FROM signature WHERE agreement_id = agreement.id AND kind = 'PARTY' AND party_id = party.id
            )
        )
    );
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'agreement_effective', TABLE = 'agreement',
            MESSAGE = 'a written agreement takes effect when the parties and a mediator have signed and it is sealed';
    END IF;
    RETURN NULL;
END $$
"""

# What a person approved is what stays: only the state moves on, and the day of publication is set once.
POLICY = """
CREATE FUNCTION policy_version_immutable() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'DRAFT' AND (TG_OP = 'DELETE' OR NEW.state = 'DRAFT'
        OR (NEW.id, NEW.text, NEW.sha256, NEW.published_at, NEW.created_at)
            IS DISTINCT FROM (OLD.id, OLD.text, OLD.sha256, OLD.published_at, OLD.created_at)
        OR (NEW.author_id, NEW.approver_id) IS DISTINCT FROM (OLD.author_id, OLD.approver_id)) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_version_immutable',
            TABLE = 'policy_version', MESSAGE = 'a published policy version never changes';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$
"""


def constraint_trigger(name: str, function: str, event: str, table: str) -> None:
    """A check at commit, when all parts of a change are in place."""
    op.execute(
        f"CREATE CONSTRAINT TRIGGER {name} AFTER {event} ON {table} DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW EXECUTE FUNCTION {function}()"
    )


def upgrade() -> None:
    for function in (BUMP, REFUSE, TEAM, ARCHIVE, PROOF, EFFECT, POLICY):
        op.execute(function)

    op.execute("INSERT INTO access_epoch (id, epoch) VALUES (1, 1)")
    for table, update in EPOCH.items():
        op.execute(
            f"CREATE TRIGGER access_epoch_bump AFTER INSERT OR {update} OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION access_epoch_bump()"
        )

    op.execute(
        "CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event FOR EACH STATEMENT"
        " EXECUTE FUNCTION refuse('event_append_only', 'events are only ever added')"
    )

    op.execute(
        "CREATE TRIGGER dispute_archived BEFORE UPDATE OR DELETE ON dispute FOR EACH ROW WHEN (OLD.state = 'ARCHIVED')"
        " EXECUTE FUNCTION refuse('dispute_archived', 'an archived dispute and its parts never change')"
    )
    for table in PARTS:
        op.execute(
            f"CREATE TRIGGER dispute_archived BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
            " EXECUTE FUNCTION dispute_archived()"
        )

    op.execute(
        "CREATE TRIGGER policy_version_immutable BEFORE UPDATE OR DELETE ON policy_version FOR EACH ROW"
        " EXECUTE FUNCTION policy_version_immutable()"
    )
    op.execute(
        "CREATE TRIGGER policy_version_kept BEFORE TRUNCATE ON policy_version FOR EACH STATEMENT"
        " EXECUTE FUNCTION refuse('policy_version_immutable', 'a published policy version never changes')"
    )

    constraint_trigger("team_complete", "team_complete", "INSERT OR UPDATE", "team")
    constraint_trigger("team_complete", "team_complete", "INSERT OR UPDATE OR DELETE", "team_member")
    constraint_trigger("obligation_proof", "obligation_proof", "INSERT OR UPDATE", "obligation")
    constraint_trigger("obligation_proof", "obligation_proof", "UPDATE OR DELETE", "performance")
    constraint_trigger("agreement_effective", "agreement_effective", "INSERT OR UPDATE", "agreement")
    constraint_trigger("agreement_effective", "agreement_effective", "INSERT OR UPDATE OR DELETE", "signature")
