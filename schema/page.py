"""Relay connections with keyset cursors: the types, and the arguments that every connection takes."""

from typing import Annotated, Any, Generic, NoReturn, TypeVar

import strawberry

from db.query.count import COUNT_CAP
from db.query.keyset import MAX_PAGE

T = TypeVar("T")

DEFAULT_PAGE = 20
# Objects of one `nodes` field, at most.
MAX_NODES = 100

FILTER = "筛选条件，各项须同时满足。只能用调用者在其可见各行上都能明文读取的字段，否则以 FIELD_NOT_READABLE 拒绝。"
ORDER = "排序，先写者优先；不写时纠纷、协议、移送、预警、排查、事件由新到旧，其余按代码、名称或日期由先到后。所用字段须明文可读，规则同筛选。"

First = Annotated[
    int | None, strawberry.argument(description=f"从前往后取的条数，1 至 {MAX_PAGE}；不写为 {DEFAULT_PAGE}。")
]
Last = Annotated[int | None, strawberry.argument(description=f"从后往前取的条数，1 至 {MAX_PAGE}。")]
After = Annotated[str | None, strawberry.argument(description="从此游标之后取；游标须出自同一列表、排序与筛选。")]
Before = Annotated[str | None, strawberry.argument(description="到此游标之前取；游标须出自同一列表、排序与筛选。")]


def planned(**_: Any) -> NoReturn:
    """The resolver of every planned field. Execution installs its own; a call means that a field escaped the planner."""
    raise RuntimeError("a planned field was resolved outside a plan")


def _total_count(
    exact: Annotated[
        bool | None, strawberry.argument(description="数到底，不论多少；列表越宽越慢，成本按宽窄计。")
    ] = False,
) -> int:
    return planned()


@strawberry.type(description="分页信息。")
class PageInfo:
    has_next_page: bool = strawberry.field(description="后面还有。")
    has_previous_page: bool = strawberry.field(description="前面还有。")
    start_cursor: str | None = strawberry.field(description="首条的游标。")
    end_cursor: str | None = strawberry.field(description="末条的游标。")


@strawberry.type(description="列表中的一条及其游标。")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="本条的游标，不透明文本。")
    node: T = strawberry.field(description="本条。")


@strawberry.type(description="分页列表，只含调用者可见的行。")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="各条及其游标。")
    nodes: list[T] = strawberry.field(description="各条。")
    page_info: PageInfo = strawberry.field(description="分页信息。")
    total_count: int = strawberry.field(
        resolver=_total_count,
        description=f"符合条件且调用者可见的总数；超过 {COUNT_CAP} 时为 {COUNT_CAP}（见 totalCountCapped），要数完请写 exact: true。",
    )
    total_count_capped: bool = strawberry.field(
        description=f"未写 exact 的 totalCount 是否因超过 {COUNT_CAP} 而没有数完；true 时可显示为“{COUNT_CAP}+”。"
    )


def lazy(module: str, name: str) -> Any:
    """The type `name` of `schema.<module>`, looked up when the schema is built: nouns point at one another."""
    return Annotated[name, strawberry.lazy(f"schema.{module}")]


def connection(module: str, name: str, description: str) -> Any:
    """A connection of `name`, a node type of `schema.<module>` with its `<name>Filter` and `<name>Order` inputs."""

    def resolve(filter: Any, order_by: Any, first: Any, after: Any, last: Any, before: Any) -> Any:
        return planned()

    resolve.__defaults__ = (strawberry.UNSET,) * 6
    resolve.__annotations__ = {
        "filter": Annotated[lazy(module, name + "Filter") | None, strawberry.argument(description=FILTER)],
        "order_by": Annotated[list[lazy(module, name + "Order")] | None, strawberry.argument(description=ORDER)],  # type: ignore[misc]
        "first": First,
        "after": After,
        "last": Last,
        "before": Before,
        "return": Connection[lazy(module, name)],  # type: ignore[misc]
    }
    return strawberry.field(resolver=resolve, description=description)
