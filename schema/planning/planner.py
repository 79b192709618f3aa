"""Selection + access -> Plan: which rows, fields, pages and conditions an operation asks for, and where its values come from.

Pure. Refuses a filter, an order or a metric over what the caller does not read in clear on every row that they see.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLSchema

from db.query import plan as p
from db.query.keyset import MAX_PAGE
from policies.grant import Access
from schema.node import NODE_TYPES
from schema.page import MAX_NODES
from schema.planning import coercion
from schema.planning.arguments import Argument, Call, Constraint, Extract, arguments_of
from schema.planning.context import PlanningContext, converted, refusing
from schema.planning.cost import cost_of
from schema.planning.nodes import plan_interface_node, plan_node, plan_page
from schema.planning.operation import Operation
from schema.planning.question import MAX_QUESTIONS, QUESTIONS, Question, plan_question
from schema.planning.readability import Readability
from schema.planning.selection import member_name
from schema.planning.statistics import plan_statistics
from schema.refusal import Code, Refusal, TooCostly

# What graphql-core answers from the schema itself.
_INTROSPECTION = {"__schema": "__Schema", "__type": "__Type"}


@dataclass
class Planned:
    """A plan with how to get its values, and the constraints under which it holds."""

    plan: p.Plan
    extracts: dict[str, Extract]
    sizes: dict[str, Extract]
    constraints: list[Constraint] = field(default_factory=list)
    # What Python answers, and the response keys of all that is selected, in their order.
    questions: tuple[Question, ...] = ()
    order: tuple[str, ...] = ()
    visited: int = 0  # selections
    _costs: dict[tuple[int, ...], int] = field(default_factory=dict)

    def cost(self, call: Call) -> int:
        """Rows that the operation may touch, at most: pages at their size, plain lists at LIST_ROWS."""
        sizes = {name: extract(call) for name, extract in self.sizes.items()}
        key = tuple(sizes.values())
        cost = self._costs.get(key)
        if cost is None:
            cost = sum(cost_of(item, sizes) for item in self.plan.items)
            cost += sum(QUESTIONS[question.name].cost for question in self.questions)
            if len(self._costs) < MAX_PAGE:  # a client that tries every size gains nothing
                self._costs[key] = cost
        return cost


def plan_operation(schema: GraphQLSchema, operation: Operation, access: Access, call: Call, *, typed: bool) -> Planned:
    """The plan of a query's data fields (introspection is left to graphql-core). `typed`: interface rows carry their type name
    under `-type`, for graphql-core. Raises Refusal."""
    context = PlanningContext(schema, operation, access, call, typed=typed)
    root = schema.query_type
    assert root is not None
    items: list[p.Root] = []
    nullable: list[str] = []
    questions: list[Question] = []
    fields = context.fields.collect([operation.definition.selection_set], root.name)
    for key, nodes in fields.items():
        name = nodes[0].name.value
        if name == "__typename":
            items.append(p.Typename(key, root.name))
        elif name in QUESTIONS:
            questions.append(plan_question(context, key, nodes, root.fields[name]))
        elif name in _INTROSPECTION:
            context.fields.introspection(nodes, _INTROSPECTION[name])
        else:
            items.append(_root(context, key, nodes, root.fields[name]))
            if name in ("node", "dispute"):
                nullable.append(key)
    if len(questions) > MAX_QUESTIONS:
        raise TooCostly(f"一次至多 {MAX_QUESTIONS} 个关于策略的问题，请分几次问。", len(questions), MAX_QUESTIONS)
    return Planned(
        p.Plan(tuple(items), tuple(nullable)),
        context.extracts,
        context.sizes,
        context.constraints.recorded,
        tuple(questions),
        tuple(key for key, nodes in fields.items() if nodes[0].name.value not in _INTROSPECTION),
        context.fields.visited,
    )


def _root(context: PlanningContext, key: str, nodes: list[FieldNode], definition: GraphQLField) -> p.Root:
    arguments = arguments_of(nodes[0], definition)
    match nodes[0].name.value:
        case "viewer":
            return _viewer(context, key, nodes)
        case "node":
            return _lookup(context, key, nodes, arguments["id"], None)
        case "nodes":
            return _batch(context, key, nodes, arguments["ids"])
        case "dispute":
            return _dispute(context, key, nodes, arguments)
        case "statistics":
            return plan_statistics(context, key, nodes, arguments)
    return plan_page(context, key, nodes, definition, None)


def _viewer(context: PlanningContext, key: str, nodes: list[FieldNode]) -> p.Viewer:
    items: list[tuple[str, str | p.Node]] = []
    for name, below in context.fields.subfields(nodes, "Viewer").items():
        if below[0].name.value == "person":
            items.append((name, plan_node(context, "Person", below)))
        else:
            items.append((name, member_name(below[0])))
    return p.Viewer(key, tuple(items))


def _lookup(
    context: PlanningContext, key: str, nodes: list[FieldNode], global_id: Argument, expected: str | None
) -> p.Lookup:
    """One object by its global id, of the type `expected` or (None) of the interface."""
    resource = context.constraints.evaluate(global_id, coercion.type_of_id)
    if resource not in NODE_TYPES or (expected is not None and resource != expected):
        raise Refusal(Code.BAD_USER_INPUT, coercion.bad_id(expected), (key,))
    bind = context.bind("id")
    context.extracts[bind] = converted(global_id, lambda value: coercion.key_of(value, resource), "id", (key,))
    plan = plan_interface_node if expected is None else plan_node
    return p.Lookup(key, "id", bind, plan(context, resource, nodes))


def _dispute(context: PlanningContext, key: str, nodes: list[FieldNode], arguments: dict[str, Argument]) -> p.Lookup:
    by_id = context.constraints.is_present(arguments["id"])
    by_number = context.constraints.is_present(arguments["caseNumber"])
    if by_id == by_number:
        raise Refusal(Code.BAD_USER_INPUT, "id 与 caseNumber 须且只须写一个。", (key,))
    if by_id:
        return _lookup(context, key, nodes, arguments["id"], "Dispute")
    readability = Readability(context.access)
    if not readability.reads("Dispute", "case_number") and readability.sees("Dispute"):
        raise Refusal(Code.FIELD_NOT_READABLE, "不能按卷号查询：您无权阅读卷号，请改用 id。", (key,))
    bind = context.bind("case_number")
    context.extracts[bind] = converted(
        arguments["caseNumber"], coercion.canonical("Dispute", "case_number"), "caseNumber", (key,)
    )
    return p.Lookup(key, "case_number", bind, plan_node(context, "Dispute", nodes))


def _batch(context: PlanningContext, key: str, nodes: list[FieldNode], global_ids: Argument) -> p.Batch:
    resources = context.constraints.evaluate(global_ids, coercion.types_of_ids)
    if resources is None or any(resource not in NODE_TYPES for resource in resources):
        raise Refusal(Code.BAD_USER_INPUT, coercion.bad_id(None), (key,))
    bind = context.bind("ids")

    def ids(call: Call) -> list[Any]:
        values = global_ids.read(call)
        if len(values) > MAX_NODES:
            raise Refusal(Code.BAD_USER_INPUT, f"一次至多取 {MAX_NODES} 个对象。", (key,))
        return [coercion.key_of(value, None) for value in values]

    extract = refusing(ids, "ids", (key,))
    context.extracts[f"{bind}_ids"] = extract
    context.sizes[bind] = lambda call: len(extract(call))
    context.extracts[f"{bind}_types"] = lambda call: [coercion.type_of_id(value) for value in global_ids.read(call)]
    return p.Batch(key, bind, tuple(plan_interface_node(context, resource, nodes) for resource in resources))
