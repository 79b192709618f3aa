"""Asks the service for every cell that there is, by each path to a row, and compares it with the oracle.

Paths: the lists, `nodes(ids)` and the lists below a dispute. A row of the dataset is absent, or each of its fields is clear,
masked or null, and `access` says which.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from graphql import GraphQLObjectType, OperationDefinitionNode, get_named_type, is_leaf_type, parse, validate

from db.postgres.address import Address
from db.postgres.pool import Pool
from db.postgres.session import Session
from db.query.reader import Reader
from db.resources.catalog import RESOURCES
from db.resources.transitions import offered_actions
from policies.grant import Access
from policies.testing.oracle import Entity, Form, Judge, Oracle, row_entity
from schema.execution.query import QueryExecutor
from schema.names import snake
from schema.node import NODE_TYPES
from schema.planning.operation import Document, Operation
from schema.sdl import graphql_schema
from schema.viewer import Viewer
from tests.laws.dataset import Dataset
from tests.laws.random_rows import Record
from tests.laws.relations import THROUGH

# (type, field): the resource whose field it is, the columns that join them, and the field there.
SOURCES = {
    ("Mediator", "name"): ("Person", "id", "person_id", "name"),
    ("Alert", "legal_basis"): ("AlertRule", "rule", "rule", "legal_basis"),
}


class GraphQLClient:
    """The read path of one process, without tokens: a caller is an `Access`."""

    def __init__(self, executor: QueryExecutor) -> None:
        self.executor = executor
        self._documents: dict[str, Document] = {}
        types = executor.schema.type_map
        # GraphQL name -> catalog name of the plain fields, and name -> target of the relations, by resource.
        self.fields: dict[str, dict[str, str]] = {}
        self.lists: dict[str, dict[str, str]] = {}
        self.relations: dict[str, dict[str, str]] = {}
        # The catalog may be ahead of the words of the schema.
        self.resources = [resource for resource in RESOURCES if resource in types]
        query = executor.schema.query_type
        assert query is not None
        connections = {get_named_type(field.type).name: name for name, field in query.fields.items()}
        self.roots = {
            one: connections[f"{one}Connection"] for one in self.resources if f"{one}Connection" in connections
        }
        for resource in self.resources:
            kind = types[resource]
            assert isinstance(kind, GraphQLObjectType)
            leaves = {name for name, field in kind.fields.items() if is_leaf_type(get_named_type(field.type))}
            self.fields[resource] = {name: snake(name) for name in sorted(leaves - {"id"})}
            assert set(self.fields[resource].values()) <= set(RESOURCES[resource].fields), resource
            targets = {
                name: get_named_type(field.type).name.removesuffix("Connection") for name, field in kind.fields.items()
            }
            self.relations[resource] = {name: target for name, target in targets.items() if target in NODE_TYPES}
            self.lists[resource] = {
                name: target
                for name, target in self.relations[resource].items()
                if str(kind.fields[name].type) == f"[{target}!]!"
            }

    async def ask(self, access: Access, text: str, **variables: Any) -> tuple[Any, tuple[dict[str, Any], ...]]:
        """The data and the errors of a query."""
        if text not in self._documents:
            ast = parse(text)
            assert not validate(self.executor.schema, ast), validate(self.executor.schema, ast)
            self._documents[text] = Document(text, ast)
        document = self._documents[text]
        definition = document.ast.definitions[0]
        assert isinstance(definition, OperationDefinitionNode)
        _, answer = await self.executor.run(
            Operation(document, definition, None, variables), Viewer(access, None, (), None)
        )
        assert answer.data is not None, answer.errors
        return orjson.loads(answer.data), answer.errors

    def row(self, resource: str, below: str = "") -> str:
        """The selection of everything of a row, `access` in front."""
        return f"{{ id access {{ hidden masked can }} {' '.join(self.fields[resource])} {below} }}"


@asynccontextmanager
async def open_client(address: Address) -> AsyncIterator[GraphQLClient]:
    """A client on a database, with the reader's role as in production."""
    pool = Pool(Session(address, "sanlian_reader", 60_000), 1)
    try:
        yield GraphQLClient(QueryExecutor(graphql_schema(), Reader(pool, pool), cursor_key=b"", max_cost=10**9))
    finally:
        await pool.close()


@asynccontextmanager
async def open_dataset(address: Address, seed: int) -> AsyncIterator[tuple[Dataset, GraphQLClient]]:
    """A dataset in an empty database, and a client there."""
    dataset = Dataset(seed)
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        await dataset.insert(connection)
    finally:
        await connection.close()
    async with open_client(address) as gql:
        yield dataset, gql


class CellCheck:
    """One caller: the cells that the service shows, and those that the oracle says it should."""

    def __init__(self, gql: GraphQLClient, dataset: Dataset, oracle: Oracle, access: Access) -> None:
        self.gql, self.dataset, self.access = gql, dataset, access
        self.judge: Judge = oracle.caller([(one.role, one.claims) for one in access.appointments])
        self.cells = 0
        self.shown: dict[Form, int] = {"clear": 0, "masked": 0, "hidden": 0}
        self._things: dict[Any, Entity] = {}
        self._visible: dict[Any, bool] = {}
        self._forms: dict[Any, Form] = {}
        # By dispute: whether the caller has an interest in it.
        self.interests: dict[Any, bool] = {}

    # -- the oracle's side

    def thing(self, resource: str, row: Record) -> Entity:
        key = (resource, row["id"])
        if key not in self._things:
            self._things[key] = row_entity(self.dataset.attributes(resource, row))
        return self._things[key]

    def sees(self, resource: str, row: Record) -> bool:
        """Whether the oracle lets the caller see the row."""
        key = (resource, row["id"])
        if key not in self._visible:
            self._visible[key] = self.judge.may(resource, self.thing(resource, row))
        return self._visible[key]

    def form(self, resource: str, row: Record, field: str) -> Form:
        """How the oracle lets the caller see a field of a visible row."""
        declared = RESOURCES[resource].fields[field].policy
        key = (resource, row["id"], declared.field_class, declared.mask)
        if key not in self._forms:
            self._forms[key] = self.judge.form(resource, self.thing(resource, row), declared.field_class, declared.mask)
        return self._forms[key]

    def shows_source(self, resource: str, row: Record, field: str) -> bool:
        """Whether the caller reads the field on the other row that has it, where one has."""
        found = SOURCES.get((resource, field))
        if found is None:
            return True
        other, column, own, source = found
        rows = [one for one in self.dataset.rows[other] if one[column] == row[own]]
        return bool(rows) and all(self.sees(other, one) and self.form(other, one, source) == "clear" for one in rows)

    def visible(self, resource: str, rows: Iterable[Record] | None = None) -> list[Record]:
        """The rows of a resource that the oracle lets the caller see."""
        return [row for row in (self.dataset.rows[resource] if rows is None else rows) if self.sees(resource, row)]

    def interested(self, resource: str, row: Record) -> bool:
        """Whether the caller has an interest in the dispute, of which the row is a part or which it is."""
        dispute = row["id"] if resource == "Dispute" else row.get("dispute_id")
        person = self.access.claims[0].get("person_id") if self.access.claims else None
        if dispute not in self.interests:
            self.interests[dispute] = self.dataset.is_interested(dispute, person)
        return self.interests[dispute]

    # -- the service's side

    async def shown_cells(self) -> dict[tuple[str, str], tuple[int, Any]]:
        """Every cell that is shown, by id and field: 0 hidden, 1 masked, 2 clear, and the value. The row itself is field ''."""
        cells: dict[tuple[str, str], tuple[int, Any]] = {}
        for resource in self.gql.resources:
            for _, got in await self._by_id(resource):
                if got is not None:
                    cells[got["id"], ""] = (0, None)
                    for name in self.gql.fields[resource]:
                        rank = 0 if name in got["access"]["hidden"] else 1 if name in got["access"]["masked"] else 2
                        cells[got["id"], name] = (rank, got[name])
        return cells

    async def check_all(self) -> None:
        """Every cell by every path."""
        for resource in self.gql.roots:
            await self.check_list(resource)
        for resource in self.gql.resources:
            await self.check_nodes(resource)
        await self.check_below()

    async def check_list(self, resource: str) -> None:
        """The connection at the root: exactly the visible rows, each as it should be, and their number."""
        query = f"{{ page: {self.gql.roots[resource]}(first: 200) {{ totalCount nodes {self.gql.row(resource)} }} }}"
        data, errors = await self.gql.ask(self.access, query)
        assert not errors
        assert len(self.dataset.rows[resource]) <= 200
        self._check_rows(resource, data["page"]["nodes"], self.dataset.rows[resource], "list")
        assert data["page"]["totalCount"] == len(data["page"]["nodes"]), (resource, "totalCount")

    async def check_nodes(self, resource: str) -> None:
        """Every row by its id; one out of reach is null, like one that does not exist."""
        for row, got in await self._by_id(resource):
            assert (got is not None) == self.sees(resource, row), (resource, row, got, "node")
            if got is None:
                self.cells += 1
            else:
                self._check(resource, row, got)

    async def _by_id(self, resource: str) -> list[tuple[Record, Any]]:
        query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on {resource} {self.gql.row(resource)} }} }}"
        rows, found = self.dataset.rows[resource], []
        for start in range(0, len(rows), 100):
            some = rows[start : start + 100]
            data, _ = await self.gql.ask(self.access, query, ids=[f"{resource}:{row['id']}" for row in some])
            found += zip(some, data["nodes"], strict=True)
        return found

    async def check_below(self) -> None:
        """Every plain list below a dispute: the visible rows of that dispute and no others."""
        lists = self.gql.lists["Dispute"]
        below = " ".join(f"{name} {self.gql.row(target)}" for name, target in lists.items())
        query = f"{{ disputes(first: 200) {{ nodes {{ id {below} }} }} }}"
        data, _ = await self.gql.ask(self.access, query)
        for dispute in data["disputes"]["nodes"]:
            key = self._key(dispute["id"])
            for name, target in lists.items():
                self._check_rows(target, dispute[name], self.dataset.parts(target, key), name)

    async def check_lookup(self, resource: str, row: Record) -> None:
        """One row by `node`: there, or not found in the words of a row that does not exist."""
        query = "query($id: ID!) { node(id: $id) { id } }"
        data, errors = await self.gql.ask(self.access, query, id=f"{resource}:{row['id']}")
        _, unknown = await self.gql.ask(self.access, query, id=f"{resource}:00000000-0000-4000-8000-000000000000")
        if self.sees(resource, row):
            assert data["node"]["id"] == f"{resource}:{row['id']}"
            assert not errors
        else:
            assert data["node"] is None
            assert errors == unknown

    def _check_rows(self, resource: str, got: list[Any], candidates: list[Record], path: str) -> None:
        found = sorted(one["id"] for one in got)
        expected = sorted(f"{resource}:{row['id']}" for row in self.visible(resource, candidates))
        assert found == expected, (resource, path, self._explain(set(found) ^ set(expected) or set(found)))
        self.cells += len(candidates) - len(expected)
        for one in got:
            self._check(resource, self.dataset.by_id[resource, self._key(one["id"])], one)

    def _check(self, resource: str, row: Record, got: dict[str, Any]) -> None:
        hidden, masked = [], []
        for name, field in self.gql.fields[resource].items():
            form = self.form(resource, row, field)
            declared = RESOURCES[resource].fields[field].policy
            expected = None
            if not self.shows_source(resource, row, field):
                # Listed as hidden where the other row's field is nowhere in clear, or this one is hidden.
                hidden += [name] if name in got["access"]["hidden"] else []
            elif form == "clear":
                expected = self.dataset.value(resource, row, field)
            elif form == "masked":
                masked.append(name)
                assert declared.mask is not None
                expected = self.dataset.masked(resource, row, field, declared.mask)
            else:
                hidden.append(name)
            assert _same(got[name], expected), (resource, name, form, got[name], expected, self._explain({got["id"]}))
            self.cells += 1
            self.shown[form] += 1
        self._check_access(resource, row, got, hidden, masked)

    def _check_access(
        self, resource: str, row: Record, got: dict[str, Any], hidden: list[str], masked: list[str]
    ) -> None:
        access = got["access"]
        assert sorted(access["masked"]) == sorted(masked), (resource, access, masked, self._explain({got["id"]}))
        fields = [name for name in access["hidden"] if name in self.gql.fields[resource]]
        assert sorted(fields) == sorted(hidden), (resource, access, hidden, self._explain({got["id"]}))
        for name in set(access["hidden"]) - set(fields):
            # A relation counts as hidden only if it can never lead to anything.
            target = self.gql.relations[resource][name]
            part, _ = THROUGH.get((resource, name), (target, None))
            assert not self.visible(target) or not self.visible(part), (resource, name)
        transitions = dict(offered_actions(resource, RESOURCES[resource].actions))
        # Whoever has an interest in the dispute may only do what needs no impartiality.
        interested = self.interested(resource, row)
        can = {
            action
            for action, transition in transitions.items()
            if (transition.states is None or row["state"] in transition.states)
            and not (transition.impartial and interested)
            and self.judge.may(resource, self.thing(resource, row), "row", action)
        }
        # Beside policy and state an object may lack what an action needs; then, and only then, may it be left out.
        needed = {action for action in can if not transitions[action].guards} if resource == "Dispute" else set()
        assert needed <= set(access["can"]) <= can, (resource, access["can"], can, self._explain({got["id"]}))

    @staticmethod
    def _key(identifier: str) -> Any:
        return UUID(identifier.partition(":")[2])

    def _explain(self, identifiers: set[str]) -> str:
        """Everything needed to look at a difference by hand."""
        lines = [f"{one.role} {dict(one.claims)}" for one in self.access.appointments]
        for identifier in sorted(identifiers)[:2]:
            resource = identifier.partition(":")[0]
            row = self.dataset.by_id[resource, self._key(identifier)]
            lines.append(f"{identifier} {self.dataset.attributes(resource, row)}")
            for one in self.access.appointments:
                for rule in self.access.policy.rules_for(one.role, resource, "read"):
                    lines.append(f"  {rule.role}: {rule.condition} {rule.cells} {'allow' if rule.allow else 'deny'}")
        return "\n".join(lines)


def _same(got: Any, expected: Any) -> bool:
    match expected:
        case decimal.Decimal():
            return bool(got == f"{expected:.2f}")
        case dt.datetime():
            return isinstance(got, str) and dt.datetime.fromisoformat(got) == expected
        case dt.date():
            return bool(got == expected.isoformat())
        case float():
            return bool(got == round(expected, 1))
    return got == expected and type(got) is type(expected)
