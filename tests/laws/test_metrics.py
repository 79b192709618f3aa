"""Law: whoever asks for metrics gets what counting the rows in their reach gives, whatever was written before and compacted meanwhile.

`SANLIAN_LAW_SEED` makes another dataset, other changes and other callers.
"""

import datetime as dt
import os
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import select

from db.postgres.address import Address
from db.query.access_paths import AccessPaths
from db.query.statement import compile_statement
from db.query.statistics.metrics import METRICS
from db.query.statistics.rollups import exact_count, split_scope
from db.query.visibility import Visibility
from db.resources.catalog import CATALOG, RESOURCES
from db.write.rollups import compact
from policies.compile import compile_policy
from policies.grant import Access, Appointment
from policies.policy import Policy
from policies.predicate import Never
from tests.laws.callers import EVERYONE, appoint_several
from tests.laws.cell_checks import GraphQLClient, open_client
from tests.laws.client import GraphQLClient as GateClient
from tests.laws.client import open_client as open_gate_client
from tests.laws.dataset import Dataset
from tests.laws.metric_oracle import GROUPS, Day, MetricOracle, disclosed
from tests.laws.random_changes import change
from tests.laws.visibility_oracle import AppointmentInForce, PolicyText, Record, Rights, Snapshot, camel

SEED = int(os.environ.get("SANLIAN_LAW_SEED", "20250301"))
ROUNDS = int(os.environ.get("SANLIAN_LAW_ROUNDS", "3"))
FIELDS = " ".join(camel(name) for name in METRICS)
ROLLUP_TABLES = ("tally", "tally_sum", "tally_days")

# What is allowed, what is denied: wide scopes, unions of them with each other and with single cases, and what is no scope at all.
POLICIES: dict[str, tuple[str, str | None]] = {
    "everything": ("True", None),
    "county": ("r.obj.county_code == r.sub.area_code", None),
    "town": ("r.obj.town_code == r.sub.area_code", None),
    "grid": ("r.obj.grid_code == r.sub.area_code", None),
    "team": ("r.obj.team_id in r.sub.team_ids", None),
    "squad or own cases": ("r.obj.squad_id == r.sub.organization_id or r.sub.person_id in r.obj.mediator_ids", None),
    "centre or town": ("r.obj.centre_id == r.sub.organization_id or r.obj.town_code == r.sub.area_code", None),
    "reported or referred": (
        "r.obj.source_organization_id == r.sub.organization_id or r.sub.organization_id in r.obj.referred_organization_ids", None,
    ),
    "any area": ("r.obj.county_code == r.sub.area_code or r.obj.town_code == r.sub.area_code or r.obj.grid_code == r.sub.area_code", None),
    "town, closed": ("r.obj.town_code == r.sub.area_code and r.obj.state == 'CLOSED'", None),
    "recent": ("r.obj.is_recent", None),
    "town or not closed": ("r.obj.town_code == r.sub.area_code or not r.obj.state == 'CLOSED'", None),
    "all but a squad": ("True", "r.obj.squad_id == r.sub.organization_id"),
    "county but own cases": ("r.obj.county_code == r.sub.area_code", "r.sub.person_id in r.obj.mediator_ids"),
    "one town by name": ("r.obj.town_code == '990101001'", None),
}  # fmt: skip


def rules(condition: str, effect: str) -> str:
    """Rules for role a: these disputes with all their parts and classes."""
    lines = []
    for resource in ("Dispute", "Agreement", "Obligation", "FollowUp", "Confirmation", "Referral"):
        classes = "|".join(sorted({field.policy.field_class for field in RESOURCES[resource].fields.values()}))
        lines.append(f"p, a, {resource}, read, {condition}, {classes if effect == 'allow' else '*'}, {effect}\n")
    return "".join(lines)


def policy(name: str, number: int) -> Policy:
    """Role a has the rows of that name; role b has them too, and counts exactly."""
    allowed, denied = POLICIES[name]
    text = "p3, a, 甲\np3, b, 乙\ng, b, a\np, b, Dispute, count, True, -, allow\n" + rules(allowed, "allow")
    # Groups by place are those of the places that are seen.
    text += "p, a, Area, read, True, public, allow\np, a, Compound, read, True, public, allow\n"
    return compile_policy(text + (rules(denied, "deny") if denied else ""), CATALOG, number)


@dataclass
class Scope:
    """The disputes that the text of the policy gives, with all their parts."""

    snapshot: Snapshot
    disputes: set[UUID]

    def ids(self, resource: str) -> set[UUID]:
        if resource == "Dispute":
            return self.disputes
        return {key for key, row in self.snapshot.rows[resource].items() if row["dispute_id"] in self.disputes}


def scope_of(snapshot: Snapshot, name: str, appointments: list[AppointmentInForce]) -> Scope:
    """By the law's own reading of the text: what is allowed, without what is denied."""
    allowed, denied = (
        Rights(snapshot, appointments, PolicyText("g, b, a\n" + rules(condition, "allow"))).ids("Dispute")
        if condition
        else set()
        for condition in POLICIES[name]
    )
    spoken = {claim for claim in appointments[0].claims if f"r.sub.{claim}" in (POLICIES[name][1] or "")}
    if any(post.claims[claim] is None for post in appointments for claim in spoken):
        denied = allowed  # a missing claim matches no allow and every deny
    return Scope(snapshot, allowed - denied)


class RandomCallers:
    """Random callers with random questions about one database."""

    def __init__(self, gql: GraphQLClient, connection: Any, dice: random.Random) -> None:
        self.gql, self.connection, self.dice = gql, connection, dice
        self.policies = {name: policy(name, number) for number, name in enumerate(POLICIES)}
        self.asked = 0

    async def random_appointments(self) -> list[AppointmentInForce]:
        """One to three appointments, some with the same claims, some with a claim missing."""
        fetch, dice = self.connection.fetch, self.dice
        grids = [row["grid_code"] for row in await fetch("SELECT DISTINCT grid_code FROM dispute ORDER BY 1")]
        organizations = [
            key
            for row in await fetch("SELECT squad_id, centre_id, source_organization_id FROM dispute")
            for key in row.values()
            if key
        ]
        people = [row["person_id"] for row in await fetch("SELECT DISTINCT person_id FROM assignment ORDER BY 1")]
        teams = [row["id"] for row in await fetch("SELECT id FROM team ORDER BY 1")]
        found: list[AppointmentInForce] = []
        for _ in range(dice.choice((1, 1, 2, 3))):
            claims = {
                "person_id": dice.choice(people),
                "organization_id": dice.choice(sorted(organizations)),
                "area_code": dice.choice(grids)[: dice.choice((6, 9, 9, 15))],
                "team_ids": dice.sample(teams, 2),
            }
            for claim in claims:
                if dice.random() < 0.04:
                    claims[claim] = None
            found.append(AppointmentInForce(dice.choice("ab"), claims))
        return found + (found[:1] if dice.random() < 0.2 else [])

    def random_period(self, today: dt.date) -> tuple[Day, Day]:
        """From and until, either may be missing; often at the turn of a month or a year, at times the wrong way round."""
        found: list[Day] = []
        for _ in range(2):
            day = today - dt.timedelta(days=self.dice.randint(-20, 460))
            match self.dice.choice(("none", "day", "day", "month", "month end", "year", "year end")):
                case "none":
                    found.append(None)
                case "day":
                    found.append(day)
                case "month":
                    found.append(day.replace(day=1))
                case "month end":
                    found.append(day.replace(day=1) - dt.timedelta(days=1))
                case "year":
                    found.append(day.replace(month=1, day=1))
                case "year end":
                    found.append(day.replace(month=12, day=31))
        first, last = found
        if first is not None and last is not None and first > last and self.dice.random() < 0.9:
            first, last = last, first
        return first, last

    async def check(self, snapshot: Snapshot, name: str) -> None:
        """One caller, one period, every kind of group: every metric, by the rows in reach."""
        appointments = await self.random_appointments()
        exact = any(post.role == "b" for post in appointments)
        access = Access(self.policies[name], [Appointment(post.role, post.claims) for post in appointments])
        seen = scope_of(snapshot, name, appointments)
        if access.grant("Dispute").rows == Never():
            # Whoever sees no dispute is refused, which is another law's matter.
            assert not seen.disputes
            return
        since, until = self.random_period(snapshot.today)
        period = {key: day.isoformat() for key, day in (("from", since), ("to", until)) if day}
        oracle = MetricOracle(snapshot, seen, since, until)
        rows = [snapshot.rows["Dispute"][key] for key in seen.disputes]
        for by in (None, *self.dice.sample(sorted(GROUPS), 2)):
            grouped = f", groupBy: {by}" if by else ""
            query = f"query ($p: StatisticsPeriod) {{ statistics(period: $p{grouped}) {{ {FIELDS} groups {{ key {FIELDS} }} }} }}"
            data, errors = await self.gql.ask(access, query, p=period)
            situation = (name, appointments, period, by)
            assert not errors, (situation, errors)
            answer = data["statistics"]
            wanted = {camel(one): disclosed(value, exact) for one, value in oracle.metrics(rows).items()}
            assert {key: answer[key] for key in wanted} == wanted, situation
            groups: dict[Any, list[Record]] = defaultdict(list)
            for row in rows:
                if by and any(oracle.within(row[one]) for one in ("registered_at", "accepted_at", "concluded_at")):
                    groups[GROUPS[by](row)].append(row)
            assert [one["key"] for one in answer["groups"]] == sorted(key for key in groups if key is not None), (
                situation
            )
            for one in answer["groups"]:
                metrics = oracle.metrics(groups[one["key"]]).items()
                wanted = {camel(metric): disclosed(value, exact) for metric, value in metrics}
                assert {key: one[key] for key in wanted} == wanted, (*situation, one["key"])
            self.asked += 1
        await self.check_count(access, len(seen.disputes), name)

    async def check_count(self, access: Access, wanted: int, name: str) -> None:
        """The exact count of the list, where rollups give it."""
        visibility = Visibility(access)
        count = exact_count(visibility, AccessPaths(visibility), RESOURCES["Dispute"])
        scope, remainder = split_scope(access.grant("Dispute").rows)
        assert (count is None) == (scope is None or (remainder != Never() and scope.column != "county_code"))
        if count is not None:
            statement = compile_statement(select(count))
            values = {
                f"claim_{slot}_{claim}": value
                for slot, claims in enumerate(access.claims)
                for claim, value in claims.items()
            }
            assert (
                await self.connection.fetchval(statement.sql, *(values[bind] for bind in statement.binds)) == wanted
            ), name


async def rollup_rows(connection: Any) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: [tuple(row) for row in await connection.fetch(f"SELECT * FROM {table} ORDER BY {table}")]
        for table in ROLLUP_TABLES
    }


async def test_metrics_are_what_counting_gives(database: Address) -> None:
    """Random callers under all kinds of policies, between random changes, some of them compacted. At the end, a rebuild changes nothing.

    Slow: each round is asked under every kind of policy, for metrics of every kind of group.
    """
    dice = random.Random(SEED)
    connection = await asyncpg.connect(**database.connect_arguments())
    try:
        await Dataset(SEED, disputes=90).insert(connection)
        async with open_client(database) as gql:
            callers = RandomCallers(gql, connection, dice)
            for number in range(ROUNDS):
                went = [await change(connection, dice, dice.choice((1, 1, 3))) for _ in range(40)]
                assert any(went)
                if number % 3 == 1:
                    await compact(connection)
                    assert not await connection.fetchval("SELECT count(*) FROM tally_change")
                elif number % 3 == 2:
                    assert await connection.fetchval("SELECT count(*) FROM tally_change")
                snapshot = await Snapshot.read(connection)
                for name in POLICIES:
                    await callers.check(snapshot, name)
        assert callers.asked > ROUNDS * len(POLICIES)
        await compact(connection)
        before = await rollup_rows(connection)
        await connection.execute("SELECT tally_rebuild()")
        assert await rollup_rows(connection) == before
        assert all(before.values())
    finally:
        await connection.close()


PERIODS: tuple[tuple[Day, Day], ...] = (
    (None, None),
    (dt.date(2023, 1, 1), None),
    (dt.date(2023, 11, 17), dt.date(2024, 4, 9)),
)


async def test_every_role_of_the_county(own_county: Address) -> None:
    """The shipped policy: whoever may have a metric has it over exactly the disputes in reach, from changes and from sums alike."""
    async with open_gate_client(own_county) as gql:
        await appoint_several(gql.connection)
        snapshot = await Snapshot.read(gql.connection)
        metric_counts: dict[str, int] = {}
        for round_ in range(2):
            for person in EVERYONE:
                rights = Rights(snapshot, snapshot.appointments(person))
                names = [name for name, metric in METRICS.items() if readable(rights, metric.needs)]
                if names:
                    metric_counts[person] = len(names)
                    await check_person(gql, snapshot, rights, person, names, PERIODS[round_:][:2])
            await compact(gql.connection)
    assert len(set(metric_counts.values())) >= 3
    assert max(metric_counts.values()) == len(METRICS)


def readable(rights: Rights, needs: tuple[tuple[str, str], ...]) -> bool:
    """Whether the text lets the person have what a metric is computed from."""
    return all(
        rights.reads(resource, RESOURCES[resource].fields[name].policy.field_class)
        and rights.accompanies("Dispute", resource)
        for resource, name in needs
    )


async def check_person(
    gql: GateClient,
    snapshot: Snapshot,
    rights: Rights,
    person: str,
    names: list[str],
    periods: tuple[tuple[Day, Day], ...],
) -> None:
    counting = rights.rules("Dispute", "count")
    exact = all(
        any(one == number and line.conditions >= other.conditions for one, other in counting)
        for number, line in rights.rules("Dispute")
    )
    rows = [snapshot.rows["Dispute"][key] for key in rights.ids("Dispute")]
    asked = " ".join(map(camel, names))
    for since, until in periods:
        oracle = MetricOracle(snapshot, rights, since, until)
        period = {key: day.isoformat() for key, day in (("from", since), ("to", until)) if day}
        query = f"query ($p: StatisticsPeriod) {{ statistics(period: $p, groupBy: STATE) {{ {asked} groups {{ key {asked} }} }} }}"
        answer = (await gql.data(person, query, p=period))["statistics"]
        groups: dict[Any, list[Record]] = defaultdict(list)
        for row in rows:
            if any(oracle.within(row[one]) for one in ("registered_at", "accepted_at", "concluded_at")):
                groups[row["state"]].append(row)
        assert [one["key"] for one in answer["groups"]] == sorted(groups), (person, period)
        for one, those in ((answer, rows), *((one, groups[one["key"]]) for one in answer["groups"])):
            metrics = oracle.metrics(those)
            wanted = {camel(name): disclosed(metrics[name], exact) for name in names}
            assert {key: one[key] for key in wanted} == wanted, (person, period, one.get("key"))
