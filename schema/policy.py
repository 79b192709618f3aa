"""Versions of the access policy, as policy administrators see them."""

from enum import Enum

import strawberry

from db.tables.policy import POLICY_STATES
from schema.node import Direction, Node, code_enum, condition, descending_direction, field, node, to_one
from schema.scalars import Instant


@code_enum("访问策略版本的状态。", POLICY_STATES)
class PolicyState(Enum):
    DRAFT = "待批准"
    APPROVED = "已批准，待发布"
    PUBLISHED = "现行"
    RETIRED = "已被取代"


@strawberry.input(description="访问策略版本的筛选条件。")
class PolicyVersionFilter:
    state: list[PolicyState] | None = condition("state", "in", "状态，取其一即可。")
    version: int | None = condition("version", "eq", "版本号。")


@code_enum("访问策略版本的排序字段。")
class PolicyVersionOrderField(Enum):
    VERSION = "版本号"


@strawberry.input(description="访问策略版本的排序。")
class PolicyVersionOrder:
    field: PolicyVersionOrderField = strawberry.field(description="排序字段。")
    direction: Direction = descending_direction()


@node("访问策略的一个版本：起草之后内容不变，改动即另立一版。")
class PolicyVersion(Node):
    version: int | None = field()
    state: PolicyState | None = field()
    text: str | None = field("策略全文，Casbin 的 CSV 格式。")
    sha256: str | None = field("全文的 SHA-256 散列。")
    tests: str | None = field("随版本保存的策略测试全文；null 为软件随附的测试。")
    digest: str | None = field("批准所据的散列，涵盖全文、测试及其结果、已知的影响；批准时须写明。")
    note: str | None = field("起草说明。")
    rollback: bool | None = field("是否为回退到先前的版本。")
    green: bool | None = field("测试是否全部符合，且每条规则的改动都有测试发现；否则不能批准、发布。")
    cases: int | None = field("测试的例数。")
    mutants: int | None = field("测试时改动规则的次数。")
    failures: list[str] | None = field("不符的测试，各一句话。")
    survivors: list[str] | None = field("没有任何测试发现的规则改动，各一句话。")
    widens: bool | None = field("与起草时的现行版本相比，是否有人可能多看到或多办什么。")
    differences: list[str] | None = field(
        "与起草时的现行版本相比的变化，各一句话；以 + 放宽、- 收窄、? 改变（可能有增有减）开头。"
    )
    gains: list[str] | None = field("起草人及其所在机构的人由此多得的权限，各一句话；不为空时须有另一机构的人批准。")
    approvals_needed: int | None = field()
    created_at: Instant | None = field()
    approved_at: Instant | None = field("最近一次批准的时间；批准作废的为 null。")
    published_at: Instant | None = field("发布时间；未发布的为 null。")
    parent = to_one("policy", "PolicyVersion", "由哪一版改来。")
    base = to_one("policy", "PolicyVersion", "起草时的现行版本。")
    author = to_one("person", "Person", "起草人；随软件安装的为 null。")
    approver = to_one("person", "Person", "批准人。")
    second_approver = to_one("person", "Person", "第二批准人。")
