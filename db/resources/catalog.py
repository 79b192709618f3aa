"""The tables as a policy catalog: every resource with its fields, attributes, relations and actions.

Each readable column is a field with the class that its table declares; `a` and `r` make the attributes and the relations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Table, Uuid, and_, literal_column
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Boolean, Text, TypeEngine

from db import tables as t
from db.resources import attributes as a
from db.resources import relations as r
from db.resources.resource import Attribute, Relation, Resource, Row, Sql, today
from db.resources.transitions import FROM_STATES
from db.tables.dispute import UNDER_MEDIATION_STATES
from db.tables.obligation import OWED_STATES
from policies import catalog as policy
from policies.escalation import POLICY, POLICY_ACTIONS


def _resource(
    name: str,
    label: str,
    table: Table,
    relations: list[tuple[str, Relation]],
    order: str,
    attributes: list[tuple[str, Attribute]] | None = None,
    derived: dict[str, tuple[str, str, TypeEngine[Any], Callable[[Row], Sql]]] | None = None,
    actions: frozenset[str] = frozenset({"read"}),
) -> Resource:
    inherited = a.DISPUTE_ATTRIBUTES if "dispute_id" in table.c or table is t.dispute else {}
    leading, _, direction = order.partition(" ")
    return Resource(
        name,
        label,
        table,
        a.fields_of(table, **(derived or {})),
        {**inherited, **dict(attributes or [])},
        dict(relations),
        actions,
        ((leading, direction == "desc"),),
    )


_TODAY = today()
# Days from today to the due day on which both parties are reminded.
REMINDERS = (3, 0, -1)
_RESOURCES = [
    _resource(
        "Area",
        "区划",
        t.area,
        [
            r.one("parent", "Area", "parent_code", "code"),
            r.many("areas", "Area", "parent_code", own="code"),
            r.below("compounds", "Compound", "grid_code"),
            r.below("organizations", "Organization", "area_code"),
            r.below("teams", "Team", "grid_code"),
            r.below("disputes", "Dispute", "grid_code"),
        ],
        "code",
        [a.column("code", "区划代码")],
    ),
    _resource(
        "Organization",
        "机构",
        t.organization,
        [
            r.one("area", "Area", "area_code", "code"),
            r.one("parent", "Organization", "parent_id"),
            r.many("mediators", "Mediator", "organization_id"),
            r.many("appointments", "Appointment", "organization_id", "valid_from"),
        ],
        "name",
        [a.column("id", "标识", Uuid()), a.column("area_code", "辖区"), a.column("kind", "机构类型")],
    ),
    _resource("Company", "物业企业", t.company, [r.many("compounds", "Compound", "company_id")], "name"),
    _resource(
        "Compound",
        "小区",
        t.compound,
        [
            r.one("area", "Area", "grid_code", "code"),
            r.one("company", "Company", "company_id"),
            r.many("disputes", "Dispute", "compound_id"),
        ],
        "name",
        [a.column("grid_code", "所属网格"), a.column("town_code", "所属镇街")],
    ),
    _resource(
        "Person",
        "工作人员",
        t.person,
        [
            r.one("mediator", "Mediator", "id", "person_id"),
            r.many("appointments", "Appointment", "person_id", "valid_from"),
            r.many("team_memberships", "TeamMember", "person_id", "valid_from"),
        ],
        "name",
        [a.column("id", "标识", Uuid())],
        actions=frozenset({"read", "suspend", "restore"}),
    ),
    _resource(
        "Appointment",
        "任职",
        t.appointment,
        [
            r.one("person", "Person", "person_id"),
            r.one("organization", "Organization", "organization_id"),
            r.one("area", "Area", "area_code", "code"),
            r.one("delegated_from", "Appointment", "delegated_from_id"),
        ],
        "valid_from",
        [
            a.column("role", "角色"),
            a.column("person_id", "人员", Uuid()),
            a.column("organization_id", "任职机构", Uuid()),
            a.column("area_code", "任职区域"),
        ],
        actions=frozenset({"read", "grant", "end", "delegate"}),
    ),
    _resource(
        "Mediator",
        "调解员",
        t.mediator,
        [
            r.one("person", "Person", "person_id"),
            r.one("organization", "Organization", "organization_id"),
            ("disputes", Relation("disputes", "Dispute", True, r.mediated, through=("Assignment", r.mediating))),
        ],
        "qualified_on",
        [a.column("person_id", "人员", Uuid()), a.column("organization_id", "所在调解组织", Uuid())],
        {"name": ("public", "姓名", Text(), a.mediator_name)},
    ),
    _resource(
        "Team",
        "1+3团队",
        t.team,
        [
            r.one("area", "Area", "grid_code", "code"),
            r.many("members", "TeamMember", "team_id", "role", "valid_from"),
            r.many("disputes", "Dispute", "team_id"),
        ],
        "name",
        [a.column("grid_code", "服务网格"), *a.AREAS_ABOVE, a.column("id", "标识", Uuid())],
        actions=frozenset({"read", "form", "replace", "dissolve"}),
    ),
    _resource(
        "TeamMember",
        "团队成员",
        t.team_member,
        [r.one("team", "Team", "team_id"), r.one("person", "Person", "person_id")],
        "valid_from",
        [a.column("team_id", "团队", Uuid()), a.column("person_id", "人员", Uuid())],
    ),
    _resource(
        "Dispute",
        "纠纷",
        t.dispute,
        [
            r.one("area", "Area", "grid_code", "code"),
            r.one("compound", "Compound", "compound_id"),
            r.one("committee", "Organization", "committee_id"),
            r.one("source_organization", "Organization", "source_organization_id"),
            ("lead_mediator", Relation("lead_mediator", "Mediator", False, r.lead_mediator)),
            r.one("team", "Team", "team_id"),
            r.one("squad", "Organization", "squad_id"),
            r.one("centre", "Organization", "centre_id"),
            r.one("previous", "Dispute", "previous_id"),
            r.part("assignments", "Assignment", "dispute_id", "assigned_at"),
            r.part("parties", "Party", "dispute_id", "side"),
            r.part("measures", "Measure", "dispute_id", "requested_at"),
            r.part("sessions", "Session", "dispute_id", "held_at"),
            r.part("notes", "Note", "dispute_id", "recorded_at"),
            r.part("agreements", "Agreement", "dispute_id", "agreed_on"),
            r.part("obligations", "Obligation", "dispute_id", "due_on"),
            r.part("confirmations", "Confirmation", "dispute_id", "applied_on"),
            r.part("extensions", "Extension", "dispute_id", "from_on"),
            r.part("follow_ups", "FollowUp", "dispute_id", "due_on"),
            r.part("referrals", "Referral", "dispute_id", "sent_at"),
            r.part("alerts", "Alert", "dispute_id", "opened_at"),
            r.part("assessments", "Assessment", "dispute_id", "assessed_at"),
            r.part("escalations", "Escalation", "dispute_id", "sent_at"),
            r.part("recusals", "Recusal", "dispute_id", "occurred_at"),
            r.part("opinions", "Opinion", "dispute_id", "given_at"),
            r.part("visits", "Visit", "dispute_id", "visited_at"),
            r.part("factors", "Factor", "dispute_id", "noted_at"),
            r.part("events", "Event", "dispute_id", "at"),
        ],
        "registered_at desc",
        derived={
            "overdue": (
                "public",
                "是否超过调解期限",
                Boolean(),
                lambda row: and_(
                    a.is_in(row["state"], *UNDER_MEDIATION_STATES), row["due_on"].is_not(None), row["due_on"] < _TODAY
                ),
            )
        },
        actions=frozenset({"read", "count", "register", *FROM_STATES}),
    ),
    _resource(
        "Party",
        "当事人",
        t.party,
        [
            r.IN_DISPUTE,
            r.one("company", "Company", "company_id"),
            r.part("obligations", "Obligation", "party_id", "due_on"),
        ],
        "id",
        [
            a.column("supplied_by_id", "提供信息的单位", Uuid()),
            a.column("side", "地位"),
            a.truth("is_natural_person", "自然人", lambda row: row["is_natural_person"]),
        ],
        actions=frozenset({"read", "reveal", "update", "appoint", "withdraw"}),
    ),
    _resource(
        "Assignment",
        "调解员指派",
        t.assignment,
        [r.IN_DISPUTE, r.one("mediator", "Mediator", "person_id", "person_id")],
        "assigned_at",
    ),
    _resource("Measure", "应急措施", t.measure, [r.IN_DISPUTE], "requested_at"),
    _resource(
        "Session",
        "调解会",
        t.session,
        [
            r.IN_DISPUTE,
            r.part("notes", "Note", "session_id", "recorded_at"),
            r.part("attendances", "Attendance", "session_id"),
        ],
        "held_at",
        [
            a.truth("is_joint", "多部门联合调解", lambda row: row["is_joint"]),
            a.key_set("attending_organization_ids", "到场单位", a.attending),
        ],
    ),
    _resource(
        "Attendance",
        "到场单位",
        t.attendance,
        [
            r.one("session", "Session", "session_id", same_dispute=True),
            r.one("organization", "Organization", "organization_id"),
        ],
        "id",
        [
            a.column("organization_id", "到场单位", Uuid()),
            a.key_set("attending_organization_ids", "同会到场单位", a.attending),
        ],
        # A row of pure links: that the organization was there is the fact.
        {"present": ("public", "到场", Boolean(), lambda row: literal_column("true"))},
    ),
    _resource(
        "Note",
        "调解记录",
        t.note,
        [
            r.IN_DISPUTE,
            r.one("session", "Session", "session_id", same_dispute=True),
            r.one("author", "Person", "author_id"),
        ],
        "recorded_at",
        [
            a.column("visibility", "知悉范围"),
            a.column("author_id", "记录人", Uuid()),
            a.key_set("attending_organization_ids", "该次调解会到场单位", a.attending),
        ],
    ),
    _resource(
        "Agreement",
        "调解协议",
        t.agreement,
        [
            r.IN_DISPUTE,
            r.part("obligations", "Obligation", "agreement_id", "due_on"),
            r.part("signatures", "Signature", "agreement_id", "signed_on"),
            r.part("confirmations", "Confirmation", "agreement_id", "applied_on"),
        ],
        "agreed_on desc",
        [a.column("form", "形式")],
        actions=frozenset({"read", "sign", "vary", "rescind", "apply"}),
    ),
    _resource(
        "Signature",
        "签名",
        t.signature,
        [
            r.one("agreement", "Agreement", "agreement_id", same_dispute=True),
            r.one("party", "Party", "party_id", same_dispute=True),
            r.one("person", "Person", "person_id"),
            r.one("organization", "Organization", "organization_id"),
        ],
        "signed_on",
    ),
    _resource(
        "Confirmation",
        "司法确认",
        t.confirmation,
        [
            r.IN_DISPUTE,
            r.one("agreement", "Agreement", "agreement_id", same_dispute=True),
            r.one("court", "Organization", "court_id"),
        ],
        "applied_on",
        [a.column("court_id", "法庭", Uuid())],
        actions=frozenset({"read", "decide"}),
    ),
    _resource("Extension", "期限延长", t.extension, [r.IN_DISPUTE], "from_on"),
    _resource(
        "Obligation",
        "协议义务",
        t.obligation,
        [
            r.IN_DISPUTE,
            r.one("agreement", "Agreement", "agreement_id", same_dispute=True),
            r.one("party", "Party", "party_id", same_dispute=True),
            r.part("performances", "Performance", "obligation_id", "occurred_on"),
        ],
        "due_on",
        derived={
            "overdue": (
                "public",
                "是否逾期未履行",
                Boolean(),
                lambda row: and_(row["due_on"] < _TODAY, a.is_in(row["state"], *OWED_STATES)),
            ),
            # S19: what was not performed when the agreement took effect is watched until it is.
            "watched": (
                "public",
                "是否须关注：协议已生效而尚未履行完毕",
                Boolean(),
                lambda row: a.is_in(row["state"], *OWED_STATES),
            ),
            # S20: reminded of three days before, on and one day after the day on which it is due.
            "remind_today": (
                "public",
                "今日是否应提醒",
                Boolean(),
                lambda row: and_(
                    a.is_in(row["state"], *OWED_STATES),
                    row["due_on"].in_([_TODAY + literal_column(str(days)) for days in REMINDERS]),
                ),
            ),
        },
        actions=frozenset({"read", "perform", "excuse", "urge"}),
    ),
    _resource(
        "Performance",
        "履行记录",
        t.performance,
        [
            r.IN_DISPUTE,
            r.one("obligation", "Obligation", "obligation_id", same_dispute=True),
            r.one("party", "Party", "party_id", same_dispute=True),
        ],
        "occurred_on",
    ),
    _resource(
        "FollowUp",
        "回访",
        t.follow_up,
        [r.IN_DISPUTE, r.one("visitor", "Person", "visitor_id")],
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
    _resource(
        "Referral",
        "移送与邀请",
        t.referral,
        [
            r.IN_DISPUTE,
            r.one("organization", "Organization", "organization_id"),
            r.one("from_organization", "Organization", "from_organization_id"),
        ],
        "sent_at desc",
        [
            a.column("organization_id", "送往单位", Uuid()),
            a.column("from_organization_id", "送出单位", Uuid()),
            a.column("kind", "类型"),
        ],
        actions=frozenset({"read", "answer"}),
    ),
    _resource(
        "Alert",
        "预警",
        t.alert,
        [
            r.IN_DISPUTE,
            r.one("compound", "Compound", "compound_id"),
            r.one("company", "Company", "company_id"),
            r.one("handler", "Person", "handler_id"),
        ],
        "opened_at desc",
        [a.column("handler_id", "处置人", Uuid())],
        {"legal_basis": ("public", "法律依据与处置建议", Text(), a.legal_basis)},
        frozenset({"read", "handle", "close"}),
    ),
    _resource("AlertRule", "预警规则", t.alert_rule, [], "rule"),
    _resource(
        "Assessment",
        "风险评估",
        t.assessment,
        [r.IN_DISPUTE, r.one("assessor", "Person", "assessor_id")],
        "assessed_at",
    ),
    _resource(
        "Escalation",
        "层级移交",
        t.escalation,
        [r.IN_DISPUTE, r.one("organization", "Organization", "organization_id")],
        "sent_at",
        [a.column("organization_id", "接收单位", Uuid())],
    ),
    _resource(
        "Recusal",
        "披露与回避",
        t.recusal,
        [
            r.IN_DISPUTE,
            r.one("mediator", "Mediator", "person_id", "person_id"),
            r.one("party", "Party", "party_id", same_dispute=True),
            r.one("replacement", "Mediator", "replacement_id", "person_id"),
        ],
        "occurred_at",
    ),
    _resource(
        "Opinion",
        "意见",
        t.opinion,
        [
            r.IN_DISPUTE,
            r.one("author", "Person", "author_id"),
            r.one("organization", "Organization", "organization_id"),
        ],
        "given_at",
        [a.column("author_id", "出具人", Uuid()), a.column("organization_id", "出具单位", Uuid())],
    ),
    _resource(
        "Inspection",
        "排查",
        t.inspection,
        [r.one("area", "Area", "grid_code", "code"), r.one("person", "Person", "person_id")],
        "inspected_on desc",
        [a.column("grid_code", "所属网格"), *a.AREAS_ABOVE, a.column("person_id", "排查人", Uuid())],
        actions=frozenset({"read", "record"}),
    ),
    _resource(
        "Visit",
        "走访",
        t.visit,
        [r.IN_DISPUTE, r.one("visitor", "Person", "visitor_id")],
        "visited_at",
        [a.column("visitor_id", "走访人", Uuid())],
        actions=frozenset({"read", "record"}),
    ),
    _resource(
        "Factor",
        "影响履行的因素",
        t.factor,
        [r.IN_DISPUTE, r.one("author", "Person", "author_id")],
        "noted_at",
        [a.column("author_id", "记录人", Uuid())],
    ),
    _resource(
        "Event",
        "事件",
        t.event,
        [r.IN_DISPUTE, r.one("actor", "Person", "actor_id")],
        "at desc",
        [a.column("actor_id", "操作人", Uuid())],
    ),
    _resource(
        POLICY,
        "访问策略",
        t.policy_version,
        [
            r.one("parent", POLICY, "parent_id"),
            r.one("base", POLICY, "base_id"),
            r.one("author", "Person", "author_id"),
            r.one("approver", "Person", "approver_id"),
            r.one("second_approver", "Person", "second_approver_id"),
        ],
        "version desc",
        [a.column("author_id", "起草人", Uuid())],
        actions=POLICY_ACTIONS,
    ),
]

RESOURCES: dict[str, Resource] = {resource.name: resource for resource in _RESOURCES}

CLAIMS: dict[str, TypeEngine[Any]] = {
    "person_id": Uuid(),
    "organization_id": Uuid(),
    "area_code": Text(),
    "team_ids": ARRAY(Uuid()),
}

CATALOG = policy.Catalog(
    {name: resource.policy for name, resource in RESOURCES.items()},
    {
        "person_id": policy.Claim("person_id", "key", "本人"),
        "organization_id": policy.Claim("organization_id", "key", "任职机构"),
        "area_code": policy.Claim("area_code", "text", "任职区域"),
        "team_ids": policy.Claim("team_ids", "set", "本人以此角色所在的团队"),
    },
)
