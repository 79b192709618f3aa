# ruff: noqa: S608 - the statements are made of constants of this file
"""A release by the creditor is told from what cannot be performed; default, suit and enforcement have their facts.

What was excused before was either: it was a release where its reason says so. The others, without a ground, and the days of suit that are
derived from the obligations, are counted for whoever runs the migration.
"""

import sqlalchemy as sa
from alembic import op

from db.postgres.migration_notes import tell

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

STATES = (
    "'DRAFT', 'PENDING', 'PARTLY_PERFORMED', 'PERFORMED', 'RELEASED', 'EXCUSED', 'DEFAULTED', 'VARIED', 'RESCINDED', 'SUED',"
    " 'ENFORCED'"
)
KINDS = "'PERFORM', 'PARTLY_PERFORM', 'RELEASE', 'EXCUSE', 'ENFORCE', 'URGE'"
GROUNDS = "'FORCE_MAJEURE', 'IMPOSSIBLE_IN_LAW', 'IMPOSSIBLE_IN_FACT', 'DEBTOR_GONE'"
RESULTS = "'UPHELD', 'VARIED', 'REVOKED', 'WITHDRAWN'"
RELEASED = "kind = 'EXCUSE' AND evidence ~ '免除|免收|免交|放弃'"


def upgrade() -> None:
    op.alter_column("dispute", "previous_id", comment="反弹或再立之前的纠纷", existing_comment="反弹前的纠纷")
    op.add_column("performance", sa.Column("ground", sa.Text(), nullable=True, comment="不能履行的原因"))
    op.alter_column(
        "performance",
        "kind",
        comment="类型：履行、部分履行、免除、不能履行、强制执行、督促",
        existing_comment="类型：履行、部分履行、免除、督促",
    )
    for name, kind, label in (
        ("sued_on", sa.Date(), "就协议起诉的日期"),
        ("suit_result", sa.Text(), "诉讼结果：维持、变更、撤销协议，或撤诉"),
        ("suit_decided_on", sa.Date(), "裁判或准许撤诉的日期"),
        ("suit_case_number", sa.Text(), "民事案件案号"),
    ):
        op.add_column("agreement", sa.Column(name, kind, nullable=True, comment=label))
    for table, column, codes in (("obligation", "state", STATES), ("performance", "kind", KINDS)):
        op.drop_constraint(f"ck_{table}_{column}_code", table)
        op.create_check_constraint(op.f(f"ck_{table}_{column}_code"), table, f"{column} IN ({codes})")
    op.create_check_constraint(op.f("ck_performance_ground_code"), "performance", f"ground IN ({GROUNDS})")
    op.create_check_constraint(op.f("ck_agreement_suit_result_code"), "agreement", f"suit_result IN ({RESULTS})")
    op.create_check_constraint(
        op.f("ck_agreement_suit"), "agreement", "(suit_result IS NULL) = (suit_decided_on IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_agreement_suit_order"), "agreement", "suit_decided_on >= sued_on AND sued_on >= effective_on"
    )
    # Those of archived disputes too; no figure changes by it.
    for table in ("obligation", "performance"):
        op.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    op.execute(
        "UPDATE obligation SET state = 'RELEASED' WHERE state = 'EXCUSED'"
        f" AND id IN (SELECT obligation_id FROM performance WHERE {RELEASED})"
    )
    op.execute(f"UPDATE performance SET kind = 'RELEASE' WHERE {RELEASED}")
    # Whatever is before the court already was brought there when its day had passed.
    op.execute("ALTER TABLE agreement DISABLE TRIGGER USER")
    op.execute(
        "UPDATE agreement AS a SET sued_on = greatest(a.effective_on, least(o.due_on, current_date)) FROM ("
        "SELECT agreement_id, max(due_on) AS due_on FROM obligation WHERE state = 'SUED' GROUP BY agreement_id"
        ") AS o WHERE o.agreement_id = a.id AND a.effective_on IS NOT NULL"
    )
    for table in ("obligation", "performance", "agreement"):
        op.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    tell(
        "下列内容已由旧记录推定，请人工核对",
        {
            "没有写明原因、按不能履行处理的免除 {} 项": "SELECT count(*) FROM performance WHERE kind = 'EXCUSE'",
            "按履行期限推定起诉日期的协议 {} 份": "SELECT count(*) FROM agreement WHERE sued_on IS NOT NULL",
        },
    )
