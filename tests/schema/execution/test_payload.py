"""What a client selects of a payload: any names, any shape, other values each time; planned once."""

from typing import Any

import pytest

from db.query.reader import Reader, TooLarge, TooSlow
from tests.office import DAY, HOUR, Office, name_of, now

_INPUT = "input: {id: $id, happenedAt: $at}"
# Response keys that are names of other members, two selections of the object, fragments, and what is left out by a variable.
_ODD = (
    "mutation($id: ID!, $at: DateTime!, $more: Boolean!) { first: disputeNotify(%s) { ...P }"
    " again: disputeNotify(%s) { userErrors { __typename code field } } }"
    " fragment P on DisputePayload { __typename userErrors: dispute { state } conflict: replayed replayed: conflict { currentVersion }"
    " dispute @include(if: $more) { id parties { side } } dispute { version } problems: userErrors { c: code m: message } }"
) % (_INPUT, _INPUT)


async def test_any_names(office: Office) -> None:
    """Every combination of what is included, twice; the second field of each request is another transaction."""
    for more in (True, False, True, False):
        case = await office.register(started=now() - DAY)
        await office.must("mediator", "disputeAccept", id=case.key, happened_at=case.started + HOUR)
        values: dict[str, Any] = {
            "id": f"Dispute:{case.key}",
            "at": (case.started + 2 * HOUR).isoformat(),
            "more": more,
        }
        data = await office.gql.data(name_of("mediator"), _ODD, **values)
        shown: dict[str, Any] = {"id": values["id"], "parties": [{"side": "APPLICANT"}, {"side": "RESPONDENT"}]}
        assert data["first"] == {
            "__typename": "DisputePayload",
            "userErrors": {"state": "ACCEPTED"},
            "conflict": False,
            "replayed": None,
            "dispute": {**(shown if more else {}), "version": 3},
            "problems": [],
        }
        assert list(data["first"]["dispute"]) == (["id", "parties", "version"] if more else ["version"])
        assert data["again"] == {"userErrors": []}
        assert len(await office.events(case, "dispute.notify")) == 2


async def test_user_errors_and_no_object(office: Office) -> None:
    """A refused command answers no object under any name, and its user errors as selected."""
    case = await office.register()
    values: dict[str, Any] = {"id": f"Dispute:{case.key}", "at": case.started.isoformat(), "more": True}
    data = await office.gql.data(name_of("mediator"), _ODD, **values)
    assert (data["first"]["userErrors"], data["first"]["dispute"]) == (None, None)
    assert [one["c"] for one in data["first"]["problems"]] == ["WRONG_STATE"]
    assert data["again"] == {"userErrors": [{"__typename": "UserError", "code": "WRONG_STATE", "field": "id"}]}
    values["id"] = "Party:nonsense"
    data = await office.gql.data(name_of("mediator"), _ODD, **values)
    assert [one["c"] for one in data["first"]["problems"]] == ["BAD_ID"]


@pytest.mark.parametrize("failure", [TooSlow(5_000), TooLarge(9_000, 8_000)], ids=["slow", "large"])
async def test_an_answer_that_is_too_much(office: Office, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    """The refusal says that the change is stored, though its payload cannot be read."""
    case = await office.register()

    async def too_much(*_: Any) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "read", too_much)
        done = await office.do("mediator", "disputeAccept", id=case.key, happened_at=case.started + HOUR)
    assert (done.payload, done.response.codes) == (None, ["TOO_COSTLY"])
    assert done.response.errors[0]["message"].startswith("已保存")
    assert (await office.dispute(case))["state"] == "ACCEPTED"


async def test_null_where_there_is_a_default(office: Office) -> None:
    """The one null that passes validation: bad user input of that field, while the other field is answered."""
    text = (
        'mutation($id: ID = "x", $at: DateTime!) { a: disputeNotify(input: {id: $id, happenedAt: $at}) { replayed }'
        ' b: disputeNotify(input: {id: "y", happenedAt: $at}) { userErrors { code } } }'
    )
    response = await office.gql.ask(name_of("mediator"), text, id=None, at="2024-01-01T09:00:00+08:00")
    assert response.codes == ["BAD_USER_INPUT"]
    assert response.data == {"a": None, "b": {"userErrors": [{"code": "BAD_ID"}]}}


async def test_values_in_the_document(office: Office) -> None:
    """An input written out, wholly or with variables inside, is the same as one in a variable."""
    compound = await office.value("SELECT compound_id FROM dispute WHERE id = $1", (await office.register()).key)
    text = (
        'mutation($name: String!, $when: DateTime!) { disputeRegister(input: {title: "写在文中", compoundId: "Compound:%s",'
        ' subCategory: P05, source: GRID, summary: "楼道灯不亮。", happenedAt: $when, peopleCount: 3,'
        ' parties: [{side: APPLICANT, kind: OWNER, name: $name}, {side: RESPONDENT, kind: COMPANY, name: "某物业"}]})'
        " { dispute { title peopleCount parties { name } } userErrors { field code } } }"
    ) % compound
    for name in ("甲某", "乙某", " "):
        data = await office.gql.data(name_of("grid_worker"), text, name=name, when=(now() - DAY).isoformat())
        payload = data["disputeRegister"]
        if name.strip():
            assert payload["dispute"]["peopleCount"] == 3
            assert payload["userErrors"] == []
        else:
            assert payload == {"dispute": None, "userErrors": [{"field": "parties.0.name", "code": "REQUIRED"}]}
