"""Law: nothing waits for ever. Whatever is in a state that is not final, somebody of the shipped roles may do something about it now.

The rows are those of disputes at every turn of their life, made through the commands; each waiting state occurs among them.
"""

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from db.county.people import PRINCIPALS, SECOND_MEDIATOR
from db.postgres.address import Address
from db.resources.catalog import RESOURCES
from db.tables import metadata
from tests.laws.turns import agree, fresh
from tests.office import Office, open_office

PEOPLE = (*PRINCIPALS.values(), SECOND_MEDIATOR)
# What is over: nothing more has to be done about a row in this state. None stands for the absence of a result.
FINAL: dict[str, tuple[str, set[str | None]]] = {
    "Dispute": ("state", {"ARCHIVED"}),
    # A draft is signed, or its dispute ends without it; what is in force is performed by its obligations.
    "Agreement": ("state", {"EFFECTIVE", "VARIED", "RESCINDED"}),
    "Obligation": (
        "state",
        {"DRAFT", "PERFORMED", "RELEASED", "EXCUSED", "DEFAULTED", "VARIED", "RESCINDED", "ENFORCED"},
    ),
    "FollowUp": ("result", {"NORMAL", "REBOUND_SIGNS", "REBOUNDED", "NOT_PERFORMED", "UNREACHABLE"}),
    "Alert": ("state", {"CLOSED"}),
    "Referral": ("state", {"RETURNED", "DONE", "WITHDRAWN"}),
    "Confirmation": ("result", {"CONFIRMED", "REJECTED", "WITHDRAWN"}),
    "Escalation": ("state", {"TAKEN", "RETURNED"}),
}
# What is settled by an action on another row: the obligations that are sued over, by a judgment on their agreement; an application
# for confirmation, by the ruling; a hand-over, by its receiver on the dispute.
ELSEWHERE = {
    ("Obligation", "SUED"): ("Agreement", "agreement_id", {"judge"}),
    ("Referral", "CONFIRMATION"): ("Confirmation", "dispute_id", {"decide"}),
    ("Escalation", "SENT"): ("Dispute", "dispute_id", {"take", "return"}),
}
# What brings a dispute nearer to its end, if need be once somebody leads it; or a part of it waits, for which the law holds as well.
ONWARD = {"accept", "decline", "refuse", "withdraw", "terminate", "agree", "default", "close", "archive"}
WAITS = """EXISTS (SELECT FROM assignment WHERE dispute_id = d.id AND is_lead AND ended_at IS NULL) AS led, EXISTS (
    SELECT FROM obligation WHERE dispute_id = d.id AND state IN ('PENDING', 'PARTLY_PERFORMED', 'SUED')
    UNION ALL SELECT FROM follow_up WHERE dispute_id = d.id AND result IS NULL
    UNION ALL SELECT FROM alert WHERE dispute_id = d.id AND state <> 'CLOSED') AS part_waits"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def courses(changing_county: Address) -> AsyncIterator[tuple[Office, list[UUID]]]:
    async with open_office(changing_county) as office:
        yield office, [*await fresh(office), *await _given_up(office)]


async def _given_up(office: Office) -> list[UUID]:
    """Ended without an agreement in each way, and performed in part; a lead is taken up."""
    declined = await office.register()
    await office.must("mediator", "disputeDecline", id=declined.key, reason="NOT_CIVIL", advice="请到有关部门办理。")
    failed, refused, withdrawn, partly = [await office.mediating() for _ in range(4)]
    await office.must("mediator", "disputeTerminate", id=failed.key, reason="FAR_APART", routes_told=True)
    await office.must("mediator", "disputeRefuse", id=refused.key, party_id=refused.respondent, reason="不愿调解。")
    await office.must(
        "mediator", "disputeWithdraw", id=withdrawn.key, party_id=withdrawn.applicant, reason="自行和解。"
    )
    housing = await office.organization("HOUSING_DEPARTMENT")
    await office.must(
        "mediator", "disputeRefer", id=partly.key, kind="LEAD", organization_id=housing, reason="停水催费"
    )
    lead = await office.value("SELECT id FROM referral WHERE dispute_id = $1", partly.key)
    await office.must("housing", "referralAnswer", id=lead, answer="TAKEN", reply="已受理。")
    await agree(office, partly)
    owed = await office.value("SELECT id FROM obligation WHERE dispute_id = $1", partly.key)
    await office.must("mediator", "obligationPerform", id=owed, amount="1.00", evidence="收据")
    return [case.key for case in (declined, failed, refused, withdrawn, partly)]


async def _offered(office: Office, resource: str, keys: list[UUID]) -> dict[UUID, set[str]]:
    """What any of the people may do with each row."""
    query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {resource} {{ id access {{ can }} }} }} }}"
    found: dict[UUID, set[str]] = defaultdict(set)
    for person in PEOPLE:
        data = await office.gql.data(person, query, ids=[f"{resource}:{key}" for key in keys])
        for key, node in zip(keys, data["nodes"], strict=True):
            found[key] |= set(node["access"]["can"]) if node else set()
    return found


def _waiting(resource: str) -> set[str | None]:
    """The states of a resource that are not final."""
    column, final = FINAL[resource]
    codes: set[str | None] = set(metadata.tables[RESOURCES[resource].table.name].c[column].info["values"])
    assert final <= codes
    return {None} if column == "result" else codes - final


@pytest.mark.parametrize("resource", FINAL)
async def test_whatever_waits_has_somebody_who_can_act(courses: tuple[Office, list[UUID]], resource: str) -> None:
    office, disputes = courses
    column, _ = FINAL[resource]
    owner = "id" if resource == "Dispute" else "dispute_id"
    rows = [
        row
        for row in await office.rows(
            f"SELECT *, {WAITS if resource == 'Dispute' else 'NULL'}"
            f" FROM {RESOURCES[resource].table.name} AS d WHERE {owner} = ANY ($1)",
            disputes,
        )
        if row[column] in _waiting(resource)
    ]
    assert {row[column] for row in rows} == _waiting(resource), "a waiting state is missing: the law would be empty"
    own = await _offered(office, resource, [row["id"] for row in rows]) if "read" in RESOURCES[resource].actions else {}
    stuck: list[Any] = []
    for row in rows:
        other = ELSEWHERE.get((resource, row[column])) or ELSEWHERE.get((resource, row.get("kind")))
        if other is None:
            may = own[row["id"]]
            if resource == "Dispute" and not row["part_waits"]:
                may = may & (ONWARD if row["led"] else {*ONWARD, "assign"})
            if not may:
                stuck.append((row["id"], row[column]))
            continue
        target, key, actions = other
        table = RESOURCES[target].table.name
        where = "dispute_id" if key == "dispute_id" and target != "Dispute" else "id"
        found = [one["id"] for one in await office.rows(f"SELECT id FROM {table} WHERE {where} = $1", row[key])]
        if not actions & set().union(*(await _offered(office, target, found)).values()):
            stuck.append((row["id"], row[column], target))
    assert not stuck
