"""Versions of the access policy: each an immutable text with its tests, what was computed from them once, and who answers for it.

Only its state, its approvals and its impact are ever updated; what was approved is named by one digest.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    literal_column,
    select,
    text,
)

from db.tables.column import Codes, Instant, code, column, identity, internal, metadata, one_of, sql_list

POLICY_STATES = Codes(("DRAFT", "APPROVED", "PUBLISHED", "RETIRED"))
# Not live yet and never was: it may be approved, and an impact that is computed later voids its approval.
UNPUBLISHED_STATES = ("DRAFT", "APPROVED")

# What an approver approves: the text, its tests with their result and, once it is computed, the impact.
DIGEST = "encode(sha256(decode(sha256 || proof_sha256 || coalesce(impact_sha256, ''), 'hex')), 'hex')"


def _listed(name: str, label: str) -> Column[Any]:
    return column(name, ARRAY(Text), "policy", label, server_default=text("'{}'"))


policy_version = Table(
    "policy_version",
    metadata,
    identity(),
    column("version", Integer, "policy", "版本号", unique=True),
    column("text", Text, "policy", "策略全文", form="code"),
    column("sha256", Text, "policy", "全文散列", form="code"),
    column("tests", Text, "policy", "策略测试全文；空为随附的测试", nullable=True, form="code"),
    # Of the tests and their results.
    internal("proof_sha256", Text, "测试及其结果的散列", server_default=text("''")),
    internal("impact_sha256", Text, "影响的散列", nullable=True),
    column(
        "digest",
        Text,
        "policy",
        "批准所据的散列：全文、测试及结果、影响",
        Computed(DIGEST, persisted=True),
        nullable=True,
        form="code",
    ),
    code("state", POLICY_STATES, "状态", field_class="policy"),
    column("note", Text, "policy", "说明", nullable=True, form="shared"),
    column("rollback", Boolean, "policy", "是否为回退", server_default=text("false")),
    # -- computed when it was drafted
    column("green", Boolean, "policy", "测试是否全部符合且每条规则都有测试", server_default=text("false")),
    column("cases", Integer, "policy", "测试例数", server_default=text("0")),
    column("mutants", Integer, "policy", "改动规则的次数", server_default=text("0")),
    _listed("failures", "不符的测试"),
    _listed("survivors", "测试没有发现的改动"),
    column("widens", Boolean, "policy", "与起草时的现行版本相比是否有放宽", server_default=text("false")),
    _listed("differences", "与起草时的现行版本相比的变化"),
    _listed("gains", "起草人及其机构由此多得的权限"),
    column("approvals_needed", Integer, "policy", "须经几人批准", server_default=text("1")),
    # -- who answers for it, and when
    internal("parent_id", Uuid, "由哪一版改来", ForeignKey("policy_version.id"), nullable=True),
    internal("base_id", Uuid, "起草时的现行版本", ForeignKey("policy_version.id"), nullable=True),
    internal("author_id", Uuid, "起草人", ForeignKey("person.id"), nullable=True),
    internal("organization_ids", ARRAY(Uuid), "起草时起草人的任职机构", server_default=text("'{}'")),
    internal("approver_id", Uuid, "批准人", ForeignKey("person.id"), nullable=True),
    internal("second_approver_id", Uuid, "第二批准人", ForeignKey("person.id"), nullable=True),
    internal("approved_digest", Text, "批准时的散列", nullable=True),
    column("created_at", Instant, "policy", "起草时间", server_default=text("now()")),
    column("approved_at", Instant, "policy", "批准时间", nullable=True),
    column("published_at", Instant, "policy", "发布时间", nullable=True),
    one_of("state", POLICY_STATES),
    CheckConstraint(f"(state IN ({sql_list(UNPUBLISHED_STATES)})) = (published_at IS NULL)", name="published"),
    CheckConstraint("sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex')", name="sha256"),
    # SECURITY: the four-eyes principle, also for a writer that bypasses the commands. The first version of an installation has no author.
    CheckConstraint(
        "approver_id <> author_id AND second_approver_id <> author_id AND second_approver_id <> approver_id",
        name="four_eyes",
    ),
    CheckConstraint("second_approver_id IS NULL OR approver_id IS NOT NULL", name="second_approver"),
    CheckConstraint(
        "(approver_id IS NULL) = (approved_digest IS NULL) AND (approver_id IS NULL) = (approved_at IS NULL)",
        name="approval",
    ),
    CheckConstraint("approved_digest = digest", name="approved_digest"),
    CheckConstraint(
        "state = 'DRAFT' OR approver_id IS NOT NULL OR author_id IS NULL OR rollback AND state <> 'APPROVED'",
        name="approved",
    ),
    # One policy is live at any time.
    Index("uq_policy_version_live", "state", unique=True, postgresql_where=text("state = 'PUBLISHED'")),
    comment="策略版本",
)

# The number of the live version: one row, or none before the first is published.
LIVE_VERSION = select(policy_version.c.version).where(policy_version.c.state == literal_column("'PUBLISHED'"))
