"""Plan + Access -> one Select: predicates to WHERE, masks to CASE, rows to JSON. Needs no connection.

Every path to a row goes through `Builder.visible`; every path to a value goes through `Builder.shown`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, array
from sqlalchemy.types import Date, DateTime, Integer, Text, Uuid

from db import plan as p
from db import tables as t
from db.catalog import CLAIMS, SOURCES, Relation, Row, Source, Sql, json_value
from db.statement import JsonRow, Statement, compile_statement, text_array
from db.statistics import statistics
from db.transitions import FROM_STATES
from policies.grant import Access
from policies.predicate import (
    Always,
    And,
    ClaimRef,
    Eq,
    Has,
    In,
    Never,
    Not,
    Or,
    Predicate,
    all_of,
    conjuncts,
    disjuncts,
    implies,
)

# A column of the row by name, for the keys of an order.
Keys = Callable[[str], Sql]
# Adds the conditions, the order and the limit of a page to a select of rows.
Limit = Callable[[Select[Any], Row, Keys], Select[Any]]
Branch = Callable[[Limit], Select[Any]]

_COUNTY_TIME = literal_column("'Asia/Shanghai'")


def select_plan(plan: p.Plan, access: Access) -> Statement:
    """The statement of a plan for callers of this access's shape: columns `epoch`, `data` (UTF-8 JSON) and `missing`
    (keys of `plan.nullable` that are null)."""
    return compile_statement(Builder(access).root(plan))


class Builder:
    """Builds the SQL of one plan. Stateless but for the access it asks."""

    def __init__(self, access: Access) -> None:
        self.access = access

    # -- rows: the one place where a row's visibility is decided

    def row(self, source: Source, at: FromClause, dispute: FromClause | None = None) -> tuple[Row, FromClause]:
        """The row of an alias and what stands in FROM for it: a part brings its dispute along unless that is in scope."""
        if source.name == "Dispute":
            return Row(source, at, at), at
        if not source.part or dispute is not None:
            return Row(source, at, dispute), at
        parent = t.dispute.alias()
        joined = at.outerjoin(parent, parent.c.id == at.c.dispute_id) if source.name == "Event" else at.join(parent, parent.c.id == at.c.dispute_id)
        return Row(source, at, parent), joined

    def visible(self, row: Row, action: str = "read") -> Sql:
        """SECURITY: the WHERE clause of every read of a row of this resource."""
        return self.where(self.access.grant(row.source.name, action).rows, row)

    def where(self, predicate: Predicate, row: Row) -> Sql:
        """A predicate in SQL. True only where the predicate is; never null where it stands under NOT."""
        match predicate:
            case Always():
                return true()
            case Never():
                return false()
            case Eq(attribute=name, value=value):
                attribute = row.source.attributes[name]
                assert attribute.value is not None
                if isinstance(value, ClaimRef):
                    return attribute.value(row) == self.claim(value)
                if isinstance(value, bool):
                    return attribute.value(row) if value else attribute.value(row).is_not(true())
                return attribute.value(row) == literal_column(f"'{value}'", attribute.type)
            case In(attribute=name, claim=claim):
                attribute = row.source.attributes[name]
                assert attribute.value is not None
                return attribute.value(row) == func.any(self.claim(claim))
            case Has(attribute=name, claim=claim):
                attribute = row.source.attributes[name]
                assert attribute.contains is not None
                return attribute.contains(row, self.claim(claim))
            case And(parts=parts):
                return and_(*(self.where(part, row) for part in parts))
            case Or(parts=parts):
                return or_(*(self.where(part, row) for part in parts))
            case Not(part=part):
                return self.where(part, row).is_not(true())

    def claim(self, reference: ClaimRef) -> Sql:
        return bindparam(f"claim_{reference.slot}_{reference.name}", type_=CLAIMS[reference.name])

    # -- fields: the one place where a value's form is decided

    def shown(self, row: Row, name: str) -> Sql:
        """SECURITY: a field as the caller may see it: in clear, masked, or null."""
        field = row.source.fields[name]
        grant = self.access.grant(row.source.name)
        rows, reading = grant.rows, grant.field(field.policy)
        value = json_value(field.type, field.value(row))
        if implies(rows, reading.clear):
            return value
        masked = json_value(field.type, field.masked(row, field.value(row))) if reading.masked != Never() else null()
        otherwise: Sql = masked if implies(rows, reading.masked) else null()
        branches: list[tuple[Sql, Sql]] = []
        if reading.clear != Never():
            branches.append((self.where(reading.clear, row), value))
        if reading.masked != Never() and not implies(rows, reading.masked):
            branches.append((self.where(reading.masked, row), masked))
        return case(*branches, else_=otherwise) if branches else otherwise

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
                return self.shown(row, name)
            case p.AccessInfo():
                return self.access_info(row, item)
            case p.One(relation=name, node=node):
                return self.one(row, row.source.relations[name], node)
            case p.Many(relation=name, node=node):
                return self.many(row, row.source.relations[name], node)
            case p.Page():
                return self.page(item, row)

    def related(self, row: Row, relation: Relation) -> tuple[Row, FromClause]:
        target = SOURCES[relation.target]
        return self.row(target, target.table.alias(), row.dispute if relation.same_dispute else None)

    def one(self, row: Row, relation: Relation, node: p.Node) -> Sql:
        target, at = self.related(row, relation)
        return (
            select(self.node(target, node))
            .select_from(at)
            .where(relation.on(row, target.at), self.visible(target))
            .correlate(*_scope(row))
            .scalar_subquery()
        )

    def many(self, row: Row, relation: Relation, node: p.Node) -> Sql:
        target, at = self.related(row, relation)
        rows = (
            select(self.node(target, node).label("node"), *(target[name].label(f"o{i}") for i, name in enumerate(relation.order)))
            .select_from(at)
            .where(relation.on(row, target.at), self.visible(target))
            .correlate(*_scope(row))
            .subquery()
        )
        return _json_list(rows.c.node, *(rows.c[f"o{i}"] for i in range(len(relation.order)))).select_from(rows).scalar_subquery()

    def access_info(self, row: Row, item: p.AccessInfo) -> Sql:
        values: dict[str, Callable[[], Sql]] = {
            "typename": lambda: literal_column("'Access'"),
            "hidden": lambda: self._withheld(row, item, masked=False),
            "masked": lambda: self._withheld(row, item, masked=True),
            "can": lambda: self._can(row),
        }
        return JsonRow([(key, values[name]()) for key, name in item.items])

    def _withheld(self, row: Row, item: p.AccessInfo, masked: bool) -> Sql:
        grant = self.access.grant(row.source.name)
        always: list[str] = []
        sometimes: dict[Sql | Any, list[str]] = {}
        for name, shown_as in item.fields:
            reading = grant.field(row.source.fields[name].policy)
            if implies(grant.rows, reading.clear):
                continue
            clear_never, masked_always = reading.clear == Never(), implies(grant.rows, reading.masked)
            if masked and reading.masked == Never() or not masked and masked_always:
                continue
            if clear_never and (masked_always if masked else reading.masked == Never()):
                always.append(shown_as)
            else:
                sometimes.setdefault((reading.clear, reading.masked), []).append(shown_as)
        if not masked:
            always += [shown for name, shown in item.relations if self._closed(row.source.relations[name])]
        parts: list[Sql] = [text_array(always)]
        for (clear, behind), names in sometimes.items():
            no_clear = self.where(clear, row).is_not(true())
            wanted = self.where(behind, row).is_(true()) if masked else self.where(behind, row).is_not(true())
            parts.append(case((and_(no_clear, wanted), text_array(names)), else_=text_array([])))
        total = parts[0]
        for part in parts[1:]:
            total = total.concat(part)
        return func.to_json(total)

    def _closed(self, relation: Relation) -> bool:
        return self.access.grant(relation.target).rows == Never()

    def _can(self, row: Row) -> Sql:
        chosen: list[Sql] = []
        for action in sorted(row.source.actions - {"read", "count"}):
            rows = self.access.grant(row.source.name, action).rows
            if rows == Never():
                continue
            allowed = self.where(rows, row)
            if row.source.name == "Dispute":
                allowed = and_(allowed, row["state"].in_([literal_column(f"'{state}'") for state in FROM_STATES[action]]))
            chosen.append(case((allowed, literal_column(f"'{action}'"))))
        if not chosen:
            return func.to_json(text_array([]))
        return func.to_json(func.array_remove(array(chosen, type_=Text()), null()))

    # -- pages

    def page(self, page: p.Page, parent: Row | None) -> Sql:
        source = SOURCES[page.source]
        relation = parent.source.relations[page.relation] if parent is not None and page.relation is not None else None
        outer = _scope(parent) if parent is not None else ()
        same = parent.dispute if parent is not None and relation is not None and relation.same_dispute else None

        def narrowed(row: Row) -> list[Sql]:
            """The conditions beside visibility: the relation and the filter."""
            clauses = [self.condition(row, condition) for condition in page.conditions]
            if relation is not None and parent is not None:
                clauses.insert(0, relation.on(parent, row.at))
            return clauses

        members: list[tuple[str, Sql]] = []
        keys, body = self._keys(page), None
        if any(not isinstance(item, p.TotalCount | p.Typename) for item in page.items):
            body = self._body(page, source, narrowed, outer, same, keys)
        for item in page.items:
            match item:
                case p.Typename(key=key, name=name):
                    members.append((key, literal_column(f"'{name}'")))
                case p.TotalCount(key=key):
                    members.append((key, self._count(source, narrowed, outer, same, nested=parent is not None)))
                case _:
                    assert body is not None
                    members.append((item.key, self._member(page, item, body)))
        statement = select(JsonRow(members))
        return (statement.select_from(body) if body is not None else statement).scalar_subquery()

    @staticmethod
    def _keys(page: p.Page) -> tuple[p.Order, ...]:
        """The order with its last key, the id, in the direction of the key before it."""
        return (*page.order, p.Order("id", page.order[-1].descending if page.order else False))

    def _body(
        self,
        page: p.Page,
        source: Source,
        narrowed: Callable[[Row], list[Sql]],
        outer: Sequence[FromClause],
        same: FromClause | None,
        keys: tuple[p.Order, ...],
    ) -> FromClause:
        """The page's rows: `rn`, and one JSON column for each list of nodes or edges asked for."""
        size = bindparam(page.slice.size, type_=Integer())
        wanted = size + literal_column("1")
        found = self._found(page, source, narrowed, outer, same, keys, wanted)
        row = self.row(source, found, None if same is None else same)
        if source.part and same is None:
            # The dispute of a part was joined inside; its key columns do not reach out here, so it is joined again by key.
            row = self.row(source, found)
        target, at = row
        number = func.row_number().over(order_by=[_direction(target[key.field], key, page.slice.backward) for key in keys])
        columns: list[Sql] = [number.label("rn")]
        for index, item in enumerate(page.items):
            if isinstance(item, p.Nodes):
                columns.append(case((number <= size, self.node(target, item.node))).label(f"j{index}"))
            elif isinstance(item, p.Edges):
                columns.append(case((number <= size, self._edge(target, item, page, keys))).label(f"j{index}"))
            elif isinstance(item, p.PageInfo) and any(name.endswith("cursor") for _, name in item.items):
                columns.append(self._cursor(target, page, keys).label(f"j{index}"))
        return select(*columns).select_from(at).correlate(*outer).subquery()

    def _found(
        self,
        page: p.Page,
        source: Source,
        narrowed: Callable[[Row], list[Sql]],
        outer: Sequence[FromClause],
        same: FromClause | None,
        keys: tuple[p.Order, ...],
        wanted: Sql,
    ) -> FromClause:
        """The page's rows as a FROM element that ends with LIMIT, so that no node is built for a row that is not shown."""
        rows = self.access.grant(source.name).rows

        def limited(statement: Select[Any], row: Row, walked: Keys) -> Select[Any]:
            clauses = [*narrowed(row), *self._cursors(source, walked, page, keys)]
            ordered = [_direction(walked(key.field), key, page.slice.backward) for key in keys]
            return statement.where(*clauses).order_by(*ordered).limit(wanted)

        branches = self.branches(source, rows) if not outer and page.order == tuple(p.Order(*key) for key in source.order) else None
        if branches is None:
            row, at = self.row(source, source.table.alias(), same)
            statement = limited(select(row.at).select_from(at).where(self.where(rows, row)), row, row.__getitem__)
            return statement.correlate(*outer).subquery()
        # One ordered walk for each way in, merged: no plan has to choose between an index on the order and one on the scope.
        parts = [branch(limited) for branch in branches]
        union = parts[0].union(*parts[1:]).subquery() if len(parts) > 1 else parts[0].subquery()
        at = source.table.alias()
        row = Row(source, at, at)
        ordered = [_direction(row[key.field], key, page.slice.backward) for key in keys]
        return (
            select(at).select_from(union.join(at, at.c.id == union.c.id)).order_by(*ordered).limit(wanted).subquery()
        )

    def branches(self, source: Source, rows: Predicate) -> list[Branch] | None:
        """The ways into a union of scopes, each a select of ids that walks one index in page order; None if a plain WHERE is as good."""
        if source.name != "Dispute":
            return None
        parts = disjuncts(rows)
        found: list[Branch] = []
        plain = True
        for part in parts:
            driver = next((one for one in conjuncts(part) if self._drives(source, one)), None)
            if driver is None:
                return None
            plain = plain and isinstance(driver, Eq)
            found.append(self._branch(source, part, driver))
        return None if not found or (plain and len(found) == 1) else found

    @staticmethod
    def _drives(source: Source, part: Predicate) -> bool:
        match part:
            case Eq(attribute=name, value=ClaimRef()) | In(attribute=name):
                return name in _INDEXED
            case Has(attribute=name):
                return source.attributes[name].link is not None
        return False

    def _branch(self, source: Source, part: Predicate, driver: Predicate) -> Branch:
        rest = all_of(one for one in conjuncts(part) if one != driver)
        at = source.table.alias()
        row = Row(source, at, at)

        def direct(limited: Limit) -> Select[Any]:
            statement = select(at.c.id).select_from(at).where(self.where(part, row))
            return select(limited(statement, row, row.__getitem__).subquery().c.id)

        def by_link(limited: Limit) -> Select[Any]:
            assert isinstance(driver, Has)
            link = source.attributes[driver.attribute].link
            assert link is not None
            via = link.table.alias()
            # The page keys are read from the link, so that the link's index gives the order.
            keys = {"id": via.c.dispute_id, "registered_at": via.c.dispute_registered_at}
            statement = (
                select(at.c.id)
                .select_from(via.join(at, at.c.id == via.c.dispute_id))
                .where(via.c[link.key] == self.claim(driver.claim), link.alive(via), self.where(rest, row))
            )
            return select(limited(statement, row, keys.__getitem__).subquery().c.id)

        def by_each(limited: Limit) -> Select[Any]:
            assert isinstance(driver, In)
            each = func.unnest(self.claim(driver.claim)).table_valued("value").render_derived()
            inner = limited(
                select(at.c.id).select_from(at).where(at.c[driver.attribute] == each.c.value, self.where(rest, row)),
                row,
                row.__getitem__,
            ).correlate(each)
            walk = inner.lateral()
            return select(walk.c.id).select_from(each.join(walk, true()))

        return by_link if isinstance(driver, Has) else by_each if isinstance(driver, In) else direct

    def _count(
        self, source: Source, narrowed: Callable[[Row], list[Sql]], outer: Sequence[FromClause], same: FromClause | None, nested: bool
    ) -> Sql:
        rows = self.access.grant(source.name).rows
        branches = None if nested else self.branches(source, rows)
        if branches is None:
            row, at = self.row(source, source.table.alias(), same)
            return (
                select(func.count()).select_from(at).where(self.where(rows, row), *narrowed(row)).correlate(*outer).scalar_subquery()
            )
        parts = [branch(lambda statement, row, _: statement.where(*narrowed(row))) for branch in branches]
        union = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0].distinct()
        return select(func.count()).select_from(union.subquery()).scalar_subquery()

    def ids(self, source: Source, clauses: Callable[[Row], list[Sql]]) -> Select[Any]:
        """The ids of the visible rows that meet the clauses, by whatever way in is best. For statistics."""
        rows = self.access.grant(source.name).rows
        branches = self.branches(source, rows)
        if branches is None:
            row, at = self.row(source, source.table.alias())
            return select(row["id"].label("id")).select_from(at).where(self.where(rows, row), *clauses(row))
        parts = [branch(lambda statement, row, _: statement.where(*clauses(row))) for branch in branches]
        return parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0].distinct()  # type: ignore[return-value]

    @staticmethod
    def _cursors(source: Source, walked: Keys, page: p.Page, keys: tuple[p.Order, ...]) -> list[Sql]:
        clauses = []
        for given, name in ((page.slice.after, "after"), (page.slice.before, "before")):
            if given:
                binds = [
                    bindparam(f"{page.slice.size}_{name}_{i}", type_=_key_type(source, key.field)) for i, key in enumerate(keys)
                ]
                clauses.append(_beyond(walked, keys, binds, backward=name == "before"))
        return clauses

    def _cursor(self, row: Row, page: p.Page, keys: tuple[p.Order, ...]) -> Sql:
        """The position of a row: its values under the order's keys. All of them are fields that the caller reads in clear."""
        parts = func.json_build_array(*(json_value(_key_type(row.source, key.field), row[key.field]) for key in keys))
        encoded = func.encode(func.convert_to(cast(parts, Text), literal_column("'UTF8'")), literal_column("'base64'"))
        return func.translate(encoded, literal_column("E'\\n'"), literal_column("''"))

    def _edge(self, row: Row, edges: p.Edges, page: p.Page, keys: tuple[p.Order, ...]) -> Sql:
        members: list[tuple[str, Sql]] = []
        for key, what in edges.items:
            if isinstance(what, p.Node):
                members.append((key, self.node(row, what)))
            elif what == "cursor":
                members.append((key, self._cursor(row, page, keys)))
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
                members.append((key, func.array_agg(aggregate_order_by(body.c[f"j{index}"], by)).filter(shown)[literal_column("1")]))
            else:
                members.append((key, more if name == ahead else literal_column("true" if given[name] else "false")))
        return JsonRow(members)

    # -- filters

    def condition(self, row: Row, condition: p.Condition) -> Sql:
        """One condition of a filter. The planner has made sure that the caller reads its fields in clear."""
        name, bind = condition.fields[0], condition.bind
        if condition.operator in ("party", "mediator", "is", "area", "text"):
            return self._special(row, condition)
        field = row.source.fields[name]
        value = field.value(row)
        single = bindparam(bind, type_=field.type)
        match condition.operator:
            case "in":
                return value == func.any(bindparam(bind, type_=ARRAY(Text)))
            case "eq":
                return value == single
            case "from":
                return value >= single
            case "to":
                return value <= single
            case "before_day":
                return value < bindparam(bind, type_=Date())
            case "from_day":
                return value >= _day_start(bindparam(bind, type_=Date()))
            case "to_day":
                return value < _day_start(bindparam(bind, type_=Date()) + literal_column("1"))
            case "flag":
                return value.is_(true()) if bind.endswith("_true") else value.is_not(true())
            case "present":
                return value.is_not(None) if bind.endswith("_true") else value.is_(None)
        raise AssertionError(condition.operator)

    def _special(self, row: Row, condition: p.Condition) -> Sql:
        name, bind = condition.fields[0], condition.bind
        match condition.operator:
            case "is":
                return self._relation_key(row, name) == bindparam(bind, type_=Uuid())
            case "mediator":
                at, register = t.assignment.alias(), t.mediator.alias()
                return exists(
                    select(literal_column("1"))
                    .select_from(at.join(register, register.c.person_id == at.c.person_id))
                    .where(at.c.dispute_id == row["id"], at.c.ended_at.is_(None), register.c.id == bindparam(bind, type_=Uuid()))
                    .correlate(row.at)
                )
            case "party":
                party, at = self.row(SOURCES["Party"], t.party.alias(), row.at)
                field = name.partition(".")[2]
                return exists(
                    select(literal_column("1"))
                    .select_from(at)
                    .where(party["dispute_id"] == row["id"], self.visible(party), party[field] == bindparam(bind, type_=Text()))
                    .correlate(row.at)
                )
            case "text":
                grams = func.bigrams(bindparam(bind, type_=Text()))
                columns = {"title": "public_grams", "summary": "narrative_grams"}
                return or_(*(row[columns[field]].contains(grams) for field in condition.fields))
        return self._within_area(row, condition)

    def _within_area(self, row: Row, condition: p.Condition) -> Sql:
        """Rows in an area; the length of the code (in the bind's name) says which level it is."""
        code = bindparam(condition.bind, type_=Text())
        level = condition.bind.rpartition("_")[2]
        at = row.dispute if row.dispute is not None else row.at
        column = {"6": "county_code", "9": "town_code", "12": "community_code", "15": "grid_code"}[level]
        if column in at.c:
            return at.c[column] == code
        own = {"Area": "code", "Organization": "area_code", "Compound": "grid_code", "Team": "grid_code"}.get(row.source.name)
        if own is not None:
            return func.starts_with(row[own], code)
        at = t.organization.alias()
        return row["organization_id"].in_(
            select(at.c.id).select_from(at).where(func.starts_with(at.c.area_code, code))
        )

    @staticmethod
    def _relation_key(row: Row, relation: str) -> Sql:
        return row[f"{relation}_id"]

    # -- roots

    def root(self, plan: p.Plan) -> Select[Any]:
        members = [(item.key, self.root_item(item)) for item in plan.items]
        # OFFSET 0 keeps PostgreSQL from copying the members into both places that read them.
        inner = select(*(value.label(f"v{i}") for i, (_, value) in enumerate(members))).offset(literal_column("0")).subquery()
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
            (func.array_remove(array(missing, type_=Text()), null()) if missing else text_array([])).label("missing"),
        ).select_from(inner)

    def root_item(self, item: p.Root) -> Sql:
        match item:
            case p.Typename(name=name):
                return literal_column(f"'{name}'")
            case p.Page():
                return self.page(item, None)
            case p.Lookup():
                return self._lookup(item.node, lambda row: row[item.field] == bindparam(item.bind, type_=row.source.table.c[item.field].type))
            case p.Batch():
                return self._batch(item)
            case p.Viewer():
                return self._viewer(item)
            case p.Statistics():
                return statistics(self, item)

    def _lookup(self, node: p.Node, on: Callable[[Row], Sql], *outer: FromClause) -> Sql:
        source = SOURCES[node.source]
        row, at = self.row(source, source.table.alias())
        return select(self.node(row, node)).select_from(at).where(on(row), self.visible(row)).correlate(*outer).scalar_subquery()

    def _batch(self, batch: p.Batch) -> Sql:
        types = bindparam(f"{batch.bind}_types", type_=ARRAY(Text))
        ids = bindparam(f"{batch.bind}_ids", type_=ARRAY(Uuid))
        asked = func.unnest(types, ids).table_valued("kind", "value", with_ordinality="place").render_derived(name="asked")
        value = type_coerce(asked.c.value, Uuid())
        branches = [
            (asked.c.kind == literal_column(f"'{node.source}'"), self._lookup(node, lambda row: row["id"] == value, asked))
            for node in batch.nodes
        ]
        listed = func.json_agg(aggregate_order_by(case(*branches) if branches else null(), asked.c.place))
        return select(func.coalesce(listed, literal_column("'[]'::json"))).select_from(asked).scalar_subquery()

    def _viewer(self, viewer: p.Viewer) -> Sql:
        values: dict[str, Callable[[], Sql]] = {
            "typename": lambda: literal_column("'Viewer'"),
            "roles": lambda: func.to_json(bindparam("viewer_roles", type_=ARRAY(Text))),
            "token_expires_at": lambda: bindparam("viewer_token_expires_at", type_=DateTime(timezone=True)),
            "policy_version": lambda: bindparam("viewer_policy_version", type_=Integer()),
        }
        members: list[tuple[str, Sql]] = []
        for key, what in viewer.items:
            if isinstance(what, p.Node):
                person = bindparam("viewer_person_id", type_=Uuid())
                members.append((key, self._lookup(what, lambda row: row["id"] == person)))
            else:
                members.append((key, values[what]()))
        return select(JsonRow(members)).scalar_subquery()


_INDEXED = frozenset(
    {"grid_code", "community_code", "town_code", "team_id", "squad_id", "centre_id", "source_organization_id"}
)


def _scope(row: Row) -> tuple[FromClause, ...]:
    """What a sub-select below a row may refer to."""
    return (row.at,) if row.dispute is None or row.dispute is row.at else (row.at, row.dispute)


def _key_type(source: Source, name: str) -> Any:
    return source.table.c[name].type


def _json_list(value: Sql, *order: Sql) -> Select[Any]:
    return select(func.coalesce(func.json_agg(aggregate_order_by(value, *order)), literal_column("'[]'::json")))


def _direction(column: Sql, key: p.Order, backward: bool) -> Sql:
    """An order key in the direction of the walk; nulls come last forwards, first backwards. Non-null keys need no rule, so that
    the index on them serves as it is."""
    descending = key.descending != backward
    ordered = column.desc() if descending else column.asc()
    if not getattr(column, "nullable", True):
        return ordered
    return ordered.nulls_first() if backward else ordered.nulls_last()


def _beyond(walked: Keys, keys: tuple[p.Order, ...], binds: Sequence[Sql], backward: bool) -> Sql:
    """Rows after (or before) a cursor under the order, nulls last."""
    columns = [walked(key.field) for key in keys]
    if all(not getattr(column, "nullable", True) for column in columns) and len({key.descending for key in keys}) == 1:
        left, right = tuple_(*columns), tuple_(*binds)
        return left < right if keys[0].descending != backward else left > right
    result: Sql = false()
    for column, bind, key in reversed(list(zip(columns, binds, keys, strict=True))):
        if not getattr(column, "nullable", True):
            further = column < bind if key.descending != backward else column > bind
            same = column == bind
        elif backward:
            further = or_(column > bind if key.descending else column < bind, and_(bind.is_(None), column.is_not(None)))
            same = or_(column == bind, and_(bind.is_(None), column.is_(None)))
        else:
            further = or_(column < bind if key.descending else column > bind, and_(bind.is_not(None), column.is_(None)))
            same = or_(column == bind, and_(bind.is_(None), column.is_(None)))
        result = or_(further, and_(same, result))
    return result


def _day_start(day: Sql) -> Sql:
    return func.timezone(_COUNTY_TIME, cast(day, DateTime()))
