"""The plain Strawberry contestant: queries, schema with document caches, and server."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
import strawberry
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import aliased
from starlette.applications import Starlette
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from db import tables as t
from db.postgres.address import Address
from db.tables.dispute import STATES, SUB_CATEGORIES
from tests.bench.access import FIRST
from tests.bench.python_server import caller_of, serve
from tests.bench.strawberry_loaders import DisputeRow, FollowUpRow, RequestContext, Sessions
from tests.bench.strawberry_types import Dispute, FollowUp, Info, build, build_dispute, context_of, county_today

POOL = 6


def _values(name: str, values: Sequence[str]) -> type[Enum]:
    made: Any = Enum(name, {one: one for one in values})
    kind: type[Enum] = made
    return kind


DisputeState: Any = strawberry.enum(_values("DisputeState", STATES))
DisputeSubCategory: Any = strawberry.enum(_values("DisputeSubCategory", SUB_CATEGORIES))


@strawberry.enum
class StatisticsGroupBy(Enum):
    TOWN = "TOWN"
    STATE = "STATE"


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class DisputeConnection:
    count: strawberry.Private[Callable[[], Any]]
    page_info: PageInfo
    nodes: list[Dispute]

    @strawberry.field
    async def total_count(self) -> int:
        return int(await self.count())


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
        self, info: Info, first: int, after: str | None = None, filter: DisputeFilter | None = None
    ) -> DisputeConnection:
        context = context_of(info)
        d = aliased(DisputeRow, name="d")
        conditions = [context.fragment("visible")]
        if filter is not None and filter.state:
            conditions.append(d.state.in_([one.value for one in filter.state]))
        if filter is not None and filter.sub_category:
            conditions.append(d.sub_category.in_([one.value for one in filter.sub_category]))
        if filter is None:
            at, key = orjson.loads(base64.b64decode(after)) if after else FIRST
            # Scans the caller's own index, like every contestant.
            keys = context.rule["keys"].replace("$1", ":claim").replace("($2::timestamptz, $3::uuid)", "(:at, :key)")
            keys = keys.replace("$4::int", ":most").replace(f":claim::{context.rule['kind']}", ":claim")
            page_keys = text(keys).columns(DisputeRow.registered_at, DisputeRow.id).subquery("keys")
            statement = select(d).join(page_keys, page_keys.c.id == d.id).order_by(d.registered_at.desc(), d.id.desc())
            moment = dt.datetime.max.replace(tzinfo=dt.UTC) if at == "infinity" else dt.datetime.fromisoformat(at)
            rows = await context.entities(statement, {"at": moment, "key": UUID(key), "most": first + 1})
        else:
            statement = select(d).where(*conditions).order_by(d.registered_at.desc(), d.id.desc()).limit(first + 1)
            rows = await context.entities(statement)
        nodes = [build_dispute(row) for row in rows[:first]]
        end = orjson.dumps([rows[:first][-1].registered_at, str(rows[:first][-1].id)]) if nodes else None

        async def count() -> int:
            return int((await context.rows(select(func.count()).select_from(d).where(*conditions)))[0][0])

        return DisputeConnection(
            count=count,
            page_info=PageInfo(
                has_next_page=len(rows) > first, end_cursor=base64.b64encode(end).decode() if end else None
            ),
            nodes=nodes,
        )

    @strawberry.field
    async def dispute(self, info: Info, id: strawberry.ID) -> Dispute | None:
        d = aliased(DisputeRow, name="d")
        context = context_of(info)
        rows = await context.entities(
            select(d).where(d.id == UUID(id.removeprefix("Dispute:")), context.fragment("visible"))
        )
        return build_dispute(rows[0]) if rows else None

    @strawberry.field
    async def follow_ups(self, info: Info, first: int, filter: FollowUpFilter | None = None) -> FollowUpConnection:
        d = aliased(DisputeRow, name="d")
        context = context_of(info)
        statement = (
            select(FollowUpRow)
            .join(d, d.id == FollowUpRow.dispute_id)
            .where(context.fragment("visible"), FollowUpRow.done_at.is_(None), FollowUpRow.due_on < county_today())
            .order_by(FollowUpRow.due_on, FollowUpRow.id)
            .limit(first)
        )
        return FollowUpConnection(
            nodes=[build(FollowUp, row, id=f"FollowUp:{row.id}") for row in await context.entities(statement)]
        )

    @strawberry.field
    async def statistics(self, info: Info, group_by: StatisticsGroupBy) -> Statistics:
        d = aliased(DisputeRow, name="d")
        context = context_of(info)
        key = d.town_code if group_by is StatisticsGroupBy.TOWN else d.state
        over = (d.concluded_at.is_not(None), d.accepted_at.is_not(None))
        count = (
            select(
                key,
                func.count(),
                func.count(d.accepted_at),
                func.count().filter(*over),
                func.count().filter(*over, d.state.in_(("PERFORMED", "CLOSED", "ARCHIVED"))),
            )
            .where(context.fragment("visible"))
            .group_by(key)
            .order_by(key)
        )
        rows = await context.rows(count)
        named = select(t.area.c.code, t.area.c.name).where(t.area.c.code.in_([row[0] for row in rows]))
        names = {row[0]: row[1] for row in await context.rows(named)}

        def shown(number: int) -> int | None:
            return number if context.rule["exact"] or not 1 <= number <= 4 else None

        figures = ("registered", "accepted", "concluded", "resolved")
        return Statistics(
            groups=[
                Group(key=row[0], label=names.get(row[0]), **{name: shown(row[i]) for i, name in enumerate(figures, 1)})
                for row in rows
            ]
        )


schema = strawberry.Schema(Query, extensions=[ParserCache, ValidationCache])


class App(GraphQL[Any, None]):
    """Its context is the caller of the request, with data loaders."""

    def __init__(self, sessions: Sessions) -> None:
        super().__init__(schema, graphql_ide=None)
        self.sessions = sessions

    async def get_context(self, request: Any, response: Any) -> Any:
        """The context of a request."""
        return {"context": RequestContext(self.sessions, *caller_of(request.headers["x-caller"]))}


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
