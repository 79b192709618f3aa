"""The metrics of a period, each with its formula in its description; totals and, on demand, groups."""

from enum import Enum
from typing import Any

import strawberry

from schema.node import code_enum
from schema.scalars import Day


@code_enum("统计的分组方式。")
class StatisticsGroupBy(Enum):
    TOWN = "按镇街"
    STATE = "按状态"
    TIER = "按办理层级"
    SUB_CATEGORY = "按物业纠纷子类"
    SOURCE = "按案件来源"
    MONTH = "按调解终结的月份；尚未终结的不列入"
    COMPOUND = "按小区"


@strawberry.input(description="统计期，按调解终结日，北京时间，起止两端都含当日；两端都可不写。")
class StatisticsPeriod:
    from_: Day | None = strawberry.field(name="from", description="起始日；不写为不限。", default=strawberry.UNSET)
    to: Day | None = strawberry.field(description="截止日；不写为不限。", default=strawberry.UNSET)


def metric(description: str) -> Any:
    """A metric: null where the denominator is zero or where the number is too small to be published."""
    return strawberry.field(description=description)


@strawberry.type(description="一组数字。")
class Metrics:
    """What totals and groups have in common; not a type of the schema."""

    registered: int | None = metric("登记数：登记时间在统计期内的纠纷。")
    accepted: int | None = metric("受理数：受理时间在统计期内的纠纷。")
    concluded: int | None = metric("终结数：受理后调解终结，且终结时间在统计期内的纠纷。")
    agreed: int | None = metric("成功数：有全部达成且已生效的协议，终结时间在统计期内的纠纷。")
    failed: int | None = metric("调解不成数：调解结果为调解不成，归档的也算，终结时间在统计期内的纠纷。")
    withdrawn: int | None = metric("撤回数：受理后当事人撤回，归档的也算，终结时间在统计期内的纠纷。")
    resolved: int | None = metric(
        "已化解数：调解结果为达成协议并已履行，结案、归档的也算；免除、不能履行的不算履行；终结时间在统计期内的纠纷。"
    )
    followed_up: int | None = metric(
        "已回访数：已化解的纠纷中，最后一次履行之后回访到当事人的；联系不上、查明未履行的不算。"
    )
    follow_up_rate: float | None = metric("回访率 = 已回访数 ÷ 已化解数。")
    success_rate_of_accepted: float | None = metric("调解成功率（按受理）= 成功数 ÷ 受理数。")
    success_rate_of_concluded: float | None = metric(
        "调解成功率（按终结）= 成功数 ÷（成功数 + 部分达成数 + 调解不成数 + 撤回数）。"
    )
    performance_rate: float | None = metric(
        "协议履行率 = 各项义务均已履行（含强制执行）的协议 ÷ 最后一项义务的履行期限已过的协议；所属纠纷终结于统计期内，期限未到不计。"
        "免除、不能履行都不是履行：不计入分子，仍计入分母。"
    )
    satisfaction_rate: float | None = metric("满意率 = 满意度 3（基本满意）及以上的评价数 ÷ 评价数 ratings。")
    average_satisfaction: float | None = metric("平均满意度 = 各次评价之和 ÷ 评价数 ratings，1 至 5。")
    ratings: int | None = metric("评价数：已化解纠纷的已完成回访中，给出满意度的次数。")
    average_days: float | None = metric("平均化解天数：已化解的纠纷从受理日到协议生效日的天数（北京时间）的平均值。")
    median_days: float | None = metric("化解天数中位数：已化解的纠纷从受理日到协议生效日的天数（北京时间）的中位数。")
    on_time_rate: float | None = metric("按期率 = 终结日不晚于调解期限届满日（含经同意延长的）的纠纷 ÷ 终结数。")
    confirmed_rate: float | None = metric("司法确认率 = 成功数中经法院裁定协议有效的纠纷 ÷ 成功数。")
    local_rate: float | None = metric(
        "本地化解率 = 已化解且未移送法庭、未转办其他单位的纠纷 ÷ 终结数。各层级化解情况按 TIER 分组查看。"
    )
    rebound_rate: float | None = metric(
        "反弹率 = 结案后一百八十日内登记了关联的反弹纠纷的 ÷ 终结于统计期内、达成协议且已结案的纠纷。"
    )


@strawberry.type(description="一个分组的数字，口径与合计相同。")
class StatisticsGroup(Metrics):
    key: str | None = strawberry.field(
        description="分组键：镇街为区划代码，小区为全局标识，月份如 2024-02，其余为枚举值；尚未归入任何一组的不列出。"
    )
    label: str | None = strawberry.field(description="显示名称：镇街、小区、状态等的名称；月份与 key 相同。")


@strawberry.type(
    description="统计：只计调用者可见的纠纷。比率为 0 至 1 的小数，如 0.9915；分母为零时为 null，不作 0 或 1。"
    "对县司法局以外的调用者，小于 5 的数及由其算得的比率不予公布，为 null。"
)
class Statistics(Metrics):
    groups: list[StatisticsGroup] = strawberry.field(description="各分组，按分组键升序；未写 groupBy 的为空。")
