"""People who work with the service, their appointments (role, place, time) and the register of mediators."""

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Table, Text, Uuid, text

from db.tables.column import code, column, identity, internal, metadata, one_of

PERSON_STATES = ("ACTIVE", "SUSPENDED")
HIRE_KINDS = ("MEMBER", "HIRED")

person = Table(
    "person",
    metadata,
    identity(),
    column("name", Text, "public", "姓名"),
    column("phone", Text, "staff", "工作电话", nullable=True, mask="phone"),
    code("state", PERSON_STATES, "账号状态", field_class="account", server_default=text("'ACTIVE'")),
    one_of("state", PERSON_STATES),
    Index("ix_person_name", "name", "id"),
    comment="工作人员",
)

appointment = Table(
    "appointment",
    metadata,
    identity(),
    column("role", Text, "account", "角色"),
    column("valid_from", Date, "account", "任职开始日期"),
    column("valid_to", Date, "account", "任职截止日期（含当日）", nullable=True),
    internal("person_id", Uuid, "人员", ForeignKey("person.id"), index=True),
    internal("organization_id", Uuid, "任职机构", ForeignKey("organization.id"), index=True),
    internal("area_code", Text, "任职区域", ForeignKey("area.code"), index=True),
    CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="validity"),
    # GB/T 22239-2019 level 3: the three administrators' posts exclude each other, so a person holds at most one of them.
    Index(
        "uq_appointment_administrator",
        "person_id",
        unique=True,
        postgresql_where=text("role IN ('system_admin', 'security_admin', 'auditor')"),
    ),
    comment="任职",
)

mediator = Table(
    "mediator",
    metadata,
    identity(),
    code("hired_as", HIRE_KINDS, "身份：委员或聘任"),
    column("full_time", Boolean, "public", "是否专职"),
    column("specialty", Text, "public", "擅长领域", nullable=True),
    column("qualified_on", Date, "public", "任职日期"),
    column("term_ends_on", Date, "public", "任期届满日期", nullable=True),
    internal("person_id", Uuid, "人员", ForeignKey("person.id"), unique=True),
    internal("organization_id", Uuid, "所在调解组织", ForeignKey("organization.id"), index=True),
    one_of("hired_as", HIRE_KINDS),
    Index("ix_mediator_qualified_on", "qualified_on", "id"),
    comment="调解员",
)
