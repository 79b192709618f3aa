"""How a type binds to the catalog: by name. `Dispute.caseNumber` is the field `case_number` of the resource `Dispute`.

A type here holds names and descriptions, no behaviour: values come from the statement that `schema.planning.planner` plans.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ARRAY, Boolean, Column, Date, DateTime, Integer, Numeric, Text
from sqlalchemy.types import TypeEngine

from db.tables import metadata
from db.tables.column import Codes
from db.tables.column import Money as MoneyColumn
from policies.catalog import FIELD_CLASSES
from schema.names import snake
from schema.page import lazy, planned
from schema.scalars import Day, Instant, Money

NODE_TYPES: dict[str, type] = {}
_SCALAR_OF: dict[type[TypeEngine[Any]], Any] = {
    Boolean: bool,
    Integer: int,
    Text: str,
    Date: Day,
    DateTime: Instant,
}
# The enums of columns by the identity of their lists of codes, for inputs that take the codes of a column.
_COLUMN_ENUMS: dict[int, type[Enum]] = {}


@strawberry.type(description="本行的访问情况：哪些字段对调用者隐藏、哪些以掩码显示、现在可以办理哪些事项。")
class Access:
    hidden: list[str] = strawberry.field(
        description="对调用者隐藏的字段，取值一律为 null；与本类型的字段同名，如 amountClaimed。"
    )
    masked: list[str] = strawberry.field(description="以掩码显示的字段；与本类型的字段同名。")
    can: list[str] = strawberry.field(description="按现行策略与本行状态，调用者现在可以办理的事项，如 accept。")


@strawberry.interface(
    description="有全局标识的对象。其下任何字段，无权读取时为 null；"
    "关系为 null 或不列出的，是没有，或调用者不可见，两者不作区分。"
)
class Node:
    id: strawberry.ID = strawberry.field(description="全局标识，形如 Dispute:0190a6c2-…；不透明，可凭以用 node 取回。")
    access: Access = strawberry.field(description="调用者对本行的访问情况，前端据此显示掩码与按钮。")


def node(description: str) -> Callable[[type], type]:
    """Class decorator: a Relay node whose name is a resource of the catalog.

    A readable column that the class does not name becomes a field all the same, after those that it names.
    """

    def bind(cls: type) -> type:
        columns = metadata.tables[snake(cls.__name__)].c
        for column in columns:
            if "field_class" in column.info and column.name not in cls.__annotations__:
                cls.__annotations__[column.name] = _type_of(column)
                setattr(cls, column.name, field())
        bound = strawberry.type(cls, description=description)
        for each in bound.__strawberry_definition__.fields:  # type: ignore[attr-defined]
            source = columns.get(each.python_name)
            if source is not None and "field_class" in source.info:
                text = each.description or f"{source.comment}。"
                each.description = text + _field_class_note(source.info["field_class"], source.info["mask"])
        NODE_TYPES[cls.__name__] = bound
        return bound

    return bind


def _type_of(column: Column[Any]) -> Any:
    """The type of a column's field, nullable. Raises ValueError for a coded column whose enum has no names yet."""
    if isinstance(column.type, ARRAY):
        return list[str] | None
    codes = column.info.get("values")
    if codes is not None:
        enum = column_enum(codes)
        if enum is None:
            raise ValueError(f"{column}: its codes need an enum (`code_enum`), and the field its line in the node type")
        return enum | None
    if isinstance(column.type, Numeric):
        return (Money if column.type.scale == MoneyColumn.scale else float) | None
    return _SCALAR_OF[type(column.type)] | None


def _field_class_note(field_class: str, mask: str | None) -> str:
    """What the description says of a field that not everybody reads; the class and the mask are those that its column declares."""
    if field_class == "public":
        return ""
    # `stored`: the stored value is masked already, so there is no clear form.
    note = "无权读取时为 null" if mask in (None, "stored") else "无权明文读取时为掩码或 null"
    return f"【受控：{FIELD_CLASSES[field_class]}】{note}。"


def field(description: str | None = None) -> Any:
    """A field of a node: its description in Chinese, or (None) the comment of its column. Guarded, hence nullable.

    `node` puts the comment in and adds the field class of the column.
    """
    return strawberry.field(description=description)


def to_one(module: str, name: str, description: str) -> Any:
    """A relation to at most one row of `name`, a node type of `schema.<module>`; null where the caller does not see it."""
    return _relation(lazy(module, name) | None, description)


def to_many(module: str, name: str, description: str) -> Any:
    """A relation to the few rows of `name` that belong to a node, those that the caller sees, as a plain list without pages."""
    return _relation(list[lazy(module, name)], description)  # type: ignore[misc]


def _relation(target: Any, description: str) -> Any:
    def resolve() -> Any:
        return planned()

    resolve.__annotations__["return"] = target
    return strawberry.field(resolver=resolve, description=description)


def condition(name: str, operator: str, description: str) -> Any:
    """A condition of a filter: the catalog field that it looks into, the operator of `db.query.filters`, and the description.

    The planner refuses the filter (`FIELD_NOT_READABLE`) unless the caller reads the field in clear on every row that they see.
    """
    return strawberry.field(description=description, default=strawberry.UNSET, metadata={"condition": (name, operator)})


def code_enum(description: str, values: tuple[str, ...] | None = None) -> Callable[[type[Enum]], type[Enum]]:
    """Class decorator: an enum of codes, written `CODE = "中文名称"`.

    Raises ValueError unless the codes are `values`, those of the column, and where the column has another enum already.
    """

    def bind(cls: type[Enum]) -> type[Enum]:
        labels = {name: member.value for name, member in cls.__members__.items()}
        if values is not None and tuple(labels) != tuple(values):
            raise ValueError(f"{cls.__name__}: the codes are not those of the column")
        members = {name: strawberry.enum_value(name, description=label) for name, label in labels.items()}
        # The functional form: the members' values are the codes, their labels become descriptions.
        make: Any = Enum
        bound: type[Enum] = strawberry.enum(make(cls.__name__, members, module=cls.__module__), description=description)
        if isinstance(values, Codes):
            if id(values) in _COLUMN_ENUMS:
                raise ValueError(f"{cls.__name__}: the codes have an enum already")
            _COLUMN_ENUMS[id(values)] = bound
        return bound

    return bind


def code_labels(codes: Codes) -> tuple[tuple[str, str], ...]:
    """The codes of a column with their labels."""
    definition: Any = _COLUMN_ENUMS[id(codes)]
    return tuple((value.name, value.description) for value in definition.__strawberry_definition__.values)


def column_enum(codes: tuple[str, ...]) -> type[Enum] | None:
    """The enum of the columns that take this very list of codes; None for a list that no column takes."""
    return _COLUMN_ENUMS.get(id(codes)) if isinstance(codes, Codes) else None


@strawberry.enum(description="排序方向。")
class Direction(Enum):
    ASC = strawberry.enum_value("ASC", description="升序")
    DESC = strawberry.enum_value("DESC", description="降序")


def descending_direction() -> Any:
    """The direction of an order input, descending by default."""
    return strawberry.field(description="方向；不写为降序。", default=Direction.DESC)
