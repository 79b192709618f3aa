"""Disputes: the register of property disputes, from registration to archive."""

from enum import Enum

import strawberry

from db.tables.dispute import (
    CATEGORIES,
    DECLINE_REASONS,
    RESULTS,
    RISK_LEVELS,
    SOURCES,
    STATES,
    SUB_CATEGORIES,
    TIERS,
    UTILITIES,
)
from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_many, to_one
from schema.page import connection
from schema.scalars import Day, Instant, Money


@code_enum("纠纷的状态。", STATES)
class DisputeState(Enum):
    REGISTERED = "已登记"
    ACCEPTED = "已受理"
    DECLINED = "不予受理"
    MEDIATING = "调解中"
    AGREED = "达成协议"
    PERFORMING = "履行中"
    PERFORMED = "已履行"
    UNPERFORMED = "未全部履行而终结"
    CLOSED = "已结案"
    ARCHIVED = "已归档"
    FAILED = "调解不成"
    WITHDRAWN = "当事人撤回"
    REFUSED = "当事人拒绝调解"


@code_enum("调解结果：纠纷终结的结果，结案、归档后不变。", RESULTS)
class DisputeResult(Enum):
    AGREED = "达成协议，尚待履行"
    PERFORMED = "达成协议并已履行"
    UNPERFORMED = "达成协议而未全部履行"
    FAILED = "调解不成"
    WITHDRAWN = "当事人撤回"
    REFUSED = "当事人拒绝调解"
    DECLINED = "不予受理"


@code_enum("办理层级；一件纠纷同时只由一个层级承办。", TIERS)
class DisputeTier(Enum):
    TEAM = "“1+3”团队"
    SQUAD = "物业纠纷调解队"
    CENTRE = "矛盾调解中心"


@code_enum("风险等级。", RISK_LEVELS)
class RiskLevel(Enum):
    LOW = "低"
    MEDIUM = "中"
    HIGH = "高"


@code_enum("纠纷类型。", CATEGORIES)
class DisputeCategory(Enum):
    PROPERTY = "物业纠纷"
    NEIGHBOUR = "邻里纠纷"
    CONTRACT = "合同纠纷"
    DAMAGE = "损害赔偿纠纷"
    OTHER = "其他"


@code_enum("物业纠纷的子类。", SUB_CATEGORIES)
class DisputeSubCategory(Enum):
    P01 = "物业费拖欠、拒交"
    P02 = "停水停电停气停暖、拒绝充值催费"
    P03 = "收费标准、违规收费、退费"
    P04 = "空置房物业费"
    P05 = "服务质量（保洁、绿化、安保、维修不及时）"
    P06 = "公共设施设备维修（电梯、消防、外墙、管网）"
    P07 = "房屋漏水、渗水、质量"
    P08 = "专项维修资金"
    P09 = "公共收益（广告、停车、租赁）"
    P10 = "车位、停车、充电桩"
    P11 = "装饰装修"
    P12 = "违章搭建、占用共有部分、堆物、飞线充电"
    P13 = "噪声、饲养动物、高空抛物、相邻关系"
    P14 = "人身财产损害（被盗、车损、摔伤）"
    P15 = "业主委员会选举、决议、知情权"
    P16 = "物业选聘、解聘、退出交接"
    P17 = "前期物业、开发遗留"
    P18 = "个人信息泄露、骚扰威胁"
    P19 = "水电费代收、损耗、手续费"
    P99 = "其他"


@code_enum("案件来源。", SOURCES)
class DisputeSource(Enum):
    APPLY = "当事人申请"
    INITIATIVE = "调解委员会主动调解"
    GRID = "网格员巡查上报"
    COURT = "法院委派、委托或告知"
    POLICE = "公安机关移送或告知"
    PETITION = "信访部门移送"
    HOTLINE = "12345 热线转办"
    GOVERNANCE_CENTRE = "综治中心分流"
    DEPARTMENT = "其他部门移送（住建等）"
    ONLINE = "网上或扫码申请"
    OTHER = "其他"


@strawberry.input(description="纠纷的筛选条件。日期均按北京时间，起止两端都含当日。")
class DisputeFilter:
    state: list[DisputeState] | None = condition("state", "in", "状态，取其一即可。")
    tier: list[DisputeTier] | None = condition("tier", "in", "当前办理层级，取其一即可。")
    category: list[DisputeCategory] | None = condition("category", "in", "纠纷类型，取其一即可。")
    sub_category: list[DisputeSubCategory] | None = condition("sub_category", "in", "物业纠纷子类，取其一即可。")
    source: list[DisputeSource] | None = condition("source", "in", "案件来源，取其一即可。")
    risk_level: list[RiskLevel] | None = condition("risk_level", "in", "风险等级，取其一即可。")
    result: list[DisputeResult] | None = condition("result", "in", "调解结果，取其一即可；已归档的也按原来的结果。")
    case_number: str | None = condition("case_number", "eq", "卷号；全角半角、括号与空格的写法不论。")
    area_code: str | None = condition("area", "area", "发生地的区划代码（6、9、12 或 15 位），含其下级。")
    compound_id: strawberry.ID | None = condition("compound", "is", "小区的全局标识。")
    team_id: strawberry.ID | None = condition("team", "is", "“1+3”团队的全局标识。")
    mediator_id: strawberry.ID | None = condition(
        "lead_mediator", "mediator", "调解员的全局标识：现受指派的纠纷，包括主持的和协助的。"
    )
    registered_from: Day | None = condition("registered_at", "from_day", "登记日不早于。")
    registered_to: Day | None = condition("registered_at", "to_day", "登记日不晚于。")
    accepted_from: Day | None = condition("accepted_at", "from_day", "受理日不早于。")
    accepted_to: Day | None = condition("accepted_at", "to_day", "受理日不晚于。")
    concluded_from: Day | None = condition("concluded_at", "from_day", "调解终结日不早于。")
    concluded_to: Day | None = condition("concluded_at", "to_day", "调解终结日不晚于。")
    closed_from: Day | None = condition("closed_at", "from_day", "结案日不早于。")
    closed_to: Day | None = condition("closed_at", "to_day", "结案日不晚于。")
    occurred_from: Day | None = condition("occurred_on", "from", "发生日期不早于。")
    occurred_to: Day | None = condition("occurred_on", "to", "发生日期不晚于。")
    due_before: Day | None = condition("due_on", "before_day", "调解期限在此日之前届满，不含此日。")
    amount_min: Money | None = condition("amount_claimed", "from", "争议金额不低于。")
    amount_max: Money | None = condition("amount_claimed", "to", "争议金额不高于。")
    late_days_min: int | None = condition("late_days", "from", "有过迟记至少这么多日的补记。")
    one_hand: bool | None = condition(
        "one_hand", "flag", "true 只取登记、受理、调解、签章出自一人之手的，false 只取其余的。"
    )
    overdue: bool | None = condition("overdue", "flag", "true 只取超期未终结的，false 只取其余的。")
    text: str | None = condition(
        "title",
        "text",
        "在标题、公开摘要、卷号及（有权阅读时）案情中检索：空格分开的各词都要出现，至少一个词不少于两个字。",
    )
    external_ref: str | None = condition(
        "external_ref", "eq", "来源单位的单号；全角半角、大小写、横线与空格的写法不论。"
    )
    party_name: str | None = condition(
        "parties.name", "party", "任一当事人的姓名或名称，全称；全角半角与空格的写法不论。"
    )
    party_phone: str | None = condition(
        "parties.phone", "party", "任一当事人的联系电话；区号后的横线、空格与 +86 的写法不论。"
    )


@code_enum("公用事业。", UTILITIES)
class Utility(Enum):
    WATER = "供水"
    POWER = "供电"
    GAS = "供气"
    HEAT = "供暖"


@code_enum("不予受理的原因。", DECLINE_REASONS)
class DeclineReason(Enum):
    RESERVED = "法律规定由专门机关管辖或禁止民间调解"
    ELSEWHERE = "法院、公安或其他行政机关已受理或处理"
    NOT_CIVIL = "不属民事权益"
    OUT_OF_AREA = "不属本辖区"
    ADMINISTRATIVE = "行政争议"
    PARTY_REFUSES = "一方拒绝调解"
    DUPLICATE = "重复登记"


@code_enum("纠纷的排序字段。")
class DisputeOrderField(Enum):
    REGISTERED_AT = "登记时间"
    OCCURRED_ON = "发生日期"
    ACCEPTED_AT = "受理时间"
    DUE_ON = "调解期限届满日期"
    CONCLUDED_AT = "调解终结时间"
    CLOSED_AT = "结案时间"
    AMOUNT_CLAIMED = "争议金额"
    PEOPLE_COUNT = "涉及人数"
    CASE_NUMBER = "卷号"
    TITLE = "标题"
    STATE = "状态"


@strawberry.input(description="纠纷的排序。")
class DisputeOrder:
    field: DisputeOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("纠纷：登记台账上的一件。")
class Dispute(Node):
    case_number: str | None = field("卷号，受理时按调解委员会、年度连续编号；未受理的为 null。")
    title: str | None = field()
    category: DisputeCategory | None = field()
    sub_category: DisputeSubCategory | None = field("物业纠纷的子类。")
    source: DisputeSource | None = field()
    state: DisputeState | None = field()
    tier: DisputeTier | None = field()
    risk_level: RiskLevel | None = field()
    result: DisputeResult | None = field("调解结果；尚未终结的为 null。结案、归档不改变它。")
    amount_claimed: Money | None = field("争议金额，元；不涉及金额的为 null。")
    people_count: int | None = field()
    summary: str | None = field()
    public_summary: str | None = field()
    occurred_on: Day | None = field()
    registered_at: Instant | None = field()
    accepted_at: Instant | None = field("受理时间；未受理的为 null。")
    notified_at: Instant | None = field("告知当事人权利义务的时间；未告知的为 null。")
    due_on: Day | None = field("调解期限届满日期：自受理起一个月，经双方同意可延长，见 extensions；未受理的为 null。")
    overdue: bool | None = field("是否超期：调解尚未终结而期限已过。")
    concluded_at: Instant | None = field("调解终结时间：达成协议、调解不成、撤回或拒绝之时；未终结的为 null。")
    closed_at: Instant | None = field("结案时间：履行完毕或依法了结，且回访之后；未结案的为 null。")
    utility_cut: Utility | None = field("被停的公用事业；没有的为 null。")
    decline_reason: DeclineReason | None = field("不予受理的原因；其余的为 null。")
    advice: str | None = field("不予受理时告知当事人的其他途径。")
    outcome: str | None = field()
    external_ref: str | None = field("来源单位的单号，如热线工单号。")
    late_days: int | None = field("办理经过中最迟的一次补记迟了多少日；各次见 timeline。")
    one_hand: bool | None = field("登记、受理、调解、拟约、签章是否出自一人之手；这样的纠纷须由他人盖章、结案。")
    version: int | None = field("版本号，每次变更加一；修改时作为 expectedVersion 送回。")
    clocks = to_many("timeline", "Clock", "各项时限及其状况；只含据以计算的内容调用者都能阅读的。")
    timeline = to_many("timeline", "TimelineEntry", "办理经过，由先到后；只含调用者现在看得到的对象上的操作。")
    area = to_one("area", "Area", "发生地的网格。")
    compound = to_one("compound", "Compound", "所在小区。")
    committee = to_one("organization", "Organization", "受理的人民调解委员会；未受理的为 null。")
    source_organization = to_one("organization", "Organization", "移送或转办的来源单位；当事人自行申请等情形为 null。")
    lead_mediator = to_one("person", "Mediator", "现主持调解的调解员；未指派的为 null。")
    team = to_one("team", "Team", "承办的“1+3”团队。")
    squad = to_one("organization", "Organization", "移交到的物业纠纷调解队；未移交的为 null。")
    centre = to_one("organization", "Organization", "移交到的矛盾调解中心；未移交的为 null。")
    previous = to_one("dispute", "Dispute", "反弹或再立之前的纠纷；不是再立的为 null。")
    assignments = to_many("assignment", "Assignment", "调解员的指派，含已结束的。")
    parties = to_many("party", "Party", "当事人。")
    measures = to_many("measure", "Measure", "应急先行措施，如恢复供水。")
    sessions = to_many("session", "Session", "历次调解。")
    notes = to_many("session", "Note", "工作记录（不入卷）；只含调用者在其知悉范围之内的。")
    agreements = to_many("agreement", "Agreement", "调解协议。")
    obligations = to_many("obligation", "Obligation", "各协议约定的义务。")
    confirmations = to_many("agreement", "Confirmation", "司法确认。")
    extensions = to_many("agreement", "Extension", "经双方同意的期限延长。")
    follow_ups = to_many("follow_up", "FollowUp", "回访，含尚未进行的。")
    referrals = to_many("referral", "Referral", "移送与邀请。")
    alerts = to_many("risk", "Alert", "预警，含已关闭的。")
    assessments = to_many("risk", "Assessment", "风险评估。")
    escalations = to_many("handover", "Escalation", "层级移交，含被退回的。")
    recusals = to_many("handover", "Recusal", "披露与回避。")
    opinions = to_many("handover", "Opinion", "意见。")
    visits = to_many("visit", "Visit", "走访。")
    factors = to_many("visit", "Factor", "影响履行的因素。")
    events = connection("event", "Event", "本件的办理轨迹。")
