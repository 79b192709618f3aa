# ruff: noqa: E501 - written by alembic from db/tables
"""All tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_epoch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="恒为一"),
        sa.Column("epoch", sa.BigInteger(), nullable=False, comment="纪元"),
        sa.CheckConstraint("id = 1", name=op.f("ck_access_epoch_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_epoch")),
        comment="访问权纪元",
    )
    op.create_table(
        "area",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("code", sa.Text(), nullable=False, comment="区划代码"),
        sa.Column("name", sa.Text(), nullable=False, comment="名称"),
        sa.Column("level", sa.Text(), nullable=False, comment="层级"),
        sa.Column("parent_code", sa.Text(), nullable=True, comment="上级区划代码"),
        sa.CheckConstraint(
            "code ~ '^[0-9]+$' AND length(code) = CASE level WHEN 'COUNTY' THEN 6 WHEN 'TOWN' THEN 9 WHEN 'COMMUNITY' THEN 12 ELSE 15 END",
            name=op.f("ck_area_code_length"),
        ),
        sa.CheckConstraint("level IN ('COUNTY', 'TOWN', 'COMMUNITY', 'GRID')", name=op.f("ck_area_level_code")),
        sa.CheckConstraint("parent_code IS NULL OR starts_with(code, parent_code)", name=op.f("ck_area_parent_prefix")),
        sa.ForeignKeyConstraint(["parent_code"], ["area.code"], name=op.f("fk_area_parent_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area")),
        sa.UniqueConstraint("code", name=op.f("uq_area_code")),
        comment="区划",
    )
    op.create_index(op.f("ix_area_parent_code"), "area", ["parent_code"], unique=False)
    op.create_table(
        "company",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("name", sa.Text(), nullable=False, comment="物业企业名称"),
        sa.Column("credit_code", sa.Text(), nullable=False, comment="统一社会信用代码"),
        sa.Column("phone", sa.Text(), nullable=True, comment="企业联系电话"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_company_credit_code")),
        sa.UniqueConstraint("name", name=op.f("uq_company_name")),
        comment="物业企业",
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("name", sa.Text(), nullable=False, comment="姓名"),
        sa.Column("phone", sa.Text(), nullable=True, comment="工作电话"),
        sa.Column("state", sa.Text(), server_default=sa.text("'ACTIVE'"), nullable=False, comment="账号状态"),
        sa.CheckConstraint("state IN ('ACTIVE', 'SUSPENDED')", name=op.f("ck_person_state_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        comment="工作人员",
    )
    op.create_table(
        "compound",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("name", sa.Text(), nullable=False, comment="小区名称"),
        sa.Column("address", sa.Text(), nullable=False, comment="小区坐落"),
        sa.Column("households", sa.Integer(), nullable=False, comment="户数"),
        sa.Column("grid_code", sa.Text(), nullable=False, comment="所在网格代码"),
        sa.Column(
            "town_code",
            sa.Text(),
            sa.Computed("left(grid_code, 9)", persisted=True),
            nullable=False,
            comment="所在镇街代码",
        ),
        sa.Column("company_id", sa.Uuid(), nullable=True, comment="物业企业"),
        sa.CheckConstraint("households >= 0", name=op.f("ck_compound_households")),
        sa.CheckConstraint("length(grid_code) = 15", name=op.f("ck_compound_grid")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_compound_company_id")),
        sa.ForeignKeyConstraint(["grid_code"], ["area.code"], name=op.f("fk_compound_grid_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compound")),
        comment="小区",
    )
    op.create_index(op.f("ix_compound_company_id"), "compound", ["company_id"], unique=False)
    op.create_index(op.f("ix_compound_grid_code"), "compound", ["grid_code"], unique=False)
    op.create_index(op.f("ix_compound_town_code"), "compound", ["town_code"], unique=False)
    op.create_table(
        "organization",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("kind", sa.Text(), nullable=False, comment="机构类型"),
        sa.Column("name", sa.Text(), nullable=False, comment="机构名称"),
        sa.Column("short_name", sa.Text(), nullable=True, comment="简称，用于编案号"),
        sa.Column("phone", sa.Text(), nullable=True, comment="办公电话"),
        sa.Column("area_code", sa.Text(), nullable=False, comment="辖区代码"),
        sa.Column("parent_id", sa.Uuid(), nullable=True, comment="上级机构"),
        sa.CheckConstraint(
            "kind IN ('BUREAU', 'JUSTICE_OFFICE', 'COMMITTEE', 'CENTRE', 'SQUAD', 'POLICE_STATION', 'GOVERNANCE_CENTRE', 'COURT', 'PETITION_OFFICE', 'HOTLINE_OFFICE', 'HOUSING_DEPARTMENT')",
            name=op.f("ck_organization_kind_code"),
        ),
        sa.ForeignKeyConstraint(["area_code"], ["area.code"], name=op.f("fk_organization_area_code")),
        sa.ForeignKeyConstraint(["parent_id"], ["organization.id"], name=op.f("fk_organization_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("name", name=op.f("uq_organization_name")),
        comment="机构",
    )
    op.create_index(op.f("ix_organization_area_code"), "organization", ["area_code"], unique=False)
    op.create_index(op.f("ix_organization_parent_id"), "organization", ["parent_id"], unique=False)
    op.create_table(
        "policy_version",
        sa.Column("id", sa.Integer(), nullable=False, comment="版本号"),
        sa.Column("text", sa.Text(), nullable=False, comment="策略全文"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="全文散列"),
        sa.Column("state", sa.Text(), nullable=False, comment="状态"),
        sa.Column("note", sa.Text(), nullable=True, comment="说明"),
        sa.Column("author_id", sa.Uuid(), nullable=True, comment="起草人"),
        sa.Column("approver_id", sa.Uuid(), nullable=True, comment="批准人"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="起草时间",
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True, comment="发布时间"),
        sa.CheckConstraint("(state = 'DRAFT') = (published_at IS NULL)", name=op.f("ck_policy_version_published")),
        sa.CheckConstraint(
            "sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex')", name=op.f("ck_policy_version_sha256")
        ),
        sa.CheckConstraint("state IN ('DRAFT', 'PUBLISHED', 'RETIRED')", name=op.f("ck_policy_version_state_code")),
        sa.ForeignKeyConstraint(["approver_id"], ["person.id"], name=op.f("fk_policy_version_approver_id")),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_policy_version_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        comment="策略版本",
    )
    op.create_index(
        "uq_policy_version_live",
        "policy_version",
        ["state"],
        unique=True,
        postgresql_where=sa.text("state = 'PUBLISHED'"),
    )
    op.create_table(
        "team",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("name", sa.Text(), nullable=False, comment="团队名称"),
        sa.Column("state", sa.Text(), nullable=False, comment="状态"),
        sa.Column("formed_on", sa.Date(), nullable=False, comment="组建日期"),
        sa.Column("dissolved_on", sa.Date(), nullable=True, comment="撤销日期"),
        sa.Column("grid_code", sa.Text(), nullable=False, comment="服务网格"),
        sa.CheckConstraint("state IN ('FORMING', 'ACTIVE', 'DISSOLVED')", name=op.f("ck_team_state_code")),
        sa.CheckConstraint("dissolved_on IS NULL OR dissolved_on >= formed_on", name=op.f("ck_team_dates")),
        sa.ForeignKeyConstraint(["grid_code"], ["area.code"], name=op.f("fk_team_grid_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        comment="“1+3”团队",
    )
    op.create_index("ix_team_grid_code", "team", ["grid_code"], unique=False)
    op.create_index(
        "uq_team_active_grid", "team", ["grid_code"], unique=True, postgresql_where=sa.text("state = 'ACTIVE'")
    )
    op.create_table(
        "appointment",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("role", sa.Text(), nullable=False, comment="角色"),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="任职开始日期"),
        sa.Column("valid_to", sa.Date(), nullable=True, comment="任职截止日期（含当日）"),
        sa.Column("person_id", sa.Uuid(), nullable=False, comment="人员"),
        sa.Column("organization_id", sa.Uuid(), nullable=False, comment="任职机构"),
        sa.Column("area_code", sa.Text(), nullable=False, comment="任职区域"),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_appointment_validity")),
        sa.ForeignKeyConstraint(["area_code"], ["area.code"], name=op.f("fk_appointment_area_code")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_appointment_organization_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_appointment_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        comment="任职",
    )
    op.create_index(op.f("ix_appointment_area_code"), "appointment", ["area_code"], unique=False)
    op.create_index(op.f("ix_appointment_organization_id"), "appointment", ["organization_id"], unique=False)
    op.create_index(op.f("ix_appointment_person_id"), "appointment", ["person_id"], unique=False)
    op.create_index(
        "uq_appointment_administrator",
        "appointment",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("role IN ('system_admin', 'security_admin', 'auditor')"),
    )
    op.create_table(
        "dispute",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("case_number", sa.Text(), nullable=True, comment="案号，受理时按调解委员会、年度连续编号"),
        sa.Column("title", sa.Text(), nullable=False, comment="标题，不写个人姓名与门牌"),
        sa.Column("category", sa.Text(), nullable=False, comment="纠纷类型"),
        sa.Column("sub_category", sa.Text(), nullable=False, comment="物业纠纷子类"),
        sa.Column("source", sa.Text(), nullable=False, comment="案件来源"),
        sa.Column("state", sa.Text(), nullable=False, comment="状态"),
        sa.Column("tier", sa.Text(), nullable=False, comment="当前办理层级"),
        sa.Column("risk_level", sa.Text(), nullable=False, comment="风险等级"),
        sa.Column("amount_claimed", sa.Numeric(precision=14, scale=2), nullable=True, comment="争议金额，元"),
        sa.Column("people_count", sa.Integer(), nullable=False, comment="涉及人数"),
        sa.Column("summary", sa.Text(), nullable=False, comment="案情简述"),
        sa.Column("public_summary", sa.Text(), nullable=True, comment="可公开摘要，已去除个人信息"),
        sa.Column("occurred_on", sa.Date(), nullable=True, comment="纠纷发生日期"),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False, comment="登记时间"),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True, comment="受理时间"),
        sa.Column("due_on", sa.Date(), nullable=True, comment="调解期限届满日期（一般一个月，经双方同意可延长）"),
        sa.Column(
            "concluded_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="调解终结时间（达成协议、调解不成、撤回或拒绝）",
        ),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True, comment="结案时间"),
        sa.Column("outcome", sa.Text(), nullable=True, comment="办理结果说明，不含个人信息"),
        sa.Column("external_ref", sa.Text(), nullable=True, comment="来源单位的单号"),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False, comment="版本号，每次变更加一"),
        sa.Column("committee_id", sa.Uuid(), nullable=True, comment="受理的调解委员会"),
        sa.Column("case_year", sa.Integer(), nullable=True, comment="案号年度"),
        sa.Column("case_sequence", sa.Integer(), nullable=True, comment="案号序号"),
        sa.Column("grid_code", sa.Text(), nullable=False, comment="网格代码"),
        sa.Column(
            "community_code",
            sa.Text(),
            sa.Computed("left(grid_code, 12)", persisted=True),
            nullable=False,
            comment="社区代码",
        ),
        sa.Column(
            "town_code",
            sa.Text(),
            sa.Computed("left(grid_code, 9)", persisted=True),
            nullable=False,
            comment="镇街代码",
        ),
        sa.Column(
            "county_code",
            sa.Text(),
            sa.Computed("left(grid_code, 6)", persisted=True),
            nullable=False,
            comment="县区代码",
        ),
        sa.Column("compound_id", sa.Uuid(), nullable=False, comment="小区"),
        sa.Column("team_id", sa.Uuid(), nullable=True, comment="1+3团队"),
        sa.Column("squad_id", sa.Uuid(), nullable=True, comment="移交的物业纠纷调解队"),
        sa.Column("centre_id", sa.Uuid(), nullable=True, comment="移交的矛盾调解中心"),
        sa.Column("source_organization_id", sa.Uuid(), nullable=True, comment="来源单位"),
        sa.Column("previous_id", sa.Uuid(), nullable=True, comment="反弹前的纠纷"),
        sa.Column(
            "public_grams",
            postgresql.ARRAY(sa.Text()),
            sa.Computed(
                "bigrams(title || ' ' || coalesce(public_summary, '') || ' ' || coalesce(case_number, ''))",
                persisted=True,
            ),
            nullable=False,
            comment="标题与公开摘要的二元字组",
        ),
        sa.Column(
            "narrative_grams",
            postgresql.ARRAY(sa.Text()),
            sa.Computed("bigrams(summary)", persisted=True),
            nullable=False,
            comment="案情的二元字组",
        ),
        sa.CheckConstraint(
            "category IN ('PROPERTY', 'NEIGHBOUR', 'CONTRACT', 'DAMAGE', 'OTHER')",
            name=op.f("ck_dispute_category_code"),
        ),
        sa.CheckConstraint("risk_level IN ('LOW', 'MEDIUM', 'HIGH')", name=op.f("ck_dispute_risk_level_code")),
        sa.CheckConstraint(
            "source IN ('APPLY', 'INITIATIVE', 'GRID', 'COURT', 'POLICE', 'PETITION', 'HOTLINE', 'GOVERNANCE_CENTRE', 'DEPARTMENT', 'ONLINE', 'OTHER')",
            name=op.f("ck_dispute_source_code"),
        ),
        sa.CheckConstraint(
            "state IN ('REGISTERED', 'ACCEPTED', 'DECLINED', 'MEDIATING', 'AGREED', 'PERFORMING', 'PERFORMED', 'CLOSED', 'ARCHIVED', 'FAILED', 'WITHDRAWN', 'REFUSED')",
            name=op.f("ck_dispute_state_code"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('CLOSED', 'ARCHIVED') OR closed_at IS NOT NULL", name=op.f("ck_dispute_closed_at")
        ),
        sa.CheckConstraint(
            "sub_category IN ('P01', 'P02', 'P03', 'P04', 'P05', 'P06', 'P07', 'P08', 'P09', 'P10', 'P11', 'P12', 'P13', 'P14', 'P15', 'P16', 'P17', 'P18', 'P19', 'P99')",
            name=op.f("ck_dispute_sub_category_code"),
        ),
        sa.CheckConstraint("tier <> 'CENTRE' OR centre_id IS NOT NULL", name=op.f("ck_dispute_centre_owner")),
        sa.CheckConstraint("tier <> 'SQUAD' OR squad_id IS NOT NULL", name=op.f("ck_dispute_squad_owner")),
        sa.CheckConstraint("tier IN ('TEAM', 'SQUAD', 'CENTRE')", name=op.f("ck_dispute_tier_code")),
        sa.CheckConstraint(
            "(accepted_at IS NULL) = (case_number IS NULL)", name=op.f("ck_dispute_accepted_has_number")
        ),
        sa.CheckConstraint(
            "(case_number IS NULL) = (case_sequence IS NULL) AND (case_number IS NULL) = (case_year IS NULL) AND (case_number IS NULL OR committee_id IS NOT NULL)",
            name=op.f("ck_dispute_case_number_parts"),
        ),
        sa.CheckConstraint(
            "accepted_at >= registered_at AND concluded_at >= accepted_at AND closed_at >= concluded_at",
            name=op.f("ck_dispute_order"),
        ),
        sa.CheckConstraint("amount_claimed >= 0", name=op.f("ck_dispute_amount_claimed")),
        sa.CheckConstraint("length(grid_code) = 15", name=op.f("ck_dispute_grid")),
        sa.CheckConstraint("people_count >= 0", name=op.f("ck_dispute_people_count")),
        sa.ForeignKeyConstraint(["centre_id"], ["organization.id"], name=op.f("fk_dispute_centre_id")),
        sa.ForeignKeyConstraint(["committee_id"], ["organization.id"], name=op.f("fk_dispute_committee_id")),
        sa.ForeignKeyConstraint(["compound_id"], ["compound.id"], name=op.f("fk_dispute_compound_id")),
        sa.ForeignKeyConstraint(["grid_code"], ["area.code"], name=op.f("fk_dispute_grid_code")),
        sa.ForeignKeyConstraint(["previous_id"], ["dispute.id"], name=op.f("fk_dispute_previous_id")),
        sa.ForeignKeyConstraint(
            ["source_organization_id"], ["organization.id"], name=op.f("fk_dispute_source_organization_id")
        ),
        sa.ForeignKeyConstraint(["squad_id"], ["organization.id"], name=op.f("fk_dispute_squad_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_dispute_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("case_number", name=op.f("uq_dispute_case_number")),
        sa.UniqueConstraint(
            "committee_id", "case_year", "case_sequence", name=op.f("uq_dispute_committee_id_case_year_case_sequence")
        ),
        sa.UniqueConstraint("id", "registered_at", name=op.f("uq_dispute_id_registered_at")),
        sa.UniqueConstraint(
            "source_organization_id", "external_ref", name=op.f("uq_dispute_source_organization_id_external_ref")
        ),
        comment="纠纷",
    )
    op.create_index(
        "ix_dispute_centre_id",
        "dispute",
        ["centre_id", sa.literal_column("registered_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(op.f("ix_dispute_committee_id"), "dispute", ["committee_id"], unique=False)
    op.create_index(
        "ix_dispute_community_code",
        "dispute",
        ["community_code", sa.literal_column("registered_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_dispute_compound_id",
        "dispute",
        ["compound_id", sa.literal_column("registered_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("ix_dispute_concluded_at", "dispute", ["concluded_at"], unique=False)
    op.create_index(
        "ix_dispute_due_on",
        "dispute",
        ["due_on"],
        unique=False,
        postgresql_where=sa.text("state IN ('ACCEPTED', 'MEDIATING')"),
    )
    op.create_index(
        "ix_dispute_grid_code",
        "dispute",
        ["grid_code", sa.literal_column("registered_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("ix_dispute_narrative_grams", "dispute", ["narrative_grams"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_dispute_previous_id"), "dispute", ["previous_id"], unique=False)
    op.create_index("ix_dispute_public_grams", "dispute", ["public_grams"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_dispute_registered_at",
        "dispute",
        [sa.literal_column("registered_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_dispute_source_organization_id",
        "dispute",
        ["source_organization_id", sa.literal_column("registered_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_where=sa.text("source_organization_id IS NOT NULL"),
    )
    op.create_index(
        "ix_dispute_squad_id",
        "dispute",
        ["squad_id", sa.literal_column("registered_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_dispute_state",
        "dispute",
        ["state", sa.literal_column("registered_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_dispute_sub_category",
        "dispute",
        ["sub_category", sa.literal_column("registered_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_dispute_team_id",
        "dispute",
        ["team_id", sa.literal_column("registered_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index("ix_dispute_title_lower", "dispute", [sa.literal_column("lower(title)")], unique=False)
    op.create_index(
        "ix_dispute_town_code",
        "dispute",
        ["town_code", sa.literal_column("registered_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "mediator",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("hired_as", sa.Text(), nullable=False, comment="身份：委员或聘任"),
        sa.Column("full_time", sa.Boolean(), nullable=False, comment="是否专职"),
        sa.Column("specialty", sa.Text(), nullable=True, comment="擅长领域"),
        sa.Column("qualified_on", sa.Date(), nullable=False, comment="任职日期"),
        sa.Column("term_ends_on", sa.Date(), nullable=True, comment="任期届满日期"),
        sa.Column("person_id", sa.Uuid(), nullable=False, comment="人员"),
        sa.Column("organization_id", sa.Uuid(), nullable=False, comment="所在调解组织"),
        sa.CheckConstraint("hired_as IN ('MEMBER', 'HIRED')", name=op.f("ck_mediator_hired_as_code")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_mediator_organization_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_mediator_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mediator")),
        sa.UniqueConstraint("person_id", name=op.f("uq_mediator_person_id")),
        comment="调解员",
    )
    op.create_index(op.f("ix_mediator_organization_id"), "mediator", ["organization_id"], unique=False)
    op.create_table(
        "team_member",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("role", sa.Text(), nullable=False, comment="在队角色"),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="加入日期"),
        sa.Column("valid_to", sa.Date(), nullable=True, comment="退出日期"),
        sa.Column("team_id", sa.Uuid(), nullable=False, comment="团队"),
        sa.Column("person_id", sa.Uuid(), nullable=False, comment="成员"),
        sa.CheckConstraint(
            "role IN ('GRID_WORKER', 'LEGAL_ADVISER', 'LAW_LEADER', 'MEDIATOR')", name=op.f("ck_team_member_role_code")
        ),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name=op.f("ck_team_member_validity")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_team_member_person_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_member_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_member")),
        comment="团队成员",
    )
    op.create_index(op.f("ix_team_member_person_id"), "team_member", ["person_id"], unique=False)
    op.create_index("ix_team_member_team_id", "team_member", ["team_id"], unique=False)
    op.create_index(
        "uq_team_member_active_role",
        "team_member",
        ["team_id", "role"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "agreement",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("form", sa.Text(), nullable=False, comment="形式：书面或口头"),
        sa.Column("scope", sa.Text(), nullable=False, comment="全部或部分达成"),
        sa.Column("state", sa.Text(), nullable=False, comment="状态"),
        sa.Column("content", sa.Text(), nullable=False, comment="协议内容"),
        sa.Column("agreed_on", sa.Date(), nullable=False, comment="达成日期"),
        sa.Column(
            "effective_on",
            sa.Date(),
            nullable=True,
            comment="生效日期（书面：各方、调解员签名并盖章齐备之日；口头：达成之日）",
        ),
        sa.Column("confirm_by_on", sa.Date(), nullable=True, comment="申请司法确认的最后日期"),
        sa.Column("copies", sa.Integer(), nullable=True, comment="份数"),
        sa.CheckConstraint("form IN ('WRITTEN', 'ORAL')", name=op.f("ck_agreement_form_code")),
        sa.CheckConstraint("scope IN ('FULL', 'PARTIAL')", name=op.f("ck_agreement_scope_code")),
        sa.CheckConstraint("state = 'DRAFT' OR effective_on IS NOT NULL", name=op.f("ck_agreement_effective")),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'EFFECTIVE', 'VARIED', 'RESCINDED')", name=op.f("ck_agreement_state_code")
        ),
        sa.CheckConstraint("effective_on >= agreed_on", name=op.f("ck_agreement_effective_order")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_agreement_dispute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint("id", "dispute_id", name=op.f("uq_agreement_id_dispute_id")),
        comment="调解协议",
    )
    op.create_index(op.f("ix_agreement_dispute_id"), "agreement", ["dispute_id"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("dispute_registered_at", sa.DateTime(timezone=True), nullable=False, comment="纠纷登记时间"),
        sa.Column("person_id", sa.Uuid(), nullable=False, comment="调解员"),
        sa.Column("is_lead", sa.Boolean(), nullable=False, comment="是否主持调解"),
        sa.Column("mode", sa.Text(), nullable=False, comment="产生方式：指定或当事人选择"),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False, comment="指派时间"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="结束时间"),
        sa.CheckConstraint("mode IN ('APPOINTED', 'PARTY_CHOSEN')", name=op.f("ck_assignment_mode_code")),
        sa.CheckConstraint("ended_at IS NULL OR ended_at >= assigned_at", name=op.f("ck_assignment_dates")),
        sa.ForeignKeyConstraint(
            ["dispute_id", "dispute_registered_at"],
            ["dispute.id", "dispute.registered_at"],
            name=op.f("fk_assignment_dispute_id_dispute_registered_at"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(["person_id"], ["mediator.person_id"], name=op.f("fk_assignment_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        comment="调解员指派",
    )
    op.create_index("ix_assignment_dispute_id", "assignment", ["dispute_id"], unique=False)
    op.create_index(
        "ix_assignment_person",
        "assignment",
        ["person_id", sa.literal_column("dispute_registered_at DESC"), sa.literal_column("dispute_id DESC")],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "uq_assignment_active",
        "assignment",
        ["dispute_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "uq_assignment_lead",
        "assignment",
        ["dispute_id"],
        unique=True,
        postgresql_where=sa.text("is_lead AND ended_at IS NULL"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=True, comment="纠纷"),
        sa.Column("actor_id", sa.Uuid(), nullable=True, comment="操作人"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="记录时间"),
        sa.Column("action", sa.Text(), nullable=False, comment="操作，如 dispute.accept"),
        sa.Column("resource", sa.Text(), nullable=False, comment="对象类型"),
        sa.Column("resource_id", sa.Uuid(), nullable=False, comment="对象标识"),
        sa.Column("from_state", sa.Text(), nullable=True, comment="操作前状态"),
        sa.Column("to_state", sa.Text(), nullable=True, comment="操作后状态"),
        sa.Column("fields", sa.Text(), nullable=True, comment="涉及的字段名（不含值）"),
        sa.Column("reason", sa.Text(), nullable=True, comment="理由"),
        sa.Column("policy_version", sa.Integer(), nullable=True, comment="策略版本"),
        sa.Column("request_id", sa.Text(), nullable=True, comment="请求编号"),
        sa.Column("changes", sa.JSON(), nullable=True, comment="变更内容"),
        sa.ForeignKeyConstraint(["actor_id"], ["person.id"], name=op.f("fk_event_actor_id")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_event_dispute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        comment="事件",
    )
    op.create_index(op.f("ix_event_actor_id"), "event", ["actor_id"], unique=False)
    op.create_index("ix_event_at", "event", [sa.literal_column("at DESC"), sa.literal_column("id DESC")], unique=False)
    op.create_index("ix_event_dispute_id", "event", ["dispute_id", "at"], unique=False)
    op.create_table(
        "extension",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("from_on", sa.Date(), nullable=False, comment="原期限"),
        sa.Column("to_on", sa.Date(), nullable=False, comment="延长至"),
        sa.Column("consented_on", sa.Date(), nullable=False, comment="双方同意日期"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="记录时间"),
        sa.CheckConstraint("consented_on <= from_on", name=op.f("ck_extension_before_expiry")),
        sa.CheckConstraint("to_on > from_on", name=op.f("ck_extension_dates")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_extension_dispute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
        comment="期限延长",
    )
    op.create_index(op.f("ix_extension_dispute_id"), "extension", ["dispute_id"], unique=False)
    op.create_table(
        "follow_up",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("visitor_id", sa.Uuid(), nullable=True, comment="回访人"),
        sa.Column("due_on", sa.Date(), nullable=False, comment="应回访日期"),
        sa.Column("done_at", sa.Date(), nullable=True, comment="实际回访日期"),
        sa.Column("method", sa.Text(), nullable=True, comment="方式"),
        sa.Column("result", sa.Text(), nullable=True, comment="结果"),
        sa.Column(
            "satisfaction", sa.Integer(), nullable=True, comment="满意度：5非常满意 4满意 3基本满意 2不满意 1非常不满意"
        ),
        sa.Column("remark", sa.Text(), nullable=True, comment="回访情况"),
        sa.CheckConstraint(
            "method IN ('VISIT', 'PHONE', 'VIDEO', 'MESSAGE', 'MEETING')", name=op.f("ck_follow_up_method_code")
        ),
        sa.CheckConstraint(
            "result IN ('NORMAL', 'REBOUND_SIGNS', 'REBOUNDED', 'NOT_PERFORMED', 'UNREACHABLE')",
            name=op.f("ck_follow_up_result_code"),
        ),
        sa.CheckConstraint(
            "(done_at IS NULL) = (result IS NULL) AND (done_at IS NULL) = (method IS NULL)",
            name=op.f("ck_follow_up_done"),
        ),
        sa.CheckConstraint("satisfaction BETWEEN 1 AND 5", name=op.f("ck_follow_up_satisfaction")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_follow_up_dispute_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["person.id"], name=op.f("fk_follow_up_visitor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
        comment="回访",
    )
    op.create_index(op.f("ix_follow_up_dispute_id"), "follow_up", ["dispute_id"], unique=False)
    op.create_index(
        "ix_follow_up_due_on", "follow_up", ["due_on", "id"], unique=False, postgresql_where=sa.text("done_at IS NULL")
    )
    op.create_index(op.f("ix_follow_up_visitor_id"), "follow_up", ["visitor_id"], unique=False)
    op.create_table(
        "measure",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("kind", sa.Text(), nullable=False, comment="措施类型：恢复供水、供电、供气、供热、通行或安全"),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False, comment="要求恢复的时间"),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True, comment="恢复时间"),
        sa.Column(
            "hours_to_restore",
            sa.Numeric(precision=8, scale=1),
            sa.Computed("round(extract(epoch from done_at - requested_at) / 3600.0, 1)", persisted=True),
            nullable=True,
            comment="恢复所用小时数",
        ),
        sa.Column("agreed_by", sa.Text(), nullable=True, comment="同意人"),
        sa.Column("evidence", sa.Text(), nullable=True, comment="依据或凭证"),
        sa.CheckConstraint(
            "kind IN ('WATER', 'POWER', 'GAS', 'HEAT', 'ACCESS', 'SAFETY')", name=op.f("ck_measure_kind_code")
        ),
        sa.CheckConstraint("done_at >= requested_at", name=op.f("ck_measure_dates")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_measure_dispute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure")),
        comment="应急措施",
    )
    op.create_index(op.f("ix_measure_dispute_id"), "measure", ["dispute_id"], unique=False)
    op.create_table(
        "party",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("side", sa.Text(), nullable=False, comment="地位"),
        sa.Column("kind", sa.Text(), nullable=False, comment="当事人类型"),
        sa.Column("is_natural_person", sa.Boolean(), nullable=False, comment="是否自然人"),
        sa.Column("name", sa.Text(), nullable=False, comment="姓名或名称"),
        sa.Column("is_alias", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="姓名是否化名"),
        sa.Column("phone", sa.Text(), nullable=True, comment="联系电话"),
        sa.Column("address", sa.Text(), nullable=True, comment="住址"),
        sa.Column(
            "id_number", sa.Text(), nullable=True, comment="身份证件号码（仅显示掩码，明文须经留痕的查看操作取得）"
        ),
        sa.Column("id_number_cipher", sa.LargeBinary(), nullable=True, comment="证件号码密文 AES-256-GCM"),
        sa.Column("id_number_hash", sa.LargeBinary(), nullable=True, comment="证件号码的带密钥散列，用于相等比对"),
        sa.Column("credit_code", sa.Text(), nullable=True, comment="统一社会信用代码"),
        sa.Column("agent_name", sa.Text(), nullable=True, comment="代理人姓名"),
        sa.Column("is_minor", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="是否未成年人"),
        sa.Column("consent", sa.Text(), nullable=True, comment="是否同意调解"),
        sa.Column("consent_on", sa.Date(), nullable=True, comment="表示同意或拒绝的日期"),
        sa.Column("supplied_by_id", sa.Uuid(), nullable=True, comment="提供该当事人信息的单位"),
        sa.Column("company_id", sa.Uuid(), nullable=True, comment="物业企业"),
        sa.CheckConstraint("consent IN ('CONSENTED', 'REFUSED')", name=op.f("ck_party_consent_code")),
        sa.CheckConstraint("id_number ~ '^[0-9]{6}[*]{8}[0-9]{3}[0-9X]$'", name=op.f("ck_party_id_number_masked")),
        sa.CheckConstraint(
            "kind IN ('OWNER', 'OCCUPANT', 'COMPANY', 'DEVELOPER', 'OWNERS_COMMITTEE', 'UTILITY', 'OTHER')",
            name=op.f("ck_party_kind_code"),
        ),
        sa.CheckConstraint("side IN ('APPLICANT', 'RESPONDENT', 'THIRD')", name=op.f("ck_party_side_code")),
        sa.CheckConstraint("(consent IS NULL) = (consent_on IS NULL)", name=op.f("ck_party_consent_day")),
        sa.CheckConstraint(
            "(id_number IS NULL) = (id_number_cipher IS NULL) AND (id_number IS NULL) = (id_number_hash IS NULL)",
            name=op.f("ck_party_id_number"),
        ),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_party_company_id")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_party_dispute_id")),
        sa.ForeignKeyConstraint(["supplied_by_id"], ["organization.id"], name=op.f("fk_party_supplied_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sa.UniqueConstraint("id", "dispute_id", name=op.f("uq_party_id_dispute_id")),
        comment="当事人",
    )
    op.create_index(op.f("ix_party_company_id"), "party", ["company_id"], unique=False)
    op.create_index(op.f("ix_party_dispute_id"), "party", ["dispute_id"], unique=False)
    op.create_index(op.f("ix_party_id_number_hash"), "party", ["id_number_hash"], unique=False)
    op.create_index("ix_party_name", "party", ["name"], unique=False)
    op.create_table(
        "referral",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("dispute_registered_at", sa.DateTime(timezone=True), nullable=False, comment="纠纷登记时间"),
        sa.Column("organization_id", sa.Uuid(), nullable=False, comment="送往单位"),
        sa.Column("from_organization_id", sa.Uuid(), nullable=True, comment="送出单位"),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="类型：邀请联动、风险报告、移送法庭、司法确认、线索、转办"
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="状态"),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False, comment="送出时间"),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True, comment="答复时间"),
        sa.Column("reason", sa.Text(), nullable=False, comment="事由，不含个人信息"),
        sa.Column("reply", sa.Text(), nullable=True, comment="答复内容"),
        sa.CheckConstraint(
            "kind IN ('INVITATION', 'RISK_REPORT', 'COURT_REFERRAL', 'CONFIRMATION', 'LEAD', 'TRANSFER')",
            name=op.f("ck_referral_kind_code"),
        ),
        sa.CheckConstraint(
            "state IN ('SENT', 'TAKEN', 'RETURNED', 'DONE', 'WITHDRAWN')", name=op.f("ck_referral_state_code")
        ),
        sa.CheckConstraint("answered_at >= sent_at", name=op.f("ck_referral_dates")),
        sa.ForeignKeyConstraint(
            ["dispute_id", "dispute_registered_at"],
            ["dispute.id", "dispute.registered_at"],
            name=op.f("fk_referral_dispute_id_dispute_registered_at"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["from_organization_id"], ["organization.id"], name=op.f("fk_referral_from_organization_id")
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_referral_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
        sa.UniqueConstraint(
            "dispute_id", "organization_id", "kind", name=op.f("uq_referral_dispute_id_organization_id_kind")
        ),
        comment="移送与邀请",
    )
    op.create_index("ix_referral_dispute_id", "referral", ["dispute_id"], unique=False)
    op.create_index(
        "ix_referral_organization",
        "referral",
        ["organization_id", sa.literal_column("dispute_registered_at DESC"), sa.literal_column("dispute_id DESC")],
        unique=False,
        postgresql_where=sa.text("state <> 'WITHDRAWN'"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False, comment="调解时间"),
        sa.Column("place", sa.Text(), nullable=False, comment="调解地点"),
        sa.Column("is_joint", sa.Boolean(), nullable=False, comment="是否多部门联合调解"),
        sa.Column("result", sa.Text(), nullable=True, comment="结果：达成、未达成、有待继续"),
        sa.Column("record", sa.Text(), nullable=True, comment="调解笔录"),
        sa.CheckConstraint("result IN ('AGREED', 'NOT_AGREED', 'TO_CONTINUE')", name=op.f("ck_session_result_code")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_session_dispute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("id", "dispute_id", name=op.f("uq_session_id_dispute_id")),
        comment="调解会",
    )
    op.create_index(op.f("ix_session_dispute_id"), "session", ["dispute_id"], unique=False)
    op.create_table(
        "token",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("prefix", sa.Text(), nullable=False, comment="前缀"),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="令牌散列 SHA-256"),
        sa.Column("person_id", sa.Uuid(), nullable=False, comment="持有人"),
        sa.Column("appointment_id", sa.Uuid(), nullable=True, comment="限定的任职；空则为持有人的全部任职"),
        sa.Column("label", sa.Text(), nullable=False, comment="用途说明"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="签发时间",
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, comment="到期时间"),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True, comment="撤销时间"),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True, comment="最近使用时间"),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"], name=op.f("fk_token_appointment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_token_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_token_hash")),
        sa.UniqueConstraint("prefix", name=op.f("uq_token_prefix")),
        comment="访问令牌",
    )
    op.create_index(op.f("ix_token_appointment_id"), "token", ["appointment_id"], unique=False)
    op.create_index(op.f("ix_token_person_id"), "token", ["person_id"], unique=False)
    op.create_table(
        "attendance",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("session_id", sa.Uuid(), nullable=False, comment="调解会"),
        sa.Column("organization_id", sa.Uuid(), nullable=False, comment="到场单位"),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_attendance_dispute_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_attendance_organization_id")),
        sa.ForeignKeyConstraint(
            ["session_id", "dispute_id"],
            ["session.id", "session.dispute_id"],
            name=op.f("fk_attendance_session_id_dispute_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance")),
        sa.UniqueConstraint("session_id", "organization_id", name=op.f("uq_attendance_session_id_organization_id")),
        comment="调解会到场单位",
    )
    op.create_index(op.f("ix_attendance_dispute_id"), "attendance", ["dispute_id"], unique=False)
    op.create_index(op.f("ix_attendance_organization_id"), "attendance", ["organization_id"], unique=False)
    op.create_index(op.f("ix_attendance_session_id"), "attendance", ["session_id"], unique=False)
    op.create_table(
        "confirmation",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("agreement_id", sa.Uuid(), nullable=False, comment="协议"),
        sa.Column("court_id", sa.Uuid(), nullable=False, comment="法庭"),
        sa.Column("applied_on", sa.Date(), nullable=False, comment="共同申请日期"),
        sa.Column("case_number", sa.Text(), nullable=True, comment="法院案号"),
        sa.Column("result", sa.Text(), nullable=True, comment="结果"),
        sa.Column("decided_on", sa.Date(), nullable=True, comment="裁定日期"),
        sa.CheckConstraint(
            "result IN ('CONFIRMED', 'REJECTED', 'WITHDRAWN')", name=op.f("ck_confirmation_result_code")
        ),
        sa.CheckConstraint("(result IS NULL) = (decided_on IS NULL)", name=op.f("ck_confirmation_decided")),
        sa.CheckConstraint("decided_on >= applied_on", name=op.f("ck_confirmation_dates")),
        sa.ForeignKeyConstraint(
            ["agreement_id", "dispute_id"],
            ["agreement.id", "agreement.dispute_id"],
            name=op.f("fk_confirmation_agreement_id_dispute_id"),
        ),
        sa.ForeignKeyConstraint(["court_id"], ["organization.id"], name=op.f("fk_confirmation_court_id")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_confirmation_dispute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
        comment="司法确认",
    )
    op.create_index(op.f("ix_confirmation_agreement_id"), "confirmation", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_confirmation_court_id"), "confirmation", ["court_id"], unique=False)
    op.create_index(op.f("ix_confirmation_dispute_id"), "confirmation", ["dispute_id"], unique=False)
    op.create_table(
        "note",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("session_id", sa.Uuid(), nullable=True, comment="调解会"),
        sa.Column("author_id", sa.Uuid(), nullable=False, comment="记录人"),
        sa.Column("visibility", sa.Text(), nullable=False, comment="知悉范围：共同、办案团队、背对背"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="记录时间"),
        sa.Column("text", sa.Text(), nullable=False, comment="内容"),
        sa.CheckConstraint("visibility IN ('SHARED', 'TEAM', 'CAUCUS')", name=op.f("ck_note_visibility_code")),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_note_author_id")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_note_dispute_id")),
        sa.ForeignKeyConstraint(
            ["session_id", "dispute_id"],
            ["session.id", "session.dispute_id"],
            name=op.f("fk_note_session_id_dispute_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
        comment="调解记录",
    )
    op.create_index(op.f("ix_note_author_id"), "note", ["author_id"], unique=False)
    op.create_index(op.f("ix_note_dispute_id"), "note", ["dispute_id"], unique=False)
    op.create_index(op.f("ix_note_session_id"), "note", ["session_id"], unique=False)
    op.create_table(
        "obligation",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("agreement_id", sa.Uuid(), nullable=False, comment="协议"),
        sa.Column("party_id", sa.Uuid(), nullable=False, comment="义务人"),
        sa.Column("kind", sa.Text(), nullable=False, comment="履行内容类型"),
        sa.Column("content", sa.Text(), nullable=False, comment="履行内容"),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=True, comment="金额，元"),
        sa.Column("place", sa.Text(), nullable=True, comment="履行地点"),
        sa.Column("manner", sa.Text(), nullable=True, comment="履行方式"),
        sa.Column("due_on", sa.Date(), nullable=False, comment="履行期限"),
        sa.Column("state", sa.Text(), nullable=False, comment="履行状态"),
        sa.Column("performed_on", sa.Date(), nullable=True, comment="履行完毕日期"),
        sa.CheckConstraint(
            "(state IN ('PERFORMED', 'ENFORCED')) = (performed_on IS NOT NULL)", name=op.f("ck_obligation_performed")
        ),
        sa.CheckConstraint(
            "kind IN ('PAY', 'REFUND', 'REPAIR', 'RESTORE', 'SERVICE', 'APOLOGISE', 'OTHER')",
            name=op.f("ck_obligation_kind_code"),
        ),
        sa.CheckConstraint(
            "state IN ('PENDING', 'PARTLY_PERFORMED', 'PERFORMED', 'EXCUSED', 'VARIED', 'RESCINDED', 'SUED', 'ENFORCED')",
            name=op.f("ck_obligation_state_code"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_obligation_amount")),
        sa.ForeignKeyConstraint(
            ["agreement_id", "dispute_id"],
            ["agreement.id", "agreement.dispute_id"],
            name=op.f("fk_obligation_agreement_id_dispute_id"),
        ),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_obligation_dispute_id")),
        sa.ForeignKeyConstraint(
            ["party_id", "dispute_id"], ["party.id", "party.dispute_id"], name=op.f("fk_obligation_party_id_dispute_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
        sa.UniqueConstraint("id", "dispute_id", name=op.f("uq_obligation_id_dispute_id")),
        comment="协议义务",
    )
    op.create_index(op.f("ix_obligation_agreement_id"), "obligation", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_obligation_dispute_id"), "obligation", ["dispute_id"], unique=False)
    op.create_index(
        "ix_obligation_due_on",
        "obligation",
        ["due_on", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('PENDING', 'PARTLY_PERFORMED')"),
    )
    op.create_index(op.f("ix_obligation_party_id"), "obligation", ["party_id"], unique=False)
    op.create_table(
        "signature",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("agreement_id", sa.Uuid(), nullable=False, comment="协议"),
        sa.Column("party_id", sa.Uuid(), nullable=True, comment="签名的当事人"),
        sa.Column("person_id", sa.Uuid(), nullable=True, comment="签名的调解员"),
        sa.Column("organization_id", sa.Uuid(), nullable=True, comment="盖章的调解委员会"),
        sa.Column("kind", sa.Text(), nullable=False, comment="类型：当事人、调解员、盖章"),
        sa.Column("signed_on", sa.Date(), nullable=False, comment="签名或盖章日期"),
        sa.CheckConstraint(
            "CASE kind WHEN 'PARTY' THEN party_id IS NOT NULL WHEN 'MEDIATOR' THEN person_id IS NOT NULL ELSE organization_id IS NOT NULL END",
            name=op.f("ck_signature_signer"),
        ),
        sa.CheckConstraint("kind IN ('PARTY', 'MEDIATOR', 'SEAL')", name=op.f("ck_signature_kind_code")),
        sa.ForeignKeyConstraint(
            ["agreement_id", "dispute_id"],
            ["agreement.id", "agreement.dispute_id"],
            name=op.f("fk_signature_agreement_id_dispute_id"),
        ),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_signature_dispute_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_signature_organization_id")),
        sa.ForeignKeyConstraint(
            ["party_id", "dispute_id"], ["party.id", "party.dispute_id"], name=op.f("fk_signature_party_id_dispute_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_signature_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature")),
        comment="签名",
    )
    op.create_index(op.f("ix_signature_agreement_id"), "signature", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_signature_dispute_id"), "signature", ["dispute_id"], unique=False)
    op.create_index(op.f("ix_signature_party_id"), "signature", ["party_id"], unique=False)
    op.create_table(
        "performance",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False, comment="标识"),
        sa.Column("dispute_id", sa.Uuid(), nullable=False, comment="纠纷"),
        sa.Column("obligation_id", sa.Uuid(), nullable=False, comment="义务"),
        sa.Column("kind", sa.Text(), nullable=False, comment="类型：履行、部分履行、免除、督促"),
        sa.Column("occurred_on", sa.Date(), nullable=False, comment="发生日期"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, comment="记录时间"),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=True, comment="金额，元"),
        sa.Column("evidence", sa.Text(), nullable=True, comment="凭证"),
        sa.Column("both_confirmed", sa.Text(), nullable=True, comment="双方确认的说明"),
        sa.CheckConstraint(
            "kind IN ('PERFORM', 'PARTLY_PERFORM', 'EXCUSE', 'URGE')", name=op.f("ck_performance_kind_code")
        ),
        sa.CheckConstraint(
            "kind NOT IN ('PERFORM', 'PARTLY_PERFORM') OR coalesce(evidence, both_confirmed) IS NOT NULL",
            name=op.f("ck_performance_proof"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_performance_amount")),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_performance_dispute_id")),
        sa.ForeignKeyConstraint(
            ["obligation_id", "dispute_id"],
            ["obligation.id", "obligation.dispute_id"],
            name=op.f("fk_performance_obligation_id_dispute_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performance")),
        comment="履行记录",
    )
    op.create_index(op.f("ix_performance_dispute_id"), "performance", ["dispute_id"], unique=False)
    op.create_index(op.f("ix_performance_obligation_id"), "performance", ["obligation_id"], unique=False)
