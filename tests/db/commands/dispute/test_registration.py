"""Registration: whose organization reports a dispute follows from the policy."""

from uuid import UUID

from db.commands.dispute.registration import reporting_organization
from db.resources.catalog import CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment

PARTNERS = {"police", "governance_centre", "court", "agency_hotline", "agency_petition", "housing"}


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
