"""The root field `statistics`: its period, its grouping, and the metrics that the caller may have."""

from __future__ import annotations

from graphql import FieldNode

from db.query import plan as p
from db.query.statistics.metrics import GROUPS, METRICS
from db.query.statistics.period import OF_FIRST, OF_LAST, bounds
from db.resources.catalog import RESOURCES
from db.tables.dispute import SOURCES, STATES, SUB_CATEGORIES, TIERS
from schema.node import code_labels
from schema.planning import coercion
from schema.planning.arguments import Argument
from schema.planning.context import PlanningContext
from schema.planning.cost import COUNT_ROWS
from schema.planning.readability import Readability
from schema.planning.selection import member_name
from schema.refusal import Code, Refusal

# What the keys of groups are codes of.
_GROUP_CODES = {"STATE": STATES, "TIER": TIERS, "SUB_CATEGORY": SUB_CATEGORIES, "SOURCE": SOURCES}


def plan_statistics(
    context: PlanningContext, key: str, nodes: list[FieldNode], arguments: dict[str, Argument]
) -> p.Statistics:
    """The totals and groups of a period. Raises Refusal FIELD_NOT_READABLE for a metric or grouping that the caller may not have."""
    bind = context.bind("period")
    since, until = _plan_period(context, bind, arguments["period"])
    group_by = context.constraints.evaluate(arguments["groupBy"], coercion.code)
    items: list[tuple[str, str | p.Metrics]] = []
    for name, below in context.fields.subfields(nodes, "Statistics").items():
        if below[0].name.value == "groups":
            groups = context.fields.subfields(below, "StatisticsGroup")
            items.append(
                (name, p.Metrics(tuple((alias, _metric(context, fields[0], key)) for alias, fields in groups.items())))
            )
        else:
            items.append((name, _metric(context, below[0], key)))
    if (
        group_by is not None
        and GROUPS[group_by][1] in RESOURCES["Dispute"].fields
        and not Readability(context.access).reads(*GROUPS[group_by])
    ):
        raise Refusal(Code.FIELD_NOT_READABLE, f"不能按 {group_by} 分组：您无权阅读该字段。", (key,))
    context.sizes[bind] = lambda _: COUNT_ROWS * (1 + sum(isinstance(item, p.Metrics) for _, item in items))
    labels = code_labels(_GROUP_CODES[group_by]) if group_by in _GROUP_CODES else ()
    return p.Statistics(key, bind, since, until, group_by, tuple(items), labels)


def _plan_period(context: PlanningContext, bind: str, period: Argument) -> tuple[bool, bool]:
    """Whether the period has a first and a last day."""
    first, last = period.child("from"), period.child("to")
    since = context.constraints.is_present(period) and context.constraints.is_present(first)
    until = context.constraints.is_present(period) and context.constraints.is_present(last)
    for name in (OF_FIRST if since else ()) + (OF_LAST if until else ()):
        context.extracts[f"{bind}_{name}"] = lambda call, name=name: bounds(  # type: ignore[misc]
            first.read(call) if since else None, last.read(call) if until else None
        )[name]
    return since, until


def _metric(context: PlanningContext, node: FieldNode, key: str) -> str:
    """SECURITY: a metric is given only to those who read all that it is computed from."""
    name = member_name(node)
    if name in METRICS:
        readability = Readability(context.access)
        needs = METRICS[name].needs
        resources = dict.fromkeys(resource for resource, _ in needs)
        if not (
            all(readability.reads(*needed) for needed in needs)
            and all(readability.accompanies("Dispute", resource) for resource in resources)
        ):
            message = f"不能统计 {node.name.value}：您无权阅读它所依据的内容，请去掉这一项。"
            raise Refusal(Code.FIELD_NOT_READABLE, message, (key,))
    return name
