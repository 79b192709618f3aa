"""What every part of a dispute shares: the attributes of its dispute, so that one condition holds for the dispute and all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import FromClause, Table, Uuid, and_, exists, literal_column, or_, select

from db import tables as t
from db.resources.aliases import alias
from db.resources.attributes import dispute_column, key_set, truth
from db.resources.declaration import declare
from db.resources.resource import Attribute, Link, Relation, Resource, Row, Sql, is_in
from db.tables.dispute import ENDED_STATES
from policies import catalog as policy


def _dispute(row: Row) -> FromClause:
    assert row.dispute is not None
    return row.dispute


def _linked(link: Link) -> Callable[[Row, Sql], Sql]:
    def contains(row: Row, value: Sql) -> Sql:
        at = alias(link.table)
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
    """The person who presides over the mediation now (人民调解工作若干规定 Art. 26: one mediator presides)."""
    at = alias(t.assignment)
    return (
        select(at.c.person_id)
        .select_from(at)
        .where(at.c.dispute_id == row.dispute_id, at.c.is_lead, at.c.ended_at.is_(None))
        .correlate_except(at)
        .scalar_subquery()
    )


def _is_recent(row: Row) -> Sql:
    """Null, not true, for an event of no dispute."""
    dispute = _dispute(row)
    return or_(
        dispute.c.closed_at > literal_column("now() - interval '30 days'"),
        and_(dispute.c.closed_at.is_(None), dispute.c.id.is_not(None)),
    )


# What a condition may say of a dispute, and so of every part of it.
DISPUTE_ATTRIBUTES: tuple[Attribute, ...] = (
    dispute_column("state", "状态"),
    dispute_column("tier", "当前办理层级"),
    dispute_column("risk_level", "风险等级"),
    dispute_column("county_code", "所属县区"),
    dispute_column("town_code", "所属镇街"),
    dispute_column("community_code", "所属社区"),
    dispute_column("grid_code", "所属网格"),
    dispute_column("team_id", "1+3团队", Uuid()),
    dispute_column("squad_id", "移交的调解队", Uuid()),
    dispute_column("centre_id", "移交的调解中心", Uuid()),
    dispute_column("committee_id", "受理的调解委员会", Uuid()),
    dispute_column("source_organization_id", "来源单位", Uuid()),
    Attribute(policy.Attribute("lead_mediator_id", "key", "主持调解员"), Uuid(), lead_mediator_key),
    truth("is_open", "尚未办结", lambda row: ~is_in(_dispute(row).c.state, *ENDED_STATES)),
    truth("is_recent", "未结案或结案未满三十日", _is_recent),
    key_set("mediator_ids", "承办调解员", _linked(_MEDIATORS), _MEDIATORS),
    key_set("referred_organization_ids", "移送或邀请的单位", _linked(_RECEIVERS), _RECEIVERS),
    key_set("confirming_court_ids", "受理司法确认的法庭", _linked(_COURTS), _COURTS),
)


def declare_part(
    name: str,
    label: str,
    table: Table,
    *,
    order: str,
    relations: Iterable[Relation],
    attributes: Iterable[Attribute] = (),
    **more: Any,
) -> Resource:
    """A resource with a `dispute_id`: `db.resources.declaration.declare` with the attributes of its dispute before its own."""
    attributes = (*DISPUTE_ATTRIBUTES, *attributes)
    return declare(name, label, table, order=order, relations=relations, attributes=attributes, **more)
