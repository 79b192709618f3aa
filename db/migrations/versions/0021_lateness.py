"""How late the facts of a case were recorded, and whether one hand alone made it; of the cases that are there, from their events.

Whoever registered, accepted, mediated, drafted and signed is told by the event. A case without such events was made by nobody known, and
passes for one of several hands.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

LATE_DAYS = "CASE WHEN happened_at IS NOT NULL THEN greatest(0, floor(extract(epoch FROM at - happened_at) / 86400)::integer) END"
MAKING = "'dispute.register', 'dispute.reopen', 'dispute.accept', 'dispute.record', 'dispute.agree', 'agreement.draft', 'agreement.sign'"
DERIVE = f"""
UPDATE dispute AS d SET late_days = coalesce(told.late_days, 0), one_hand = coalesce(told.hands = 1, false), hand_id = told.hand_id
FROM (
    SELECT dispute_id, max(late_days) AS late_days,
        count(DISTINCT actor_id) FILTER (WHERE action IN ({MAKING})) AS hands,
        (array_agg(actor_id ORDER BY at, id) FILTER (WHERE action IN ({MAKING}) AND actor_id IS NOT NULL))[1] AS hand_id
    FROM event WHERE dispute_id IS NOT NULL GROUP BY dispute_id
) AS told
WHERE told.dispute_id = d.id AND (told.late_days > 0 OR told.hand_id IS NOT NULL)
"""  # noqa: S608 - made of constants of this file


def upgrade() -> None:
    op.add_column(
        "event",
        sa.Column(
            "late_days",
            sa.Integer(),
            sa.Computed(LATE_DAYS, persisted=False),
            nullable=True,
            comment="迟记的日数：发生与记录相隔的日数",
        ),
    )
    op.add_column("event", sa.Column("late_reason", sa.Text(), nullable=True, comment="迟记的原因，由记录人写明"))
    op.add_column(
        "dispute",
        sa.Column(
            "late_days",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="办理经过中最迟的一次补记迟了多少日",
        ),
    )
    op.add_column(
        "dispute",
        sa.Column(
            "one_hand",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="登记、受理、调解、拟约、签章是否出自一人之手",
        ),
    )
    op.add_column("dispute", sa.Column("hand_id", sa.Uuid(), nullable=True, comment="最先经手的人"))
    # What is archived is not changed by this either: it is told about, not edited.
    op.execute("ALTER TABLE dispute DISABLE TRIGGER USER")
    op.execute(DERIVE)
    op.execute("ALTER TABLE dispute ENABLE TRIGGER USER")
    op.create_foreign_key(op.f("fk_dispute_hand_id"), "dispute", "person", ["hand_id"], ["id"])
