"""What belongs to what, by the keys of plain rows: from each type by each relation to which rows."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from graphql import get_named_type, get_nullable_type, is_list_type

from schema.names import snake
from schema.sdl import graphql_schema
from tests.laws.visibility_oracle import TABLES, Record, Snapshot

# (type, relation): own column, column of the target. Elsewhere a to-one relation `x` is `x_id`, and parts hang on `<type>_id`.
_KEYS = {
    ("Area", "parent"): ("parent_code", "code"),
    ("Area", "areas"): ("code", "parent_code"),
    ("Organization", "area"): ("area_code", "code"),
    ("Appointment", "area"): ("area_code", "code"),
    ("Person", "mediator"): ("id", "person_id"),
    ("Assignment", "mediator"): ("person_id", "person_id"),
    ("Recusal", "mediator"): ("person_id", "person_id"),
    ("Recusal", "replacement"): ("replacement_id", "person_id"),
}

# (type, relation): the part of a dispute that makes it, and which parts do for a row; only those that the caller sees count.
THROUGH: dict[tuple[str, str], tuple[str, Callable[[Record, Record], bool]]] = {
    ("Dispute", "leadMediator"): (
        "Assignment", lambda row, link: link["dispute_id"] == row["id"] and link["is_lead"] and link["ended_at"] is None,
    ),
    ("Mediator", "disputes"): (
        "Assignment", lambda row, link: link["person_id"] == row["person_id"] and link["ended_at"] is None,
    ),
}  # fmt: skip

Follow = Callable[[Snapshot, Record], set[UUID]]


def _by_key(target: str, own: str, key: str) -> Follow:
    def follow(snapshot: Snapshot, row: Record) -> set[UUID]:
        return set() if row[own] is None else {one["id"] for one in snapshot.index(target, key)[row[own]]}

    return follow


def _within(target: str, column: str) -> Follow:
    def follow(snapshot: Snapshot, row: Record) -> set[UUID]:
        return {one["id"] for one in snapshot.rows[target].values() if str(one[column]).startswith(row["code"])}

    return follow


def _lead(snapshot: Snapshot, row: Record) -> set[UUID]:
    leads = [
        one for one in snapshot.index("Assignment", "dispute_id")[row["id"]] if one["is_lead"] and not one["ended_at"]
    ]
    return {one["id"] for lead in leads for one in snapshot.index("Mediator", "person_id")[lead["person_id"]]}


def _mediated(snapshot: Snapshot, row: Record) -> set[UUID]:
    return {
        one["dispute_id"]
        for one in snapshot.index("Assignment", "person_id")[row["person_id"]]
        if one["ended_at"] is None
    }


_OTHERWISE: dict[tuple[str, str], Follow] = {
    ("Area", "compounds"): _within("Compound", "grid_code"),
    ("Area", "organizations"): _within("Organization", "area_code"),
    ("Area", "teams"): _within("Team", "grid_code"),
    ("Area", "disputes"): _within("Dispute", "grid_code"),
    ("Dispute", "leadMediator"): _lead,
    ("Mediator", "disputes"): _mediated,
}


def _relations() -> Iterator[tuple[tuple[str, str], tuple[str, Follow]]]:
    types: Any = graphql_schema().type_map
    for resource in TABLES:
        kind = types[resource]
        for name, one in kind.fields.items():
            target = get_named_type(one.type).name
            many = target.endswith("Connection") or is_list_type(get_nullable_type(one.type))
            target = target.removesuffix("Connection")
            if target not in TABLES:
                continue
            relation = resource, name
            own, key = ("id", f"{snake(resource)}_id") if many else (f"{snake(name)}_id", "id")
            if name == "area" and relation not in _KEYS:
                own, key = "grid_code", "code"
            yield relation, (target, _OTHERWISE.get(relation) or _by_key(target, *_KEYS.get(relation, (own, key))))


# (type, GraphQL name of the relation) -> (target, the rows of the target that belong to a row)
RELATIONS = dict(_relations())
