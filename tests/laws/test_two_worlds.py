"""Law: what somebody does not see changes nothing that they get, not even by being there.

Two worlds that differ only in rows that are hidden from a caller answer alike, byte for byte: every list with its counts and cursors, every
field and relation, clocks, timelines, `access`, statistics, filters, explanations, and what every command says.

What stays the same by the making of these worlds, since it is told on purpose: `version` of a dispute counts every change of it, those of
hidden parts too; `reopen` is closed while a dispute that followed is open, whoever sees that one; a case number tells how many came before
it; the same matter goes to an organization once, whoever sent it; a mediator with an interest learns that there is a
party in whom it lies; `whoCanSee` tells those who may ask it who mediates.
"""

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from graphql import OperationDefinitionNode, get_named_type, get_nullable_type, is_list_type, parse, validate

from db.commands import COMMANDS
from db.county.people import PRINCIPALS
from db.crypto import Cipher
from db.postgres.address import Address
from db.postgres.session import PLANNING
from db.query.reader import Reader
from db.query.statistics.metrics import GROUPS, METRICS
from db.resources.catalog import CATALOG
from db.worker import Worker
from db.write.command import Command, Order
from db.write.executor import CommandExecutor
from db.write.transaction import Actor
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access
from policies.predicate import Never
from schema.execution.query import QueryExecutor
from schema.names import camel
from schema.node import NODE_TYPES
from schema.planning import coercion
from schema.planning.operation import Document, Operation
from schema.questions.answer import QuestionRunner
from schema.refusal import Refusal
from schema.sdl import graphql_schema
from schema.viewer import Viewer
from tests.conftest import lend
from tests.databases import KEY
from tests.laws.examples import Examples
from tests.laws.expected_cells import ROOTS, scalars
from tests.laws.filter_samples import FilterSample
from tests.laws.other_worlds import PARTS, OneConnection, World
from tests.laws.turns import fresh
from tests.laws.visibility_oracle import POLICY, PolicyText, Rights, Snapshot, as_json, global_id
from tests.office import now, open_office

SCHEMA = graphql_schema()
KINDS = ("removed", "changed", "added")
# What a command asks for beside its smallest input may rest on other rows.
MORE: dict[str, dict[str, Any]] = {"dispute.assess": {"level": "HIGH"}}
# Rows on which a command is given, of as many states as there are: those whose turn it is, and the others.
ROWS, FEWER_ROWS = 3, 1
# Of what is too much to ask everybody, each caller is asked one in so many, by turns: over all roles everything is asked several times.
CONDITIONS, CONDITIONS_ON_ROWS, ORDERS, STATISTICS, REGISTERS = 9, 3, 9, 3, 3


@pytest.fixture(scope="module")
def worlds_county(county_template: Address) -> Iterator[Address]:
    yield from lend(county_template)


@dataclass
class Setting:
    """The county with disputes at every turn of their life, one connection to it, and the examples of the commands."""

    connection: Any
    snapshot: Snapshot
    viewers: dict[str, Viewer]
    epochs: dict[str, int]
    examples: Examples
    queries: QueryExecutor
    commands: CommandExecutor
    at: dt.datetime
    documents: dict[str, Document] = field(default_factory=dict)

    def document(self, text: str) -> Document:
        """The parsed text, which is the same for all callers."""
        if text not in self.documents:
            ast = parse(text)
            assert not validate(SCHEMA, ast), validate(SCHEMA, ast)
            self.documents[text] = Document(text, ast)
        return self.documents[text]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def setting(worlds_county: Address) -> AsyncIterator[Setting]:
    async with open_office(worlds_county) as office:
        await fresh(office)
        gate: Any = office.gql.services.gate
        viewers, epochs = {}, {}
        for person in PRINCIPALS.values():
            await office.gql.token(person)
        for person in PRINCIPALS.values():
            caller = await gate.authenticate(await office.gql.token(person))
            viewers[person], epochs[person] = caller.viewer, caller.epoch
        connection, worker = await asyncpg.connect(**worlds_county.connect_arguments()), Worker()
        await connection.execute("; ".join(PLANNING))
        one: Any = OneConnection(connection)
        runs: Any = None
        questions = QuestionRunner(one, worker, worker, runs, 30_000)
        queries = QueryExecutor(graphql_schema(), Reader(one, one), questions, cursor_key=bytes(32), max_cost=10**9)
        commands = CommandExecutor(one, Cipher(KEY))
        try:
            snapshot = await Snapshot.read(connection)
            yield Setting(connection, snapshot, viewers, epochs, Examples(office), queries, commands, now())
        finally:
            worker.close()
            await connection.close()


class Asker:
    """One caller: all that is asked, and what came."""

    def __init__(self, setting: Setting, viewer: Viewer, epoch: int, rights: Rights) -> None:
        self.setting, self.viewer, self.rights = setting, viewer, rights
        self._actor = Actor(viewer.access, viewer.person_id, epoch)

    async def ask(self, text: str, **variables: Any) -> Any:
        """The bytes of the data and the errors; of what is refused, the refusal."""
        document = self.setting.document(text)
        definition = document.ast.definitions[0]
        assert isinstance(definition, OperationDefinitionNode)
        try:
            _, answer = await self.setting.queries.run(Operation(document, definition, None, variables), self.viewer)
        except Refusal as refusal:
            return refusal.code, refusal.message
        return answer.data, answer.errors, answer.extensions

    async def give(self, command: Command, order: Order) -> Any:
        """What a command says. It is undone."""
        receipt = await self.setting.commands.execute(command, self._actor, order, key=None, expected_version=None)
        return receipt.kind, receipt.id is None, receipt.user_errors, receipt.conflict, receipt.revealed


# -- what is asked


def _selection(resource: str, depth: int) -> str:
    """Every value of a row, `access`, and its relations to a depth."""
    kind: Any = SCHEMA.type_map[resource]
    parts: list[str] = ["id", *scalars(SCHEMA, resource), "access { hidden masked can }"]
    if resource == "Dispute" and depth > 1:
        parts += ["clocks { name dueOn state }"]
        parts += [
            "timeline { at happenedAt actor { id } action label fromState toState policyVersion changes { resource field value } }"
        ]
    for name, one in kind.fields.items():
        target = get_named_type(one.type).name
        if target.endswith("Connection") and depth > 1:
            parts.append(f"{name}(first: 3) {{ totalCount exact: totalCount(exact: true) nodes {{ id }} }}")
        elif target in NODE_TYPES and depth:
            # What one row leads to is on lists of its own; what a list below holds is on none.
            below = depth - 1 if is_list_type(get_nullable_type(one.type)) else 0
            parts.append(f"{name} {{ {_selection(target, below)} }}")
    return " ".join(parts)


def _lists(turn: int) -> Iterator[tuple[str, dict[str, Any]]]:
    counts = "totalCount exact: totalCount(exact: true) totalCountCapped pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
    for number, (root, resource) in enumerate(ROOTS.items()):
        # Registers are open to most, and hold no more than one caller after the other can look at.
        if resource not in ("Dispute", *PARTS, "Event", "Inspection") and (number + turn) % REGISTERS:
            continue
        # What a part leads to is on lists of its own as well.
        depth = 2 if resource == "Dispute" else (number + turn) % 2
        yield f"{{ {root}(first: 12) {{ {counts} edges {{ cursor node {{ {_selection(resource, depth)} }} }} }} }}", {}


def _filters(rights: Rights, turn: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Conditions of each list with a value that is there, more often those on other rows; orders."""
    for root, resource in ROOTS.items():
        kind: Any = SCHEMA.type_map.get(f"{resource}Filter")
        if kind is None or not rights.rules(resource) or not rights.snapshot.rows[resource]:
            continue
        sample = FilterSample(rights.snapshot, rights, resource)
        for number, (name, (column, operator)) in enumerate(coercion.conditions(SCHEMA, kind).items()):
            if (number + turn) % (CONDITIONS_ON_ROWS if operator in ("mediator", "is", "party") else CONDITIONS):
                continue
            value, _ = sample.find(column, operator)
            if value is not None:
                query = f"query ($v: {kind.fields[name].type}) {{ {root}(filter: {{{name}: $v}}, first: 20) {{ totalCount nodes {{ id }} }} }}"
                yield query, {"v": as_json(value)}
        for code in list(SCHEMA.type_map[f"{resource}OrderField"].values)[turn % ORDERS :: ORDERS]:  # type: ignore[attr-defined]
            yield f"{{ {root}(first: 20, orderBy: [{{field: {code}}}]) {{ edges {{ cursor node {{ id }} }} }} }}", {}


def _questions(rights: Rights) -> Iterator[tuple[str, dict[str, Any]]]:
    """Why a row is seen, and who sees it."""
    about = "known visible field rules { line matched failed decisive } changes { needs }"
    for resource in ("Dispute", "Party", "Referral", "Agreement"):
        for key in sorted(rights.ids(resource))[:2]:
            yield f"query ($v: ID!) {{ explainAccess(node: $v) {{ {about} }} }}", {"v": global_id(resource, key)}
    yield "{ whatCanSee { roles permissions { resource action fieldClass } rows { resource rows capped } } }", {}


async def _allowed(asker: Asker, metrics: list[str]) -> list[str]:
    """Those of the metrics that the caller may have."""
    if len(await asker.ask(f"{{ statistics {{ {' '.join(metrics)} }} }}")) == 3:
        return metrics
    half = len(metrics) // 2
    return [*await _allowed(asker, metrics[:half]), *await _allowed(asker, metrics[half:])] if half else []


async def _statistics(asker: Asker, turn: int) -> list[tuple[str, dict[str, Any]]]:
    """All metrics that the caller may have, by groups."""
    shown = " ".join(await _allowed(asker, [camel(name) for name in METRICS]))
    groups = list(GROUPS)[turn % STATISTICS :: STATISTICS] if shown else []
    return [
        (f"{{ statistics(groupBy: {group}) {{ {shown} groups {{ key label {shown} }} }} }}", {}) for group in groups
    ]


async def _orders(asker: Asker, turn: int) -> list[tuple[Command, Order]]:
    """The examples of the commands that the caller may give somewhere, on rows that they see."""
    setting, found = asker.setting, []
    for number, command in enumerate(COMMANDS.values()):
        granted = asker.viewer.access.grant(command.resource, command.action).rows != Never()
        if (
            command.reveals
            or command.target != command.resource
            or command.target not in ("Dispute", *PARTS)
            or not granted
        ):
            continue
        rows = [setting.snapshot.rows[command.target][key] for key in sorted(asker.rights.ids(command.target))]
        chosen: dict[Any, Any] = {}
        for row in rows:
            dispute = row if command.target == "Dispute" else setting.snapshot.rows["Dispute"][row["dispute_id"]]
            chosen.setdefault((row.get("state"), dispute["state"]), row)
        for row in list(chosen.values())[-(FEWER_ROWS if (number + turn) % 3 else ROWS) :]:
            # The time is that of the row: a command that is late says so, and that is part of what it says.
            example = await setting.examples.of_row(command, row["id"], setting.at)
            found.append((command, Order.of(example)))
            if command.name in MORE:
                found.append((command, Order.of(replace(example, **MORE[command.name]))))
    return found


# -- the law


async def hold(setting: Setting, viewer: Viewer, epoch: int, policy: PolicyText = POLICY) -> int:
    """Ask everything in this world and in the others; how many answers were compared."""
    appointments = setting.snapshot.appointments(setting.snapshot.rows["Person"][viewer.person_id]["name"])
    rights = Rights(setting.snapshot, appointments, policy)
    asker = Asker(setting, viewer, epoch, rights)
    outer = setting.connection.transaction()
    await outer.start()
    try:
        turn = list(PRINCIPALS).index(viewer.access.appointments[0].role)
        asked = [*_lists(turn), *_filters(rights, turn), *_questions(rights), *await _statistics(asker, turn)]
        orders = await _orders(asker, turn)
        here = [await asker.ask(query, **variables) for query, variables in asked]
        said = [await asker.give(command, order) for command, order in orders]
        different, number = [], 0
        for kind in KINDS:
            async with World(setting.connection, setting.snapshot, rights, viewer.person_id).other(kind) as rows:
                if not rows:
                    continue
                for (query, variables), answer in zip(asked, here, strict=True):
                    number += 1
                    if (there := await asker.ask(query, **variables)) != answer:
                        different.append((kind, query[:60], variables, _difference(answer, there)))
                for (command, order), answer in zip(orders, said, strict=True):
                    number += 1
                    if (there := await asker.give(command, order)) != answer:
                        different.append((kind, command.name, order.values.get("id"), answer, there))
        assert not different, "\n".join(map(str, (len(different), *different[:30])))
        return number
    finally:
        await outer.rollback()


def _difference(one: Any, other: Any) -> tuple[Any, Any]:
    """Where two answers begin to differ."""
    left, right = repr(one), repr(other)
    place = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    return left[max(0, place - 160) : place + 80], right[max(0, place - 160) : place + 80]


@pytest.mark.parametrize("role", PRINCIPALS)
async def test_what_is_hidden_changes_nothing(setting: Setting, role: str) -> None:
    """Slow: every selection is compiled for every role."""
    person = PRINCIPALS[role]
    assert await hold(setting, setting.viewers[person], setting.epochs[person]) > 20


@pytest.mark.parametrize("turn", [0, 1])
async def test_nor_where_the_guards_of_a_command_rest_on_what_is_hidden(setting: Setting, turn: int) -> None:
    """A mediator who reads only every other kind of part: what they may do with the rest is closed, whatever there is of it.

    Slow: every selection is compiled for this policy."""
    lost = set(PARTS[turn::2])
    text = "\n".join(
        line
        for line in POLICY_PATH.read_text(encoding="utf-8").splitlines()
        if not (line.startswith("p, mediator,") and line.split(", ")[2] in lost and line.split(", ")[3] == "read")
    )
    person = PRINCIPALS["mediator"]
    shipped = setting.viewers[person]
    access = Access(compile_policy(text, CATALOG, shipped.access.policy.version), shipped.access.appointments)
    viewer = Viewer(access, shipped.person_id, shipped.roles, shipped.token_expires_at)
    assert await hold(setting, viewer, setting.epochs[person], PolicyText(text)) > 100
