"""The query root: the viewer, one object, lists, statistics, questions about the policy."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import strawberry

from schema.dispute import Dispute
from schema.node import Node, to_one
from schema.page import MAX_NODES, connection, planned
from schema.questions import explanation, impact, permissions, policy_text, who_sees
from schema.scalars import Instant
from schema.statistics import Statistics, StatisticsGroupBy, StatisticsPeriod

T = TypeVar("T")


def root(description: str) -> Callable[[Callable[..., T]], T]:
    """A field of the root with arguments of its own; it is planned like all that lies below it."""
    field: Callable[[Callable[..., T]], T] = strawberry.field(description=description)
    return field


@strawberry.type(description="调用者：凭令牌认定的人及其现任角色。")
class Viewer:
    person = to_one("person", "Person", "持有令牌的人。")
    roles: list[str] = strawberry.field(description="现任角色代码，含策略中继承的。")
    token_expires_at: Instant = strawberry.field(description="令牌的到期时间。")
    policy_version: int = strawberry.field(description="现行策略的版本号。")


@strawberry.type(description="查询。凡列表只含调用者可见的行；不可见的与不存在的，答复相同。")
class Query:
    @root("调用者本人。")
    def viewer(self) -> Viewer:
        return planned()

    @root("按全局标识取一个对象；不存在或不可见时为 null，并报 NOT_FOUND。")
    def node(self, id: Annotated[strawberry.ID, strawberry.argument(description="全局标识。")]) -> Node | None:
        return planned()

    @root("按全局标识取若干对象，次序与所给标识相同；不存在或不可见的，其位置为 null。")
    def nodes(
        self, ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"全局标识，至多 {MAX_NODES} 个。")]
    ) -> list[Node | None]:
        return planned()

    @root("按全局标识或卷号取一件纠纷，两者须且只须写一个；不存在或不可见时为 null，并报 NOT_FOUND。")
    def dispute(
        self,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="全局标识。")] = strawberry.UNSET,
        case_number: Annotated[
            str | None, strawberry.argument(description="卷号；全角半角、括号与空格的写法不论。")
        ] = strawberry.UNSET,
    ) -> Dispute | None:
        return planned()

    disputes = connection("dispute", "Dispute", "纠纷：登记台账。")
    mediators = connection("person", "Mediator", "调解员名册。")
    teams = connection("team", "Team", "“1+3”团队。")
    areas = connection("area", "Area", "区划。")
    compounds = connection("compound", "Compound", "小区。")
    companies = connection("compound", "Company", "物业企业。")
    organizations = connection("organization", "Organization", "机构。")
    people = connection("person", "Person", "工作人员。")
    agreements = connection("agreement", "Agreement", "调解协议。")
    obligations = connection("obligation", "Obligation", "协议义务；加 overdue 筛选即督促清单。")
    follow_ups = connection("follow_up", "FollowUp", "回访；加 done: false 筛选即待回访清单。")
    referrals = connection("referral", "Referral", "移送与邀请。")
    alerts = connection("risk", "Alert", "预警；加 state: [OPEN, HANDLING] 筛选即待办预警。")
    alert_rules = connection("risk", "AlertRule", "预警规则。")
    inspections = connection("visit", "Inspection", "排查，含零报告。")
    events = connection("event", "Event", "事件，即审计与办理轨迹。")
    policy_versions = connection("policy", "PolicyVersion", "访问策略的各个版本，由新到旧。")

    @root("统计：一段时间的合计，以及按一种方式的分组。")
    def statistics(
        self,
        period: Annotated[
            StatisticsPeriod | None, strawberry.argument(description="统计期；不写为全部时间。")
        ] = strawberry.UNSET,
        group_by: Annotated[
            StatisticsGroupBy | None, strawberry.argument(description="分组方式；不写则只有合计。")
        ] = strawberry.UNSET,
    ) -> Statistics:
        return planned()

    explain_access = explanation.explain_access
    who_can_see = who_sees.who_can_see
    what_can_see = permissions.what_can_see
    policy_check = policy_text.policy_check
    policy_test = policy_text.policy_test
    policy_diff = policy_text.policy_diff
    policy_matrix = policy_text.policy_matrix
    policy_impact = impact.policy_impact
    policy_impact_samples = impact.policy_impact_samples
