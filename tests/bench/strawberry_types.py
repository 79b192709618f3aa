"""The plain Strawberry contestant: its GraphQL types; every relation is a resolver that asks a data loader."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from decimal import Decimal
from functools import cache
from typing import Any

import strawberry

from tests.bench.strawberry_loaders import RequestContext

Info = strawberry.Info[dict[str, Any], None]


def context_of(info: Info) -> RequestContext:
    """The context of the request that a resolver works for."""
    context: RequestContext = info.context["context"]
    return context


def county_today() -> dt.date:
    """The day in the county's time."""
    return dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()


@strawberry.type
class Named:
    name: str | None


@strawberry.type
class Compound:
    name: str | None
    address: str | None


@strawberry.type
class Party:
    row: strawberry.Private[Any]
    id: strawberry.ID
    side: str
    kind: str
    name: str | None
    phone: str | None
    address: str | None
    consent: str | None
    consent_on: dt.date | None

    @strawberry.field
    async def company(self, info: Info) -> Named | None:
        entity = self.row.company_id and await context_of(info).company.load(self.row.company_id)
        return Named(name=entity.name) if entity else None


@strawberry.type
class Assignment:
    row: strawberry.Private[Any]
    is_lead: bool
    mode: str
    assigned_at: dt.datetime

    @strawberry.field
    async def mediator(self, info: Info) -> Named | None:
        entity = await context_of(info).person.load(self.row.person_id)
        return Named(name=entity.name) if entity else None


@strawberry.type
class Session:
    held_at: dt.datetime
    place: str
    is_joint: bool
    result: str | None
    record: str | None


@strawberry.type
class Obligation:
    kind: str
    content: str
    amount: Decimal | None
    due_on: dt.date
    state: str
    performed_on: dt.date | None


@strawberry.type
class Agreement:
    row: strawberry.Private[Any]
    form: str
    scope: str
    state: str
    content: str
    agreed_on: dt.date
    effective_on: dt.date | None

    @strawberry.field
    async def obligations(self, info: Info) -> list[Obligation]:
        rows = await context_of(info).obligations.load(self.row.id)
        return [build(Obligation, row) for row in rows]


@strawberry.type
class FollowUp:
    row: strawberry.Private[Any]
    id: strawberry.ID
    due_on: dt.date
    done_at: dt.date | None
    method: str | None
    result: str | None
    satisfaction: int | None
    remark: str | None

    @strawberry.field
    def overdue(self) -> bool:
        return self.done_at is None and self.due_on < county_today()

    @strawberry.field
    async def dispute(self, info: Info) -> Dispute | None:
        entity = await context_of(info).dispute.load(self.row.dispute_id)
        return build_dispute(entity) if entity else None


@strawberry.type
class Referral:
    row: strawberry.Private[Any]
    kind: str
    state: str
    sent_at: dt.datetime
    reason: str

    @strawberry.field
    async def organization(self, info: Info) -> Named | None:
        entity = await context_of(info).organization.load(self.row.organization_id)
        return Named(name=entity.name) if entity else None


@strawberry.type
class Dispute:
    row: strawberry.Private[Any]
    id: strawberry.ID
    case_number: str | None
    title: str
    category: str
    sub_category: str
    source: str
    state: str
    tier: str
    risk_level: str
    amount_claimed: Decimal | None
    people_count: int
    summary: str
    public_summary: str | None
    occurred_on: dt.date | None
    registered_at: dt.datetime
    accepted_at: dt.datetime | None
    due_on: dt.date | None
    concluded_at: dt.datetime | None
    closed_at: dt.datetime | None
    outcome: str | None
    version: int

    @strawberry.field
    def overdue(self) -> bool:
        return self.due_on is not None and self.due_on < county_today() and self.state in ("ACCEPTED", "MEDIATING")

    @strawberry.field
    async def compound(self, info: Info) -> Compound | None:
        entity = await context_of(info).compound.load(self.row.compound_id)
        return Compound(name=entity.name, address=entity.address) if entity else None

    @strawberry.field
    async def lead_mediator(self, info: Info) -> Named | None:
        entity = await context_of(info).lead.load(self.row.id)
        return Named(name=entity.name) if entity else None

    @strawberry.field
    async def parties(self, info: Info) -> list[Party]:
        return [
            build(Party, row[0], id=f"Party:{row[0].id}", name=row[1], phone=row[2], address=row[3])
            for row in await context_of(info).parties.load(self.row.id)
        ]

    @strawberry.field
    async def assignments(self, info: Info) -> list[Assignment]:
        return [build(Assignment, row) for row in await context_of(info).assignments.load(self.row.id)]

    @strawberry.field
    async def sessions(self, info: Info) -> list[Session]:
        return [build(Session, row) for row in await context_of(info).held.load(self.row.id)]

    @strawberry.field
    async def agreements(self, info: Info) -> list[Agreement]:
        return [build(Agreement, row) for row in await context_of(info).agreements.load(self.row.id)]

    @strawberry.field
    async def follow_ups(self, info: Info) -> list[FollowUp]:
        return [
            build(FollowUp, row, id=f"FollowUp:{row.id}") for row in await context_of(info).follow_ups.load(self.row.id)
        ]

    @strawberry.field
    async def referrals(self, info: Info) -> list[Referral]:
        return [build(Referral, row) for row in await context_of(info).referrals.load(self.row.id)]


@cache
def _columns(kind: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind) if one.init)


def build(kind: Any, row: Any, **values: Any) -> Any:
    """An object of the schema from an entity: what is not among the values is the entity's attribute of that name."""
    own = {name: row if name == "row" else getattr(row, name) for name in _columns(kind) if name not in values}
    return kind(**own, **values)


def build_dispute(row: Any) -> Dispute:
    made: Dispute = build(Dispute, row, id=f"Dispute:{row.id}")
    return made
