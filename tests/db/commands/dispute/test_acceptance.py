"""Commands at the door: register, accept, decline, notify; and that the office of these tests does what it says."""

from tests.office import HOUR, Office


async def test_a_fresh_case_is_accepted_and_its_parties_are_told(office: Office) -> None:
    case = await office.accepted()
    row = await office.dispute(case)
    assert row["state"] == "ACCEPTED"
    assert row["notified_at"] == case.started + 2 * HOUR
    assert row["case_number"]
    assert [one["action"] for one in await office.events(case)] == [
        "dispute.register",
        "dispute.accept",
        "dispute.notify",
    ]
