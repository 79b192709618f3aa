"""The words of the schema: described in Chinese, bound to the tables by name, null where guarded, and as printed."""

import re
from pathlib import Path

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)
from sqlalchemy import ARRAY, Boolean, Column, Date, DateTime, Integer, Numeric, Text

import schema as folder
from db.tables import metadata
from schema import node as node_module
from schema import sdl
from schema.names import camel, snake
from schema.node import NODE_TYPES
from schema.scalars import SCALARS

# Values that the catalog computes: fields of a node that are no column of its table.
DERIVED = {
    "Mediator": {"name": "String"},
    "Obligation": {"overdue": "Boolean", "watched": "Boolean", "remind_today": "Boolean"},
    "Dispute": {"overdue": "Boolean", "clocks": "[Clock!]!", "timeline": "[TimelineEntry!]!"},
    "FollowUp": {"overdue": "Boolean"},
    "Alert": {"legal_basis": "String"},
}

# relation -> Target (to one), [Target] (plain list) or {Target} (connection)
RELATIONS = {
    "Area": "parent Area, areas {Area}, compounds {Compound}, organizations {Organization}, teams {Team},"
    " disputes {Dispute}",
    "Organization": "area Area, parent Organization, mediators {Mediator}, appointments [Appointment]",
    "Company": "compounds {Compound}",
    "Compound": "area Area, company Company, disputes {Dispute}",
    "Person": "mediator Mediator, appointments [Appointment], team_memberships [TeamMember]",
    "Appointment": "person Person, organization Organization, area Area, delegated_from Appointment",
    "Mediator": "person Person, organization Organization, disputes {Dispute}",
    "Team": "area Area, members [TeamMember], disputes {Dispute}",
    "TeamMember": "team Team, person Person",
    "Dispute": "area Area, compound Compound, committee Organization, source_organization Organization,"
    " lead_mediator Mediator, team Team, squad Organization, centre Organization, previous Dispute,"
    " assignments [Assignment], parties [Party], measures [Measure], sessions [Session], notes [Note],"
    " agreements [Agreement], obligations [Obligation], confirmations [Confirmation], extensions [Extension],"
    " follow_ups [FollowUp], referrals [Referral], alerts [Alert], assessments [Assessment],"
    " escalations [Escalation], recusals [Recusal], opinions [Opinion], visits [Visit], factors [Factor],"
    " events {Event}",
    "Party": "dispute Dispute, company Company, obligations [Obligation]",
    "Assignment": "dispute Dispute, mediator Mediator",
    "Measure": "dispute Dispute",
    "Session": "dispute Dispute, notes [Note], attendances [Attendance]",
    "Attendance": "session Session, organization Organization",
    "Note": "dispute Dispute, session Session, author Person",
    "Agreement": "dispute Dispute, obligations [Obligation], signatures [Signature], confirmations [Confirmation]",
    "Signature": "agreement Agreement, party Party, person Person, organization Organization",
    "Confirmation": "dispute Dispute, agreement Agreement, court Organization",
    "Extension": "dispute Dispute",
    "Obligation": "dispute Dispute, agreement Agreement, party Party, performances [Performance]",
    "Performance": "dispute Dispute, obligation Obligation, party Party",
    "FollowUp": "dispute Dispute, visitor Person",
    "Referral": "dispute Dispute, organization Organization, from_organization Organization",
    "Alert": "dispute Dispute, compound Compound, company Company, handler Person",
    "AlertRule": "",
    "Assessment": "dispute Dispute, assessor Person",
    "Escalation": "dispute Dispute, organization Organization",
    "Recusal": "dispute Dispute, mediator Mediator, party Party, replacement Mediator",
    "Opinion": "dispute Dispute, author Person, organization Organization",
    "Inspection": "area Area, person Person",
    "Visit": "dispute Dispute, visitor Person",
    "Factor": "dispute Dispute, author Person",
    "Event": "dispute Dispute, actor Person",
    "PolicyVersion": "parent PolicyVersion, base PolicyVersion, author Person, approver Person, second_approver Person",
}

# What each operator of a condition asks of its input type; None: the type of the field itself.
OPERATORS = {
    "in": "list", "eq": None, "from": None, "to": None, "from_day": "Date", "to_day": "Date", "before_day": "Date",
    "area": "String", "is": "ID", "mediator": "ID", "text": "String", "flag": "Boolean", "present": "Boolean",
    "party": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def built() -> GraphQLSchema:
    return sdl.graphql_schema()


def relations(name: str) -> dict[str, str]:
    return dict(part.strip().split(" ") for part in RELATIONS[name].split(",") if part)


def columns(name: str) -> dict[str, Column]:
    return {each.name: each for each in metadata.tables[snake(name)].c if "field_class" in each.info}


def scalar_of(column: Column) -> str:
    if isinstance(column.type, ARRAY):
        return "[String!]"
    if isinstance(column.type, Numeric):
        return "Money" if column.type.scale == 2 else "Float"
    kinds = {Boolean: "Boolean", Integer: "Int", Text: "String", Date: "Date", DateTime: "DateTime"}
    return next(scalar for kind, scalar in kinds.items() if isinstance(column.type, kind))


def test_every_name_is_described_in_chinese(built: GraphQLSchema) -> None:
    missing = []

    def check(path: str, description: str | None) -> None:
        if not re.search(r"[\u4e00-\u9fff]", description or ""):
            missing.append(path)

    for name, kind in built.type_map.items():
        if is_introspection_type(kind) or is_specified_scalar_type(kind):
            continue
        check(name, kind.description)
        if isinstance(kind, GraphQLEnumType):
            for value, definition in kind.values.items():
                check(f"{name}.{value}", definition.description)
        if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)):
            for field, definition in kind.fields.items():
                check(f"{name}.{field}", definition.description)
                for argument, value in getattr(definition, "args", {}).items():
                    check(f"{name}.{field}({argument})", value.description)
    assert not missing


def test_every_resource_has_its_type(built: GraphQLSchema) -> None:
    assert set(NODE_TYPES) == set(RELATIONS)
    assert {each.name for each in built.get_possible_types(built.type_map["Node"])} == set(RELATIONS)


@pytest.mark.parametrize("name", sorted(RELATIONS))
def test_fields_of_a_node_are_the_columns_and_relations_of_its_resource(built: GraphQLSchema, name: str) -> None:
    fields = {snake(field): each.type for field, each in built.type_map[name].fields.items()}
    assert str(fields.pop("id")) == "ID!"
    assert str(fields.pop("access")) == "Access!"

    expected = dict(DERIVED.get(name, {}))
    for each in columns(name).values():
        coded = "values" in each.info
        expected[each.name] = str(get_named_type(fields[each.name])) if coded else scalar_of(each)
        if coded:
            assert tuple(fields[each.name].values) == each.info["values"]
    for relation, target in relations(name).items():
        bare = target.strip("[]{}")
        expected[relation] = {"[": f"[{bare}!]!", "{": f"{bare}Connection!"}.get(target[0], bare)
    # No non-null but for lists of rows: whatever is guarded may be withheld.
    assert {field: str(kind) for field, kind in fields.items()} == expected


@pytest.mark.parametrize("name", sorted(RELATIONS))
def test_a_column_that_the_type_does_not_name_is_a_field_all_the_same(
    name: str, built: GraphQLSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A type that names nothing has the columns of its table, each with the type and the nullability that the contract has."""
    monkeypatch.setattr(node_module, "NODE_TYPES", {})
    bare = node_module.node("空。")(type(name, (node_module.Node,), {"__annotations__": {}}))
    schema = strawberry.Schema(
        strawberry.type(type("Query", (), {"__annotations__": {"bare": bare}})), types=[bare], scalar_overrides=SCALARS
    )
    printed = build_schema(schema.as_str()).type_map[name].fields
    wanted = built.type_map[name].fields
    assert {camel(one) for one in columns(name)} <= printed.keys()
    assert {field: str(one.type) for field, one in printed.items()} == {
        field: str(wanted[field].type) for field in printed
    }


@pytest.mark.parametrize("name", sorted(RELATIONS))
def test_a_guarded_field_says_so(built: GraphQLSchema, name: str) -> None:
    fields = {snake(field): each.description for field, each in built.type_map[name].fields.items()}
    for each in columns(name).values():
        assert ("【受控：" in fields[each.name]) == (each.info["field_class"] != "public")
        assert ("掩码或" in fields[each.name]) == (each.info["mask"] not in {None, "stored"})


def inputs(built: GraphQLSchema, suffix: str) -> list[str]:
    return sorted(name.removesuffix(suffix) for name in built.type_map if name.endswith(suffix) and name != suffix)


def test_conditions_read_fields_of_the_resource(built: GraphQLSchema) -> None:
    for name in inputs(built, "Filter"):
        definition = built.type_map[f"{name}Filter"].extensions["strawberry-definition"]
        for each in definition.fields:
            path, operator = each.metadata["condition"]
            kind = built.type_map[f"{name}Filter"].fields[camel(each.python_name)].type
            where = f"{name}Filter.{each.python_name}"
            assert not isinstance(kind, GraphQLNonNull), where
            target, field = name, path
            if "." in path:
                relation, field = path.split(".")
                target = relations(name)[relation].strip("[]{}")
            kinds = {snake(key): value.type for key, value in built.type_map[target].fields.items()}
            if operator == "area":
                assert field == "area", where
            else:
                assert field in kinds, where
            if operator == "in":
                assert isinstance(kind, GraphQLList), where
                assert get_named_type(kind) is get_named_type(kinds[field]), where
            elif OPERATORS[operator] is None:
                assert kind is kinds[field], where
            else:
                assert str(kind) == OPERATORS[operator], where
            if operator in {"from_day", "to_day"}:
                assert str(kinds[field]) == "DateTime", where
            if operator in {"is", "mediator"}:
                assert field in relations(target), where


def test_orders_are_by_columns_of_the_resource(built: GraphQLSchema) -> None:
    assert inputs(built, "Order") == inputs(built, "Filter")
    for name in inputs(built, "Order"):
        fields = built.type_map[f"{name}Order"].fields
        assert str(fields["field"].type) == f"{name}OrderField!"
        assert str(fields["direction"].type) == "Direction!"
        assert fields["direction"].default_value.value == "DESC"
        for value in built.type_map[f"{name}OrderField"].values:
            assert value.lower() in columns(name), f"{name}OrderField.{value}"


def test_every_connection_takes_the_inputs_of_its_node(built: GraphQLSchema) -> None:
    seen = set()
    for name in ["Query", *RELATIONS]:
        for each in built.type_map[name].fields.values():
            kind = str(each.type)
            if kind.endswith("Connection!"):
                target = kind.removesuffix("Connection!")
                seen.add(target)
                assert {key: str(value.type) for key, value in each.args.items()} == {
                    "filter": f"{target}Filter", "orderBy": f"[{target}Order!]",
                    "first": "Int", "after": "String", "last": "Int", "before": "String",
                }  # fmt: skip
    assert sorted(seen) == inputs(built, "Filter")


def test_names_go_to_camel_case_and_back() -> None:
    for name in RELATIONS:
        for each in [*columns(name), *relations(name), *DERIVED.get(name, {})]:
            assert snake(camel(each)) == each


def test_nothing_answers_outside_a_plan() -> None:
    result = sdl.build().execute_sync("{ viewer { roles } }")
    assert result.data is None
    assert "outside a plan" in str(result.errors[0])


def test_a_misspelt_name_is_refused_without_naming_its_neighbours() -> None:
    result = sdl.build().execute_sync("{ viewer { rolls } }")
    assert "rolls" in str(result.errors[0])
    assert "roles" not in str(result.errors[0])


def test_the_printed_contract_is_the_schema() -> None:
    golden = Path(folder.__file__).with_name("schema.graphql").read_text(encoding="utf-8")
    assert sdl.print_sdl() == golden, (
        "print it anew and review the difference: python -m api schema print > schema/schema.graphql"
    )
