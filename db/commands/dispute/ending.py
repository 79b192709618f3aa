"""Mediation ends without an agreement: a party refuses, the applicant withdraws, or it is terminated."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import literal_column

from db import tables as t
from db.calendar import day_of
from db.commands.party import load_party
from db.resources.guards import Guard, number_of
from db.resources.resource import Row, Sql
from db.tables.dispute import BEFORE_AGREEMENT_STATES, UNDER_MEDIATION_STATES
from db.tables.party import MAIN_SIDES
from db.write.chronology import COURSE
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork

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
    rests_on=COURSE,
    states=BEFORE_AGREEMENT_STATES,
    example={"party_id": Placeholder("Party", "a respondent"), "reason": "不愿再谈。"},
)
async def refuse(work: UnitOfWork, dispute: Record, input: RefuseInput) -> Outcome:
    """人民调解法 Arts. 17, 23: a party who clearly refuses is not mediated with, at any time. A third party only stays out."""
    work.check_text("reason", input.reason, 500)
    party = await load_party(work, dispute.id, input.party_id, "partyId")
    if party is not None and party["consent"] == "REFUSED":
        work.error("partyId", "ALREADY", "该当事人已经拒绝调解。")
    work.raise_errors()
    assert party is not None
    await work.update(t.party, input.party_id, consent="REFUSED", consent_on=day_of(input.happened_at))
    ends = party["side"] in MAIN_SIDES
    if ends:
        await work.update_dispute(dispute.id, state="REFUSED", concluded_at=input.happened_at)
    else:
        await work.update_dispute(dispute.id)
    return Outcome(
        "Party",
        input.party_id,
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
    rests_on=COURSE,
    states=BEFORE_AGREEMENT_STATES,
    guards=(_ONE_APPLICANT,),
    example={"party_id": Placeholder("Party", "the applicant"), "reason": "不愿再谈。"},
)
async def withdraw(work: UnitOfWork, dispute: Record, input: WithdrawInput) -> Outcome:
    """人民调解法 Art. 23: the applicant takes the application back. Of several applicants one only leaves (a guard; `party.withdraw`)."""
    work.check_text("reason", input.reason, 500)
    party = await load_party(work, dispute.id, input.party_id, "partyId")
    if party is not None and party["side"] != "APPLICANT":
        work.error("partyId", "NOT_APPLICANT", "只有申请人可以撤回；其他当事人不愿调解的，请登记拒绝。")
    work.raise_errors()
    await work.update_dispute(dispute.id, state="WITHDRAWN", concluded_at=input.happened_at)
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
    routes_told: bool = input_field("是否已告知仲裁、行政、司法等途径；须为 true（《人民调解法》第二十六条）")
    advice: str | None = input_field("告知的内容；不写为法定的三种途径", default=None)
    explanation: str | None = input_field("说明，公开，不写个人信息；终止原因为其他时必写", default=None)


@command(
    "dispute",
    "terminate",
    "调解不成，终止调解并告知其他途径。",
    TerminateInput,
    target="Dispute",
    shows="Dispute",
    rests_on=COURSE,
    states=UNDER_MEDIATION_STATES,
    example={"reason": "FAR_APART", "routes_told": True},
)
async def terminate(work: UnitOfWork, dispute: Record, input: TerminateInput) -> Outcome:
    """人民调解法 Art. 26: mediation that fails is terminated, and the parties are told of the other routes."""
    if not input.routes_told:
        work.error("routesTold", "ROUTES_NOT_TOLD", "请先告知当事人仲裁、行政、司法途径（《人民调解法》第二十六条）。")
    if input.advice is not None:
        work.check_text("advice", input.advice, 500)
    if input.explanation is not None:
        work.check_text("explanation", input.explanation, 500)
    elif input.reason == "OTHER_END":
        work.error("explanation", "REQUIRED", "终止原因为其他的，请写明说明。")
    if input.reason == "EXPIRED" and day_of(input.happened_at) <= dispute["due_on"]:
        work.error("reason", "NOT_EXPIRED", f"调解期限至 {dispute['due_on']:%Y-%m-%d}，尚未届满。")
    work.raise_errors()
    outcome = END_REASONS[input.reason] + (f"：{input.explanation.strip()}" if input.explanation else "")
    await work.update_dispute(
        dispute.id,
        state="FAILED",
        concluded_at=input.happened_at,
        advice=input.advice.strip() if input.advice else ROUTES_TOLD,
        outcome=outcome,
    )
    return Outcome(
        "Dispute",
        dispute.id,
        input.happened_at,
        dispute["state"],
        "FAILED",
        ("outcome", "advice"),
        input.reason,
        (("Dispute", dispute.id, "outcome", outcome),),
    )
