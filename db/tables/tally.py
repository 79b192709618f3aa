"""Rollups of the statistics, maintained by triggers in the transaction of each change (migration 0007), which alone write here.

`tally`: the measures of one dispute. `tally_sum`, `tally_days`: their rollups for each wide scope, group and month or year.
`tally_change`: changes that are not compacted into the rollups yet. In one snapshot, rollups and changes add up to its tallies.
"""

from typing import Any

from sqlalchemy import Column, Date, Index, Integer, SmallInteger, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.tables.column import internal, metadata

# The columns of a dispute whose values are wide scopes, the widest first.
SCOPES = ("county_code", "town_code", "squad_id", "centre_id", "source_organization_id")

# What is counted of a dispute whose mediation was concluded; all are zero for any other.
MEASURES = {
    "concluded": "终结",
    "resolved": "已化解",
    "agreed": "全部达成",
    "failed": "调解不成",
    "withdrawn": "受理后撤回",
    "settled": "达成、部分达成、不成或撤回",
    "closed": "已结案",
    "followed": "已化解且已回访",
    "ratings": "已化解的评价数",
    "good_ratings": "其中基本满意及以上",
    "rating_total": "评价之和",
    "due": "有义务的生效协议",
    "performed": "其中均已履行",
    "on_time": "按期终结",
    "confirmed": "达成且经司法确认",
    "local": "本地化解",
}


def _measures() -> list[Column[Any]]:
    return [internal(name, SmallInteger, label) for name, label in MEASURES.items()]


def _tally() -> list[Column[Any]]:
    return [
        internal("county_code", Text, "县区代码"),
        internal("town_code", Text, "镇街代码"),
        internal("squad_id", Uuid, "调解队", nullable=True),
        internal("centre_id", Uuid, "调解中心", nullable=True),
        internal("source_organization_id", Uuid, "来源单位", nullable=True),
        internal("compound_id", Uuid, "小区"),
        internal("state", Text, "状态"),
        internal("tier", Text, "办理层级"),
        internal("sub_category", Text, "物业纠纷子类"),
        internal("source", Text, "案件来源"),
        internal("registered_on", Date, "登记日（北京时间，下同）"),
        internal("accepted_on", Date, "受理日", nullable=True),
        internal("concluded_on", Date, "终结日", nullable=True),
        *_measures(),
        internal("days", Integer, "化解天数", nullable=True),
        # An agreement is due when the day of its last obligation has passed: what is not due yet is subtracted by the query.
        internal("due_on", Date, "各协议最后一项义务期限中最晚的", nullable=True),
        internal("due_days", ARRAY(Date), "各协议最后一项义务的期限"),
        internal("kept_days", ARRAY(Date), "其中均已履行的"),
    ]


tally = Table(
    "tally",
    metadata,
    internal("dispute_id", Uuid, "纠纷", primary_key=True),
    *_tally(),
    # The days at the ends of a period that no whole month covers, of a county or of one of its towns.
    Index("ix_tally_registered_on", "registered_on", "town_code"),
    Index("ix_tally_accepted_on", "accepted_on", "town_code", postgresql_where=text("accepted_on IS NOT NULL")),
    Index("ix_tally_concluded_on", "concluded_on", "town_code", postgresql_where=text("concluded_on IS NOT NULL")),
    Index("ix_tally_due_on", "due_on", postgresql_where=text("due_on IS NOT NULL")),
    # Scopes whose disputes lie all over the county.
    *(
        Index(f"ix_tally_{scope}", scope, "concluded_on", postgresql_where=text(f"{scope} IS NOT NULL"))
        for scope in ("squad_id", "centre_id", "source_organization_id")
    ),
    comment="纠纷的统计数",
)

tally_change = Table(
    "tally_change",
    metadata,
    internal("weight", SmallInteger, "一为加，负一为减"),
    internal("dispute_id", Uuid, "纠纷"),
    *_tally(),
    comment="尚未并入合计的统计变动",
)


def _key() -> list[Column[Any]]:
    return [
        internal("scope_kind", Text, "范围的类别", primary_key=True),
        internal("scope", Text, "范围", primary_key=True),
        internal("group_kind", Text, "分组方式", primary_key=True),
        internal("grain", Text, "月或年", primary_key=True),
        internal("starts_on", Date, "起始日", primary_key=True),
        internal("group_value", Text, "分组键", primary_key=True),
    ]


tally_sum = Table(
    "tally_sum",
    metadata,
    *_key(),
    internal("registered", Integer, "登记"),
    internal("accepted", Integer, "受理"),
    internal("finished", Integer, "有终结日的，不论是否受理"),
    *(internal(name, Integer, label) for name, label in MEASURES.items()),
    internal("days", Integer, "化解天数之和"),
    internal("dated", Integer, "有化解天数的"),
    comment="统计数的合计",
)

tally_days = Table(
    "tally_days",
    metadata,
    *_key(),
    internal("days", Integer, "化解天数", primary_key=True, autoincrement=False),
    internal("number", Integer, "纠纷数"),
    comment="化解天数的分布",
)
