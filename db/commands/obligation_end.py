"""Commands by which an obligation ends without being performed voluntarily: release, excuse, enforce.

A release and an excuse are no performance: a dispute of which something ended so is UNPERFORMED in the end.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_

from db import tables as t
from db.calendar import day_of
from db.commands.obligation import (
    TO_BE_PERFORMED,
    advance_dispute,
    amount_performed,
    check_day,
    load_parties_with_visibility,
    visible_parties,
)
from db.resources.guards import Guard, equals, some
from db.resources.resource import literals
from db.tables.obligation import EXCUSE_GROUNDS
from db.tables.party import MAIN_SIDES
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork

_MONEY_KINDS = ("PAY", "REFUND")


@dataclass(frozen=True)
class ReleaseInput:
    id: UUID = input_field("义务", of="Obligation")
    happened_at: dt.datetime = input_field("权利人同意免除的时间")
    party_ids: tuple[UUID, ...] = input_field("同意免除的权利人：义务人以外一方的全部当事人", of="Party")
    consent: str = input_field("同意免除的凭证，如书面同意的编号、笔录的页码")


@command(
    "obligation",
    "release",
    "登记权利人免除债务。",
    ReleaseInput,
    target="Obligation",
    shows="Obligation",
    guards=TO_BE_PERFORMED,
    example={"party_ids": Placeholder("Party", "every one to whom it is owed", many=True), "consent": "书面同意。"},
)
async def release(work: UnitOfWork, obligation: Record, input: ReleaseInput) -> Outcome:
    """《民法典》 Art. 575: the creditor releases. Every party of the other side consents, or it is not released."""
    await check_day(work, obligation, input.happened_at)
    work.check_text("consent", input.consent, 1000)
    parties = await load_parties_with_visibility(work, obligation["dispute_id"])
    side = next((party["side"] for party in parties if party["id"] == obligation["party_id"]), None)
    creditors = {party["id"] for party in parties if party["side"] in MAIN_SIDES and party["side"] != side}
    seen = visible_parties(parties)
    for index, key in enumerate(input.party_ids):
        if key not in seen:
            work.error(f"partyIds.{index}", "NOT_FOUND", "这件纠纷没有这个当事人，或其已退出。")
        elif key not in creditors:
            work.error(f"partyIds.{index}", "NOT_CREDITOR", "免除债务须由权利人同意，不能由义务人一方同意。")
    if not creditors or creditors - set(input.party_ids):
        work.error("partyIds", "NO_CONSENT", "须由权利人一方的全部当事人同意免除（《民法典》第五百七十五条）。")
    work.raise_errors()
    return await _end(work, obligation, input.happened_at, "RELEASE", "RELEASED", evidence=input.consent.strip())


@dataclass(frozen=True)
class ExcuseInput:
    id: UUID = input_field("义务", of="Obligation")
    happened_at: dt.datetime = input_field("查明不能履行的时间")
    ground: str = input_field("不能履行的原因", codes=EXCUSE_GROUNDS)
    reason: str = input_field("查明的情况；不愿履行不是不能履行")
    evidence: str = input_field("证明材料，如公告、鉴定意见、死亡证明的编号")


@command(
    "obligation",
    "excuse",
    "登记不能履行：写明原因并有证明。",
    ExcuseInput,
    target="Obligation",
    shows="Obligation",
    guards=TO_BE_PERFORMED,
    example={"ground": "FORCE_MAJEURE", "reason": "洪水冲毁。", "evidence": "公告"},
)
async def excuse(work: UnitOfWork, obligation: Record, input: ExcuseInput) -> Outcome:
    """若干规定 Art. 37: what cannot be performed for a good reason is not urged. The ground is one of a list, and there is a proof."""
    await check_day(work, obligation, input.happened_at)
    work.check_text("reason", input.reason, 1000)
    work.check_text("evidence", input.evidence, 500)
    if input.ground == "IMPOSSIBLE_IN_FACT" and obligation["kind"] in _MONEY_KINDS:
        work.error(
            "ground", "NOT_APPLICABLE", "支付、退还款项没有事实上不能履行；有困难的请协商变更，或由权利人同意免除。"
        )
    work.raise_errors()
    evidence = f"{input.reason.strip()}（证明：{input.evidence.strip()}）"
    return await _end(work, obligation, input.happened_at, "EXCUSE", "EXCUSED", evidence=evidence, ground=input.ground)


@dataclass(frozen=True)
class EnforceInput:
    id: UUID = input_field("义务", of="Obligation")
    happened_at: dt.datetime = input_field("强制执行完毕的时间")
    evidence: str = input_field("凭证，如法院的执行案号")


_ENFORCEABLE = Guard(
    "id",
    "NOT_ENFORCEABLE",
    "协议未经法院裁定有效，也没有法院的判决，不能申请强制执行；请先申请司法确认，或告知当事人起诉。",
    lambda row: or_(
        some(t.confirmation, equals("result", "CONFIRMED"), key="agreement_id", to="agreement_id")(row),
        some(t.agreement, lambda _, at: at.c.suit_result.in_(literals(("UPHELD", "VARIED"))), key="id", to="agreement_id")(row),
    ),
)  # fmt: skip


@command(
    "obligation",
    "enforce",
    "登记法院强制执行完毕。",
    EnforceInput,
    target="Obligation",
    shows="Obligation",
    guards=(*TO_BE_PERFORMED, _ENFORCEABLE),
    example={"evidence": "执行结案通知书"},
)
async def enforce(work: UnitOfWork, obligation: Record, input: EnforceInput) -> Outcome:
    """《人民调解法》 Art. 33 ¶2: what the court has confirmed or decided can be enforced; by that it is performed."""
    await check_day(work, obligation, input.happened_at)
    work.check_text("evidence", input.evidence, 1000)
    work.raise_errors()
    amount = obligation["amount"]
    if amount is not None:
        amount -= await amount_performed(work, obligation.id)
    return await _end(
        work, obligation, input.happened_at, "ENFORCE", "ENFORCED", evidence=input.evidence.strip(), amount=amount
    )


async def _end(
    work: UnitOfWork, obligation: Record, at: dt.datetime, kind: str, state: str, **performance: Any
) -> Outcome:
    """Record the step, and put the obligation and the dispute into the states that follow."""
    on = day_of(at)
    key = await work.insert(
        t.performance,
        dispute_id=obligation["dispute_id"],
        obligation_id=obligation.id,
        kind=kind,
        occurred_on=on,
        recorded_at=work.now,
        **performance,
    )
    enforced = {"performed_on": on} if state == "ENFORCED" else {}
    await work.update(t.obligation, obligation.id, state=state, **enforced)
    before, after = await advance_dispute(work, obligation.dispute, on)
    changes = (("Obligation", obligation.id, "state", state),)
    return Outcome("Performance", key, at, before, after, ("state", *enforced), changes=changes)
