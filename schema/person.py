"""People who work with the service, their appointments and the register of mediators. Parties are not among them."""

from enum import Enum

import strawberry

from db.tables.person import HIRE_KINDS, PERSON_STATES
from schema.node import Direction, Node, code_enum, descending, many, match, node, one, word
from schema.page import rows
from schema.scalars import Day


@code_enum("工作人员的账号状态。", PERSON_STATES)
class PersonState(Enum):
    ACTIVE = "正常"
    SUSPENDED = "停用"


@strawberry.input(description="工作人员的筛选条件。")
class PersonFilter:
    name: str | None = match("name", "eq", "姓名，完全相同。")


@code_enum("工作人员的排序字段。")
class PersonOrderField(Enum):
    NAME = "姓名"


@strawberry.input(description="工作人员的排序。")
class PersonOrder:
    field: PersonOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending()


@node("工作人员：调解员、网格员、联动单位人员和管理人员；当事人不在其列。")
class Person(Node):
    name: str | None = word("姓名。")
    phone: str | None = word("工作电话。")
    state: PersonState | None = word("账号状态。")
    mediator = one("person", "Mediator", "其调解员登记；不是调解员的为 null。")
    appointments = many("person", "Appointment", "任职，含已届满的。")
    team_memberships = many("team", "TeamMember", "在“1+3”团队的任职，含已退出的。")


@node("任职：一个人在一个机构、一片区域、一段时间内的角色。读取权限随任职的起止而生灭。")
class Appointment(Node):
    role: str | None = word("角色代码，以现行策略中的角色为准，如 mediator、grid_worker。")
    valid_from: Day | None = word("任职开始日期。")
    valid_to: Day | None = word("任职截止日期，含当日；未定期限的为 null。")
    person = one("person", "Person", "任职的人。")
    organization = one("organization", "Organization", "任职机构。")
    area = one("area", "Area", "任职区域。")
    delegated_from = one("person", "Appointment", "代行的是哪一任职；不是代行的为 null。")


@code_enum("调解员的身份，见《人民调解法》第十三条。", HIRE_KINDS)
class HireKind(Enum):
    MEMBER = "调解委员会委员"
    HIRED = "调解委员会聘任"


@strawberry.input(description="调解员的筛选条件。")
class MediatorFilter:
    organization_id: strawberry.ID | None = match("organization", "is", "所在调解组织的全局标识。")
    full_time: bool | None = match("full_time", "eq", "true 只取专职，false 只取兼职。")
    area_code: str | None = match("area", "area", "所在调解组织辖区的区划代码（6、9、12 或 15 位），含其下级。")


@code_enum("调解员的排序字段。")
class MediatorOrderField(Enum):
    QUALIFIED_ON = "任职日期"


@strawberry.input(description="调解员的排序。")
class MediatorOrder:
    field: MediatorOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending()


@node("调解员：人民调解员名册上的一条登记。")
class Mediator(Node):
    name: str | None = word("姓名，取自工作人员。")
    hired_as: HireKind | None = word("身份：委员或聘任。")
    full_time: bool | None = word("是否专职。")
    specialty: str | None = word("擅长领域。")
    qualified_on: Day | None = word("任职日期。")
    term_ends_on: Day | None = word("任期届满日期，届满后不得再受指派；未定任期的为 null。")
    person = one("person", "Person", "其人。")
    organization = one("organization", "Organization", "所在调解组织。")
    disputes = rows("dispute", "Dispute", "现受指派调解的纠纷，包括主持的和协助的。")
