"""Mutations, made from the registered commands: input types from the orders, one payload type for each noun that a command shows.

The words (labels) stand with the orders; here they only become GraphQL.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import types
import typing
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any
from uuid import UUID

import strawberry

from db.commands import COMMANDS
from db.resources.catalog import RESOURCES
from db.write.command import Command
from schema.names import camel, pascal, snake
from schema.node import NODE_TYPES, code_enum, column_enum
from schema.outbox import offered, outbox_field
from schema.page import planned
from schema.scalars import Day, Instant, Money

_SCALARS: dict[Any, Any] = {str: str, int: int, bool: bool, dt.datetime: Instant, dt.date: Day, Decimal: Money}


@strawberry.type(description="输入中的一处错误；凡有错误，什么都没有保存。")
class UserError:
    field: str = strawberry.field(description="有误的输入项，如 parties.0.idNumber；空文本指整个请求。")
    code: str = strawberry.field(description="稳定的错误代码，如 REQUIRED、WRONG_STATE、NOT_FOUND。")
    message: str = strawberry.field(description="怎么办，一句话。")


@strawberry.type(description="其间变过的一个字段。")
class Difference:
    field: str = strawberry.field(description="字段名，如 riskLevel。")
    base: str | None = strawberry.field(description="您依据的版本中的值；不详为 null。")
    yours: str | None = strawberry.field(description="您这次要写入的值；没有写为 null。")
    theirs: str | None = strawberry.field(description="现在的值。")


@strawberry.type(description="别人已经改过：您的版本不是最新，什么都没有保存。")
class Conflict:
    expected_version: int = strawberry.field(description="您依据的版本。")
    current_version: int = strawberry.field(description="现在的版本。")
    differences: list[Difference] = strawberry.field(
        description="其间变过、且您有权阅读的字段；没有列出的变化涉及其他内容。"
    )


@strawberry.type(description="一项明文。")
class Revealed:
    field: str = strawberry.field(description="所查看的项，与该类型的字段同名，如 idNumber。")
    value: str | None = strawberry.field(description="明文；没有登记的为 null。")


@cache
def payload_of(noun: str, *, reveals: bool = False) -> Any:
    """`DisputePayload`: the object as the caller now sees it, or what was wrong; where it reveals, also the cells in clear."""
    node = NODE_TYPES[noun]
    name = snake(noun)
    namespace: dict[str, Any] = {
        "__annotations__": {
            name: node | None,
            "user_errors": list[UserError],
            "conflict": Conflict | None,
            "replayed": bool,
        },
        name: strawberry.field(description="办理后的对象；未保存或不可见时为 null。"),
        "user_errors": strawberry.field(description="输入中的全部错误；没有即已保存。"),
        "conflict": strawberry.field(description="版本冲突；没有即为 null。"),
        "replayed": strawberry.field(description="同一幂等键先前已办过，这次只是重复答复。"),
    }
    if reveals:
        namespace["__annotations__"]["revealed"] = list[Revealed] | None
        namespace["revealed"] = strawberry.field(description="所查看的明文，只给出这一次；未办成为 null。")
        return strawberry.type(type(f"{noun}RevealPayload", (), namespace), description=f"留痕查看的结果：{noun}。")
    return strawberry.type(type(f"{noun}Payload", (), namespace), description=f"办理结果：{noun}。")


@cache
def input_of(order: type, name: str, *, keyed: bool, versioned: bool) -> Any:
    """The input type of an order; a command's own has `idempotencyKey` and, on an existing object, `expectedVersion`."""
    hints = typing.get_type_hints(order)
    annotations: dict[str, Any] = {}
    namespace: dict[str, Any] = {}
    for field in dataclasses.fields(order):
        optional = field.default is not dataclasses.MISSING
        kind = _graphql(hints[field.name], field, name)
        annotations[field.name] = kind | None if optional else kind
        options: dict[str, Any] = {"default": strawberry.UNSET} if optional else {}
        namespace[field.name] = strawberry.field(description=field.metadata["label"], **options)
    if versioned:
        annotations["expected_version"] = int | None
        namespace["expected_version"] = strawberry.field(
            description="您依据的纠纷版本；若已被改过则不保存，返回 conflict。", default=strawberry.UNSET
        )
    if keyed:
        annotations["idempotency_key"] = str | None
        namespace["idempotency_key"] = strawberry.field(
            description="幂等键，至多 100 个字符：同键同内容只办一次，重发得到同样的答复；同键不同内容报 CONFLICT。",
            default=strawberry.UNSET,
        )
    namespace["__annotations__"] = annotations
    made: Any = types.new_class(name, (), exec_body=lambda body: body.update(namespace))
    return strawberry.input(made, description=f"{name} 的内容。")


def _graphql(hint: Any, field: dataclasses.Field[Any], owner: str) -> Any:
    arguments = [one for one in typing.get_args(hint) if one is not type(None)]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return _graphql(arguments[0], field, owner)
    if typing.get_origin(hint) is tuple:
        return list[_graphql(arguments[0], field, owner)]  # type: ignore[misc]
    codes = field.metadata["codes"]
    if codes is not None:
        return column_enum(codes) or _input_enum(codes, owner + pascal(field.name))
    if hint is UUID:
        return strawberry.ID
    if dataclasses.is_dataclass(hint):
        assert isinstance(hint, type)
        return input_of(hint, hint.__name__, keyed=False, versioned=False)
    return _SCALARS[hint]


@cache
def _input_enum(codes: tuple[str, ...], name: str) -> Any:
    """The enum of a closed list that only one input takes."""
    labels = importlib.import_module("schema.labels").LABELS
    base: Any = Enum
    return code_enum(f"{name}。", codes)(base(name, {one: labels.get(one, one) for one in codes}))


def _input(command: Command) -> Any:
    # Disputes have versions that a caller may name, and their parts go with them.
    versioned = command.target is not None and (command.target == "Dispute" or RESOURCES[command.target].part)
    return input_of(command.input_type, f"{pascal(_python_name(command))}Input", keyed=True, versioned=versioned)


def _python_name(command: Command) -> str:
    """`dispute_accept`"""
    return f"{snake(command.noun)}_{command.verb}"


def _field(command: Command) -> Any:
    taken = _input(command)

    def resolve(input: Any) -> Any:
        return planned()

    resolve.__annotations__ = {
        "input": Annotated[taken, strawberry.argument(description="输入。")],
        "return": payload_of(command.shows, reveals=command.reveals),
    }
    return strawberry.field(resolver=resolve, description=command.label)


def field_name(command: Command) -> str:
    """`disputeAccept`"""
    return camel(_python_name(command))


@cache
def build_mutation() -> Any:
    """The Mutation type with one field for each command."""
    namespace: dict[str, Any] = {}
    for command in COMMANDS.values():
        namespace[_python_name(command)] = _field(command)
    namespace["submit_outbox"] = outbox_field(
        tuple((_python_name(command), _input(command)) for command in offered()), UserError, Conflict
    )
    return strawberry.type(
        types.new_class("Mutation", (), exec_body=lambda body: body.update(namespace)),
        description="办理。每个变更或者全部保存，或者什么都不保存；保存后按所选字段返回。一次至多四个，依次办理。",
    )


COMMAND_OF = {field_name(command): command for command in COMMANDS.values()}
