"""Commands of mediation itself: consent and refusal, interim measures, sessions, extension of the month, and its ends without agreement."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.calendar import ONE_DAY, day_of, start_of
from db.command import Outcome, command, given
from db.commands.parties import MAIN_SIDES, begin_when_all_consent, impersonal, part_of, parties_in, party_of
from db.desk import Desk, Record
from db.resources.resource import Row, Sql
from db.tables.measure import MEASURE_KINDS
from db.tables.session import SESSION_RESULTS, VISIBILITIES
from db.taking import Fact

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
class ConsentOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("表示同意的时间")
    party_id: UUID = given("表示同意的当事人", of="Party")


@command(
    "dispute",
    "consent",
    "登记一名当事人同意调解；各方都同意后开始调解。",
    ConsentOrder,
    target="Dispute",
    shows="Dispute",
)
async def consent(desk: Desk, dispute: Record, order: ConsentOrder) -> Outcome:
    """人民调解法 Art. 17, 若干规定 Art. 30: the parties agree after they were told their rights; then mediation begins."""
    desk.happened("happenedAt", order.happened_at, dispute["notified_at"], "告知时间")
    party = await party_of(desk, dispute.id, order.party_id, "partyId")
    if party is not None and party["consent"] == "CONSENTED":
        desk.mistake("partyId", "ALREADY", "该当事人已经同意调解。")
    desk.settle()
    await desk.update(t.party, order.party_id, consent="CONSENTED", consent_on=day_of(order.happened_at))
    state = await begin_when_all_consent(desk, dispute)
    return Outcome(
        "Dispute",
        dispute.id,
        order.happened_at,
        dispute["state"] if state else None,
        state,
        ("consent",),
        changes=(("Party", order.party_id, "consent", "CONSENTED"),),
    )


@dataclass(frozen=True)
class RefuseOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("表示拒绝的时间")
    party_id: UUID = given("表示拒绝的当事人", of="Party")
    reason: str = given("拒绝的理由，不写个人信息")


@command("dispute", "refuse", "登记当事人拒绝调解；调解即告终止。", RefuseOrder, target="Dispute", shows="Dispute")
async def refuse(desk: Desk, dispute: Record, order: RefuseOrder) -> Outcome:
    """人民调解法 Arts. 17, 23: whoever clearly refuses is not mediated with, at any time. A third party only stays out."""
    desk.happened("happenedAt", order.happened_at, *_since(dispute))
    impersonal(desk, "reason", order.reason, 500)
    party = await party_of(desk, dispute.id, order.party_id, "partyId")
    if party is not None and party["consent"] == "REFUSED":
        desk.mistake("partyId", "ALREADY", "该当事人已经拒绝调解。")
    desk.settle()
    assert party is not None
    await desk.update(t.party, order.party_id, consent="REFUSED", consent_on=day_of(order.happened_at))
    ends = party["side"] in MAIN_SIDES
    if ends:
        await desk.change(dispute.id, state="REFUSED", concluded_at=order.happened_at)
    else:
        await desk.change(dispute.id)
    return Outcome(
        "Dispute",
        dispute.id,
        order.happened_at,
        dispute["state"] if ends else None,
        "REFUSED" if ends else None,
        ("consent",),
        order.reason.strip(),
        (("Party", order.party_id, "consent", "REFUSED"),),
    )


@dataclass(frozen=True)
class WithdrawOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("撤回的时间")
    party_id: UUID = given("撤回申请的申请人", of="Party")
    reason: str = given("撤回的理由，如已自行和解；不写个人信息")


@command("dispute", "withdraw", "登记申请人撤回申请；调解即告终止。", WithdrawOrder, target="Dispute", shows="Dispute")
async def withdraw(desk: Desk, dispute: Record, order: WithdrawOrder) -> Outcome:
    """人民调解法 Art. 23: the applicant takes his application back. Of several applicants one only leaves (a guard; `party.withdraw`)."""
    desk.happened("happenedAt", order.happened_at, *_since(dispute))
    impersonal(desk, "reason", order.reason, 500)
    party = await party_of(desk, dispute.id, order.party_id, "partyId")
    if party is not None and party["side"] != "APPLICANT":
        desk.mistake("partyId", "NOT_APPLICANT", "只有申请人可以撤回；其他当事人不愿调解的，请登记拒绝。")
    desk.settle()
    await desk.change(dispute.id, state="WITHDRAWN", concluded_at=order.happened_at)
    return Outcome(
        "Dispute",
        dispute.id,
        order.happened_at,
        dispute["state"],
        "WITHDRAWN",
        ("state",),
        order.reason.strip(),
    )


@dataclass(frozen=True)
class TerminateOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("终止的时间")
    reason: str = given("终止原因", codes=tuple(END_REASONS))
    routes_told: bool = given("是否已告知仲裁、行政、司法等途径；须为 true（人民调解法第二十六条）")
    advice: str | None = given("告知的内容；不写为法定的三种途径", default=None)
    explanation: str | None = given("说明，公开，不写个人信息；终止原因为其他时必写", default=None)


@command(
    "dispute", "terminate", "调解不成，终止调解并告知其他途径。", TerminateOrder, target="Dispute", shows="Dispute"
)
async def terminate(desk: Desk, dispute: Record, order: TerminateOrder) -> Outcome:
    """人民调解法 Art. 26: mediation that fails is terminated, and the parties are told of the other routes."""
    desk.happened("happenedAt", order.happened_at, *_since(dispute))
    if not order.routes_told:
        desk.mistake("routesTold", "ROUTES_NOT_TOLD", "请先告知当事人仲裁、行政、司法途径（人民调解法第二十六条）。")
    if order.advice is not None:
        desk.text("advice", order.advice, 500)
    if order.explanation is not None:
        impersonal(desk, "explanation", order.explanation, 500)
    elif order.reason == "OTHER_END":
        desk.mistake("explanation", "REQUIRED", "终止原因为其他的，请写明说明。")
    if order.reason == "EXPIRED" and day_of(order.happened_at) <= dispute["due_on"]:
        desk.mistake("reason", "NOT_EXPIRED", f"调解期限至 {dispute['due_on']:%Y-%m-%d}，尚未届满。")
    desk.settle()
    said = END_REASONS[order.reason] + (f"：{order.explanation.strip()}" if order.explanation else "")
    await desk.change(
        dispute.id,
        state="FAILED",
        concluded_at=order.happened_at,
        advice=order.advice.strip() if order.advice else ROUTES_TOLD,
        outcome=said,
    )
    return Outcome(
        "Dispute",
        dispute.id,
        order.happened_at,
        dispute["state"],
        "FAILED",
        ("outcome", "advice"),
        order.reason,
        (("Dispute", dispute.id, "outcome", said),),
    )


@dataclass(frozen=True)
class MeasureOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("要求恢复的时间；补登恢复（写明 measureId）时为恢复的时间")
    kind: str | None = given("措施类型；新的措施必写", codes=MEASURE_KINDS, default=None)
    measure_id: UUID | None = given("补登恢复的措施；不写即为新的措施", of="Measure", default=None)
    done_at: dt.datetime | None = given("恢复时间，新的措施当时已恢复的写明", default=None)
    agreed_by: str | None = given("同意恢复的人", default=None)
    evidence: str | None = given("依据或凭证", default=None)


@command(
    "dispute",
    "measure",
    "应急先行措施：要求先恢复水、电、气、暖、通行或安全；或补登已经恢复。",
    MeasureOrder,
    target="Dispute",
    shows="Dispute",
)
async def measure(desk: Desk, dispute: Record, order: MeasureOrder) -> Outcome:
    """Persuasion, not an order (人民调解法 Arts. 2, 25). The hours that it took are computed by the database."""
    for field, text in (("agreedBy", order.agreed_by), ("evidence", order.evidence)):
        if text is not None:
            desk.text(field, text, 500)
    values = {"agreed_by": order.agreed_by, "evidence": order.evidence}
    if order.measure_id is None:
        return await _new_measure(desk, dispute, order, values)
    if order.kind is not None:
        desk.mistake("kind", "NOT_BOTH", "补登恢复时不再写措施类型。")
    if order.done_at is not None:
        desk.mistake("doneAt", "NOT_BOTH", "补登恢复时，恢复的时间写在 happenedAt。")
    before = await part_of(desk, "Measure", dispute.id, order.measure_id, "measureId")
    if before is None:
        desk.happened("happenedAt", order.happened_at)
    else:
        desk.happened("happenedAt", order.happened_at, before["requested_at"], "要求恢复的时间")
        if before["done_at"] is not None:
            desk.mistake("measureId", "ALREADY", "这项措施已登记恢复。")
    desk.settle()
    written = {name: value.strip() for name, value in values.items() if value is not None}
    await desk.update(t.measure, order.measure_id, done_at=order.happened_at, **written)
    await desk.change(dispute.id)
    changes = (("Measure", order.measure_id, "done_at", order.happened_at.isoformat()),)
    return Outcome("Dispute", dispute.id, order.happened_at, fields=("done_at", *written), changes=changes)


async def _new_measure(desk: Desk, dispute: Record, order: MeasureOrder, values: dict[str, str | None]) -> Outcome:
    desk.happened("happenedAt", order.happened_at, dispute["registered_at"], "登记时间")
    if order.kind is None:
        desk.mistake("kind", "REQUIRED", "请写明措施类型；补登恢复的，请写明 measureId。")
    if order.done_at is not None:
        desk.happened("doneAt", order.done_at, order.happened_at, "要求恢复的时间")
    desk.settle()
    made = await desk.insert(
        t.measure,
        dispute_id=dispute.id,
        kind=order.kind,
        requested_at=order.happened_at,
        done_at=order.done_at,
        **{name: value and value.strip() for name, value in values.items()},
    )
    await desk.change(dispute.id)
    changes = [("Measure", made, "kind", order.kind)]
    if order.done_at is not None:
        changes.append(("Measure", made, "done_at", order.done_at.isoformat()))
    fields = ("kind", "requested_at", *(("done_at",) if order.done_at else ()))
    return Outcome("Dispute", dispute.id, order.happened_at, fields=fields, changes=tuple(changes))


@dataclass(frozen=True)
class NoteOrder:
    visibility: str = given("知悉范围", codes=VISIBILITIES)
    text: str = given("内容")


@dataclass(frozen=True)
class RecordOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("调解会的时间")
    place: str = given("调解地点")
    result: str = given("结果", codes=SESSION_RESULTS)
    record: str = given("调解笔录")
    is_joint: bool = given("是否多部门联合调解；联合的须写明到场单位", default=False)
    organization_ids: tuple[UUID, ...] = given(
        "到场的联动单位，须是经当事人同意邀请的单位", of="Organization", default=()
    )
    notes: tuple[NoteOrder, ...] = given("调解记录，按知悉范围分条；记录人为本人", default=())


def _last_consent(row: Row) -> Sql:
    at = t.party.alias()
    sides = at.c.side.in_([literal_column(f"'{side}'") for side in MAIN_SIDES])
    last = select(func.max(at.c.consent_on)).where(at.c.dispute_id == row["id"], at.c.withdrawn_on.is_(None), sides)
    return last.correlate(row.at).scalar_subquery()


@command(
    "dispute",
    "record",
    "记录一次调解：笔录、结果、到场单位、分知悉范围的记录。",
    RecordOrder,
    target="Dispute",
    shows="Dispute",
    facts=(Fact("last_consent_on", _last_consent),),
)
async def record(desk: Desk, dispute: Record, order: RecordOrder) -> Outcome:
    """人民调解法 Art. 27. Agencies attend by invitation with the parties' consent (Art. 20). Caucus notes stay with their author and the lead."""
    desk.happened("happenedAt", order.happened_at, _begun(dispute), "各方同意调解之日")
    desk.text("place", order.place, 200)
    desk.text("record", order.record, 20_000)
    for index, one in enumerate(order.notes):
        desk.text(f"notes.{index}.text", one.text, 4000)
    if order.is_joint and not order.organization_ids:
        desk.mistake("organizationIds", "REQUIRED", "联合调解须写明到场的单位。")
    if order.organization_ids and not order.is_joint:
        desk.mistake("isJoint", "NOT_JOINT", "有联动单位到场的，是联合调解。")
    await _invited(desk, dispute, order)
    desk.settle()
    held = await desk.insert(
        t.session,
        dispute_id=dispute.id,
        held_at=order.happened_at,
        place=order.place.strip(),
        is_joint=order.is_joint,
        result=order.result,
        record=order.record.strip(),
    )
    for organization in order.organization_ids:
        await desk.insert(t.attendance, dispute_id=dispute.id, session_id=held, organization_id=organization)
    for one in order.notes:
        await desk.insert(
            t.note,
            dispute_id=dispute.id,
            session_id=held,
            author_id=desk.actor.person_id,
            visibility=one.visibility,
            recorded_at=order.happened_at,
            text=one.text.strip(),
        )
    await desk.change(dispute.id)
    changes = (("Session", held, "result", order.result), ("Session", held, "place", order.place.strip()))
    return Outcome(
        "Dispute", dispute.id, order.happened_at, fields=("held_at", "place", "result", "record"), changes=changes
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


async def _invited(desk: Desk, dispute: Record, order: RecordOrder) -> None:
    if not order.organization_ids:
        return
    rows = await desk.fetch(_INVITED, {"dispute": dispute.id})
    invited = {row["organization_id"]: row["sent_at"] for row in rows}
    for index, organization in enumerate(order.organization_ids):
        field = f"organizationIds.{index}"
        if organization in order.organization_ids[:index]:
            desk.mistake(field, "DUPLICATE", "同一单位只写一次。")
        elif organization not in invited:
            desk.mistake(field, "NOT_INVITED", "该单位未受邀参加本案调解（人民调解法第二十条），请先邀请。")
        elif invited[organization] > order.happened_at:
            desk.mistake(field, "TOO_EARLY", "该单位受邀在这次调解之后。")


@dataclass(frozen=True)
class ExtendOrder:
    id: UUID = given("纠纷", of="Dispute")
    happened_at: dt.datetime = given("决定延长的时间，不晚于期限届满之日")
    to_on: dt.date = given("延长至哪一天")
    party_ids: tuple[UUID, ...] = given("同意延长的当事人；申请人、被申请人须全部写明", of="Party")
    consented_on: dt.date | None = given("各方都同意之日；不写为决定延长之日", default=None)


@command("dispute", "extend", "经各方同意，延长调解期限。", ExtendOrder, target="Dispute", shows="Dispute")
async def extend(desk: Desk, dispute: Record, order: ExtendOrder) -> Outcome:
    """若干规定 Art. 33: the month may be prolonged with the consent of both sides, given before it is over."""
    due: dt.date = dispute["due_on"]
    desk.happened("happenedAt", order.happened_at, dispute["accepted_at"], "受理时间")
    consented = order.consented_on or day_of(order.happened_at)
    if day_of(order.happened_at) > due:
        desk.mistake("happenedAt", "EXPIRED", f"期限已于 {due:%Y-%m-%d} 届满，不能再延长。")
    if order.consented_on is not None and not day_of(dispute["accepted_at"]) <= consented <= day_of(order.happened_at):
        desk.mistake("consentedOn", "OUT_OF_ORDER", "同意之日应在受理之后、决定延长之前。")
    if order.to_on <= due:
        desk.mistake("toOn", "TOO_EARLY", f"应晚于现在的期限 {due:%Y-%m-%d}。")
    elif order.to_on > due + LONGEST_EXTENSION:
        desk.mistake("toOn", "TOO_LATE", f"一次至多延长 {LONGEST_EXTENSION.days} 日。")
    parties = await parties_in(desk, dispute.id)
    known = {one["id"] for one in parties}
    for index, key in enumerate(order.party_ids):
        if key not in known:
            desk.mistake(f"partyIds.{index}", "NOT_FOUND", "本案没有这名当事人。")
    if not {one["id"] for one in parties if one["side"] in MAIN_SIDES} <= set(order.party_ids):
        desk.mistake("partyIds", "NO_CONSENT", "延长期限须申请人、被申请人全部同意。")
    desk.settle()
    made = await desk.insert(
        t.extension, dispute_id=dispute.id, from_on=due, to_on=order.to_on, consented_on=consented, recorded_at=desk.now
    )
    await desk.change(dispute.id, due_on=order.to_on)
    changes = (
        ("Dispute", dispute.id, "due_on", order.to_on.isoformat()),
        ("Extension", made, "consented_on", consented.isoformat()),
    )
    return Outcome("Dispute", dispute.id, order.happened_at, fields=("due_on",), changes=changes)


def _since(dispute: Record) -> tuple[dt.datetime, str]:
    """What an end of the dispute rests on."""
    if dispute["accepted_at"] is not None:
        return dispute["accepted_at"], "受理时间"
    return dispute["registered_at"], "登记时间"
