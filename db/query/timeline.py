"""The timeline of a dispute in SQL: who did what when, under which policy version, and what it changed, from the dispute's events.

SECURITY: an entry shows only where the caller now sees the row that it is about, a state or a changed value only where they now read
that very field of that row in clear. What does not show is left out, without a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from sqlalchemy import FromClause, and_, case, cast, column, exists, false, func, literal_column, or_, select, table
from sqlalchemy.types import JSON, Text, Uuid

from db import tables as t
from db.query import plan as p
from db.query.fragment import Fragment, compile_fragment, slot, slotted
from db.query.place import Place, Writer
from db.query.statement_text import json_row, or_empty, quoted
from db.query.visibility import Visibility, scope_of
from db.resources.aliases import alias, shared_aliases
from db.resources.catalog import RESOURCES
from db.resources.resource import Resource, Row, Sql
from policies.predicate import Never

# The labels of what the service does by itself, without a command.
_SERVICE_LABELS = {"alert.open": "产生预警", "alert.raise": "预警升级", "party.match": "核对出相同的当事人"}


def timeline(writer: Writer, place: Place, item: p.Timeline, person: Callable[[p.Node, str], str]) -> str:
    """The entries as a JSON list, oldest first. `person`: writes the node of a person by the SQL of the id."""
    event = writer.text.name("event")
    visibility = writer.visibility

    def written(key: Hashable, make: Callable[[Row, FromClause], Sql]) -> str:
        """What does not depend on the selection; `key` is all else that it depends on, beside the row's context."""

        def compiled() -> Fragment:
            with shared_aliases():
                row, at = writer.row(place), slotted(t.event, "event")
                return compile_fragment({"": make(row, at)}, *scope_of(row), at)

        fragment = writer.fragment((place.context, "timeline", key), compiled)
        return writer.text.take(fragment, {**place.slots, "event": event})[""]

    def member(selected: str | p.Node | p.Changes) -> str:
        match selected:
            case p.Node():
                return person(selected, f"{event}.actor_id")
            case p.Changes():
                return _changes(writer, place, event, selected)
            case "typename":
                return "'TimelineEntry'"
            case "label":
                return written(item.labels, lambda _, at: _label(at.c.action, item.labels))
            case "from_state" | "to_state":
                return written(selected, lambda row, at: case((_reads_state(visibility, row, at), at.c[selected])))
        return f"{event}.{quoted(selected)}"

    def shown(row: Row, at: FromClause) -> Sql:
        return and_(at.c.dispute_id == row["id"], _sees(visibility, row, at.c.resource, at.c.resource_id, at))

    entry = json_row([(key, member(selected)) for key, selected in item.items])
    listed = or_empty(f"json_agg({entry} ORDER BY {event}.at, {event}.id)")
    return f"(SELECT {listed} FROM event AS {event} WHERE {written('shown', shown)})"  # noqa: S608


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


def _changes(writer: Writer, place: Place, event: str, item: p.Changes) -> str:
    """The elements of `changes`, each [resource, row, field, value as text], that the caller may read."""

    def compiled() -> Fragment:
        with shared_aliases():
            row = writer.row(place)
            each = table(slot("change"), column("value", JSON()))
            kind, key, cell, text = (_element(each.c.value, index) for index in range(4))
            parts = {
                "resource": kind,
                "field": _camel(cell),
                "value": text,
                "shown": _names_row(
                    writer.visibility, row, kind, cast(key, Uuid), each, partial(_reads_field, writer.visibility, cell)
                ),
            }
            return compile_fragment(parts, *scope_of(row), each)

    fragment = writer.fragment((place.context, "changes"), compiled)
    change = writer.text.name("change")
    written = {
        **writer.text.take(fragment, {**place.slots, "change": change}),
        "typename": "'TimelineChange'",
    }
    one = json_row([(key, written[name]) for key, name in item.items])
    listed = or_empty(f"json_agg({one} ORDER BY {change}.place)")
    elements = f"json_array_elements(coalesce({event}.changes, '[]'::json)) WITH ORDINALITY AS {change}(value, place)"
    return f"(SELECT {listed} FROM {elements} WHERE {written['shown']})"  # noqa: S608  made of compiled expressions


def _reads_field(visibility: Visibility, cell: Sql, target: Row) -> Sql:
    """Whether the caller reads the field that `cell` names. One test for all fields under the same predicate."""
    clear: dict[str, tuple[Sql, list[str]]] = {}
    for name in target.resource.fields:
        allowed = visibility.reading(target.resource.name, name).clear
        if allowed != Never():
            clear.setdefault(repr(allowed), (visibility.clear(target, name), []))[1].append(name)
    return or_(
        *(and_(cell.in_([_text(name) for name in names]), allowed) for allowed, names in clear.values()), false()
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
