"""Parties in orders: their input, checked by the rules of the numbers they carry, and their rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID, uuid4

from db import tables as t
from db.commands.command import given
from db.crypto import mask_id_number
from db.desk import Desk
from db.identifiers import is_credit_code, is_id_number
from db.tables.party import PARTY_KINDS, SIDES

_PHONE = re.compile(r"1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}")
NATURAL = ("OWNER", "OCCUPANT")


@dataclass(frozen=True)
class PartyOrder:
    side: str = given("地位", codes=SIDES)
    kind: str = given("当事人类型", codes=PARTY_KINDS)
    name: str = given("姓名或名称")
    is_natural_person: bool | None = given("是否自然人；不写则业主、使用人为自然人，其余为单位", default=None)
    is_alias: bool = given("姓名是否化名", default=False)
    phone: str | None = given("联系电话：手机或带区号的座机", default=None)
    address: str | None = given("住址", default=None)
    id_number: str | None = given("公民身份号码（加密保存）", default=None)
    credit_code: str | None = given("统一社会信用代码", default=None)
    is_minor: bool = given("是否未成年人", default=False)


def check_party(desk: Desk, path: str, order: PartyOrder) -> None:
    """Note every mistake of a party."""
    if not order.name.strip():
        desk.mistake(f"{path}.name", "REQUIRED", "姓名或名称不能为空。")
    elif len(order.name) > 60:
        desk.mistake(f"{path}.name", "TOO_LONG", "姓名或名称至多 60 字。")
    if order.phone is not None and not _PHONE.fullmatch(order.phone):
        desk.mistake(f"{path}.phone", "BAD_PHONE", "电话应为 11 位手机号，或带区号的座机号，如 0635-1234567。")
    # SECURITY: the number itself is never repeated in a message.
    if order.id_number is not None and not is_id_number(order.id_number):
        desk.mistake(
            f"{path}.idNumber", "BAD_ID_NUMBER", "身份号码不对：应为 18 位，且出生日期与校验码相符（GB 11643）。"
        )
    if order.credit_code is not None and not is_credit_code(order.credit_code):
        desk.mistake(
            f"{path}.creditCode", "BAD_CREDIT_CODE", "统一社会信用代码不对：应为 18 位且校验码相符（GB 32100）。"
        )


async def add_party(desk: Desk, dispute_id: UUID, order: PartyOrder, *, supplied_by: UUID | None = None) -> UUID:
    """The party's row; its ID number encrypted, masked and hashed."""
    key = uuid4()
    number = order.id_number.upper() if order.id_number else None
    natural = order.kind in NATURAL if order.is_natural_person is None else order.is_natural_person
    return await desk.insert(
        t.party,
        id=key,
        dispute_id=dispute_id,
        side=order.side,
        kind=order.kind,
        name=order.name.strip(),
        is_natural_person=natural,
        is_alias=order.is_alias,
        phone=order.phone,
        address=order.address,
        id_number=mask_id_number(number) if number else None,
        id_number_cipher=desk.cipher.encrypt(number, row_id=key) if number else None,
        id_number_hash=desk.cipher.digest(number) if number else None,
        credit_code=order.credit_code,
        is_minor=order.is_minor,
        supplied_by_id=supplied_by,
    )
