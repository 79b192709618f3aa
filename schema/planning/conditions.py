"""Filters, orders and slices of a page: which conditions hold, by what the rows are ordered, and which part is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from db.query import plan as p
from db.query.keyset import MAX_PAGE
from db.resources.catalog import RESOURCES
from schema.page import DEFAULT_PAGE
from schema.planning import coercion
from schema.planning.arguments import Argument, Call
from schema.planning.context import PlanningContext, converted
from schema.planning.cursors import ListQuestion
from schema.planning.readability import Readability
from schema.refusal import Code, Refusal


def plan_conditions(
    context: PlanningContext, resource: str, filters: Argument, path: tuple[str, ...]
) -> tuple[p.Condition, ...]:
    """The conditions of a filter, in the order in which its type declares them. Raises Refusal FIELD_NOT_READABLE."""
    conditions: list[p.Condition] = []
    if not context.constraints.is_present(filters):
        return ()
    readability = Readability(context.access)
    for name, (field_name, operator) in coercion.conditions(context.schema, filters.type).items():
        value = filters.child(name)
        if not context.constraints.is_present(value):
            continue
        fields = readability.condition_fields(resource, field_name, operator, name, path)
        facet = coercion.STRUCTURAL.get(operator)
        variant = context.constraints.evaluate(value, facet) if facet else None
        bind = context.bind(name)
        if operator not in ("flag", "present"):
            convert = _converter(resource, field_name, operator)
            context.extracts[bind] = converted(value, convert, name, path)
        conditions.append(p.Condition(fields, operator, bind, variant))
    return tuple(conditions)


def _converter(resource: str, name: str, operator: str) -> Callable[[Any], Any]:
    """How a value becomes that of its bind: the key of a row of the relation's type, a text in the form of its column."""
    if operator in coercion.OF_RELATION:
        wanted = RESOURCES[resource].relations[name].target
        return lambda value: coercion.key_of(value, wanted)
    if operator == "party":
        return coercion.canonical("Party", name.partition(".")[2])
    return coercion.canonical(resource, name) if operator == "eq" else coercion.CONVERT.get(operator, coercion.plain)


def plan_order(
    context: PlanningContext, resource: str, order_by: Argument, path: tuple[str, ...]
) -> tuple[p.Order, ...]:
    """The order of a page, or the resource's default. Raises Refusal FIELD_NOT_READABLE.

    SECURITY: the default is dropped, not refused, where it rests on a field that the caller does not read.
    """
    readability = Readability(context.access)
    keys = context.constraints.evaluate(order_by, coercion.order_keys)
    if not keys:
        default = tuple(p.Order(*key) for key in RESOURCES[resource].order)
        return default if all(readability.reads(resource, key.field) for key in default) else ()
    for name, _ in keys:
        if not readability.reads(resource, name):
            message = f"不能按 {name.upper()} 排序：您无权在全部可见的行上阅读该字段，请换一个排序字段。"
            raise Refusal(Code.FIELD_NOT_READABLE, message, path)
    return tuple(p.Order(name, descending) for name, descending in keys)


def plan_slice(
    context: PlanningContext,
    resource: str,
    arguments: dict[str, Argument],
    order: tuple[p.Order, ...],
    question: ListQuestion,
    path: tuple[str, ...],
) -> p.Slice:
    """Which part of the ordered rows a page takes: `first` or `last`, `after` and `before` cursors of the very question."""
    first, last = arguments["first"], arguments["last"]
    backward = context.constraints.is_present(last)
    if backward and context.constraints.is_present(first):
        raise Refusal(Code.BAD_USER_INPUT, "first 与 last 只能写一个。", path)
    bind = context.bind("size")

    def size(call: Call) -> int:
        value = (last if backward else first).read(call)
        value = DEFAULT_PAGE if value is None else value
        if not 1 <= value <= MAX_PAGE:
            raise Refusal(Code.BAD_USER_INPUT, f"{'last' if backward else 'first'} 应在 1 至 {MAX_PAGE} 之间。", path)
        return int(value)

    context.extracts[bind] = context.sizes[bind] = size
    columns = RESOURCES[resource].table.c
    types = [*(columns[key.field].type for key in order), columns.id.type]
    present = {}
    for name in ("after", "before"):
        present[name] = context.constraints.is_present(arguments[name])
        if present[name]:
            parent, position = question.position(arguments[name], types, path)
            context.extracts[f"{bind}_{name}_parent"] = parent
            for index, key in enumerate(position):
                context.extracts[f"{bind}_{name}_{index}"] = key
    return p.Slice(bind, backward, present["after"], present["before"])
