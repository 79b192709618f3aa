"""Rows to JSON objects and lists to connections: what is selected of a row, of its relations, and of a list at the root or below a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import FromClause, Select, bindparam, case, cast, exists, false, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import Integer, Text

from db.query import plan as p
from db.query.access_paths import AccessPaths, Branch, ListQuery
from db.query.clocks import clocks
from db.query.count import count, materialize
from db.query.filters import condition
from db.query.keyset import cursor_of, direction
from db.query.page_rows import PageRows
from db.query.statement import OBJECT, JsonRow, json_list, json_object, or_empty, row_to_json
from db.query.statistics.rollups import exact_count
from db.query.timeline import timeline
from db.query.visibility import Visibility, scope_of
from db.resources.aliases import alias
from db.resources.catalog import RESOURCES
from db.resources.resource import ALWAYS, Relation, Row, Sql
from policies.grant import Access
from policies.predicate import Predicate


class RowBuilder:
    """Builds the SQL of rows, relations and lists for one access."""

    def __init__(self, access: Access) -> None:
        self.visibility = Visibility(access)
        self.paths = AccessPaths(self.visibility)

    # -- rows

    def members(self, row: Row, node: p.Node) -> list[Sql]:
        """What is selected of a row, under its response keys."""
        return [self.item(row, item).label(item.key) for item in node.items]

    def item(self, row: Row, item: p.Item) -> Sql:
        """One member of a row, as JSON or as a value that JSON has."""
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
                return timeline(self.visibility, row, item, self.person)
            case p.One(relation=name, node=node):
                return json_object(self._related(row, row.resource.relations[name], node)).scalar_subquery()
            case p.Many(relation=name, node=node):
                return json_list(self._related(row, row.resource.relations[name], node)).scalar_subquery()
            case p.Page():
                return self.page(item, row)

    def lookup(self, node: p.Node, on: Callable[[Row], Sql], *outer: FromClause) -> Sql:
        """The one row of which `on` holds as a JSON object; null if the caller does not see it."""
        resource = RESOURCES[node.resource]
        row, at = self.visibility.row(resource, alias(resource.table))
        rows = (
            select(*self.members(row, node))
            .select_from(at)
            .where(on(row), self.visibility.visible(row))
            .correlate(*outer)
        )
        return json_object(rows).scalar_subquery()

    def person(self, node: p.Node, key: Sql, within: FromClause) -> Sql:
        """The person with an id that a FROM element gives."""
        return self.lookup(node, lambda row: row["id"] == key, within)

    def _related(self, row: Row, relation: Relation, node: p.Node) -> Select[Any]:
        """The visible rows of a relation with what is selected of them."""
        resource = RESOURCES[relation.target]
        dispute, seen = self._dispute_of(row, relation)
        target, at = self.visibility.row(resource, alias(resource.table), dispute, seen)
        return (
            select(*self.members(target, node))
            .select_from(at)
            .where(relation.on(row, target.at), self.visibility.visible(target))
            .order_by(*(target[name] for name in relation.order))
            .correlate(*scope_of(row))
        )

    def _dispute_of(self, row: Row, relation: Relation) -> tuple[FromClause | None, Predicate]:
        """The dispute that the rows of a relation have in common with this one, and what holds of it."""
        return (row.dispute, self.visibility.dispute_predicate(row)) if relation.same_dispute else (None, ALWAYS)

    # -- lists

    def page(self, page: p.Page, parent: Row | None) -> Sql:
        """A connection as a JSON object: at the root, or below a row. It is one object however many rows it has."""
        query = self._query(page, parent)
        members: list[tuple[str, Sql]] = []
        body, materialized = None, None
        listed = any(not isinstance(item, p.TotalCount | p.TotalCapped | p.Typename) for item in page.items)
        counts = {_is_exact(item) for item in page.items} - {None}
        sums = (
            exact_count(self.visibility, self.paths, query.resource, page.conditions)
            if counts and page.relation is None
            else None
        )
        if listed and counts and sums is None:
            materialized = materialize(self.paths, query, exact=True in counts)
        if listed:
            body = self._body(query, materialized)
        counted = {
            exact: count(self.paths, query, exact=exact, materialized=materialized)
            if sums is None
            else select(sums.label("total"), false().label("capped")).subquery()
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
                case p.PageInfo(key=key):
                    assert body is not None
                    members.append((key, self._page_info(query, item, body)))
                case p.Nodes(key=key) | p.Edges(key=key):
                    assert body is not None
                    members.append((key, self._listed(page, body, f"j{page.items.index(item)}")))
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

    def _query(self, page: p.Page, parent: Row | None) -> ListQuery:
        resource = RESOURCES[page.resource]
        if parent is None or page.relation is None:
            return ListQuery(
                page,
                resource,
                lambda row, met=(): [condition(self.visibility, row, one) for one in page.conditions if one not in met],
            )
        relation = parent.resource.relations[page.relation]
        dispute, seen = self._dispute_of(parent, relation)

        def row_filter(row: Row, met: Sequence[p.Condition] = ()) -> list[Sql]:
            clauses = [relation.on(parent, row.at)]
            if relation.through is not None:
                clauses.append(self._through(relation.through, parent, row))
            return clauses + [condition(self.visibility, row, one) for one in page.conditions if one not in met]

        return ListQuery(page, resource, row_filter, scope_of(parent), dispute, seen)

    def _through(self, through: tuple[str, Callable[[Row, FromClause], Sql]], parent: Row, row: Row) -> Sql:
        """SECURITY: a relation made by parts of the target shows only what the parts that the caller sees show."""
        part = RESOURCES[through[0]]
        link = alias(part.table)
        seen, _ = self.visibility.row(part, link, row.at)
        return exists(
            select(literal_column("1"))
            .select_from(link)
            .where(link.c.dispute_id == row["id"], through[1](parent, link), self.visibility.visible(seen))
            .correlate_except(link)
        )

    def _body(self, query: ListQuery, materialized: list[Branch] | None) -> FromClause:
        """The page's rows: `rn`, the keys of its order if cursors are asked for, and one JSON column for each list of nodes or edges asked for."""
        page, keys = query.page, query.keys
        size = bindparam(page.slice.size, type_=Integer())
        rows = PageRows(self.paths, query, size + literal_column("1")).select(materialized)
        # A part whose dispute was joined inside has it joined again by key: the columns do not reach out here.
        target, at = self.visibility.row(query.resource, rows, query.dispute, query.seen)
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
                at = at.join(select(*members).correlate(*scope_of(target), *query.outer).lateral(name), true())
                # The row behind the page, which only tells that there is one, is not made into JSON.
                columns.append(case((number <= size, row_to_json(name))).label(f"j{index}"))
        return select(*columns).select_from(at).correlate(*query.outer).subquery()

    def _edge(self, row: Row, edges: p.Edges, keys: tuple[p.Order, ...]) -> list[Sql]:
        def member(item: str | p.Node) -> Sql:
            if isinstance(item, p.Node):
                return JsonRow([(one.key, self.item(row, one)) for one in item.items])
            if item == "cursor":
                return cursor_of(row.resource, keys, [row[key.field] for key in keys])
            return literal_column(f"'{row.resource.name}Edge'")

        return [member(item).label(key) for key, item in edges.items]

    @staticmethod
    def _aggregated(page: p.Page, body: FromClause, column: str) -> Any:
        """A column of the body in the order of the list, which is that of the rows or, from the end, the opposite."""
        return aggregate_order_by(body.c[column], body.c.rn.desc() if page.slice.backward else body.c.rn.asc())

    @staticmethod
    def _size(page: p.Page) -> Sql:
        return bindparam(page.slice.size, type_=Integer())

    def _listed(self, page: p.Page, body: FromClause, column: str) -> Sql:
        """The nodes or edges of the page as a JSON list."""
        shown = body.c.rn <= self._size(page)
        return or_empty(func.json_agg(self._aggregated(page, body, column)).filter(shown))

    def _page_info(self, query: ListQuery, info: p.PageInfo, body: FromClause) -> Sql:
        page, size = query.page, self._size(query.page)
        # Counts a column of the page: a bare count(*) would count the rows of the JSON object around it.
        more = func.count(body.c.rn) > size
        behind = {"has_next_page": page.slice.before, "has_previous_page": page.slice.after}
        ahead = "has_previous_page" if page.slice.backward else "has_next_page"
        members: list[tuple[str, Sql]] = []
        for key, name in info.items:
            if name == "typename":
                members.append((key, literal_column("'PageInfo'")))
            elif name.endswith("cursor"):
                members.append((key, self._page_cursor(query, body, at_end=name == "end_cursor")))
            else:
                members.append((key, more if name == ahead else literal_column("true" if behind[name] else "false")))
        return JsonRow(members)

    def _page_cursor(self, query: ListQuery, body: FromClause, *, at_end: bool) -> Sql:
        """The cursor of the first or last row that is shown, null for an empty page. Made once, of the keys of that one row."""
        page, size = query.page, self._size(query.page)
        shown = body.c.rn <= size
        last = func.least(func.count(body.c.rn), size)
        place: Sql = last if at_end else literal_column("1")
        keys = [
            func.array_agg(self._aggregated(page, body, f"k{i}")).filter(shown)[place] for i in range(len(query.keys))
        ]
        return case((last > literal_column("0"), cursor_of(query.resource, query.keys, keys)))


def _is_exact(item: Any) -> bool | None:
    """Whether a member shows an exact count (True), a bounded one (False) or none (None)."""
    return item.exact if isinstance(item, p.TotalCount) else False if isinstance(item, p.TotalCapped) else None
