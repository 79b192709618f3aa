"""Words of the trade in comments and alert rules; the bases of the rules cite what the articles say; two columns of codes are closed lists."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COMMENTS = {
    "TABLE attendance": "到场单位",
    "TABLE case_counter": "卷号计数",
    "TABLE note": "工作记录，不入卷",
    "TABLE session": "调解（第几次）",
    "COLUMN attendance.session_id": "所属的一次调解",
    "COLUMN dispute.case_number": "卷号，受理时按调解委员会、年度连续编号",
    "COLUMN dispute.utility_cut": "被停的公用事业",
    "COLUMN dispute.decline_reason": "不予受理的原因",
    "COLUMN dispute.case_year": "卷号年度",
    "COLUMN dispute.case_sequence": "卷号序号",
    "COLUMN escalation.to_tier": "报送至",
    "COLUMN escalation.state": "状态：已报送、已接收、已退回",
    "COLUMN escalation.reason": "报送原因",
    "COLUMN escalation.sent_at": "报送时间",
    "COLUMN note.session_id": "所属的一次调解",
    "COLUMN organization.short_name": "简称，用于编卷号",
}
LABELS = {"UTILITY_CUTOFF": "停水停电停气停暖", "REPEAT_PARTY": "同一当事人多次发生纠纷"}
BASES = {
    "UTILITY_CUTOFF": (
        "《民法典》第九百四十四条第三款：物业服务人不得采取停止供电、供水、供热、供燃气等方式催交物业费。"
        "《山东省物业管理条例》第六十四条第四款；《聊城市物业管理条例》第三十四条第十项禁止停止供水、供电催交物业费，"
        "由住房城乡建设主管部门查处（第五十九条第三款）。建议当日恢复，并向住建部门移送线索。"
    ),
    "HIGH_RISK": (
        "《人民调解法》第二十五条：可能激化的采取预防措施；可能引起治安案件、刑事案件的，及时向公安机关或者其他有关部门报告。"
    ),
    "MONTH_OVERDUE": (
        "《人民调解工作若干规定》第三十三条：一般在一个月内调结。需要延长的，按本县工作规则经双方当事人同意后办理延长。"
    ),
    "OBLIGATION_OVERDUE": "《人民调解法》第三十一条第二款：督促当事人履行。",
    "CONFIRMATION_WINDOW": "《人民调解法》第三十三条：自协议生效之日起三十日内共同申请。",
    "PERFORMANCE_FACTOR": (
        "《人民调解法》第三十一条第二款：监督、督促当事人履行。《人民调解工作若干规定》第三十六条：适时回访，并作记录。"
    ),
}


def upgrade() -> None:
    for what, comment in COMMENTS.items():
        op.execute(f"COMMENT ON {what} IS '{comment}'")
    rules = sa.table("alert_rule", *(sa.column(name, sa.Text) for name in ("rule", "label", "legal_basis")))
    for column, values in (("label", LABELS), ("legal_basis", BASES)):
        for rule, value in values.items():
            op.execute(rules.update().where(rules.c.rule == rule).values({column: value}))
    op.create_check_constraint(
        op.f("ck_dispute_utility_cut_code"), "dispute", "utility_cut IN ('WATER', 'POWER', 'GAS', 'HEAT')"
    )
    op.create_check_constraint(
        op.f("ck_dispute_decline_reason_code"),
        "dispute",
        "decline_reason IN ('RESERVED', 'ELSEWHERE', 'NOT_CIVIL', 'OUT_OF_AREA', 'ADMINISTRATIVE', 'PARTY_REFUSES', 'DUPLICATE')",
    )
