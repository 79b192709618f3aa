"""Refusal, withdrawal and termination end mediation; a third party who refuses only stays out."""

from tests.office import DAY, ID_NUMBERS, Office, key_of, now


async def test_a_refusal_ends_mediation(office: Office) -> None:
    case = await office.mediating()
    shown = await office.must(
        "mediator", "disputeRefuse", shown="state concludedAt", id=case.key, party_id=case.respondent, reason="不愿调解"
    )
    assert shown["state"] == "REFUSED"
    assert shown["concludedAt"]
    done = await office.do("mediator", "disputeRecord", id=case.key, place="调解室", result="TO_CONTINUE", record="…")
    assert done.codes == ["WRONG_STATE"]
    assert not {"record", "consent", "extend"} & set(await office.can("mediator", case))


async def test_a_party_may_refuse_before_acceptance(office: Office) -> None:
    case = await office.register()
    await office.must("mediator", "disputeRefuse", id=case.key, party_id=case.respondent, reason="不愿调解")
    assert (await office.dispute(case))["state"] == "REFUSED"


async def test_a_third_party_who_refuses_only_stays_out(office: Office) -> None:
    case = await office.mediating()
    third = await office.must(
        "mediator", "partyAdd", id=case.key, party={"side": "THIRD", "kind": "UTILITY", "name": "示例水务"}
    )
    shown = await office.must(
        "mediator", "disputeRefuse", shown="state", id=case.key, party_id=key_of(third["id"]), reason="与本案无关"
    )
    assert shown == {"state": "MEDIATING"}


async def test_a_reason_carries_no_number_of_a_person(office: Office) -> None:
    case = await office.mediating()
    for reason in (f"证件 {ID_NUMBERS[0]}", "电话13800000000"):
        done = await office.do("mediator", "disputeRefuse", id=case.key, party_id=case.respondent, reason=reason)
        assert done.user_errors == [("reason", "PERSONAL_DATA")]
        assert "138" not in str(done.payload)


async def test_the_applicant_takes_the_application_back(office: Office) -> None:
    case = await office.mediating()
    done = await office.do("mediator", "disputeWithdraw", id=case.key, party_id=case.respondent, reason="已和解")
    assert done.user_errors == [("partyId", "NOT_APPLICANT")]
    shown = await office.must(
        "mediator", "disputeWithdraw", shown="state", id=case.key, party_id=case.applicant, reason="已自行和解"
    )
    assert shown == {"state": "WITHDRAWN"}
    assert (await office.events(case, "dispute.withdraw"))[0]["reason"] == "已自行和解"


async def test_one_of_two_applicants_cannot_end_it_for_both(office: Office) -> None:
    case = await office.mediating()
    await office.must("mediator", "partyAdd", id=case.key, party={"side": "APPLICANT", "kind": "OWNER", "name": "赵某"})
    done = await office.do("mediator", "disputeWithdraw", id=case.key, party_id=case.applicant, reason="已和解")
    assert done.user_errors == [("id", "OTHER_APPLICANTS")]
    assert "withdraw" not in await office.can("mediator", case)


async def test_mediation_fails_only_when_the_routes_are_told(office: Office) -> None:
    case = await office.mediating()
    done = await office.do("mediator", "disputeTerminate", id=case.key, reason="OTHER_END", routes_told=False)
    assert sorted(done.user_errors) == [("explanation", "REQUIRED"), ("routesTold", "ROUTES_NOT_TOLD")]
    done = await office.do("mediator", "disputeTerminate", id=case.key, reason="EXPIRED", routes_told=True)
    assert done.user_errors == [("reason", "NOT_EXPIRED")]
    shown = await office.must(
        "mediator",
        "disputeTerminate",
        shown="state outcome concludedAt",
        id=case.key,
        reason="FAR_APART",
        routes_told=True,
        explanation="对减免比例分歧较大",
    )
    assert shown["state"] == "FAILED"
    assert shown["outcome"] == "分歧较大，难以达成协议：对减免比例分歧较大"
    row = await office.dispute(case)
    assert "仲裁" in row["advice"]
    assert row["concluded_at"] is not None
    assert (await office.events(case, "dispute.terminate"))[0]["reason"] == "FAR_APART"


async def test_an_expired_month_is_a_reason(office: Office) -> None:
    case = await office.mediating(started=now() - 60 * DAY)
    await office.must("mediator", "disputeTerminate", id=case.key, reason="EXPIRED", routes_told=True)
