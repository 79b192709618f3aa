"""Parties of a dispute, the people and bodies whose data the policies guard most."""

from enum import Enum

from db.tables.party import CONSENTS, PARTY_KINDS, SIDES
from schema.node import Node, code_enum, field, node, to_many, to_one
from schema.scalars import Day


@code_enum("当事人在调解中的地位。", SIDES)
class PartySide(Enum):
    APPLICANT = "申请人"
    RESPONDENT = "被申请人"
    THIRD = "第三方"


@code_enum("当事人类型。", PARTY_KINDS)
class PartyKind(Enum):
    OWNER = "业主"
    OCCUPANT = "物业使用人"
    COMPANY = "物业企业"
    DEVELOPER = "建设单位"
    OWNERS_COMMITTEE = "业主委员会"
    UTILITY = "专业经营单位（水、电、气、热、通信）"
    OTHER = "其他"


@code_enum("是否同意调解；当事人未表示的，所在字段为 null。", CONSENTS)
class Consent(Enum):
    CONSENTED = "同意调解"
    REFUSED = "拒绝调解"


@node("当事人：纠纷中的一方或第三方。")
class Party(Node):
    side: PartySide | None = field()
    kind: PartyKind | None = field()
    is_natural_person: bool | None = field()
    name: str | None = field()
    is_alias: bool | None = field()
    phone: str | None = field()
    address: str | None = field()
    id_number: str | None = field("身份证件号码，一律为掩码；明文须经留痕的查看操作取得。")
    credit_code: str | None = field("统一社会信用代码；自然人为 null。")
    agent_name: str | None = field("代理人姓名；无代理人的为 null。")
    agent_powers: str | None = field("代理权限；无代理人的为 null。")
    is_minor: bool | None = field()
    consent: Consent | None = field("是否同意调解；未表示的为 null。")
    consent_on: Day | None = field()
    withdrawn_on: Day | None = field("退出日期；未退出的为 null。")
    dispute = to_one("dispute", "Dispute", "所属纠纷。")
    company = to_one("compound", "Company", "该当事人所对应的物业企业；不是物业企业的为 null。")
    obligations = to_many("obligation", "Obligation", "由其履行的义务。")
