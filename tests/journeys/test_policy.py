"""A policy from its draft to everybody's next request, over HTTP and on two workers; and readers while versions alternate."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from db.county.people import PRINCIPALS
from db.policy_admin.examine import shipped_tests
from db.postgres.address import Address
from policies.compile import POLICY_PATH
from tests.journeys.service import open_service
from tests.office import Office, key_of

POLICY, TESTS = POLICY_PATH.read_text(encoding="utf-8"), shipped_tests()
CLIENTS, SECONDS = 16, 12.0
QUERY = """{ viewer { policyVersion } inspections { totalCount nodes { id } }
    disputes(first: 50) { totalCount nodes { id title dueOn state overdue caseNumber riskLevel access { hidden } } } }"""


def narrower() -> tuple[str, str]:
    """The analyst without inspections and without how disputes stand; and the tests that say so."""
    text, tests = POLICY, TESTS
    for old, new in (
        ("p, analyst, Inspection, read, in_county, public, allow\n", ""),
        (
            "p, analyst, Dispute, read, in_county, public|status, allow",
            "p, analyst, Dispute, read, in_county, public, allow",
        ),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    for old, new in (
        ("预警 层级移交 走访 排查: {clear: 公开信息}", "预警 层级移交 走访: {clear: 公开信息}"),
        ("      纠纷: {clear: 公开信息 办理状况, can: 精确统计}\n", "      纠纷: {clear: 公开信息, can: 精确统计}\n"),
        (
            "    nothing: 案卷\n  - says: 邻县的看不到\n    who: 统计人员",
            "    nothing: 案卷 排查\n  - says: 邻县的看不到\n    who: 统计人员",
        ),
    ):
        assert tests.count(old) == 1, old
        tests = tests.replace(old, new)
    return text, tests


@pytest_asyncio.fixture(loop_scope="session")
async def workers(own_county: Address) -> AsyncIterator[tuple[Office, Office]]:
    """Two workers of one service, with rows that one version shows and the other does not."""
    async with open_service(own_county, pool_size=4) as one, open_service(own_county, pool_size=4) as other:
        await one.execute(
            "INSERT INTO inspection (grid_code, person_id, inspected_on, found_count)"
            " SELECT grid_code, (SELECT id FROM person LIMIT 1), current_date, 0 FROM team LIMIT 3"
        )
        yield one, other


async def seen(office: Office) -> tuple[int, Any]:
    """The version under which the analyst is answered, and all that they see of it."""
    data = await office.gql.data(PRINCIPALS["analyst"], QUERY)
    return data.pop("viewer")["policyVersion"], data


async def test_from_draft_to_everybody_and_back_and_forth(workers: tuple[Office, Office]) -> None:
    one, other = workers
    first, wide = await seen(other)
    assert (first, wide["inspections"]["totalCount"]) == (1, 3)
    text, tests = narrower()
    draft = await one.must(
        "security_admin", "policyDraft", shown="id digest green failures survivors", note="收窄", text=text, tests=tests
    )
    assert draft["green"], draft
    await other.must("bureau_admin", "policyApprove", id=key_of(draft["id"]), digest=draft["digest"])
    await one.must("security_admin", "policyPublish", id=key_of(draft["id"]))
    # The next request, on the other worker, which nobody has told.
    second, narrow = await seen(other)
    assert (second, narrow["inspections"]["totalCount"]) == (2, 0)
    hidden = set(narrow["disputes"]["nodes"][0]["access"]["hidden"]) - set(
        wide["disputes"]["nodes"][0]["access"]["hidden"]
    )
    assert hidden
    for node in narrow["disputes"]["nodes"]:
        assert all(node.get(name) is None for name in hidden)

    texts = {1: wide, 2: narrow}
    keys = {row["version"]: row["id"] for row in await one.rows("SELECT version, id FROM policy_version")}
    answers: list[tuple[int, Any]] = []

    async def back_to(wanted: int) -> None:
        back = await one.must("security_admin", "policyRollback", shown="version", id=keys[wanted], note="往返")
        texts[back["version"]] = texts[wanted]

    await back_to(1)
    assert (await seen(other))[1] == wide
    until = time.monotonic() + SECONDS

    async def read(number: int) -> None:
        office = workers[number % 2]
        while time.monotonic() < until:
            response = await office.gql.ask(PRINCIPALS["analyst"], QUERY)
            # Where rights change faster than an answer can be read, the caller is told so.
            if response.codes == ["CONFLICT"]:
                continue
            assert not response.errors, response.errors
            answers.append((response.data.pop("viewer")["policyVersion"], response.data))

    async def alternate() -> int:
        made = 0
        while time.monotonic() < until:
            await back_to(2 - made % 2)
            made += 1
        return made

    *_, made = await asyncio.gather(*(read(number) for number in range(CLIENTS)), alternate())
    versions = {version for version, _ in answers}
    assert made >= 2
    assert len(versions) >= 2, (made, versions)
    # Each answer is wholly that of the version that it names.
    for version, data in answers:
        assert data == texts[version], version


async def test_two_publish_on_two_workers_at_once(workers: tuple[Office, Office]) -> None:
    text, tests = narrower()
    drafts = []
    for note in ("其一", "其二"):
        draft = await workers[0].must(
            "security_admin", "policyDraft", shown="id digest", note=note, text=f"{text}# {note}\n", tests=tests
        )
        await workers[1].must("bureau_admin", "policyApprove", id=key_of(draft["id"]), digest=draft["digest"])
        drafts.append(key_of(draft["id"]))
    done = await asyncio.gather(
        *(
            worker.do("security_admin", "policyPublish", shown="version state", id=key)
            for worker, key in zip(workers, drafts, strict=True)
        )
    )
    assert sorted(one.user_errors for one in done) == [[], [("id", "CONFLICT")]]
    (winner,) = [one.shown["version"] for one in done if one.shown]
    assert [(await seen(worker))[0] for worker in workers] == [winner, winner]
