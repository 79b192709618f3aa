"""Commands of mediation itself: consent and refusal, interim measures, sessions, extension of the month, and its ends without agreement."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, bindparam, func, literal_column, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.calendar import ONE_DAY, day_of, start_of
from db.commands.dispute.guards import NOT_REFUSED, NOTIFIED
from db.commands.parties import begin_when_all_consent, impersonal, part_of, parties_in, party_of
from db.resources.guards import Guard, number_of, some
from db.resources.resource import Row, Sql
from db.tables.dispute import BEFORE_AGREEMENT_STATES, OPEN_STATES, UNDER_MEDIATION_STATES
from db.tables.measure import MEASURE_KINDS
from db.tables.party import MAIN_SIDES
from db.tables.session import SESSION_RESULTS, VISIBILITIES
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.row_locks import Fact
from db.write.transaction import Record, UnitOfWork

# House rules, not the law's: an extension needs consent each time, and none may put a dispute off for ever.
LONGEST_EXTENSION = 92 * ONE_DAY
ROUTES_TOLD = "已告知当事人可以依法通过仲裁、行政、司法等途径维护自己的权利。"

# 最高人民法院在线调解规则 Art. 25, without the ends that have commands of their own.
END_REASONS: dict[str, str] = {
    "UNREACHABLE": "期限内无法联系当事人",
    "UNWILLING": "一方明确不愿继续调解",
    "FAR_APART": "分歧较大，难以达成协议",
    "EXPIRED": "期限届满，未同意延长",
    "UNSIGNED": "拒绝在协议上签名",
    "OTHER_END": "其他原因",
}


@dataclass(frozen=True)
class ConsentInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("表示同意的时间")
    party_id: UUID = input_field("表示同意的当事人", of="Party")


_SOMEBODY_TO_CONSENT = Guard(
    "id",
    "ALREADY",
    "各方当事人都已同意调解。",
    some(
        t.party,
        lambda row, at: and_(at.c.consent.is_distinct_from(literal_column("'CONSENTED'")), at.c.withdrawn_on.is_(None)),
    ),
)


@command(
    "dispute",
    "consent",
    "登记一名当事人同意调解；各方都同意后开始调解。",
    ConsentInput,
    target="Dispute",
    shows="Dispute",
    states=UNDER_MEDIATION_STATES,
    guards=(NOTIFIED, _SOMEBODY_TO_CONSENT),
    example={"party_id": Placeholder("Party", "that has not consented")},
)
async def consent(work: UnitOfWork, dispute: Record, input: ConsentInput) -> Outcome:
    """人民调解法 Art. 17, 若干规定 Art. 30: the parties agree after they were told their rights; then mediation begins."""
    work.happened("happenedAt", input.happened_at, dispute["notified_at"], "告知时间")
    party = await party_of(work, dispute.id, input.party_id, "partyId")
    if party is not None and party["consent"] == "CONSENTED":
        work.error("partyId", "ALREADY", "该当事人已经同意调解。")
    work.settle()
    await work.update(t.party, input.party_id, consent="CONSENTED", consent_on=day_of(input.happened_at))
    state = await begin_when_all_consent(work, dispute)
    return Outcome(
        "Dispute",
        dispute.id,
        input.happened_at,
        dispute["state"] if state else None,
        state,
        ("consent",),
        changes=(("Party", input.party_id, "consent", "CONSENTED"),),
    )


@dataclass(frozen=True)
class RefuseInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("表示拒绝的时间")
    party_id: UUID = input_field("表示拒绝的当事人", of="Party")
    reason: str = input_field("拒绝的理由，不写个人信息")


@command(
    "dispute",
    "refuse",
    "登记当事人拒绝调解；调解即告终止。",
    RefuseInput,
    target="Dispute",
    shows="Dispute",
    states=BEFORE_AGREEMENT_STATES,
    example={"party_id": Placeholder("Party", "a respondent"), "reason": "不愿再谈。"},
)
async def refuse(work: UnitOfWork, dispute: Record, input: RefuseInput) -> Outcome:
    """人民调解法 Arts. 17, 23: whoever clearly refuses is not mediated with, at any time. A third party only stays out."""
    work.happened("happenedAt", input.happened_at, *_since(dispute))
    impersonal(work, "reason", input.reason, 500)
    party = await party_of(work, dispute.id, input.party_id, "partyId")
    if party is not None and party["consent"] == "REFUSED":
        work.error("partyId", "ALREADY", "该当事人已经拒绝调解。")
    work.settle()
    assert party is not None
    await work.update(t.party, input.party_id, consent="REFUSED", consent_on=day_of(input.happened_at))
    ends = party["side"] in MAIN_SIDES
    if ends:
        await work.change(dispute.id, state="REFUSED", concluded_at=input.happened_at)
    else:
        await work.change(dispute.id)
    return Outcome(
        "Dispute",
        dispute.id,
        input.happened_at,
        dispute["state"] if ends else None,
        "REFUSED" if ends else None,
        ("consent",),
        input.reason.strip(),
        (("Party", input.party_id, "consent", "REFUSED"),),
    )


@dataclass(frozen=True)
class WithdrawInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("撤回的时间")
    party_id: UUID = input_field("撤回申请的申请人", of="Party")
    reason: str = input_field("撤回的理由，如已自行和解；不写个人信息")


def _one_applicant(row: Row) -> Sql:
    applicants = number_of(
        row,
        t.party,
        lambda _, at: at.c.side == literal_column("'APPLICANT'"),
        lambda _, at: at.c.withdrawn_on.is_(None),
    )
    return applicants == literal_column("1")


_ONE_APPLICANT = Guard(
    "id",
    "OTHER_APPLICANTS",
    "只有唯一的申请人可以撤回：有几名申请人的，请为其中一人办理退出；没有申请人的，请办理终止或不予受理。",
    _one_applicant,
)


@command(
    "dispute",
    "withdraw",
    "登记申请人撤回申请；调解即告终止。",
    WithdrawInput,
    target="Dispute",
    shows="Dispute",
    states=BEFORE_AGREEMENT_STATES,
    guards=(_ONE_APPLICANT,),
    example={"party_id": Placeholder("Party", "the applicant"), "reason": "不愿再谈。"},
)
async def withdraw(work: UnitOfWork, dispute: Record, input: WithdrawInput) -> Outcome:
    """人民调解法 Art. 23: the applicant takes his application back. Of several applicants one only leaves (a guard; `party.withdraw`)."""
    work.happened("happenedAt", input.happened_at, *_since(dispute))
    impersonal(work, "reason", input.reason, 500)
    party = await party_of(work, dispute.id, input.party_id, "partyId")
    if party is not None and party["side"] != "APPLICANT":
        work.error("partyId", "NOT_APPLICANT", "只有申请人可以撤回；其他当事人不愿调解的，请登记拒绝。")
    work.settle()
    await work.change(dispute.id, state="WITHDRAWN", concluded_at=input.happened_at)
    return Outcome(
        "Dispute",
        dispute.id,
        input.happened_at,
        dispute["state"],
        "WITHDRAWN",
        ("state",),
        input.reason.strip(),
    )


@dataclass(frozen=True)
class TerminateInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("终止的时间")
    reason: str = input_field("终止原因", codes=tuple(END_REASONS))
    routes_told: bool = input_field("是否已告知仲裁、行政、司法等途径；须为 true（人民调解法第二十六条）")
    advice: str | None = input_field("告知的内容；不写为法定的三种途径", default=None)
    explanation: str | None = input_field("说明，公开，不写个人信息；终止原因为其他时必写", default=None)


@command(
    "dispute",
    "terminate",
    "调解不成，终止调解并告知其他途径。",
    TerminateInput,
    target="Dispute",
    shows="Dispute",
    states=UNDER_MEDIATION_STATES,
    example={"reason": "FAR_APART", "routes_told": True},
)
async def terminate(work: UnitOfWork, dispute: Record, input: TerminateInput) -> Outcome:
    """人民调解法 Art. 26: mediation that fails is terminated, and the parties are told of the other routes."""
    work.happened("happenedAt", input.happened_at, *_since(dispute))
    if not input.routes_told:
        work.error("routesTold", "ROUTES_NOT_TOLD", "请先告知当事人仲裁、行政、司法途径（人民调解法第二十六条）。")
    if input.advice is not None:
        work.text("advice", input.advice, 500)
    if input.explanation is not None:
        impersonal(work, "explanation", input.explanation, 500)
    elif input.reason == "OTHER_END":
        work.error("explanation", "REQUIRED", "终止原因为其他的，请写明说明。")
    if input.reason == "EXPIRED" and day_of(input.happened_at) <= dispute["due_on"]:
        work.error("reason", "NOT_EXPIRED", f"调解期限至 {dispute['due_on']:%Y-%m-%d}，尚未届满。")
    work.settle()
    said = END_REASONS[input.reason] + (f"：{input.explanation.strip()}" if input.explanation else "")
    await work.change(
        dispute.id,
        state="FAILED",
        concluded_at=input.happened_at,
        advice=input.advice.strip() if input.advice else ROUTES_TOLD,
        outcome=said,
    )
    return Outcome(
        "Dispute",
        dispute.id,
        input.happened_at,
        dispute["state"],
        "FAILED",
        ("outcome", "advice"),
        input.reason,
        (("Dispute", dispute.id, "outcome", said),),
    )


@dataclass(frozen=True)
class MeasureInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("要求恢复的时间；补登恢复（写明 measureId）时为恢复的时间")
    kind: str | None = input_field("措施类型；新的措施必写", codes=MEASURE_KINDS, default=None)
    measure_id: UUID | None = input_field("补登恢复的措施；不写即为新的措施", of="Measure", default=None)
    done_at: dt.datetime | None = input_field("恢复时间，新的措施当时已恢复的写明", default=None)
    agreed_by: str | None = input_field("同意恢复的人", default=None)
    evidence: str | None = input_field("依据或凭证", default=None)


@command(
    "dispute",
    "measure",
    "应急先行措施：要求先恢复水、电、气、暖、通行或安全；或补登已经恢复。",
    MeasureInput,
    target="Dispute",
    shows="Dispute",
    states=OPEN_STATES,
    example={"kind": "WATER"},
)
async def measure(work: UnitOfWork, dispute: Record, input: MeasureInput) -> Outcome:
    """Persuasion, not an order (人民调解法 Arts. 2, 25). The hours that it took are computed by the database."""
    for field, text in (("agreedBy", input.agreed_by), ("evidence", input.evidence)):
        if text is not None:
            work.text(field, text, 500)
    values = {"agreed_by": input.agreed_by, "evidence": input.evidence}
    if input.measure_id is None:
        return await _new_measure(work, dispute, input, values)
    if input.kind is not None:
        work.error("kind", "NOT_BOTH", "补登恢复时不再写措施类型。")
    if input.done_at is not None:
        work.error("doneAt", "NOT_BOTH", "补登恢复时，恢复的时间写在 happenedAt。")
    before = await part_of(work, "Measure", dispute.id, input.measure_id, "measureId")
    if before is None:
        work.happened("happenedAt", input.happened_at)
    else:
        work.happened("happenedAt", input.happened_at, before["requested_at"], "要求恢复的时间")
        if before["done_at"] is not None:
            work.error("measureId", "ALREADY", "这项措施已登记恢复。")
    work.settle()
    written = {name: value.strip() for name, value in values.items() if value is not None}
    await work.update(t.measure, input.measure_id, done_at=input.happened_at, **written)
    await work.change(dispute.id)
    changes = (("Measure", input.measure_id, "done_at", input.happened_at.isoformat()),)
    return Outcome("Dispute", dispute.id, input.happened_at, fields=("done_at", *written), changes=changes)


async def _new_measure(
    work: UnitOfWork, dispute: Record, input: MeasureInput, values: dict[str, str | None]
) -> Outcome:
    work.happened("happenedAt", input.happened_at, dispute["registered_at"], "登记时间")
    if input.kind is None:
        work.error("kind", "REQUIRED", "请写明措施类型；补登恢复的，请写明 measureId。")
    if input.done_at is not None:
        work.happened("doneAt", input.done_at, input.happened_at, "要求恢复的时间")
    work.settle()
    made = await work.insert(
        t.measure,
        dispute_id=dispute.id,
        kind=input.kind,
        requested_at=input.happened_at,
        done_at=input.done_at,
        **{name: value and value.strip() for name, value in values.items()},
    )
    await work.change(dispute.id)
    changes = [("Measure", made, "kind", input.kind)]
    if input.done_at is not None:
        changes.append(("Measure", made, "done_at", input.done_at.isoformat()))
    fields = ("kind", "requested_at", *(("done_at",) if input.done_at else ()))
    return Outcome("Dispute", dispute.id, input.happened_at, fields=fields, changes=tuple(changes))


@dataclass(frozen=True)
class NoteInput:
    visibility: str = input_field("知悉范围", codes=VISIBILITIES)
    text: str = input_field("内容")


@dataclass(frozen=True)
class RecordInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("调解会的时间")
    place: str = input_field("调解地点")
    result: str = input_field("结果", codes=SESSION_RESULTS)
    record: str = input_field("调解笔录")
    is_joint: bool = input_field("是否多部门联合调解；联合的须写明到场单位", default=False)
    organization_ids: tuple[UUID, ...] = input_field(
        "到场的联动单位，须是经当事人同意邀请的单位", of="Organization", default=()
    )
    notes: tuple[NoteInput, ...] = input_field("调解记录，按知悉范围分条；记录人为本人", default=())


def _last_consent(row: Row) -> Sql:
    at = t.party.alias()
    sides = at.c.side.in_([literal_column(f"'{side}'") for side in MAIN_SIDES])
    last = select(func.max(at.c.consent_on)).where(at.c.dispute_id == row["id"], at.c.withdrawn_on.is_(None), sides)
    return last.correlate(row.at).scalar_subquery()


@command(
    "dispute",
    "record",
    "记录一次调解：笔录、结果、到场单位、分知悉范围的记录。",
    RecordInput,
    target="Dispute",
    shows="Dispute",
    facts=(Fact("last_consent_on", _last_consent),),
    states=("MEDIATING",),
    guards=(NOTIFIED, NOT_REFUSED),
    example={"place": "调解室", "result": "TO_CONTINUE", "record": "再谈。"},
)
async def record(work: UnitOfWork, dispute: Record, input: RecordInput) -> Outcome:
    """人民调解法 Art. 27. Agencies attend by invitation with the parties' consent (Art. 20). Caucus notes stay with their author and the lead."""
    work.happened("happenedAt", input.happened_at, _begun(dispute), "各方同意调解之日")
    work.text("place", input.place, 200)
    work.text("record", input.record, 20_000)
    for index, one in enumerate(input.notes):
        work.text(f"notes.{index}.text", one.text, 4000)
    if input.is_joint and not input.organization_ids:
        work.error("organizationIds", "REQUIRED", "联合调解须写明到场的单位。")
    if input.organization_ids and not input.is_joint:
        work.error("isJoint", "NOT_JOINT", "有联动单位到场的，是联合调解。")
    await _invited(work, dispute, input)
    work.settle()
    held = await work.insert(
        t.session,
        dispute_id=dispute.id,
        held_at=input.happened_at,
        place=input.place.strip(),
        is_joint=input.is_joint,
        result=input.result,
        record=input.record.strip(),
    )
    for organization in input.organization_ids:
        await work.insert(t.attendance, dispute_id=dispute.id, session_id=held, organization_id=organization)
    for one in input.notes:
        await work.insert(
            t.note,
            dispute_id=dispute.id,
            session_id=held,
            author_id=work.actor.person_id,
            visibility=one.visibility,
            recorded_at=input.happened_at,
            text=one.text.strip(),
        )
    await work.change(dispute.id)
    changes = (("Session", held, "result", input.result), ("Session", held, "place", input.place.strip()))
    return Outcome(
        "Dispute", dispute.id, input.happened_at, fields=("held_at", "place", "result", "record"), changes=changes
    )


def _begun(dispute: Record) -> dt.datetime:
    """When the last party consented (a day), or the parties were told, whichever is later."""
    last: dt.date | None = dispute["last_consent_on"]
    told: dt.datetime = dispute["notified_at"]
    return told if last is None else max(told, start_of(last))


_INVITED = select(t.referral.c.organization_id, t.referral.c.sent_at).where(
    t.referral.c.dispute_id == bindparam("dispute", type_=Uuid()),
    t.referral.c.kind == "INVITATION",
    t.referral.c.state != "RETURNED",
    t.referral.c.state != "WITHDRAWN",
)


async def _invited(work: UnitOfWork, dispute: Record, input: RecordInput) -> None:
    if not input.organization_ids:
        return
    rows = await work.fetch(_INVITED, {"dispute": dispute.id})
    invited = {row["organization_id"]: row["sent_at"] for row in rows}
    for index, organization in enumerate(input.organization_ids):
        field = f"organizationIds.{index}"
        if organization in input.organization_ids[:index]:
            work.error(field, "DUPLICATE", "同一单位只写一次。")
        elif organization not in invited:
            work.error(field, "NOT_INVITED", "该单位未受邀参加本案调解（人民调解法第二十条），请先邀请。")
        elif invited[organization] > input.happened_at:
            work.error(field, "TOO_EARLY", "该单位受邀在这次调解之后。")


@dataclass(frozen=True)
class ExtendInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("决定延长的时间，不晚于期限届满之日")
    to_on: dt.date = input_field("延长至哪一天")
    party_ids: tuple[UUID, ...] = input_field("同意延长的当事人；申请人、被申请人须全部写明", of="Party")
    consented_on: dt.date | None = input_field("各方都同意之日；不写为决定延长之日", default=None)


# A house rule beside the law's consent: a dispute is not put off for ever.
MOST_EXTENSIONS = 3

_HAS_DEADLINE = Guard("id", "NO_DEADLINE", "尚未受理，没有可延长的期限。", lambda row: row["due_on"].is_not(None))
_EXTENDABLE = Guard(
    "id",
    "TOO_MANY",
    f"期限至多延长 {MOST_EXTENSIONS} 次。",
    lambda row: number_of(row, t.extension) < literal_column(str(MOST_EXTENSIONS)),
)


@command(
    "dispute",
    "extend",
    "经各方同意，延长调解期限。",
    ExtendInput,
    target="Dispute",
    shows="Dispute",
    states=UNDER_MEDIATION_STATES,
    guards=(_HAS_DEADLINE, NOT_REFUSED, _EXTENDABLE),
    example={
        "to_on": Placeholder("date", "the day after the deadline"),
        "party_ids": Placeholder("Party", "every applicant and respondent", many=True),
    },
)
async def extend(work: UnitOfWork, dispute: Record, input: ExtendInput) -> Outcome:
    """若干规定 Art. 33: the month may be prolonged with the consent of both sides, given before it is over."""
    due: dt.date = dispute["due_on"]
    work.happened("happenedAt", input.happened_at, dispute["accepted_at"], "受理时间")
    consented = input.consented_on or day_of(input.happened_at)
    if day_of(input.happened_at) > due:
        work.error("happenedAt", "EXPIRED", f"期限已于 {due:%Y-%m-%d} 届满，不能再延长。")
    if input.consented_on is not None and not day_of(dispute["accepted_at"]) <= consented <= day_of(input.happened_at):
        work.error("consentedOn", "OUT_OF_ORDER", "同意之日应在受理之后、决定延长之前。")
    if input.to_on <= due:
        work.error("toOn", "TOO_EARLY", f"应晚于现在的期限 {due:%Y-%m-%d}。")
    elif input.to_on > due + LONGEST_EXTENSION:
        work.error("toOn", "TOO_LATE", f"一次至多延长 {LONGEST_EXTENSION.days} 日。")
    parties = await parties_in(work, dispute.id)
    known = {one["id"] for one in parties}
    for index, key in enumerate(input.party_ids):
        if key not in known:
            work.error(f"partyIds.{index}", "NOT_FOUND", "本案没有这名当事人。")
    if not {one["id"] for one in parties if one["side"] in MAIN_SIDES} <= set(input.party_ids):
        work.error("partyIds", "NO_CONSENT", "延长期限须申请人、被申请人全部同意。")
    work.settle()
    made = await work.insert(
        t.extension, dispute_id=dispute.id, from_on=due, to_on=input.to_on, consented_on=consented, recorded_at=work.now
    )
    await work.change(dispute.id, due_on=input.to_on)
    changes = (
        ("Dispute", dispute.id, "due_on", input.to_on.isoformat()),
        ("Extension", made, "consented_on", consented.isoformat()),
    )
    return Outcome("Dispute", dispute.id, input.happened_at, fields=("due_on",), changes=changes)


def _since(dispute: Record) -> tuple[dt.datetime, str]:
    """What an end of the dispute rests on."""
    if dispute["accepted_at"] is not None:
        return dispute["accepted_at"], "受理时间"
    return dispute["registered_at"], "登记时间"
