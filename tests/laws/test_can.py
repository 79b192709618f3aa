"""Law: `access.can` of a row lists exactly the commands that would succeed now for this caller.

Each command is called with a time in the future: where it is listed, nothing but the input is wrong; where it is not, the answer says
so, and it is never the input. Then each listed one is carried out in earnest, and undone.
"""

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from db.commands import COMMANDS
from db.commands.parties import PartyInput
from db.county.people import PRINCIPALS, SECOND_MEDIATOR, SEED_GRID
from db.postgres.address import Address
from db.resources.catalog import RESOURCES
from db.resources.guards import GUARDS, PART_GUARDS
from db.resources.transitions import ASKING, CREATING, FROM_STATES
from db.write.executor import Commander
from db.write.transaction import Actor
from policies.predicate import Never
from tests.databases import lend
from tests.office import DAY, HOUR, Case, Office, now, open_office

PEOPLE = (*PRINCIPALS.values(), SECOND_MEDIATOR)
PARTS = ("Party", "Agreement", "Obligation", "FollowUp", "Referral", "Alert", "Confirmation")

# action on a resource -> the command, where it is not `noun.action` of the resource itself
ELSEWHERE = {
    ("Dispute", "agree"): "agreement.draft",
    ("Dispute", "follow"): "followUp.schedule",
    ("Dispute", "add"): "party.add",
    ("Agreement", "apply"): "confirmation.apply",
    **{("PolicyVersion", action): f"policy.{action}" for action in ("draft", "approve", "publish", "rollback")},
}
# The field that names the row on which the action is asked.
NAMING = {"agreement.draft": "dispute_id", "followUp.schedule": "dispute_id", "confirmation.apply": "agreement_id"}
REFUSING = {"NOT_FOUND", "FORBIDDEN", "WRONG_STATE"} | {
    guard.code for guards in (*GUARDS.values(), *PART_GUARDS.values()) for guard in guards
}


def command_of(resource: str, action: str) -> str:
    """The name of the command that an action is."""
    return ELSEWHERE.get((resource, action)) or f"{resource[0].lower()}{resource[1:]}.{action}"


def test_every_action_is_a_command_and_every_guard_is_of_an_action() -> None:
    """Nothing is offered that cannot be called; nothing is guarded that is not offered."""
    for resource, source in RESOURCES.items():
        for action in source.actions - ASKING:
            assert command_of(resource, action) in COMMANDS, (resource, action)
    assert set(GUARDS) <= set(FROM_STATES)
    for resource, action in PART_GUARDS:
        assert action in RESOURCES[resource].actions - CREATING.get(resource, frozenset()), (resource, action)
    called = {command_of(resource, action) for resource, source in RESOURCES.items() for action in source.actions}
    assert set(COMMANDS) <= called


# -- a county with disputes in every state, and at every turn of their life


@pytest.fixture(scope="module")
def can_county(county_template: Address) -> Iterator[Address]:
    yield from lend(county_template)


@dataclass
class Hall:
    """The office, its commander, who the people are, and the rows that are asked about."""

    office: Office
    commander: Commander
    actors: dict[str, Actor] = field(default_factory=dict)
    disputes: list[UUID] = field(default_factory=list)
    fresh: list[UUID] = field(default_factory=list)
    services: dict[str, list[UUID]] = field(default_factory=dict)
    known: dict[Any, Any] = field(default_factory=dict)

    async def can(self, person: str, resource: str, keys: list[UUID]) -> dict[UUID, frozenset[str] | None]:
        """What is listed on each row; None where he does not see it."""
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
async def hall(can_county: Address) -> AsyncIterator[Hall]:
    async with open_office(can_county) as office:
        gate: Any = office.gql.services.gate
        hall = Hall(office, gate._mutator._commander)
        hall.fresh = await _fresh(office)
        # Of the county, two of each state, rather those that many see.
        rows = await office.rows(
            "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY state ORDER BY grid_code = $1 DESC, EXISTS (SELECT FROM"
            " assignment a JOIN person p ON p.id = a.person_id WHERE a.dispute_id = d.id AND p.name = ANY ($2)) DESC, id) AS n"
            " FROM dispute d WHERE NOT id = ANY ($3)) x WHERE n <= 2",
            SEED_GRID,
            list(PEOPLE),
            hall.fresh,
        )
        hall.disputes = [*hall.fresh, *(row["id"] for row in rows)]
        for resource in PARTS:
            table = RESOURCES[resource].table.name
            few = await office.rows(
                f"SELECT id FROM (SELECT p.id, row_number() OVER (PARTITION BY p.dispute_id ORDER BY p.id) AS n FROM {table} p"
                " WHERE p.dispute_id = ANY ($1)) x WHERE n <= $2",
                hall.disputes,
                2 if resource == "Party" else 1,
            )
            hall.services[resource] = [row["id"] for row in few]
        for person in PEOPLE:
            await office.gql.token(person)
        for person in PEOPLE:
            caller = await gate.admit(await office.gql.token(person))
            hall.actors[person] = Actor(caller.viewer.access, caller.viewer.person_id, caller.epoch)
        hall.known = await _known(office)
        yield hall


async def _fresh(office: Office) -> list[UUID]:
    """Disputes at the turns of their life that the county hardly has."""
    made: list[Case] = [await office.register(), await office.register("grid_worker"), await office.accepted()]
    squad = await _of(office, "squad_member")
    police, court = await office.organization("POLICE_STATION"), await _of(office, "court")
    half = await office.accepted()
    await office.must("mediator", "disputeConsent", id=half.key, party_id=half.applicant)
    waiting = await office.mediating()
    await office.must(
        "mediator", "disputeEscalate", id=waiting.key, organization_id=squad, reason="难", handover="谈过。"
    )
    taken = await office.mediating()
    await office.must(
        "mediator", "disputeEscalate", id=taken.key, organization_id=squad, reason="难", handover="谈过。"
    )
    await office.must("squad_member", "disputeTake", id=taken.key)
    topped = await office.mediating()
    await office.at_tier(topped, "CENTRE")
    for agency in (police, court):
        await office.must(
            "centre_staff",
            "disputeInvite",
            id=topped.key,
            organization_id=agency,
            purpose="到场。",
            parties_consent=True,
        )
    drafted, agreed = await office.mediating(), await office.mediating()
    await _agree(office, drafted, sign=False)
    await _agree(office, agreed)
    confirming = await office.mediating()
    await office.must(
        "mediator", "confirmationApply", agreement_id=await _agree(office, confirming), court_id=court, both_apply=True,
        ownership_terms=False,
    )  # fmt: skip
    performed = await office.mediating(sub_category="P02", utility_cut="WATER")
    await _agree(office, performed)
    owed = await office.value("SELECT id FROM obligation WHERE dispute_id = $1", performed.key)
    await office.must("mediator", "obligationPerform", id=owed, evidence="收据")
    alert = await office.value("SELECT id FROM alert WHERE dispute_id = $1", performed.key)
    await office.must("mediator", "alertHandle", id=alert)
    closed = await office.mediating()
    await _agree(office, closed)
    owed = await office.value("SELECT id FROM obligation WHERE dispute_id = $1", closed.key)
    await office.must("mediator", "obligationPerform", id=owed, evidence="收据")
    visit = await office.value("SELECT id FROM follow_up WHERE dispute_id = $1", closed.key)
    await office.must("mediator", "followUpComplete", id=visit, method="PHONE", result="NORMAL", satisfaction=4)
    ready, again = await office.mediating(), await office.mediating()
    for case in (ready, again):
        await office.must("mediator", "agreementDraft", dispute_id=case.key, form="ORAL", content="两清。")
        visit = await office.value("SELECT id FROM follow_up WHERE dispute_id = $1", case.key)
        await office.must("mediator", "followUpComplete", id=visit, method="PHONE", result="NORMAL", satisfaction=4)
    await office.must("mediator", "disputeClose", id=again.key)
    await office.must("mediator", "disputeClose", id=closed.key)
    # Archived with an alert and a lead that nobody has seen to.
    over = await office.mediating(sub_category="P02", utility_cut="WATER")
    housing = await office.organization("HOUSING_DEPARTMENT")
    await office.must("mediator", "disputeRefer", id=over.key, kind="LEAD", organization_id=housing, reason="停水催费")
    await office.must("mediator", "disputeTerminate", id=over.key, reason="FAR_APART", routes_told=True)
    await office.must("justice_office", "disputeArchive", id=over.key)
    await office.must("mediator", "disputeReopen", id=again.key, reason="又反弹。")
    # Nobody leads it; two who apply; nobody who applies.
    led = await office.register("grid_worker")
    await office.must("justice_office", "disputeAccept", id=led.key)
    owner = {"kind": "OWNER", "name": "邻居"}
    both = await office.register(parties=[{"side": side, **owner} for side in ("APPLICANT", "APPLICANT", "RESPONDENT")])
    clue = await office.register()
    await office.execute("DELETE FROM party WHERE id = $1", clue.applicant)
    many = await office.mediating()
    third = PartyInput(side="THIRD", kind="OWNER", name="邻居")
    await office.must("mediator", "partyAdd", id=many.key, party=dict(third.__dict__))
    made += [
        half,
        waiting,
        taken,
        topped,
        drafted,
        agreed,
        confirming,
        performed,
        closed,
        ready,
        over,
        many,
        led,
        both,
        clue,
    ]
    return [case.key for case in made]


async def _agree(office: Office, case: Case, *, sign: bool = True) -> UUID:
    """An agreement to pay; signed by all if wanted."""
    when = case.started + DAY
    pay = {
        "party_id": case.applicant,
        "kind": "PAY",
        "content": "补缴",
        "amount": "10.00",
        "due_on": dt.date(2099, 1, 1),
    }
    shown = await office.must(
        "mediator",
        "agreementDraft",
        dispute_id=case.key,
        form="WRITTEN",
        content="补缴。",
        obligations=[pay],
        happened_at=when,
    )
    key = UUID(shown["id"].partition(":")[2])
    signatures: list[dict[str, Any]] = [
        {"kind": "PARTY", "party_id": case.applicant}, {"kind": "PARTY", "party_id": case.respondent}, {"kind": "MEDIATOR"},
        {"kind": "SEAL"},
    ]  # fmt: skip
    for signature in signatures if sign else ():
        await office.must("mediator", "agreementSign", id=key, happened_at=when + HOUR, **signature)
    return key


async def _of(office: Office, role: str) -> UUID:
    person = await office.person(role)
    found = await office.value(
        "SELECT organization_id FROM appointment WHERE role = $1 AND person_id = $2", role, person
    )
    return UUID(str(found))


async def _known(office: Office) -> dict[Any, Any]:
    """What orders refer to."""
    mediators = await office.rows(
        "SELECT m.id, m.person_id FROM mediator m JOIN person p ON p.id = m.person_id WHERE p.state = 'ACTIVE' ORDER BY m.id"
    )
    return {
        "squad": await _of(office, "squad_member"),
        "centre": await _of(office, "centre_staff"),
        "justice": await office.organization("JUSTICE_OFFICE"),
        "governance": await office.organization("GOVERNANCE_CENTRE"),
        "housing": await office.organization("HOUSING_DEPARTMENT"),
        "court": await _of(office, "court"),
        "mediators": [(row["id"], row["person_id"]) for row in mediators],
        "team_mediator": await office.person("mediator"),
    }


# -- plausible orders


async def order_for(hall: Hall, resource: str, action: str, key: UUID, at: dt.datetime) -> Any:
    """An order that is plausible on the row, as of a time."""
    office, known = hall.office, hall.known
    name = command_of(resource, action)
    given: dict[str, Any] = {NAMING.get(name, "id"): key, "happened_at": at}
    if key not in known:
        found = await office.row(f"SELECT * FROM {RESOURCES[resource].table.name} WHERE id = $1", key)
        parties = await office.rows(
            "SELECT id, side FROM party WHERE dispute_id = $1 AND withdrawn_on IS NULL"
            " ORDER BY consent IS NOT NULL, side = 'RESPONDENT', id", key if resource == "Dispute" else found.get("dispute_id"),
        )  # fmt: skip
        known[key] = found, parties
    row, parties = known[key]
    of = key if resource == "Dispute" else row.get("dispute_id")
    match resource, action:
        case "Dispute", "decline":
            given |= {"reason": "ELSEWHERE", "advice": "请到有关部门办理。"}
        case "Dispute", "consent" | "refuse" | "withdraw":
            sides = {"consent": "SIDES", "refuse": "RESPONDENT", "withdraw": "APPLICANT"}[action]
            chosen = [one["id"] for one in parties if one["side"] == sides] or [one["id"] for one in parties] or [of]
            given |= {"party_id": chosen[0]} | ({} if action == "consent" else {"reason": "不愿再谈。"})
        case "Dispute", "assign" | "recuse":
            active = await office.rows(
                "SELECT a.person_id, a.is_lead, m.id FROM assignment a JOIN mediator m ON m.person_id = a.person_id"
                " WHERE dispute_id = $1 AND ended_at IS NULL ORDER BY is_lead DESC", of,
            )  # fmt: skip
            free = [one for one, person in known["mediators"] if person not in {each["person_id"] for each in active}]
            if action == "assign":
                given |= {"mediator_id": free[0], "is_lead": True, "mode": "APPOINTED"}
            else:
                leaving = active[0]["id"] if active else free[1]
                given |= {
                    "party_id": parties[0]["id"],
                    "mediator_id": leaving,
                    "replacement_id": free[0],
                    "ground": "相识。",
                }
        case "Dispute", "disclose":
            given |= {"ground": "与一方相识。"}
        case "Dispute", "measure":
            given |= {"kind": "WATER"}
        case "Dispute", "add":
            given |= {"party": PartyInput(side="THIRD", kind="OWNER", name="邻居")}
        case "Dispute", "record":
            given |= {"place": "调解室", "result": "TO_CONTINUE", "record": "再谈。"}
        case "Dispute", "assess":
            given |= {"level": "LOW", "reason": "平稳。"}
        case "Dispute", "report" | "return" | "reopen":
            given |= {"reason": "情况如前。"}
        case "Dispute", "extend":
            main = tuple(one["id"] for one in parties if one["side"] != "THIRD")
            given |= {"to_on": (row["due_on"] or dt.date(2030, 1, 1)) + DAY, "party_ids": main}
        case "Dispute", "escalate":
            to = known["centre"] if row["tier"] == "SQUAD" else known["squad"]
            given |= {"organization_id": to, "reason": "难。", "handover": "谈过两次。"}
        case "Dispute", "invite":
            given |= {"organization_id": known["governance"], "purpose": "到场。", "parties_consent": True}
        case "Dispute", "refer":
            given |= {"organization_id": known["justice"], "kind": "TRANSFER", "reason": "转办。"}
        case "Dispute", "opine":
            given |= {"text": "意见。"}
        case "Dispute", "agree":
            given |= {"form": "ORAL", "content": "两清。", "obligations": ()}
        case "Dispute", "follow":
            given |= {"due_on": at.date() + 3 * DAY}
        case "Dispute", "terminate":
            given |= {"reason": "FAR_APART", "routes_told": True}
        case "Party", "reveal":
            del given["happened_at"]
            given |= {"fields": ("ID_NUMBER",), "reason": "短"}
        case "Party", "update":
            given |= {"is_minor": False}
        case "Party", "appoint":
            given |= {"agent_name": "某律师", "powers": "一般代理"}
        case "Party", "withdraw":
            given |= {"reason": "不再参与。"}
        case "Agreement", "sign":
            given |= {"kind": "SEAL"}
        case "Agreement", "vary" | "rescind":
            given |= {"both_consent": True, "reason": "情况有变。"} | (
                {"content": "另行约定。"} if action == "vary" else {}
            )
        case "Agreement", "apply":
            given |= {"court_id": known["court"], "both_apply": True, "ownership_terms": False}
        case "Obligation", "perform":
            given |= {"evidence": "收据"}
        case "Obligation", "excuse":
            given |= {"reason": "同意免除。"}
        case "Obligation", "urge":
            given |= {"party_id": row["party_id"], "method": "PHONE", "result": "答应。"}
        case "FollowUp", "complete":
            given |= {"method": "PHONE", "result": "NORMAL", "satisfaction": 4}
        case "Referral", "answer":
            given |= {"answer": "DONE", "reply": "办结。"}
        case "Alert", "close":
            given |= {"note": "已处置。"}
        case "Confirmation", "decide":
            given |= {"result": "WITHDRAWN"}
        case "Team", "replace":
            given |= {"role": "MEDIATOR", "person_id": known["team_mediator"]}
        case "Team", "dissolve":
            given |= {"reason": "并入他队。"}
    return COMMANDS[name].input_type(**given)


# -- the law


def _named(name: str) -> str:
    return {"id": "id", "dispute_id": "disputeId", "agreement_id": "agreementId"}[NAMING.get(name, "id")]


class Judged:
    """Holds what a command says of an order of tomorrow against what is listed."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.counted: Counter[str] = Counter()
        self.wrong: list[Any] = []
        self.asked = 0

    async def ask(self, person: str, resource: str, action: str, key: UUID, listed: frozenset[str] | None) -> None:
        name = command_of(resource, action)
        order = await order_for(self.hall, resource, action, key, now() + DAY)
        receipt = await self.hall.commander.carry_out(
            COMMANDS[name], self.hall.actors[person], order, key=None, expected_version=None
        )
        told = [(one.field, one.code) for one in receipt.user_errors]
        of_row = [code for at, code in told if at in ("id", _named(name), "")]
        input_only = bool(told) and not of_row and (action == "reveal" or ("happenedAt", "IN_FUTURE") in told)
        refused = bool(told) and len(of_row) == len(told) and set(of_row) <= REFUSING
        hidden = listed is None
        good = (
            input_only
            if not hidden and action in (listed or ())
            else refused and (not hidden or of_row == ["NOT_FOUND"])
        )
        self.asked += 1
        self.counted.update(["listed"] if input_only else of_row or ["?"])
        if not good:
            self.wrong.append(
                (person, resource, action, str(key), "listed" if listed and action in listed else "-", told)
            )

    def settle(self) -> None:
        shown = Counter((resource, action, mark, str(told)) for _, resource, action, _, mark, told in self.wrong)
        assert not self.wrong, (len(self.wrong), shown.most_common(20), self.wrong[:5])


def _granted(hall: Hall, person: str, resource: str) -> set[str]:
    """The actions for which any rule of his speaks."""
    access = hall.actors[person].access
    actions = RESOURCES[resource].actions - ASKING - CREATING.get(resource, frozenset())
    return {action for action in actions if access.grant(resource, action).rows != Never()}


async def test_what_is_listed_of_a_dispute_is_what_would_succeed(hall: Hall) -> None:
    """Every state, every principal, every command; nothing is stored either way."""
    before, judged = await hall.stored(), Judged(hall)
    actions = sorted(FROM_STATES)
    turn = 0
    for person in PEOPLE:
        granted = _granted(hall, person, "Dispute")
        for key, listed in (await hall.can(person, "Dispute", hall.disputes)).items():
            turn += 1
            # Where no rule of his speaks of an action, a few in turn will do.
            others = {actions[turn % len(actions)], actions[(turn * 7) % len(actions)]}
            unlisted = sorted(granted - (listed or frozenset()))
            # Those that a guard may withhold always, the others in turn.
            guarded = [action for action in unlisted if action in GUARDS]
            chosen = [*guarded, *unlisted[turn % 5 :: 5]] if listed else unlisted[turn % 9 :: 9]
            for action in sorted({*(listed or ()), *chosen, *(others if turn % 3 == 0 else ())}):
                await judged.ask(person, "Dispute", action, key, listed)
    judged.settle()
    assert await hall.stored() == before
    assert set(judged.counted) >= {"listed", "NOT_FOUND", "FORBIDDEN", "WRONG_STATE", "NOT_VISITED", "ALERT_OPEN"}
    assert judged.asked > 1000


async def test_what_is_listed_of_a_part_is_what_would_succeed(hall: Hall) -> None:
    """The same for parties, agreements, obligations, visits, referrals, alerts, confirmations and teams."""
    before, judged = await hall.stored(), Judged(hall)
    teams = [
        row["id"]
        for row in await hall.office.rows("SELECT id FROM team ORDER BY state, grid_code = $1 DESC, id", SEED_GRID)
    ]
    turn = 0
    for person in PEOPLE:
        for resource, keys in ({**hall.services, "Team": teams[:6] + teams[-4:]}).items():
            granted = sorted(_granted(hall, person, resource))
            actions = sorted(RESOURCES[resource].actions - ASKING - CREATING.get(resource, frozenset()))
            for key, listed in (await hall.can(person, resource, keys)).items():
                turn += 1
                others = actions[turn % len(actions)] if turn % 11 == 0 else None
                chosen = granted[turn % 2 :: 2] if listed is not None and (listed or turn % 2 == 0) else []
                for action in sorted({*(listed or ()), *chosen, *([others] if others else [])}):
                    await judged.ask(person, resource, action, key, listed)
    judged.settle()
    assert await hall.stored() == before
    assert set(judged.counted) >= {"listed", "NOT_FOUND", "FORBIDDEN", "WRONG_STATE"}
    assert judged.asked > 500


class _Undone:
    """One connection on which nothing lasts."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["asyncpg.Connection[Any]"]:
        undone = self._connection.transaction()
        await undone.start()
        try:
            yield self._connection
        finally:
            await undone.rollback()


async def test_what_is_listed_succeeds(hall: Hall) -> None:
    """In earnest, on the fresh disputes and their parts, each in a transaction that is undone afterwards."""
    before = await hall.stored()
    commander, done, wrong = hall.commander, 0, []
    connection = await commander._pool._session.connect()
    try:
        pool: Any = _Undone(connection)
        undoing = Commander(pool, commander._cipher)
        for resource in ("Dispute", *PARTS):
            table = RESOURCES[resource].table.name
            column = "id" if resource == "Dispute" else "dispute_id"
            rows = await hall.office.rows(f"SELECT id FROM {table} WHERE {column} = ANY ($1)", hall.fresh)
            for person in PEOPLE:
                for key, listed in (await hall.can(person, resource, [row["id"] for row in rows])).items():
                    for action in sorted((listed or frozenset()) - {"reveal"}):
                        order = await order_for(hall, resource, action, key, now() - dt.timedelta(seconds=1))
                        receipt = await undoing.carry_out(
                            COMMANDS[command_of(resource, action)],
                            hall.actors[person],
                            order,
                            key=None,
                            expected_version=None,
                        )
                        done += 1
                        if receipt.user_errors:
                            wrong.append(
                                (person, resource, action, [(one.field, one.code) for one in receipt.user_errors])
                            )
    finally:
        await connection.close()
    assert not wrong, (len(wrong), Counter((one[1], one[2], str(one[3])) for one in wrong).most_common(20), wrong[:5])
    assert await hall.stored() == before
    assert done > 300
