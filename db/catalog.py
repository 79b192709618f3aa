"""The tables as a policy catalog: resources, derived fields, attributes for conditions, and the relations between resources.

Each readable column is a field with the class that its table declares. Attributes and derived fields are one SQL expression each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Table,
    Uuid,
    and_,
    case,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Boolean, Numeric, Text, TypeEngine

from db import tables as t
from db.tables.column import Money
from db.transitions import FROM_STATES
from policies import catalog as policy

Sql = ColumnElement[Any]


@dataclass(frozen=True)
class Row:
    """A row of a resource inside a statement: its FROM element and, for a part of a dispute, that of the dispute."""

    source: Source
    at: FromClause
    dispute: FromClause | None = None

    def __getitem__(self, column: str) -> Sql:
        return self.at.c[column]


@dataclass(frozen=True)
class Field:
    """A readable field: its policy side, its SQL, and the SQL of its mask."""

    policy: policy.Field
    value: Callable[[Row], Sql]
    masked: Callable[[Row, Sql], Sql]
    nullable: bool
    type: TypeEngine[Any]


@dataclass(frozen=True)
class Link:
    """How rows are found from one value of a set: rows of `table` whose `key` is the value, one row a dispute, in page order."""

    table: Table
    key: str
    alive: Callable[[FromClause], Sql]


@dataclass(frozen=True)
class Attribute:
    """An attribute: for a single value its SQL; for a set the test whether it contains a value, and the link to walk it by."""

    policy: policy.Attribute
    type: TypeEngine[Any]
    value: Callable[[Row], Sql] | None = None
    contains: Callable[[Row, Sql], Sql] | None = None
    column: str | None = None
    link: Link | None = None


@dataclass(frozen=True)
class Relation:
    """From a row to rows of `target`. `same_dispute`: the database keeps both in one dispute, so its row serves for both."""

    name: str
    target: str
    many: bool
    on: Callable[[Row, FromClause], Sql]
    same_dispute: bool = False
    order: tuple[str, ...] = ()
    # The part of the target that makes the relation, and how it does: only parts that the caller sees count.
    through: tuple[str, Callable[[Row, FromClause], Sql]] | None = None


@dataclass(frozen=True)
class Source:
    """A resource in the database. `part`: it has a `dispute_id` and takes the attributes of its dispute."""

    name: str
    label: str
    table: Table
    fields: Mapping[str, Field]
    attributes: Mapping[str, Attribute]
    relations: Mapping[str, Relation] = field(default_factory=dict)
    actions: frozenset[str] = frozenset({"read"})
    order: tuple[tuple[str, bool], ...] = ()

    @property
    def part(self) -> bool:
        return "dispute_id" in self.table.c

    @cached_property
    def resource(self) -> policy.Resource:
        """The policy's view of it."""
        return policy.Resource(
            self.name,
            self.label,
            {name: one.policy for name, one in self.fields.items()},
            {name: one.policy for name, one in self.attributes.items()},
            self.actions,
        )


def today() -> Sql:
    """The date in the county, where deadlines run."""
    return literal_column("(now() AT TIME ZONE 'Asia/Shanghai')::date")


def _mask(kind: str | None, name: str) -> Callable[[Row, Sql], Sql]:
    def masked(row: Row, value: Sql) -> Sql:
        if kind == "name" and row.source.name == "Party" and name == "name":
            # The name of an organization is not personal data.
            return case((row["is_natural_person"], func.mask_name(value)), else_=value)
        return value if kind == "stored" else func.__getattr__(f"mask_{kind}")(value)

    return masked


def _of(name: str) -> Callable[[Row], Sql]:
    return lambda row: row[name]


def _fields(table: Table, **derived: tuple[str, str, TypeEngine[Any], Callable[[Row], Sql]]) -> dict[str, Field]:
    result: dict[str, Field] = {}
    for column in table.c:
        if "field_class" in column.info:
            one = policy.Field(column.name, column.info["field_class"], column.info["mask"], column.comment or "")
            result[column.name] = Field(
                one, _of(column.name), _mask(one.mask, column.name), bool(column.nullable), column.type
            )
    for name, (field_class, label, kind, value) in derived.items():
        result[name] = Field(policy.Field(name, field_class, None, label), value, _mask(None, name), True, kind)
    return result


def _column(
    name: str, label: str, kind: TypeEngine[Any] | None = None, of_dispute: bool = False
) -> tuple[str, Attribute]:
    def value(row: Row) -> Sql:
        return (row.dispute if of_dispute and row.dispute is not None else row.at).c[name]

    return name, Attribute(policy.Attribute(name, "key" if kind else "text", label), kind or Text(), value, column=name)


def _truth(name: str, label: str, value: Callable[[Row], Sql]) -> tuple[str, Attribute]:
    return name, Attribute(policy.Attribute(name, "boolean", label), Boolean(), value)


def _set(name: str, label: str, contains: Callable[[Row, Sql], Sql], link: Link | None = None) -> tuple[str, Attribute]:
    return name, Attribute(policy.Attribute(name, "set", label), Uuid(), contains=contains, link=link)


def _dispute(row: Row) -> FromClause:
    assert row.dispute is not None
    return row.dispute


def _linked(link: Link) -> Callable[[Row, Sql], Sql]:
    def contains(row: Row, value: Sql) -> Sql:
        at = link.table.alias()
        return exists(
            select(literal_column("1"))
            .select_from(at)
            .where(at.c.dispute_id == _dispute(row).c.id, at.c[link.key] == value, link.alive(at))
            .correlate_except(at)
        )

    return contains


_ENDED = ("CLOSED", "ARCHIVED", "DECLINED", "FAILED", "WITHDRAWN", "REFUSED")
_MEDIATORS = Link(t.assignment, "person_id", lambda at: at.c.ended_at.is_(None))
# An application for confirmation goes to its court by a referral of that kind.
_COURTS = Link(
    t.referral,
    "organization_id",
    lambda at: and_(at.c.state != literal_column("'WITHDRAWN'"), at.c.kind == literal_column("'CONFIRMATION'")),
)
_RECEIVERS = Link(t.referral, "organization_id", lambda at: at.c.state != literal_column("'WITHDRAWN'"))


def _lead(row: Row) -> Sql:
    at = t.assignment.alias()
    return (
        select(at.c.person_id)
        .select_from(at)
        .where(at.c.dispute_id == _dispute(row).c.id, at.c.is_lead, at.c.ended_at.is_(None))
        .correlate(_dispute(row))
        .scalar_subquery()
    )


def _in(column: Sql, *values: str) -> Sql:
    return column.in_([literal_column(f"'{value}'") for value in values])


# What a condition may say of a dispute, and so of every part of it.
DISPUTE_ATTRIBUTES: dict[str, Attribute] = dict(
    [
        _column("state", "状态", of_dispute=True),
        _column("tier", "当前办理层级", of_dispute=True),
        _column("risk_level", "风险等级", of_dispute=True),
        _column("county_code", "所属县区", of_dispute=True),
        _column("town_code", "所属镇街", of_dispute=True),
        _column("community_code", "所属社区", of_dispute=True),
        _column("grid_code", "所属网格", of_dispute=True),
        _column("team_id", "1+3团队", Uuid(), of_dispute=True),
        _column("squad_id", "移交的调解队", Uuid(), of_dispute=True),
        _column("centre_id", "移交的调解中心", Uuid(), of_dispute=True),
        _column("committee_id", "受理的调解委员会", Uuid(), of_dispute=True),
        _column("source_organization_id", "来源单位", Uuid(), of_dispute=True),
        (
            "lead_mediator_id",
            Attribute(policy.Attribute("lead_mediator_id", "key", "主持调解员"), Uuid(), _lead),
        ),
        _truth("is_open", "尚未办结", lambda row: ~_in(_dispute(row).c.state, *_ENDED)),
        _truth(
            "is_recent",
            "未结案或结案未满三十日",
            # Null, not true, for an event of no dispute.
            lambda row: or_(
                _dispute(row).c.closed_at > literal_column("now() - interval '30 days'"),
                and_(_dispute(row).c.closed_at.is_(None), _dispute(row).c.id.is_not(None)),
            ),
        ),
        _set("mediator_ids", "承办调解员", _linked(_MEDIATORS), _MEDIATORS),
        _set("referred_organization_ids", "移送或邀请的单位", _linked(_RECEIVERS), _RECEIVERS),
        _set("confirming_court_ids", "受理司法确认的法庭", _linked(_COURTS), _COURTS),
    ]
)


def _one(name: str, target: str, key: str, to: str = "id", same_dispute: bool = False) -> tuple[str, Relation]:
    return name, Relation(name, target, False, lambda row, at: at.c[to] == row[key], same_dispute)


def _many(
    name: str, target: str, key: str, *order: str, own: str = "id", same_dispute: bool = False
) -> tuple[str, Relation]:
    return name, Relation(name, target, True, lambda row, at: at.c[key] == row[own], same_dispute, (*order, "id"))


def _part(name: str, target: str, key: str, *order: str) -> tuple[str, Relation]:
    return _many(name, target, key, *order, same_dispute=True)


def _below(name: str, target: str, key: str) -> tuple[str, Relation]:
    """What lies in an area or below it: a range of codes (':' follows '9'), which an index on the code can walk."""
    return name, Relation(
        name,
        target,
        True,
        lambda row, at: and_(at.c[key] >= row["code"], at.c[key] < row["code"].concat(literal_column("':'"))),
        order=("id",),
    )


def _lead_mediator(row: Row, at: FromClause) -> Sql:
    return at.c.person_id == _lead(row)


def _mediated(row: Row, at: FromClause) -> Sql:
    link = t.assignment.alias()
    return at.c.id.in_(
        select(link.c.dispute_id)
        .select_from(link)
        .where(link.c.person_id == row["person_id"], link.c.ended_at.is_(None))
        .correlate(row.at)
    )


def _mediating(row: Row, link: FromClause) -> Sql:
    return and_(link.c.person_id == row["person_id"], link.c.ended_at.is_(None))


def _mediator_name(row: Row) -> Sql:
    at = t.person.alias()
    return select(at.c.name).select_from(at).where(at.c.id == row["person_id"]).correlate(row.at).scalar_subquery()


def _attending(row: Row, value: Sql) -> Sql:
    at = t.attendance.alias()
    key = row["session_id"] if row.source.name in ("Note", "Attendance") else row["id"]
    return exists(
        select(literal_column("1"))
        .select_from(at)
        .where(at.c.session_id == key, at.c.organization_id == value)
        .correlate_except(at)
    )


_IN_DISPUTE = _one("dispute", "Dispute", "dispute_id")


def _above(name: str, label: str, digits: int) -> tuple[str, Attribute]:
    """The area above the grid of a row that has the code of its grid only."""
    return name, Attribute(
        policy.Attribute(name, "text", label), Text(), lambda row: func.left(row["grid_code"], literal_column(str(digits)))
    )


_AREAS_ABOVE = [_above("town_code", "所属镇街", 9), _above("county_code", "所属县区", 6)]


def _legal_basis(row: Row) -> Sql:
    at = t.alert_rule.alias()
    return select(at.c.legal_basis).select_from(at).where(at.c.rule == row["rule"]).correlate(row.at).scalar_subquery()


def _source(
    name: str,
    label: str,
    table: Table,
    relations: list[tuple[str, Relation]],
    order: str,
    attributes: list[tuple[str, Attribute]] | None = None,
    derived: dict[str, tuple[str, str, TypeEngine[Any], Callable[[Row], Sql]]] | None = None,
    actions: frozenset[str] = frozenset({"read"}),
) -> Source:
    inherited = DISPUTE_ATTRIBUTES if "dispute_id" in table.c or table is t.dispute else {}
    leading, _, direction = order.partition(" ")
    return Source(
        name,
        label,
        table,
        _fields(table, **(derived or {})),
        {**inherited, **dict(attributes or [])},
        dict(relations),
        actions,
        ((leading, direction == "desc"),),
    )


_TODAY = today()
_SOURCES = [
    _source(
        "Area",
        "区划",
        t.area,
        [
            _one("parent", "Area", "parent_code", "code"),
            _many("areas", "Area", "parent_code", own="code"),
            _below("compounds", "Compound", "grid_code"),
            _below("organizations", "Organization", "area_code"),
            _below("teams", "Team", "grid_code"),
            _below("disputes", "Dispute", "grid_code"),
        ],
        "code",
        [_column("code", "区划代码")],
    ),
    _source(
        "Organization",
        "机构",
        t.organization,
        [
            _one("area", "Area", "area_code", "code"),
            _one("parent", "Organization", "parent_id"),
            _many("mediators", "Mediator", "organization_id"),
            _many("appointments", "Appointment", "organization_id", "valid_from"),
        ],
        "name",
        [_column("id", "标识", Uuid()), _column("area_code", "辖区"), _column("kind", "机构类型")],
    ),
    _source("Company", "物业企业", t.company, [_many("compounds", "Compound", "company_id")], "name"),
    _source(
        "Compound",
        "小区",
        t.compound,
        [
            _one("area", "Area", "grid_code", "code"),
            _one("company", "Company", "company_id"),
            _many("disputes", "Dispute", "compound_id"),
        ],
        "name",
        [_column("grid_code", "所属网格"), _column("town_code", "所属镇街")],
    ),
    _source(
        "Person",
        "工作人员",
        t.person,
        [
            _one("mediator", "Mediator", "id", "person_id"),
            _many("appointments", "Appointment", "person_id", "valid_from"),
            _many("team_memberships", "TeamMember", "person_id", "valid_from"),
        ],
        "name",
        [_column("id", "标识", Uuid())],
    ),
    _source(
        "Appointment",
        "任职",
        t.appointment,
        [
            _one("person", "Person", "person_id"),
            _one("organization", "Organization", "organization_id"),
            _one("area", "Area", "area_code", "code"),
        ],
        "valid_from",
        [
            _column("person_id", "人员", Uuid()),
            _column("organization_id", "任职机构", Uuid()),
            _column("area_code", "任职区域"),
        ],
    ),
    _source(
        "Mediator",
        "调解员",
        t.mediator,
        [
            _one("person", "Person", "person_id"),
            _one("organization", "Organization", "organization_id"),
            ("disputes", Relation("disputes", "Dispute", True, _mediated, through=("Assignment", _mediating))),
        ],
        "qualified_on",
        [_column("person_id", "人员", Uuid()), _column("organization_id", "所在调解组织", Uuid())],
        {"name": ("public", "姓名", Text(), _mediator_name)},
    ),
    _source(
        "Team",
        "1+3团队",
        t.team,
        [
            _one("area", "Area", "grid_code", "code"),
            _many("members", "TeamMember", "team_id", "role", "valid_from"),
            _many("disputes", "Dispute", "team_id"),
        ],
        "name",
        [_column("grid_code", "服务网格"), *_AREAS_ABOVE, _column("id", "标识", Uuid())],
        actions=frozenset({"read", "form", "replace", "dissolve"}),
    ),
    _source(
        "TeamMember",
        "团队成员",
        t.team_member,
        [_one("team", "Team", "team_id"), _one("person", "Person", "person_id")],
        "valid_from",
        [_column("team_id", "团队", Uuid()), _column("person_id", "人员", Uuid())],
    ),
    _source(
        "Dispute",
        "纠纷",
        t.dispute,
        [
            _one("area", "Area", "grid_code", "code"),
            _one("compound", "Compound", "compound_id"),
            _one("committee", "Organization", "committee_id"),
            _one("source_organization", "Organization", "source_organization_id"),
            ("lead_mediator", Relation("lead_mediator", "Mediator", False, _lead_mediator)),
            _one("team", "Team", "team_id"),
            _one("squad", "Organization", "squad_id"),
            _one("centre", "Organization", "centre_id"),
            _one("previous", "Dispute", "previous_id"),
            _part("assignments", "Assignment", "dispute_id", "assigned_at"),
            _part("parties", "Party", "dispute_id", "side"),
            _part("measures", "Measure", "dispute_id", "requested_at"),
            _part("sessions", "Session", "dispute_id", "held_at"),
            _part("notes", "Note", "dispute_id", "recorded_at"),
            _part("agreements", "Agreement", "dispute_id", "agreed_on"),
            _part("obligations", "Obligation", "dispute_id", "due_on"),
            _part("confirmations", "Confirmation", "dispute_id", "applied_on"),
            _part("extensions", "Extension", "dispute_id", "from_on"),
            _part("follow_ups", "FollowUp", "dispute_id", "due_on"),
            _part("referrals", "Referral", "dispute_id", "sent_at"),
            _part("alerts", "Alert", "dispute_id", "opened_at"),
            _part("assessments", "Assessment", "dispute_id", "assessed_at"),
            _part("escalations", "Escalation", "dispute_id", "sent_at"),
            _part("recusals", "Recusal", "dispute_id", "occurred_at"),
            _part("opinions", "Opinion", "dispute_id", "given_at"),
            _part("visits", "Visit", "dispute_id", "visited_at"),
            _part("factors", "Factor", "dispute_id", "noted_at"),
            _part("events", "Event", "dispute_id", "at"),
        ],
        "registered_at desc",
        derived={
            "overdue": (
                "public",
                "是否超过调解期限",
                Boolean(),
                lambda row: func.coalesce(
                    and_(row["due_on"] < _TODAY, _in(row["state"], "ACCEPTED", "MEDIATING")), literal_column("false")
                ),
            )
        },
        actions=frozenset({"read", "count", "register", *FROM_STATES}),
    ),
    _source(
        "Party",
        "当事人",
        t.party,
        [
            _IN_DISPUTE,
            _one("company", "Company", "company_id"),
            _part("obligations", "Obligation", "party_id", "due_on"),
        ],
        "id",
        [
            _column("supplied_by_id", "提供信息的单位", Uuid()),
            _column("side", "地位"),
            _truth("is_natural_person", "自然人", lambda row: row["is_natural_person"]),
        ],
        actions=frozenset({"read", "reveal", "update", "appoint", "withdraw"}),
    ),
    _source(
        "Assignment",
        "调解员指派",
        t.assignment,
        [_IN_DISPUTE, _one("mediator", "Mediator", "person_id", "person_id")],
        "assigned_at",
    ),
    _source("Measure", "应急措施", t.measure, [_IN_DISPUTE], "requested_at"),
    _source(
        "Session",
        "调解会",
        t.session,
        [
            _IN_DISPUTE,
            _part("notes", "Note", "session_id", "recorded_at"),
            _part("attendances", "Attendance", "session_id"),
        ],
        "held_at",
        [
            _truth("is_joint", "多部门联合调解", lambda row: row["is_joint"]),
            _set("attending_organization_ids", "到场单位", _attending),
        ],
    ),
    _source(
        "Attendance",
        "到场单位",
        t.attendance,
        [
            _one("session", "Session", "session_id", same_dispute=True),
            _one("organization", "Organization", "organization_id"),
        ],
        "id",
        [
            _column("organization_id", "到场单位", Uuid()),
            _set("attending_organization_ids", "同会到场单位", _attending),
        ],
        # A row of pure links: that the organization was there is the fact.
        {"present": ("public", "到场", Boolean(), lambda row: literal_column("true"))},
    ),
    _source(
        "Note",
        "调解记录",
        t.note,
        [
            _IN_DISPUTE,
            _one("session", "Session", "session_id", same_dispute=True),
            _one("author", "Person", "author_id"),
        ],
        "recorded_at",
        [
            _column("visibility", "知悉范围"),
            _column("author_id", "记录人", Uuid()),
            _set("attending_organization_ids", "该次调解会到场单位", _attending),
        ],
    ),
    _source(
        "Agreement",
        "调解协议",
        t.agreement,
        [
            _IN_DISPUTE,
            _part("obligations", "Obligation", "agreement_id", "due_on"),
            _part("signatures", "Signature", "agreement_id", "signed_on"),
            _part("confirmations", "Confirmation", "agreement_id", "applied_on"),
        ],
        "agreed_on desc",
        [_column("form", "形式")],
        actions=frozenset({"read", "sign", "vary", "rescind", "apply"}),
    ),
    _source(
        "Signature",
        "签名",
        t.signature,
        [
            _one("agreement", "Agreement", "agreement_id", same_dispute=True),
            _one("party", "Party", "party_id", same_dispute=True),
            _one("person", "Person", "person_id"),
            _one("organization", "Organization", "organization_id"),
        ],
        "signed_on",
    ),
    _source(
        "Confirmation",
        "司法确认",
        t.confirmation,
        [
            _IN_DISPUTE,
            _one("agreement", "Agreement", "agreement_id", same_dispute=True),
            _one("court", "Organization", "court_id"),
        ],
        "applied_on",
        [_column("court_id", "法庭", Uuid())],
        actions=frozenset({"read", "decide"}),
    ),
    _source("Extension", "期限延长", t.extension, [_IN_DISPUTE], "from_on"),
    _source(
        "Obligation",
        "协议义务",
        t.obligation,
        [
            _IN_DISPUTE,
            _one("agreement", "Agreement", "agreement_id", same_dispute=True),
            _one("party", "Party", "party_id", same_dispute=True),
            _part("performances", "Performance", "obligation_id", "occurred_on"),
        ],
        "due_on",
        derived={
            "overdue": (
                "public",
                "是否逾期未履行",
                Boolean(),
                lambda row: and_(row["due_on"] < _TODAY, _in(row["state"], "PENDING", "PARTLY_PERFORMED")),
            ),
            # S19: what was not performed when the agreement took effect is watched until it is.
            "watched": (
                "public",
                "是否须关注：协议已生效而尚未履行完毕",
                Boolean(),
                lambda row: _in(row["state"], "PENDING", "PARTLY_PERFORMED"),
            ),
        },
        actions=frozenset({"read", "perform", "excuse", "urge"}),
    ),
    _source(
        "Performance",
        "履行记录",
        t.performance,
        [
            _IN_DISPUTE,
            _one("obligation", "Obligation", "obligation_id", same_dispute=True),
            _one("party", "Party", "party_id", same_dispute=True),
        ],
        "occurred_on",
    ),
    _source(
        "FollowUp",
        "回访",
        t.follow_up,
        [_IN_DISPUTE, _one("visitor", "Person", "visitor_id")],
        "due_on",
        derived={
            "overdue": (
                "public",
                "是否逾期未回访",
                Boolean(),
                lambda row: and_(row["due_on"] < _TODAY, row["done_at"].is_(None)),
            )
        },
        actions=frozenset({"read", "complete"}),
    ),
    _source(
        "Referral",
        "移送与邀请",
        t.referral,
        [
            _IN_DISPUTE,
            _one("organization", "Organization", "organization_id"),
            _one("from_organization", "Organization", "from_organization_id"),
        ],
        "sent_at desc",
        [
            _column("organization_id", "送往单位", Uuid()),
            _column("from_organization_id", "送出单位", Uuid()),
            _column("kind", "类型"),
        ],
        actions=frozenset({"read", "answer"}),
    ),
    _source(
        "Alert",
        "预警",
        t.alert,
        [
            _IN_DISPUTE,
            _one("compound", "Compound", "compound_id"),
            _one("company", "Company", "company_id"),
            _one("handler", "Person", "handler_id"),
        ],
        "opened_at desc",
        [_column("handler_id", "处置人", Uuid())],
        {"legal_basis": ("public", "法律依据与处置建议", Text(), _legal_basis)},
        frozenset({"read", "handle", "close"}),
    ),
    _source("AlertRule", "预警规则", t.alert_rule, [], "rule"),
    _source(
        "Assessment",
        "风险评估",
        t.assessment,
        [_IN_DISPUTE, _one("assessor", "Person", "assessor_id")],
        "assessed_at",
    ),
    _source(
        "Escalation",
        "层级移交",
        t.escalation,
        [_IN_DISPUTE, _one("organization", "Organization", "organization_id")],
        "sent_at",
        [_column("organization_id", "接收单位", Uuid())],
    ),
    _source(
        "Recusal",
        "披露与回避",
        t.recusal,
        [
            _IN_DISPUTE,
            _one("mediator", "Mediator", "person_id", "person_id"),
            _one("party", "Party", "party_id", same_dispute=True),
            _one("replacement", "Mediator", "replacement_id", "person_id"),
        ],
        "occurred_at",
    ),
    _source(
        "Opinion",
        "意见",
        t.opinion,
        [
            _IN_DISPUTE,
            _one("author", "Person", "author_id"),
            _one("organization", "Organization", "organization_id"),
        ],
        "given_at",
        [_column("author_id", "出具人", Uuid()), _column("organization_id", "出具单位", Uuid())],
    ),
    _source(
        "Inspection",
        "排查",
        t.inspection,
        [_one("area", "Area", "grid_code", "code"), _one("person", "Person", "person_id")],
        "inspected_on desc",
        [_column("grid_code", "所属网格"), *_AREAS_ABOVE, _column("person_id", "排查人", Uuid())],
        actions=frozenset({"read", "record"}),
    ),
    _source(
        "Visit",
        "走访",
        t.visit,
        [_IN_DISPUTE, _one("visitor", "Person", "visitor_id")],
        "visited_at",
        [_column("visitor_id", "走访人", Uuid())],
        actions=frozenset({"read", "record"}),
    ),
    _source(
        "Factor",
        "影响履行的因素",
        t.factor,
        [_IN_DISPUTE, _one("author", "Person", "author_id")],
        "noted_at",
        [_column("author_id", "记录人", Uuid())],
    ),
    _source(
        "Event",
        "事件",
        t.event,
        [_IN_DISPUTE, _one("actor", "Person", "actor_id")],
        "at desc",
        [_column("actor_id", "操作人", Uuid())],
    ),
]

SOURCES: dict[str, Source] = {source.name: source for source in _SOURCES}

CLAIMS: dict[str, TypeEngine[Any]] = {
    "person_id": Uuid(),
    "organization_id": Uuid(),
    "area_code": Text(),
    "team_ids": ARRAY(Uuid()),
}

CATALOG = policy.Catalog(
    {name: source.resource for name, source in SOURCES.items()},
    {
        "person_id": policy.Claim("person_id", "key", "本人"),
        "organization_id": policy.Claim("organization_id", "key", "任职机构"),
        "area_code": policy.Claim("area_code", "text", "任职区域"),
        "team_ids": policy.Claim("team_ids", "set", "本人以此角色所在的团队"),
    },
)


def json_value(kind: TypeEngine[Any], value: Sql) -> Sql:
    """The value as it stands in JSON: money as text with two decimals, the rest as PostgreSQL writes it (ISO 8601, UTC)."""
    return cast(value, Text) if isinstance(kind, Numeric) and kind.scale == Money.scale else value
