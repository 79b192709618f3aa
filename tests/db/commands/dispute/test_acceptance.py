"""Commands at the door: register, accept, decline, notify; and that the office of these tests does what it says."""

from uuid import UUID

from db.commands.dispute.registration import reporting_organization
from db.resources.catalog import CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment
from tests.office import HOUR, Office

PARTNERS = {"police", "governance_centre", "court", "agency_hotline", "agency_petition", "housing"}


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


def test_partner_agencies_report_and_the_countys_own_people_do_not() -> None:
    """Who registers only what their own organization reports is a reporter, under whatever name the policy gives the role."""
    text = POLICY_PATH.read_text(encoding="utf-8")
    more = "\np3, water_office, 水务部门\ng, water_office, partner\np, water_office, Dispute, register, reported, -, allow\n"
    policy = compile_policy(text + more, CATALOG)
    claims = {"organization_id": UUID(int=7), "person_id": UUID(int=8), "area_code": "371525101001001", "team_ids": []}
    reporters = {
        role
        for role in policy.roles
        if reporting_organization(Access(policy, [Appointment("mediator", claims), Appointment(role, claims)]))
    }
    assert reporters == PARTNERS | {"water_office"}
