"""The 1+3 teams and their members."""

from enum import Enum

import strawberry

from db.tables.team import TEAM_ROLES, TEAM_STATES
from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_many, to_one
from schema.page import connection
from schema.scalars import Day


@code_enum("“1+3”团队的状态。", TEAM_STATES)
class TeamState(Enum):
    FORMING = "组建中"
    ACTIVE = "运行中"
    DISSOLVED = "已撤销"


@code_enum("在“1+3”团队中的角色：一名网格员对接其余三种各一名。", TEAM_ROLES)
class TeamRole(Enum):
    GRID_WORKER = "网格员"
    LEGAL_ADVISER = "法律顾问"
    LAW_LEADER = "法治带头人"
    MEDIATOR = "人民调解员"


@strawberry.input(description="“1+3”团队的筛选条件。")
class TeamFilter:
    state: list[TeamState] | None = condition("state", "in", "状态，取其一即可。")
    area_code: str | None = condition("area", "area", "服务网格所在的区划代码（6、9、12 或 15 位），含其下级。")


@code_enum("“1+3”团队的排序字段。")
class TeamOrderField(Enum):
    NAME = "团队名称"


@strawberry.input(description="“1+3”团队的排序。")
class TeamOrder:
    field: TeamOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("“1+3”团队：服务一个网格，一个网格同时只有一个运行中的团队。")
class Team(Node):
    name: str | None = field()
    state: TeamState | None = field()
    formed_on: Day | None = field()
    dissolved_on: Day | None = field("撤销日期；未撤销的为 null。")
    area = to_one("area", "Area", "服务的网格。")
    members = to_many("team", "TeamMember", "成员，含已退出的；现任者 validTo 为 null。")
    disputes = connection("dispute", "Dispute", "由本团队承办过的纠纷，含已移交上一层级的。")


@node("“1+3”团队的一名成员。")
class TeamMember(Node):
    role: TeamRole | None = field()
    valid_from: Day | None = field()
    valid_to: Day | None = field("退出日期；现任为 null。")
    team = to_one("team", "Team", "所在团队。")
    person = to_one("person", "Person", "成员其人。")
