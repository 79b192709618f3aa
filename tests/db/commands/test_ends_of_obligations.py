"""What becomes of an obligation that is not performed: released, impossible, sued over, enforced, in default. None of it is performance."""

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from db.calendar import COUNTY_TIME
from tests.db.commands.agreeing import AGREED, DAY, STARTED, drafted, in_force, owed, pay
from tests.office import Case, Office, key_of, name_of

PAID = AGREED + 2 * DAY
RATES = """{ statistics(period: {from: "2024-02-20", to: "2024-02-20"}) { performanceRate resolved } }"""
NUMBER = "（2024）鲁1525民初123号"


async def result_of(office: Office, case: Case) -> tuple[str, str]:
    row = await office.dispute(case)
    return row["state"], row["result"]


async def close(office: Office, case: Case, at: dt.datetime = PAID + 30 * DAY) -> None:
    """Visited and closed: whatever became of it, there is a way to the end."""
    visit = await office.value("SELECT id FROM follow_up WHERE dispute_id = $1 AND done_at IS NULL", case.key)
    await office.must(
        "mediator", "followUpComplete", id=visit, method="PHONE", result="NORMAL", satisfaction=3, happened_at=at
    )
    await office.must("mediator", "disputeClose", id=case.key, happened_at=at)
    await office.must("justice_office", "disputeArchive", id=case.key, happened_at=at + DAY)


async def rates(office: Office) -> Any:
    return (await office.gql.data(name_of("bureau_admin"), RATES))["statistics"]


async def test_a_release_is_the_creditors_and_no_performance(office: Office) -> None:
    """《民法典》 Art. 575."""
    case, _, (first,) = await in_force(office)
    before = await rates(office)
    given = {"id": first, "happened_at": PAID, "consent": "书面同意第3号"}
    for parties, errors in (
        ([], [("partyIds", "NO_CONSENT")]),
        ([case.applicant], [("partyIds.0", "NOT_CREDITOR"), ("partyIds", "NO_CONSENT")]),
        ([UUID(int=7)], [("partyIds.0", "NOT_FOUND"), ("partyIds", "NO_CONSENT")]),
    ):
        done = await office.do("mediator", "obligationRelease", party_ids=parties, **given)
        assert done.user_errors == errors
    blank = await office.do("mediator", "obligationRelease", party_ids=[case.respondent], **{**given, "consent": " "})
    assert blank.user_errors == [("consent", "REQUIRED")]
    shown = await office.must(
        "mediator", "obligationRelease", party_ids=[case.respondent], **given,
        shown="state performedOn performances { kind evidence } dispute { state result }",
    )  # fmt: skip
    assert shown == {
        "state": "RELEASED", "performedOn": None, "performances": [{"kind": "RELEASE", "evidence": "书面同意第3号"}],
        "dispute": {"state": "UNPERFORMED", "result": "UNPERFORMED"},
    }  # fmt: skip
    await close(office, case)
    assert await result_of(office, case) == ("ARCHIVED", "UNPERFORMED")
    after = await rates(office)
    assert after["resolved"] == before["resolved"]
    assert after["performanceRate"] <= before["performanceRate"]


async def test_part_performed_and_the_rest_released_is_not_performed(office: Office) -> None:
    case = await office.mediating(STARTED)
    _, _, (first, second) = await in_force(office, pay(case), pay(case, "20.00"), case=case)
    await office.must("mediator", "obligationPerform", id=first, happened_at=PAID, evidence="收据")
    given = {"happened_at": PAID, "party_ids": [case.respondent], "consent": "书面同意"}
    await office.must("mediator", "obligationRelease", id=second, **given)
    assert await result_of(office, case) == ("UNPERFORMED", "UNPERFORMED")


async def sued(office: Office) -> tuple[Case, UUID, UUID]:
    """A case with a part performed, over whose agreement the applicant has sued."""
    case, agreement, (first,) = await in_force(office)
    await office.must("mediator", "obligationPerform", id=first, happened_at=PAID, amount="60.00", evidence="收据")
    shown = await office.must(
        "mediator", "agreementSue", id=agreement, party_id=case.applicant, reason="协议的内容。", happened_at=PAID + DAY,
        shown="suedOn suitResult obligations { state }",
    )  # fmt: skip
    assert shown == {"suedOn": "2024-02-23", "suitResult": None, "obligations": [{"state": "SUED"}]}
    return case, agreement, first


async def test_while_the_court_has_it_nothing_else_is_done(office: Office) -> None:
    case, agreement, first = await sued(office)
    assert await office.can("mediator", case, "Obligation", first) == []
    assert await office.can("mediator", case, "Agreement", agreement) == ["judge"]
    assert "default" not in await office.can("mediator", case)
    again = await office.do("mediator", "agreementSue", id=agreement, party_id=case.applicant, reason="再诉。")
    assert again.user_errors == [("id", "SUIT_PENDING")]
    given = {"id": agreement, "happened_at": PAID + 9 * DAY, "result": "UPHELD"}
    for more, errors in (
        ({}, [("caseNumber", "REQUIRED")]),
        ({"case_number": "民初1号"}, [("caseNumber", "BAD_CASE_NUMBER")]),
        ({"case_number": NUMBER, "happened_at": PAID}, [("happenedAt", "TOO_EARLY")]),
        (
            {"case_number": NUMBER, "obligations": [{"id": first, "amount": "1.00"}]},
            [("obligations", "NOT_APPLICABLE")],
        ),
    ):
        wrong = (await office.do("mediator", "agreementJudge", **{**given, **more})).user_errors
        assert [error for error in wrong if not error[0].startswith("obligations.")] == errors
    assert await office.value("SELECT state FROM obligation WHERE id = $1", first) == "SUED"


@pytest.mark.parametrize("result", ["UPHELD", "VARIED", "WITHDRAWN"])
async def test_what_stands_is_owed_again_and_may_be_enforced(office: Office, result: str) -> None:
    case, agreement, first = await sued(office)
    more: dict[str, Any] = {} if result == "WITHDRAWN" else {"case_number": NUMBER}
    if result == "VARIED":
        more["obligations"] = [{"id": first, "amount": "900.00"}]
    shown = await office.must(
        "mediator", "agreementJudge", id=agreement, result=result, happened_at=PAID + 9 * DAY, **more,
        shown="state suitResult suitCaseNumber obligations { state amount }",
    )  # fmt: skip
    number = None if result == "WITHDRAWN" else "(2024)鲁1525民初123号"
    assert (shown["suitResult"], shown["suitCaseNumber"]) == (result, number)
    amount = "900.00" if result == "VARIED" else "1860.00"
    assert shown["obligations"] == [{"state": "PARTLY_PERFORMED", "amount": amount}]
    assert shown["state"] == ("VARIED" if result == "VARIED" else "EFFECTIVE")
    assert await result_of(office, case) == ("PERFORMING", "AGREED")
    given = {"id": first, "happened_at": PAID + 20 * DAY, "evidence": "执行结案通知书"}
    if result == "WITHDRAWN":
        done = await office.do("mediator", "obligationEnforce", **given)
        assert done.user_errors == [("id", "NOT_ENFORCEABLE")]
        await office.must("mediator", "obligationPerform", **given)
    else:
        shown = await office.must(
            "mediator", "obligationEnforce", **given, shown="state performedOn performances { kind amount }"
        )
        assert (shown["state"], shown["performedOn"]) == ("ENFORCED", "2024-03-13")
        left = "840.00" if result == "VARIED" else "1800.00"
        assert {"kind": "ENFORCE", "amount": left} in shown["performances"]
    assert await result_of(office, case) == ("PERFORMED", "PERFORMED")
    await close(office, case)


async def test_a_revoked_agreement_obliges_to_nothing(office: Office) -> None:
    case, agreement, first = await sued(office)
    await office.must(
        "mediator", "agreementJudge", id=agreement, result="REVOKED", happened_at=PAID + 9 * DAY, case_number=NUMBER
    )
    assert await office.value("SELECT state FROM obligation WHERE id = $1", first) == "RESCINDED"
    assert await result_of(office, case) == ("UNPERFORMED", "UNPERFORMED")
    await close(office, case)


async def test_default_after_urging_in_vain(office: Office) -> None:
    """若干规定 Art. 37: urged, then told of the court; a suit after that is on record."""
    case, agreement, (first,) = await in_force(office)
    given = {"id": case.key, "happened_at": PAID + 9 * DAY, "reason": "多次督促仍不履行。", "routes_told": True}
    assert (await office.do("mediator", "disputeDefault", **given)).codes == ["NOT_URGED"]
    await office.must(
        "mediator", "obligationUrge", id=first, party_id=case.applicant, method="PHONE", result="不愿履行。",
        happened_at=PAID + DAY,
    )  # fmt: skip
    done = await office.do("mediator", "disputeDefault", **{**given, "routes_told": False})
    assert done.user_errors == [("routesTold", "ROUTES_NOT_TOLD")]
    shown = await office.must("mediator", "disputeDefault", **given, shown="state result advice obligations { state }")
    assert (shown["state"], shown["result"]) == ("UNPERFORMED", "UNPERFORMED")
    assert "起诉" in shown["advice"]
    assert shown["obligations"] == [{"state": "DEFAULTED"}]
    await office.must(
        "mediator", "agreementSue", id=agreement, party_id=case.respondent, reason="协议的履行。",
        happened_at=PAID + 10 * DAY,
    )  # fmt: skip
    assert "close" not in await office.can("mediator", case)
    await office.must(
        "mediator", "agreementJudge", id=agreement, result="UPHELD", happened_at=PAID + 20 * DAY, case_number=NUMBER
    )
    assert await office.value("SELECT state FROM obligation WHERE id = $1", first) == "DEFAULTED"
    await close(office, case)


async def test_what_is_not_overdue_is_no_default(office: Office) -> None:
    case = await office.mediating(STARTED)
    late = dt.datetime.now(COUNTY_TIME).date() + 30 * DAY
    _, agreement = await drafted(office, pay(case, due_on=late), form="ORAL", case=case)
    (first,) = await owed(office, agreement)
    await office.must(
        "mediator", "obligationUrge", id=first, party_id=case.applicant, method="PHONE", result="尚未到期。"
    )
    assert "default" not in await office.can("mediator", case)
    done = await office.do("mediator", "disputeDefault", id=case.key, reason="略", routes_told=True)
    assert done.codes == ["NOT_OVERDUE"]


@pytest.mark.parametrize(
    ("mutation", "given"),
    [
        ("disputeTerminate", {"reason": "FAR_APART", "routes_told": True}),
        ("disputeRefuse", {"party_id": "respondent", "reason": "不愿调解。"}),
        ("disputeWithdraw", {"party_id": "applicant", "reason": "另行协商。"}),
    ],
)
async def test_what_ended_without_an_agreement_may_begin_again(
    office: Office, mutation: str, given: dict[str, Any]
) -> None:
    """《人民调解法》 Art. 17: who refused may apply later; a new dispute is linked to the old one, which stays as it is."""
    case = await office.mediating()
    parties = {"applicant": case.applicant, "respondent": case.respondent}
    values = {name: parties.get(value, value) if name == "party_id" else value for name, value in given.items()}
    await office.must("mediator", mutation, id=case.key, **values)
    before = dict(await office.dispute(case))
    shown = await office.must(
        "mediator", "disputeReopen", id=case.key, reason="双方愿意再谈。", source="APPLY",
        shown="id state result previous { id } parties { consent }",
    )  # fmt: skip
    assert (shown["state"], shown["result"]) == ("REGISTERED", None)
    assert shown["previous"] == {"id": f"Dispute:{case.key}"}
    assert {party["consent"] for party in shown["parties"]} == {None}
    assert dict(await office.dispute(case)) == before
    await office.must("mediator", "disputeAccept", id=key_of(shown["id"]))
