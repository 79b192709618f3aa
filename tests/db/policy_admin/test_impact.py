"""The impact of another policy, counted in SQL, is what Casbin counts cell by cell: for roles and tokens, denials and masks."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from typing import Any

import asyncpg

from db.policy_admin.impact.comparison import Comparison, Holder, Totals
from db.policy_admin.impact.count import count, samples
from db.postgres.address import Address
from db.resources.catalog import CATALOG, RESOURCES
from policies.catalog import Field
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment
from policies.policy import Policy
from policies.testing.oracle import Judge, Oracle, row_entity
from tests.laws.dataset import Dataset
from tests.laws.strategies import Draw

SEED = int(os.environ.get("SANLIAN_LAW_SEED", "20250601"))
Plain = dict[str, Any]


def plain(tally: Totals) -> Plain:
    """A tally as a plain value, without what is nothing."""
    cells = {name: (one.clear, one.masked, one.hidden) for name, one in tally.cells.items() if one}
    return {"rows": (tally.gained, tally.lost), "cells": cells}


class Brute:
    """Counts by asking Casbin for every cell of every row, under the one policy and under the other."""

    def __init__(self, dataset: Dataset, before: Policy, after: Policy) -> None:
        self.dataset = dataset
        self.oracles = (Oracle(before), Oracle(after))
        self.things = {
            (resource, row["id"]): row_entity(dataset.attributes(resource, row))
            for resource, rows in dataset.rows.items()
            for row in rows
        }

    def tally(self, holder: Holder, resource: str, action: str) -> Plain:
        judges = [oracle.caller([(one.role, one.claims) for one in holder.appointments]) for oracle in self.oracles]
        rows: Counter[str] = Counter()
        cells: dict[str, Counter[str]] = defaultdict(Counter)
        fields = [one.policy for one in RESOURCES[resource].fields.values()]
        for row in self.dataset.rows[resource]:
            at = self.things[resource, row["id"]]
            was, is_ = (judge.may(resource, at, "row", action) for judge in judges)
            rows["gained"] += is_ and not was
            rows["lost"] += was and not is_
            for one in fields:
                before, after = (_form(judge, resource, at, one, action) for judge in judges)
                if before != after:
                    cells[one.field_class][after] += 1
        return {
            "rows": (rows["gained"], rows["lost"]),
            "cells": {name: (one["clear"], one["masked"], one["hidden"]) for name, one in cells.items()},
        }


def _form(judge: Judge, resource: str, at: Any, one: Field, action: str) -> str:
    if not judge.may(resource, at, "row", action):
        return "hidden"
    if action == "read":
        return judge.form(resource, at, one.field_class, one.mask)
    return "clear" if one.mask != "stored" and judge.may(resource, at, one.field_class, action) else "hidden"


async def compare(connection: Any, brute: Brute, before: Policy, after: Policy, holders: list[Holder]) -> Counter[str]:
    """Hold every count against Casbin's: for each holder every action that a rule speaks of. What was met on the way."""
    comparison, met = Comparison(before, after, holders), Counter[str]()
    totals_by_action: dict[tuple[str, str, str], Totals] = defaultdict(Totals)
    for units in comparison.batches(3):
        for unit, tally in zip(units, await count(connection, units), strict=True):
            for holder in comparison.units[unit]:
                totals_by_action[holder.name, unit.resource, unit.action].add(tally)
    counted = {key: plain(tally) for key, tally in totals_by_action.items()}
    for holder in holders:
        held = {
            key for policy in (before, after) for one in holder.appointments for key in policy.actions_by_role[one.role]
        }
        same = sorted(held - {key[1:] for key in counted if key[0] == holder.name})
        # Of what is taken to be the same a few are enough: there are many, and Casbin is slow.
        chosen = brute.dataset.random.sample(same, min(3, len(same)))
        for resource, action in sorted(held - set(same)) + chosen:
            wanted = brute.tally(holder, resource, action)
            found = counted.get((holder.name, resource, action), {"rows": (0, 0), "cells": {}})
            assert found == wanted, (holder, resource, action)
            met.update({"gained": wanted["rows"][0], "lost": wanted["rows"][1]})
            for clear, masked, hidden in wanted["cells"].values():
                met.update({"clear": clear, "masked": masked, "hidden": hidden})
    return met


async def test_counts_between_random_policies_are_those_of_casbin(database: Address) -> None:
    dataset, met = Dataset(SEED, disputes=12), Counter[str]()
    connection = await asyncpg.connect(**database.connect_arguments())
    try:
        await dataset.insert(connection)
        for number in range(4):
            draw = Draw(dataset, SEED + number)
            before, after = draw.policy(2 * number), draw.policy(2 * number + 1)
            # Both have the roles of the one, whose appointments are drawn.
            roles = [role for role in before.roles if role in after.roles]
            holders = []
            for place in range(4):
                one = [draw.appointment(before, draw.random.choice(roles)) for _ in range(1 + place % 3)]
                holders.append(Holder("token", f"h{place}", "", tuple(one)))
            met += await compare(connection, Brute(dataset, before, after), before, after, holders)
    finally:
        await connection.close()
    assert all(met[what] > 9 for what in ("gained", "lost", "clear", "masked", "hidden")), met


def shipped(*changes: tuple[str, str]) -> tuple[Policy, Policy]:
    """The shipped policy, and the same with some lines changed or, where the old one is empty, added."""
    text = POLICY_PATH.read_text(encoding="utf-8")
    changed = text
    for old, new in changes:
        assert not old or old in changed
        changed = changed.replace(old, new, 1) if old else f"{changed}{new}\n"
    return compile_policy(text, CATALOG, 1), compile_policy(changed, CATALOG, 2)


CHANGES = (
    ("p, police, Dispute, read, referred, public", "p, police, Dispute, read, in_county and referred, public"),
    ("read, referred, public|name|~contact|address", "read, referred, public|~name|contact|address"),
    (
        "at_team and recent, public|status|name|~contact|address",
        "at_team and recent, public|status|~name|contact|address",
    ),
    ("", "p, grid_worker, Dispute, read, own_town and at_team, public|money, allow"),
    ("", "p, mediator, Party, read, own_cases and not recent, contact, deny"),
    ("", "p, justice_office, Dispute, read, not recent, *, deny"),
    ("", "p, worker, Dispute, read, r.obj.is_open, public, allow"),
    ("", "p, law_leader, Dispute, accept, own_team and waiting, -, allow"),
    ("p, mediator, Dispute, close, own_cases, -, allow", "p, mediator, Dispute, close, own_lead, -, allow"),
)


async def test_counts_of_an_edited_shipped_policy_are_those_of_casbin(database: Address) -> None:
    dataset, (before, after) = Dataset(SEED + 1, disputes=20), shipped(*CHANGES)
    draw = Draw(dataset, SEED)
    holders = [
        Holder("role", f"{role} {number}", role, (draw.appointment(before, role),))
        for role in ("police", "grid_worker", "mediator", "justice_office", "law_leader", "auditor")
        for number in range(2)
    ]
    several = ("police", "mediator", "justice_office")
    holders.append(Holder("token", "several", "", tuple(draw.appointment(before, role) for role in several)))
    connection = await asyncpg.connect(**database.connect_arguments())
    try:
        await dataset.insert(connection)
        met = await compare(connection, Brute(dataset, before, after), before, after, holders)
    finally:
        await connection.close()
    assert all(met[what] > 0 for what in ("gained", "lost", "clear", "masked", "hidden")), met


def test_only_what_is_granted_otherwise_is_counted_and_the_same_claims_once() -> None:
    before, after = shipped(("", "p, housing, Dispute, read, in_county, money, allow"))
    dataset = Dataset(SEED, disputes=3)
    draw = Draw(dataset, SEED)
    claims = {**draw.appointment(before, "housing").claims, "area_code": "990101", "organization_id": None}
    holders = [
        Holder("role", role, role, (Appointment(role, {**claims, "person_id": number}),))
        for number, role in enumerate(("housing", "housing", "police", "auditor"))
    ]
    comparison = Comparison(before, after, holders)
    assert [(unit.resource, unit.action, len(affected)) for unit, affected in comparison.units.items()] == [
        ("Dispute", "read", 2)
    ]
    assert not Comparison(before, before, holders).units
    same = shipped(("p, housing, Dispute, read,", "# 说明\np, housing, Dispute, read,"))
    assert not Comparison(*same, holders).units


async def test_samples_are_rows_that_the_asker_sees(database: Address) -> None:
    dataset, (before, after) = (
        Dataset(SEED, disputes=40),
        shipped(("", "p, police, Dispute, read, in_county, public, allow")),
    )
    claims = {"person_id": None, "organization_id": None, "area_code": "990101", "team_ids": None}
    comparison = Comparison(
        before, after, [Holder("role", "police", "", (Appointment("police", claims),))], undivided=True
    )
    (unit,) = comparison.units
    town = {**claims, "area_code": "990101001"}
    connection = await asyncpg.connect(**database.connect_arguments())
    try:
        await dataset.insert(connection)
        for asker, sees in (
            (Access(before, [Appointment("bureau_admin", claims)]), "990101"),
            (Access(before, [Appointment("justice_office", town)]), "990101001"),
            (Access(before, [Appointment("auditor", claims)]), "none"),
        ):
            gained, lost = await samples(connection, unit, asker, 5)
            rows = [dataset.by_id["Dispute", key] for key in gained]
            assert all(str(row["grid_code"]).startswith(sees) for row in rows)
            assert len(set(gained)) == len(gained) == (0 if sees == "none" else 5)
            assert lost == []
    finally:
        await connection.close()
