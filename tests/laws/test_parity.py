"""The law of parity: what the SQL shows is what Casbin allows, in every cell, for the shipped policy and for random ones.

`SANLIAN_LAW_SEED` makes another dataset, other policies and other people.
"""

import os
from collections import Counter

import pytest

from db.postgres.address import Address
from db.resources.catalog import CATALOG, RESOURCES
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment
from policies.testing.oracle import Oracle, row_entity
from tests.laws.cell_checks import CellCheck, open_dataset
from tests.laws.dataset import Dataset, mask_address, mask_name, mask_phone
from tests.laws.strategies import Draw

SEED = int(os.environ.get("SANLIAN_LAW_SEED", "20250301"))
CELLS = 20_000


async def test_every_resource_has_rows_in_the_dataset() -> None:
    """To whoever adds a resource: add its rows to tests/laws/dataset.py or dispute_rows.py, or no law ever looks at it."""
    dataset = Dataset(SEED)
    assert {name for name in RESOURCES if not dataset.rows[name]} == set()
    for name, source in RESOURCES.items():
        for row in dataset.rows[name]:
            assert dataset.attributes(name, row).keys() == source.attributes.keys(), name


async def test_the_shipped_policy_shows_what_casbin_allows(database: Address) -> None:
    """Slow: every cell of every row by every path, for callers who between them hold every role, and as many decisions of the oracle."""
    policy = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG, 1)
    oracle, cells, shown, interests = Oracle(policy), 0, Counter[str](), Counter[bool]()
    async with open_dataset(database, SEED) as (dataset, gql):
        for access in Draw(dataset, SEED).accesses(policy):
            caller = CellCheck(gql, dataset, oracle, access)
            await caller.check_all()
            cells += caller.cells
            shown.update(caller.shown)
            interests.update(caller.interests.values())
    assert cells >= CELLS
    assert min(interests[True], interests[False]) > 0
    assert min(shown[form] for form in ("clear", "masked", "hidden")) > 0


async def test_random_policies_show_what_casbin_allows(database: Address) -> None:
    """Slow: ten policies with two callers each, every cell by every path, each policy with statements of its own."""
    cells, shown = 0, Counter[str]()
    async with open_dataset(database, SEED + 1) as (dataset, gql):
        for number in range(10):
            draw = Draw(dataset, SEED + number)
            policy = draw.policy(number)
            oracle = Oracle(policy)
            for _ in range(2):
                caller = CellCheck(gql, dataset, oracle, draw.access(policy))
                try:
                    await caller.check_all()
                except AssertionError as difference:
                    raise AssertionError(f"{difference}\n\n{policy.text}") from None
                cells += caller.cells
                shown.update(caller.shown)
    assert cells >= CELLS
    assert min(shown[form] for form in ("clear", "masked", "hidden")) > 0


async def test_one_row_by_its_id_is_there_or_unknown_in_the_same_words(database: Address) -> None:
    policy = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG, 1)
    async with open_dataset(database, SEED) as (dataset, gql):
        draw = Draw(dataset, SEED)
        for role in ("grid_worker", "police"):
            caller = CellCheck(gql, dataset, Oracle(policy), Access(policy, [draw.appointment(policy, role)]))
            for resource in ("Dispute", "Party", "Note", "Event", "Area"):
                for row in dataset.rows[resource][:8]:
                    await caller.check_lookup(resource, row)


def test_the_oracle_is_casbin_with_all_rules_and_the_effect_of_the_model() -> None:
    """The oracle asks allow and deny apart, over the rules that can match. Casbin with the shipped model.conf says the same."""
    verdicts: Counter[bool] = Counter()
    dataset = Dataset(SEED, disputes=12)
    for number in range(4):
        draw = Draw(dataset, SEED + number)
        policy = draw.policy(number)
        oracle = Oracle(policy)
        for _ in range(60):
            one = draw.appointment(policy)
            if one.missing:
                continue
            resource = draw.random.choice(("Dispute", "Party", "Note", "Event", "Session", "Organization"))
            row = row_entity(dataset.attributes(resource, dataset.pick(resource)))
            judge = oracle.caller([(one.role, one.claims)])
            for cell in (
                "row",
                *(
                    f"{mark}{field.field_class}"
                    for field in CATALOG.resources[resource].fields.values()
                    for mark in ("", "~")
                ),
            ):
                verdict = judge.may(resource, row, cell)
                assert verdict == oracle.enforce_whole_policy(one.role, one.claims, resource, "read", row, cell)
                verdicts[verdict] += 1
    assert min(verdicts.values()) > 100


_NO_DISPUTE = [
    "r.obj.is_recent",
    "not (r.obj.is_recent != True)",
    "r.obj.is_recent == False",
    "r.obj.is_open",
    "r.obj.is_open == False",
    "r.obj.is_open != False",
    "not r.obj.is_open",
    "r.obj.state != 'CLOSED'",
    "r.obj.state == 'CLOSED' or not r.obj.is_recent",
    "r.obj.lead_mediator_id == r.sub.person_id",
    "r.sub.organization_id in r.obj.referred_organization_ids",
]


@pytest.mark.parametrize("effect", ["allow", "deny"])
async def test_an_event_of_no_dispute_has_none_of_its_attributes(database: Address, effect: str) -> None:
    async with open_dataset(database, SEED) as (dataset, gql):
        for condition in _NO_DISPUTE:
            rules = f"p, a, Event, read, {condition}, audit, allow\n"
            if effect == "deny":
                rules = f"p, a, Event, read, True, audit, allow\np, a, Event, read, {condition}, *, deny\n"
            policy = compile_policy(f"p3, a, 甲\n{rules}", CATALOG)
            draw = Draw(dataset, SEED)
            caller = CellCheck(gql, dataset, Oracle(policy), Access(policy, [draw.appointment(policy)]))
            await caller.check_list("Event")
            await caller.check_nodes("Event")


async def test_a_missing_claim_matches_no_allow_and_every_deny(database: Address) -> None:
    rules = {
        "allow": "p, a, Dispute, read, r.obj.grid_code == r.sub.area_code or r.obj.team_id in r.sub.team_ids, public, allow\n",
        "deny": (
            "p, a, Dispute, read, True, public|status, allow\n"
            "p, a, Dispute, read, r.sub.organization_id in r.obj.referred_organization_ids, status, deny\n"
            "p, a, Dispute, read, r.obj.is_open and r.sub.person_id in r.obj.mediator_ids, *, deny\n"
        ),
    }
    async with open_dataset(database, SEED) as (dataset, gql):
        for text in rules.values():
            policy = compile_policy(f"p3, a, 甲\n{text}", CATALOG)
            full = Draw(dataset, SEED).appointment(policy).claims
            for missing in ([], ["area_code"], ["team_ids"], ["person_id"], ["organization_id"], list(full)):
                one = Appointment("a", {**full, **dict.fromkeys(missing)})
                caller = CellCheck(gql, dataset, Oracle(policy), Access(policy, [one]))
                await caller.check_list("Dispute")
                await caller.check_nodes("Dispute")
        # Said without the oracle: with no claim at all, the allow shows nothing; the denies leave what is not open, without `status`.
        seen = {row["id"] for row in caller.visible("Dispute")}
        assert seen == {
            row["id"] for row in dataset.rows["Dispute"] if not dataset.attributes("Dispute", row)["is_open"]
        }
        assert caller.shown["clear"] > 0
        assert caller.shown["hidden"] > 0


async def test_a_team_named_twice_shows_its_disputes_once(database: Address) -> None:
    policy = compile_policy("p3, a, 甲\np, a, Dispute, read, r.obj.team_id in r.sub.team_ids, public, allow\n", CATALOG)
    async with open_dataset(database, SEED) as (dataset, gql):
        team = next(row["team_id"] for row in dataset.rows["Dispute"] if row["team_id"])
        claims = {"person_id": None, "organization_id": None, "area_code": None, "team_ids": [team, team]}
        caller = CellCheck(gql, dataset, Oracle(policy), Access(policy, [Appointment("a", claims)]))
        await caller.check_list("Dispute")
        assert caller.visible("Dispute")


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (mask_name, "", ""),
        (mask_name, "王", "*"),
        (mask_name, "王五", "王*"),
        (mask_name, "王小五", "王**"),
        (mask_name, "欧阳小五", "欧**"),
        (mask_phone, "13912345678", "139****5678"),
        (mask_phone, "0635-8123456", "0635-*****56"),
        (mask_phone, "010-81234567", "010-******67"),
        (mask_phone, "12345", "*****"),
        (mask_phone, "12345-1", "*******"),
        (mask_phone, "", ""),
        (mask_address, "幸福里3号楼2单元501室", "幸福里***"),
        (mask_address, "滨河路一百零二号", "滨河路***"),
        (mask_address, "老街", "老街"),
    ],
)
def test_what_a_mask_shows(mask: object, value: str, shown: str) -> None:
    """The laws' own masks; that the database's are the same, parity says."""
    assert callable(mask)
    assert mask(value) == shown
