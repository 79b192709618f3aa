"""What is written about a party: its input with the rules of the numbers it carries, whether it is a person, and its row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, literal_column, or_, select

from db import tables as t
from db.canonical import forms
from db.canonical.check_digits import is_credit_code
from db.commands.party_age import is_known_minor, is_possible
from db.crypto import mask_id_number
from db.resources.resource import Sql
from db.tables.party import CORPORATE_KINDS, PARTY_KINDS, SIDES
from db.uuid7 import uuid7
from db.write.batch import Lookup
from db.write.command import input_field
from db.write.transaction import UnitOfWork


@dataclass(frozen=True)
class PartyInput:
    side: str = input_field("地位", codes=SIDES)
    kind: str = input_field("当事人类型", codes=PARTY_KINDS)
    name: str = input_field("姓名或名称", form="name")
    is_natural_person: bool | None = input_field(
        "是否自然人；不写则企业、开发建设单位、业委会、公用事业单位以及有统一社会信用代码的为单位，其余为自然人",
        default=None,
    )
    is_alias: bool = input_field("姓名是否化名", default=False)
    phone: str | None = input_field("联系电话：手机或带区号的座机", form="phone", default=None)
    address: str | None = input_field("住址", form="address", default=None)
    id_number: str | None = input_field("公民身份号码（加密保存）", form="id_number", default=None)
    credit_code: str | None = input_field("统一社会信用代码", form="credit_code", default=None)
    is_minor: bool | None = input_field(
        "是否未成年人；不写则依身份号码，没有身份号码的为否。未成年人由法定代理人代为参加", default=None
    )


def check_party(work: UnitOfWork, path: str, input: PartyInput) -> None:
    """Note every user error of a party of a new dispute."""
    check_fields(work, f"{path}.", input.name, input.phone, input.address, input.id_number, input.credit_code)
    minor = is_known_minor(work, f"{path}.isMinor", input.id_number, input.is_minor)
    nature_of(input).check(work, f"{path}.", is_minor=minor)


def check_fields(
    work: UnitOfWork,
    prefix: str,
    name: str | None,
    phone: str | None,
    address: str | None,
    id_number: str | None,
    credit_code: str | None,
) -> None:
    """Note every user error in the written fields of a party; None is not written."""
    if name is not None:
        check_name(work, f"{prefix}name", name)
    if phone is not None and not forms.is_phone(phone):
        work.error(f"{prefix}phone", "BAD_PHONE", "电话应为 11 位手机号，或带区号的座机号，如 0635-1234567。")
    if address is not None:
        work.check_text(f"{prefix}address", address, 200)
    # SECURITY: the number itself is never repeated in a message.
    if id_number is not None and not is_possible(work, id_number):
        work.error(
            f"{prefix}idNumber", "BAD_ID_NUMBER", "身份号码不对：应为 18 位，且出生日期与校验码相符（GB 11643）。"
        )
    if credit_code is not None and not is_credit_code(credit_code):
        work.error(
            f"{prefix}creditCode", "BAD_CREDIT_CODE", "统一社会信用代码不对：应为 18 位且校验码相符（GB 32100）。"
        )


def check_name(work: UnitOfWork, field: str, name: str) -> None:
    """Check a name: it must name somebody."""
    if not forms.is_name(name):
        work.error(field, "REQUIRED", "姓名或名称不能为空。")
    elif len(name) > 60:
        work.error(field, "TOO_LONG", "姓名或名称至多 60 字。")


class Nature(NamedTuple):
    """What says whether a party is a person: the kind, what was written, and whether there is an ID number or a credit code."""

    kind: str
    written: bool | None
    id_number: bool
    credit_code: bool

    @property
    def is_natural(self) -> bool:
        """SECURITY: a person unless it is known to be an organization, whose name is not masked."""
        if self.written is not None:
            return self.written
        return self.id_number or (self.kind not in CORPORATE_KINDS and not (self.kind == "OTHER" and self.credit_code))

    def check(self, work: UnitOfWork, prefix: str, *, is_minor: bool) -> None:
        """Note a user error for each two that contradict each other."""
        corporate = self.kind in CORPORATE_KINDS
        if corporate and self.written:
            work.error(f"{prefix}isNaturalPerson", "NOT_APPLICABLE", "这一类型的当事人是单位，不能写为自然人。")
        if self.id_number and (corporate or not self.is_natural):
            message = "单位没有身份号码：是自然人的请改当事人类型，是单位的请写统一社会信用代码。"
            work.error(f"{prefix}idNumber", "NOT_APPLICABLE", message)
        if self.credit_code and not corporate and self.is_natural:
            message = "自然人没有统一社会信用代码：是单位的，请写明 isNaturalPerson: false。"
            work.error(f"{prefix}creditCode", "NOT_APPLICABLE", message)
        if is_minor and (corporate or not self.is_natural):
            work.error(f"{prefix}isMinor", "NOT_APPLICABLE", "单位没有未成年一说。")


def nature_of(input: PartyInput) -> Nature:
    """What a new party is said to be."""
    return Nature(input.kind, input.is_natural_person, input.id_number is not None, input.credit_code is not None)


def identity_columns(work: UnitOfWork, key: UUID, id_number: str | None) -> dict[str, Any]:
    """The columns of an ID number: encrypted for this row, masked and hashed; or all empty."""
    return {
        "id_number": mask_id_number(id_number) if id_number else None,
        "id_number_cipher": work.cipher.encrypt(id_number, row_id=key) if id_number else None,
        "id_number_hash": work.cipher.digest(id_number) if id_number else None,
    }


async def add_party(work: UnitOfWork, dispute_id: UUID, input: PartyInput, *, supplied_by: UUID | None = None) -> UUID:
    """The party's row."""
    key = uuid7()
    return await work.insert(
        t.party,
        id=key,
        dispute_id=dispute_id,
        side=input.side,
        kind=input.kind,
        name=input.name,
        is_natural_person=nature_of(input).is_natural,
        is_alias=input.is_alias,
        phone=input.phone,
        address=input.address,
        **identity_columns(work, key, input.id_number),
        credit_code=input.credit_code,
        is_minor=is_known_minor(work, "isMinor", input.id_number, input.is_minor),
        supplied_by_id=supplied_by,
        company_id=company_of(input.kind, input.name, input.credit_code),
    )


def _named(name: Sql, code: Sql) -> Sql:
    same = or_(t.company.c.credit_code == code, and_(code.is_(None), t.company.c.name == name))
    return select(t.company.c.id).where(same).limit(literal_column("1")).scalar_subquery()


def company_of(kind: str, name: str, credit_code: str | None) -> Lookup | None:
    """The company of the register that the party is, by its credit code, or else its very name."""
    return Lookup(_named, (name, credit_code)) if kind == "COMPANY" else None
