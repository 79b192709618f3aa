"""The law of monotony: one more appointment in a role that is denied nothing never takes away a row or a cell; and claims of
different appointments never mix.
"""

import os
from typing import Any

from db.postgres.address import Address
from db.resources.catalog import CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment
from policies.policy import Policy
from policies.testing.oracle import Oracle
from tests.laws.cell_checks import CellCheck, GraphQLClient, open_dataset
from tests.laws.dataset import Dataset
from tests.laws.strategies import ROLES, Draw

SEED = int(os.environ.get("SANLIAN_LAW_SEED", "20250302"))


async def _grows(
    gql: GraphQLClient, dataset: Dataset, policy: Policy, before: list[Appointment], more: Appointment, first: bool
) -> int:
    """Cells that are shown better with one more appointment. None may be shown worse."""
    oracle = Oracle(policy)
    after = [more, *before] if first else [*before, more]
    old = await CellCheck(gql, dataset, oracle, Access(policy, before)).shown_cells()
    new = await CellCheck(gql, dataset, oracle, Access(policy, after)).shown_cells()
    for cell, (rank, value) in old.items():
        assert cell in new, (cell, before, more, policy.text)
        assert new[cell][0] >= rank, (cell, old[cell], new[cell], before, more, policy.text)
        if new[cell][0] == rank:
            assert new[cell][1] == value, (cell, old[cell], new[cell])
    return sum(cell not in old or old[cell][0] < rank for cell, (rank, _) in new.items())


async def test_one_more_allowing_role_hides_nothing_under_random_policies(database: Address) -> None:
    """Slow: eight policies, each with statements of its own, and every cell before and after."""
    grown = 0
    async with open_dataset(database, SEED) as (dataset, gql):
        for number in range(8):
            draw = Draw(dataset, SEED + number)
            policy = draw.policy(number)
            assert all(rule.allow for rule in policy.rules if rule.role == ROLES[-1])
            before = list(draw.access(policy).appointments)
            more = draw.appointment(policy, ROLES[-1])
            grown += await _grows(gql, dataset, policy, before, more, first=number % 2 == 0)
    assert grown > 0


async def test_one_more_role_hides_nothing_under_the_shipped_policy(database: Address) -> None:
    """Slow: every cell before and after, for one role after the other."""
    policy = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG, 1)
    grown = 0
    async with open_dataset(database, SEED) as (dataset, gql):
        draw = Draw(dataset, SEED)
        denying = {rule.role for rule in policy.rules if not rule.allow}
        adding = [role for role in policy.roles if not denying & set(policy.inherited[role])]
        for number in range(8):
            before, more = list(draw.access(policy).appointments), draw.appointment(policy, draw.random.choice(adding))
            grown += await _grows(gql, dataset, policy, before, more, first=number % 2 == 0)
    assert grown > 0


MIXED = """
p3, local, 本地
p3, sender, 来源
p3, both, 兼有
g, both, local
g, both, sender
p2, here, r.obj.grid_code == r.sub.area_code, 本网格
p2, ours, r.obj.source_organization_id == r.sub.organization_id, 本单位
p, local, Dispute, read, here and ours, public, allow
p, sender, Dispute, read, here and r.sub.person_id in r.obj.mediator_ids, status, allow
"""


async def test_claims_of_two_appointments_never_mix(database: Address) -> None:
    """One appointment has the right grid, the other the right organization: together they open nothing."""
    policy = compile_policy(MIXED, CATALOG)
    async with open_dataset(database, SEED) as (dataset, gql):
        rows = dataset.rows["Dispute"]
        expected = next(row for row in rows if row["source_organization_id"])
        grid, organization = expected["grid_code"], expected["source_organization_id"]
        elsewhere = next(row["grid_code"] for row in rows if row["grid_code"] != grid)
        stranger = next(
            one["id"]
            for one in dataset.rows["Organization"]
            if not any(row["grid_code"] == grid and row["source_organization_id"] == one["id"] for row in rows)
        )
        away = next(row["grid_code"] for row in rows if row["grid_code"] != grid and not any(
            one["grid_code"] == row["grid_code"] and one["source_organization_id"] == organization for one in rows
        ))  # fmt: skip
        assert elsewhere

        async def seen(*appointments: tuple[str, str, Any]) -> set[str]:
            made = [
                Appointment(role, {"person_id": None, "organization_id": body, "area_code": area, "team_ids": []})
                for role, area, body in appointments
            ]
            caller = CellCheck(gql, dataset, Oracle(policy), Access(policy, made))
            await caller.check_list("Dispute")
            await caller.check_nodes("Dispute")
            return {one for one, field in await caller.shown_cells() if field == "" and one.startswith("Dispute:")}

        for roles in (("local", "local"), ("both", "both"), ("local", "sender"), ("sender", "both")):
            assert await seen((roles[0], grid, stranger), (roles[1], away, organization)) == set(), roles
        assert f"Dispute:{expected['id']}" in await seen(("local", grid, organization))
        assert f"Dispute:{expected['id']}" in await seen(("local", away, stranger), ("both", grid, organization))
