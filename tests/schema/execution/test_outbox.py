"""The outbox item by item: what is a temporary id and what is a text, which mistakes stop what, and parties made offline."""

from typing import Any

from db.county.people import SEED_GRID
from tests.office import DAY, HOUR, Office, name_of, now

OUTBOX = """mutation($items: [OutboxItemInput!]!) { submitOutbox(items: $items) {
  results { temporaryId id replayed userErrors { field code message } } } }"""
PERSON = name_of("mediator")


async def _submit(office: Office, *items: Any, text: str = OUTBOX, **more: Any) -> list[dict[str, Any]]:
    given = {"items": list(items), **more} if items else more
    answer: list[dict[str, Any]] = (await office.gql.data(PERSON, text, **given))["submitOutbox"]["results"]
    return answer


async def _register(office: Office, key: str, **given: Any) -> dict[str, Any]:
    compound = await office.value("SELECT id FROM compound WHERE grid_code = $1 ORDER BY name LIMIT 1", SEED_GRID)
    return {
        "title": "离线登记", "compoundId": f"Compound:{compound}", "subCategory": "P05", "source": "INITIATIVE", "summary": "巡查所见。",
        "happenedAt": (now() - DAY).isoformat(), "idempotencyKey": key,
        "parties": [
            {"side": "APPLICANT", "kind": "OWNER", "name": "李龙"}, {"side": "RESPONDENT", "kind": "COMPANY", "name": "示例物业有限公司"},
        ],
        **given,
    }  # fmt: skip


def _codes(results: list[dict[str, Any]]) -> list[list[tuple[str, str]]]:
    return [[(one["field"], one["code"]) for one in result["userErrors"]] for result in results]


async def test_only_a_field_of_ids_holds_a_temporary_id(office: Office) -> None:
    """A text that begins like one, or is one, is a text."""
    when = (now() - HOUR).isoformat()
    visit = {"disputeId": "temp:1", "happenedAt": when, "kind": "HOME_VISIT", "note": "temp:1", "idempotencyKey": "t2"}
    item = {
        "temporaryId": "temp:1",
        "disputeRegister": await _register(office, "t1", summary="temp: 漏水", title="temp:9"),
    }
    results = await _submit(office, item, {"visitRecord": visit})
    assert _codes(results) == [[], []]
    row = await office.row("SELECT title, summary FROM dispute WHERE 'Dispute:' || id = $1", results[0]["id"])
    assert tuple(row) == ("temp:9", "temp: 漏水")
    assert await office.value("SELECT note FROM visit WHERE 'Visit:' || id = $1", results[1]["id"]) == "temp:1"


async def test_an_item_of_the_wrong_type_is_refused_alone(office: Office) -> None:
    """Whatever is wrong with it, with the place of the mistake; nothing of it is repeated."""
    good = await _register(office, "w-last")
    bad: list[tuple[Any, str]] = [
        ({"disputeRegister": await _register(office, "w1", source="SECRET")}, "source"),
        ({"disputeRegister": await _register(office, "w2", secret="SECRET")}, ""),
        ({"disputeRegister": {**good, "title": None}}, "title"),
        ({"disputeRegister": {**good, "happenedAt": "SECRET"}}, "happenedAt"),
        (
            {"disputeRegister": {**good, "parties": [{"side": "SECRET", "kind": "OWNER", "name": "李龙"}]}},
            "parties.0.side",
        ),
        ({"secretCommand": {"id": "SECRET"}}, ""),
        ({"temporaryId": 7.5, "disputeRegister": good}, ""),
        (None, ""),
        ("SECRET", ""),
    ]
    results = await _submit(office, *(one for one, _ in bad), {"temporaryId": "temp:1", "disputeRegister": good})
    for result, (one, field) in zip(results, bad, strict=False):
        codes = [(error["field"], error["code"]) for error in result["userErrors"]]
        assert (field, "BAD_VALUE") in codes, (one, codes)
        assert result["id"] is None
        assert "SECRET" not in str(result["userErrors"])
    assert (results[-1]["userErrors"], results[-1]["temporaryId"]) == ([], "temp:1")
    assert results[-1]["id"]


async def test_items_may_be_variables_of_their_own(office: Office) -> None:
    text = OUTBOX.replace("$items: [OutboxItemInput!]!", "$a: OutboxItemInput!, $b: OutboxItemInput!").replace(
        "$items", "[$a, $b]"
    )
    good = {"disputeRegister": await _register(office, "v1")}
    results = await _submit(office, text=text, a={"disputeRegister": {"title": 1}}, b=good)
    assert results[0]["id"] is None
    assert results[0]["userErrors"][0]["code"] == "BAD_VALUE"
    assert results[1]["userErrors"] == []


async def test_parties_of_a_case_registered_offline_consent(office: Office) -> None:
    """Its parties have temporary ids too, also when the outbox is sent again."""
    at = [(now() - DAY + n * HOUR).isoformat() for n in range(4)]

    def consent(party: str, key: str) -> dict[str, Any]:
        return {"disputeConsent": {"id": "temp:1", "partyId": party, "happenedAt": at[3], "idempotencyKey": key}}

    items: list[dict[str, Any]] = [
        {"temporaryId": "temp:1", "disputeRegister": await _register(office, "p1")},
        {"disputeAccept": {"id": "temp:1", "happenedAt": at[1], "idempotencyKey": "p2"}},
        {"disputeNotify": {"id": "temp:1", "happenedAt": at[2], "idempotencyKey": "p3"}},
        consent("temp:1.parties.2", "p4"),
        consent("temp:1", "p5"),
        consent("temp:1.parties.0", "p6"),
        consent("temp:1.parties.1", "p7"),
    ]
    first = await _submit(office, *items)
    assert _codes(first) == [[], [], [], [("partyId", "UNKNOWN_TEMPORARY_ID")], [("partyId", "BAD_ID")], [], []]
    assert await office.value("SELECT state FROM dispute WHERE 'Dispute:' || id = $1", first[0]["id"]) == "MEDIATING"
    # Both mistaken ones come too late now: they have consented.
    again = await _submit(office, *items)
    assert [one["replayed"] for one in again] == [True, True, True, False, False, True, True]
    assert [one["id"] for one in again[5:]] == [one["id"] for one in first[5:]]
