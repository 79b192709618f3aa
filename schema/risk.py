"""Risk: assessments of a dispute, the alerts that rules open, and the rules."""

from enum import Enum

import strawberry

from db.tables.risk import ALERT_LEVELS, ALERT_RULES, ALERT_STATES
from schema.dispute import RiskLevel
from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_one
from schema.scalars import Day, Instant


@code_enum("预警的状态。", ALERT_STATES)
class AlertState(Enum):
    OPEN = "待处置"
    HANDLING = "处置中"
    CLOSED = "已关闭"


@code_enum("预警的级别，由轻到重。", ALERT_LEVELS)
class AlertLevel(Enum):
    REMINDER = "提醒"
    YELLOW = "黄色"
    ORANGE = "橙色"
    RED = "红色"


@code_enum("预警所依的规则。", ALERT_RULES)
class AlertKind(Enum):
    UTILITY_CUTOFF = "停水停电停气停暖"
    HIGH_RISK = "高风险"
    MONTH_OVERDUE = "调解期满未延长"
    OBLIGATION_OVERDUE = "义务逾期未履行"
    CONFIRMATION_WINDOW = "司法确认期限将满"
    DISSATISFIED = "回访不满意"
    COMPOUND_CLUSTER = "同一小区多发"
    COMPANY_CLUSTER = "同一物业企业多发"
    REPEAT_PARTY = "同一当事人多次发生纠纷"
    PERFORMANCE_FACTOR = "可能影响履行"


@strawberry.input(description="预警的筛选条件。日期均按北京时间，起止两端都含当日。")
class AlertFilter:
    state: list[AlertState] | None = condition("state", "in", "状态，取其一即可。")
    rule: list[AlertKind] | None = condition("rule", "in", "规则，取其一即可。")
    level: list[AlertLevel] | None = condition("level", "in", "级别，取其一即可。")
    area_code: str | None = condition("area", "area", "纠纷发生地的区划代码（6、9、12 或 15 位），含其下级。")
    compound_id: strawberry.ID | None = condition("compound", "is", "小区的全局标识；指小区多发的预警。")
    company_id: strawberry.ID | None = condition("company", "is", "物业企业的全局标识；指企业多发的预警。")
    dispute_id: strawberry.ID | None = condition("dispute", "is", "所涉纠纷的全局标识。")
    opened_from: Day | None = condition("opened_at", "from_day", "产生日不早于。")
    opened_to: Day | None = condition("opened_at", "to_day", "产生日不晚于。")


@code_enum("预警的排序字段。")
class AlertOrderField(Enum):
    OPENED_AT = "产生时间"
    DUE_ON = "应处置日期"
    CLOSED_AT = "关闭时间"
    STATE = "状态"


@strawberry.input(description="预警的排序。")
class AlertOrder:
    field: AlertOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("预警：由规则产生，经处置并写明说明后方可关闭。")
class Alert(Node):
    rule: AlertKind | None = field()
    level: AlertLevel | None = field()
    state: AlertState | None = field("状态。")
    message: str | None = field()
    legal_basis: str | None = field("法律依据与处置建议；规则未写明的为 null。")
    opened_at: Instant | None = field()
    due_on: Day | None = field("应处置日期，或所预警的期限；没有的为 null。")
    note: str | None = field("处置说明；未关闭的为 null。")
    closed_at: Instant | None = field("关闭时间；未关闭的为 null。")
    dispute = to_one("dispute", "Dispute", "所涉纠纷；多发预警为其中最近的一件。")
    compound = to_one("compound", "Compound", "多发的小区；其他预警为 null。")
    company = to_one("compound", "Company", "多发的物业企业；其他预警为 null。")
    handler = to_one("person", "Person", "处置人；尚无人处置的为 null。")


@strawberry.input(description="预警规则的筛选条件。")
class AlertRuleFilter:
    rule: list[AlertKind] | None = condition("rule", "in", "规则，取其一即可。")
    enabled: bool | None = condition("enabled", "flag", "true 只取启用的，false 只取停用的。")


@code_enum("预警规则的排序字段。")
class AlertRuleOrderField(Enum):
    RULE = "规则"
    LEVEL = "级别"


@strawberry.input(description="预警规则的排序。")
class AlertRuleOrder:
    field: AlertRuleOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("预警规则：什么情形产生什么级别的预警，依据哪条法律。")
class AlertRule(Node):
    rule: AlertKind | None = field()
    label: str | None = field()
    level: AlertLevel | None = field("产生的预警的级别。")
    legal_basis: str | None = field("法律依据与处置建议；没有的为 null。")
    enabled: bool | None = field()


@node("风险评估：对一件纠纷的一次评估。")
class Assessment(Node):
    level: RiskLevel | None = field()
    assessed_at: Instant | None = field()
    reason: str | None = field("依据；高风险而不报送派出所的，其理由。")
    reported: bool | None = field()
    dispute = to_one("dispute", "Dispute", "所评估的纠纷。")
    assessor = to_one("person", "Person", "评估人。")
