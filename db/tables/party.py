"""Parties of a dispute. ID numbers are stored encrypted, beside the masked form and a keyed hash for equality."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from db.tables.column import Codes, code, column, identity, internal, metadata, one_of
from db.tables.part import of_dispute

SIDES = Codes(("APPLICANT", "RESPONDENT", "THIRD"))
# The sides without whose consent there is no mediation, and without whose signature no agreement.
MAIN_SIDES = ("APPLICANT", "RESPONDENT")
PARTY_KINDS = Codes(("OWNER", "OCCUPANT", "COMPANY", "DEVELOPER", "OWNERS_COMMITTEE", "UTILITY", "OTHER"))
# Organizations, whatever the input says; the other kinds are people unless it says otherwise.
CORPORATE_KINDS = ("COMPANY", "DEVELOPER", "OWNERS_COMMITTEE", "UTILITY")
CONSENTS = Codes(("CONSENTED", "REFUSED"))

party = Table(
    "party",
    metadata,
    identity(),
    of_dispute(),
    code("side", SIDES, "地位"),
    code("kind", PARTY_KINDS, "当事人类型"),
    column("is_natural_person", Boolean, "public", "是否自然人"),
    column("name", Text, "name", "姓名或名称", mask="name", form="name"),
    column("is_alias", Boolean, "public", "姓名是否化名", server_default=text("false")),
    column("phone", Text, "contact", "联系电话", nullable=True, mask="phone", form="phone"),
    column("address", Text, "address", "住址", nullable=True, mask="address", form="address"),
    # SECURITY: the only readable form of an ID number is the masked one; the number itself is ciphertext (db/crypto.py).
    column(
        "id_number",
        Text,
        "identity",
        "身份证件号码（仅显示掩码，明文须经留痕的查看操作取得）",
        nullable=True,
        mask="stored",
        form="id_number",
    ),
    internal("id_number_cipher", LargeBinary, "证件号码密文 AES-256-GCM", nullable=True),
    internal("id_number_hash", LargeBinary, "证件号码的带密钥散列，用于相等比对", nullable=True, index=True),
    column("credit_code", Text, "public", "统一社会信用代码", nullable=True, form="credit_code"),
    column("agent_name", Text, "name", "代理人姓名", nullable=True, mask="name", form="name"),
    column("is_minor", Boolean, "sensitive", "是否未成年人", server_default=text("false")),
    code("consent", CONSENTS, "是否同意调解", field_class="status", nullable=True),
    column("consent_on", Date, "status", "表示同意或拒绝的日期", nullable=True),
    column("agent_powers", Text, "narrative", "代理权限", nullable=True, form="shared"),
    column("withdrawn_on", Date, "public", "退出日期", nullable=True),
    internal("supplied_by_id", Uuid, "提供该当事人信息的单位", ForeignKey("organization.id"), nullable=True),
    internal("company_id", Uuid, "物业企业", ForeignKey("company.id"), nullable=True, index=True),
    one_of("side", SIDES),
    one_of("kind", PARTY_KINDS),
    one_of("consent", CONSENTS),
    CheckConstraint("(consent IS NULL) = (consent_on IS NULL)", name="consent_day"),
    CheckConstraint(
        "(id_number IS NULL) = (id_number_cipher IS NULL) AND (id_number IS NULL) = (id_number_hash IS NULL)",
        name="id_number",
    ),
    CheckConstraint("id_number ~ '^[0-9]{6}[*]{8}[0-9]{3}[0-9X]$'", name="id_number_masked"),
    UniqueConstraint("id", "dispute_id"),
    Index("ix_party_name", "name"),
    Index("ix_party_phone", "phone"),
    comment="当事人",
)
