"""Commands of a suit over an agreement (《人民调解法》 Art. 32): sue, and what the court made of it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, exists, literal_column, select, update
from sqlalchemy.types import Uuid

from db import tables as t
from db.calendar import day_of
from db.commands.agreement import IN_FORCE, NO_SUIT, UNCONFIRMED, set_states
from db.commands.agreement_variation import Change, VariedTermInput, check_varied_terms, vary_terms
from db.commands.follow_up import schedule_follow_up
from db.commands.obligation import check_visible_party, load_parties_with_visibility, state_by_obligations
from db.resources.guards import Guard, dispute_in
from db.resources.resource import Row, Sql
from db.tables.agreement import SUIT_RESULTS
from db.tables.dispute import UNDER_PERFORMANCE_STATES
from db.tables.obligation import OWED_STATES
from db.write.command import Outcome, command, input_field
from db.write.example import Placeholder
from db.write.transaction import Record, UnitOfWork

_NUMBER = re.compile(r"\(([0-9]{4})\)[\u4e00-\u9fff][0-9]{0,4}民[\u4e00-\u9fff]{1,3}[1-9][0-9]{0,6}号")
_SUED_IN = dispute_in(*UNDER_PERFORMANCE_STATES, "UNPERFORMED")


@dataclass(frozen=True)
class SueInput:
    id: UUID = input_field("协议", of="Agreement")
    happened_at: dt.datetime = input_field("起诉的时间")
    party_id: UUID = input_field("起诉的当事人", of="Party")
    reason: str = input_field("起诉的事由：协议的履行，或协议的内容；不写个人信息")


_NOT_DECIDED = Guard(
    "id",
    "DECIDED",
    "法院已就协议作出裁判，不能再次登记起诉。",
    lambda row: (
        row["suit_result"].is_distinct_from(literal_column("'UPHELD'"))
        & row["suit_result"].is_distinct_from(literal_column("'VARIED'"))
    ),
)


@command(
    "agreement",
    "sue",
    "登记当事人就协议向法院起诉；尚未履行的义务等待裁判。",
    SueInput,
    target="Agreement",
    shows="Agreement",
    guards=(IN_FORCE, UNCONFIRMED, NO_SUIT, _NOT_DECIDED, _SUED_IN),
    example={"party_id": Placeholder("Party", "any"), "reason": "协议的履行。"},
)
async def sue(work: UnitOfWork, agreement: Record, input: SueInput) -> Outcome:
    """Art. 32: a party may sue over the performance or the content. After a default it is on record alone; nothing is owed any more."""
    dispute = agreement.dispute
    assert dispute is not None
    sued_on = day_of(input.happened_at)
    work.check_day("happenedAt", input.happened_at, agreement["effective_on"], "协议生效之日")
    parties = await load_parties_with_visibility(work, dispute["id"])
    check_visible_party(work, "partyId", input.party_id, parties)
    work.check_text("reason", input.reason, 500)
    work.raise_errors()
    await work.update(
        t.agreement, agreement.id, sued_on=sued_on, suit_result=None, suit_decided_on=None, suit_case_number=None
    )
    if dispute["state"] in UNDER_PERFORMANCE_STATES:
        await set_states(work, agreement.id, OWED_STATES, "SUED")
    await work.update_dispute(dispute["id"])
    changes = (("Agreement", agreement.id, "sued_on", sued_on.isoformat()),)
    return Outcome(
        "Agreement", agreement.id, input.happened_at, fields=("sued_on",), reason=input.reason.strip(), changes=changes
    )


@dataclass(frozen=True)
class JudgeInput:
    id: UUID = input_field("协议", of="Agreement")
    happened_at: dt.datetime = input_field("裁判生效或准许撤诉的时间")
    result: str = input_field("诉讼结果", codes=SUIT_RESULTS)
    case_number: str | None = input_field(
        "法院案号，如 (2024)鲁1525民初123号；有裁判的必写", form="case_number", default=None
    )
    obligations: tuple[VariedTermInput, ...] = input_field("判决变更的义务；只写有变的项", default=())


def _sued(row: Row) -> Sql:
    return row["sued_on"].is_not(None) & row["suit_result"].is_(None)


_SUED = Guard("id", "WRONG_STATE", "协议没有尚待裁判的诉讼。", _sued)


@command(
    "agreement",
    "judge",
    "登记法院对协议的裁判：维持、变更、撤销，或撤诉。",
    JudgeInput,
    target="Agreement",
    shows="Agreement",
    guards=(_SUED, _SUED_IN),
    example={"result": "WITHDRAWN"},
)
async def judge(work: UnitOfWork, agreement: Record, input: JudgeInput) -> Outcome:
    """Upheld or varied, it is owed as before or as decided, and can be enforced; revoked, nothing of it is owed any more."""
    dispute = agreement.dispute
    assert dispute is not None
    on = day_of(input.happened_at)
    work.check_day("happenedAt", input.happened_at, agreement["sued_on"], "起诉之日")
    number = _case_number(work, input)
    owing = dispute["state"] in UNDER_PERFORMANCE_STATES
    if input.obligations and (input.result != "VARIED" or not owing):
        work.error("obligations", "NOT_APPLICABLE", "判决变更尚待履行的义务时，才写变更的义务。")
    if owing:
        if input.result == "REVOKED":
            await set_states(work, agreement.id, ("SUED",), "RESCINDED")
        else:
            await work.fetch(_RESTORE, {"of_agreement": agreement.id})
    varied = await check_varied_terms(work, agreement.id, input.obligations, agreement["effective_on"])
    work.raise_errors()
    state = {"VARIED": "VARIED", "REVOKED": "RESCINDED"}.get(input.result, agreement["state"])
    changes: list[Change] = [
        ("Agreement", agreement.id, "suit_result", input.result),
        ("Agreement", agreement.id, "suit_decided_on", on.isoformat()),
        ("Agreement", agreement.id, "suit_case_number", number),
        *await vary_terms(work, varied),
    ]
    await work.update(
        t.agreement,
        agreement.id,
        state=state,
        suit_result=input.result,
        suit_decided_on=on,
        suit_case_number=number,
    )
    before, after = await _advance(work, dispute, input.result, on)
    fields = ("state", "suit_result", "suit_decided_on", "suit_case_number")
    return Outcome("Agreement", agreement.id, input.happened_at, before, after, fields, changes=tuple(changes))


def _case_number(work: UnitOfWork, input: JudgeInput) -> str | None:
    number = input.case_number
    if number is None:
        if input.result != "WITHDRAWN":
            work.error("caseNumber", "REQUIRED", "请写明法院案号。")
    elif _NUMBER.fullmatch(number) is None:
        work.error("caseNumber", "BAD_CASE_NUMBER", "案号应形如 (2024)鲁1525民初123号。")
    return number


_PAID = exists(
    select(literal_column("1")).where(
        t.performance.c.obligation_id == t.obligation.c.id,
        t.performance.c.kind == literal_column("'PARTLY_PERFORM'"),
    )
)
# What was sued over is owed again, as far as it was before.
_RESTORE = (
    update(t.obligation)
    .where(
        t.obligation.c.agreement_id == bindparam("of_agreement", type_=Uuid()),
        t.obligation.c.state == literal_column("'SUED'"),
    )
    .values(state=case((_PAID, literal_column("'PARTLY_PERFORMED'")), else_=literal_column("'PENDING'")))
    .returning(t.obligation.c.id)
)


async def _advance(work: UnitOfWork, dispute: Any, result: str, on: dt.date) -> tuple[str | None, str | None]:
    """The states of the dispute before and after. An agreement that was revoked is not performed, whatever else was."""
    state = dispute["state"]
    if state in UNDER_PERFORMANCE_STATES:
        state = await state_by_obligations(work, dispute["id"], state)
        if result == "REVOKED" and state == "PERFORMED":
            state = "UNPERFORMED"
    if state == dispute["state"]:
        await work.update_dispute(dispute["id"])
        return None, None
    await schedule_follow_up(work, dispute["id"], on)
    await work.update_dispute(dispute["id"], state=state)
    return dispute["state"], state
