"""Plain Strawberry on async SQLAlchemy: resolvers, one data loader for each relation and request, document caches.

As the documentation of both would have it written; the caller is a trusted header.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import fields
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from typing import Any
from uuid import UUID

import orjson
import strawberry
from sqlalchemy import func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import aliased, registry
from sqlalchemy.sql import Select
from starlette.applications import Starlette
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

from db import tables as t
from db.postgres.address import Address
from db.tables.dispute import STATES, SUB_CATEGORIES
from tests.bench.access import FIRST, fragments
from tests.bench.serving import caller_of, serve

POOL = 6
Sessions = async_sessionmaker[AsyncSession]
_mapper = registry()


def _values(name: str, values: Sequence[str]) -> type[Enum]:
    made: Any = Enum(name, {one: one for one in values})
    kind: type[Enum] = made
    return kind


def _map(table: Any) -> Any:
    kind = type(table.name.title(), (), {})
    _mapper.map_imperatively(kind, table)
    return kind


(DisputeRow, PartyRow, AssignmentRow, SessionRow, AgreementRow, ObligationRow, FollowUpRow, ReferralRow, CompoundRow, CompanyRow,
 OrganizationRow, PersonRow) = map(_map, (t.dispute, t.party, t.assignment, t.session, t.agreement, t.obligation, t.follow_up, t.referral,
 t.compound, t.company, t.organization, t.person))  # fmt: skip

DisputeState: Any = strawberry.enum(_values("DisputeState", STATES))
DisputeSubCategory: Any = strawberry.enum(_values("DisputeSubCategory", SUB_CATEGORIES))


@strawberry.enum
class StatisticsGroupBy(Enum):
    TOWN = "TOWN"
    STATE = "STATE"


def _today() -> dt.date:
    return dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()


class Reading:
    """Who asks, and the loaders of one request."""

    def __init__(self, sessions: Sessions, role: str, claim: Any) -> None:
        self.sessions, self.role = sessions, role
        self.rule: dict[str, Any] = fragments(role)
        self.claim = {"claim": claim}
        services = set(self.rule["parts"])

        def part(name: str, row: Any, *order: Any) -> DataLoader[UUID, list[Any]]:
            return DataLoader(partial(self._many, row, row.dispute_id, order, name in services))

        self.assignments = part("assignment", AssignmentRow, AssignmentRow.assigned_at, AssignmentRow.id)
        self.held = part("session", SessionRow, SessionRow.held_at, SessionRow.id)
        self.agreements = part("agreement", AgreementRow, AgreementRow.agreed_on, AgreementRow.id)
        self.follow_ups = part("follow_up", FollowUpRow, FollowUpRow.due_on, FollowUpRow.id)
        self.referrals = part("referral", ReferralRow, ReferralRow.sent_at, ReferralRow.id)
        order = (ObligationRow.due_on, ObligationRow.id)
        self.obligations: DataLoader[UUID, list[Any]] = DataLoader(
            partial(self._many, ObligationRow, ObligationRow.agreement_id, order, True)
        )
        self.parties: DataLoader[UUID, list[Any]] = DataLoader(self._parties)
        self.lead: DataLoader[UUID, Any] = DataLoader(self._leads)
        self.compound, self.company, self.organization, self.person, self.dispute = (
            DataLoader[UUID, Any](partial(self._one, row))
            for row in (CompoundRow, CompanyRow, OrganizationRow, PersonRow, DisputeRow)
        )

    def said(self, name: str) -> Any:
        """A piece of SQL with the claim in its place."""
        fragment = str(self.rule[name]).replace(f"$1::{self.rule['kind']}", f"CAST(:claim AS {self.rule['kind']})")
        return text(fragment)

    async def rows(self, statement: Select[Any], values: dict[str, Any] | None = None) -> Sequence[Any]:
        """Rows of one statement in a session of its own, so that loaders may run side by side."""
        async with self.sessions() as session:
            found: Sequence[Any] = (await session.execute(statement, {**self.claim, **(values or {})})).all()
            return found

    async def entities(self, statement: Select[Any], values: dict[str, Any] | None = None) -> list[Any]:
        """The entities of one statement."""
        return [row[0] for row in await self.rows(statement, values)]

    async def _many(self, row: Any, key: Any, order: Any, granted: bool, keys: list[UUID]) -> list[list[Any]]:
        found: dict[UUID, list[Any]] = {one: [] for one in keys}
        if granted:
            for entity in await self.entities(select(row).where(key.in_(keys)).order_by(*order)):
                found[getattr(entity, key.key)].append(entity)
        return [found[one] for one in keys]

    async def _one(self, row: Any, keys: list[UUID]) -> list[Any]:
        found = {entity.id: entity for entity in await self.entities(select(row).where(row.id.in_(keys)))}
        return [found.get(one) for one in keys]

    async def _leads(self, keys: list[UUID]) -> list[Any]:
        statement = (
            select(AssignmentRow.dispute_id, PersonRow)
            .join(PersonRow, PersonRow.id == AssignmentRow.person_id)
            .where(AssignmentRow.dispute_id.in_(keys), AssignmentRow.is_lead, AssignmentRow.ended_at.is_(None))
        )
        found = {row[0]: row[1] for row in await self.rows(statement)}
        return [found.get(one) for one in keys]

    async def _parties(self, keys: list[UUID]) -> list[list[Any]]:
        p, d = aliased(PartyRow, name="p"), aliased(DisputeRow, name="d")
        shown: list[Any] = [literal_column(self.rule[name]) for name in ("name", "phone", "address")]
        statement = (
            select(p, *shown)
            .join(d, d.id == p.dispute_id)
            .where(p.dispute_id.in_(keys), self.said("party"))
            .order_by(p.side, p.id)
        )
        found: dict[UUID, list[Any]] = {one: [] for one in keys}
        for row in await self.rows(statement):
            found[row[0].dispute_id].append(row)
        return [found[one] for one in keys]


Asked = strawberry.Info[dict[str, Any], None]


def _reading(info: Asked) -> Reading:
    reading: Reading = info.context["reading"]
    return reading


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
    async def company(self, info: Asked) -> Named | None:
        found = self.row.company_id and await _reading(info).company.load(self.row.company_id)
        return Named(name=found.name) if found else None


@strawberry.type
class Assignment:
    row: strawberry.Private[Any]
    is_lead: bool
    mode: str
    assigned_at: dt.datetime

    @strawberry.field
    async def mediator(self, info: Asked) -> Named | None:
        found = await _reading(info).person.load(self.row.person_id)
        return Named(name=found.name) if found else None


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
    async def obligations(self, info: Asked) -> list[Obligation]:
        rows = await _reading(info).obligations.load(self.row.id)
        return [_made(Obligation, row) for row in rows]


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
        return self.done_at is None and self.due_on < _today()

    @strawberry.field
    async def dispute(self, info: Asked) -> Dispute | None:
        found = await _reading(info).dispute.load(self.row.dispute_id)
        return _dispute(found) if found else None


@strawberry.type
class Referral:
    row: strawberry.Private[Any]
    kind: str
    state: str
    sent_at: dt.datetime
    reason: str

    @strawberry.field
    async def organization(self, info: Asked) -> Named | None:
        found = await _reading(info).organization.load(self.row.organization_id)
        return Named(name=found.name) if found else None


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
        return self.due_on is not None and self.due_on < _today() and self.state in ("ACCEPTED", "MEDIATING")

    @strawberry.field
    async def compound(self, info: Asked) -> Compound | None:
        found = await _reading(info).compound.load(self.row.compound_id)
        return Compound(name=found.name, address=found.address) if found else None

    @strawberry.field
    async def lead_mediator(self, info: Asked) -> Named | None:
        found = await _reading(info).lead.load(self.row.id)
        return Named(name=found.name) if found else None

    @strawberry.field
    async def parties(self, info: Asked) -> list[Party]:
        return [
            _made(Party, row[0], id=f"Party:{row[0].id}", name=row[1], phone=row[2], address=row[3])
            for row in await _reading(info).parties.load(self.row.id)
        ]

    @strawberry.field
    async def assignments(self, info: Asked) -> list[Assignment]:
        return [_made(Assignment, row) for row in await _reading(info).assignments.load(self.row.id)]

    @strawberry.field
    async def sessions(self, info: Asked) -> list[Session]:
        return [_made(Session, row) for row in await _reading(info).held.load(self.row.id)]

    @strawberry.field
    async def agreements(self, info: Asked) -> list[Agreement]:
        return [_made(Agreement, row) for row in await _reading(info).agreements.load(self.row.id)]

    @strawberry.field
    async def follow_ups(self, info: Asked) -> list[FollowUp]:
        return [
            _made(FollowUp, row, id=f"FollowUp:{row.id}") for row in await _reading(info).follow_ups.load(self.row.id)
        ]

    @strawberry.field
    async def referrals(self, info: Asked) -> list[Referral]:
        return [_made(Referral, row) for row in await _reading(info).referrals.load(self.row.id)]


@cache
def _columns(kind: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind) if one.init)


def _made(kind: Any, row: Any, **given: Any) -> Any:
    """An object of the schema from an entity: what is not given is the entity's attribute of that name."""
    values = {name: row if name == "row" else getattr(row, name) for name in _columns(kind) if name not in given}
    return kind(**values, **given)


def _dispute(row: Any) -> Dispute:
    made: Dispute = _made(Dispute, row, id=f"Dispute:{row.id}")
    return made


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class DisputeConnection:
    counted: strawberry.Private[Callable[[], Any]]
    page_info: PageInfo
    nodes: list[Dispute]

    @strawberry.field
    async def total_count(self) -> int:
        return int(await self.counted())


@strawberry.type
class FollowUpConnection:
    nodes: list[FollowUp]


@strawberry.type
class Group:
    key: str
    label: str | None
    registered: int | None
    accepted: int | None
    concluded: int | None
    resolved: int | None


@strawberry.type
class Statistics:
    groups: list[Group]


@strawberry.input
class DisputeFilter:
    state: list[DisputeState] | None = None
    sub_category: list[DisputeSubCategory] | None = None


@strawberry.input
class FollowUpFilter:
    done: bool | None = None
    overdue: bool | None = None


@strawberry.type
class Query:
    @strawberry.field
    async def disputes(
        self, info: Asked, first: int, after: str | None = None, filter: DisputeFilter | None = None
    ) -> DisputeConnection:
        reading = _reading(info)
        d = aliased(DisputeRow, name="d")
        conditions = [reading.said("visible")]
        if filter is not None and filter.state:
            conditions.append(d.state.in_([one.value for one in filter.state]))
        if filter is not None and filter.sub_category:
            conditions.append(d.sub_category.in_([one.value for one in filter.sub_category]))
        if filter is None:
            at, key = orjson.loads(base64.b64decode(after)) if after else FIRST
            # Walks the caller's own index, like every contestant.
            keys = reading.rule["keys"].replace("$1", ":claim").replace("($2::timestamptz, $3::uuid)", "(:at, :key)")
            keys = keys.replace("$4::int", ":most").replace(f":claim::{reading.rule['kind']}", ":claim")
            walked = text(keys).columns(DisputeRow.registered_at, DisputeRow.id).subquery("keys")
            statement = select(d).join(walked, walked.c.id == d.id).order_by(d.registered_at.desc(), d.id.desc())
            moment = dt.datetime.max.replace(tzinfo=dt.UTC) if at == "infinity" else dt.datetime.fromisoformat(at)
            found = await reading.entities(statement, {"at": moment, "key": UUID(key), "most": first + 1})
        else:
            statement = select(d).where(*conditions).order_by(d.registered_at.desc(), d.id.desc()).limit(first + 1)
            found = await reading.entities(statement)
        nodes = [_dispute(row) for row in found[:first]]
        end = orjson.dumps([found[:first][-1].registered_at, str(found[:first][-1].id)]) if nodes else None

        async def counted() -> int:
            return int((await reading.rows(select(func.count()).select_from(d).where(*conditions)))[0][0])

        return DisputeConnection(
            counted=counted,
            page_info=PageInfo(
                has_next_page=len(found) > first, end_cursor=base64.b64encode(end).decode() if end else None
            ),
            nodes=nodes,
        )

    @strawberry.field
    async def dispute(self, info: Asked, id: strawberry.ID) -> Dispute | None:
        d = aliased(DisputeRow, name="d")
        reading = _reading(info)
        found = await reading.entities(
            select(d).where(d.id == UUID(id.removeprefix("Dispute:")), reading.said("visible"))
        )
        return _dispute(found[0]) if found else None

    @strawberry.field
    async def follow_ups(self, info: Asked, first: int, filter: FollowUpFilter | None = None) -> FollowUpConnection:
        d = aliased(DisputeRow, name="d")
        reading = _reading(info)
        statement = (
            select(FollowUpRow)
            .join(d, d.id == FollowUpRow.dispute_id)
            .where(reading.said("visible"), FollowUpRow.done_at.is_(None), FollowUpRow.due_on < _today())
            .order_by(FollowUpRow.due_on, FollowUpRow.id)
            .limit(first)
        )
        return FollowUpConnection(
            nodes=[_made(FollowUp, row, id=f"FollowUp:{row.id}") for row in await reading.entities(statement)]
        )

    @strawberry.field
    async def statistics(self, info: Asked, group_by: StatisticsGroupBy) -> Statistics:
        d = aliased(DisputeRow, name="d")
        reading = _reading(info)
        key = d.town_code if group_by is StatisticsGroupBy.TOWN else d.state
        over = (d.concluded_at.is_not(None), d.accepted_at.is_not(None))
        counted = (
            select(
                key,
                func.count(),
                func.count(d.accepted_at),
                func.count().filter(*over),
                func.count().filter(*over, d.state.in_(("PERFORMED", "CLOSED", "ARCHIVED"))),
            )
            .where(reading.said("visible"))
            .group_by(key)
            .order_by(key)
        )
        rows = await reading.rows(counted)
        named = select(t.area.c.code, t.area.c.name).where(t.area.c.code.in_([row[0] for row in rows]))
        names = {row[0]: row[1] for row in await reading.rows(named)}

        def told(number: int) -> int | None:
            return number if reading.rule["exact"] or not 1 <= number <= 4 else None

        figures = ("registered", "accepted", "concluded", "resolved")
        return Statistics(
            groups=[
                Group(key=row[0], label=names.get(row[0]), **{name: told(row[i]) for i, name in enumerate(figures, 1)})
                for row in rows
            ]
        )


schema = strawberry.Schema(Query, extensions=[ParserCache, ValidationCache])


class App(GraphQL[Any, None]):
    """Its context is the caller of the request and his loaders."""

    def __init__(self, sessions: Sessions) -> None:
        super().__init__(schema, graphql_ide=None)
        self.sessions = sessions

    async def get_context(self, request: Any, response: Any) -> Any:
        """Who asks."""
        return {"reading": Reading(self.sessions, *caller_of(request.headers["x-caller"]))}


def application(address: Address) -> Starlette:
    """The GraphQL endpoint alone."""
    engine = create_async_engine(
        address.url(), pool_size=POOL, max_overflow=0, connect_args={"server_settings": {"timezone": "UTC"}}
    )
    app = Starlette()
    app.add_route("/graphql", App(async_sessionmaker(engine, expire_on_commit=False)), methods=["POST"])
    return app


if __name__ == "__main__":
    serve(application)
