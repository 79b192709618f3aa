"""Fields and attributes: the readable columns of a table, and what a condition may say of a row, one SQL expression each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import FromClause, Table, Uuid, and_, case, exists, func, literal_column, or_, select
from sqlalchemy.types import Boolean, Text, TypeEngine

from db import tables as t
from db.resources.resource import Attribute, Field, Link, Row, Sql
from db.tables.dispute import ENDED_STATES
from policies import catalog as policy


def _mask(kind: str | None, name: str) -> Callable[[Row, Sql], Sql]:
    def masked(row: Row, value: Sql) -> Sql:
        if kind == "name" and row.resource.name == "Party" and name == "name":
            # The name of an organization is not personal data.
            return case((row["is_natural_person"], func.mask_name(value)), else_=value)
        return value if kind == "stored" else func.__getattr__(f"mask_{kind}")(value)

    return masked


def _of(name: str) -> Callable[[Row], Sql]:
    return lambda row: row[name]


def fields_of(table: Table, **derived: tuple[str, str, TypeEngine[Any], Callable[[Row], Sql]]) -> dict[str, Field]:
    result: dict[str, Field] = {}
    for column in table.c:
        if "field_class" in column.info:
            one = policy.Field(column.name, column.info["field_class"], column.info["mask"], column.comment or "")
            result[column.name] = Field(one, _of(column.name), _mask(one.mask, column.name), column.type)
    for name, (field_class, label, kind, value) in derived.items():
        result[name] = Field(policy.Field(name, field_class, None, label), value, _mask(None, name), kind)
    return result


def column(
    name: str, label: str, kind: TypeEngine[Any] | None = None, of_dispute: bool = False
) -> tuple[str, Attribute]:
    def value(row: Row) -> Sql:
        return (row.dispute if of_dispute and row.dispute is not None else row.at).c[name]

    return name, Attribute(policy.Attribute(name, "key" if kind else "text", label), kind or Text(), value, column=name)


def truth(name: str, label: str, value: Callable[[Row], Sql]) -> tuple[str, Attribute]:
    return name, Attribute(policy.Attribute(name, "boolean", label), Boolean(), value)


def key_set(
    name: str, label: str, contains: Callable[[Row, Sql], Sql], link: Link | None = None
) -> tuple[str, Attribute]:
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
            .where(at.c.dispute_id == row.dispute_id, at.c[link.key] == value, link.alive(at))
            .correlate_except(at)
        )

    return contains


_MEDIATORS = Link(t.assignment, "person_id", lambda at: at.c.ended_at.is_(None))
# An application for confirmation goes to its court by a referral of that kind.
_COURTS = Link(
    t.referral,
    "organization_id",
    lambda at: and_(at.c.state != literal_column("'WITHDRAWN'"), at.c.kind == literal_column("'CONFIRMATION'")),
)
_RECEIVERS = Link(t.referral, "organization_id", lambda at: at.c.state != literal_column("'WITHDRAWN'"))


def lead_mediator_key(row: Row) -> Sql:
    at = t.assignment.alias()
    return (
        select(at.c.person_id)
        .select_from(at)
        .where(at.c.dispute_id == row.dispute_id, at.c.is_lead, at.c.ended_at.is_(None))
        .correlate_except(at)
        .scalar_subquery()
    )


def is_in(column: Sql, *values: str) -> Sql:
    return column.in_([literal_column(f"'{value}'") for value in values])


# What a condition may say of a dispute, and so of every part of it.
DISPUTE_ATTRIBUTES: dict[str, Attribute] = dict(
    [
        column("state", "状态", of_dispute=True),
        column("tier", "当前办理层级", of_dispute=True),
        column("risk_level", "风险等级", of_dispute=True),
        column("county_code", "所属县区", of_dispute=True),
        column("town_code", "所属镇街", of_dispute=True),
        column("community_code", "所属社区", of_dispute=True),
        column("grid_code", "所属网格", of_dispute=True),
        column("team_id", "1+3团队", Uuid(), of_dispute=True),
        column("squad_id", "移交的调解队", Uuid(), of_dispute=True),
        column("centre_id", "移交的调解中心", Uuid(), of_dispute=True),
        column("committee_id", "受理的调解委员会", Uuid(), of_dispute=True),
        column("source_organization_id", "来源单位", Uuid(), of_dispute=True),
        (
            "lead_mediator_id",
            Attribute(policy.Attribute("lead_mediator_id", "key", "主持调解员"), Uuid(), lead_mediator_key),
        ),
        truth("is_open", "尚未办结", lambda row: ~is_in(_dispute(row).c.state, *ENDED_STATES)),
        truth(
            "is_recent",
            "未结案或结案未满三十日",
            # Null, not true, for an event of no dispute.
            lambda row: or_(
                _dispute(row).c.closed_at > literal_column("now() - interval '30 days'"),
                and_(_dispute(row).c.closed_at.is_(None), _dispute(row).c.id.is_not(None)),
            ),
        ),
        key_set("mediator_ids", "承办调解员", _linked(_MEDIATORS), _MEDIATORS),
        key_set("referred_organization_ids", "移送或邀请的单位", _linked(_RECEIVERS), _RECEIVERS),
        key_set("confirming_court_ids", "受理司法确认的法庭", _linked(_COURTS), _COURTS),
    ]
)


def mediator_name(row: Row) -> Sql:
    at = t.person.alias()
    return select(at.c.name).select_from(at).where(at.c.id == row["person_id"]).correlate(row.at).scalar_subquery()


def attending(row: Row, value: Sql) -> Sql:
    at = t.attendance.alias()
    key = row["session_id"] if row.resource.name in ("Note", "Attendance") else row["id"]
    return exists(
        select(literal_column("1"))
        .select_from(at)
        .where(at.c.session_id == key, at.c.organization_id == value)
        .correlate_except(at)
    )


def above(name: str, label: str, digits: int) -> tuple[str, Attribute]:
    """The area above the grid of a row that has the code of its grid only."""
    return name, Attribute(
        policy.Attribute(name, "text", label),
        Text(),
        lambda row: func.left(row["grid_code"], literal_column(str(digits))),
    )


AREAS_ABOVE = [above("town_code", "所属镇街", 9), above("county_code", "所属县区", 6)]


def legal_basis(row: Row) -> Sql:
    at = t.alert_rule.alias()
    return select(at.c.legal_basis).select_from(at).where(at.c.rule == row["rule"]).correlate(row.at).scalar_subquery()
