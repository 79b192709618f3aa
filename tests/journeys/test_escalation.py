"""The second journey: from the team to the squad to the centre, with police and court invited, and in the end without agreement."""

from uuid import UUID

from tests.journeys.role_views import RoleViews
from tests.journeys.service import at
from tests.office import Case, Office

REASON = {"reason": "涉及多户，一时难以化解。", "handover": "已调解两次，分歧在于收费标准。"}


async def test_up_to_the_centre_and_failed(office: Office) -> None:
    """T1, T2, T3: each tier takes what it is sent, agencies take part with the parties' consent, and the other routes are told."""
    case = await office.register(started=at("2024-05-06", "09:00"))
    await office.must("mediator", "disputeAccept", id=case.key, happened_at=at("2024-05-06", "10:00"))
    await office.must("mediator", "disputeNotify", id=case.key, happened_at=at("2024-05-06", "11:00"))
    onlookers = RoleViews(office, case)
    invitation = {"purpose": "到场释法说理。", "parties_consent": True}
    police, court = await office.organization("POLICE_STATION"), await _of(office, "court")
    refused = await office.do("mediator", "disputeInvite", id=case.key, organization_id=police, **invitation)
    assert {code for _, code in refused.user_errors} <= {"FORBIDDEN", "NO_CONSENT"}
    for party in (case.applicant, case.respondent):
        await office.must(
            "mediator", "disputeConsent", id=case.key, party_id=party, happened_at=at("2024-05-06", "15:00")
        )
    await _up(office, case, onlookers)
    await _joined(office, case, onlookers, police, court)
    row = await office.dispute(case)
    refused = await office.do(
        "centre_staff",
        "disputeTerminate",
        id=case.key,
        reason="FAR_APART",
        routes_told=False,
        happened_at=at("2024-06-03"),
    )
    assert refused.user_errors == [("routesTold", "ROUTES_NOT_TOLD")]
    assert await office.dispute(case) == row
    shown = await office.must(
        "centre_staff", "disputeTerminate", id=case.key, reason="FAR_APART", routes_told=True, happened_at=at("2024-06-03"),
        shown="state tier advice outcome",
    )  # fmt: skip
    assert (shown["state"], shown["tier"]) == ("FAILED", "CENTRE")
    assert "司法" in shown["advice"]
    seen = await onlookers.look()
    assert seen["grid_worker"]["state"] == "FAILED"
    for role in ("mediator", "squad_member", "centre_staff"):
        refused = await office.do(
            role, "disputeRecord", id=case.key, place="中心", result="NOT_AGREED", record="再谈一次。"
        )
        assert not refused.ok
    await office.must("justice_office", "disputeArchive", id=case.key, happened_at=at("2024-06-10"))
    await onlookers.look()
    assert [one["to_state"] for one in await office.events(case) if one["to_state"] and one["resource"] in ("Dispute", "Party")] == [
        "REGISTERED", "ACCEPTED", "MEDIATING", "FAILED", "ARCHIVED",
    ]  # fmt: skip


async def _up(office: Office, case: Case, onlookers: RoleViews) -> None:
    squad, centre = await _of(office, "squad_member"), await _of(office, "centre_staff")
    skipping = await office.do("mediator", "disputeEscalate", id=case.key, organization_id=centre, **REASON)
    assert skipping.user_errors == [("organizationId", "SKIPS_A_TIER")]
    steps = (
        ("grid_worker", squad, "squad_member", "SQUAD", "2024-05-13"),
        ("squad_member", centre, "centre_staff", "CENTRE", "2024-05-20"),
    )
    for sender, receiver, taker, tier, day in steps:
        before = (await office.dispute(case))["tier"]
        await office.must(
            sender, "disputeEscalate", id=case.key, organization_id=receiver, happened_at=at(day, "09:00"), **REASON
        )
        # Exactly one tier owns it: the lower one, until the upper one takes it.
        assert (await office.dispute(case))["tier"] == before
        seen = await onlookers.look()
        assert seen[taker]["summary"] is not None
        shown = await office.must(taker, "disputeTake", id=case.key, happened_at=at(day, "10:00"), shown="tier")
        assert shown == {"tier": tier}
        await onlookers.look()
    # What the team held is now the centre's: those of the team follow it, and do nothing.
    for role in ("grid_worker", "legal_adviser", "law_leader"):
        assert await office.can(role, case) == [], role


async def _joined(office: Office, case: Case, onlookers: RoleViews, police: UUID, court: UUID) -> None:
    refused = await office.do(
        "centre_staff", "disputeInvite", id=case.key, organization_id=police, purpose="到场。", parties_consent=False
    )
    assert refused.user_errors == [("partiesConsent", "NO_CONSENT")]
    seen = await onlookers.look()
    assert seen["police"] is None
    assert seen["court"] is None
    for role, agency in (("police", police), ("court", court)):
        await office.must(
            "centre_staff", "disputeInvite", id=case.key, organization_id=agency, purpose="到场释法说理。", parties_consent=True,
            happened_at=at("2024-05-21"),
        )  # fmt: skip
        referral = await office.value(
            "SELECT id FROM referral WHERE dispute_id = $1 AND organization_id = $2", case.key, agency
        )
        await office.must(
            role,
            "referralAnswer",
            id=referral,
            answer="TAKEN",
            reply="届时到场。",
            happened_at=at("2024-05-21", "11:00"),
        )
        await office.must(
            role, "disputeOpine", id=case.key, text=f"{role} 的意见。", happened_at=at("2024-05-21", "12:00")
        )
    seen = await onlookers.look()
    assert seen["police"]["amountClaimed"] is None
    assert seen["court"]["summary"] is None
    # A joint session: of the agencies only the police are there, and read only what is shared.
    await office.must(
        "centre_staff", "disputeRecord", id=case.key, place="矛盾调解中心", result="NOT_AGREED", record="双方分歧仍大。", is_joint=True,
        organization_ids=[police], happened_at=at("2024-05-28"),
        notes=[{"visibility": one, "text": f"{one} 的记录。"} for one in ("SHARED", "TEAM", "CAUCUS")],
    )  # fmt: skip
    await onlookers.look()
    query = (
        "query($id: ID!) { node(id: $id) { ... on Dispute { sessions { record } notes { text } opinions { text } } } }"
    )
    read = {
        name: (await office.gql.data(name, query, id=f"Dispute:{case.key}"))["node"] for name in ("孟凡强", "袁静宜")
    }
    assert read["孟凡强"] == {
        "sessions": [{"record": "双方分歧仍大。"}], "notes": [{"text": "SHARED 的记录。"}],
        "opinions": [{"text": "police 的意见。"}],
    }  # fmt: skip
    assert read["袁静宜"] == {"sessions": [], "notes": [], "opinions": [{"text": "court 的意见。"}]}


async def _of(office: Office, role: str) -> UUID:
    """The organization of the principal of a role."""
    person = await office.person(role)
    found = await office.value(
        "SELECT organization_id FROM appointment WHERE role = $1 AND person_id = $2", role, person
    )
    return UUID(str(found))
