"""Sessions of mediation: notes within their visibility, attended by invitation, none before mediation begins."""

import datetime as dt

from tests.office import HOUR, Case, Office, name_of, now


async def _invite(office: Office, case: Case, kind: str, sent_at: dt.datetime) -> object:
    organization = await office.organization(kind)
    await office.execute(
        "INSERT INTO referral (dispute_id, dispute_registered_at, organization_id, kind, state, sent_at, reason)"
        " SELECT id, registered_at, $2, 'INVITATION', 'TAKEN', $3, '联动调解' FROM dispute WHERE id = $1",
        case.key,
        organization,
        sent_at,
    )
    return organization


async def test_a_session_keeps_its_notes_within_their_circles(office: Office) -> None:
    case = await office.mediating()
    police = await _invite(office, case, "POLICE_STATION", case.started + 4 * HOUR)
    held = case.started + 5 * HOUR
    await office.must(
        "mediator",
        "disputeRecord",
        id=case.key,
        happened_at=held,
        place="调解室",
        result="TO_CONTINUE",
        record="双方陈述。",
        is_joint=True,
        organization_ids=[police],
        notes=[
            {"visibility": "SHARED", "text": "双方同意再议。"},
            {"visibility": "TEAM", "text": "公司愿意让步。"},
            {"visibility": "CAUCUS", "text": "底线。"},
        ],
    )
    query = "query($id: ID!) { node(id: $id) { ... on Dispute { sessions { result record notes { text } attendances { id } } } } }"
    mine = (await office.gql.data(name_of("mediator"), query, id=f"Dispute:{case.key}"))["node"]["sessions"][0]
    assert {one["text"] for one in mine["notes"]} == {"双方同意再议。", "公司愿意让步。", "底线。"}
    theirs = (await office.gql.data(name_of("police"), query, id=f"Dispute:{case.key}"))["node"]["sessions"][0]
    assert [one["text"] for one in theirs["notes"]] == ["双方同意再议。"]
    supervisor = (await office.gql.data(name_of("justice_office"), query, id=f"Dispute:{case.key}"))["node"]
    assert {one["text"] for one in supervisor["sessions"][0]["notes"]} == {"双方同意再议。", "公司愿意让步。"}
    author = await office.value("SELECT DISTINCT author_id FROM note WHERE dispute_id = $1", case.key)
    assert author == await office.person("mediator")
    assert "底线" not in str([dict(one) for one in await office.events(case)])


async def test_a_session_is_attended_by_invitation_only(office: Office) -> None:
    case = await office.mediating()
    police, court = await _invite(office, case, "POLICE_STATION", now() - HOUR), await office.organization("COURT")
    given = {"id": case.key, "place": "调解室", "result": "NOT_AGREED", "record": "未达成。"}
    done = await office.do(
        "mediator",
        "disputeRecord",
        **given,
        happened_at=now() - 2 * HOUR,
        organization_ids=[court, police, police],
        notes=[{"visibility": "TEAM", "text": " "}],
    )
    assert sorted(done.user_errors) == [
        ("isJoint", "NOT_JOINT"),
        ("notes.0.text", "REQUIRED"),
        ("organizationIds.0", "NOT_INVITED"),
        ("organizationIds.1", "TOO_EARLY"),
        ("organizationIds.2", "DUPLICATE"),
    ]
    assert (await office.do("mediator", "disputeRecord", **given, is_joint=True)).user_errors == [
        ("organizationIds", "REQUIRED")
    ]
    assert await office.value("SELECT count(*) FROM session WHERE dispute_id = $1", case.key) == 0


async def test_no_session_before_mediation_begins(office: Office) -> None:
    accepted, mediating = await office.accepted(), await office.mediating()
    given = {"place": "调解室", "result": "TO_CONTINUE", "record": "…"}
    assert (await office.do("mediator", "disputeRecord", id=accepted.key, **given)).codes == ["WRONG_STATE"]
    early = await office.do("mediator", "disputeRecord", id=mediating.key, happened_at=mediating.started, **given)
    assert early.user_errors == [("happenedAt", "TOO_EARLY")]
