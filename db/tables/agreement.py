"""Mediation agreements, who signed them, court confirmation, and extensions of the month by consent."""

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, Uuid

from db.tables.column import Codes, Instant, code, column, identity, internal, metadata, one_of
from db.tables.part import of_dispute, within

AGREEMENT_FORMS = Codes(("WRITTEN", "ORAL"))
AGREEMENT_SCOPES = Codes(("FULL", "PARTIAL"))
AGREEMENT_STATES = Codes(("DRAFT", "EFFECTIVE", "VARIED", "RESCINDED"))
# Binding on the parties: an agreement in no other state is performed, varied or confirmed.
IN_FORCE_STATES = ("EFFECTIVE", "VARIED")
SIGNATURE_KINDS = Codes(("PARTY", "MEDIATOR", "SEAL"))
# What the court made of an agreement that a party sued over: upheld, varied or revoked; or the suit was withdrawn.
SUIT_RESULTS = Codes(("UPHELD", "VARIED", "REVOKED", "WITHDRAWN"))
CONFIRMATION_RESULTS = Codes(("CONFIRMED", "REJECTED", "WITHDRAWN"))

agreement = Table(
    "agreement",
    metadata,
    identity(),
    of_dispute(),
    code("form", AGREEMENT_FORMS, "形式：书面或口头"),
    code("scope", AGREEMENT_SCOPES, "全部或部分达成"),
    code("state", AGREEMENT_STATES, "状态"),
    column("content", Text, "terms", "协议内容", form="document"),
    column("agreed_on", Date, "public", "达成日期"),
    column(
        "effective_on",
        Date,
        "public",
        "生效日期（书面：各方、调解员签名并盖章齐备之日；口头：达成之日）",
        nullable=True,
    ),
    column("confirm_by_on", Date, "public", "申请司法确认的最后日期", nullable=True),
    column("copies", Integer, "terms", "份数", nullable=True),
    column("sued_on", Date, "public", "就协议起诉的日期", nullable=True),
    code("suit_result", SUIT_RESULTS, "诉讼结果：维持、变更、撤销协议，或撤诉", nullable=True),
    column("suit_decided_on", Date, "public", "裁判或准许撤诉的日期", nullable=True),
    column("suit_case_number", Text, "terms", "民事案件案号", nullable=True, form="case_number"),
    one_of("form", AGREEMENT_FORMS),
    one_of("scope", AGREEMENT_SCOPES),
    one_of("state", AGREEMENT_STATES),
    one_of("suit_result", SUIT_RESULTS),
    CheckConstraint("state = 'DRAFT' OR effective_on IS NOT NULL", name="effective"),
    CheckConstraint("(suit_result IS NULL) = (suit_decided_on IS NULL)", name="suit"),
    CheckConstraint("suit_decided_on >= sued_on AND sued_on >= effective_on", name="suit_order"),
    CheckConstraint("effective_on >= agreed_on", name="effective_order"),
    UniqueConstraint("id", "dispute_id"),
    comment="调解协议",
)
Index("ix_agreement_agreed_on", agreement.c.agreed_on.desc(), agreement.c.id.desc())
for _by in ("state", "scope", "form"):
    Index(f"ix_agreement_{_by}", agreement.c[_by], agreement.c.agreed_on.desc(), agreement.c.id.desc())

signature = Table(
    "signature",
    metadata,
    identity(),
    of_dispute(),
    internal("agreement_id", Uuid, "协议", index=True),
    internal("party_id", Uuid, "签名的当事人", nullable=True, index=True),
    internal("person_id", Uuid, "签名的调解员", ForeignKey("person.id"), nullable=True),
    internal("organization_id", Uuid, "盖章的调解委员会", ForeignKey("organization.id"), nullable=True),
    code("kind", SIGNATURE_KINDS, "类型：当事人、调解员、盖章"),
    column("signed_on", Date, "public", "签名或盖章日期"),
    one_of("kind", SIGNATURE_KINDS),
    CheckConstraint(
        "CASE kind WHEN 'PARTY' THEN party_id IS NOT NULL WHEN 'MEDIATOR' THEN person_id IS NOT NULL ELSE organization_id IS NOT NULL END",
        name="signer",
    ),
    within("agreement_id", "agreement"),
    within("party_id", "party"),
    comment="签名",
)

confirmation = Table(
    "confirmation",
    metadata,
    identity(),
    of_dispute(),
    internal("agreement_id", Uuid, "协议", index=True),
    internal("court_id", Uuid, "法庭", ForeignKey("organization.id"), index=True),
    column("applied_on", Date, "public", "共同申请日期"),
    column("case_number", Text, "reference", "法院案号", nullable=True, form="case_number"),
    code("result", CONFIRMATION_RESULTS, "结果", nullable=True),
    column("decided_on", Date, "public", "裁定日期", nullable=True),
    one_of("result", CONFIRMATION_RESULTS),
    CheckConstraint("decided_on >= applied_on", name="dates"),
    CheckConstraint("(result IS NULL) = (decided_on IS NULL)", name="decided"),
    within("agreement_id", "agreement"),
    comment="司法确认",
)

extension = Table(
    "extension",
    metadata,
    identity(),
    of_dispute(),
    column("from_on", Date, "public", "原期限"),
    column("to_on", Date, "public", "延长至"),
    column("consented_on", Date, "public", "双方同意日期"),
    column("recorded_at", Instant, "public", "记录时间"),
    CheckConstraint("to_on > from_on", name="dates"),
    CheckConstraint("consented_on <= from_on", name="before_expiry"),
    comment="期限延长",
)
