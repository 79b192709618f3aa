"""Parties of a dispute, for other commands, and the commands by which a party is added, corrected, represented and leaves."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, literal_column, or_, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.calendar import day_of
from db.commands.party_age import is_known_minor
from db.commands.party_input import (
    Nature,
    PartyInput,
    add_party,
    check_fields,
    check_name,
    check_party,
    company_of,
    identity_columns,
)
from db.resources.guards import Guard, dispute_in, none, some
from db.resources.resource import Row, Sql, literals
from db.tables.dispute import BEFORE_AGREEMENT_STATES, OPEN_STATES, STATES
from db.tables.obligation import OWED_STATES
from db.tables.party import MAIN_SIDES, PARTY_KINDS
from db.write.command import Absent, Outcome, command, input_field
from db.write.transaction import Record, UnitOfWork

CLEARABLE = ("PHONE", "ADDRESS", "ID_NUMBER", "CREDIT_CODE")


# -- the parties of a dispute, for other commands


async def load_part(work: UnitOfWork, kind: str, dispute_id: UUID, key: UUID, field: str) -> Record | None:
    """A part of this dispute that the caller sees; otherwise the user error is noted."""
    try:
        part = await work.load_visible(kind, key, field=field)
    except Absent:
        part = None
    if part is None or part["dispute_id"] != dispute_id:
        work.error(field, "NOT_FOUND", "本案没有这个对象，或者您无权查看它。")
        return None
    return part


async def load_party(work: UnitOfWork, dispute_id: UUID, key: UUID, field: str) -> Record | None:
    """A party of this dispute who has not left it; otherwise the user error is noted."""
    party = await load_part(work, "Party", dispute_id, key, field)
    if party is not None and party["withdrawn_on"] is not None:
        work.error(field, "WITHDRAWN", "该当事人已经退出。")
        return None
    return party


_PARTIES = select(t.party.c.id, t.party.c.side, t.party.c.consent, t.party.c.consent_on).where(
    t.party.c.dispute_id == bindparam("dispute", type_=Uuid()), t.party.c.withdrawn_on.is_(None)
)


async def load_parties(work: UnitOfWork, dispute_id: UUID) -> list[Any]:
    """The parties who have not left: id, side, consent, consent_on. Not a reading by the caller: it serves the law's conditions."""
    return await work.fetch(_PARTIES, {"dispute": dispute_id})


async def begin_when_all_consent(work: UnitOfWork, dispute: Any) -> str | None:
    """Bump the dispute's version; MEDIATING, if it was only accepted and both sides are there and all of them consent."""
    key = dispute["id"]
    main = [party for party in await load_parties(work, key) if party["side"] in MAIN_SIDES]
    complete = {party["side"] for party in main} == set(MAIN_SIDES)
    # Told first (若干规定 Art. 30): a party who left does not make up for that.
    notified = dispute["notified_at"] is not None
    if (
        dispute["state"] == "ACCEPTED"
        and notified
        and complete
        and all(party["consent"] == "CONSENTED" for party in main)
    ):
        await work.update_dispute(key, state="MEDIATING")
        return "MEDIATING"
    await work.update_dispute(key)
    return None


# -- commands


@dataclass(frozen=True)
class PartyAddInput:
    id: UUID = input_field("纠纷", of="Dispute")
    happened_at: dt.datetime = input_field("得知该当事人的时间")
    party: PartyInput = input_field("当事人")


@command(
    "party",
    "add",
    "增加一名当事人。",
    PartyAddInput,
    target="Dispute",
    shows="Party",
    states=BEFORE_AGREEMENT_STATES,
    example={"party": {"side": "THIRD", "kind": "OWNER", "name": "邻居"}},
)
async def add(work: UnitOfWork, dispute: Record, input: PartyAddInput) -> Outcome:
    """A party who was not named at registration. Without their consent there is no agreement. Nobody is one twice: db/write/case_rules.py."""
    check_party(work, "party", input.party)
    work.raise_errors()
    key = await add_party(work, dispute.id, input.party)
    await work.update_dispute(dispute.id)
    changes = (("Party", key, "side", input.party.side), ("Party", key, "kind", input.party.kind))
    return Outcome("Party", key, input.happened_at, fields=("side", "kind", "name"), changes=changes)


@dataclass(frozen=True)
class PartyUpdateInput:
    id: UUID = input_field("当事人", of="Party")
    happened_at: dt.datetime = input_field("得知变更的时间")
    kind: str | None = input_field("当事人类型", codes=PARTY_KINDS, default=None)
    name: str | None = input_field("姓名或名称", form="name", default=None)
    is_natural_person: bool | None = input_field("是否自然人", default=None)
    is_alias: bool | None = input_field("姓名是否化名", default=None)
    phone: str | None = input_field("联系电话：手机或带区号的座机", form="phone", default=None)
    address: str | None = input_field("住址", form="address", default=None)
    id_number: str | None = input_field("公民身份号码（加密保存）", form="id_number", default=None)
    credit_code: str | None = input_field("统一社会信用代码", form="credit_code", default=None)
    is_minor: bool | None = input_field("是否未成年人", default=None)
    cleared: tuple[str, ...] = input_field("要清空的项", codes=CLEARABLE, default=())


# What a company of the register is known by.
_OF_COMPANY = frozenset({"kind", "name", "credit_code"})
_SHOWN = ("kind", "is_natural_person", "is_alias", "credit_code")
_PLAIN = ("kind", "name", "is_natural_person", "is_alias", "phone", "address", "credit_code", "is_minor")


_TAKES_PART = Guard("id", "WITHDRAWN", "该当事人已经退出。", lambda row: row["withdrawn_on"].is_(None))


@command(
    "party",
    "update",
    "更正或补充当事人的信息；不写的项不变。",
    PartyUpdateInput,
    target="Party",
    shows="Party",
    # What is wrong about a person is corrected also after the end, until the archive.
    guards=(_TAKES_PART, dispute_in(*(state for state in STATES if state != "ARCHIVED"))),
    example={"is_alias": False},
)
async def update(work: UnitOfWork, party: Record, input: PartyUpdateInput) -> Outcome:
    """个人信息保护法 Arts. 46-47: what is wrong is corrected, what is not needed is erased."""
    assert party.dispute is not None
    dispute_id = party.dispute["id"]
    check_fields(work, "", input.name, input.phone, input.address, input.id_number, input.credit_code)
    cleared = [item.lower() for item in input.cleared]
    for index, name in enumerate(cleared):
        if getattr(input, name) is not None:
            work.error(f"cleared.{index}", "NOT_BOTH", "同一项不能既写明又清空。")
    natural = _nature(work, party, input, cleared)
    given_ = {name: getattr(input, name) for name in _PLAIN if getattr(input, name) is not None}
    if not given_ and input.id_number is None and not cleared:
        work.error("", "REQUIRED", "请至少写明一项变更。")
    if input.id_number is not None or input.is_minor is not None:
        stored = None if "ID_NUMBER" in input.cleared else party["id_number_cipher"]
        number = input.id_number or (stored and work.cipher.decrypt(stored, row_id=party.id))
        given_["is_minor"] = is_known_minor(work, "isMinor", number, input.is_minor)
    work.raise_errors()
    if natural is not None and natural != party["is_natural_person"]:
        given_["is_natural_person"] = natural
    values: dict[str, Any] = {**given_, **{name: None for name in cleared if name != "id_number"}}
    # SECURITY: of what not everybody reads all that was written, for whether it is as it was tells what it was.
    changed = [name for name, value in values.items() if name not in _SHOWN or party[name] != value]
    if input.id_number is not None or "id_number" in cleared:
        values.update(identity_columns(work, party.id, input.id_number))
        changed.append("id_number")
    if not _OF_COMPANY.isdisjoint(changed):
        now = {name: values.get(name, party[name]) for name in _OF_COMPANY}
        values["company_id"] = company_of(**now)
    await work.update(t.party, party.id, **values)
    await work.update_dispute(dispute_id)
    # SECURITY: the event names what changed; of what is about the person it holds no value, so that what is erased is gone.
    changes = tuple(("Party", party.id, name, _text_of(values[name])) for name in changed if name in _SHOWN)
    return Outcome("Party", party.id, input.happened_at, fields=tuple(changed), changes=changes)


def _nature(work: UnitOfWork, party: Record, input: PartyUpdateInput, cleared: list[str]) -> bool | None:
    """Whether the party is a person after the update, None where nothing is said of it; contradictions are noted."""
    said = (input.kind, input.is_natural_person, input.id_number, input.credit_code, input.is_minor)
    if all(one is None for one in said):
        return None
    # What was written before stands, unless the kind or an ID number says something new.
    kept = party["is_natural_person"] if input.kind is None and input.id_number is None else None
    nature = Nature(
        input.kind or party["kind"],
        kept if input.is_natural_person is None else input.is_natural_person,
        input.id_number is not None or (party["id_number"] is not None and "id_number" not in cleared),
        input.credit_code is not None or (party["credit_code"] is not None and "credit_code" not in cleared),
    )
    nature.check(work, "", is_minor=party["is_minor"] if input.is_minor is None else input.is_minor)
    return nature.is_natural


def _text_of(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


@dataclass(frozen=True)
class PartyAppointInput:
    id: UUID = input_field("当事人", of="Party")
    happened_at: dt.datetime = input_field("委托的时间")
    agent_name: str = input_field("代理人姓名", form="name")
    powers: str = input_field("代理权限：一般代理，或特别授权的事项")


@command(
    "party",
    "appoint",
    "登记当事人委托的代理人，或未成年人的法定代理人。",
    PartyAppointInput,
    target="Party",
    shows="Party",
    guards=(_TAKES_PART, dispute_in(*OPEN_STATES)),
    example={"agent_name": "某律师", "powers": "一般代理"},
)
async def appoint(work: UnitOfWork, party: Record, input: PartyAppointInput) -> Outcome:
    """授权委托书: the agent with their powers; a new one takes the place of the old."""
    assert party.dispute is not None
    check_name(work, "agentName", input.agent_name)
    work.check_text("powers", input.powers, 200)
    work.raise_errors()
    await work.update(t.party, party.id, agent_name=input.agent_name, agent_powers=input.powers.strip())
    await work.update_dispute(party.dispute["id"])
    changes = (("Party", party.id, "agent_powers", input.powers.strip()),)
    return Outcome("Party", party.id, input.happened_at, fields=("agent_name", "agent_powers"), changes=changes)


@dataclass(frozen=True)
class PartyWithdrawInput:
    id: UUID = input_field("当事人", of="Party")
    happened_at: dt.datetime = input_field("退出的时间")
    reason: str = input_field("退出的理由，不写个人信息")


def _dispensable(row: Row) -> Sql:
    """The party is a third party, or another of the same side remains."""
    another = some(
        t.party,
        lambda row, at: at.c.side == row["side"],
        lambda row, at: at.c.id != row["id"],
        lambda row, at: at.c.withdrawn_on.is_(None),
        to="dispute_id",
    )
    return or_(row["side"] == literal_column("'THIRD'"), another(row))


_NOT_LAST = Guard("id", "LAST_OF_SIDE", "该方只有这一名当事人：请登记拒绝调解，或由申请人撤回。", _dispensable)
_OWES_NOTHING = Guard(
    "id",
    "OBLIGATION_OPEN",
    "该当事人尚有未履行的义务，不能退出。",
    none(t.obligation, lambda row, at: at.c.state.in_(literals(OWED_STATES)), key="party_id"),
)


@command(
    "party",
    "withdraw",
    "登记一名当事人退出调解，其余各方继续；其余都已同意的，开始调解。",
    PartyWithdrawInput,
    target="Party",
    shows="Party",
    guards=(_TAKES_PART, dispute_in(*BEFORE_AGREEMENT_STATES), _NOT_LAST, _OWES_NOTHING),
    example={"reason": "不再参与。"},
)
async def withdraw(work: UnitOfWork, party: Record, input: PartyWithdrawInput) -> Outcome:
    """人民调解法 Art. 23: one of several leaves, or a third party. The last of a side ends the mediation: `dispute.withdraw`, `dispute.refuse`."""
    assert party.dispute is not None
    work.check_text("reason", input.reason, 500)
    work.raise_errors()
    day = day_of(input.happened_at)
    await work.update(t.party, party.id, withdrawn_on=day)
    state = await begin_when_all_consent(work, party.dispute)
    return Outcome(
        "Party",
        party.id,
        input.happened_at,
        party.dispute["state"] if state else None,
        state,
        ("withdrawn_on",),
        input.reason.strip(),
        (("Party", party.id, "withdrawn_on", day.isoformat()),),
    )
