"""Lists to connections: a page of rows at the root or below a row, its counts and its cursors, as one JSON object."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    ClauseElement,
    TableClause,
    bindparam,
    case,
    column,
    false,
    func,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import Integer, Uuid

from db.query import plan as p
from db.query.access_paths import AccessPaths, ListQuery
from db.query.count import count, materialize
from db.query.filters import condition
from db.query.fragment import Fragment, compile_fragment, slot
from db.query.keyset import cursor_of, direction, keys_of
from db.query.page_rows import PageRows
from db.query.place import Place, Writer
from db.query.statement_text import Member, bind, columns, json_row, or_empty, quoted
from db.query.statistics.rollups import exact_count
from db.query.visibility import scope_of
from db.resources.aliases import shared_aliases
from db.resources.catalog import RESOURCES
from db.resources.resource import ALWAYS, Resource, Row, Sql

# The size of a page in a fragment, before the statement gives the bind its own name.
_SIZE: Sql = bindparam("size", type_=Integer())


class PageWriter:
    """Writes pages for a writer of rows. `members`: writes what is selected of a row."""

    def __init__(self, writer: Writer, members: Callable[[Place, Sequence[p.Item]], list[Member]]) -> None:
        self._writer, self._members = writer, members
        self._text = writer.text

    def page(self, page: p.Page, parent: Place | None) -> str:
        """A connection. It is one object however many rows it has."""
        texts = self._rows(page, parent)
        counted = {name: self._text.name("counted") for name in ("exact", "bounded") if name in texts}
        # A count is one row, beside which the page may have none: so it is made once, however many members read it.
        sources = [f"({texts[name]}) AS {at}" for name, at in counted.items()]
        body = None
        if "rows" in texts:
            body = self._text.name("page")
            sources.append(f"({self._body(page, parent, texts['rows'])}) AS {body}")
        members: list[Member] = []
        for index, item in enumerate(page.items):
            match item:
                case p.Typename(name=name):
                    sql = f"'{name}'"
                case p.TotalCount(exact=exact):
                    sql = f"max({counted['exact' if exact else 'bounded']}.total)"
                case p.TotalCapped():
                    sql = f"bool_or({counted['bounded']}.capped)"
                case p.PageInfo():
                    assert body is not None
                    sql = self._page_info(page, parent, item, body)
                case p.Nodes() | p.Edges():
                    assert body is not None
                    sql = self._listed(page, body, index)
            members.append((item.key, sql))
        if not sources:
            return self._of_parent(page, parent, f"(SELECT {json_row(members)})")
        from_ = sources[0] + "".join(f" LEFT OUTER JOIN {one} ON true" for one in sources[1:])
        # HAVING makes it one row, also where no member counts or lists the rows of the page (`pageInfo { hasPreviousPage }`).
        text = f"(SELECT {json_row(members)} FROM {from_} HAVING true)"  # noqa: S608  made of compiled expressions
        return self._of_parent(page, parent, text)

    @staticmethod
    def _of_parent(page: p.Page, parent: Place | None, text: str) -> str:
        """The page, unless a cursor belongs to the same list of another row: that ends the statement (`db.query.reader.ForeignCursor`)."""
        if parent is not None and page.relation is not None:
            for present, name in ((page.slice.after, "after"), (page.slice.before, "before")):
                if present:
                    theirs = bind(f"{page.slice.size}_{name}_parent", "UUID")
                    text = f"(CASE WHEN cursor_of_row({parent.at}.id, {theirs}) THEN {text} END)"
        return text

    # -- the rows and their number: all that does not depend on what is selected of a row

    def _rows(self, page: p.Page, parent: Place | None) -> dict[str, str]:
        """The SELECTs of the page's `rows` and of its `exact` and `bounded` count, as far as they are asked for."""
        binds = {"size": page.slice.size}
        conditions: list[p.Condition] = []
        for index, one in enumerate(page.conditions):
            binds[f"condition_{index}"] = one.bind
            conditions.append(dataclasses.replace(one, bind=f"condition_{index}"))
        for name in ("after", "before"):
            for index in range(len(page.order) + 1):
                binds[f"size_{name}_{index}"] = f"{page.slice.size}_{name}_{index}"
        listed = any(not isinstance(item, p.TotalCount | p.TotalCapped | p.Typename) for item in page.items)
        counts = frozenset(_is_exact(item) for item in page.items) - {None}
        own = dataclasses.replace(
            page,
            key="",
            conditions=tuple(conditions),
            slice=dataclasses.replace(page.slice, size="size"),
            items=(),
        )

        def compiled() -> Fragment:
            with shared_aliases():
                row = None if parent is None or page.relation is None else self._writer.row(parent)
                parts = self._row_parts(own, row, listed, {exact for exact in counts if exact is not None})
                return compile_fragment(parts, *(() if row is None else scope_of(row)))

        context = None if parent is None else parent.context
        fragment = self._writer.fragment(("page", context, own, listed, counts), compiled)
        return self._text.take(fragment, {} if parent is None else parent.slots, binds)

    def _row_parts(self, page: p.Page, parent: Row | None, listed: bool, counts: set[bool]) -> dict[str, ClauseElement]:
        """The parts of the fragment. A count and the page may read the same rows."""
        query, paths = self._query(page, parent), AccessPaths(self._writer.visibility)
        sums = (
            exact_count(self._writer.visibility, paths, query.resource, page.conditions)
            if counts and page.relation is None
            else None
        )
        materialized = materialize(paths, query, exact=True in counts) if listed and counts and sums is None else None
        parts: dict[str, ClauseElement] = {}
        if listed:
            parts["rows"] = PageRows(paths, query, _SIZE + literal_column("1")).select(materialized)
        for exact in sorted(counts):
            parts["exact" if exact else "bounded"] = (
                count(paths, query, exact=exact, materialized=materialized)
                if sums is None
                else select(sums.label("total"), false().label("capped"))
            )
        return parts

    def _query(self, page: p.Page, parent: Row | None) -> ListQuery:
        visibility, resource = self._writer.visibility, RESOURCES[page.resource]
        if parent is None or page.relation is None:
            return ListQuery(
                page,
                resource,
                lambda row, met=(): [condition(visibility, row, one) for one in page.conditions if one not in met],
            )
        relation = parent.resource.relations[page.relation]
        dispute, seen = (
            (parent.dispute, visibility.dispute_predicate(parent)) if relation.same_dispute else (None, ALWAYS)
        )

        def row_filter(row: Row, met: Sequence[p.Condition] = ()) -> list[Sql]:
            clauses = [relation.on(parent, row.at), *visibility.made_through(relation, parent, row)]
            return clauses + [condition(visibility, row, one) for one in page.conditions if one not in met]

        return ListQuery(page, resource, row_filter, scope_of(parent), dispute, seen)

    # -- what is selected of the rows

    def _body(self, page: p.Page, parent: Place | None, rows: str) -> str:
        """The page's rows: `rn`, the keys of its order if cursors are asked for, and one JSON column for each list of nodes or edges asked for."""
        resource, keys = RESOURCES[page.resource], keys_of(page)
        relation = None if parent is None or page.relation is None else parent.resource.relations[page.relation]
        dispute, seen = (
            (None, False) if parent is None or relation is None else self._writer.shared_dispute(parent, relation)
        )
        # A part whose dispute was joined inside has it joined again by key: the columns do not reach out here.
        target, source = self._writer.place(resource, f"({rows})", dispute, seen=seen)
        order = self._writer.of_row(
            target,
            ("number", page.order, page.slice.backward),
            lambda row: func.row_number().over(
                order_by=[direction(row[key.field], key, page.slice.backward) for key in keys]
            ),
        )
        shown: list[str] = [f"{order} AS rn"]
        if any(isinstance(item, p.PageInfo) for item in page.items):
            shown += [f"{target.at}.{quoted(key.field)} AS k{index}" for index, key in enumerate(keys)]
        for index, item in enumerate(page.items):
            if isinstance(item, p.Nodes | p.Edges):
                members = (
                    self._members(target, item.node.items)
                    if isinstance(item, p.Nodes)
                    else self._edge(page, parent, target, item)
                )
                # No GraphQL name: a key that equals it would be taken for the row (a column goes before a table).
                name = f'"{self._text.name("-")}"'
                source += f" JOIN LATERAL (SELECT {columns(members)}) AS {name} ON true"
                # The row behind the page, which only tells that there is one, is not made into JSON.
                size = bind(page.slice.size, "INTEGER")
                shown.append(f"CASE WHEN ({order} <= {size}) THEN row_to_json({name}) END AS j{index}")
        return f"SELECT {', '.join(shown)} FROM {source}"  # noqa: S608  made of compiled expressions

    def _edge(self, page: p.Page, parent: Place | None, place: Place, edges: p.Edges) -> list[Member]:
        def member(item: str | p.Node) -> str:
            if isinstance(item, p.Node):
                return json_row(self._members(place, item.items))
            if item == "cursor":
                return self._cursor(page, parent, place)
            return f"'{place.resource.name}Edge'"

        return [(key, member(item)) for key, item in edges.items]

    def _cursor(self, page: p.Page, parent: Place | None, place: Place) -> str:
        """The cursor of a row of the page."""
        keys, above = keys_of(page), _above(page, parent)

        def compiled() -> Fragment:
            with shared_aliases():
                row = self._writer.row(place)
                cursor = cursor_of(row.resource, keys, [row[key.field] for key in keys], _id_of(above))
                return compile_fragment({"": cursor}, *scope_of(row), *above)

        fragment = self._writer.fragment(("cursor", place.context, keys, bool(above)), compiled)
        return self._text.take(fragment, {**place.slots, **_slots_of(above, parent)}, _marks(page))[""]

    def _listed(self, page: p.Page, body: str, index: int) -> str:
        """The nodes or edges of the page as a JSON list, in the order of the list: that of the rows or, from the end, the opposite."""
        by = f"{body}.rn {'DESC' if page.slice.backward else 'ASC'}"
        shown = f"{body}.rn <= {bind(page.slice.size, 'INTEGER')}"
        return or_empty(f"json_agg({body}.j{index} ORDER BY {by}) FILTER (WHERE {shown})")

    def _page_info(self, page: p.Page, parent: Place | None, info: p.PageInfo, body: str) -> str:
        def member(name: str) -> str:
            behind = {"has_next_page": page.slice.before, "has_previous_page": page.slice.after}
            if name == "typename":
                return "'PageInfo'"
            if name in behind and name != ("has_previous_page" if page.slice.backward else "has_next_page"):
                return "true" if behind[name] else "false"
            return found[name if name.endswith("cursor") else "more"]

        found = self._found(page, parent, body)
        return json_row([(key, member(name)) for key, name in info.items])

    def _found(self, page: p.Page, parent: Place | None, body: str) -> dict[str, str]:
        """Whether there are `more` rows than the page shows, and its `start_cursor` and `end_cursor`."""
        above = _above(page, parent)
        resource, keys, backward = RESOURCES[page.resource], keys_of(page), page.slice.backward

        def compiled() -> Fragment:
            found = _found_columns(resource, keys)
            return compile_fragment(
                {
                    # Counts a column of the page: a bare count(*) would count the rows of the JSON object around it.
                    "more": func.count(found.c.rn) > _SIZE,
                    "start_cursor": _page_cursor(resource, keys, found, above, backward, at_end=False),
                    "end_cursor": _page_cursor(resource, keys, found, above, backward, at_end=True),
                },
                found,
                *above,
            )

        fragment = self._writer.fragment(("found", page.resource, keys, backward, bool(above)), compiled)
        slots = {"page": body, **_slots_of(above, parent)}
        return self._text.take(fragment, slots, {"size": page.slice.size, **_marks(page)})


def _above(page: p.Page, parent: Place | None) -> tuple[TableClause, ...]:
    """The row above a list in a fragment: none at the root."""
    return () if parent is None or page.relation is None else (table(slot("above"), column("id", Uuid())),)


def _id_of(above: tuple[TableClause, ...]) -> Sql | None:
    return above[0].c.id if above else None


def _slots_of(above: tuple[TableClause, ...], parent: Place | None) -> dict[str, str]:
    return {"above": parent.at} if above and parent is not None else {}


def _marks(page: p.Page) -> dict[str, str]:
    """The bind of the mark of a page's cursors."""
    return {"mark": f"{page.slice.size}_mark"}


def _found_columns(resource: Resource, keys: tuple[p.Order, ...]) -> TableClause:
    """The columns of a page's body that its `pageInfo` reads."""
    typed = [column(f"k{index}", resource.table.c[key.field].type) for index, key in enumerate(keys)]
    return table(slot("page"), column("rn", Integer()), *typed)


def _page_cursor(
    resource: Resource,
    keys: tuple[p.Order, ...],
    found: TableClause,
    above: tuple[TableClause, ...],
    backward: bool,
    *,
    at_end: bool,
) -> Sql:
    """The cursor of the first or last row that is shown, null for an empty page. Made once, of the keys of that one row."""
    shown = found.c.rn <= _SIZE
    last = func.least(func.count(found.c.rn), _SIZE)
    place: Sql = last if at_end else literal_column("1")
    order = found.c.rn.desc() if backward else found.c.rn.asc()

    def value(index: int) -> Any:
        return func.array_agg(aggregate_order_by(found.c[f"k{index}"], order)).filter(shown)[place]

    values = [value(index) for index in range(len(keys))]
    return case((last > literal_column("0"), cursor_of(resource, keys, values, _id_of(above))))


def _is_exact(item: Any) -> bool | None:
    """Whether a member shows an exact count (True), a bounded one (False) or none (None)."""
    return item.exact if isinstance(item, p.TotalCount) else False if isinstance(item, p.TotalCapped) else None
