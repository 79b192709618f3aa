"""Plan + Access -> one Select: rows to JSON objects, pages to connections. Needs no connection to a database."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    FromClause,
    Select,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal_column,
    null,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, array
from sqlalchemy.types import DateTime, Integer, Text, Uuid

from db import plan as p
from db import tables as t
from db.catalog import SOURCES
from db.deadlines import clocks
from db.filters import condition
from db.paging import cursor_of, direction, keys_of
from db.sight import Sight, scope_of
from db.source import Relation, Row, Source, Sql
from db.statement import JsonRow, Statement, compile_statement, text_array
from db.statistics import statistics
from db.timeline import timeline
from db.ways import Narrow, Ways
from policies.grant import Access


def select_plan(plan: p.Plan, access: Access) -> Statement:
    """The statement of a plan for callers of this access's shape: columns `epoch`, `data` (UTF-8 JSON) and `missing`
    (keys of `plan.nullable` that are null)."""
    builder = Builder(access)
    statement = compile_statement(builder.root(plan))
    return dataclasses.replace(statement, steady=all(_is_steady(builder.ways, item) for item in plan.items))


def _is_steady(ways: Ways, item: Any) -> bool:
    """Whether the part has one plan that is good for all values."""
    parts: Sequence[Any] = ()
    match item:
        case p.Page(items=items):
            if not ways.steady(item):
                return False
            parts = items
        case p.Statistics():
            return False
        case p.Node(items=items):
            parts = items
        case p.Edges(items=pairs) | p.Viewer(items=pairs):
            parts = [what for _, what in pairs]
        case p.Batch(nodes=nodes):
            parts = nodes
        case p.One(node=node) | p.Many(node=node) | p.Nodes(node=node) | p.Lookup(node=node):
            parts = (node,)
    return all(_is_steady(ways, one) for one in parts)


class Builder:
    """Builds the SQL of one plan."""

    def __init__(self, access: Access) -> None:
        self.sight = Sight(access)
        self.ways = Ways(self.sight)

    # -- nodes

    def node(self, row: Row, node: p.Node) -> JsonRow:
        return JsonRow([(item.key, self.item(row, item)) for item in node.items])

    def item(self, row: Row, item: p.Item) -> Sql:
        match item:
            case p.Typename(name=name):
                return literal_column(f"'{name}'")
            case p.Identifier():
                return literal_column(f"'{row.source.name}:'").concat(cast(row["id"], Text))
            case p.Value(field=name):
                return self.sight.shown(row, name)
            case p.AccessInfo():
                return self.sight.access_info(row, item)
            case p.Clocks():
                return clocks(self.sight, row, item)
            case p.Timeline():
                return timeline(self.sight, row, item, self._person)
            case p.One(relation=name, node=node):
                return self.one(row, row.source.relations[name], node)
            case p.Many(relation=name, node=node):
                return self.many(row, row.source.relations[name], node)
            case p.Page():
                return self.page(item, row)

    def related(self, row: Row, relation: Relation) -> tuple[Row, FromClause]:
        target = SOURCES[relation.target]
        return self.sight.row(target, target.table.alias(), row.dispute if relation.same_dispute else None)

    def one(self, row: Row, relation: Relation, node: p.Node) -> Sql:
        target, at = self.related(row, relation)
        return (
            select(self.node(target, node))
            .select_from(at)
            .where(relation.on(row, target.at), self.sight.visible(target))
            .correlate(*scope_of(row))
            .scalar_subquery()
        )

    def many(self, row: Row, relation: Relation, node: p.Node) -> Sql:
        target, at = self.related(row, relation)
        rows = (
            select(
                self.node(target, node).label("node"),
                *(target[name].label(f"o{i}") for i, name in enumerate(relation.order)),
            )
            .select_from(at)
            .where(relation.on(row, target.at), self.sight.visible(target))
            .correlate(*scope_of(row))
            .subquery()
        )
        return (
            _json_list(rows.c.node, *(rows.c[f"o{i}"] for i in range(len(relation.order))))
            .select_from(rows)
            .scalar_subquery()
        )

    # -- pages

    def page(self, page: p.Page, parent: Row | None) -> Sql:
        source = SOURCES[page.source]
        relation = parent.source.relations[page.relation] if parent is not None and page.relation is not None else None
        outer = scope_of(parent) if parent is not None else ()
        same = parent.dispute if parent is not None and relation is not None and relation.same_dispute else None

        def narrowed(row: Row, met: Sequence[p.Condition] = ()) -> list[Sql]:
            """The conditions beside visibility: the relation and the filter."""
            clauses = [condition(self.sight, row, one) for one in page.conditions if one not in met]
            if relation is not None and parent is not None:
                clauses.insert(0, relation.on(parent, row.at))
                if relation.through is not None:
                    clauses.insert(1, self._through(relation.through, parent, row))
            return clauses

        members: list[tuple[str, Sql]] = []
        keys, body = keys_of(page), None
        if any(not isinstance(item, p.TotalCount | p.TotalCapped | p.Typename) for item in page.items):
            body = self._body(page, source, narrowed, outer, same, keys)
        counted = {
            exact: self.ways.count(page, source, narrowed, outer, same, exact=exact)
            for exact in (False, True)
            if any(_counts(item) is exact for item in page.items)
        }
        for item in page.items:
            match item:
                case p.Typename(key=key, name=name):
                    members.append((key, literal_column(f"'{name}'")))
                case p.TotalCount(key=key, exact=exact):
                    members.append((key, func.max(counted[exact].c.total)))
                case p.TotalCapped(key=key):
                    members.append((key, func.bool_or(counted[False].c.capped)))
                case _:
                    assert body is not None
                    members.append((item.key, self._member(page, item, body)))
        statement = select(JsonRow(members))
        # A count is one row, beside which the page may have none: so it is made once, however many members read it.
        parts = [*counted.values(), *([] if body is None else [body])]
        if parts:
            at = parts[0]
            for part in parts[1:]:
                at = at.outerjoin(part, true())
            # HAVING makes it one row, also where no member counts or lists the rows of the page (`pageInfo { hasPreviousPage }`).
            statement = statement.select_from(at).having(literal_column("true"))
        return statement.scalar_subquery()

    def _through(self, through: tuple[str, Callable[[Row, FromClause], Sql]], parent: Row, row: Row) -> Sql:
        """SECURITY: a relation made by parts of the target shows only what the parts that the caller sees show."""
        part = SOURCES[through[0]]
        link = part.table.alias()
        seen, _ = self.sight.row(part, link, row.at)
        return exists(
            select(literal_column("1"))
            .select_from(link)
            .where(link.c.dispute_id == row["id"], through[1](parent, link), self.sight.visible(seen))
            .correlate_except(link)
        )

    def _body(
        self,
        page: p.Page,
        source: Source,
        narrowed: Narrow,
        outer: Sequence[FromClause],
        same: FromClause | None,
        keys: tuple[p.Order, ...],
    ) -> FromClause:
        """The page's rows: `rn`, and one JSON column for each list of nodes or edges asked for."""
        size = bindparam(page.slice.size, type_=Integer())
        wanted = size + literal_column("1")
        found = self.ways.found(page, source, narrowed, outer, same, keys, wanted)
        row = self.sight.row(source, found, None if same is None else same)
        if source.part and same is None:
            # The dispute of a part was joined inside; its key columns do not reach out here, so it is joined again by key.
            row = self.sight.row(source, found)
        target, at = row
        number = func.row_number().over(
            order_by=[direction(target[key.field], key, page.slice.backward) for key in keys]
        )
        columns: list[Sql] = [number.label("rn")]
        for index, item in enumerate(page.items):
            if isinstance(item, p.Nodes):
                columns.append(case((number <= size, self.node(target, item.node))).label(f"j{index}"))
            elif isinstance(item, p.Edges):
                columns.append(case((number <= size, self._edge(target, item, page, keys))).label(f"j{index}"))
            elif isinstance(item, p.PageInfo) and any(name.endswith("cursor") for _, name in item.items):
                columns.append(cursor_of(target, keys).label(f"j{index}"))
        return select(*columns).select_from(at).correlate(*outer).subquery()

    def _edge(self, row: Row, edges: p.Edges, page: p.Page, keys: tuple[p.Order, ...]) -> Sql:
        members: list[tuple[str, Sql]] = []
        for key, what in edges.items:
            if isinstance(what, p.Node):
                members.append((key, self.node(row, what)))
            elif what == "cursor":
                members.append((key, cursor_of(row, keys)))
            else:
                members.append((key, literal_column(f"'{row.source.name}Edge'")))
        return JsonRow(members)

    def _member(self, page: p.Page, item: p.Nodes | p.Edges | p.PageInfo | Any, body: FromClause) -> Sql:
        size = bindparam(page.slice.size, type_=Integer())
        index = page.items.index(item)
        shown = body.c.rn <= size
        ordered = body.c.rn.desc() if page.slice.backward else body.c.rn.asc()
        if isinstance(item, p.Nodes | p.Edges):
            listed = func.json_agg(aggregate_order_by(body.c[f"j{index}"], ordered)).filter(shown)
            return func.coalesce(listed, literal_column("'[]'::json"))
        # Counts a column of the page: a bare count(*) would count the rows of the JSON object around it.
        more = func.count(body.c.rn) > size
        given = {"has_next_page": page.slice.before, "has_previous_page": page.slice.after}
        ahead = "has_previous_page" if page.slice.backward else "has_next_page"
        members: list[tuple[str, Sql]] = []
        for key, name in item.items:
            if name == "typename":
                members.append((key, literal_column("'PageInfo'")))
            elif name.endswith("cursor"):
                last = (name == "end_cursor") != page.slice.backward
                by = body.c.rn.desc() if last else body.c.rn.asc()
                members.append(
                    (
                        key,
                        func.array_agg(aggregate_order_by(body.c[f"j{index}"], by)).filter(shown)[literal_column("1")],
                    )
                )
            else:
                members.append((key, more if name == ahead else literal_column("true" if given[name] else "false")))
        return JsonRow(members)

    # -- roots

    def root(self, plan: p.Plan) -> Select[Any]:
        members = [(item.key, self.root_item(item)) for item in plan.items]
        # OFFSET 0 keeps PostgreSQL from copying the members into both places that read them.
        inner = (
            select(*(value.label(f"v{i}") for i, (_, value) in enumerate(members)))
            .offset(literal_column("0"))
            .subquery()
        )
        data = JsonRow([(key, inner.c[f"v{i}"]) for i, (key, _) in enumerate(members)])
        missing = [
            case((inner.c[f"v{i}"].is_(None), literal_column(f"'{key}'")))
            for i, (key, _) in enumerate(members)
            if key in plan.nullable
        ]
        epoch = select(t.access_epoch.c.epoch).scalar_subquery()
        return select(
            epoch.label("epoch"),
            func.convert_to(cast(data, Text), literal_column("'UTF8'")).label("data"),
            (func.array_remove(array[Any](missing, type_=Text()), null()) if missing else text_array([])).label(
                "missing"
            ),
        ).select_from(inner)

    def root_item(self, item: p.Root) -> Sql:
        match item:
            case p.Typename(name=name):
                return literal_column(f"'{name}'")
            case p.Page():
                return self.page(item, None)
            case p.Lookup():
                return self._lookup(
                    item.node,
                    lambda row: row[item.field] == bindparam(item.bind, type_=row.source.table.c[item.field].type),
                )
            case p.Batch():
                return self._batch(item)
            case p.Viewer():
                return self._viewer(item)
            case p.Statistics():
                return statistics(self.sight, self.ways, item)

    def _lookup(self, node: p.Node, on: Callable[[Row], Sql], *outer: FromClause) -> Sql:
        source = SOURCES[node.source]
        row, at = self.sight.row(source, source.table.alias())
        return (
            select(self.node(row, node))
            .select_from(at)
            .where(on(row), self.sight.visible(row))
            .correlate(*outer)
            .scalar_subquery()
        )

    def _person(self, node: p.Node, key: Sql, within: FromClause) -> Sql:
        return self._lookup(node, lambda row: row["id"] == key, within)

    def _batch(self, batch: p.Batch) -> Sql:
        types = bindparam(f"{batch.bind}_types", type_=ARRAY(Text))
        ids = bindparam(f"{batch.bind}_ids", type_=ARRAY(Uuid))
        asked = (
            func.unnest(types, ids).table_valued("kind", "value", with_ordinality="place").render_derived(name="asked")
        )
        value = type_coerce(asked.c.value, Uuid())
        branches = [
            (
                asked.c.kind == literal_column(f"'{node.source}'"),
                self._lookup(node, lambda row: row["id"] == value, asked),
            )
            for node in batch.nodes
        ]
        listed = func.json_agg(
            aggregate_order_by(case(*branches) if branches else literal_column("NULL::json"), asked.c.place)
        )
        return select(func.coalesce(listed, literal_column("'[]'::json"))).select_from(asked).scalar_subquery()

    def _viewer(self, viewer: p.Viewer) -> Sql:
        values: dict[str, Callable[[], Sql]] = {
            "typename": lambda: literal_column("'Viewer'"),
            "roles": lambda: func.to_json(bindparam("viewer_roles", type_=ARRAY(Text))),
            "token_expires_at": lambda: bindparam("viewer_token_expires_at", type_=DateTime(timezone=True)),
            "policy_version": lambda: bindparam("viewer_policy_version", type_=Integer()),
        }

        def own(row: Row) -> Sql:
            return row["id"] == bindparam("viewer_person_id", type_=Uuid())

        members: list[tuple[str, Sql]] = []
        for key, what in viewer.items:
            if isinstance(what, p.Node):
                members.append((key, self._lookup(what, own)))
            else:
                members.append((key, values[what]()))
        return select(JsonRow(members)).scalar_subquery()


def _counts(item: Any) -> bool | None:
    """Whether a member shows an exact count (True), a bounded one (False) or none (None)."""
    return item.exact if isinstance(item, p.TotalCount) else False if isinstance(item, p.TotalCapped) else None


def _json_list(value: Sql, *order: Sql) -> Select[Any]:
    return select(func.coalesce(func.json_agg(aggregate_order_by(value, *order)), literal_column("'[]'::json")))
