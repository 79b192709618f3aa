"""The impact of another policy text on the data, computed once for a pair of texts: the progress of the run, and its result."""

from sqlalchemy import BigInteger, CheckConstraint, Integer, Table, Text, UniqueConstraint, text

from db.tables.column import Instant, identity, internal, metadata, one_of

IMPACT_STATES = ("RUNNING", "DONE", "FAILED")

policy_impact = Table(
    "policy_impact",
    metadata,
    identity(),
    internal("sha256", Text, "所问策略的散列"),
    internal("against_sha256", Text, "与之比较的策略的散列"),
    internal("state", Text, "状态"),
    internal("done", Integer, "已数的项数", server_default=text("0")),
    internal("total", Integer, "应数的项数", server_default=text("0")),
    internal("epoch", BigInteger, "所据快照的纪元", nullable=True),
    internal("result", Text, "结果，JSON", nullable=True),
    internal("digest", Text, "结果的散列", nullable=True),
    internal("begun_at", Instant, "开始时间", server_default=text("now()")),
    # The heartbeat: a run without one has been cut off.
    internal("beat_at", Instant, "最近一次报告进度的时间", server_default=text("now()")),
    internal("ended_at", Instant, "结束时间", nullable=True),
    UniqueConstraint("sha256", "against_sha256"),
    one_of("state", IMPACT_STATES),
    CheckConstraint(
        "(state = 'DONE') = (result IS NOT NULL AND digest IS NOT NULL AND epoch IS NOT NULL)", name="result"
    ),
    CheckConstraint("(state = 'RUNNING') = (ended_at IS NULL)", name="ended"),
    comment="策略影响",
)
