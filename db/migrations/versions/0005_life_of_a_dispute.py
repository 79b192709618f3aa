"""The life of a dispute: alerts and their rules, assessments, hand-overs, visits, the calendar, idempotent requests, case counters."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


RULE_CODE = (
    "rule IN ('UTILITY_CUTOFF', 'HIGH_RISK', 'MONTH_OVERDUE', 'OBLIGATION_OVERDUE', 'CONFIRMATION_WINDOW', 'DISSATISFIED', "
    "'COMPOUND_CLUSTER', 'COMPANY_CLUSTER', 'REPEAT_PARTY', 'PERFORMANCE_FACTOR')"
)

OBLIGATION_STATE_CODE = "state IN ('DRAFT', 'PENDING', 'PARTLY_PERFORMED', 'PERFORMED', 'EXCUSED', 'VARIED', 'RESCINDED', 'SUED', 'ENFORCED')"

# As before (0003), but a party that has withdrawn signs nothing.
EFFECT = """
CREATE OR REPLACE FUNCTION agreement_effective() RETURNS trigger
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
            WHERE party.dispute_id = agreement.dispute_id AND side IN ('APPLICANT', 'RESPONDENT')
                AND withdrawn_on IS NULL AND NOT EXISTS (
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

NEW_TABLES = (
    "alert", "alert_rule", "assessment", "calendar_day", "escalation", "factor", "inspection", "opinion", "recusal", "visit",
)  # fmt: skip
WRITABLE = (
    "alert", "assessment", "case_counter", "escalation", "factor", "inspection", "opinion", "recusal", "request", "visit",
)  # fmt: skip
# Parts of a dispute: as immutable as it is once it is archived. An alert is not: it may be closed after it.
PARTS = ("assessment", "escalation", "factor", "opinion", "recusal", "visit")

RULES = (
    ("UTILITY_CUTOFF", "停水停电停气停热", "ORANGE", '{"hours": 24}',
     ("民法典第九百四十四条第三款：物业服务人不得采取停止供电、供水、供热、供燃气等方式催交物业费。"
     "聊城市物业管理条例第三十四条第十项同此，由住房和城乡建设部门查处（第五十九条）。建议当日恢复，并向住建部门移送线索。")),
    ("HIGH_RISK", "高风险", "RED", "{}",
     "人民调解法第二十五条：可能激化的采取预防措施；可能引起治安案件、刑事案件的，及时向公安机关或者其他有关部门报告。"),
    ("MONTH_OVERDUE", "调解期满未延长", "YELLOW", "{}", "人民调解工作若干规定第三十三条：一般在一个月内调结；延长须经双方同意。"),
    ("OBLIGATION_OVERDUE", "义务逾期未履行", "YELLOW", '{"days": 7, "orange_days": 30}', "人民调解法第三十一条第二款：督促当事人履行。"),
    ("CONFIRMATION_WINDOW", "司法确认期限将满", "REMINDER", '{"days": 7}', "人民调解法第三十三条：自协议生效之日起三十日内共同申请。"),
    ("DISSATISFIED", "回访不满意", "YELLOW", '{"satisfaction": 2}', "建议再次回访，查明原因。"),
    ("COMPOUND_CLUSTER", "同一小区多发", "YELLOW", '{"count": 3, "days": 30}', None),
    ("COMPANY_CLUSTER", "同一物业企业多发", "ORANGE", '{"count": 5, "days": 30}', None),
    ("REPEAT_PARTY", "同一当事人多次涉诉", "YELLOW", '{"count": 2, "days": 90}', None),
    ("PERFORMANCE_FACTOR", "可能影响履行", "YELLOW", "{}", "人民调解工作若干规定第三十六条、第三十七条：督促履行，必要时回访。"),
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "alert_rule",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("rule", sa.Text(), nullable=False, comment="规则"),
        sa.Column("label", sa.Text(), nullable=False, comment="名称"),
        sa.Column("level", sa.Text(), nullable=False, comment="级别"),
        sa.Column("legal_basis", sa.Text(), nullable=True, comment="法律依据与处置建议"),
        sa.Column("parameters", sa.JSON(), server_default=sa.text("'{}'"), nullable=False, comment="参数"),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="是否启用"),
        sa.CheckConstraint("level IN ('REMINDER', 'YELLOW', 'ORANGE', 'RED')", name=op.f("ck_alert_rule_level_code")),
        sa.CheckConstraint(
            RULE_CODE,
            name=op.f("ck_alert_rule_rule_code"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rule")),
        sa.UniqueConstraint("rule", name=op.f("uq_alert_rule_rule")),
        comment="预警规则",
    )
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date(), nullable=False, comment="日期"),
        sa.Column("works", sa.Boolean(), nullable=False, comment="是否上班"),
        sa.Column("label", sa.Text(), nullable=False, comment="名称，如 春节、补班"),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_day")),
        comment="工作日历",
    )
    op.create_table(
        "inspection",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("grid_code", sa.Text(), nullable=False, comment="网格"),
        sa.Column("person_id", sa.Uuid(), nullable=False, comment="排查人"),
        sa.Column("inspected_on", sa.Date(), nullable=False, comment="排查日期"),
        sa.Column("found_count", sa.Integer(), nullable=False, comment="发现的纠纷数，零报告也计入"),
        sa.Column("note", sa.Text(), nullable=True, comment="情况说明，不含个人信息"),
        sa.CheckConstraint("found_count >= 0", name=op.f("ck_inspection_found_count")),
        sa.ForeignKeyConstraint(["grid_code"], ["area.code"], name=op.f("fk_inspection_grid_code")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_inspection_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection")),
        comment="排查",
    )
    op.create_index(op.f("ix_inspection_grid_code"), "inspection", ["grid_code"], unique=False)
    op.create_index("ix_inspection_inspected_on", "inspection", ["inspected_on", "id"], unique=False)
    op.create_index(op.f("ix_inspection_person_id"), "inspection", ["person_id"], unique=False)
    op.create_table(
        "request",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("person_id", sa.Uuid(), nullable=False, comment="提交人"),
        sa.Column("key", sa.Text(), nullable=False, comment="幂等键"),
        sa.Column("command", sa.Text(), nullable=False, comment="命令，如 dispute.accept"),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="输入的散列，用于识别同键不同内容"),
        sa.Column("receipt", sa.JSON(), nullable=True, comment="已给出的回执"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="首次提交时间",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_request_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        comment="写请求",
    )
    op.create_index("ix_request_created_at", "request", ["created_at"], unique=False)
    op.create_index("uq_request_key", "request", ["person_id", "key"], unique=True)
    op.create_table(
        "case_counter",
        sa.Column("committee_id", sa.Uuid(), nullable=False, comment="调解委员会"),
        sa.Column("year", sa.Integer(), nullable=False, comment="年度"),
        sa.Column("last", sa.Integer(), nullable=False, comment="已用的最大序号"),
        sa.CheckConstraint("last >= 0", name=op.f("ck_case_counter_last")),
        sa.ForeignKeyConstraint(["committee_id"], ["organization.id"], name=op.f("fk_case_counter_committee_id")),
        sa.PrimaryKeyConstraint("committee_id", "year", name=op.f("pk_case_counter")),
        comment="案号计数",
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("compound_id", sa.Uuid(), nullable=True, comment="小区"),
        sa.Column("company_id", sa.Uuid(), nullable=True, comment="物业企业"),
        sa.Column("subject", sa.Text(), nullable=False, comment="对象"),
        sa.Column("rule", sa.Text(), nullable=False, comment="规则"),
        sa.Column("level", sa.Text(), nullable=False, comment="级别"),
        sa.Column(
            "state", sa.Text(), server_default=sa.text("'OPEN'"), nullable=False, comment="状态：待处置、处置中、已关闭"
        ),
        sa.Column("message", sa.Text(), nullable=False, comment="预警内容，不含个人信息"),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False, comment="产生时间"),
        sa.Column("due_on", sa.Date(), nullable=True, comment="应处置日期"),
        sa.Column("handler_id", sa.Uuid(), nullable=True, comment="处置人"),
        sa.Column("note", sa.Text(), nullable=True, comment="处置说明"),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True, comment="关闭时间"),
        sa.CheckConstraint(
            "(state = 'CLOSED') = (closed_at IS NOT NULL) AND (state <> 'CLOSED' OR note IS NOT NULL)",
            name=op.f("ck_alert_closed"),
        ),
        sa.CheckConstraint("level IN ('REMINDER', 'YELLOW', 'ORANGE', 'RED')", name=op.f("ck_alert_level_code")),
        sa.CheckConstraint(
            RULE_CODE,
            name=op.f("ck_alert_rule_code"),
        ),
        sa.CheckConstraint("state IN ('OPEN', 'HANDLING', 'CLOSED')", name=op.f("ck_alert_state_code")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_alert_company_id")),
        sa.ForeignKeyConstraint(["compound_id"], ["compound.id"], name=op.f("fk_alert_compound_id")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_alert_dispute_id")),
        sa.ForeignKeyConstraint(["handler_id"], ["person.id"], name=op.f("fk_alert_handler_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("id", "dispute_id", name=op.f("uq_alert_id_dispute_id")),
        comment="预警",
    )
    op.create_index(op.f("ix_alert_company_id"), "alert", ["company_id"], unique=False)
    op.create_index(op.f("ix_alert_compound_id"), "alert", ["compound_id"], unique=False)
    op.create_index(op.f("ix_alert_dispute_id"), "alert", ["dispute_id"], unique=False)
    op.create_index("ix_alert_opened_at", "alert", ["opened_at", "id"], unique=False)
    op.create_index(
        "uq_alert_open", "alert", ["rule", "subject"], unique=True, postgresql_where=sa.text("state <> 'CLOSED'")
    )
    op.create_table(
        "assessment",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("assessor_id", sa.Uuid(), nullable=False, comment="评估人"),
        sa.Column("level", sa.Text(), nullable=False, comment="风险等级"),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=False, comment="评估时间"),
        sa.Column("reason", sa.Text(), nullable=False, comment="依据；高风险而不报送派出所的，写明理由"),
        sa.Column(
            "reported", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="是否已报送派出所"
        ),
        sa.CheckConstraint("level IN ('LOW', 'MEDIUM', 'HIGH')", name=op.f("ck_assessment_level_code")),
        sa.ForeignKeyConstraint(["assessor_id"], ["person.id"], name=op.f("fk_assessment_assessor_id")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_assessment_dispute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
        comment="风险评估",
    )
    op.create_index(op.f("ix_assessment_dispute_id"), "assessment", ["dispute_id"], unique=False)
    op.create_table(
        "escalation",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("from_tier", sa.Text(), nullable=False, comment="原层级"),
        sa.Column("to_tier", sa.Text(), nullable=False, comment="上交至"),
        sa.Column(
            "state", sa.Text(), server_default=sa.text("'SENT'"), nullable=False, comment="状态：已上交、已接收、已退回"
        ),
        sa.Column("organization_id", sa.Uuid(), nullable=False, comment="接收单位"),
        sa.Column("reason", sa.Text(), nullable=False, comment="上交原因"),
        sa.Column("handover", sa.Text(), nullable=False, comment="交接摘要"),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False, comment="上交时间"),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True, comment="接收或退回时间"),
        sa.Column("answer", sa.Text(), nullable=True, comment="退回理由或接收说明"),
        sa.CheckConstraint("(state = 'SENT') = (answered_at IS NULL)", name=op.f("ck_escalation_answered")),
        sa.CheckConstraint("from_tier IN ('TEAM', 'SQUAD', 'CENTRE')", name=op.f("ck_escalation_from_tier_code")),
        sa.CheckConstraint("state IN ('SENT', 'TAKEN', 'RETURNED')", name=op.f("ck_escalation_state_code")),
        sa.CheckConstraint("to_tier IN ('TEAM', 'SQUAD', 'CENTRE')", name=op.f("ck_escalation_to_tier_code")),
        sa.CheckConstraint("answered_at >= sent_at", name=op.f("ck_escalation_dates")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_escalation_dispute_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_escalation_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation")),
        comment="层级移交",
    )
    op.create_index(op.f("ix_escalation_dispute_id"), "escalation", ["dispute_id"], unique=False)
    op.create_index(op.f("ix_escalation_organization_id"), "escalation", ["organization_id"], unique=False)
    op.create_index(
        "uq_escalation_waiting", "escalation", ["dispute_id"], unique=True, postgresql_where=sa.text("state = 'SENT'")
    )
    op.create_table(
        "factor",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("author_id", sa.Uuid(), nullable=False, comment="记录人"),
        sa.Column("kind", sa.Text(), nullable=False, comment="影响履行的因素"),
        sa.Column("severity", sa.Text(), nullable=False, comment="程度"),
        sa.Column("suggestion", sa.Text(), nullable=False, comment="建议"),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False, comment="发现时间"),
        sa.CheckConstraint(
            "kind IN ('UNEMPLOYMENT', 'ILLNESS', 'SALE', 'COMPANY_CHANGE', 'FAMILY', 'DISSATISFACTION', 'OTHER')",
            name=op.f("ck_factor_kind_code"),
        ),
        sa.CheckConstraint("severity IN ('LOW', 'MEDIUM', 'HIGH')", name=op.f("ck_factor_severity_code")),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_factor_author_id")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_factor_dispute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factor")),
        comment="影响履行的因素",
    )
    op.create_index(op.f("ix_factor_author_id"), "factor", ["author_id"], unique=False)
    op.create_index(op.f("ix_factor_dispute_id"), "factor", ["dispute_id"], unique=False)
    op.create_table(
        "opinion",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("author_id", sa.Uuid(), nullable=False, comment="出具人"),
        sa.Column("organization_id", sa.Uuid(), nullable=True, comment="出具单位"),
        sa.Column("text", sa.Text(), nullable=False, comment="意见"),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False, comment="出具时间"),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_opinion_author_id")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_opinion_dispute_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_opinion_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinion")),
        comment="意见",
    )
    op.create_index(op.f("ix_opinion_author_id"), "opinion", ["author_id"], unique=False)
    op.create_index(op.f("ix_opinion_dispute_id"), "opinion", ["dispute_id"], unique=False)
    op.create_table(
        "visit",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("kind", sa.Text(), nullable=False, comment="类型：排查、法治宣传、入户走访"),
        sa.Column("visitor_id", sa.Uuid(), nullable=False, comment="走访人"),
        sa.Column("visited_at", sa.DateTime(timezone=True), nullable=False, comment="走访时间"),
        sa.Column("note", sa.Text(), nullable=False, comment="情况"),
        sa.CheckConstraint("kind IN ('INSPECTION', 'PUBLICITY', 'HOME_VISIT')", name=op.f("ck_visit_kind_code")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_visit_dispute_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["person.id"], name=op.f("fk_visit_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        comment="走访",
    )
    op.create_index(op.f("ix_visit_dispute_id"), "visit", ["dispute_id"], unique=False)
    op.create_index(op.f("ix_visit_visitor_id"), "visit", ["visitor_id"], unique=False)
    op.create_table(
        "recusal",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("kind", sa.Text(), nullable=False, comment="类型：本人披露、当事人要求"),
        sa.Column("person_id", sa.Uuid(), nullable=False, comment="调解员"),
        sa.Column("party_id", sa.Uuid(), nullable=True, comment="提出的当事人"),
        sa.Column("ground", sa.Text(), nullable=False, comment="事由"),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False, comment="提出时间"),
        sa.Column("replacement_id", sa.Uuid(), nullable=True, comment="接替的调解员"),
        sa.CheckConstraint("kind IN ('DISCLOSURE', 'REQUEST')", name=op.f("ck_recusal_kind_code")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_recusal_dispute_id")),
        sa.ForeignKeyConstraint(
            ["party_id", "dispute_id"], ["party.id", "party.dispute_id"], name=op.f("fk_recusal_party_id_dispute_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_recusal_person_id")),
        sa.ForeignKeyConstraint(["replacement_id"], ["person.id"], name=op.f("fk_recusal_replacement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recusal")),
        comment="披露与回避",
    )
    op.create_index(op.f("ix_recusal_dispute_id"), "recusal", ["dispute_id"], unique=False)
    op.add_column(
        "dispute", sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True, comment="告知权利义务的时间")
    )
    op.add_column(
        "dispute", sa.Column("utility_cut", sa.Text(), nullable=True, comment="被停的公用事业：WATER、POWER、GAS、HEAT")
    )
    op.add_column("dispute", sa.Column("decline_reason", sa.Text(), nullable=True, comment="不予受理的原因代码"))
    op.add_column("dispute", sa.Column("advice", sa.Text(), nullable=True, comment="告知当事人的其他途径"))
    op.add_column("event", sa.Column("dispute_version", sa.Integer(), nullable=True, comment="操作后的纠纷版本"))
    op.add_column("event", sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True, comment="发生时间"))
    op.add_column("party", sa.Column("agent_powers", sa.Text(), nullable=True, comment="代理权限"))
    op.add_column("party", sa.Column("withdrawn_on", sa.Date(), nullable=True, comment="退出日期"))
    # What a draft would lay on a party is not owed yet.
    op.drop_constraint("ck_obligation_state_code", "obligation")
    op.create_check_constraint(op.f("ck_obligation_state_code"), "obligation", OBLIGATION_STATE_CODE)
    op.add_column("performance", sa.Column("party_id", sa.Uuid(), nullable=True, comment="被督促的当事人"))
    op.add_column("performance", sa.Column("method", sa.Text(), nullable=True, comment="督促方式"))
    op.add_column("performance", sa.Column("result", sa.Text(), nullable=True, comment="督促的结果"))
    op.create_index(op.f("ix_performance_party_id"), "performance", ["party_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_performance_party_id_dispute_id"),
        "performance",
        "party",
        ["party_id", "dispute_id"],
        ["id", "dispute_id"],
    )
    op.create_check_constraint(
        op.f("ck_performance_method_code"), "performance", "method IN ('VISIT', 'PHONE', 'VIDEO', 'MESSAGE', 'MEETING')"
    )
    op.execute(EFFECT)

    # A county's count reads the index alone.
    op.create_index(
        "ix_dispute_county_code",
        "dispute",
        ["county_code", sa.literal_column("registered_at DESC"), sa.literal_column("id DESC")],
    )
    op.execute(f"GRANT SELECT ON {', '.join(NEW_TABLES)} TO sanlian_reader, sanlian_writer")
    op.execute("GRANT SELECT (agent_powers, withdrawn_on) ON party TO sanlian_reader")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {', '.join(WRITABLE)} TO sanlian_writer")
    for table in PARTS:
        op.execute(
            f"CREATE TRIGGER dispute_archived BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
            " EXECUTE FUNCTION dispute_archived()"
        )
    # The counters go on from the numbers that are in use.
    op.execute(
        "INSERT INTO case_counter (committee_id, year, last)"
        " SELECT committee_id, case_year, max(case_sequence) FROM dispute WHERE case_sequence IS NOT NULL GROUP BY 1, 2"
    )
    rules = sa.table(
        "alert_rule",
        *(sa.column(name, sa.Text) for name in ("rule", "label", "level", "legal_basis")),
        sa.column("parameters", sa.JSON),
    )
    for rule, label, level, parameters, basis in RULES:
        op.execute(
            rules.insert().values(
                rule=rule, label=label, level=level, parameters=sa.literal_column(f"'{parameters}'"), legal_basis=basis
            )
        )
