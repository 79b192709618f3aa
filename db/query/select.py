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
    false,
    func,
    literal_column,
    null,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, array
from sqlalchemy.types import DateTime, Integer, Text, Uuid

from db.query import plan as p
from db.query.access_paths import AccessPaths, Branch, Narrow
from db.query.clocks import clocks
from db.query.epoch import EPOCH
from db.query.filters import condition
from db.query.keyset import cursor_of, direction, keys_of
from db.query.statement import (
    OBJECT,
    JsonRow,
    Statement,
    compile_statement,
    json_list,
    json_object,
    or_empty,
    row_to_json,
    text_array,
)
from db.query.statistics.answer import statistics
from db.query.statistics.rollups import exact_count
from db.query.timeline import timeline
from db.query.visibility import Visibility, scope_of
from db.resources.catalog import RESOURCES
from db.resources.resource import ALWAYS, Relation, Resource, Row, Sql
from policies.grant import Access
from policies.predicate import Predicate


def select_plan(plan: p.Plan, access: Access) -> Statement:
    """The statement of a plan for callers of this access's shape: columns `epoch`, `data` (UTF-8 JSON) and `missing`
    (keys of `plan.nullable` that are null)."""
    builder = Builder(access)
    statement = compile_statement(builder.root(plan))
    plan_sensitive = _plan_sensitive(builder.paths, plan.items)
    return dataclasses.replace(
        statement, plan_sensitive=None if plan_sensitive is None else tuple(sorted(plan_sensitive))
    )


def _plan_sensitive(paths: AccessPaths, parts: Sequence[Any]) -> frozenset[str] | None:
    """The binds whose values decide on the plan of these parts; None if other values do too."""
    found: frozenset[str] = frozenset()
    for part in parts:
        below: Sequence[Any] = ()
        match part:
            case p.Page(items=items):
                plan_sensitive = paths.plan_sensitive(part)
                if plan_sensitive is None:
                    return None
                found, below = found | plan_sensitive, items
            case p.Node(items=items):
                below = items
            case p.Edges(items=pairs) | p.Viewer(items=pairs):
                below = [what for _, what in pairs]
            case p.Batch(nodes=nodes):
                below = nodes
            case p.One(node=node) | p.Many(node=node) | p.Nodes(node=node) | p.Lookup(node=node):
                below = (node,)
        inner = _plan_sensitive(paths, below)
        if inner is None:
            return None
        found |= inner
    return found


class Builder:
    """Builds the SQL of one plan."""

    def __init__(self, access: Access) -> None:
        self.visibility = Visibility(access)
        self.paths = AccessPaths(self.visibility)

    # -- nodes

    def members(self, row: Row, node: p.Node) -> list[Sql]:
        """What is selected of a row, under its response keys."""
        return [self.item(row, item).label(item.key) for item in node.items]

    def item(self, row: Row, item: p.Item) -> Sql:
        match item:
            case p.Typename(name=name):
                return literal_column(f"'{name}'")
            case p.Identifier():
                return literal_column(f"'{row.resource.name}:'").concat(cast(row["id"], Text))
            case p.Value(field=name):
                return self.visibility.shown(row, name)
            case p.AccessInfo():
                return self.visibility.access_info(row, item)
            case p.Clocks():
                return clocks(self.visibility, row, item)
            case p.Timeline():
                return timeline(self.visibility, row, item, self._person)
            case p.One(relation=name, node=node):
                return self.one(row, row.resource.relations[name], node)
            case p.Many(relation=name, node=node):
                return self.many(row, row.resource.relations[name], node)
            case p.Page():
                return self.page(item, row)

    def related(self, row: Row, relation: Relation, node: p.Node) -> Select[Any]:
        """The visible rows of a relation with what is selected of them."""
        resource = RESOURCES[relation.target]
        dispute, seen = (row.dispute, self.visibility.below(row)) if relation.same_dispute else (None, ALWAYS)
        target, at = self.visibility.row(resource, resource.table.alias(), dispute, seen)
        return (
            select(*self.members(target, node))
            .select_from(at)
            .where(relation.on(row, target.at), self.visibility.visible(target))
            .order_by(*(target[name] for name in relation.order))
            .correlate(*scope_of(row))
        )

    def one(self, row: Row, relation: Relation, node: p.Node) -> Sql:
        return json_object(self.related(row, relation, node)).scalar_subquery()

    def many(self, row: Row, relation: Relation, node: p.Node) -> Sql:
        return json_list(self.related(row, relation, node)).scalar_subquery()

    # -- pages

    def page(self, page: p.Page, parent: Row | None) -> Sql:
        resource = RESOURCES[page.resource]
        relation = (
            parent.resource.relations[page.relation] if parent is not None and page.relation is not None else None
        )
        outer = scope_of(parent) if parent is not None else ()
        same = parent.dispute if parent is not None and relation is not None and relation.same_dispute else None
        seen = self.visibility.below(parent) if parent is not None and same is not None else ALWAYS

        def narrowed(row: Row, met: Sequence[p.Condition] = ()) -> list[Sql]:
            """The conditions beside visibility: the relation and the filter."""
            clauses = [condition(self.visibility, row, one) for one in page.conditions if one not in met]
            if relation is not None and parent is not None:
                clauses.insert(0, relation.on(parent, row.at))
                if relation.through is not None:
                    clauses.insert(1, self._through(relation.through, parent, row))
            return clauses

        members: list[tuple[str, Sql]] = []
        keys, body, materialized = keys_of(page), None, None
        listed = any(not isinstance(item, p.TotalCount | p.TotalCapped | p.Typename) for item in page.items)
        counts = {_counts(item) for item in page.items} - {None}
        kept = (
            exact_count(self.visibility, self.paths, resource, page.conditions) if counts and relation is None else None
        )
        if listed and counts and kept is None:
            materialized = self.paths.materialized(page, resource, narrowed, keys, exact=True in counts)
        if listed:
            body = self._body(page, resource, narrowed, outer, same, seen, keys, materialized)
        counted = {
            exact: self.paths.count(page, resource, narrowed, outer, same, exact=exact, materialized=materialized)
            if kept is None
            else select(kept.label("total"), false().label("capped")).subquery()
            for exact in (False, True)
            if exact in counts
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
                    members.append((item.key, self._member(page, resource, item, body)))
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
        part = RESOURCES[through[0]]
        link = part.table.alias()
        seen, _ = self.visibility.row(part, link, row.at)
        return exists(
            select(literal_column("1"))
            .select_from(link)
            .where(link.c.dispute_id == row["id"], through[1](parent, link), self.visibility.visible(seen))
            .correlate_except(link)
        )

    def _body(
        self,
        page: p.Page,
        resource: Resource,
        narrowed: Narrow,
        outer: Sequence[FromClause],
        same: FromClause | None,
        seen: Predicate,
        keys: tuple[p.Order, ...],
        materialized: list[Branch] | None,
    ) -> FromClause:
        """The page's rows: `rn`, the keys of its order if cursors are asked for, and one JSON column for each list of nodes or edges asked for."""
        size = bindparam(page.slice.size, type_=Integer())
        wanted = size + literal_column("1")
        found = self.paths.page_rows(page, resource, narrowed, outer, same, keys, wanted, materialized)
        # A part whose dispute was joined inside has it joined again by key: the columns do not reach out here.
        target, at = self.visibility.row(resource, found, same, seen)
        number = func.row_number().over(
            order_by=[direction(target[key.field], key, page.slice.backward) for key in keys]
        )
        columns: list[Sql] = [number.label("rn")]
        if any(isinstance(item, p.PageInfo) for item in page.items):
            columns += [target[key.field].label(f"k{i}") for i, key in enumerate(keys)]
        for index, item in enumerate(page.items):
            if isinstance(item, p.Nodes | p.Edges):
                members = (
                    self.members(target, item.node) if isinstance(item, p.Nodes) else self._edge(target, item, keys)
                )
                name = f"{OBJECT}{index}"
                at = at.join(select(*members).correlate(*scope_of(target), *outer).lateral(name), true())
                # The row behind the page, which only tells that there is one, is not made into JSON.
                columns.append(case((number <= size, row_to_json(name))).label(f"j{index}"))
        return select(*columns).select_from(at).correlate(*outer).subquery()

    def _edge(self, row: Row, edges: p.Edges, keys: tuple[p.Order, ...]) -> list[Sql]:
        def member(what: str | p.Node) -> Sql:
            if isinstance(what, p.Node):
                return JsonRow([(one.key, self.item(row, one)) for one in what.items])
            if what == "cursor":
                return cursor_of(row.resource, keys, [row[key.field] for key in keys])
            return literal_column(f"'{row.resource.name}Edge'")

        return [member(what).label(key) for key, what in edges.items]

    def _member(
        self, page: p.Page, resource: Resource, item: p.Nodes | p.Edges | p.PageInfo | Any, body: FromClause
    ) -> Sql:
        size = bindparam(page.slice.size, type_=Integer())
        shown = body.c.rn <= size
        ordered = body.c.rn.desc() if page.slice.backward else body.c.rn.asc()

        def listed(column: str) -> Sql:
            return func.array_agg(aggregate_order_by(body.c[column], ordered)).filter(shown)

        if isinstance(item, p.Nodes | p.Edges):
            column = body.c[f"j{page.items.index(item)}"]
            return or_empty(func.json_agg(aggregate_order_by(column, ordered)).filter(shown))
        # Counts a column of the page: a bare count(*) would count the rows of the JSON object around it.
        more = func.count(body.c.rn) > size
        given = {"has_next_page": page.slice.before, "has_previous_page": page.slice.after}
        ahead = "has_previous_page" if page.slice.backward else "has_next_page"
        members: list[tuple[str, Sql]] = []
        for key, name in item.items:
            if name == "typename":
                members.append((key, literal_column("'PageInfo'")))
            elif name.endswith("cursor"):
                # Made once, of the keys of the one row that it is for.
                last = func.least(func.count(body.c.rn), size)
                place: Sql = last if name == "end_cursor" else literal_column("1")
                order_keys = keys_of(page)
                cursor = cursor_of(resource, order_keys, [listed(f"k{i}")[place] for i in range(len(order_keys))])
                members.append((key, case((last > literal_column("0"), cursor))))
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
        epoch = EPOCH.scalar_subquery()
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
                    lambda row: row[item.field] == bindparam(item.bind, type_=row.resource.table.c[item.field].type),
                )
            case p.Batch():
                return self._batch(item)
            case p.Viewer():
                return self._viewer(item)
            case p.Statistics():
                return statistics(self.visibility, self.paths, item)

    def _lookup(self, node: p.Node, on: Callable[[Row], Sql], *outer: FromClause) -> Sql:
        resource = RESOURCES[node.resource]
        row, at = self.visibility.row(resource, resource.table.alias())
        rows = (
            select(*self.members(row, node))
            .select_from(at)
            .where(on(row), self.visibility.visible(row))
            .correlate(*outer)
        )
        return json_object(rows).scalar_subquery()

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
                asked.c.kind == literal_column(f"'{node.resource}'"),
                self._lookup(node, lambda row: row["id"] == value, asked),
            )
            for node in batch.nodes
        ]
        listed = func.json_agg(
            aggregate_order_by(case(*branches) if branches else literal_column("NULL::json"), asked.c.place)
        )
        return select(or_empty(listed)).select_from(asked).scalar_subquery()

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
