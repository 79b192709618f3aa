"""The cost of a query, in rows that it may touch at most, computed from its plan before it is executed."""

from __future__ import annotations

from typing import Any

from db.query import plan as p

# What a plain list is taken to hold when the cost of an operation is computed, and what a count is taken to touch: up to its
# bound, or to the end of what the caller sees, which may be a few scopes, what belongs to one row, or most of the table.
LIST_ROWS = 5
COUNT_ROWS = 100
NARROW_COUNT_ROWS = 500
WIDE_COUNT_ROWS = 5_000
TIMELINE_ROWS = 30


def _count_rows(item: p.TotalCount | p.TotalCapped) -> int:
    if isinstance(item, p.TotalCapped) or not item.exact:
        return COUNT_ROWS
    return WIDE_COUNT_ROWS if item.unbounded else NARROW_COUNT_ROWS


def cost_of(item: Any, sizes: dict[str, int]) -> int:
    """Rows that a part of a plan may touch, at most. `sizes`: rows of each page and batch, by their binds."""
    match item:
        case p.Page(slice=part, items=items):
            size = sizes[part.size]
            # Each count is made once, however often it is selected.
            total = 1 + sum(
                {_count_rows(member) for member in items if isinstance(member, p.TotalCount | p.TotalCapped)}
            )
            for member in items:
                if isinstance(member, p.Nodes):
                    total += size * cost_of(member.node, sizes)
                elif isinstance(member, p.Edges):
                    total += size * sum(cost_of(below, sizes) for _, below in member.items if isinstance(below, p.Node))
                    total += size
            return total
        case p.Node(items=items):
            return 1 + sum(cost_of(item, sizes) for item in items)
        case p.One(node=node) | p.Lookup(node=node):
            return cost_of(node, sizes)
        case p.Many(node=node):
            return LIST_ROWS * cost_of(node, sizes)
        case p.Clocks():
            return LIST_ROWS
        case p.Timeline(items=items):
            return TIMELINE_ROWS * (1 + sum(cost_of(below, sizes) for _, below in items if isinstance(below, p.Node)))
        case p.Batch(bind=bind, nodes=nodes):
            return sizes[bind] * max((cost_of(node, sizes) for node in nodes), default=1)
        case p.Viewer(items=items):
            return 1 + sum(cost_of(below, sizes) for _, below in items if isinstance(below, p.Node))
        case p.Statistics(bind=bind):
            return sizes[bind]
    return 0
