"""Many at once over HTTP: one dispute, one counter, one key; and what somebody brings who was offline."""

import asyncio
import datetime as dt
from typing import Any

from db.county.people import SEED_GRID
from tests.journeys.service import at
from tests.office import DAY, HOUR, Office, key_of, name_of, now

_AT_ONCE = 50
_CONFLICT = "conflict { expectedVersion currentVersion differences { field base yours theirs } }"


async def _version(office: Office, who: str, case: Any) -> int:
    query = "query($id: ID!) { node(id: $id) { ... on Dispute { version } } }"
    found = (await office.gql.data(name_of(who), query, id=f"Dispute:{case.key}"))["node"]["version"]
    return int(found)


async def test_of_two_with_the_same_version_one_wins(busy_office: Office) -> None:
    """The other gets the conflict report, over the fields that they read, and has stored nothing."""
    office = busy_office
    case = await office.mediating()
    version = await _version(office, "mediator", case)
    # Each reads the dispute; then both rate its risk at the same moment.
    people = {"mediator": "MEDIUM", "grid_worker": "LOW", "justice_office": "MEDIUM"}
    done = await asyncio.gather(
        *(
            office.do(
                who, "disputeAssess", id=case.key, level=level, reason="到场了解。", expected_version=version, and_show=f"told: {_CONFLICT}",
            )
            for who, level in people.items()
        )
    )  # fmt: skip
    won = [one for one in done if one.ok]
    lost = [one for one in done if not one.ok]
    assert (len(won), len(lost)) == (1, 2)
    for one in lost:
        assert one.payload is not None
        assert not one.user_errors
        assert one.shown is None
        conflict = one.payload["told"]
        assert (conflict["expectedVersion"], conflict["currentVersion"]) == (version, version + 1)
        assert {each["field"] for each in conflict["differences"]} <= {"riskLevel"}
    assert await office.value("SELECT count(*) FROM assessment WHERE dispute_id = $1", case.key) == 1
    assert len(await office.events(case, "dispute.assess")) == 1
    assert await _version(office, "mediator", case) == version + 1


async def test_a_conflict_tells_only_what_one_reads(busy_office: Office) -> None:
    """The deadline is public and told; the outcome is narrative, which the grid worker reads no more at the squad."""
    office = busy_office
    case = await office.accepted()
    version = await _version(office, "mediator", case)
    due = (await office.dispute(case))["due_on"]
    later = due + 20 * DAY
    await office.must(
        "mediator", "disputeExtend", id=case.key, to_on=later, party_ids=[case.applicant, case.respondent], happened_at=case.started + 4 * HOUR
    )  # fmt: skip
    done = await office.do(
        "mediator", "disputeExtend", id=case.key, to_on=later + DAY, party_ids=[case.applicant, case.respondent],
        expected_version=version, and_show=f"told: {_CONFLICT}",
    )  # fmt: skip
    assert done.payload is not None
    conflict = done.payload["told"]["differences"]
    assert [one["field"] for one in conflict] == ["dueOn"]
    assert (conflict[0]["base"], conflict[0]["theirs"]) == (due.isoformat(), later.isoformat())
    # Whoever does not see the dispute is told nothing at all.
    done = await office.do("police", "disputeOpine", id=case.key, text="意见", expected_version=version)
    assert done.user_errors == [("id", "NOT_FOUND")]


async def test_fifty_acceptances_at_once_have_fifty_numbers_without_a_gap(busy_office: Office) -> None:
    """One committee, one year, all at the same moment; a refused one in between takes no number."""
    office = busy_office
    started = at("2021-03-01", "09:00")
    cases = [await office.register(started=started, title=f"同时受理之{number}") for number in range(_AT_ONCE)]
    early = await office.register(started=started)
    orders: list[Any] = [
        office.do("mediator", "disputeAccept", id=case.key, happened_at=started + HOUR, shown="caseNumber")
        for case in cases
    ]
    orders[20:20] = [office.do("mediator", "disputeAccept", id=early.key, happened_at=started - HOUR)]
    done = await asyncio.gather(*orders)
    refused = done.pop(20)
    assert refused.user_errors == [("happenedAt", "TOO_EARLY")]
    assert all(one.ok for one in done), [one.codes for one in done if not one.ok]
    # Brought in afterwards: numbers of the year in which they are allotted, behind those that others have.
    numbers = sorted(one.shown["caseNumber"] for one in done)
    first = int(numbers[0].partition("第")[2].removesuffix("号"))
    assert numbers == [f"({now().year})崇文人调字第{number:03d}号" for number in range(first, first + _AT_ONCE)]


async def test_a_request_sent_ten_times_at_once_is_carried_out_once(busy_office: Office) -> None:
    """All ten have the same answer; another input under the same key is refused; another person's key is their own."""
    office = busy_office
    compound = await office.value("SELECT id FROM compound WHERE grid_code = $1 ORDER BY name LIMIT 1", SEED_GRID)
    order: dict[str, Any] = {
        "title": "重发十次", "compound_id": compound, "sub_category": "P05", "source": "GRID", "summary": "楼道灯不亮。",
        "happened_at": now() - DAY, "idempotency_key": "ten-times",
        "parties": [{"side": "APPLICANT", "kind": "OWNER", "name": "某人"}],
    }  # fmt: skip
    done = await asyncio.gather(*(office.do("grid_worker", "disputeRegister", **order) for _ in range(10)))
    assert all(one.ok for one in done), [(one.codes, one.response.errors) for one in done]
    assert len({one.shown["id"] for one in done}) == 1
    assert [one.payload["replayed"] for one in done if one.payload].count(False) == 1
    assert await office.value("SELECT count(*) FROM dispute WHERE title = '重发十次'") == 1
    other = await office.do("grid_worker", "disputeRegister", **{**order, "summary": "楼道灯又亮了。"})
    assert other.response.codes == ["CONFLICT"]
    mine = await office.do("mediator", "disputeRegister", **order)
    assert mine.ok
    assert mine.payload is not None
    assert not mine.payload["replayed"]
    # A key that came with a refused order is free again.
    bad = {**order, "title": "", "idempotency_key": "again"}
    assert (await office.do("grid_worker", "disputeRegister", **bad)).user_errors == [("title", "REQUIRED")]
    assert (await office.do("grid_worker", "disputeRegister", **{**order, "idempotency_key": "again"})).ok


async def test_sessions_recorded_at_once_on_one_dispute_follow_each_other(busy_office: Office) -> None:
    """Twenty requests, each sent twice at the same moment with its key: each is carried out once, none is lost, none fails."""
    office = busy_office
    case, other = await office.mediating(), await office.mediating()
    before = {one.key: (await office.dispute(one))["version"] for one in (case, other)}
    orders = [
        office.do(
            "mediator", "disputeRecord", id=one.key, place="社区", result="TO_CONTINUE", record=f"第{number}次",
            happened_at=case.started + DAY, notes=[{"visibility": "SHARED", "text": str(number)}], idempotency_key=f"at-once-{number}",
        )
        for number in range(20) for one in ([case] if number % 4 else [other]) for _ in range(2)
    ]  # fmt: skip
    done = await asyncio.gather(*orders)
    assert all(one.ok for one in done), [(one.codes, one.response.errors) for one in done if not one.ok]
    assert sum(one.payload["replayed"] for one in done if one.payload) == 20
    for one, many in ((case, 15), (other, 5)):
        assert (await office.dispute(one))["version"] == before[one.key] + many
        events = await office.events(one, "dispute.record")
        assert sorted(event["dispute_version"] for event in events) == [before[one.key] + n + 1 for n in range(many)]
        for table in ("session", "note"):
            assert await office.value(f"SELECT count(*) FROM {table} WHERE dispute_id = $1", one.key) == many


_OUTBOX = """mutation($items: [OutboxItemInput!]!) { submitOutbox(items: $items) {
  results { temporaryId id replayed userErrors { field code } conflict { currentVersion } } } }"""


async def test_what_was_done_offline_is_handed_in_in_order(busy_office: Office) -> None:
    """Later items name what earlier ones made; a failing one in the middle takes along only those that build on it."""
    office = busy_office
    compound = await office.value("SELECT id FROM compound WHERE grid_code = $1 ORDER BY name LIMIT 1", SEED_GRID)
    when = (now() - 2 * DAY).isoformat()

    def register(title: str, key: str) -> dict[str, Any]:
        return {
            "title": title, "compoundId": f"Compound:{compound}", "subCategory": "P05", "source": "GRID", "summary": "巡查所见。",
            "happenedAt": when, "idempotencyKey": key, "parties": [{"side": "APPLICANT", "kind": "OWNER", "name": "某人"}],
        }  # fmt: skip

    def visit(dispute: str, key: str) -> dict[str, Any]:
        return {
            "disputeId": dispute,
            "happenedAt": when,
            "kind": "HOME_VISIT",
            "note": "入户了解。",
            "idempotencyKey": key,
        }

    future = (now() + DAY).isoformat()
    items = [
        {"temporaryId": "temp:1", "disputeRegister": register("离线之一", "o1")},
        {"visitRecord": visit("temp:1", "o2")},
        {"temporaryId": "temp:2", "disputeRegister": {**register("离线之二", "o3"), "happenedAt": future}},
        {"visitRecord": visit("temp:2", "o4")},
        {"disputeMeasure": {"id": "temp:1", "happenedAt": when, "kind": "POWER", "idempotencyKey": "o5"}},
        {"inspectionRecord": {"gridCode": SEED_GRID, "happenedAt": when, "foundCount": 1, "idempotencyKey": "o6"}},
        {"visitRecord": {**visit("temp:1", ""), "idempotencyKey": None}},
    ]
    name = name_of("grid_worker")
    first = (await office.gql.data(name, _OUTBOX, items=items))["submitOutbox"]["results"]
    codes = [[one["code"] for one in result["userErrors"]] for result in first]
    assert codes == [[], [], ["IN_FUTURE"], ["UNKNOWN_TEMPORARY_ID"], [], [], ["REQUIRED"]]
    assert [result["id"] is not None for result in first] == [not one for one in codes]
    assert first[0]["temporaryId"] == "temp:1"
    assert first[4]["id"] == first[0]["id"]
    made = key_of(first[0]["id"])
    counts = await office.row(
        "SELECT (SELECT count(*) FROM visit WHERE dispute_id = $1) AS visits, (SELECT count(*) FROM measure WHERE dispute_id = $1) AS"
        " measures, (SELECT count(*) FROM event WHERE dispute_id = $1) AS events,"
        " (SELECT count(*) FROM dispute WHERE title LIKE '离线之%') AS disputes",
        made,
    )
    assert dict(counts) == {"visits": 1, "measures": 1, "events": 3, "disputes": 1}
    # The line broke before the answer came: all is sent again, with the mistake mended. What was stored stays as it is.
    items[2]["disputeRegister"] = register("离线之二", "o3")
    again = (await office.gql.data(name, _OUTBOX, items=items))["submitOutbox"]["results"]
    assert [result["replayed"] for result in again] == [True, True, False, False, True, True, False]
    assert [again[i]["id"] for i in (0, 1, 4, 5)] == [first[i]["id"] for i in (0, 1, 4, 5)]
    assert [bool(result["userErrors"]) for result in again] == [False] * 6 + [True]
    assert await office.value("SELECT count(*) FROM dispute WHERE title LIKE '离线之%'") == 2
    assert await office.value("SELECT count(*) FROM visit WHERE dispute_id = $1", made) == 1


async def test_both_sides_of_an_agreement_at_once(busy_office: Office) -> None:
    """Four signatures in the same moment: the agreement takes effect once, with the last of them."""
    office = busy_office
    case = await office.mediating()
    await office.talk(case)
    shown = await office.must(
        "mediator",
        "agreementDraft",
        dispute_id=case.key,
        form="WRITTEN",
        content="各自负责。",
        happened_at=case.started + DAY,
    )
    agreement = key_of(shown["id"])
    signatures: list[dict[str, Any]] = [
        {"kind": "PARTY", "party_id": case.applicant}, {"kind": "PARTY", "party_id": case.respondent}, {"kind": "MEDIATOR"},
        {"kind": "SEAL"},
    ]  # fmt: skip
    done = await asyncio.gather(
        *(
            office.do(
                "justice_office" if one["kind"] == "SEAL" else "mediator",
                "agreementSign",
                id=agreement,
                happened_at=case.started + DAY,
                **one,
            )
            for one in signatures
        )
    )
    assert all(one.ok for one in done), [one.codes for one in done]
    assert await office.value("SELECT state FROM agreement WHERE id = $1", agreement) == "EFFECTIVE"
    assert await office.value("SELECT count(*) FROM signature WHERE agreement_id = $1", agreement) == 4
    steps = [one for one in await office.events(case, "agreement.sign") if one["to_state"]]
    assert [one["to_state"] for one in steps] == ["PERFORMED"]
    assert isinstance((await office.dispute(case))["concluded_at"], dt.datetime)


async def test_what_may_be_done_once_is_not_done_twice_at_once(busy_office: Office) -> None:
    """Each guard that looks at other rows sees what the one before it in the queue has written."""
    office = busy_office
    squad = await office.value(
        "SELECT organization_id FROM appointment WHERE role = 'squad_member' AND person_id = $1",
        await office.person("squad_member"),
    )
    reason = {"reason": "涉及多户。", "handover": "谈过两次。"}
    case = await office.mediating()
    done = await asyncio.gather(
        *(office.do("mediator", "disputeEscalate", id=case.key, organization_id=squad, **reason) for _ in range(4))
    )
    assert [one.ok for one in done].count(True) == 1, [one.codes for one in done]

    case = await office.mediating()
    await office.must("mediator", "partyAdd", id=case.key, party={"side": "APPLICANT", "kind": "OWNER", "name": "赵某"})
    applicants = await office.rows("SELECT id FROM party WHERE dispute_id = $1 AND side = 'APPLICANT'", case.key)
    done = await asyncio.gather(
        *(office.do("mediator", "partyWithdraw", id=one["id"], reason="不再参与。") for one in applicants)
    )
    assert [one.ok for one in done].count(True) == 1, [one.codes for one in done]

    case = await office.mediating()
    due = (await office.dispute(case))["due_on"]
    done = await asyncio.gather(
        *(
            office.do(
                "mediator",
                "disputeExtend",
                id=case.key,
                to_on=due + day * DAY,
                party_ids=[case.applicant, case.respondent],
            )
            for day in range(1, 12)
        )
    )
    assert 1 <= [one.ok for one in done].count(True) <= 3, [one.codes for one in done]


async def test_what_ends_a_case_is_not_done_twice_at_once(busy_office: Office) -> None:
    """The same after the agreement: the application, the visit, the court's answer, the case that follows."""
    office = busy_office
    case = await office.mediating()
    await office.talk(case)
    agreement = key_of(
        (await office.must("mediator", "agreementDraft", dispute_id=case.key, form="ORAL", content="两清。"))["id"]
    )
    court = await office.organization("COURT")
    apply = {"agreement_id": agreement, "court_id": court, "both_apply": True, "ownership_terms": False}
    done = await asyncio.gather(*(office.do("mediator", "confirmationApply", **apply) for _ in range(4)))
    assert [one.ok for one in done].count(True) == 1, [one.codes for one in done]

    visit = await office.value("SELECT id FROM follow_up WHERE dispute_id = $1", case.key)
    order = {"id": visit, "method": "PHONE", "result": "NORMAL", "satisfaction": 4}
    done = await asyncio.gather(*(office.do("mediator", "followUpComplete", **order) for _ in range(4)))
    assert [one.ok for one in done].count(True) == 1, [one.codes for one in done]
    # A case is closed when the court has answered; the answer is given once too.
    asked = await office.value("SELECT id FROM confirmation WHERE agreement_id = $1", agreement)
    ruling = {"id": asked, "result": "WITHDRAWN"}
    done = await asyncio.gather(*(office.do("court", "confirmationDecide", **ruling) for _ in range(4)))
    assert [one.ok for one in done].count(True) == 1, [one.codes for one in done]
    await office.must("justice_office", "disputeClose", id=case.key)
    done = await asyncio.gather(
        *(office.do(who, "disputeReopen", id=case.key, reason="又反弹。") for who in ("mediator", "justice_office") * 2)
    )
    assert [one.ok for one in done].count(True) == 1, [one.codes for one in done]


async def test_who_is_replaced_while_he_waits_acts_no_more(busy_office: Office) -> None:
    """The command stands in the queue behind the one that ends its caller's part in the case."""
    office = busy_office
    case = await office.mediating()
    before = await office.dispute(case)
    async with office.gql.connection.transaction():
        await office.execute("UPDATE assignment SET ended_at = now() WHERE dispute_id = $1", case.key)
        await office.execute("UPDATE dispute SET version = version + 1 WHERE id = $1", case.key)
        waiting = asyncio.create_task(office.do("mediator", "partyUpdate", id=case.applicant, is_alias=True))
        await asyncio.sleep(0.3)
        assert not waiting.done()
    assert (await waiting).user_errors == [("id", "FORBIDDEN")]
    assert (await office.dispute(case))["version"] == before["version"] + 1
