"""The timeline of a dispute in SQL: who did what when, under which policy version, and what it changed, from the dispute's events.

SECURITY: an entry shows only where the caller now sees the row that it is about, a state or a changed value only where they now read
that very field of that row in clear. What does not show is left out, without a trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import and_, case, cast, exists, false, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import JSON, Text, Uuid

from db import tables as t
from db.query import plan as p
from db.query.statement import JsonRow
from db.query.visibility import Visibility
from db.resources.aliases import alias
from db.resources.catalog import RESOURCES
from db.resources.resource import Resource, Row, Sql
from policies.predicate import Never

# The labels of what the service does by itself, without a command.
_SERVICE_LABELS = {"alert.open": "产生预警", "alert.raise": "预警升级"}


def timeline(visibility: Visibility, row: Row, item: p.Timeline, person: Callable[[p.Node, Sql, Any], Sql]) -> Sql:
    """The entries as a JSON list, oldest first. `person`: builds the node of a person by the id that a FROM element gives."""
    event = alias(t.event)
    values: dict[str, Callable[[], Sql]] = {
        "typename": lambda: literal_column("'TimelineEntry'"),
        "at": lambda: event.c.at,
        "happened_at": lambda: event.c.happened_at,
        "action": lambda: event.c.action,
        "label": lambda: _label(event.c.action, item.labels),
        "from_state": lambda: case((_reads_state(visibility, row, event), event.c.from_state)),
        "to_state": lambda: case((_reads_state(visibility, row, event), event.c.to_state)),
        "policy_version": lambda: event.c.policy_version,
    }
    members: list[tuple[str, Sql]] = []
    for key, member in item.items:
        if isinstance(member, p.Node):
            members.append((key, person(member, event.c.actor_id, event)))
        elif isinstance(member, p.Changes):
            members.append((key, _changes(visibility, row, event, member)))
        else:
            members.append((key, values[member]()))
    listed = func.json_agg(aggregate_order_by(JsonRow(members), event.c.at, event.c.id))
    return (
        select(func.coalesce(listed, literal_column("'[]'::json")))
        .select_from(event)
        .where(event.c.dispute_id == row["id"], _sees(visibility, row, event.c.resource, event.c.resource_id, event))
        .correlate(row.at)
        .scalar_subquery()
    )


def _label(action: Sql, labels: tuple[tuple[str, str], ...]) -> Sql:
    """The label of an event's action; an action without one is its own label."""
    branches = sorted((dict(labels) | _SERVICE_LABELS).items())
    return case(*((action == _text(name), _text(label)) for name, label in branches), else_=action)


def _text(value: str) -> Sql:
    """A constant text of the service's own."""
    return literal_column("'" + value.replace("'", "''") + "'", Text())


def _parts(visibility: Visibility) -> list[Resource]:
    """The resources of which the caller may see rows of a dispute, and the dispute itself."""
    return [
        resource
        for resource in RESOURCES.values()
        if (resource.part or resource.name == "Dispute")
        and resource.name != "Event"
        and visibility.access.grant(resource.name).rows != Never()
    ]


def _names_row(
    visibility: Visibility, row: Row, kind: Sql, key: Sql, within: Any, reads: Callable[[Row], Sql] | None
) -> Sql:
    """True where `kind` and `key` name a row of this dispute that the caller sees and of which `reads` holds."""
    branches: list[Sql] = []
    for resource in _parts(visibility):
        if resource.name == "Dispute":
            match = key == row["id"] if reads is None else and_(key == row["id"], reads(row))
        else:
            part, at = visibility.row(resource, alias(resource.table), row.at)
            clauses = [part["id"] == key, part["dispute_id"] == row["id"], visibility.visible(part)]
            if reads is not None:
                clauses.append(reads(part))
            match = exists(select(literal_column("1")).select_from(at).where(*clauses).correlate(row.at, within))
        branches.append(and_(kind == _text(resource.name), match))
    return or_(*branches) if branches else false()


def _sees(visibility: Visibility, row: Row, kind: Sql, key: Sql, within: Any) -> Sql:
    """Whether the caller sees the row that an entry is about."""
    return _names_row(visibility, row, kind, key, within, None)


def _reads_state(visibility: Visibility, row: Row, event: Any) -> Sql:
    """Whether the caller reads the states that an event names: those of its dispute, or of the row that it is about where that has its own."""
    of_dispute = visibility.clear(row, "state")

    def reads(target: Row) -> Sql:
        return and_(of_dispute, visibility.clear(target, "state")) if "state" in target.resource.fields else of_dispute

    return _names_row(visibility, row, event.c.resource, event.c.resource_id, event, reads)


def _changes(visibility: Visibility, row: Row, event: Any, item: p.Changes) -> Sql:
    """The elements of `changes`, each [resource, row, field, value as text], that the caller may read."""
    each = (
        func.json_array_elements(func.coalesce(event.c.changes, literal_column("'[]'::json")))
        .table_valued("value", with_ordinality="place", name="change")
        .render_derived()
    )
    element = cast(each.c.value, JSON)
    kind, key, cell, text = (_element(element, index) for index in range(4))
    values: dict[str, Sql] = {
        "typename": literal_column("'TimelineChange'"),
        "resource": kind,
        "field": _camel(cell),
        "value": text,
    }

    def reads(target: Row) -> Sql:
        # One test for all fields under the same predicate.
        clear: dict[str, tuple[Sql, list[str]]] = {}
        for name in target.resource.fields:
            allowed = visibility.reading(target.resource.name, name).clear
            if allowed != Never():
                clear.setdefault(repr(allowed), (visibility.clear(target, name), []))[1].append(name)
        return or_(
            *(and_(cell.in_([_text(name) for name in names]), allowed) for allowed, names in clear.values()), false()
        )

    change = JsonRow([(key, values[name]) for key, name in item.items])
    return (
        select(func.coalesce(func.json_agg(aggregate_order_by(change, each.c.place)), literal_column("'[]'::json")))
        .select_from(each)
        .where(_names_row(visibility, row, kind, cast(key, Uuid), each, reads))
        .correlate(event, row.at)
        .scalar_subquery()
    )


def _element(array: Sql, index: int) -> Sql:
    return func.json_array_element_text(array, literal_column(str(index)), type_=Text())


def _camel(name: Sql) -> Sql:
    """`case_number` as the schema calls it: `caseNumber`."""
    words = func.replace(
        func.initcap(func.replace(name, literal_column("'_'"), literal_column("' '"))),
        literal_column("' '"),
        literal_column("''"),
    )
    first = func.lower(func.left(words, literal_column("1")))
    return first.concat(func.substr(words, literal_column("2")))
