"""Law: `access.can` of a row lists exactly the commands that would succeed now for this caller.

Each command is called with its own example input, at a time in the future: where it is listed, nothing but the input is wrong; where it
is not, the answer says so, and it is never the input. Then each listed one is executed and rolled back.
"""

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from api.lifespan import WRITER
from db.commands import COMMANDS
from db.county.people import PRINCIPALS, SECOND_MEDIATOR, SEED_GRID
from db.crypto import Cipher
from db.postgres.address import Address
from db.postgres.pool import Pool
from db.postgres.session import Session
from db.resources.catalog import RESOURCES
from db.resources.transitions import ASKING, TRANSITIONS, Transition, offered_actions
from db.write.command import Command, Order
from db.write.executor import CommandExecutor
from db.write.transaction import Actor
from policies.predicate import Never
from schema.names import camel
from tests.conftest import lend
from tests.databases import KEY
from tests.laws.examples import Examples
from tests.laws.other_worlds import Undone
from tests.laws.turns import fresh
from tests.office import DAY, Office, now, open_office

PEOPLE = (*PRINCIPALS.values(), SECOND_MEDIATOR)
PARTS = ("Party", "Agreement", "Obligation", "FollowUp", "Referral", "Alert", "Confirmation")
COMMAND_OF = {(command.resource, command.action): command for command in COMMANDS.values()}
REFUSING = {"NOT_FOUND", "FORBIDDEN", "WRONG_STATE"} | {
    guard.code for transition in TRANSITIONS.values() for guard in transition.guards
}


def transitions_of(resource: str) -> dict[str, Transition]:
    """What may be offered on a row of a resource."""
    return dict(offered_actions(resource, RESOURCES[resource].actions))


def test_every_action_is_a_command_and_every_command_an_action() -> None:
    """What a policy may speak of is what can be called or asked; nothing is offered that cannot be called."""
    spoken = {(name, action) for name, resource in RESOURCES.items() for action in resource.actions - ASKING}
    assert spoken == set(TRANSITIONS) == set(COMMAND_OF)
    assert len(COMMAND_OF) == len(COMMANDS)
    assert {action for resource in RESOURCES.values() for action in resource.actions} >= ASKING


# -- a county with disputes in every state, and at every turn of their life


@pytest.fixture(scope="module")
def can_county(county_template: Address) -> Iterator[Address]:
    yield from lend(county_template)


@dataclass
class Setup:
    """The office, who the people are, the rows that are asked about, and what carries out commands: for good, or to be undone."""

    office: Office
    executor: CommandExecutor
    undoing: CommandExecutor
    examples: Examples
    actors: dict[str, Actor] = field(default_factory=dict)
    disputes: list[UUID] = field(default_factory=list)
    fresh: list[UUID] = field(default_factory=list)
    parts: dict[str, list[UUID]] = field(default_factory=dict)

    async def can(self, person: str, resource: str, keys: list[UUID]) -> dict[UUID, frozenset[str] | None]:
        """What is listed on each row; None where the person does not see it."""
        query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {resource} {{ access {{ can }} }} }} }}"
        found: dict[UUID, frozenset[str] | None] = {}
        for start in range(0, len(keys), 100):
            some = keys[start : start + 100]
            data = await self.office.gql.data(person, query, ids=[f"{resource}:{key}" for key in some])
            for key, node in zip(some, data["nodes"], strict=True):
                found[key] = None if node is None else frozenset(node["access"]["can"])
        return found

    async def stored(self) -> tuple[Any, ...]:
        """What changes with any command."""
        rows = await self.office.rows(
            "SELECT (SELECT count(*) FROM event) AS events, (SELECT count(*) FROM dispute) AS disputes,"
            " (SELECT sum(version) FROM dispute) AS versions, (SELECT count(*) FROM party) AS parties,"
            " (SELECT md5(string_agg(id::text || state, '' ORDER BY id)) FROM dispute) AS states"
        )
        return tuple(rows[0])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def setup(can_county: Address) -> AsyncIterator[Setup]:
    async with open_office(can_county) as office:
        gate: Any = office.gql.services.gate
        session, cipher = Session(can_county, WRITER, 30_000), Cipher(KEY)
        pool, connection = Pool(session, 1), await session.connect()
        undone: Any = Undone(connection)
        setup = Setup(office, CommandExecutor(pool, cipher), CommandExecutor(undone, cipher), Examples(office))
        setup.fresh = await fresh(office)
        # Of the county, two of each state, rather those that many see.
        rows = await office.rows(
            "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY state ORDER BY grid_code = $1 DESC, EXISTS (SELECT FROM"
            " assignment a JOIN person p ON p.id = a.person_id WHERE a.dispute_id = d.id AND p.name = ANY ($2)) DESC, id) AS n"
            " FROM dispute d WHERE NOT id = ANY ($3)) x WHERE n <= 2",
            SEED_GRID,
            list(PEOPLE),
            setup.fresh,
        )
        setup.disputes = [*setup.fresh, *(row["id"] for row in rows)]
        for resource in PARTS:
            table = RESOURCES[resource].table.name
            few = await office.rows(
                f"SELECT id FROM (SELECT p.id, row_number() OVER (PARTITION BY p.dispute_id ORDER BY p.id) AS n FROM {table} p"
                " WHERE p.dispute_id = ANY ($1)) x WHERE n <= $2",
                setup.disputes,
                2 if resource == "Party" else 1,
            )
            setup.parts[resource] = [row["id"] for row in few]
        for person in PEOPLE:
            await office.gql.token(person)
        for person in PEOPLE:
            caller = await gate.authenticate(await office.gql.token(person))
            setup.actors[person] = Actor(caller.viewer.access, caller.viewer.person_id, caller.epoch)
        yield setup
        await connection.close()
        await pool.close()


# -- the law


class Comparison:
    """Holds what a command says of an input of tomorrow against what is listed."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.counted: Counter[str] = Counter()
        self.wrong: list[Any] = []
        self.asked = 0

    async def ask(self, person: str, resource: str, action: str, key: UUID, listed: frozenset[str] | None) -> None:
        command = COMMAND_OF[resource, action]
        # A command that has no time to be wrong about gets a reason that says too little.
        spoiled = {} if "happened_at" in command.example else {"reason": "短"}
        example = await self.setup.examples.of_row(command, key, now() + DAY, **spoiled)
        receipt = await self.setup.executor.execute(
            command, self.setup.actors[person], Order.of(example), key=None, expected_version=None
        )
        errors = [(error.field, error.code) for error in receipt.user_errors]
        of_row = [code for at, code in errors if at in ("id", camel(command.row_field or ""), "")]
        input_only = bool(errors) and not of_row and (bool(spoiled) or ("happenedAt", "IN_FUTURE") in errors)
        refused = bool(errors) and len(of_row) == len(errors) and set(of_row) <= REFUSING
        hidden = listed is None
        nowhere = self.setup.actors[person].access.grant(resource, action).rows == Never()
        if nowhere:
            good = of_row == ["FORBIDDEN"]
        elif not hidden and action in (listed or ()):
            good = input_only
        else:
            good = refused and (not hidden or of_row == ["NOT_FOUND"])
        self.asked += 1
        self.counted.update(["listed"] if input_only else of_row or ["?"])
        if not good:
            self.wrong.append(
                (person, resource, action, str(key), "listed" if listed and action in listed else "-", errors)
            )

    def settle(self) -> None:
        shown = Counter((resource, action, mark, str(errors)) for _, resource, action, _, mark, errors in self.wrong)
        assert not self.wrong, (len(self.wrong), shown.most_common(20), self.wrong[:5])


def _granted(setup: Setup, person: str, resource: str) -> set[str]:
    """The actions for which any rule of the person speaks."""
    access = setup.actors[person].access
    return {action for action in transitions_of(resource) if access.grant(resource, action).rows != Never()}


async def test_what_is_listed_of_a_dispute_is_what_would_succeed(setup: Setup) -> None:
    """Every state, every principal, every command; nothing is stored either way."""
    before, comparison = await setup.stored(), Comparison(setup)
    transitions = transitions_of("Dispute")
    actions = sorted(transitions)
    turn = 0
    for person in PEOPLE:
        granted = _granted(setup, person, "Dispute")
        for key, listed in (await setup.can(person, "Dispute", setup.disputes)).items():
            turn += 1
            # Where no rule of the person speaks of an action, a few in turn will do.
            others = {actions[turn % len(actions)], actions[(turn * 7) % len(actions)]}
            unlisted = sorted(granted - (listed or frozenset()))
            # Those that a guard may withhold always, the others in turn.
            guarded = [action for action in unlisted if transitions[action].guards]
            chosen = [*guarded, *unlisted[turn % 5 :: 5]] if listed else unlisted[turn % 9 :: 9]
            for action in sorted({*(listed or ()), *chosen, *(others if turn % 3 == 0 else ())}):
                await comparison.ask(person, "Dispute", action, key, listed)
    comparison.settle()
    assert await setup.stored() == before
    assert set(comparison.counted) >= {"listed", "NOT_FOUND", "FORBIDDEN", "WRONG_STATE", "NOT_VISITED", "ALERT_OPEN"}
    assert comparison.asked > 1000


async def test_what_is_listed_of_a_part_is_what_would_succeed(setup: Setup) -> None:
    """The same for parties, agreements, obligations, visits, referrals, alerts, confirmations and teams."""
    before, comparison = await setup.stored(), Comparison(setup)
    teams = [
        row["id"]
        for row in await setup.office.rows("SELECT id FROM team ORDER BY state, grid_code = $1 DESC, id", SEED_GRID)
    ]
    turn = 0
    for person in PEOPLE:
        for resource, keys in ({**setup.parts, "Team": teams[:6] + teams[-4:]}).items():
            granted = sorted(_granted(setup, person, resource))
            actions = sorted(transitions_of(resource))
            for key, listed in (await setup.can(person, resource, keys)).items():
                turn += 1
                others = actions[turn % len(actions)] if turn % 11 == 0 else None
                chosen = granted[turn % 2 :: 2] if listed is not None and (listed or turn % 2 == 0) else []
                for action in sorted({*(listed or ()), *chosen, *([others] if others else [])}):
                    await comparison.ask(person, resource, action, key, listed)
    comparison.settle()
    assert await setup.stored() == before
    assert set(comparison.counted) >= {"listed", "NOT_FOUND", "FORBIDDEN", "WRONG_STATE"}
    assert comparison.asked > 500


async def test_what_is_listed_succeeds(setup: Setup) -> None:
    """Each is executed on the fresh disputes and their parts in a transaction that is rolled back: every example at least once."""
    before = await setup.stored()
    wrong: list[Any] = []
    done: Counter[str] = Counter()
    for resource in ("Dispute", *PARTS):
        table = RESOURCES[resource].table.name
        column = "id" if resource == "Dispute" else "dispute_id"
        rows = await setup.office.rows(f"SELECT id FROM {table} WHERE {column} = ANY ($1)", setup.fresh)
        for person in PEOPLE:
            for key, listed in (await setup.can(person, resource, [row["id"] for row in rows])).items():
                for action in sorted(listed or ()):
                    command = COMMAND_OF[resource, action]
                    if command.reveals:
                        continue
                    example = await setup.examples.of_row(command, key, now() - dt.timedelta(seconds=1))
                    receipt = await setup.undoing.execute(
                        command, setup.actors[person], Order.of(example), key=None, expected_version=None
                    )
                    done[command.name] += not receipt.user_errors
                    if receipt.user_errors:
                        wrong.append((person, command.name, [(one.field, one.code) for one in receipt.user_errors]))
    assert not wrong, (len(wrong), Counter((one[1], str(one[2])) for one in wrong).most_common(20), wrong[:5])
    assert await setup.stored() == before
    assert done.total() > 300
    assert {name for name in done if done[name]} == {command.name for command in COMMANDS.values() if of_case(command)}


def of_case(command: Command) -> bool:
    """Whether it is offered on a dispute or a part of one, and says nothing in clear."""
    return command.row_field is not None and command.resource in ("Dispute", *PARTS) and not command.reveals


async def test_whoever_has_an_interest_may_only_step_back(setup: Setup) -> None:
    """The lead of the fresh disputes turns out to be a party of each: whatever was listed is refused with the same code, on the dispute and
    on its parts, and listed no more; but for what needs no impartiality."""
    lead = PRINCIPALS["mediator"]
    open_ = await setup.office.rows("SELECT id FROM dispute WHERE id = ANY ($1) AND state <> 'ARCHIVED'", setup.fresh)
    fresh = [row["id"] for row in open_]
    rows = {"Dispute": fresh} | {
        name: [row["id"] for row in await setup.office.rows(f"SELECT id FROM {RESOURCES[name].table.name} WHERE dispute_id = ANY ($1)", fresh)]
        for name in PARTS
    }  # fmt: skip
    before = {name: await setup.can(lead, name, keys) for name, keys in rows.items()}
    phones = await setup.office.rows("SELECT id, phone FROM party WHERE dispute_id = ANY ($1)", fresh)
    mine = await setup.office.value("SELECT phone FROM person WHERE name = $1", lead)
    await setup.office.execute(
        "UPDATE party SET phone = $2 WHERE dispute_id = ANY ($1) AND side <> 'THIRD'", fresh, mine
    )
    refused: Counter[str] = Counter()
    try:
        for name, keys in rows.items():
            after = await setup.can(lead, name, keys)
            for key, listed in before[name].items():
                free = {action for action in listed or () if not TRANSITIONS[name, action].impartial}
                assert (after[key] or frozenset()) == free, (name, key)
                for action in sorted((listed or frozenset()) - free):
                    command = COMMAND_OF[name, action]
                    example = await setup.examples.of_row(command, key, now() - dt.timedelta(seconds=1))
                    receipt = await setup.undoing.execute(
                        command, setup.actors[lead], Order.of(example), key=None, expected_version=None
                    )
                    at = camel(command.row_field or "id")
                    assert [(one.field, one.code) for one in receipt.user_errors] == [(at, "INTERESTED")], command.name
                    refused[command.name] += 1
    finally:
        for row in phones:
            await setup.office.execute("UPDATE party SET phone = $2 WHERE id = $1", row["id"], row["phone"])
    assert len(refused) > 25, refused


async def test_no_command_tells_a_time_that_cannot_be(setup: Setup) -> None:
    """Each command that tells a time and is listed on a fresh dispute or a part: not before the registration, and what is told after more
    than a week says why."""
    left = {name for name, command in COMMANDS.items() if of_case(command) and "happened_at" in command.example}
    assert len(left) > 35
    for resource in ("Dispute", *PARTS):
        table = RESOURCES[resource].table.name
        column = "id" if resource == "Dispute" else "dispute_id"
        rows = await setup.office.rows(f"SELECT id, {column} AS of FROM {table} WHERE {column} = ANY ($1)", setup.fresh)
        of = {row["id"]: row["of"] for row in rows}
        for person in PEOPLE:
            for key, listed in (await setup.can(person, resource, list(of))).items():
                for action in sorted(listed or ()):
                    command = COMMAND_OF[resource, action]
                    if command.name not in left:
                        continue
                    left.remove(command.name)
                    begun = await setup.office.value("SELECT registered_at FROM dispute WHERE id = $1", of[key])
                    for at, code in ((begun - dt.timedelta(seconds=1), "TOO_EARLY"), (now() - 8 * DAY, "TOO_LATE")):
                        for reason in (None, "补录"):
                            order = Order.of(await setup.examples.of_row(command, key, at))
                            receipt = await setup.undoing.execute(
                                command,
                                setup.actors[person],
                                order,
                                key=None,
                                expected_version=None,
                                late_reason=reason,
                            )
                            wanted = reason is None or code == "TOO_EARLY"
                            codes = [one.code for one in receipt.user_errors if one.field == "happenedAt"]
                            assert (code in codes) is wanted, (command.name, codes)
    assert not left
