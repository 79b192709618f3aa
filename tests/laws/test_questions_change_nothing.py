"""Law: a query changes no row, whichever root field it asks for. What is kept of asking: when a token was used, and what an impact counted."""

import random
from typing import Any

from db.county.people import PRINCIPALS
from db.postgres.address import Address
from db.tables import metadata
from schema.planning.question import QUESTIONS
from tests.db.commands.drafting import approved, drafted, less
from tests.laws.queries import Query
from tests.laws.visibility_oracle import TABLES, global_id
from tests.office import Office, open_office

# Written beside an answer, and told by none of its rows.
KEPT = {"token", "policy_impact"}
QUESTIONS_ASKED = {
    "policyCheck": "policyCheck(version: 2) { ok }",
    "policyTest": "policyTest(version: 2) { green }",
    "policyDiff": "policyDiff(version: 2) { widens }",
    "policyMatrix": "policyMatrix(version: 2) { __typename }",
    "policyImpact": "policyImpact(version: 2, refresh: true) { state }",
    "policyImpactSamples": 'policyImpactSamples(version: 2, role: "analyst", resource: "Inspection") { lost }',
    "whatCanSee": "whatCanSee { roles }",
    "whoCanSee": 'whoCanSee(node: "Area:00000000-0000-0000-0000-000000000000") { total }',
    "explainAccess": 'explainAccess(node: "Area:00000000-0000-0000-0000-000000000000") { __typename }',
}


async def rows(office: Office) -> dict[str, Any]:
    """Every table with the transactions that its rows come from."""
    return {
        table.name: await office.value(
            f"SELECT md5(coalesce(string_agg(x.xmin::text || x::text, '' ORDER BY x::text), '')) FROM {table.name} x"
        )
        for table in metadata.sorted_tables
        if table.name not in KEPT
    }


async def test_no_query_changes_a_row(own_county: Address) -> None:
    """Beside an approved version of the policy: its approval is not taken back by whoever asks for its impact.

    Slow: the draft is tested with all its mutants, and its impact is counted to the end.
    """
    async with open_office(own_county) as office:
        version = await approved(office, await drafted(office, **less()))
        assert version["state"] == "APPROVED"
        people = [PRINCIPALS[role] for role in ("security_admin", "bureau_admin", "mediator", "auditor")]
        for person in people:
            await office.gql.token(person)
        before = await rows(office)
        for person in people[:2]:
            for name, question in QUESTIONS_ASKED.items():
                response = await office.gql.ask(person, f"{{ {question} }}")
                assert "INTERNAL" not in response.codes, (name, response.errors)
        state, turn = "RUNNING", 0
        while state == "RUNNING" and turn < 60:
            turn += 1
            state = (await office.gql.data(people[0], "{ policyImpact(version: 2) { state } }"))["policyImpact"][
                "state"
            ]
        assert state == "DONE"
        ids = {}
        for resource, table in TABLES.items():
            keys = await office.rows(f"SELECT id FROM {table} ORDER BY md5(id::text) LIMIT 6")
            ids[resource] = [global_id(resource, row["id"]) for row in keys]
        asked = set()
        for number in range(60):
            dice = random.Random(number)
            query = Query(office.gql.services.schema, dice, ids)
            response = await office.gql.ask_with(
                await office.gql.token(dice.choice(people)), query.text, query.variables
            )
            asked |= set(response.data or ())
        assert await rows(office) == before
        assert len(asked) > 5
        assert await office.value("SELECT state FROM policy_version WHERE version = 2") == "APPROVED"
    assert set(QUESTIONS) <= set(QUESTIONS_ASKED), set(QUESTIONS) - set(QUESTIONS_ASKED)
