"""How a statement is to be planned: whether one plan is good for all its values, found from what its lists are filtered and ordered by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from db.query import plan as p
from db.query.access_paths import AccessPaths, ListQuery
from db.query.indexes import INDEXES, growing_conditions, is_sortable, scoped_index, text_condition
from db.query.order_paths import scan_ranges
from db.query.statement import CUSTOM, GENERIC, Planning, per_codes
from db.resources.catalog import RESOURCES
from policies.predicate import Predicate

# Conditions whose values do not decide on the plan: an index leads to them, or the rows of the page are filtered by them as they come.
_INSENSITIVE = frozenset({"eq", "is", "area", "mediator", "flag", "present", "in"})
# Bounds: insensitive on the leading key of the order, where they only tell at which end of the index the scan begins.
_BOUNDS = frozenset({"from", "to", "from_day", "to_day", "before_day"})
# The sub-category is the rarer of two filters whose indexes compete: one value of it is seldom more than a twentieth of the disputes.
_RARE = "sub_category"


def planning_of(paths: AccessPaths, items: Sequence[Any]) -> Planning:
    """How a statement with these items of a plan is planned: as its most sensitive list must be."""
    planning = GENERIC
    for item in items:
        if isinstance(item, p.Page):
            planning = planning.joined(_planning_of_page(paths, item))
        planning = planning.joined(planning_of(paths, _below(item)))
        if planning == CUSTOM:
            return CUSTOM
    return planning


def _below(item: Any) -> Sequence[Any]:
    """The items inside of an item."""
    match item:
        case p.Page(items=items) | p.Node(items=items):
            return items
        case p.Edges(items=pairs) | p.Viewer(items=pairs):
            return [member for _, member in pairs]
        case p.Batch(nodes=nodes):
            return nodes
        case p.One(node=node) | p.Many(node=node) | p.Nodes(node=node) | p.Lookup(node=node):
            return (node,)
    return ()


def _planning_of_page(paths: AccessPaths, page: p.Page) -> Planning:
    resource = RESOURCES[page.resource]
    rows = paths.visible_rows(resource)
    query = ListQuery(page, resource, lambda row, met=(): [])
    if not query.in_page_order:
        sorts = page.relation is None and (
            is_sortable(resource, rows) or scan_ranges(resource, page, query.keys) is not None
        )
        return GENERIC if sorts else CUSTOM
    growing = growing_conditions(resource, rows)
    if growing and all(one is not None and text_condition(resource, one, page.conditions) for one in growing):
        return GENERIC if page.relation is None else CUSTOM
    if not all(
        one.operator in _INSENSITIVE or (one.operator in _BOUNDS and one.fields[0] == page.order[0].field)
        for one in page.conditions
    ):
        return CUSTOM
    codes = [one for one in page.conditions if one.operator == "in"]
    # Where one of them decides, how rare its value is beside the others does.
    return (
        GENERIC if all(_is_insensitive(one, page, growing) for one in codes) else per_codes(one.bind for one in codes)
    )


def _is_insensitive(code: p.Condition, page: p.Page, growing: Sequence[Predicate | None]) -> bool:
    """Whether a plan for any codes leads to them by the same path: by an index in page order, or through rows that have none."""
    resource, name = RESOURCES[page.resource], code.fields[0]
    if resource.part:
        return not growing or name not in INDEXES[resource.name].filters
    if name not in INDEXES["Dispute"].scoped_columns:
        return True
    indexes = [None if one is None else scoped_index(resource, one, page.conditions) for one in growing]
    # Of two indexes, that of the rarer values is the better.
    return page.relation is None and all(
        index is not None and (code in index.met or index.columns[0] == _RARE) for index in indexes
    )
