"""Law: a filter, an order, a group or a metric is answered only to those who read its field in clear on every row in reach.

Every person, every condition of every filter, every order field, every metric. What is answered is held against plain rows.
"""

from typing import Any

import pytest

from api.http.documents import Documents
from db.query.statistics.metrics import GROUPS, METRICS
from db.resources.catalog import RESOURCES
from db.tables import metadata
from schema.names import snake
from schema.planning import coercion
from schema.planning.operation import Operation
from schema.planning.planner import plan_operation
from schema.refusal import Refusal
from tests.laws.callers import EVERYONE, TYPICAL
from tests.laws.client import GraphQLClient
from tests.laws.expected_cells import ROOTS
from tests.laws.filter_samples import FilterSample, any_value
from tests.laws.visibility_oracle import Rights, Snapshot, as_json, camel, global_id, key_of

_tested: set[tuple[str, tuple[str, frozenset[str]]]] = set()


def new(what: str, rights: Rights, resource: str) -> bool:
    """Registers that are open to all are asked once for each set of classes; they are the same for all who have it."""
    openness = rights.openness(resource)
    if openness is None:
        return True
    key = (what, openness)
    return key not in _tested and not _tested.add(key)


def field_class(resource: str, name: str) -> str:
    column = metadata.tables[snake(resource)].c.get(name)
    return "public" if column is None else str(column.info["field_class"])


def allowed(rights: Rights, resource: str, name: str, operator: str) -> bool:
    """Whether the policy's text lets the person use the condition."""
    match operator:
        case "text":
            return rights.reads(resource, "public") or rights.reads(resource, "narrative")
        case "party":
            wanted = field_class("Party", name.partition(".")[2])
            return rights.reads("Party", wanted) and rights.accompanies(resource, "Party")
        case "area":
            return bool(rights.rules(resource))
        case "mediator":
            return rights.accompanies(resource, "Assignment")
        case "is":
            # What a hidden relation points to is hidden from a filter too.
            return bool(rights.rules(resource)) and bool(rights.rules(RESOURCES[resource].relations[name].target))
    return rights.reads(resource, field_class(resource, name))


@pytest.mark.parametrize("person", TYPICAL)
async def test_every_filter(gql: GraphQLClient, snapshot: Snapshot, person: str) -> None:
    """Each condition is refused, or gives exactly the rows in reach that meet it."""
    rights = Rights(snapshot, snapshot.appointments(person))
    schema = gql.services.schema
    for root, resource in ROOTS.items():
        if not new("filter", rights, resource):
            continue
        kind: Any = schema.type_map[f"{resource}Filter"]
        for number, (name, (field, operator)) in enumerate(coercion.conditions(schema, kind).items()):
            value, rows = any_value(kind.fields[name].type, resource, field), set()
            if snapshot.rows[resource]:
                value, rows = FilterSample(snapshot, rights, resource).find(field, operator)
            if value is None:
                continue
            # By turns the count and the rows: each is a statement of its own.
            counted = (number + EVERYONE.index(person)) % 2 == 0
            query = f"query ($v: {kind.fields[name].type}) {{ {root}(filter: {{{name}: $v}}, first: 200)"
            query += " { totalCount } }" if counted else " { nodes { id } } }"
            response = await gql.ask(person, query, v=as_json(value))
            if not allowed(rights, resource, field, operator):
                assert (response.data, response.codes) == (None, ["FIELD_NOT_READABLE"]), (root, name)
                continue
            assert not response.errors, (root, name, response.errors)
            wanted = rows & rights.ids(resource)
            if counted:
                assert response.data[root]["totalCount"] == len(wanted), (root, name, value)
            elif len(wanted) <= 200:
                assert {key_of(node["id"]) for node in response.data[root]["nodes"]} == wanted, (root, name, value)


@pytest.mark.parametrize("person", TYPICAL)
async def test_every_order(gql: GraphQLClient, snapshot: Snapshot, person: str) -> None:
    """Each order field is refused, or sorts the rows in reach: nulls last, ties by the key in the same direction."""
    rights = Rights(snapshot, snapshot.appointments(person))
    for number, (root, resource) in enumerate(ROOTS.items()):
        if not new("order", rights, resource):
            continue
        order_field: Any = gql.services.schema.type_map[f"{resource}OrderField"]
        for code in order_field.values:
            descending = number % 2 == 0
            order = f"[{{field: {code}{'' if descending else ', direction: ASC'}}}]"
            response = await gql.ask(person, f"{{ {root}(orderBy: {order}, first: 200) {{ nodes {{ id }} }} }}")
            name = code.lower()
            if not rights.reads(resource, field_class(resource, name)):
                assert (response.data, response.codes) == (None, ["FIELD_NOT_READABLE"]), (root, code)
                continue
            assert not response.errors, (root, code, response.errors)
            rows = [snapshot.rows[resource][key] for key in rights.ids(resource)]
            present = sorted((row for row in rows if row[name] is not None), key=lambda row: (row[name], row["id"]))
            missing = sorted((row for row in rows if row[name] is None), key=lambda row: row["id"])
            if descending:
                present, missing = present[::-1], missing[::-1]
            wanted = [global_id(resource, row["id"]) for row in (*present, *missing)][:200]
            assert [node["id"] for node in response.data[root]["nodes"]] == wanted, (root, code)


@pytest.mark.parametrize("person", TYPICAL)
async def test_every_metric(gql: GraphQLClient, snapshot: Snapshot, person: str) -> None:
    """A metric or a group is planned only for those who read all that it is computed from, on all their disputes."""
    rights = Rights(snapshot, snapshot.appointments(person))
    caller = await gql.services.gate.authenticate(await gql.token(person))

    def refused(query: str) -> str | None:
        document = Documents(gql.services.schema, gql.documents.limits).accept(query)
        operation = Operation(document.document, document.select_operation(None), None, {})
        try:
            plan_operation(gql.services.schema, operation, caller.viewer.access, None, typed=False)
        except Refusal as refusal:
            return str(refusal.code)
        return None

    def readable(needs: tuple[tuple[str, str], ...]) -> bool:
        return all(
            rights.reads(resource, field_class(resource, name)) and rights.accompanies("Dispute", resource)
            for resource, name in needs
        )

    for name, metric in METRICS.items():
        wanted = None if readable(metric.needs) else "FIELD_NOT_READABLE"
        assert refused(f"{{ statistics {{ {camel(name)} }} }}") == wanted, name
        assert refused(f"{{ statistics(groupBy: TOWN) {{ groups {{ {camel(name)} }} }} }}") == wanted, name
    for code, (resource, name) in GROUPS.items():
        plain = name in metadata.tables["dispute"].c
        wanted = None if not plain or rights.reads(resource, field_class(resource, name)) else "FIELD_NOT_READABLE"
        assert refused(f"{{ statistics(groupBy: {code}) {{ groups {{ key label }} }} }}") == wanted, code


async def test_what_is_readable_is_in_clear_everywhere(snapshot: Snapshot) -> None:
    """The rule by the text is sound: who may filter by a class sees that class on all their rows."""
    for person in EVERYONE:
        rights = Rights(snapshot, snapshot.appointments(person))
        for resource in snapshot.rows:
            for wanted in {one for _, line in rights.rules(resource) for one in line.clear}:
                if rights.reads(resource, wanted):
                    assert all(shown.get(wanted) == "clear" for shown in rights.visibility(resource).values())
