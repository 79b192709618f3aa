"""Law: whoever asks, by whatever path, sees exactly the rows and cells that the policy's text gives him.

The expectation is reckoned without the compiler and without SQL (expected.py); what the bureau's lawyer relies on stands below once
more, by hand.
"""

import datetime as dt
from collections.abc import Callable
from functools import cache
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from db.county.people import ENDED, PRINCIPALS
from db.tables import metadata
from schema.names import snake
from schema.sdl import graphql_schema
from tests.laws.client import COUNTS, GraphQLClient
from tests.laws.expected import TABLES, Record, Rights, World, gid, key_of, mask, wire
from tests.laws.people import EVERYONE, appoint_several

SCHEMA = graphql_schema()
ROOTS = {
    name: get_named_type(one.type).name.removesuffix("Connection")
    for name, one in cast("GraphQLObjectType", SCHEMA.query_type).fields.items()
    if get_named_type(one.type).name.endswith("Connection")
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(gql: GraphQLClient) -> World:
    """All rows, with the people of several appointments among them."""
    await appoint_several(gql.connection)
    return await World.read(gql.connection)


def scalars(schema: GraphQLSchema, resource: str) -> list[str]:
    """The fields of a type that hold values."""
    return list(_scalars(schema, resource))


@cache
def _scalars(schema: GraphQLSchema, resource: str) -> tuple[str, ...]:
    fields: Any = schema.type_map[resource]
    return tuple(name for name, one in fields.fields.items() if is_leaf_type(get_named_type(one.type)) and name != "id")


@cache
def columns_of(schema: GraphQLSchema, resource: str) -> dict[str, tuple[str, str, str | None]]:
    """GraphQL name -> (column, field class, mask), as the tables declare them; derived fields are public."""
    declared = metadata.tables[snake(resource)].c
    found = {}
    for name in scalars(schema, resource):
        info = declared[snake(name)].info if snake(name) in declared else {"field_class": "public", "mask": None}
        found[name] = (snake(name), info["field_class"], info["mask"])
    return found


def value_of(world: World, resource: str, row: Record, column: str) -> Any:
    """The value of a field in clear, as JSON carries it."""
    if column == "overdue":
        undone = {
            "Dispute": lambda: row["state"] in ("ACCEPTED", "MEDIATING"),
            "Obligation": lambda: row["state"] in ("PENDING", "PARTLY_PERFORMED"),
            "FollowUp": lambda: row["done_at"] is None,
        }
        return row["due_on"] is not None and row["due_on"] < world.today and undone[resource]()
    if column == "watched":
        return row["state"] in ("PENDING", "PARTLY_PERFORMED")
    if column == "remind_today":
        return row["state"] in ("PENDING", "PARTLY_PERFORMED") and (row["due_on"] - world.today).days in (3, 0, -1)
    if (resource, column) == ("Alert", "legal_basis"):
        return next((one["legal_basis"] for one in world.find("AlertRule", rule=row["rule"])), None)
    if (resource, column) == ("Mediator", "name"):
        return world.rows["Person"][row["person_id"]]["name"]
    return wire(row[column])


def expected_cells(gql: GraphQLClient, world: World, rights: Rights, resource: str, key: UUID) -> dict[str, Any]:
    """The whole object as the person should see it."""
    schema, row, shown = gql.services.schema, world.rows[resource][key], rights.sight(resource)[key]
    cells: dict[str, Any] = {"id": gid(resource, key)}
    hidden, masked = [], []
    for name, (column, field_class, kind) in columns_of(schema, resource).items():
        value = value_of(world, resource, row, column)
        form = shown.get(field_class, "hidden")
        if form != "hidden" and kind == "stored":
            form = "masked"
        elif form == "masked" and kind is None:
            form = "hidden"
        if form == "hidden":
            hidden.append(name)
            value = None
        elif form == "masked":
            masked.append(name)
            if not (kind == "name" and resource == "Party" and column == "name" and not row["is_natural_person"]):
                value = mask(str(kind), value)
        cells[name] = value
    kinds: Any = schema.type_map[resource]
    for name, one in kinds.fields.items():
        target = get_named_type(one.type).name.removesuffix("Connection")
        if target in world.rows and not rights.rules(target):
            hidden.append(name)
    return cells | {"access": {"hidden": sorted(hidden), "masked": sorted(masked)}}


def sorted_access(cells: dict[str, Any]) -> dict[str, Any]:
    access = cells["access"]
    return cells | {"access": {"hidden": sorted(access["hidden"]), "masked": sorted(access["masked"])}}


def selection(gql: GraphQLClient, resource: str) -> str:
    return f"id {' '.join(scalars(gql.services.schema, resource))} access {{ hidden masked }}"


@pytest.mark.parametrize("person", EVERYONE)
async def test_the_lists(gql: GraphQLClient, world: World, person: str) -> None:
    """Every list has exactly the rows in reach, each cell in the form that the text gives, and counts them."""
    rights = Rights(world, world.posts(person))
    for root, resource in ROOTS.items():
        query = f"""query ($after: String) {{
          {root}(first: 200, after: $after) {{
            {COUNTS} pageInfo {{ hasNextPage endCursor }} edges {{ cursor node {{ {selection(gql, resource)} }} }}
          }}
        }}"""
        found: dict[UUID, Any] = {}
        after = None
        while True:
            page = (await gql.data(person, query, after=after))[root]
            counted = (page["totalCount"], page["exact"], page["totalCountCapped"])
            assert counted == (len(rights.ids(resource)), len(rights.ids(resource)), False), (person, root)
            for edge in page["edges"]:
                assert key_of(edge["node"]["id"]) not in found
                found[key_of(edge["node"]["id"])] = sorted_access(edge["node"])
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert found == {key: expected_cells(gql, world, rights, resource, key) for key in rights.ids(resource)}, root


@pytest.mark.parametrize("person", EVERYONE)
async def test_by_identifier(gql: GraphQLClient, world: World, person: str) -> None:
    """`nodes` gives rows in reach and null for the others; `node` gives one and the same answer for a hidden and a missing row."""
    rights = Rights(world, world.posts(person))
    for resource, rows in world.rows.items():
        # By digest, so that the rows asked for are spread over the county.
        keys = sorted(rows, key=lambda key: key.int * 0x9E3779B97F4A7C15 % 2**64)
        seen = [key for key in keys if key in rights.ids(resource)]
        unseen = [key for key in keys if key not in rights.ids(resource)]
        asked = sorted([*seen[:60], *unseen[:40]])
        query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {resource} {{ {selection(gql, resource)} }} }} }}"
        data = await gql.data(person, query, ids=[gid(resource, key) for key in asked])
        for key, node in zip(asked, data["nodes"], strict=True):
            if key in rights.ids(resource):
                assert sorted_access(node) == expected_cells(gql, world, rights, resource, key)
            else:
                assert node is None, (person, resource, key)
        one = "query ($id: ID!) { node(id: $id) { id } }"
        missing = await gql.ask(person, one, id=gid(resource, uuid4()))
        assert (missing.data, missing.codes) == ({"node": None}, ["NOT_FOUND"])
        for key in unseen[:1]:
            assert await gql.ask(person, one, id=gid(resource, key)) == missing


# The plain lists of a dispute, all of them of its own parts.
PARTS = {
    name: get_named_type(one.type).name
    for name, one in cast("GraphQLObjectType", SCHEMA.type_map["Dispute"]).fields.items()
    if is_list_type(get_nullable_type(one.type)) and get_named_type(one.type).name in TABLES
}


@pytest.mark.parametrize("person", EVERYONE)
async def test_below_a_dispute(gql: GraphQLClient, world: World, person: str) -> None:
    """Below the disputes in reach stand exactly their parts in reach, in the same form as anywhere else."""
    rights = Rights(world, world.posts(person))
    for relation, resource in PARTS.items():
        query = f"""query ($after: String) {{ disputes(first: 200, after: $after) {{
            pageInfo {{ hasNextPage endCursor }} nodes {{ id {relation} {{ {selection(gql, resource)} dispute {{ id }} }} }}
        }} }}"""
        data = await gql.data(person, query)
        assert not data["disputes"]["pageInfo"]["hasNextPage"]
        found = {}
        for dispute in data["disputes"]["nodes"]:
            for node in dispute[relation]:
                assert node.pop("dispute")["id"] == dispute["id"]
                found[key_of(node["id"])] = sorted_access(node)
        disputes = rights.ids("Dispute")
        assert found == {
            key: expected_cells(gql, world, rights, resource, key)
            for key in rights.ids(resource)
            if world.rows[resource][key]["dispute_id"] in disputes
        }, relation


async def test_rows_are_seen_by_somebody_and_hidden_from_somebody(world: World) -> None:
    """The county is rich enough: for every guarded kind of row there is one that a person sees and another does not."""
    sights = [Rights(world, world.posts(person)) for person in EVERYONE]
    for resource, rows in world.rows.items():
        if not rows:
            continue  # the county tells no story with one
        seen = set().union(*(rights.ids(resource) for rights in sights))
        assert seen, resource
        assert any(rights.ids(resource) != set(rows) for rights in sights), resource
    assert Rights(world, world.posts(ENDED)).lines == []


# -- what the bureau's lawyer relies on, by hand (the role matrix of the domain)

# Each fact: who, and what must hold of all rows he finds. `None`: the whole kind of row is out of his reach.
Holds = Callable[[World, Record, dict[str, Any]], bool]
CLEAR_PHONE = "13"


def _masked_phone(_: World, row: Record, shown: dict[str, Any]) -> bool:
    return shown["phone"] is None or "****" in shown["phone"] or set(shown["phone"][-8:]) >= {"*"}


def _no(*names: str) -> Holds:
    return lambda _, row, shown: all(shown[name] is None for name in names)


def _own(role: str, attribute: str, claim: str) -> Holds:
    def holds(world: World, row: Record, _: dict[str, Any]) -> bool:
        dispute = row if attribute in row else world.rows["Dispute"][row["dispute_id"]]
        (post,) = world.posts(PRINCIPALS[role])
        return bool(dispute[attribute] == post.claims[claim])

    return holds


def _own_case(world: World, row: Record, _: dict[str, Any]) -> bool:
    key = row.get("dispute_id", row["id"])
    me = world.person(PRINCIPALS["mediator"])
    return any(one["ended_at"] is None for one in world.find("Assignment", dispute_id=key, person_id=me))


def _sent_to(role: str, *more: str) -> Holds:
    def holds(world: World, row: Record, _: dict[str, Any]) -> bool:
        key = row.get("dispute_id", row["id"])
        me = world.posts(PRINCIPALS[role])[0].claims["organization_id"]
        sent = any(one["state"] != "WITHDRAWN" for one in world.find("Referral", dispute_id=key, organization_id=me))
        confirms = "confirming" in more and world.find("Confirmation", dispute_id=key, court_id=me)
        reported = "reported" in more and world.rows["Dispute"][key]["source_organization_id"] == me
        return sent or bool(confirms) or reported

    return holds


def _caucus(world: World, row: Record, _: dict[str, Any]) -> bool:
    me = world.person(PRINCIPALS["mediator"])
    leads = world.find("Assignment", dispute_id=row["dispute_id"], person_id=me, is_lead=True, ended_at=None)
    return row["visibility"] != "CAUCUS" or row["author_id"] == me or bool(leads)


def _not(visibility: str) -> Holds:
    return lambda _, row, __: row["visibility"] != visibility


def _legal_person(_: World, row: Record, __: dict[str, Any]) -> bool:
    return row["is_natural_person"] is False


def _own_caller(role: str) -> Holds:
    def holds(world: World, row: Record, _: dict[str, Any]) -> bool:
        me = world.posts(PRINCIPALS[role])[0].claims["organization_id"]
        reported = world.rows["Dispute"][row["dispute_id"]]["source_organization_id"]
        return bool(row["supplied_by_id"] == me == reported)

    return holds


def _attended(role: str) -> Holds:
    def holds(world: World, row: Record, _: dict[str, Any]) -> bool:
        me = world.posts(PRINCIPALS[role])[0].claims["organization_id"]
        session = row["session_id"] if "session_id" in row else row["id"]
        return me in world.present[session]

    return holds


def _confirmation_file(world: World, row: Record, shown: dict[str, Any]) -> bool:
    me = world.posts(PRINCIPALS["court"])[0].claims["organization_id"]
    return shown["idNumber"] is None or bool(world.find("Confirmation", dispute_id=row["dispute_id"], court_id=me))


def _at_team(world: World, row: Record, shown: dict[str, Any]) -> bool:
    dispute = row if "tier" in row else world.rows["Dispute"][row["dispute_id"]]
    return dispute["tier"] == "TEAM"


def _old_is_masked(world: World, row: Record, shown: dict[str, Any]) -> bool:
    closed = world.rows["Dispute"][row["dispute_id"]]["closed_at"]
    recent = closed is None or closed > dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    return recent or not row["is_natural_person"] or shown["name"].endswith("*")


def _only_masked_person(_: World, row: Record, shown: dict[str, Any]) -> bool:
    name = shown["name"]
    return name is None or not row["is_natural_person"] or (name != row["name"] and name.endswith("*"))


def _masked_identity(_: World, row: Record, shown: dict[str, Any]) -> bool:
    return shown["idNumber"] is None or "********" in shown["idNumber"]


CASE_DATA = (
    "Dispute Party Assignment Measure Session Attendance Note Agreement Signature Confirmation Extension Obligation "
    "Performance FollowUp Referral"
).split()

FACTS: list[tuple[str, str, Holds | None]] = [
    # 网格员: own grid; no ID number anywhere; phone masked; no records, no agreement text; 30 days after closing only masks
    ("grid_worker", "Dispute", _own("grid_worker", "grid_code", "area_code")),
    ("grid_worker", "Dispute", _no("amountClaimed")),
    ("grid_worker", "Party", _own("grid_worker", "grid_code", "area_code")),
    ("grid_worker", "Party", _at_team),
    ("grid_worker", "Party", _no("idNumber", "isMinor")),
    ("grid_worker", "Party", _masked_phone),
    ("grid_worker", "Party", _old_is_masked),
    ("grid_worker", "Session", None),
    ("grid_worker", "Signature", None),
    ("grid_worker", "Agreement", _no("content")),
    ("grid_worker", "Note", lambda world, row, _: row["author_id"] == world.person(PRINCIPALS["grid_worker"])),
    # 法律顾问: own team while it has the case; no contact, no ID number
    ("legal_adviser", "Party", _no("phone", "idNumber", "isMinor")),
    ("legal_adviser", "Party", _at_team),
    ("legal_adviser", "Session", _at_team),
    ("legal_adviser", "Note", _not("CAUCUS")),
    ("legal_adviser", "Confirmation", None),
    # 法治带头人: no evidence, no ID number, no money
    ("law_leader", "Dispute", _no("amountClaimed")),
    ("law_leader", "Obligation", _no("amount", "content")),
    ("law_leader", "Agreement", _no("content")),
    ("law_leader", "Party", _no("idNumber")),
    ("law_leader", "Party", _masked_phone),
    ("law_leader", "Performance", None),
    ("law_leader", "Session", None),
    # 人民调解员: assigned cases; the ID number masked; caucus notes of others only as the lead; no audit log
    *(("mediator", resource, _own_case) for resource in CASE_DATA),
    ("mediator", "Party", _masked_identity),
    ("mediator", "Note", _caucus),
    ("mediator", "Event", None),
    # 调解队: only what was handed to the squad; no caucus notes of others
    ("squad_member", "Event", None),
    # 调解中心
    ("centre_staff", "Note", _not("CAUCUS")),
    ("centre_staff", "Note", _own("centre_staff", "centre_id", "organization_id")),
    ("centre_staff", "Party", _own("centre_staff", "centre_id", "organization_id")),
    # 派出所: invited cases; joint sessions it attended; no private notes; no money
    ("police", "Dispute", _sent_to("police", "reported")),
    ("police", "Dispute", _no("amountClaimed", "summary")),
    ("police", "Party", _no("idNumber", "isMinor")),
    ("police", "Party", _masked_phone),
    ("police", "Session", _attended("police")),
    ("police", "Note", _attended("police")),
    ("police", "Note", lambda _, row, __: row["visibility"] == "SHARED"),
    ("police", "Agreement", _no("content")),
    ("police", "Obligation", None),
    # 司法所: own town; phone and ID number masked; no caucus notes
    ("justice_office", "Dispute", _own("justice_office", "town_code", "area_code")),
    ("justice_office", "Party", _masked_phone),
    ("justice_office", "Party", _masked_identity),
    ("justice_office", "Note", _not("CAUCUS")),
    # 综治中心: what it sent, what it was invited to; no notes, evidence, agreement text
    ("governance_centre", "Dispute", _sent_to("governance_centre", "reported")),
    ("governance_centre", "Note", None),
    ("governance_centre", "Agreement", None),
    ("governance_centre", "Performance", None),
    ("governance_centre", "Party", _no("idNumber")),
    # 法庭: referred, invited, confirming; ID number in confirmation files only; no notes, no records
    ("court", "Dispute", _sent_to("court", "confirming", "reported")),
    ("court", "Dispute", _no("summary")),
    ("court", "Note", None),
    ("court", "Session", None),
    ("court", "Performance", None),
    ("court", "Party", _confirmation_file),
    ("court", "Party", _masked_identity),
    # 12345、信访: what they sent; their own caller only
    ("agency_hotline", "Party", _own_caller("agency_hotline")),
    ("agency_hotline", "Dispute", _own("agency_hotline", "source_organization_id", "organization_id")),
    ("agency_hotline", "Dispute", _no("summary", "amountClaimed")),
    ("agency_hotline", "Note", None),
    ("agency_petition", "Party", _own_caller("agency_petition")),
    ("agency_petition", "Dispute", _no("summary", "amountClaimed")),
    ("agency_petition", "Agreement", _no("content")),
    ("agency_petition", "Note", None),
    # 住建: companies and facts, no owner
    ("housing", "Dispute", _sent_to("housing", "reported")),
    ("housing", "Dispute", _no("summary", "amountClaimed")),
    ("housing", "Party", _legal_person),
    ("housing", "Party", _no("phone", "address", "idNumber")),
    ("housing", "Note", None),
    ("housing", "Agreement", None),
    # 业务管理员: all masked; no caucus notes; no audit log
    ("bureau_admin", "Party", _only_masked_person),
    ("bureau_admin", "Party", _masked_phone),
    ("bureau_admin", "Party", _masked_identity),
    ("bureau_admin", "Note", _not("CAUCUS")),
    ("bureau_admin", "Event", None),
    # 分析人员: no parties, no texts
    ("analyst", "Party", None),
    ("analyst", "Note", None),
    ("analyst", "Session", None),
    ("analyst", "Dispute", _no("summary", "amountClaimed", "externalRef")),
    ("analyst", "Agreement", _no("content")),
    ("analyst", "Obligation", _no("amount", "content")),
    ("analyst", "FollowUp", _no("remark")),
    # 三员: no business rows
    *(("auditor", resource, None) for resource in CASE_DATA),
    *(("system_admin", resource, None) for resource in (*CASE_DATA, "Event")),
    *(("security_admin", resource, None) for resource in (*CASE_DATA, "Event")),
]


@pytest.mark.parametrize("role", PRINCIPALS)
async def test_the_facts(gql: GraphQLClient, world: World, role: str) -> None:
    """The role matrix by hand, held against what `nodes` shows of every row of the county."""
    person = PRINCIPALS[role]
    for resource in dict.fromkeys(resource for who, resource, _ in FACTS if who == role):
        facts = [fact for who, what, fact in FACTS if (who, what) == (role, resource)]
        keys = sorted(world.rows[resource])
        names = " ".join(scalars(gql.services.schema, resource))
        query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {resource} {{ id {names} }} }} }}"
        seen = 0
        for start in range(0, len(keys), 100):
            data = await gql.data(person, query, ids=[gid(resource, key) for key in keys[start : start + 100]])
            for node in filter(None, data["nodes"]):
                seen += 1
                for number, fact in enumerate(facts):
                    row = world.rows[resource][key_of(node["id"])]
                    assert fact is not None, (role, resource)
                    assert fact(world, row, node), (role, resource, number, dict(row), node)
        assert seen or None in facts or (role, resource) in NOT_IN_THE_COUNTY, (role, resource)


# Rows that the principal could see, if the demo county had any.
NOT_IN_THE_COUNTY = {("grid_worker", "Note")}


async def test_squad_and_team(world: World) -> None:
    """A squad's case is one that was handed to it or in which the member mediates; a team's adviser reads it while the team has it."""
    squad = Rights(world, world.posts(PRINCIPALS["squad_member"]))
    (post,) = squad.posts
    for row in (world.rows["Dispute"][key] for key in squad.ids("Dispute")):
        assigned = world.find("Assignment", dispute_id=row["id"], person_id=post.claims["person_id"], ended_at=None)
        assert row["squad_id"] == post.claims["organization_id"] or assigned
    assert not any(row["squad_id"] is None and row["tier"] == "SQUAD" for row in world.rows["Dispute"].values())
