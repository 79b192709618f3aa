"""Drafts of the policy for the tests of its commands: what they ask for, one that takes away, one that gives, and who approves."""

from typing import Any
from uuid import UUID

from db.policy_admin.examine import shipped_tests
from policies.compile import POLICY_PATH
from tests.office import Office, key_of

POLICY = POLICY_PATH.read_text(encoding="utf-8")


TESTS = shipped_tests()


SHOWN = (
    "id version state digest sha256 text tests note green cases mutants failures survivors differences widens gains"
    " approvalsNeeded rollback approvedAt publishedAt parent { version } base { version } author { name }"
    " approver { name } secondApprover { name } access { hidden can }"
)


RULE = {"role": "grid_worker", "resource": "Dispute", "action": "read", "rows": "own_grid"}


SECOND = "方志平"


async def second_administrator(office: Office) -> UUID:
    """One at the county's governance centre."""
    await office.execute(
        "WITH made AS (INSERT INTO person (name) VALUES ($1) RETURNING id)"
        " INSERT INTO appointment (role, valid_from, person_id, organization_id, area_code)"
        " SELECT 'security_admin', '2024-01-01', made.id, o.id, '371525' FROM made, organization o"
        " WHERE o.kind = 'GOVERNANCE_CENTRE' AND o.area_code = '371525'",
        SECOND,
    )
    return await office.person(SECOND)


async def live(office: Office) -> int:
    return int(await office.value("SELECT version FROM policy_version WHERE state = 'PUBLISHED'"))


async def drafted(office: Office, who: str = "security_admin", **given: Any) -> Any:
    return await office.must(who, "policyDraft", shown=SHOWN, **{"note": "试改", **given})


def less(text: str = POLICY) -> dict[str, Any]:
    """A draft that takes something away and is green: the analyst no longer sees inspections."""
    line = "p, analyst, Inspection, read, in_county, public, allow\n"
    assert line in text
    tests = TESTS.replace(
        "调解协议 司法确认 协议义务 预警 层级移交 走访 排查: {clear: 公开信息}",
        "调解协议 司法确认 协议义务 预警 层级移交 走访: {clear: 公开信息}",
    ).replace(
        "      回访 移送与邀请 风险评估 影响履行的因素: {clear: 公开信息 办理状况}\n    nothing: 案卷\n  - says: 邻县的看不到",
        "      回访 移送与邀请 风险评估 影响履行的因素: {clear: 公开信息 办理状况}\n    nothing: 案卷 排查\n  - says: 邻县的看不到",
    )
    return {"text": text.replace(line, ""), "tests": tests}


async def approved(office: Office, draft: Any, who: str = "bureau_admin") -> Any:
    return await office.must(who, "policyApprove", shown=SHOWN, id=key_of(draft["id"]), digest=draft["digest"])


def gaining(text: str = POLICY) -> dict[str, Any]:
    """A green draft that gives security administrators the company's telephone: what their author has not today."""
    line = "p, security_admin, Person, read, anywhere, staff|account, allow\n"
    assert line in text
    wanted = "      区划 机构: {clear: 公开信息}\n      工作人员: {clear: 公开信息 工作电话 账号与任职}\n"
    assert TESTS.count(wanted) == 1
    tests = TESTS.replace(wanted, wanted.replace("区划 机构:", "机构: {clear: 公开信息 工作电话}\n      区划:"))
    return {
        "text": text.replace(line, f"{line}p, security_admin, Organization, read, anywhere, staff, allow\n"),
        "tests": tests,
    }
