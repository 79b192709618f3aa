"""Invite, refer, answer, opine: an organization sees the one dispute that it is asked about, and answers it."""

from uuid import UUID

from tests.office import DAY, HOUR, Case, Office, now

PURPOSE = {"purpose": "到场协助维持秩序。", "parties_consent": True}


async def _at_centre(office: Office) -> Case:
    case = await office.mediating()
    await office.at_tier(case, "CENTRE")
    return case


async def _referral(office: Office, case: Case, kind: str = "INVITATION") -> UUID:
    found = await office.value("SELECT id FROM referral WHERE dispute_id = $1 AND kind = $2", case.key, kind)
    return UUID(str(found))


async def test_invited_it_answers(office: Office) -> None:
    case, station = await _at_centre(office), await office.organization("POLICE_STATION")
    assert await office.can("police", case) == []
    shown = await office.must(
        "centre_staff",
        "disputeInvite",
        shown="referrals { kind state reason organization { id } fromOrganization { id } }",
        id=case.key,
        organization_id=station,
        **PURPOSE,
    )
    centre = (await office.dispute(case))["centre_id"]
    assert shown["referrals"] == [
        {
            "kind": "INVITATION",
            "state": "SENT",
            "reason": PURPOSE["purpose"],
            "organization": {"id": f"Organization:{station}"},
            "fromOrganization": {"id": f"Organization:{centre}"},
        }
    ]
    assert await office.can("police", case) == ["opine"]
    done = await office.do("centre_staff", "disputeInvite", id=case.key, organization_id=station, **PURPOSE)
    assert done.user_errors == [("organizationId", "ALREADY_SENT")]
    key = await _referral(office, case)
    assert await office.can("police", case, "Referral", key) == ["answer"]
    assert await office.can("centre_staff", case, "Referral", key) == []
    done = await office.do("court", "referralAnswer", id=key, answer="TAKEN", reply="参加。")
    assert done.user_errors == [("id", "NOT_FOUND")]
    before = (await office.dispute(case))["version"]
    shown = await office.must(
        "police", "referralAnswer", shown="state reply", id=key, answer="TAKEN", reply="届时派员参加。"
    )
    assert shown == {"state": "TAKEN", "reply": "届时派员参加。"}
    assert (await office.dispute(case))["version"] == before + 1
    done = await office.do("police", "referralAnswer", id=key, answer="TAKEN", reply="再次接受。")
    assert done.user_errors == [("answer", "ALREADY_TAKEN")]
    await office.must("police", "referralAnswer", id=key, answer="DONE", reply="已参加联合调解。")
    assert await office.can("police", case, "Referral", key) == []
    assert (await office.do("police", "referralAnswer", id=key, answer="RETURNED", reply="退回。")).codes == [
        "WRONG_STATE"
    ]
    assert [one["action"] for one in await office.events(case)][-2:] == ["referral.answer", "referral.answer"]


async def test_what_was_returned_may_be_sent_again(office: Office) -> None:
    case, station = await _at_centre(office), await office.organization("POLICE_STATION")
    values = {"id": case.key, "organization_id": station, **PURPOSE}
    await office.must("centre_staff", "disputeInvite", **values, happened_at=case.started + DAY)
    key = await _referral(office, case)
    done = await office.do(
        "police", "referralAnswer", id=key, answer="RETURNED", reply="", happened_at=case.started + DAY - HOUR
    )
    assert done.user_errors == [("happenedAt", "TOO_EARLY"), ("reply", "REQUIRED")]
    await office.must(
        "police", "referralAnswer", id=key, answer="RETURNED", reply="警力不足。", happened_at=case.started + DAY + HOUR
    )
    done = await office.do("centre_staff", "disputeInvite", **values, happened_at=case.started + DAY)
    assert done.user_errors == [("happenedAt", "TOO_EARLY")]
    await office.must("centre_staff", "disputeInvite", **values)
    row = await office.row("SELECT state, reply, answered_at FROM referral WHERE id = $1", key)
    assert tuple(row) == ("SENT", None, None)


async def test_no_invitation_without_consent_nor_with_personal_data(office: Office) -> None:
    case, station = await _at_centre(office), await office.organization("POLICE_STATION")
    done = await office.do(
        "centre_staff",
        "disputeInvite",
        id=case.key,
        organization_id=(await office.dispute(case))["squad_id"],
        purpose="联系13800000000",
        parties_consent=False,
    )
    assert done.user_errors == [
        ("purpose", "PERSONAL_DATA"),
        ("partiesConsent", "NO_CONSENT"),
        ("organizationId", "NOT_AN_AGENCY"),
    ]
    assert "13800000000" not in str(done.payload)
    await office.execute("UPDATE party SET consent = NULL, consent_on = NULL WHERE id = $1", case.applicant)
    done = await office.do("centre_staff", "disputeInvite", id=case.key, organization_id=station, **PURPOSE)
    assert done.codes == ["NO_CONSENT"]
    assert "invite" not in await office.can("centre_staff", case)


async def test_a_lead_goes_to_the_housing_department(office: Office) -> None:
    case, housing = await office.accepted(), await office.organization("HOUSING_DEPARTMENT", "371525")
    values = {"id": case.key, "reason": "涉嫌以停水方式催交物业费。"}
    done = await office.do("mediator", "disputeRefer", **values, kind="COURT_REFERRAL", organization_id=housing)
    assert done.user_errors == [("organizationId", "NOT_A_COURT")]
    await office.must("mediator", "disputeRefer", **values, kind="LEAD", organization_id=housing)
    data = await office.gql.data(
        "贺建民",
        "query($id: ID!) { node(id: $id) { ... on Dispute { title summary parties { name kind } } } }",
        id=f"Dispute:{case.key}",
    )
    # Facts and the company; no owner, no narrative.
    assert data["node"]["summary"] is None
    assert [one["kind"] for one in data["node"]["parties"]] == ["COMPANY"]
    key = await _referral(office, case, "LEAD")
    await office.must("housing", "referralAnswer", id=key, answer="DONE", reply="已责令改正。")
    row = await office.row("SELECT state, from_organization_id FROM referral WHERE id = $1", key)
    assert tuple(row) == ("DONE", (await office.dispute(case))["committee_id"])


async def test_declined_it_is_passed_on(office: Office) -> None:
    """首接负责: whoever declines says where it belongs, and may pass it on."""
    case = await office.register()
    await office.must("centre_staff", "disputeDecline", id=case.key, reason="NOT_CIVIL", advice="请向信访部门反映。")
    # The centre still sees what it decided, without the narrative.
    data = await office.gql.data(
        "曹慧敏", "query($id: ID!) { node(id: $id) { ... on Dispute { state summary } } }", id=f"Dispute:{case.key}"
    )
    assert data["node"] == {"state": "DECLINED", "summary": None}
    petition = await office.organization("PETITION_OFFICE", "371525")
    await office.must(
        "justice_office", "disputeRefer", id=case.key, kind="TRANSFER", organization_id=petition, reason="属信访事项。"
    )
    await office.must(
        "agency_petition",
        "referralAnswer",
        id=await _referral(office, case, "TRANSFER"),
        answer="TAKEN",
        reply="已受理。",
    )


async def test_opinions(office: Office) -> None:
    case = await office.accepted()
    await office.must("legal_adviser", "disputeOpine", id=case.key, text="依民法典第九百四十四条第三款。")
    assert (await office.do("legal_adviser", "disputeOpine", id=case.key, text="")).user_errors == [
        ("text", "REQUIRED")
    ]
    assert (await office.do("police", "disputeOpine", id=case.key, text="意见")).codes == ["NOT_FOUND"]
    court = await office.value(
        "SELECT organization_id FROM appointment WHERE person_id = $1 AND role = 'court'", await office.person("court")
    )
    await office.must(
        "mediator", "disputeRefer", id=case.key, kind="COURT_REFERRAL", organization_id=court, reason="请予指导。"
    )
    shown = await office.must(
        "court", "disputeOpine", shown="opinions { text organization { id } }", id=case.key, text="建议先行调解。"
    )
    # Its own opinion, not that of the adviser.
    assert shown["opinions"] == [{"text": "建议先行调解。", "organization": {"id": f"Organization:{court}"}}]
    rows = await office.rows(
        "SELECT author_id, organization_id FROM opinion WHERE dispute_id = $1 ORDER BY given_at", case.key
    )
    assert rows[0]["author_id"] == await office.person("legal_adviser")
    done = await office.do("legal_adviser", "disputeOpine", id=case.key, text="意见", happened_at=now() + DAY)
    assert done.user_errors == [("happenedAt", "IN_FUTURE")]
