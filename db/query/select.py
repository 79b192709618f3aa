"""Plan + Access -> one Select: the roots of a query in one JSON object. Needs no connection to a database."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, bindparam, case, cast, func, literal_column, null, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, array
from sqlalchemy.types import DateTime, Integer, Text, Uuid

from db.query import plan as p
from db.query.epoch import EPOCH
from db.query.planning_mode import planning_of
from db.query.rows import RowBuilder
from db.query.statement import JsonRow, Statement, compile_statement, or_empty, text_array
from db.query.statistics.answer import statistics
from db.resources.aliases import shared_aliases
from db.resources.resource import Row, Sql
from policies.grant import Access


def select_plan(plan: p.Plan, access: Access) -> Statement:
    """The statement of a plan for callers of this access's shape: columns `epoch`, `data` (UTF-8 JSON) and `missing`
    (keys of `plan.nullable` that are null)."""
    rows = RowBuilder(access)
    with shared_aliases():
        statement = compile_statement(_select(rows, plan))
    return dataclasses.replace(statement, planning=planning_of(rows.paths, plan.items))


def _select(rows: RowBuilder, plan: p.Plan) -> Select[Any]:
    members = [(item.key, _root(rows, item)) for item in plan.items]
    # OFFSET 0 keeps PostgreSQL from copying the members into both places that read them.
    inner = (
        select(*(value.label(f"v{i}") for i, (_, value) in enumerate(members))).offset(literal_column("0")).subquery()
    )
    data = JsonRow([(key, inner.c[f"v{i}"]) for i, (key, _) in enumerate(members)])
    missing = [
        case((inner.c[f"v{i}"].is_(None), literal_column(f"'{key}'")))
        for i, (key, _) in enumerate(members)
        if key in plan.nullable
    ]
    epoch = EPOCH.scalar_subquery()
    return select(
        epoch.label("epoch"),
        func.convert_to(cast(data, Text), literal_column("'UTF8'")).label("data"),
        (func.array_remove(array[Any](missing, type_=Text()), null()) if missing else text_array([])).label("missing"),
    ).select_from(inner)


def _root(rows: RowBuilder, item: p.Root) -> Sql:
    match item:
        case p.Typename(name=name):
            return literal_column(f"'{name}'")
        case p.Page():
            return rows.page(item, None)
        case p.Lookup():
            return rows.lookup(
                item.node,
                lambda row: row[item.field] == bindparam(item.bind, type_=row.resource.table.c[item.field].type),
            )
        case p.Batch():
            return _batch(rows, item)
        case p.Viewer():
            return _viewer(rows, item)
        case p.Statistics():
            return statistics(rows.visibility, rows.paths, item)


def _batch(rows: RowBuilder, batch: p.Batch) -> Sql:
    """`nodes(ids)` as a JSON list in the order of the ids, with null for a row that the caller does not see."""
    types = bindparam(f"{batch.bind}_types", type_=ARRAY(Text))
    ids = bindparam(f"{batch.bind}_ids", type_=ARRAY(Uuid))
    requested = (
        func.unnest(types, ids).table_valued("kind", "value", with_ordinality="place").render_derived(name="asked")
    )
    value = type_coerce(requested.c.value, Uuid())
    branches = [
        (
            requested.c.kind == literal_column(f"'{node.resource}'"),
            rows.lookup(node, lambda row: row["id"] == value, requested),
        )
        for node in batch.nodes
    ]
    listed = func.json_agg(
        aggregate_order_by(case(*branches) if branches else literal_column("NULL::json"), requested.c.place)
    )
    return select(or_empty(listed)).select_from(requested).scalar_subquery()


def _viewer(rows: RowBuilder, viewer: p.Viewer) -> Sql:
    """`viewer` from the binds that the caller's token gives."""
    values: dict[str, Callable[[], Sql]] = {
        "typename": lambda: literal_column("'Viewer'"),
        "roles": lambda: func.to_json(bindparam("viewer_roles", type_=ARRAY(Text))),
        "token_expires_at": lambda: bindparam("viewer_token_expires_at", type_=DateTime(timezone=True)),
        "policy_version": lambda: bindparam("viewer_policy_version", type_=Integer()),
    }

    def own(row: Row) -> Sql:
        return row["id"] == bindparam("viewer_person_id", type_=Uuid())

    members: list[tuple[str, Sql]] = []
    for key, item in viewer.items:
        members.append((key, rows.lookup(item, own) if isinstance(item, p.Node) else values[item]()))
    return select(JsonRow(members)).scalar_subquery()
