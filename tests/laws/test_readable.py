"""Law: a filter, an order, a group or a figure is answered only to those who read its field in clear on every row in reach.

Every person, every condition of every filter, every order field, every figure. What is answered is held against plain rows.
"""

import datetime as dt
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from graphql import GraphQLEnumType, get_named_type, get_nullable_type, is_list_type

from api.http.documents import Documents
from db.query.statistics.metrics import GROUPS, METRICS
from db.resources.catalog import RESOURCES
from db.tables import metadata
from schema.names import snake
from schema.planning import coercion
from schema.planning.operation import Operation
from schema.planning.planner import plan_operation
from schema.refusal import Refusal
from tests.laws.client import GraphQLClient
from tests.laws.expected import Record, Rights, World, camel, gid, key_of, wire
from tests.laws.people import EVERYONE, TYPICAL, appoint_several
from tests.laws.test_matrix import ROOTS, value_of

ZONE = ZoneInfo("Asia/Shanghai")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(gql: GraphQLClient) -> World:
    await appoint_several(gql.connection)
    return await World.read(gql.connection)


_asked: set[tuple[str, tuple[str, frozenset[str]]]] = set()


def new(what: str, rights: Rights, resource: str) -> bool:
    """Registers that are open to all are asked once for each set of classes; they are the same for all who have it."""
    openness = rights.openness(resource)
    if openness is None:
        return True
    key = (what, openness)
    return key not in _asked and not _asked.add(key)


def field_class(resource: str, name: str) -> str:
    column = metadata.tables[snake(resource)].c.get(name)
    return "public" if column is None else str(column.info["field_class"])


def place(world: World, resource: str, row: Record) -> str:
    """The code of the place that a row lies in."""
    if resource == "Area":
        return str(row["code"])
    if resource == "Organization":
        return str(row["area_code"])
    if resource == "Mediator":
        return str(world.rows["Organization"][row["organization_id"]]["area_code"])
    return str(row["grid_code"] if "grid_code" in row else world.rows["Dispute"][row["dispute_id"]]["grid_code"])


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


def pick(world: World, rights: Rights, resource: str, name: str, operator: str) -> tuple[Any, set[Any]]:
    """A value for a condition, taken from the middle of the rows in reach, and the rows that meet it."""
    rows = [world.rows[resource][key] for key in sorted(rights.ids(resource) or world.rows[resource])]

    def among(found: list[Any]) -> Any:
        return found[len(found) // 2] if found else None

    def known(row: Record) -> Any:
        return (
            row[name] if name in row else value_of(world, resource, row, name) if operator in ("eq", "flag") else None
        )

    def day(row: Record) -> dt.date | None:
        return row[name] and row[name].astimezone(ZONE).date()

    def chosen(met: Any) -> set[Any]:
        return {row["id"] for row in rows if met(row)}

    present = [value for row in rows if (value := known(row)) is not None]
    match operator:
        case "in":
            wanted = sorted({row[name] for row in rows if row[name] is not None})[:2] or None
            return wanted, chosen(lambda row: wanted and row[name] in wanted)
        case "eq":
            value = among(present)
            return value, chosen(lambda row: known(row) == value)
        case "from":
            value = among(sorted(present))
            return value, chosen(lambda row: row[name] is not None and row[name] >= value)
        case "to":
            value = among(sorted(present))
            return value, chosen(lambda row: row[name] is not None and row[name] <= value)
        case "before_day":
            value = among(sorted(present))
            return value, chosen(lambda row: row[name] is not None and row[name] < value)
        case "from_day":
            value = among(sorted(present))
            value = value and value.astimezone(ZONE).date()
            return value, chosen(lambda row: row[name] is not None and day(row) >= value)
        case "to_day":
            value = among(sorted(present))
            value = value and value.astimezone(ZONE).date()
            return value, chosen(lambda row: row[name] is not None and day(row) <= value)
        case "flag":
            return True, chosen(lambda row: value_of(world, resource, row, name))
        case "present":
            return False, chosen(lambda row: row[name] is None)
        case "area":
            code = place(world, resource, rows[len(rows) // 2])[:9]
            return code, chosen(lambda row: place(world, resource, row).startswith(code))
        case "is":
            keys = [row[f"{name}_id"] for row in rows if row[f"{name}_id"] is not None]
            key = among(keys)
            return key and gid("Any", key), chosen(lambda row: row[f"{name}_id"] == key)
        case "mediator":
            assigned = world.by("Assignment", "dispute_id")
            found = {
                row["id"]: {one["person_id"] for one in assigned[row["id"]] if one["ended_at"] is None} for row in rows
            }
            person = among([one for people in found.values() for one in sorted(people)])
            if person is None:
                return None, set()
            (mediator,) = world.find("Mediator", person_id=person)
            return gid("Mediator", mediator["id"]), {key for key, people in found.items() if person in people}
        case "party":
            column = name.partition(".")[2]
            parties = [one for one in world.rows["Party"].values() if one["dispute_id"] in {row["id"] for row in rows}]
            value = among([one[column] for one in parties if one[column]])
            return value, {one["dispute_id"] for one in parties if one[column] == value}
    word = rows[len(rows) // 2]["title"][:2]
    texts = ("title", "public_summary", "case_number", *(["summary"] if rights.reads(resource, "narrative") else []))
    return word, chosen(lambda row: any(word in (row[one] or "") for one in texts))


def any_value(kind: Any, operator: str) -> Any:
    """A value that fits, where there is no row to take one from."""
    named = get_named_type(kind)
    if isinstance(named, GraphQLEnumType):
        value: Any = next(iter(named.values))
    else:
        fitting = {"Date": "2024-01-01", "DateTime": "2024-01-01T00:00:00Z", "Boolean": True, "Int": 1, "Money": "1.00"}
        value = fitting.get(named.name, gid("Any", UUID(int=0)) if named.name == "ID" else "371525002")
    return [value] if is_list_type(get_nullable_type(kind)) else value


@pytest.mark.parametrize("person", TYPICAL)
async def test_every_filter(gql: GraphQLClient, world: World, person: str) -> None:
    """Each condition is refused, or gives exactly the rows in reach that meet it."""
    rights = Rights(world, world.posts(person))
    schema = gql.services.schema
    for root, resource in ROOTS.items():
        if not new("filter", rights, resource):
            continue
        kind: Any = schema.type_map[f"{resource}Filter"]
        for number, (name, (field, operator)) in enumerate(coercion.conditions(schema, kind).items()):
            value, rows = any_value(kind.fields[name].type, operator), set()
            if world.rows[resource]:
                value, rows = pick(world, rights, resource, field, operator)
            if value is None:
                continue
            # By turns the count and the rows: each is a statement of its own.
            counted = (number + EVERYONE.index(person)) % 2 == 0
            query = f"query ($v: {kind.fields[name].type}) {{ {root}(filter: {{{name}: $v}}, first: 200)"
            query += " { totalCount } }" if counted else " { nodes { id } } }"
            said = await gql.ask(person, query, v=wire(value))
            if not allowed(rights, resource, field, operator):
                assert (said.data, said.codes) == (None, ["FIELD_NOT_READABLE"]), (root, name)
                continue
            assert not said.errors, (root, name, said.errors)
            wanted = rows & rights.ids(resource)
            if counted:
                assert said.data[root]["totalCount"] == len(wanted), (root, name, value)
            elif len(wanted) <= 200:
                assert {key_of(node["id"]) for node in said.data[root]["nodes"]} == wanted, (root, name, value)


@pytest.mark.parametrize("person", TYPICAL)
async def test_every_order(gql: GraphQLClient, world: World, person: str) -> None:
    """Each order field is refused, or sorts the rows in reach: nulls last, ties by the key in the same direction."""
    rights = Rights(world, world.posts(person))
    for number, (root, resource) in enumerate(ROOTS.items()):
        if not new("order", rights, resource):
            continue
        order_field: Any = gql.services.schema.type_map[f"{resource}OrderField"]
        for code in order_field.values:
            descending = number % 2 == 0
            order = f"[{{field: {code}{'' if descending else ', direction: ASC'}}}]"
            said = await gql.ask(person, f"{{ {root}(orderBy: {order}, first: 200) {{ nodes {{ id }} }} }}")
            name = code.lower()
            if not rights.reads(resource, field_class(resource, name)):
                assert (said.data, said.codes) == (None, ["FIELD_NOT_READABLE"]), (root, code)
                continue
            assert not said.errors, (root, code, said.errors)
            rows = [world.rows[resource][key] for key in rights.ids(resource)]
            known = sorted((row for row in rows if row[name] is not None), key=lambda row: (row[name], row["id"]))
            unknown = sorted((row for row in rows if row[name] is None), key=lambda row: row["id"])
            if descending:
                known, unknown = known[::-1], unknown[::-1]
            wanted = [gid(resource, row["id"]) for row in (*known, *unknown)][:200]
            assert [node["id"] for node in said.data[root]["nodes"]] == wanted, (root, code)


@pytest.mark.parametrize("person", TYPICAL)
async def test_every_figure(gql: GraphQLClient, world: World, person: str) -> None:
    """A figure or a group is planned only for those who read all that it is computed from, on all their disputes."""
    rights = Rights(world, world.posts(person))
    caller = await gql.services.gate.authenticate(await gql.token(person))

    def refused(query: str) -> str | None:
        known = Documents(gql.services.schema, gql.documents.limits).accept(query)
        operation = Operation(known.document, known.select_operation(None), None, {})
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

    for name, figure in METRICS.items():
        wanted = None if readable(figure.needs) else "FIELD_NOT_READABLE"
        assert refused(f"{{ statistics {{ {camel(name)} }} }}") == wanted, name
        assert refused(f"{{ statistics(groupBy: TOWN) {{ groups {{ {camel(name)} }} }} }}") == wanted, name
    for code, (resource, name) in GROUPS.items():
        plain = name in metadata.tables["dispute"].c
        wanted = None if not plain or rights.reads(resource, field_class(resource, name)) else "FIELD_NOT_READABLE"
        assert refused(f"{{ statistics(groupBy: {code}) {{ groups {{ key label }} }} }}") == wanted, code


async def test_what_is_readable_is_in_clear_everywhere(world: World) -> None:
    """The rule by the text is sound: where it lets somebody filter by a class, he sees that class on all his rows."""
    for person in EVERYONE:
        rights = Rights(world, world.posts(person))
        for resource in world.rows:
            for wanted in {one for _, line in rights.rules(resource) for one in line.clear}:
                if rights.reads(resource, wanted):
                    assert all(shown.get(wanted) == "clear" for shown in rights.sight(resource).values())
