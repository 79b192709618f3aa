"""Rows of the catalog: a node with its fields, its relations, and the pages below it."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from db.commands import COMMANDS
from db.query import plan as p
from db.query.indexes import is_unbounded
from db.resources.catalog import RESOURCES
from policies.words import action_words
from schema.node import NODE_TYPES
from schema.planning.arguments import arguments_of
from schema.planning.conditions import plan_conditions, plan_order, plan_slice
from schema.planning.context import PlanningContext
from schema.planning.cursors import ListQuestion
from schema.planning.selection import member_name, plan_name

# Names, each with another one that belongs to it.
Names = tuple[tuple[str, str], ...]


def plan_node(context: PlanningContext, resource: str, nodes: list[FieldNode]) -> p.Node:
    """A row with what is selected of it. Raises Refusal."""
    object_type = context.schema.type_map[resource]
    assert isinstance(object_type, GraphQLObjectType)
    fields = context.fields.subfields(nodes, resource)
    return p.Node(resource, tuple(_item(context, resource, key, below, object_type) for key, below in fields.items()))


def plan_interface_node(context: PlanningContext, resource: str, nodes: list[FieldNode]) -> p.Node:
    """A row that is selected as a `Node`, with its type name where graphql-core is to complete it."""
    node = plan_node(context, resource, nodes)
    return p.Node(resource, (*node.items, p.Typename("-type", resource))) if context.typed else node


def _item(
    context: PlanningContext, resource: str, key: str, nodes: list[FieldNode], object_type: GraphQLObjectType
) -> p.Item:
    name = nodes[0].name.value
    if name == "__typename":
        return p.Typename(key, resource)
    if name == "id":
        return p.Identifier(key)
    if name == "access":
        return _access_info(context, resource, key, nodes, object_type)
    definition = object_type.fields[name]
    target = get_named_type(definition.type).name
    if target == "Clock":
        return p.Clocks(key, context.fields.members(nodes, target))
    if target == "TimelineEntry":
        return _timeline(context, key, nodes)
    if target.endswith("Connection"):
        return plan_page(context, key, nodes, definition, resource)
    if target in NODE_TYPES:
        node = plan_node(context, target, nodes)
        if is_list_type(get_nullable_type(definition.type)):
            return p.Many(key, plan_name(name), node)
        return p.One(key, plan_name(name), node)
    return p.Value(key, plan_name(name))


def _timeline(context: PlanningContext, key: str, nodes: list[FieldNode]) -> p.Timeline:
    """`timeline` of a dispute; if `label` is selected, with the labels of all commands for its events."""
    items: list[tuple[str, str | p.Node | p.Changes]] = []
    for name, below in context.fields.subfields(nodes, "TimelineEntry").items():
        match below[0].name.value:
            case "actor":
                items.append((name, plan_node(context, "Person", below)))
            case "changes":
                items.append((name, p.Changes(context.fields.members(below, "TimelineChange"))))
            case _:
                items.append((name, member_name(below[0])))
    labelled = any(item == "label" for _, item in items)
    return p.Timeline(key, tuple(items), _labels() if labelled else ())


@cache
def _labels() -> Names:
    """The commands with their labels, sorted."""
    words = {name: action_words(command.resource, command.action) for name, command in COMMANDS.items()}
    return tuple(sorted(words.items()))


def _access_info(
    context: PlanningContext, resource: str, key: str, nodes: list[FieldNode], object_type: GraphQLObjectType
) -> p.AccessInfo:
    fields, relations = _listable(resource, object_type)
    return p.AccessInfo(key, context.fields.members(nodes, "Access"), fields, relations)


@lru_cache(maxsize=100)
def _listable(resource: str, object_type: GraphQLObjectType) -> tuple[Names, Names]:
    """The fields and the relations of a type that `access` may list, each with its name in the schema."""
    catalog = RESOURCES[resource]
    names = [(plan_name(name), name) for name in object_type.fields if name not in ("id", "access")]
    fields = tuple((name, shown) for name, shown in names if name in catalog.fields)
    return fields, tuple((name, shown) for name, shown in names if name in catalog.relations)


def plan_page(
    context: PlanningContext, key: str, nodes: list[FieldNode], definition: GraphQLField, parent: str | None
) -> p.Page:
    """A connection, below a row of the resource `parent` or (None) at the root. Raises Refusal."""
    connection = get_named_type(definition.type)
    assert isinstance(connection, GraphQLObjectType)
    resource = connection.name.removesuffix("Connection")
    arguments = arguments_of(nodes[0], definition)
    path = (key,)
    conditions = plan_conditions(context, resource, arguments["filter"], path)
    order = plan_order(context, resource, arguments["orderBy"], path)
    field = nodes[0].name.value
    relation = None if parent is None else plan_name(field)
    question = ListQuestion.of(context, (parent, field), conditions, order)
    part = plan_slice(context, resource, arguments, order, question, path)
    items: list[Any] = []
    for name, below in context.fields.subfields(nodes, connection.name).items():
        match below[0].name.value:
            case "__typename":
                items.append(p.Typename(name, connection.name))
            case "totalCount":
                argument = arguments_of(below[0], connection.fields["totalCount"])["exact"]
                exact = context.constraints.evaluate(argument, bool)
                unbounded = relation is None and is_unbounded(RESOURCES[resource], context.access.grant(resource).rows)
                items.append(p.TotalCount(name, exact, unbounded))
            case "totalCountCapped":
                items.append(p.TotalCapped(name))
            case "nodes":
                items.append(p.Nodes(name, plan_node(context, resource, below)))
            case "edges":
                items.append(p.Edges(name, _edges(context, resource, below)))
            case "pageInfo":
                items.append(p.PageInfo(name, context.fields.members(below, "PageInfo")))
    if any(_gives_cursors(item) for item in items):
        context.extracts[f"{part.size}_mark"] = question.mark
    return p.Page(key, resource, relation, conditions, order, part, tuple(items))


def _gives_cursors(item: Any) -> bool:
    """Whether a member of a page shows cursors."""
    match item:
        case p.Edges(items=items):
            return any(name == "cursor" for _, name in items)
        case p.PageInfo(items=items):
            return any(name.endswith("cursor") for _, name in items)
    return False


def _edges(context: PlanningContext, resource: str, nodes: list[FieldNode]) -> tuple[tuple[str, str | p.Node], ...]:
    items: list[tuple[str, str | p.Node]] = []
    for key, below in context.fields.subfields(nodes, f"{resource}Edge").items():
        if below[0].name.value == "node":
            items.append((key, plan_node(context, resource, below)))
        else:
            items.append((key, member_name(below[0])))
    return tuple(items)
