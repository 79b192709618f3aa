"""What must hold of a dispute, beside policy and state, before an action: as SQL, with the sentence that says what is missing.

The commands and `access.can` ask the same expressions, so what is offered is what succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Table, Uuid, and_, bindparam, exists, func, literal_column, not_, or_, select

from db import tables as t
from db.resources.resource import Row, Sql, today
from db.tables.agreement import IN_FORCE_STATES
from db.tables.dispute import (
    AFTER_AGREEMENT_STATES,
    BEFORE_AGREEMENT_STATES,
    ENDED_STATES,
    FOLLOW_UP_STATES,
    OPEN_STATES,
    STATES,
    UNDER_PERFORMANCE_STATES,
)
from db.tables.obligation import OWED_STATES
from db.tables.party import MAIN_SIDES
from db.tables.policy import UNPUBLISHED_STATES
from db.tables.referral import UNANSWERED_STATES
from db.tables.team import STANDING_STATES
from policies.escalation import POLICY


@dataclass(frozen=True)
class Guard:
    """A condition on a dispute. `field` and `code` name the mistake where it does not hold; `message` says what to do."""

    field: str
    code: str
    message: str
    holds: Callable[[Row], Sql]


def _some(table: Table, *conditions: Callable[[Row, Table], Sql]) -> Callable[[Row], Sql]:
    def holds(row: Row) -> Sql:
        at = table.alias()
        clauses = [condition(row, at) for condition in conditions]  # type: ignore[arg-type]
        return exists(
            select(literal_column("1")).select_from(at).where(at.c.dispute_id == row["id"], *clauses).correlate(row.at)
        )

    return holds


def _none(table: Table, *conditions: Callable[[Row, Table], Sql]) -> Callable[[Row], Sql]:
    some = _some(table, *conditions)
    return lambda row: not_(some(row))


def _is(column: str, value: str) -> Callable[[Row, Table], Sql]:
    return lambda row, at: at.c[column] == literal_column(f"'{value}'")


def _main_party(row: Row, at: Table) -> Sql:
    return and_(at.c.side.in_([literal_column(f"'{side}'") for side in MAIN_SIDES]), at.c.withdrawn_on.is_(None))


_NOTIFIED = Guard(
    "id",
    "NOT_NOTIFIED",
    "尚未告知当事人权利义务（人民调解工作若干规定第三十条），请先办理告知。",
    lambda row: row["notified_at"].is_not(None),
)
_NOT_REFUSED = Guard(
    "id",
    "REFUSED",
    "有当事人明确拒绝调解（人民调解法第十七条），不能继续。",
    _none(t.party, _is("consent", "REFUSED"), _main_party),
)
_CONSENTED = Guard(
    "id",
    "NO_CONSENT",
    "各方当事人尚未全部同意调解，请先逐一登记同意。",
    _none(t.party, lambda row, at: at.c.consent.is_distinct_from(literal_column("'CONSENTED'")), _main_party),
)
_NOT_WAITING = Guard(
    "id", "HANDOVER_WAITING", "层级移交尚待接收或退回，请先等待答复。", _none(t.escalation, _is("state", "SENT"))
)
_NOT_TOP = Guard(
    "id", "TOP_TIER", "已在调解中心层级，不能再上交。", lambda row: row["tier"] != literal_column("'CENTRE'")
)
_PERFORMED = Guard(
    "id",
    "NOT_PERFORMED",
    "协议义务尚未全部履行。",
    _none(
        t.obligation,
        lambda row, at: at.c.state.in_([literal_column(f"'{state}'") for state in OWED_STATES]),
    ),
)
_VISITED = Guard(
    "id",
    "NOT_VISITED",
    "尚未回访（人民调解工作若干规定第三十六条），请先完成一次回访。",
    _some(t.follow_up, lambda row, at: at.c.done_at.is_not(None)),
)
_NO_ALERT = Guard(
    "id",
    "ALERT_OPEN",
    "尚有未关闭的预警，请先处置并写明处置说明。",
    # A cluster hangs on the latest dispute of a compound or company, but is not about that dispute.
    _none(
        t.alert,
        lambda row, at: and_(
            at.c.state != literal_column("'CLOSED'"), at.c.compound_id.is_(None), at.c.company_id.is_(None)
        ),
    ),
)
# The policy says that it waits for the caller's organization; here, that it does wait.
_WAITING = Guard("id", "NOTHING_WAITING", "没有待接收的层级移交。", _some(t.escalation, _is("state", "SENT")))
_BOTH_SIDES = Guard(
    "id",
    "NO_PARTIES",
    "案卷不全：须写明申请人与被申请人。",
    lambda row: or_(
        row["state"] == literal_column("'DECLINED'"),
        and_(_some(t.party, _is("side", "APPLICANT"))(row), _some(t.party, _is("side", "RESPONDENT"))(row)),
    ),
)
_TOLD = Guard(
    "id",
    "NOT_NOTIFIED",
    "案卷不全：没有权利义务告知（人民调解工作若干规定第三十条）。",
    lambda row: or_(row["state"] != literal_column("'CLOSED'"), row["notified_at"].is_not(None)),
)
_RECORDED = Guard(
    "id",
    "NO_RECORD",
    "案卷不全：没有调解记录或调解协议（人民调解法第二十七条）。",
    lambda row: or_(row["state"] != literal_column("'CLOSED'"), _some(t.session)(row), _some(t.agreement)(row)),
)


def _no_open_rebound(row: Row) -> Sql:
    at = t.dispute.alias()
    ended: list[Sql] = [literal_column(f"'{state}'") for state in ENDED_STATES]
    return not_(
        exists(
            select(literal_column("1"))
            .select_from(at)
            .where(at.c.previous_id == row["id"], at.c.state.not_in(ended))
            .correlate(row.at)
        )
    )


_NOT_REOPENED = Guard("id", "REOPENED", "反弹的纠纷已经另立，正在办理。", _no_open_rebound)
_DUE = Guard("id", "NO_DEADLINE", "尚未受理，没有可延长的期限。", lambda row: row["due_on"].is_not(None))

# A house rule beside the law's consent: a dispute is not put off for ever.
MOST_EXTENSIONS = 3


def _extended_less(row: Row) -> Sql:
    at = t.extension.alias()
    counted = select(func.count()).select_from(at).where(at.c.dispute_id == row["id"]).correlate(row.at)
    return counted.scalar_subquery() < literal_column(str(MOST_EXTENSIONS))


def _one_applicant(row: Row) -> Sql:
    at = t.party.alias()
    counted = (
        select(func.count())
        .select_from(at)
        .where(at.c.dispute_id == row["id"], at.c.side == literal_column("'APPLICANT'"), at.c.withdrawn_on.is_(None))
        .correlate(row.at)
    )
    return counted.scalar_subquery() == literal_column("1")


_TO_CONSENT = Guard(
    "id",
    "ALREADY",
    "各方当事人都已同意调解。",
    _some(
        t.party,
        lambda row, at: and_(at.c.consent.is_distinct_from(literal_column("'CONSENTED'")), at.c.withdrawn_on.is_(None)),
    ),
)
_ASSIGNED = Guard(
    "id",
    "NOT_ASSIGNED",
    "尚无调解员承办，没有可以更换的人；请先指派。",
    _some(t.assignment, lambda row, at: at.c.ended_at.is_(None)),
)
_ONE_APPLICANT = Guard(
    "id",
    "OTHER_APPLICANTS",
    "只有唯一的申请人可以撤回：有几名申请人的，请为其中一人办理退出；没有申请人的，请办理终止或不予受理。",
    _one_applicant,
)
_EXTENDABLE = Guard("id", "TOO_MANY", f"期限至多延长 {MOST_EXTENSIONS} 次。", _extended_less)

# action on a dispute -> its guards.
GUARDS: dict[str, tuple[Guard, ...]] = {
    "consent": (_NOTIFIED, _TO_CONSENT),
    "recuse": (_ASSIGNED,),
    "withdraw": (_ONE_APPLICANT,),
    "record": (_NOTIFIED, _NOT_REFUSED),
    "extend": (_DUE, _NOT_REFUSED, _EXTENDABLE),
    "escalate": (_NOT_TOP, _NOT_WAITING),
    "take": (_WAITING,),
    "return": (_WAITING,),
    "invite": (_CONSENTED,),
    "agree": (_NOTIFIED, _NOT_REFUSED, _CONSENTED),
    "close": (_PERFORMED, _VISITED, _NO_ALERT),
    "archive": (_BOTH_SIDES, _TOLD, _RECORDED, _NOT_WAITING),
    "reopen": (_NOT_REOPENED,),
}


def _dispute_in(*states: str) -> Guard:
    """The dispute of a part is in one of the states."""

    def holds(row: Row) -> Sql:
        assert row.dispute is not None
        return row.dispute.c.state.in_([literal_column(f"'{state}'") for state in states])

    return Guard("id", "WRONG_STATE", "纠纷现在的状态下不能办理此事项。", holds)


def _state_in(message: str, *states: str) -> Guard:
    """The row itself is in one of the states."""
    codes: list[Sql] = [literal_column(f"'{state}'") for state in states]
    return Guard("id", "WRONG_STATE", message, lambda row: row["state"].in_(codes))


def _agreed(row: Row) -> Sql:
    """The agreement of an obligation is in force."""
    at = t.agreement.alias()
    return exists(
        select(literal_column("1"))
        .select_from(at)
        .where(
            at.c.id == row["agreement_id"],
            at.c.state.in_([literal_column(f"'{state}'") for state in IN_FORCE_STATES]),
        )
        .correlate(row.at)
    )


def _unconfirmed(row: Row) -> Sql:
    """No court has the agreement before it or has confirmed it."""
    at = t.confirmation.alias()
    return not_(
        exists(
            select(literal_column("1"))
            .select_from(at)
            .where(
                at.c.agreement_id == row["id"],
                or_(at.c.result.is_(None), at.c.result == literal_column("'CONFIRMED'")),
            )
            .correlate(row.at)
        )
    )


def _not_archived(row: Row) -> Sql:
    assert row.dispute is not None
    return row.dispute.c.state != literal_column("'ARCHIVED'")


def _dispensable(row: Row) -> Sql:
    """The party is a third party, or another of the same side remains."""
    at = t.party.alias()
    return or_(
        row["side"] == literal_column("'THIRD'"),
        exists(
            select(literal_column("1"))
            .select_from(at)
            .where(
                at.c.dispute_id == row["dispute_id"],
                at.c.side == row["side"],
                at.c.id != row["id"],
                at.c.withdrawn_on.is_(None),
            )
            .correlate(row.at)
        ),
    )


def _owes_nothing(row: Row) -> Sql:
    at = t.obligation.alias()
    return not_(
        exists(
            select(literal_column("1"))
            .select_from(at)
            .where(
                at.c.party_id == row["id"],
                at.c.state.in_([literal_column(f"'{state}'") for state in OWED_STATES]),
            )
            .correlate(row.at)
        )
    )


# SECURITY: the caller himself. All his appointments name the same person, and without one he may do nothing at all.
_ME: Sql = bindparam("claim_0_person_id", type_=Uuid())


def _on_live(row: Row) -> Sql:
    """A version of the policy was made against the one that is live now."""
    at = t.policy_version.alias()
    return row["base_id"] == (
        select(at.c.id).select_from(at).where(at.c.state == literal_column("'PUBLISHED'")).scalar_subquery()
    )


_GREEN = Guard("id", "NOT_GREEN", "测试有不符的，或有规则没有测试；请改好后另行起草。", lambda row: row["green"])
NOT_AUTHOR = Guard(
    "id",
    "OWN_DRAFT",
    "起草人不能批准自己起草的版本，请由他人批准。",
    lambda row: row["author_id"].is_distinct_from(_ME),
)
_NOT_APPROVED_BY_ME = Guard(
    "id", "ALREADY", "您已经批准过这一版。", lambda row: row["approver_id"].is_distinct_from(_ME)
)
_ONE_APPROVAL_LEFT = Guard("id", "ALREADY", "这一版已有两人批准。", lambda row: row["second_approver_id"].is_(None))
OVERTAKEN = Guard(
    "id", "CONFLICT", "起草之后另有版本发布，这一版是对照旧版审阅的；请以现行版本为准重新起草。", _on_live
)
_NOT_MYSELF = Guard("id", "SELF", "不能停用自己的账号，请由他人办理。", lambda row: row["id"] != _ME)
_POST_RUNS = Guard(
    "id",
    "WRONG_STATE",
    "该任职已经终止。",
    lambda row: or_(row["valid_to"].is_(None), and_(row["valid_to"] >= today(), row["valid_to"] >= row["valid_from"])),
)
_NOT_DELEGATED = Guard(
    "id", "DELEGATED", "代行的任职不能再转由他人代行。", lambda row: row["delegated_from_id"].is_(None)
)

_TAKES_PART = Guard("id", "WITHDRAWN", "该当事人已经退出。", lambda row: row["withdrawn_on"].is_(None))
_NOT_LAST = Guard("id", "LAST_OF_SIDE", "该方只有这一名当事人：请登记拒绝调解，或由申请人撤回。", _dispensable)
_OWES_NOTHING = Guard("id", "OBLIGATION_OPEN", "该当事人尚有未履行的义务，不能退出。", _owes_nothing)
_IN_FORCE = _state_in("协议尚未生效或已撤销，不能办理此事项。", *IN_FORCE_STATES)
_UNCONFIRMED = Guard("id", "CONFIRMATION", "协议已向法庭申请司法确认，或已经裁定确认，不能办理此事项。", _unconfirmed)
_OWED = _state_in("此项义务不在待履行或部分履行状态，不能办理此事项。", *OWED_STATES)
_OF_AGREEMENT_IN_FORCE = Guard("id", "NOT_EFFECTIVE", "协议尚未生效或已撤销，不能办理此事项。", _agreed)
_BEING_PERFORMED = _dispute_in(*UNDER_PERFORMANCE_STATES)

# (resource, action) on what is no dispute -> its guards: what `access.can` of that row and its command ask beside the policy.
PART_GUARDS: dict[tuple[str, str], tuple[Guard, ...]] = {
    # What is wrong about a person is corrected also after the end, until the archive.
    ("Party", "update"): (_TAKES_PART, _dispute_in(*(state for state in STATES if state != "ARCHIVED"))),
    ("Party", "appoint"): (
        _TAKES_PART,
        _dispute_in(*OPEN_STATES),
    ),
    ("Party", "withdraw"): (
        _TAKES_PART,
        _dispute_in(*BEFORE_AGREEMENT_STATES),
        _NOT_LAST,
        _OWES_NOTHING,
    ),
    ("Agreement", "sign"): (
        Guard(
            "id",
            "WRONG_STATE",
            "协议已生效或已解除，不能再签名。",
            lambda row: row["state"] == literal_column("'DRAFT'"),
        ),
        _dispute_in("MEDIATING"),
    ),
    ("Agreement", "vary"): (_IN_FORCE, _BEING_PERFORMED, _UNCONFIRMED),
    ("Agreement", "rescind"): (_IN_FORCE, _BEING_PERFORMED, _UNCONFIRMED),
    ("Agreement", "apply"): (_IN_FORCE, _dispute_in(*AFTER_AGREEMENT_STATES), _UNCONFIRMED),
    ("Obligation", "perform"): (_OWED, _OF_AGREEMENT_IN_FORCE, _BEING_PERFORMED),
    ("Obligation", "excuse"): (_OWED, _OF_AGREEMENT_IN_FORCE, _BEING_PERFORMED),
    ("Obligation", "urge"): (_OWED, _OF_AGREEMENT_IN_FORCE, _BEING_PERFORMED),
    ("FollowUp", "complete"): (
        Guard("id", "WRONG_STATE", "这次回访已经完成。", lambda row: row["done_at"].is_(None)),
        _dispute_in(*FOLLOW_UP_STATES),
    ),
    ("Alert", "handle"): (
        Guard("id", "WRONG_STATE", "预警已在处置或已关闭。", lambda row: row["state"] == literal_column("'OPEN'")),
    ),
    ("Alert", "close"): (
        Guard("id", "WRONG_STATE", "预警已经关闭。", lambda row: row["state"] != literal_column("'CLOSED'")),
    ),
    ("Confirmation", "decide"): (
        Guard("id", "WRONG_STATE", "已有裁定结果。", lambda row: row["result"].is_(None)),
        _dispute_in(*FOLLOW_UP_STATES),
    ),
    ("Team", "replace"): (_state_in("团队已经撤销，不能更换成员。", *STANDING_STATES),),
    ("Team", "dissolve"): (_state_in("团队已经撤销。", *STANDING_STATES),),
    (POLICY, "approve"): (
        _state_in("这一版已经发布过，不必再批准。", *UNPUBLISHED_STATES),
        _GREEN,
        NOT_AUTHOR,
        _NOT_APPROVED_BY_ME,
        _ONE_APPROVAL_LEFT,
    ),
    (POLICY, "publish"): (_state_in("只能发布已批准的版本。", "APPROVED"), _GREEN, OVERTAKEN),
    (POLICY, "rollback"): (_state_in("只能回退到发布过而已被取代的版本。", "RETIRED"),),
    ("Person", "suspend"): (_state_in("该账号已经停用。", "ACTIVE"), _NOT_MYSELF),
    ("Person", "restore"): (_state_in("该账号没有停用。", "SUSPENDED"),),
    ("Appointment", "end"): (_POST_RUNS,),
    ("Appointment", "delegate"): (_POST_RUNS, _NOT_DELEGATED),
    ("Referral", "answer"): (
        _state_in("已经答复过，或已撤回。", *UNANSWERED_STATES),
        Guard(
            "id",
            "CONFIRMATION",
            "司法确认由法庭登记裁定，不在这里答复。",
            lambda row: row["kind"] != literal_column("'CONFIRMATION'"),
        ),
        Guard("id", "ARCHIVED", "纠纷已归档，不能再变更。", _not_archived),
    ),
}


def guards_of(resource: str, action: str) -> tuple[Guard, ...]:
    """The guards of an action on a resource."""
    return GUARDS.get(action, ()) if resource == "Dispute" else PART_GUARDS.get((resource, action), ())
