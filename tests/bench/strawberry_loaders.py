"""The plain Strawberry contestant: its entities on async SQLAlchemy, and one data loader for each relation and request.

As the documentation of both would have it written; the caller is a trusted header.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import aliased, registry
from sqlalchemy.sql import Select
from strawberry.dataloader import DataLoader

from db import tables as t
from tests.bench.access import fragments

Sessions = async_sessionmaker[AsyncSession]
_mapper = registry()


def _map(table: Any) -> Any:
    kind = type(table.name.title(), (), {})
    _mapper.map_imperatively(kind, table)
    return kind


(DisputeRow, PartyRow, AssignmentRow, SessionRow, AgreementRow, ObligationRow, FollowUpRow, ReferralRow, CompoundRow, CompanyRow,
 OrganizationRow, PersonRow) = map(_map, (t.dispute, t.party, t.assignment, t.session, t.agreement, t.obligation, t.follow_up, t.referral,
 t.compound, t.company, t.organization, t.person))  # fmt: skip


class RequestContext:
    """The caller of one request, and its data loaders."""

    def __init__(self, sessions: Sessions, role: str, claim: Any) -> None:
        self.sessions, self.role = sessions, role
        self.rule: dict[str, Any] = fragments(role)
        self.claim = {"claim": claim}
        readable = set(self.rule["parts"])

        def part(name: str, row: Any, *order: Any) -> DataLoader[UUID, list[Any]]:
            return DataLoader(partial(self._many, row, row.dispute_id, order, name in readable))

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

    def fragment(self, name: str) -> Any:
        """A piece of SQL with the claim in its place."""
        fragment = str(self.rule[name]).replace(f"$1::{self.rule['kind']}", f"CAST(:claim AS {self.rule['kind']})")
        return text(fragment)

    async def rows(self, statement: Select[Any], values: dict[str, Any] | None = None) -> Sequence[Any]:
        """Rows of one statement in a session of its own, so that loaders may run side by side."""
        async with self.sessions() as session:
            rows: Sequence[Any] = (await session.execute(statement, {**self.claim, **(values or {})})).all()
            return rows

    async def entities(self, statement: Select[Any], values: dict[str, Any] | None = None) -> list[Any]:
        """The entities of one statement."""
        return [row[0] for row in await self.rows(statement, values)]

    async def _many(self, row: Any, key: Any, order: Any, granted: bool, keys: list[UUID]) -> list[list[Any]]:
        entities: dict[UUID, list[Any]] = {one: [] for one in keys}
        if granted:
            for entity in await self.entities(select(row).where(key.in_(keys)).order_by(*order)):
                entities[getattr(entity, key.key)].append(entity)
        return [entities[one] for one in keys]

    async def _one(self, row: Any, keys: list[UUID]) -> list[Any]:
        entities = {entity.id: entity for entity in await self.entities(select(row).where(row.id.in_(keys)))}
        return [entities.get(one) for one in keys]

    async def _leads(self, keys: list[UUID]) -> list[Any]:
        statement = (
            select(AssignmentRow.dispute_id, PersonRow)
            .join(PersonRow, PersonRow.id == AssignmentRow.person_id)
            .where(AssignmentRow.dispute_id.in_(keys), AssignmentRow.is_lead, AssignmentRow.ended_at.is_(None))
        )
        people = {row[0]: row[1] for row in await self.rows(statement)}
        return [people.get(one) for one in keys]

    async def _parties(self, keys: list[UUID]) -> list[list[Any]]:
        p, d = aliased(PartyRow, name="p"), aliased(DisputeRow, name="d")
        shown: list[Any] = [literal_column(self.rule[name]) for name in ("name", "phone", "address")]
        statement = (
            select(p, *shown)
            .join(d, d.id == p.dispute_id)
            .where(p.dispute_id.in_(keys), self.fragment("party"))
            .order_by(p.side, p.id)
        )
        parties: dict[UUID, list[Any]] = {one: [] for one in keys}
        for row in await self.rows(statement):
            parties[row[0].dispute_id].append(row)
        return [parties[one] for one in keys]
