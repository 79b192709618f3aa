"""Selection + access -> Plan: which rows, fields, pages and conditions an operation asks for, and where its values come from.

Pure. Refuses a filter, an order or a figure over what the caller does not read in clear on every row that he sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from db.query import plan as p
from db.query.access_paths import AccessPaths
from db.query.keyset import MAX_PAGE
from db.query.statistics.metrics import FIGURES, GROUPS
from db.query.statistics.period import OF_FIRST, OF_LAST, bounds
from db.query.visibility import Visibility
from db.resources.catalog import RESOURCES
from policies.grant import Access
from policies.predicate import Never
from schema.names import snake
from schema.node import NODE_TYPES
from schema.page import DEFAULT_PAGE, MAX_NODES
from schema.planning import coercion
from schema.planning.arguments import Looks, Source, source_of
from schema.planning.cost import COUNT_ROWS, cost_of
from schema.planning.operation import Operation
from schema.planning.question import ASKED, Question
from schema.planning.question import MOST as MOST_QUESTIONS
from schema.planning.selection import picks_of
from schema.refusal import Code, Refusal

# What graphql-core answers from the schema itself.
_INTROSPECTION = ("__schema", "__type")

# A value of a statement: the bind's name and how to get it from the coerced variables of a call. May raise Refusal.
Extract = Callable[[Any], Any]


@dataclass
class Planned:
    """A plan with the ways to its values, and the looks under which it holds."""

    plan: p.Plan
    extracts: dict[str, Extract]
    sizes: dict[str, Extract]
    looks: list[tuple[Callable[[Any], Any], Any]] = field(default_factory=list)
    # What Python answers, and the response keys of all that is asked, in their order.
    questions: tuple[Question, ...] = ()
    order: tuple[str, ...] = ()
    _costs: dict[tuple[int, ...], int] = field(default_factory=dict)

    def cost(self, variables: Any) -> int:
        """Rows that the operation may touch, at most: pages at their size, plain lists at LIST_ROWS."""
        sizes = {name: extract(variables) for name, extract in self.sizes.items()}
        key = tuple(sizes.values())
        known = self._costs.get(key)
        if known is None:
            known = sum(cost_of(item, sizes) for item in self.plan.items)
            known += sum(ASKED[one.name].cost for one in self.questions)
            if len(self._costs) < MAX_PAGE:  # a client that tries every size gains nothing
                self._costs[key] = known
        return known


def plan_operation(
    schema: GraphQLSchema, operation: Operation, access: Access, variables: Any, *, typed: bool
) -> Planned:
    """The plan of a query's data fields (introspection is left to graphql-core). `typed`: interface rows carry their type name
    under `-type`, for graphql-core. Raises Refusal."""
    return Planner(schema, operation, access, variables, typed).planned()


class Planner:
    def __init__(
        self, schema: GraphQLSchema, operation: Operation, access: Access, variables: Any, typed: bool
    ) -> None:
        self.schema, self.operation, self.access, self.typed = schema, operation, access, typed
        self.looks = Looks(variables)
        self.extracts: dict[str, Extract] = {}
        self.sizes: dict[str, Extract] = {}
        self.fragments = {
            one.name.value: one for one in operation.document.ast.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self.serial = 0

    def planned(self) -> Planned:
        root = self.schema.query_type
        assert root is not None
        items: list[p.Root] = []
        nullable: list[str] = []
        questions: list[Question] = []
        found = self.collect([self.operation.definition.selection_set], root.name)
        for key, nodes in found.items():
            name = nodes[0].name.value
            if name == "__typename":
                items.append(p.Typename(key, root.name))
            elif name in ASKED:
                questions.append(self.question(key, nodes, root.fields[name]))
            elif not name.startswith("__"):
                items.append(self.root(key, nodes, root.fields[name]))
                if name in ("node", "dispute"):
                    nullable.append(key)
        if len(questions) > MOST_QUESTIONS:
            raise Refusal(Code.TOO_COSTLY, f"一次至多 {MOST_QUESTIONS} 个关于策略的问题，请分几次问。")
        return Planned(
            p.Plan(tuple(items), tuple(nullable)),
            self.extracts,
            self.sizes,
            self.looks.taken,
            tuple(questions),
            tuple(key for key, nodes in found.items() if nodes[0].name.value not in _INTROSPECTION),
        )

    def question(self, key: str, nodes: list[FieldNode], definition: GraphQLField) -> Question:
        arguments = {snake_name(name): one for name, one in self.arguments(nodes[0], definition).items()}
        kind = get_named_type(definition.type).name
        return Question(key, nodes[0].name.value, arguments, picks_of(self, nodes, kind))

    # -- selections

    def collect(self, sets: Iterable[SelectionSetNode], type_name: str) -> dict[str, list[FieldNode]]:
        """The fields selected on a type by response key, fragments merged (GraphQL spec, CollectFields)."""
        found: dict[str, list[FieldNode]] = {}
        self._collect(sets, type_name, found, set())
        return found

    def _collect(
        self, sets: Iterable[SelectionSetNode], type_name: str, found: dict[str, list[FieldNode]], visited: set[str]
    ) -> None:
        for selections in sets:
            for node in selections.selections:
                if not self.included(node):
                    continue
                if isinstance(node, FieldNode):
                    found.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
                    continue
                fragment: InlineFragmentNode | FragmentDefinitionNode
                if isinstance(node, FragmentSpreadNode):
                    name = node.name.value
                    if name in visited:
                        continue
                    visited.add(name)
                    fragment = self.fragments[name]
                else:
                    assert isinstance(node, InlineFragmentNode)
                    fragment = node
                condition = fragment.type_condition
                if condition is None or condition.name.value in (type_name, "Node"):
                    self._collect([fragment.selection_set], type_name, found, visited)

    def included(self, node: Any) -> bool:
        for directive in node.directives or ():
            name = directive.name.value
            if name in ("skip", "include"):
                definition = next(one for one in self.schema.directives if one.name == name)
                value = source_of(directive.arguments[0].value, definition.args["if"].type)
                if self.looks.at(value, bool) is (name == "skip"):
                    return False
        return True

    def below(self, nodes: list[FieldNode], type_name: str) -> dict[str, list[FieldNode]]:
        return self.collect([node.selection_set for node in nodes if node.selection_set], type_name)

    # -- nodes

    def node(self, resource: str, nodes: list[FieldNode]) -> p.Node:
        kind = self.schema.type_map[resource]
        assert isinstance(kind, GraphQLObjectType)
        items = [self.item(resource, key, found, kind) for key, found in self.below(nodes, resource).items()]
        return p.Node(resource, tuple(items))

    def item(self, resource: str, key: str, nodes: list[FieldNode], kind: GraphQLObjectType) -> p.Item:
        name = nodes[0].name.value
        if name == "__typename":
            return p.Typename(key, resource)
        if name == "id":
            return p.Identifier(key)
        if name == "access":
            return self.access_info(resource, key, nodes, kind)
        definition = kind.fields[name]
        target = get_named_type(definition.type).name
        if target == "Clock":
            return p.Clocks(key, self.plain(nodes, target))
        if target == "TimelineEntry":
            return self.timeline(key, nodes)
        if target.endswith("Connection"):
            return self.page(key, nodes, definition, snake_name(name))
        if target in NODE_TYPES:
            below = self.node(target, nodes)
            if is_list_type(get_nullable_type(definition.type)):
                return p.Many(key, snake_name(name), below)
            return p.One(key, snake_name(name), below)
        return p.Value(key, snake_name(name))

    def plain(self, nodes: list[FieldNode], type_name: str) -> tuple[tuple[str, str], ...]:
        """The members selected of an object that is no row."""
        return tuple(
            (key, "typename" if found[0].name.value == "__typename" else snake_name(found[0].name.value))
            for key, found in self.below(nodes, type_name).items()
        )

    def timeline(self, key: str, nodes: list[FieldNode]) -> p.Timeline:
        items: list[tuple[str, str | p.Node | p.Changes]] = []
        for name, found in self.below(nodes, "TimelineEntry").items():
            match found[0].name.value:
                case "__typename":
                    items.append((name, "typename"))
                case "actor":
                    items.append((name, self.node("Person", found)))
                case "changes":
                    items.append((name, p.Changes(self.plain(found, "TimelineChange"))))
                case asked:
                    items.append((name, snake_name(asked)))
        return p.Timeline(key, tuple(items))

    def access_info(self, resource: str, key: str, nodes: list[FieldNode], kind: GraphQLObjectType) -> p.AccessInfo:
        items = tuple(
            (one, "typename" if found[0].name.value == "__typename" else found[0].name.value)
            for one, found in self.below(nodes, "Access").items()
        )
        catalog = RESOURCES[resource]
        names = [name for name in kind.fields if name not in ("id", "access")]
        fields = tuple((snake_name(name), name) for name in names if snake_name(name) in catalog.fields)
        relations = tuple((snake_name(name), name) for name in names if snake_name(name) in catalog.relations)
        return p.AccessInfo(key, items, fields, relations)

    # -- pages

    def page(self, key: str, nodes: list[FieldNode], definition: GraphQLField, relation: str | None) -> p.Page:
        connection = get_named_type(definition.type)
        assert isinstance(connection, GraphQLObjectType)
        resource = connection.name.removesuffix("Connection")
        arguments = self.arguments(nodes[0], definition)
        path = (key,)
        conditions = self.conditions(resource, arguments["filter"], path)
        order = self.order(resource, arguments["orderBy"], path)
        part = self.slice(resource, arguments, order, path)
        items: list[Any] = []
        for name, found in self.below(nodes, connection.name).items():
            match found[0].name.value:
                case "__typename":
                    items.append(p.Typename(name, connection.name))
                case "totalCount":
                    exact = self.looks.at(self.arguments(found[0], connection.fields["totalCount"])["exact"], bool)
                    wide = relation is None and AccessPaths(Visibility(self.access)).unbounded(RESOURCES[resource])
                    items.append(p.TotalCount(name, exact, wide))
                case "totalCountCapped":
                    items.append(p.TotalCapped(name))
                case "nodes":
                    items.append(p.Nodes(name, self.node(resource, found)))
                case "edges":
                    items.append(p.Edges(name, self.edges(resource, found)))
                case "pageInfo":
                    items.append(
                        p.PageInfo(
                            name,
                            tuple(
                                (
                                    one,
                                    "typename"
                                    if each[0].name.value == "__typename"
                                    else snake_name(each[0].name.value),
                                )
                                for one, each in self.below(found, "PageInfo").items()
                            ),
                        )
                    )
        return p.Page(key, resource, relation, conditions, order, part, tuple(items))

    def edges(self, resource: str, nodes: list[FieldNode]) -> tuple[tuple[str, str | p.Node], ...]:
        items: list[tuple[str, str | p.Node]] = []
        for key, found in self.below(nodes, f"{resource}Edge").items():
            name = found[0].name.value
            items.append(
                (key, self.node(resource, found) if name == "node" else "typename" if name == "__typename" else name)
            )
        return tuple(items)

    def arguments(self, node: FieldNode, definition: GraphQLField) -> dict[str, Source]:
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        return {name: source_of(given.get(name), argument.type) for name, argument in definition.args.items()}

    def conditions(self, resource: str, given: Source, path: tuple[str, ...]) -> tuple[p.Condition, ...]:
        found: list[p.Condition] = []
        if not self.looks.given(given):
            return ()
        for name, (field_name, operator) in coercion.conditions(self.schema, given.type).items():
            value = given.child(name)
            if not self.looks.given(value):
                continue
            fields = self.filterable(resource, field_name, operator, name, path)
            facet = coercion.STRUCTURAL.get(operator)
            suffix = f"_{self.looks.at(value, facet)}" if facet else ""
            bind = self.bind(f"{name}{suffix}")
            if operator not in ("flag", "present"):
                convert = coercion.CONVERT.get(operator, coercion.plain)
                self.extracts[bind] = _converted(value, convert, name, path)
            found.append(p.Condition(fields, operator, bind))
        return tuple(found)

    def filterable(
        self, resource: str, name: str, operator: str, shown_as: str, path: tuple[str, ...]
    ) -> tuple[str, ...]:
        """SECURITY: the fields that a condition may look into. Refuses unless the caller reads them on every row he sees."""
        if operator == "text":
            readable = tuple(one for one in ("title", "summary") if self.reads(resource, one))
            if readable:
                return readable
        elif operator == "party":
            # A party's field tells about the dispute, so all parties of every visible dispute must show it.
            field_name = name.partition(".")[2]
            if self.reads("Party", field_name) and self.accompanies(resource, "Party"):
                return (name,)
        elif operator == "area":
            # Where a row lies is as public as the row.
            if self.access.grant(resource).rows != Never():
                return (name,)
        elif operator == "mediator":
            if self.accompanies(resource, "Assignment"):
                return (name,)
        elif operator == "is":
            # What a hidden relation points to is hidden from a filter too.
            target = RESOURCES[resource].relations[name].target
            if Never() not in (self.access.grant(resource).rows, self.access.grant(target).rows):
                return (name,)
        elif self.reads(resource, name):
            return (name,)
        raise Refusal(
            Code.FIELD_NOT_READABLE, f"不能按 {shown_as} 筛选：您无权在全部可见的行上阅读该字段，请去掉这个条件。", path
        )

    def reads(self, resource: str, name: str) -> bool:
        grant, known = self.access.grant(resource), RESOURCES[resource].fields
        return name in known and grant.rows != Never() and grant.reads(known[name].policy)

    def accompanies(self, resource: str, part: str) -> bool:
        """Whether every part of every visible row is visible too. Parts of a dispute have its attributes, so grants compare."""
        return Visibility(self.access).accompanies(resource, part)

    def order(self, resource: str, given: Source, path: tuple[str, ...]) -> tuple[p.Order, ...]:
        wanted = self.looks.at(given, coercion.order_keys)
        if not wanted:
            default = tuple(p.Order(*key) for key in RESOURCES[resource].order)
            return default if all(self.reads(resource, key.field) for key in default) else ()
        for name, _ in wanted:
            if not self.reads(resource, name):
                message = f"不能按 {name.upper()} 排序：您无权在全部可见的行上阅读该字段，请换一个排序字段。"
                raise Refusal(Code.FIELD_NOT_READABLE, message, path)
        return tuple(p.Order(name, descending) for name, descending in wanted)

    def slice(
        self, resource: str, arguments: dict[str, Source], order: tuple[p.Order, ...], path: tuple[str, ...]
    ) -> p.Slice:
        first, last = arguments["first"], arguments["last"]
        backward = self.looks.given(last)
        if backward and self.looks.given(first):
            raise Refusal(Code.BAD_USER_INPUT, "first 与 last 只能写一个。", path)
        size = self.bind("size")

        def count(variables: Any) -> int:
            value = (last if backward else first).read(variables)
            value = DEFAULT_PAGE if value is None else value
            if not 1 <= value <= MAX_PAGE:
                raise Refusal(
                    Code.BAD_USER_INPUT, f"{'last' if backward else 'first'} 应在 1 至 {MAX_PAGE} 之间。", path
                )
            return int(value)

        self.extracts[size] = self.sizes[size] = count
        keys = [RESOURCES[resource].table.c[key.field].type for key in order] + [RESOURCES[resource].table.c.id.type]
        flags = {}
        for name in ("after", "before"):
            flags[name] = self.looks.given(arguments[name])
            if flags[name]:
                for index in range(len(keys)):
                    self.extracts[f"{size}_{name}_{index}"] = coercion.cursor_value(arguments[name], keys, index, path)
        return p.Slice(size, backward, flags["after"], flags["before"])

    def bind(self, name: str) -> str:
        self.serial += 1
        return f"v{self.serial}_{name}"

    # -- roots

    def root(self, key: str, nodes: list[FieldNode], definition: GraphQLField) -> p.Root:
        arguments = self.arguments(nodes[0], definition)
        match nodes[0].name.value:
            case "viewer":
                return self.viewer(key, nodes)
            case "node":
                return self.lookup(key, nodes, arguments["id"], None)
            case "nodes":
                return self.batch(key, nodes, arguments["ids"])
            case "dispute":
                return self.dispute(key, nodes, arguments)
            case "statistics":
                return self.statistics(key, nodes, arguments)
        return self.page(key, nodes, definition, None)

    def lookup(self, key: str, nodes: list[FieldNode], given: Source, expected: str | None) -> p.Lookup:
        resource = self.looks.at(given, coercion.type_of_id)
        if resource not in NODE_TYPES or (expected is not None and resource != expected):
            form = f"{expected or 'Dispute'}:0190a6c2-…"
            raise Refusal(Code.BAD_USER_INPUT, f"标识的写法不对，应形如 {form}。", (key,))
        bind = self.bind("id")
        self.extracts[bind] = _converted(given, coercion.uuid_of, "id", (key,))
        return p.Lookup(
            key, "id", bind, self.under_interface(resource, nodes) if expected is None else self.node(resource, nodes)
        )

    def under_interface(self, resource: str, nodes: list[FieldNode]) -> p.Node:
        node = self.node(resource, nodes)
        return p.Node(resource, (*node.items, p.Typename("-type", resource))) if self.typed else node

    def dispute(self, key: str, nodes: list[FieldNode], arguments: dict[str, Source]) -> p.Lookup:
        by_id, by_number = self.looks.given(arguments["id"]), self.looks.given(arguments["caseNumber"])
        if by_id == by_number:
            raise Refusal(Code.BAD_USER_INPUT, "id 与 caseNumber 须且只须写一个。", (key,))
        if by_id:
            return self.lookup(key, nodes, arguments["id"], "Dispute")
        if not self.reads("Dispute", "case_number") and self.access.grant("Dispute").rows != Never():
            raise Refusal(Code.FIELD_NOT_READABLE, "不能按案号查询：您无权阅读案号，请改用 id。", (key,))
        bind = self.bind("case_number")
        self.extracts[bind] = _converted(arguments["caseNumber"], coercion.text, "caseNumber", (key,))
        return p.Lookup(key, "case_number", bind, self.node("Dispute", nodes))

    def batch(self, key: str, nodes: list[FieldNode], given: Source) -> p.Batch:
        kinds = self.looks.at(given, coercion.types_of_ids)
        if kinds is None or any(kind not in NODE_TYPES for kind in kinds):
            raise Refusal(Code.BAD_USER_INPUT, "标识的写法不对，应形如 Dispute:0190a6c2-…。", (key,))
        bind = self.bind("ids")

        def ids(variables: Any) -> list[Any]:
            values = given.read(variables)
            if len(values) > MAX_NODES:
                raise Refusal(Code.BAD_USER_INPUT, f"一次至多取 {MAX_NODES} 个对象。", (key,))
            return [coercion.uuid_of(value) for value in values]

        self.extracts[f"{bind}_ids"] = self.sized(bind, _guarded(ids, "ids", (key,)))
        self.extracts[f"{bind}_types"] = lambda variables: [
            coercion.type_of_id(value) for value in given.read(variables)
        ]
        return p.Batch(key, bind, tuple(self.under_interface(kind, nodes) for kind in kinds))

    def sized(self, bind: str, extract: Extract) -> Extract:
        self.sizes[bind] = lambda variables: len(extract(variables))
        return extract

    def viewer(self, key: str, nodes: list[FieldNode]) -> p.Viewer:
        items: list[tuple[str, str | p.Node]] = []
        for name, found in self.below(nodes, "Viewer").items():
            asked = found[0].name.value
            items.append(
                (
                    name,
                    self.node("Person", found)
                    if asked == "person"
                    else "typename"
                    if asked == "__typename"
                    else snake_name(asked),
                )
            )
        return p.Viewer(key, tuple(items))

    def statistics(self, key: str, nodes: list[FieldNode], arguments: dict[str, Source]) -> p.Statistics:
        bind = self.bind("period")
        period = arguments["period"]
        first, last = period.child("from"), period.child("to")
        since = self.looks.given(period) and self.looks.given(first)
        until = self.looks.given(period) and self.looks.given(last)
        for name in (OF_FIRST if since else ()) + (OF_LAST if until else ()):
            self.extracts[f"{bind}_{name}"] = lambda variables, name=name: bounds(  # type: ignore[misc]
                first.read(variables) if since else None, last.read(variables) if until else None
            )[name]
        group_by = self.looks.at(arguments["groupBy"], coercion.code)
        items: list[tuple[str, str | p.Figures]] = []
        for name, found in self.below(nodes, "Statistics").items():
            asked = found[0].name.value
            if asked == "groups":
                figures = [
                    (one, self.figure(each[0].name.value, key))
                    for one, each in self.below(found, "StatisticsGroup").items()
                ]
                items.append((name, p.Figures(tuple(figures))))
            else:
                items.append((name, self.figure(asked, key)))
        if (
            group_by is not None
            and GROUPS[group_by][1] in RESOURCES["Dispute"].fields
            and not self.reads(*GROUPS[group_by])
        ):
            raise Refusal(Code.FIELD_NOT_READABLE, f"不能按 {group_by} 分组：您无权阅读该字段。", (key,))
        self.sizes[bind] = lambda _: COUNT_ROWS * (1 + sum(isinstance(what, p.Figures) for _, what in items))
        return p.Statistics(key, bind, since, until, group_by, tuple(items))

    def figure(self, asked: str, key: str) -> str:
        """SECURITY: a figure is given only to those who read all that it is computed from."""
        name = "typename" if asked == "__typename" else snake_name(asked)
        if name in FIGURES:
            for resource, needed in FIGURES[name].needs:
                if not self.reads(resource, needed) or not self.accompanies("Dispute", resource):
                    raise Refusal(
                        Code.FIELD_NOT_READABLE, f"不能统计 {asked}：您无权阅读它所依据的内容，请去掉这一项。", (key,)
                    )
        return name


def snake_name(name: str) -> str:
    """`caseNumber` is the catalog's `case_number`."""
    return snake(name)


def _converted(argument: Source, convert: Callable[[Any], Any], name: str, path: tuple[str, ...]) -> Extract:
    return _guarded(lambda variables: convert(argument.read(variables)), name, path)


def _guarded(extract: Extract, name: str, path: tuple[str, ...]) -> Extract:
    def guarded(variables: Any) -> Any:
        try:
            return extract(variables)
        except coercion.BadValue as bad:
            raise Refusal(Code.BAD_USER_INPUT, f"{name}：{bad}", path) from None

    return guarded
