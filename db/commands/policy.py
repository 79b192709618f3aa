"""Commands on versions of the access policy: draft, approve, publish, go back to an earlier one. A second person approves each before it is live.

Whoever drafts does not approve; what the author or their organization would gain needs somebody of another organization; somebody must be left in
charge. To go back is one call: the text was approved once, and must give nothing to the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, literal_column, select, update
from sqlalchemy.types import Integer, Uuid

from db import tables as t
from db.commands.policy_edit import PolicyEditInput, edits_of
from db.commands.rights import load_staff, lock_rights
from db.policy_admin.examine import Examined, examine, shipped_tests
from db.policy_admin.staff import Staff, gained, governed
from db.resources.guards import CALLER_ID, Guard, state_in
from db.resources.resource import Row, Sql
from db.tables.policy import UNPUBLISHED_STATES
from db.write.command import Outcome, Place, Refused, Site, UserError, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork
from policies.edit import EditRefused, edit
from policies.escalation import POLICY, permission_holders
from policies.policy import Policy, PolicyRefused
from policies.testing.suite import SuiteRefused
from policies.text import Problem

# A text may be as long as a request.
LONGEST = 1_048_576
MAX_ERRORS = 200

_UNGOVERNED = "发布之后，须仍有一人可以起草并发布、另有一人可以批准；照此发布，策略就再也改不了了。"


async def _mine(work: UnitOfWork, _: Mapping[str, Any]) -> Site:
    return Site({"author_id": work.actor.person_id})


@dataclass(frozen=True)
class PolicyDraftInput:
    note: str = input_field("起草说明：改什么，为什么")
    from_id: UUID | None = input_field("由哪一版改起；不写为现行版本", of=POLICY, default=None)
    text: str | None = input_field("策略全文；与 edits 须且只须写一项", longest=LONGEST, form="code", default=None)
    edits: tuple[PolicyEditInput, ...] = input_field("逐项修改，依次进行；与 text 须且只须写一项", default=())
    tests: str | None = input_field("策略测试全文；不写则沿用所改那一版的", longest=LONGEST, form="code", default=None)


@command(
    "policy",
    "draft",
    "起草访问策略：以全文，或在一个版本上逐项修改。有错误的一概不存，全部错误连同行列一次列出；同时运行测试、比较现行版本。",
    PolicyDraftInput,
    target=None,
    place=Place((), _mine, "", "您无权起草访问策略。"),
    shows=POLICY,
    online=True,
    row_field="from_id",
    example={"note": "增设角色", "edits": ({"add_role": {"role": "volunteer", "label": "志愿者"}},)},
)
async def draft(work: UnitOfWork, input: PolicyDraftInput) -> Outcome:
    """A new version. Its text compiles; whether its tests are green is stored with it."""
    live = await _live(work)
    parent = await work.load_visible(POLICY, input.from_id or live["id"], field="fromId")
    work.check_text("note", input.note, 500)
    if (input.text is None) is (not input.edits):
        work.error("text", "ONE_WAY", "text 与 edits 须且只须写一项；只改测试的，text 请照写原文。")
    edits = edits_of(work, input.edits)
    work.raise_errors()
    text = input.text
    if text is None:
        try:
            text = edit(parent["text"], edits)
        except EditRefused as refused:
            user_errors = [
                UserError(f"edits.{place}", "BAD_EDIT", f"{message}。") for place, message in refused.problems
            ]
            raise Refused(*user_errors) from None
    before = parent["tests"] or shipped_tests()
    tests = input.tests or before
    if (text, tests) == (parent["text"], before):
        raise Refused(UserError("text", "UNCHANGED", "与所改的版本完全相同。"))
    examined = _examined(work, text, tests)
    staff = await load_staff(work, of_today=False)
    me = work.actor.person_id
    # SECURITY: stored with the version, so that leaving before it is published does not help the author.
    houses = staff.organizations_of(me)
    gains = gained(work.actor.access.policy, examined.policy, staff.within(me, houses), staff)
    await lock_rights(work)
    key = await work.insert(
        t.policy_version,
        version=await _next(work),
        state="DRAFT",
        note=input.note.strip(),
        parent_id=parent.id,
        base_id=live["id"],
        author_id=me,
        organization_ids=list(houses),
        **examined.values(gains, 2 if gains else 1),
    )
    return Outcome(POLICY, key, None, None, "DRAFT", ("text", "tests"), input.note.strip())


@dataclass(frozen=True)
class PolicyApproveInput:
    id: UUID = input_field("所批准的版本", of=POLICY)
    digest: str = input_field("您所审阅的散列（版本的 digest）；其后若有变化，批准即不成立", form="code")
    note: str | None = input_field("批准意见", default=None)


_UNPUBLISHED = state_in("这一版已经发布过，不必再批准。", *UNPUBLISHED_STATES)
_GREEN = Guard("id", "NOT_GREEN", "测试有不符的，或有规则没有测试；请改好后另行起草。", lambda row: row["green"])
NOT_AUTHOR = Guard(
    "id",
    "OWN_DRAFT",
    "起草人不能批准自己起草的版本，请由他人批准。",
    lambda row: row["author_id"].is_distinct_from(CALLER_ID),
)
_NOT_APPROVED_BY_ME = Guard(
    "id", "ALREADY", "您已经批准过这一版。", lambda row: row["approver_id"].is_distinct_from(CALLER_ID)
)
_ONE_APPROVAL_LEFT = Guard("id", "ALREADY", "这一版已有两人批准。", lambda row: row["second_approver_id"].is_(None))


@command(
    "policy",
    "approve",
    "批准一个版本。起草人不得批准。",
    PolicyApproveInput,
    target=POLICY,
    shows=POLICY,
    online=True,
    guards=(_UNPUBLISHED, _GREEN, NOT_AUTHOR, _NOT_APPROVED_BY_ME, _ONE_APPROVAL_LEFT),
    example={"digest": Placeholder("text", "the digest of the version")},
)
async def approve(work: UnitOfWork, version: Record, input: PolicyApproveInput) -> Outcome:
    """One more approval of the digest; APPROVED once there are as many as needed."""
    if input.digest != version["digest"]:
        work.error("digest", "STALE", "与这一版现在的散列不符：您审阅之后又有变化，或抄写有误，请重新审阅。")
    if input.note is not None:
        work.check_text("note", input.note, 500)
    staff = await load_staff(work, of_today=True)
    me = work.actor.person_id
    approvers = [approver for approver in (version["approver_id"], me) if approver is not None]
    needed = version["approvals_needed"]
    complete = len(approvers) >= needed
    houses = _organizations_of_author(version, staff)
    if complete and needed > 1 and not any(staff.is_outside(approver, houses) for approver in approvers):
        work.error("id", "SAME_ORGANIZATION", "起草人或其机构由此多得权限，两名批准人中须有一名任职于另一机构。")
    work.raise_errors()
    column = "second_approver_id" if version["approver_id"] is not None else "approver_id"
    state = "APPROVED" if complete else "DRAFT"
    await work.update(
        t.policy_version,
        version.id,
        **{column: me},
        approved_digest=version["digest"],
        approved_at=work.now,
        state=state,
    )
    return Outcome(POLICY, version.id, None, version["state"], state, ("approver",), input.note)


@dataclass(frozen=True)
class PolicyPublishInput:
    id: UUID = input_field("所发布的版本，须已批准", of=POLICY)


def _on_live(row: Row) -> Sql:
    """A version of the policy was made against the one that is live now."""
    at = t.policy_version.alias()
    return row["base_id"] == (
        select(at.c.id).select_from(at).where(at.c.state == literal_column("'PUBLISHED'")).scalar_subquery()
    )


OVERTAKEN = Guard(
    "id", "CONFLICT", "起草之后另有版本发布，这一版是对照旧版审阅的；请以现行版本为准重新起草。", _on_live
)


@command(
    "policy",
    "publish",
    "发布已批准的版本：对此后开始的每一个请求生效。同时发布的，只有一个成功，其余报 CONFLICT。",
    PolicyPublishInput,
    target=POLICY,
    shows=POLICY,
    online=True,
    guards=(state_in("只能发布已批准的版本。", "APPROVED"), _GREEN, OVERTAKEN),
)
async def publish(work: UnitOfWork, version: Record, input: PolicyPublishInput) -> Outcome:
    """The version is live, the one before it retired; in one transaction with the epoch."""
    examined = _examined(work, version["text"], version["tests"], field="id")
    await lock_rights(work)
    live = await _live(work)
    if version["base_id"] != live["id"]:
        raise Refused(UserError(OVERTAKEN.field, OVERTAKEN.code, OVERTAKEN.message))
    if (version["approved_digest"], version["proof_sha256"]) != (version["digest"], examined.proof):
        work.error("id", "STALE", "批准之后，测试结果已有变化，批准作废；请重新起草。")
    await _check(work, examined)
    await _check_approvals(work, version, examined)
    work.raise_errors()
    await work.fetch(_RETIRE, {"retired": live["id"]})
    await work.update(t.policy_version, version.id, state="PUBLISHED", published_at=work.now)
    reason = f"第 {version['version']} 版取代第 {live['version']} 版"
    return Outcome(POLICY, version.id, None, version["state"], "PUBLISHED", ("state",), reason)


@dataclass(frozen=True)
class PolicyRollbackInput:
    id: UUID = input_field("回退到哪一版：发布过而已被取代的", of=POLICY)
    note: str = input_field("回退的理由")


@command(
    "policy",
    "rollback",
    "回退：以先前发布过的版本的全文另立一版，立即发布。其文已经过批准，不必再批；回退人本人由此多得权限的，须另行起草、批准。",
    PolicyRollbackInput,
    target=POLICY,
    shows=POLICY,
    online=True,
    guards=(state_in("只能回退到发布过而已被取代的版本。", "RETIRED"),),
    example={"note": "回到上一版"},
)
async def rollback(work: UnitOfWork, version: Record, input: PolicyRollbackInput) -> Outcome:
    """A new version with the old text, live at once."""
    work.check_text("note", input.note, 500)
    work.raise_errors()
    tests = version["tests"] or shipped_tests()
    examined = _examined(work, version["text"], tests, field="id")
    await lock_rights(work)
    live = await _live(work)
    if live["sha256"] == version["sha256"]:
        work.error("id", "UNCHANGED", "现行版本的全文与它相同。")
    staff = await load_staff(work, of_today=False)
    was, me = work.actor.access.policy, work.actor.person_id
    houses = staff.organizations_of(me)
    # SECURITY: what the organization had was once approved by others; what the caller personally would have again, others must approve.
    if gained(was, examined.policy, [me], staff):
        message = "回退会使您本人多得权限，不能由您一人办理；请由这一版另行起草，经另一机构的人批准后发布。"
        work.error("id", "NEEDS_APPROVAL", message)
    await _check(work, examined)
    work.raise_errors()
    await work.fetch(_RETIRE, {"retired": live["id"]})
    key = await work.insert(
        t.policy_version,
        version=await _next(work),
        state="PUBLISHED",
        note=input.note.strip(),
        rollback=True,
        parent_id=version.id,
        base_id=live["id"],
        author_id=me,
        organization_ids=list(houses),
        published_at=work.now,
        **examined.values(gained(was, examined.policy, staff.within(me, houses), staff), 0),
    )
    work.ensure_after(POLICY, key, "rollback", UserError("", "FORBIDDEN", "您无权回退访问策略。"), or_seen=True)
    reason = f"第 {live['version']} 版退回第 {version['version']} 版：{input.note.strip()}"
    return Outcome(POLICY, key, None, None, "PUBLISHED", ("state",), reason[:500])


# -- what they share

_LIVE = select(t.policy_version.c.id, t.policy_version.c.version, t.policy_version.c.sha256).where(
    t.policy_version.c.version == bindparam("live", type_=Integer())
)
_NEXT = select(func.max(t.policy_version.c.version) + literal_column("1"))
_RETIRE = (
    update(t.policy_version)
    .where(t.policy_version.c.id == bindparam("retired", type_=Uuid()))
    .values(state=literal_column("'RETIRED'"))
)


async def _live(work: UnitOfWork) -> Any:
    """The live version, under which the caller acts."""
    return (await work.fetch(_LIVE, {"live": work.actor.access.policy.version}))[0]


async def _next(work: UnitOfWork) -> int:
    return int((await work.fetch(_NEXT))[0][0])


def _examined(work: UnitOfWork, text: str, tests: str, field: str | None = None) -> Examined:
    """The text compiled and tested. `field`: where all its errors are reported; else with the texts. Raises Refused, and Deferred: it takes
    seconds, so it is done before the transaction in which it counts."""
    live: Policy = work.actor.access.policy
    try:
        return work.results.of(examine, text, tests, live)
    except PolicyRefused as refused:
        raise Refused(*_errors_of(refused.problems, field or "text", "OUTDATED" if field else "BAD_POLICY")) from None
    except SuiteRefused as refused:
        raise Refused(*_errors_of(refused.problems, field or "tests", "OUTDATED" if field else "BAD_TESTS")) from None


def _errors_of(problems: tuple[Problem, ...], field: str, code: str) -> list[UserError]:
    errors = [UserError(field, code, _text_of(problem)) for problem in problems[:MAX_ERRORS]]
    left = len(problems) - len(errors)
    return [*errors, UserError(field, code, f"另有 {left} 处错误。")] if left else errors


def _text_of(problem: Problem) -> str:
    place = f"第 {problem.line} 行" if problem.line else ""
    place += f"第 {problem.column} 列" if problem.column else ""
    return f"{place}：{problem.message}。" if place else f"{problem.message}。"


async def _check(work: UnitOfWork, examined: Examined) -> None:
    """Note a user error where the tests are not green, or nobody would be left in charge."""
    if not examined.report.green:
        work.error("id", "NOT_GREEN", "测试有不符的，或有规则没有测试；请改好后另行起草。")
    if not governed(examined.policy, await load_staff(work, of_today=True)):
        work.error("id", "LOCKED_OUT", _UNGOVERNED)


async def _check_approvals(work: UnitOfWork, version: Record, examined: Examined) -> None:
    """Note a user error unless the approvers may still approve, and are enough for what the version gives its author today."""
    staff = await load_staff(work, of_today=True)
    live = work.actor.access.policy
    approvers = [
        approver for approver in (version["approver_id"], version["second_approver_id"]) if approver is not None
    ]
    able = set(permission_holders(live, "approve", staff.appointments))
    if not able.issuperset(approvers):
        work.error("id", "APPROVER_GONE", "批准人已不能批准（离任、停用或权限已变），请重新起草、批准。")
    to_come = await load_staff(work, of_today=False)
    houses = _organizations_of_author(version, to_come) | _organizations_of_author(version, staff)
    gains = gained(live, examined.policy, to_come.within(version["author_id"], houses), to_come)
    if gains and not (len(approvers) > 1 and any(staff.is_outside(approver, houses) for approver in approvers)):
        message = "这一版使起草人或其机构多得权限，须有两人批准，其中一人任职于另一机构。"
        work.error("id", "SECOND_APPROVER", message)


def _organizations_of_author(version: Record, staff: Staff) -> frozenset[UUID]:
    """The author's organizations, when it was drafted and as staff has them."""
    return frozenset(version["organization_ids"]) | staff.organizations_of(version["author_id"])
