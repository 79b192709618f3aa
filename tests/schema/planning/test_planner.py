"""The planner by itself: what an operation becomes, what it depends on, what it costs and what it refuses. No database."""

import uuid
from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLSchema, parse, validate
from graphql.execution.values import get_variable_values

from db.query import plan as p
from db.resources.catalog import CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment
from schema.planning.arguments import Call, satisfied
from schema.planning.operation import Document, Operation
from schema.planning.planner import Planned, plan_operation
from schema.refusal import Refusal
from schema.sdl import graphql_schema

POLICY = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG, 1)
CLAIMS = {"person_id": uuid.UUID(int=1), "organization_id": uuid.UUID(int=2), "area_code": "1", "team_ids": []}
KEY = "0190a6c2-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return graphql_schema()


def call_of(schema: GraphQLSchema, query: str, given: dict[str, Any]) -> Call:
    definition: Any = parse(query).definitions[0]
    coerced = get_variable_values(schema, definition.variable_definitions or (), given)
    assert not isinstance(coerced, list), coerced
    return Call(coerced, uuid.UUID(int=1), b"")


def planned(schema: GraphQLSchema, query: str, *roles: str, typed: bool = False, **given: Any) -> Planned:
    """The plan for holders of these roles."""
    ast = parse(query)
    assert not validate(schema, ast)
    definition: Any = ast.definitions[0]
    operation = Operation(Document(query, ast), definition, None, given)
    access = Access(POLICY, [Appointment(role, CLAIMS) for role in roles or ("bureau_admin",)])
    return plan_operation(schema, operation, access, call_of(schema, query, given), typed=typed)


def values(schema: GraphQLSchema, plan: Planned, query: str, **given: Any) -> dict[str, Any]:
    call = call_of(schema, query, given)
    return {name: extract(call) for name, extract in plan.extracts.items()}


def test_an_object_with_its_relations(schema: GraphQLSchema) -> None:
    query = "query ($id: ID!) { one: dispute(id: $id) { t: title area { name } parties { id __typename } } }"
    plan = planned(schema, query, id=f"Dispute:{KEY}")
    node = p.Node(
        "Dispute",
        (
            p.Value("t", "title"),
            p.One("area", "area", p.Node("Area", (p.Value("name", "name"),))),
            p.Many("parties", "parties", p.Node("Party", (p.Identifier("id"), p.Typename("__typename", "Party")))),
        ),
    )
    assert plan.plan == p.Plan((p.Lookup("one", "id", "v1_id", node),), ("one",))
    assert values(schema, plan, query, id=f"Dispute:{KEY}") == {"v1_id": uuid.UUID(KEY)}


def test_fragments_become_one_selection(schema: GraphQLSchema) -> None:
    """However it is written, the same question is the same plan: merged, in the order of first mention."""
    plain = "{ disputes { nodes { id title area { name code } state } totalCount } }"
    torn = """{ disputes { ... { nodes { id } } ...N nodes { ... on Node { id } ...D @include(if: true) } totalCount } }
      fragment N on DisputeConnection { nodes { title ... on Dispute { area { name } } summary @skip(if: true) } }
      fragment D on Dispute { area { code } state title }"""
    assert planned(schema, plain).plan == planned(schema, torn).plan


def test_a_fragment_on_another_type_is_left_out(schema: GraphQLSchema) -> None:
    query = f'{{ node(id: "Party:{KEY}") {{ id ... on Dispute {{ title }} ... on Party {{ name }} ... on Node {{ __typename }} }} }}'
    (lookup,) = planned(schema, query).plan.items
    assert isinstance(lookup, p.Lookup)
    assert lookup.node == p.Node(
        "Party", (p.Identifier("id"), p.Value("name", "name"), p.Typename("__typename", "Party"))
    )
    (typed,) = planned(schema, query, typed=True).plan.items
    assert isinstance(typed, p.Lookup)
    assert typed.node.items == (*lookup.node.items, p.Typename("-type", "Party"))


SKIPPING = (
    "query ($a: Boolean!, $b: Boolean! = true) { disputes { totalCount @skip(if: $a) nodes @include(if: $b) { id } } }"
)


@pytest.mark.parametrize(("a", "b", "kinds"), [
    (True, True, [p.Nodes]), (False, True, [p.TotalCount, p.Nodes]), (False, False, [p.TotalCount]), (True, False, []),
])  # fmt: skip
def test_skip_and_include(schema: GraphQLSchema, a: bool, b: bool, kinds: list[type]) -> None:
    plan = planned(schema, SKIPPING, a=a, b=b)
    (page,) = plan.plan.items
    assert isinstance(page, p.Page)
    assert [type(item) for item in page.items] == kinds
    # The plan holds for just those calls that say the same.
    for one in (True, False):
        for other in (True, False):
            assert satisfied(plan.constraints, call_of(schema, SKIPPING, {"a": one, "b": other})) == (
                (one, other) == (a, b)
            )


FILTERED = """query ($f: DisputeFilter, $state: [DisputeState!], $n: Int, $after: String) {
  disputes(filter: $f, first: $n, after: $after) { totalCount } b: disputes(filter: {state: $state}) { totalCount } }"""


@pytest.mark.parametrize(("given", "same"), [
    ({"f": {"title": 1}}, None),
    ({"f": {"text": "另一个"}, "state": ["CLOSED"], "n": 9}, True),
    ({"f": {"text": "水卡"}, "state": [], "n": None}, True),
    ({"f": {"text": "水卡"}, "n": 3}, False),
    ({"f": {"text": "水卡", "overdue": True}, "state": ["CLOSED"]}, False),
    ({"f": None, "state": ["CLOSED"]}, False),
    ({"f": {"text": "水卡"}, "state": ["CLOSED"], "after": "x"}, False),
])  # fmt: skip
def test_what_a_plan_depends_on(schema: GraphQLSchema, given: dict[str, Any], same: bool | None) -> None:
    """Which conditions are there, not what they say."""
    plan = planned(schema, FILTERED, f={"text": "水卡"}, state=["ACCEPTED"], n=5)
    if same is None:
        with pytest.raises(AssertionError):
            call_of(schema, FILTERED, given)
    else:
        assert satisfied(plan.constraints, call_of(schema, FILTERED, given)) is same


def test_values_in_literals_and_variables(schema: GraphQLSchema) -> None:
    """A variable may stand anywhere in a literal: in an object, in a list in an object, in a list of objects."""
    query = """query ($s: DisputeState!, $d: Date, $way: Direction!) {
      disputes(filter: {state: [CLOSED, $s], registeredFrom: $d}, orderBy: [{field: STATE, direction: $way}]) { totalCount } }"""
    plan = planned(schema, query, s="FAILED", d="2024-01-01", way="ASC")
    (page,) = plan.plan.items
    assert isinstance(page, p.Page)
    assert page.order == (p.Order("state", False),)
    binds = values(schema, plan, query, s="AGREED", d="2024-02-02", way="ASC")
    assert list(binds.values())[:1] == [["CLOSED", "AGREED"]]
    assert not satisfied(plan.constraints, call_of(schema, query, {"s": "FAILED", "d": "2024-01-01", "way": "DESC"}))
    absent = planned(schema, query, s="FAILED", way="ASC")
    (page,) = absent.plan.items
    assert isinstance(page, p.Page)
    assert [one.operator for one in page.conditions] == ["in"]


def test_flags_are_part_of_the_plan(schema: GraphQLSchema) -> None:
    query = "query ($o: Boolean, $d: Boolean) { followUps(filter: {overdue: $o, done: $d}) { totalCount } }"
    plans = {planned(schema, query, o=o, d=d).plan for o in (True, False, None) for d in (True, False, None)}
    assert len(plans) == 9


@pytest.mark.parametrize(("query", "rows"), [
    ("{ __typename }", 0),
    ("{ disputes { totalCount } }", 101),
    ("{ disputes { a: totalCount b: totalCount(exact: false) totalCountCapped } }", 101),
    ("{ disputes { totalCount(exact: true) } }", 5001),
    ("{ areas(first: 1) { nodes { disputes { totalCount(exact: true) } } } }", 1 + 1 + 501),
    ("{ disputes { totalCount exact: totalCount(exact: true) totalCountCapped } }", 5101),
    ("{ disputes(first: 7) { nodes { id } } }", 1 + 7),
    ("{ disputes(last: 7) { nodes { parties { id } } } }", 1 + 7 * (1 + 5)),
    ("{ disputes(first: 7) { edges { cursor node { area { name } } } } }", 1 + 7 * 2 + 7),
    ("{ disputes(first: 200) { nodes { parties { obligations { performances { id } } } } } }", 1 + 200 * (1 + 5 * (1 + 5 * (1 + 5)))),
    ("{ areas(first: 10) { nodes { disputes { nodes { id } } } } }", 1 + 10 * (1 + 1 + 20)),
    ("{ statistics { resolved } }", 100),
    ("{ statistics(groupBy: TOWN) { resolved a: groups { key } b: groups { key } } }", 300),
    (f'{{ nodes(ids: ["Party:{KEY}", "Party:{KEY}"]) {{ id ... on Party {{ dispute {{ id }} }} }} }}', 4),
    ("{ viewer { roles person { name } } }", 2),
])  # fmt: skip
def test_cost(schema: GraphQLSchema, query: str, rows: int) -> None:
    """The rows that an operation may touch at most, before anything is asked of the database."""
    plan = planned(schema, query)
    call = call_of(schema, query, {})
    assert plan.cost(call) == rows


REFUSED: list[tuple[str, str, str, list[str | int]]] = [
    ("grid_worker", "{ disputes(filter: {amountMin: \"1\"}) { totalCount } }", "FIELD_NOT_READABLE", ["disputes"]),
    ("grid_worker", "{ x: disputes(orderBy: [{field: AMOUNT_CLAIMED}]) { totalCount } }", "FIELD_NOT_READABLE", ["x"]),
    ("bureau_admin", "{ disputes(filter: {partyPhone: \"1\"}) { totalCount } }", "FIELD_NOT_READABLE", ["disputes"]),
    ("analyst", "{ disputes(filter: {partyName: \"1\"}) { totalCount } }", "FIELD_NOT_READABLE", ["disputes"]),
    ("auditor", "{ disputes(filter: {state: [CLOSED]}) { totalCount } }", "FIELD_NOT_READABLE", ["disputes"]),
    ("auditor", "{ statistics { resolved } }", "FIELD_NOT_READABLE", ["statistics"]),
    ("court", "{ statistics { followUpRate } }", "FIELD_NOT_READABLE", ["statistics"]),
    ("mediator", "{ disputes(first: 1, last: 1) { totalCount } }", "BAD_USER_INPUT", ["disputes"]),
    ("mediator", "{ dispute { id } }", "BAD_USER_INPUT", ["dispute"]),
    ("mediator", f'{{ dispute(id: "Dispute:{KEY}", caseNumber: "x") {{ id }} }}', "BAD_USER_INPUT", ["dispute"]),
    ("mediator", f'{{ dispute(id: "Party:{KEY}") {{ id }} }}', "BAD_USER_INPUT", ["dispute"]),
    ("mediator", '{ node(id: "Nothing:1") { id } }', "BAD_USER_INPUT", ["node"]),
    ("mediator", '{ a: nodes(ids: ["junk"]) { id } }', "BAD_USER_INPUT", ["a"]),
]  # fmt: skip


@pytest.mark.parametrize(("role", "query", "code", "path"), REFUSED)
def test_refusals(schema: GraphQLSchema, role: str, query: str, code: str, path: list[str | int]) -> None:
    with pytest.raises(Refusal) as refused:
        planned(schema, query, role)
    assert (refused.value.code, list(refused.value.path or ())) == (code, path)


LATE: list[tuple[str, dict[str, Any]]] = [
    ("query ($v: Int) { disputes(first: $v) { totalCount } }", {"v": 0}),
    ("query ($v: String) { disputes(after: $v) { totalCount } }", {"v": "x"}),
    ("query ($v: String) { disputes(filter: {areaCode: $v}) { totalCount } }", {"v": "37152"}),
    ("query ($v: String) { disputes(filter: {areaCode: $v}) { totalCount } }", {"v": "３７１５２５"}),
    ("query ($v: String) { disputes(filter: {text: $v}) { totalCount } }", {"v": " 水 "}),
    ("query ($v: String) { disputes(filter: {text: $v}) { totalCount } }", {"v": "水" * 101}),
    ("query ($v: String) { disputes(filter: {caseNumber: $v}) { totalCount } }", {"v": "a\x00b"}),
    ("query ($v: ID) { disputes(filter: {compoundId: $v}) { totalCount } }", {"v": "Compound:x"}),
    ("query ($v: ID!) { node(id: $v) { id } }", {"v": "Party:" + "x" * 36}),
    ("query ($v: [ID!]!) { nodes(ids: $v) { id } }", {"v": [f"Party:{KEY}"] * 101}),
]


def test_the_mark_of_a_cursor_is_that_of_policy_roles_and_person(schema: GraphQLSchema) -> None:
    query = "{ disputes { pageInfo { endCursor } } }"
    ast = parse(query)
    operation: Any = Operation(Document(query, ast), ast.definitions[0], None, {})  # type: ignore[arg-type]

    def mark(version: int = 1, roles: tuple[str, ...] = ("court", "police"), person: int = 1, key: bytes = b"k") -> str:
        policy = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG, version) if version > 1 else POLICY
        access = Access(policy, [Appointment(role, CLAIMS) for role in roles])
        call = replace(call_of(schema, query, {}), person_id=uuid.UUID(int=person), cursor_key=key)
        plan = plan_operation(schema, operation, access, call, typed=False)
        (found,) = (extract(call) for name, extract in plan.extracts.items() if name.endswith("_mark"))
        return str(found)

    assert mark() == mark(roles=("police", "court"))
    others = [mark(version=2), mark(roles=("court",)), mark(person=2), mark(key=b"other")]
    assert len({mark(), *others}) == 5


@pytest.mark.parametrize(("query", "given"), LATE)
def test_values_are_checked_with_every_call(schema: GraphQLSchema, query: str, given: dict[str, Any]) -> None:
    """A plan is cached, so a bad value is refused when its bind is extracted, not when the plan is made."""
    plan = planned(schema, query, "mediator", **given)
    with pytest.raises(Refusal) as refused:
        values(schema, plan, query, **given)
    assert refused.value.code == "BAD_USER_INPUT"
    assert not any(str(value) in refused.value.message for value in given.values() if len(str(value)) > 3)
