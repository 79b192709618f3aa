"""Disputes: the register (登记台账). One row is one dispute, owned by exactly one tier at a time."""

from collections.abc import Callable

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    Computed,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.calendar import COUNTY_ZONE
from db.tables.column import Codes, Instant, Money, code, column, identity, internal, metadata, one_of, sql_list

STATES = Codes((
    "REGISTERED", "ACCEPTED", "DECLINED", "MEDIATING", "AGREED", "PERFORMING", "PERFORMED", "UNPERFORMED", "CLOSED",
    "ARCHIVED", "FAILED", "WITHDRAWN", "REFUSED",
))  # fmt: skip
UTILITIES = Codes(("WATER", "POWER", "GAS", "HEAT"))
DECLINE_REASONS = Codes(
    ("RESERVED", "ELSEWHERE", "NOT_CIVIL", "OUT_OF_AREA", "ADMINISTRATIVE", "PARTY_REFUSES", "DUPLICATE")
)

# What came of it. It follows the state (a trigger of the table sets it) and stays when the dispute is closed and archived.
RESULTS = Codes(("AGREED", "PERFORMED", "UNPERFORMED", "FAILED", "WITHDRAWN", "REFUSED", "DECLINED"))
# These cannot be without a `closed_at`; they say nothing of the result.
CLOSED_STATES = ("CLOSED", "ARCHIVED")
# An agreement may still come of it, and none has been made yet; the month of mediation runs once it is accepted.
UNDER_MEDIATION_STATES = ("ACCEPTED", "MEDIATING")
BEFORE_AGREEMENT_STATES = ("REGISTERED", *UNDER_MEDIATION_STATES)
# An agreement is in force: with something left to perform, then with nothing but the closing. Unperformed: nothing is owed any more,
# and not all of it was performed.
UNDER_PERFORMANCE_STATES = ("AGREED", "PERFORMING")
AFTER_PERFORMANCE_STATES = ("PERFORMED", "UNPERFORMED")
AFTER_AGREEMENT_STATES = (*UNDER_PERFORMANCE_STATES, *AFTER_PERFORMANCE_STATES)
# An agreement is in force, or was when the dispute was closed: follow-up visits are made, and the court may still decide.
FOLLOW_UP_STATES = (*AFTER_AGREEMENT_STATES, "CLOSED")
# Somebody mediates or sees to the performance.
IN_HAND_STATES = (*UNDER_MEDIATION_STATES, *AFTER_AGREEMENT_STATES)
# Concluded without a settlement: the mediation failed, or a party ended it.
UNSETTLED_STATES = ("FAILED", "WITHDRAWN", "REFUSED")
# Somebody has to act on it, or nobody any more: each state is in one of the two.
OPEN_STATES = ("REGISTERED", *IN_HAND_STATES)
ENDED_STATES = (*CLOSED_STATES, "DECLINED", *UNSETTLED_STATES)
TIERS = Codes(("TEAM", "SQUAD", "CENTRE"))
RISK_LEVELS = Codes(("LOW", "MEDIUM", "HIGH"))
CATEGORIES = Codes(("PROPERTY", "NEIGHBOUR", "CONTRACT", "DAMAGE", "OTHER"))
SUB_CATEGORIES = Codes((
    "P01", "P02", "P03", "P04", "P05", "P06", "P07", "P08", "P09", "P10", "P11", "P12", "P13", "P14", "P15", "P16", "P17",
    "P18", "P19", "P99",
))  # fmt: skip
SOURCES = Codes((
    "APPLY", "INITIATIVE", "GRID", "COURT", "POLICE", "PETITION", "HOTLINE", "GOVERNANCE_CENTRE", "DEPARTMENT", "ONLINE", "OTHER",
))  # fmt: skip


def public_text(column: Callable[[str], ColumnElement[str]]) -> ColumnElement[str]:
    """What a search looks into beside the summary, by the columns of a row."""
    between, nothing = literal_column("'|'", Text()), literal_column("''", Text())
    summary, number = (func.coalesce(column(name), nothing) for name in ("public_summary", "case_number"))
    return column("title").concat(between).concat(summary).concat(between).concat(number)


dispute = Table(
    "dispute",
    metadata,
    identity(),
    column(
        "case_number",
        Text,
        "public",
        "卷号，受理时按调解委员会、年度连续编号",
        nullable=True,
        unique=True,
        form="case_number",
    ),
    column("title", Text, "public", "标题，不写个人姓名与门牌", form="shared"),
    code("category", CATEGORIES, "纠纷类型"),
    code("sub_category", SUB_CATEGORIES, "物业纠纷子类"),
    code("source", SOURCES, "案件来源"),
    code("state", STATES, "状态"),
    code("tier", TIERS, "当前办理层级"),
    code("risk_level", RISK_LEVELS, "风险等级", field_class="status"),
    code(
        "result",
        RESULTS,
        "调解结果；尚未终结的为空；结案、归档不改变",
        nullable=True,
    ),
    column("amount_claimed", Money, "money", "争议金额，元", nullable=True),
    column("people_count", Integer, "status", "涉及人数"),
    column("summary", Text, "narrative", "案情简述", form="shared"),
    column("public_summary", Text, "public", "可公开摘要，已去除个人信息", nullable=True, form="shared"),
    column("occurred_on", Date, "public", "纠纷发生日期", nullable=True),
    column("registered_at", Instant, "public", "登记时间"),
    column("notified_at", Instant, "public", "告知权利义务的时间", nullable=True),
    column("accepted_at", Instant, "public", "受理时间", nullable=True),
    column("due_on", Date, "public", "调解期限届满日期（一般一个月，经双方同意可延长）", nullable=True),
    column("concluded_at", Instant, "public", "调解终结时间（达成协议、调解不成、撤回或拒绝）", nullable=True),
    column("closed_at", Instant, "public", "结案时间", nullable=True),
    code("utility_cut", UTILITIES, "被停的公用事业", field_class="status", nullable=True),
    code("decline_reason", DECLINE_REASONS, "不予受理的原因", nullable=True),
    column("advice", Text, "public", "告知当事人的其他途径", nullable=True, form="shared"),
    column("outcome", Text, "public", "办理结果说明，不含个人信息", nullable=True, form="shared"),
    column("external_ref", Text, "reference", "来源单位的单号", nullable=True, form="reference"),
    column("version", Integer, "public", "版本号，每次变更加一", server_default=text("1")),
    # How trustworthy the record is: kept with each command, for the check list of the justice office.
    column("late_days", Integer, "status", "办理经过中最迟的一次补记迟了多少日", server_default=text("0")),
    column(
        "one_hand",
        Boolean,
        "status",
        "登记、受理、调解、拟约、签章是否出自一人之手",
        server_default=text("false"),
    ),
    internal("hand_id", Uuid, "最先经手的人", ForeignKey("person.id"), nullable=True),
    internal("committee_id", Uuid, "受理的调解委员会", ForeignKey("organization.id"), nullable=True, index=True),
    internal("case_year", Integer, "卷号年度", nullable=True),
    internal("case_sequence", Integer, "卷号序号", nullable=True),
    internal("grid_code", Text, "网格代码", ForeignKey("area.code")),
    internal("community_code", Text, "社区代码", Computed("left(grid_code, 12)", persisted=True)),
    internal("town_code", Text, "镇街代码", Computed("left(grid_code, 9)", persisted=True)),
    internal("county_code", Text, "县区代码", Computed("left(grid_code, 6)", persisted=True)),
    internal("compound_id", Uuid, "小区", ForeignKey("compound.id")),
    internal("team_id", Uuid, "1+3团队", ForeignKey("team.id"), nullable=True),
    internal("squad_id", Uuid, "移交的物业纠纷调解队", ForeignKey("organization.id"), nullable=True),
    internal("centre_id", Uuid, "移交的矛盾调解中心", ForeignKey("organization.id"), nullable=True),
    internal("source_organization_id", Uuid, "来源单位", ForeignKey("organization.id"), nullable=True),
    internal("previous_id", Uuid, "反弹或再立之前的纠纷", ForeignKey("dispute.id"), nullable=True, index=True),
    # Two search columns, because a text search may only look into what the caller may read.
    internal(
        "public_grams",
        ARRAY(Text),
        "标题与公开摘要的二元字组",
        Computed(func.bigrams(public_text(literal_column)), persisted=True),
    ),
    internal("narrative_grams", ARRAY(Text), "案情的二元字组", Computed("bigrams(summary)", persisted=True)),
    one_of("category", CATEGORIES),
    one_of("sub_category", SUB_CATEGORIES),
    one_of("source", SOURCES),
    one_of("utility_cut", UTILITIES),
    one_of("decline_reason", DECLINE_REASONS),
    one_of("state", STATES),
    one_of("tier", TIERS),
    one_of("risk_level", RISK_LEVELS),
    one_of("result", RESULTS),
    CheckConstraint("amount_claimed >= 0", name="amount_claimed"),
    CheckConstraint("people_count >= 0", name="people_count"),
    CheckConstraint("length(grid_code) = 15", name="grid"),
    CheckConstraint(
        "(case_number IS NULL) = (case_sequence IS NULL) AND (case_number IS NULL) = (case_year IS NULL)"
        " AND (case_number IS NULL OR committee_id IS NOT NULL)",
        name="case_number_parts",
    ),
    # A dispute that was accepted carries its number for good; one that was only registered or declined has none.
    CheckConstraint("(accepted_at IS NULL) = (case_number IS NULL)", name="accepted_has_number"),
    CheckConstraint("tier <> 'SQUAD' OR squad_id IS NOT NULL", name="squad_owner"),
    CheckConstraint("tier <> 'CENTRE' OR centre_id IS NOT NULL", name="centre_owner"),
    CheckConstraint(f"state NOT IN ({sql_list(CLOSED_STATES)}) OR closed_at IS NOT NULL", name="closed_at"),
    CheckConstraint(
        f"CASE WHEN state IN ({sql_list(BEFORE_AGREEMENT_STATES)}) THEN result IS NULL"
        f" WHEN state IN ({sql_list(UNDER_PERFORMANCE_STATES)}) THEN coalesce(result = 'AGREED', false)"
        f" WHEN state = 'CLOSED' THEN coalesce(result IN ({sql_list(AFTER_PERFORMANCE_STATES)}), false)"
        " WHEN state = 'ARCHIVED' THEN coalesce(result <> 'AGREED', false) ELSE coalesce(result = state, false) END",
        name="state_result",
    ),
    CheckConstraint(
        "accepted_at >= registered_at AND concluded_at >= accepted_at AND closed_at >= concluded_at", name="order"
    ),
    CheckConstraint(
        "concluded_at >= registered_at AND closed_at >= registered_at"
        f" AND due_on >= (registered_at AT TIME ZONE '{COUNTY_ZONE}')::date",
        name="course",
    ),
    UniqueConstraint("committee_id", "case_year", "case_sequence"),
    UniqueConstraint("id", "registered_at"),
    # One agency reports one matter once (S9): the same reference from the same organization is the same dispute.
    UniqueConstraint("source_organization_id", "external_ref"),
    comment="纠纷",
)

# Each index serves one scope or filter with a scan in page order: newest registered first, then by id.
for _leading in (
    "county_code",
    "grid_code",
    "community_code",
    "town_code",
    "compound_id",
    "team_id",
    "squad_id",
    "centre_id",
):
    Index(f"ix_dispute_{_leading}", dispute.c[_leading], dispute.c.registered_at.desc(), dispute.c.id.desc())
# Dates that are never before the registration.
LATER = frozenset({"accepted_at", "concluded_at", "closed_at", "due_on"})
FILTERED = ("sub_category", "source", "tier", "risk_level", "state")
# Scopes that grow with the county hold too many rows to be scanned for a rare value of a filter (`db.query.access_paths`).
for _leading, *_filtered in (
    ("county_code", "state"),
    ("county_code", "source"),
    ("county_code", "tier"),
    ("county_code", "risk_level"),
    ("county_code", "sub_category", "state"),
    ("town_code", "state"),
    ("town_code", "sub_category", "state"),
    ("squad_id", "state"),
    ("squad_id", "sub_category", "state"),
    ("centre_id", "state"),
    ("centre_id", "sub_category", "state"),
):
    Index(
        f"ix_dispute_{_leading}_{_filtered[0]}",
        dispute.c[_leading],
        *(dispute.c[_name] for _name in _filtered),
        dispute.c.registered_at.desc(),
        dispute.c.id.desc(),
        postgresql_where=dispute.c[_leading].is_not(None) if dispute.c[_leading].nullable else None,
        # What else is filtered by, so that rows are counted without being read.
        postgresql_include=[_name for _name in FILTERED if _name not in _filtered],
    )
Index(
    "ix_dispute_source_organization_id",
    dispute.c.source_organization_id,
    dispute.c.registered_at.desc(),
    dispute.c.id.desc(),
    postgresql_where=dispute.c.source_organization_id.is_not(None),
)
Index("ix_dispute_registered_at", dispute.c.registered_at.desc(), dispute.c.id.desc())
# Each order of a list is an index scan too (`db.query.order_paths`); `case_number` has its index because it is unique.
for _by in (
    "occurred_on",
    "accepted_at",
    "due_on",
    "concluded_at",
    "closed_at",
    "amount_claimed",
    "people_count",
    "title",
    "state",
):
    Index(f"ix_dispute_{_by}", dispute.c[_by], dispute.c.id)
# The disputes that can be overdue, in page order.
Index(
    "ix_dispute_under_mediation",
    dispute.c.registered_at.desc(),
    dispute.c.id.desc(),
    dispute.c.due_on,
    postgresql_where=text(f"state IN ({sql_list(UNDER_MEDIATION_STATES)})"),
)
Index("ix_dispute_public_grams", dispute.c.public_grams, postgresql_using="gin")
Index("ix_dispute_narrative_grams", dispute.c.narrative_grams, postgresql_using="gin")
Index("ix_dispute_title_lower", func.lower(dispute.c.title))
