"""People who work with the service, their appointments (role, place, time) and the register of mediators."""

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Table, Text, Uuid, literal_column, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from db.tables.column import Codes, code, column, identity, internal, metadata, one_of

PERSON_STATES = Codes(("ACTIVE", "SUSPENDED"))
HIRE_KINDS = Codes(("MEMBER", "HIRED"))
# GB/T 22239-2019 level 3: the policy roles of the three administrators; their posts exclude each other.
ADMINISTRATORS = ("system_admin", "security_admin", "auditor")

person = Table(
    "person",
    metadata,
    identity(),
    column("name", Text, "public", "姓名", form="name"),
    column("phone", Text, "staff", "工作电话", nullable=True, mask="phone", form="phone"),
    code("state", PERSON_STATES, "账号状态", field_class="account", server_default=text("'ACTIVE'")),
    one_of("state", PERSON_STATES),
    Index("ix_person_name", "name", "id"),
    comment="工作人员",
)

appointment = Table(
    "appointment",
    metadata,
    identity(),
    column("role", Text, "account", "角色", form="code"),
    column("valid_from", Date, "account", "任职开始日期"),
    column("valid_to", Date, "account", "任职截止日期（含当日）", nullable=True),
    internal("person_id", Uuid, "人员", ForeignKey("person.id"), index=True),
    internal("organization_id", Uuid, "任职机构", ForeignKey("organization.id"), index=True),
    internal("area_code", Text, "任职区域", ForeignKey("area.code"), index=True),
    internal(
        "delegated_from_id",
        Uuid,
        "代行的是哪一任职",
        ForeignKey("appointment.id"),
        nullable=True,
        index=True,
    ),
    # The day before it begins as its last: it was withdrawn before it was ever in force.
    CheckConstraint("valid_to IS NULL OR valid_to >= valid_from - 1", name="validity"),
    # At no time does a person hold two of the three administrators' posts.
    # PostgreSQL indexes ranges alone for this without an extension, so the person is a range of one.
    ExcludeConstraint(
        (literal_column("uuid_range(person_id, person_id, '[]')"), "&&"),
        (literal_column("daterange(valid_from, valid_to + 1)"), "&&"),
        using="gist",
        where=text(f"role IN {ADMINISTRATORS}"),
        name="appointment_administrator",
    ),
    comment="任职",
)

mediator = Table(
    "mediator",
    metadata,
    identity(),
    code("hired_as", HIRE_KINDS, "身份：委员或聘任"),
    column("full_time", Boolean, "public", "是否专职"),
    column("specialty", Text, "public", "擅长领域", nullable=True, form="shared"),
    column("qualified_on", Date, "public", "任职日期"),
    column("term_ends_on", Date, "public", "任期届满日期", nullable=True),
    internal("person_id", Uuid, "人员", ForeignKey("person.id"), unique=True),
    internal("organization_id", Uuid, "所在调解组织", ForeignKey("organization.id"), index=True),
    one_of("hired_as", HIRE_KINDS),
    Index("ix_mediator_qualified_on", "qualified_on", "id"),
    comment="调解员",
)
