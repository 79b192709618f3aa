"""Mediation agreements, their signatures, court confirmation, and extensions of the term by consent."""

from enum import Enum

import strawberry

from db.tables.agreement import (
    AGREEMENT_FORMS,
    AGREEMENT_SCOPES,
    AGREEMENT_STATES,
    CONFIRMATION_RESULTS,
    SIGNATURE_KINDS,
    SUIT_RESULTS,
)
from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_many, to_one
from schema.scalars import Day, Instant


@code_enum("协议的形式。", AGREEMENT_FORMS)
class AgreementForm(Enum):
    WRITTEN = "书面协议"
    ORAL = "口头协议"


@code_enum("协议解决的范围。", AGREEMENT_SCOPES)
class AgreementScope(Enum):
    FULL = "全部达成"
    PARTIAL = "部分达成"


@code_enum("协议的状态。", AGREEMENT_STATES)
class AgreementState(Enum):
    DRAFT = "草拟，签章未齐"
    EFFECTIVE = "已生效"
    VARIED = "已变更"
    RESCINDED = "已撤销"


@code_enum("就协议起诉的结果。", SUIT_RESULTS)
class SuitResult(Enum):
    UPHELD = "维持协议"
    VARIED = "变更协议"
    REVOKED = "撤销协议"
    WITHDRAWN = "撤诉"


@strawberry.input(description="协议的筛选条件。")
class AgreementFilter:
    form: list[AgreementForm] | None = condition("form", "in", "形式，取其一即可。")
    scope: list[AgreementScope] | None = condition("scope", "in", "范围，取其一即可。")
    state: list[AgreementState] | None = condition("state", "in", "状态，取其一即可。")
    effective_from: Day | None = condition("effective_on", "from", "生效日期不早于。")
    effective_to: Day | None = condition("effective_on", "to", "生效日期不晚于。")
    area_code: str | None = condition("area", "area", "纠纷发生地的区划代码（6、9、12 或 15 位），含其下级。")


@code_enum("协议的排序字段。")
class AgreementOrderField(Enum):
    AGREED_ON = "达成日期"


@strawberry.input(description="协议的排序。")
class AgreementOrder:
    field: AgreementOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("调解协议。")
class Agreement(Node):
    form: AgreementForm | None = field("形式。")
    scope: AgreementScope | None = field()
    state: AgreementState | None = field()
    content: str | None = field()
    agreed_on: Day | None = field()
    effective_on: Day | None = field("生效日期：书面协议为签名盖章齐备之日，口头协议为达成之日；未生效的为 null。")
    confirm_by_on: Day | None = field("双方可共同申请司法确认的最后日期：生效之日起三十日，末日休息日顺延。")
    copies: int | None = field("份数；口头协议为 null。")
    sued_on: Day | None = field("当事人就协议起诉的日期；没有起诉的为 null。")
    suit_result: SuitResult | None = field("诉讼结果；没有起诉或尚未裁判的为 null。")
    suit_decided_on: Day | None = field("裁判或准许撤诉的日期；尚未裁判的为 null。")
    suit_case_number: str | None = field()
    dispute = to_one("dispute", "Dispute", "所属纠纷。")
    obligations = to_many("obligation", "Obligation", "约定的义务。")
    signatures = to_many("agreement", "Signature", "签名与盖章。")
    confirmations = to_many("agreement", "Confirmation", "司法确认。")


@code_enum("签名的类型。", SIGNATURE_KINDS)
class SignatureKind(Enum):
    PARTY = "当事人签名"
    MEDIATOR = "调解员签名"
    SEAL = "调解委员会盖章"


@node("签名：协议上的一个签名或印章。party、person、organization 三者按类型居其一。")
class Signature(Node):
    kind: SignatureKind | None = field("类型。")
    signed_on: Day | None = field()
    agreement = to_one("agreement", "Agreement", "所签的协议。")
    party = to_one("party", "Party", "签名的当事人。")
    person = to_one("person", "Person", "签名的调解员。")
    organization = to_one("organization", "Organization", "盖章的调解委员会。")


@code_enum("司法确认的结果。", CONFIRMATION_RESULTS)
class ConfirmationResult(Enum):
    CONFIRMED = "裁定调解协议有效"
    REJECTED = "裁定驳回申请"
    WITHDRAWN = "撤回申请"


@node("司法确认：双方共同向法庭申请确认协议的效力。")
class Confirmation(Node):
    applied_on: Day | None = field()
    case_number: str | None = field()
    result: ConfirmationResult | None = field("结果；尚未裁定的为 null。")
    decided_on: Day | None = field("裁定日期；尚未裁定的为 null。")
    dispute = to_one("dispute", "Dispute", "所属纠纷。")
    agreement = to_one("agreement", "Agreement", "申请确认的协议。")
    court = to_one("organization", "Organization", "受理的法庭。")


@node("期限延长：双方在期限届满前同意延长调解期限。")
class Extension(Node):
    from_on: Day | None = field("原届满日期。")
    to_on: Day | None = field("延长至的日期。")
    consented_on: Day | None = field("双方同意的日期，不晚于原届满日期。")
    recorded_at: Instant | None = field()
    dispute = to_one("dispute", "Dispute", "所属纠纷。")
