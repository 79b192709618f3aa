"""People who work with the service, their appointments and the register of mediators. Parties are not among them."""

from enum import Enum

import strawberry

from db.tables.person import HIRE_KINDS, PERSON_STATES
from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_many, to_one
from schema.page import connection
from schema.scalars import Day


@code_enum("工作人员的账号状态。", PERSON_STATES)
class PersonState(Enum):
    ACTIVE = "正常"
    SUSPENDED = "停用"


@strawberry.input(description="工作人员的筛选条件。")
class PersonFilter:
    name: str | None = condition("name", "eq", "姓名，完全相同。")


@code_enum("工作人员的排序字段。")
class PersonOrderField(Enum):
    NAME = "姓名"


@strawberry.input(description="工作人员的排序。")
class PersonOrder:
    field: PersonOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("工作人员：调解员、网格员、联动单位人员和管理人员；当事人不在其列。")
class Person(Node):
    name: str | None = field()
    phone: str | None = field()
    state: PersonState | None = field()
    mediator = to_one("person", "Mediator", "其调解员登记；不是调解员的为 null。")
    appointments = to_many("person", "Appointment", "任职，含已届满的。")
    team_memberships = to_many("team", "TeamMember", "在“1+3”团队的任职，含已退出的。")


@node("任职：一个人在一个机构、一片区域、一段时间内的角色。读取权限随任职的起止而生灭。")
class Appointment(Node):
    role: str | None = field("角色代码，以现行策略中的角色为准，如 mediator、grid_worker。")
    valid_from: Day | None = field()
    valid_to: Day | None = field("任职截止日期，含当日；未定期限的为 null。")
    person = to_one("person", "Person", "任职的人。")
    organization = to_one("organization", "Organization", "任职机构。")
    area = to_one("area", "Area", "任职区域。")
    delegated_from = to_one("person", "Appointment", "代行的是哪一任职；不是代行的为 null。")


@code_enum("调解员的身份，见《人民调解法》第十三条。", HIRE_KINDS)
class HireKind(Enum):
    MEMBER = "调解委员会委员"
    HIRED = "调解委员会聘任"


@strawberry.input(description="调解员的筛选条件。")
class MediatorFilter:
    organization_id: strawberry.ID | None = condition("organization", "is", "所在调解组织的全局标识。")
    full_time: bool | None = condition("full_time", "eq", "true 只取专职，false 只取兼职。")
    area_code: str | None = condition("area", "area", "所在调解组织辖区的区划代码（6、9、12 或 15 位），含其下级。")


@code_enum("调解员的排序字段。")
class MediatorOrderField(Enum):
    QUALIFIED_ON = "任职日期"


@strawberry.input(description="调解员的排序。")
class MediatorOrder:
    field: MediatorOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("调解员：人民调解员名册上的一条登记。")
class Mediator(Node):
    name: str | None = field("姓名，取自工作人员。")
    hired_as: HireKind | None = field()
    full_time: bool | None = field()
    specialty: str | None = field()
    qualified_on: Day | None = field()
    term_ends_on: Day | None = field("任期届满日期，届满后不得再受指派；未定任期的为 null。")
    person = to_one("person", "Person", "其人。")
    organization = to_one("organization", "Organization", "所在调解组织。")
    disputes = connection("dispute", "Dispute", "现受指派调解的纠纷，包括主持的和协助的。")
