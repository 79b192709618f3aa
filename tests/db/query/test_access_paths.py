"""Filtered pages of a large county: whichever access path leads to the rows, they are those of a plain WHERE, in page order, each once."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from db.county.people import PRINCIPALS
from db.postgres.address import Address
from tests.laws.client import COUNTS, GraphQLClient, open_client

# By role what it sees, as a plain condition on the dispute d; $1 is the area, $2 the organization, $3 the person of its appointment.
SCOPES = {
    "analyst": "d.county_code = $1",
    "justice_office": "d.town_code = $1",
    "centre_staff": "d.centre_id = $2 OR d.town_code = $1",
    "squad_member": """d.squad_id = $2 OR EXISTS (
        SELECT FROM assignment a WHERE a.dispute_id = d.id AND a.person_id = $3 AND a.ended_at IS NULL)""",
    "mediator": "EXISTS (SELECT FROM assignment a WHERE a.dispute_id = d.id AND a.person_id = $3 AND a.ended_at IS NULL)",
    "grid_worker": "d.grid_code = $1",
}
# Those who read the summary of all that they see: their texts are searched for there, too.
NARRATED = ("justice_office", "mediator", "squad_member")
# A filter and what it means, written by hand without db.calendar; `has` is a text.
FILTERS = {
    "none": ("{}", "true"),
    "a state": ("{state: [CLOSED]}", "d.state = 'CLOSED'"),
    "states, one twice": (
        "{state: [PERFORMING, MEDIATING, PERFORMING]}",
        "d.state IN ('PERFORMING', 'MEDIATING')",
    ),
    "a kind in any state": ("{subCategory: [P02, P05]}", "d.sub_category IN ('P02', 'P05')"),
    "a kind in a state": (
        "{subCategory: [P05], state: [ARCHIVED, FAILED]}",
        "d.sub_category = 'P05' AND d.state IN ('ARCHIVED', 'FAILED')",
    ),
    "no state at all": ("{state: []}", "false"),
    "a source": ("{source: [HOTLINE, PETITION]}", "d.source IN ('HOTLINE', 'PETITION')"),
    "a risk, and days": (
        '{riskLevel: [HIGH], registeredFrom: "2015-01-01"}',
        "d.risk_level = 'HIGH' AND d.registered_at >= '2015-01-01'::timestamp AT TIME ZONE 'Asia/Shanghai'",
    ),
    "overdue": (
        "{overdue: true}",
        "d.state IN ('ACCEPTED', 'MEDIATING') AND d.due_on < (now() AT TIME ZONE 'Asia/Shanghai')::date",
    ),
    "not overdue": (
        "{overdue: false}",
        "(d.state IN ('ACCEPTED', 'MEDIATING') AND d.due_on < (now() AT TIME ZONE 'Asia/Shanghai')::date) IS NOT TRUE",
    ),
    "a text of many": (
        '{text: "小区"}',
        "has('小区')",
    ),
    "a text of few": ('{text: "号第"}', "has('号第')"),
    "a number": ('{text: "10777"}', "has('10777')"),
    "a text in a state": (
        '{text: "107", state: [CLOSED]}',
        "d.state = 'CLOSED' AND has('107')",
    ),
}
PAGE = """query ($first: Int, $after: String, $last: Int, $before: String) {
  disputes(first: $first, after: $after, last: $last, before: $before, filter: %s) {
    %s edges { cursor node { id } } } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gql(large_county: Address) -> AsyncIterator[GraphQLClient]:
    async with open_client(large_county) as opened:
        yield opened


def in_words(role: str, meaning: str) -> str:
    """A text is found where it stands, in one of the two places."""
    places = ["d.title || '|' || coalesce(d.public_summary, '') || '|' || coalesce(d.case_number, '')"]
    places += ["d.summary"] if role in NARRATED else []
    anywhere = " OR ".join(rf"strpos({place}, \1) > 0" for place in places)
    return re.sub(r"has\(('.*?')\)", f"({anywhere})", meaning)


async def expected(gql: GraphQLClient, role: str, meaning: str) -> list[str]:
    """What a plain WHERE finds."""
    appointment = await gql.connection.fetchrow(
        """SELECT a.area_code, a.organization_id, a.person_id FROM appointment a JOIN person p ON p.id = a.person_id
            WHERE p.name = $1 AND a.role = $2""",
        PRINCIPALS[role],
        role,
    )
    assert appointment is not None
    rows = await gql.connection.fetch(
        f"""SELECT 'Dispute:' || d.id AS id FROM dispute d CROSS JOIN (VALUES ($1::text, $2::uuid, $3::uuid)) AS own
             WHERE ({SCOPES[role]}) AND ({in_words(role, meaning)}) ORDER BY d.registered_at DESC, d.id DESC""",
        *appointment,
    )
    return [row["id"] for row in rows]


def ids(page: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in page["edges"]]


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("role", SCOPES)
async def test_a_page_is_that_of_a_plain_condition(gql: GraphQLClient, role: str, name: str) -> None:
    """The first page, the next, one from the middle, the last and the one before it; and their number."""
    filters, meaning = FILTERS[name]
    wanted = await expected(gql, role, meaning)
    query, person = PAGE % (filters, COUNTS), PRINCIPALS[role]

    async def page(**asked: Any) -> dict[str, Any]:
        answer: dict[str, Any] = (await gql.data(person, query, **asked))["disputes"]
        # Without a condition, the bound is not needed: rollups give the number.
        bounded = len(wanted) if name == "none" else min(len(wanted), 10_000)
        assert (answer["exact"], answer["totalCount"]) == (len(wanted), bounded)
        return answer

    first = await page(first=7)
    assert ids(first) == wanted[:7]
    last = await page(last=7)
    assert ids(last) == wanted[-7:]
    if len(wanted) > 14:
        assert ids(await page(first=7, after=first["edges"][-1]["cursor"])) == wanted[7:14]
        assert ids(await page(last=7, before=last["edges"][0]["cursor"])) == wanted[-14:-7]
    middle = (await page(first=200))["edges"][-1:]
    for edge in middle:
        at = min(len(wanted), 200)
        assert ids(await page(first=200, after=edge["cursor"])) == wanted[at : at + 200]
        assert ids(await page(last=5, before=edge["cursor"])) == wanted[max(0, at - 6) : at - 1]
