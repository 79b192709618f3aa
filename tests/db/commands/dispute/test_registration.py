"""Registration: whose organization reports a dispute follows from the policy; one matter of an agency is registered once."""

from uuid import UUID

import pytest

from db.commands.dispute.registration import reporting_organization
from db.policy_admin.explain import dispute_of
from db.resources.catalog import CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment
from tests.office import Office, name_of

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


async def test_a_reference_is_the_same_however_it_is_typed(office: Office) -> None:
    """One matter of an agency is one dispute."""
    case = await office.register("agency_hotline", source="HOTLINE", external_ref="GD－1 ")
    assert (await office.dispute(case))["external_ref"] == "GD-1"
    row = await office.dispute(case)
    again = {
        "title": "物业费争议", "compound_id": row["compound_id"], "sub_category": "P01", "source": "HOTLINE", "summary": "对物业费有争议。",
        "parties": [{"side": "APPLICANT", "kind": "OWNER", "name": "李龙"}],
    }  # fmt: skip
    for reference in ("GD-1", "gd-1", "ＧＤ—１", "GD\u200b-1"):
        done = await office.do("agency_hotline", "disputeRegister", **again, external_ref=reference)
        assert done.user_errors == [("externalRef", "DUPLICATE")], reference
    empty = await office.do("agency_hotline", "disputeRegister", **again, external_ref="\u200b")
    assert empty.user_errors == [("externalRef", "REQUIRED")]
    query = "query($f: DisputeFilter!) { disputes(filter: $f) { nodes { id } } }"
    found = await office.gql.data(name_of("agency_hotline"), query, f={"externalRef": "gd－１"})
    assert found["disputes"]["nodes"] == [{"id": f"Dispute:{case.key}"}]


@pytest.mark.parametrize("form", ["{}", "　{} ", "\u200b{}"])
async def test_a_case_number_is_found_as_it_is_printed(office: Office, form: str) -> None:
    case = await office.accepted()
    stored = (await office.dispute(case))["case_number"]
    for printed in (
        stored,
        stored.replace("(", "（").replace(")", "）"),
        stored.replace("(", "〔").replace(")", "〕"),
        stored.replace("第", " 第"),
    ):
        number, key = form.format(printed), {"id": f"Dispute:{case.key}"}
        one = await office.gql.data(
            name_of("mediator"), "query($n: String) { dispute(caseNumber: $n) { id } }", n=number
        )
        assert one["dispute"] == key, number
        many = "query($n: String) { disputes(filter: {caseNumber: $n}) { nodes { id } } }"
        assert (await office.gql.data(name_of("mediator"), many, n=number))["disputes"]["nodes"] == [key], number
        assert await dispute_of(office.gql.connection, number) == case.key
