"""Mutations, made from the registered commands: an input type from each command's input, a payload type for each noun that is shown.

The labels are those of the inputs; here they only become GraphQL.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
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
from db.write.chronology import LATE_AFTER_DAYS
from db.write.command import Command
from policies.words import action_words
from schema.labels import INPUT_LABELS, LABELS
from schema.names import camel, pascal, snake
from schema.node import NODE_TYPES, code_enum, column_enum
from schema.outbox import offline_commands, outbox_field
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
def payload_type(noun: str, *, reveals: bool = False) -> Any:
    """`DisputePayload`: the object as the caller now sees it, or the user errors; where the command reveals, also the cells in clear."""
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
def input_type(dataclass: type, name: str, description: str, *, keyed: bool, versioned: bool) -> Any:
    """The input type of a dataclass. `keyed`: a command's own input, with `idempotencyKey`; `versioned`: with `expectedVersion`."""
    hints = typing.get_type_hints(dataclass)
    annotations: dict[str, Any] = {}
    namespace: dict[str, Any] = {}
    for field in dataclasses.fields(dataclass):
        optional = field.default is not dataclasses.MISSING
        annotation = _annotation(hints[field.name], field, name)
        annotations[field.name] = annotation | None if optional else annotation
        options: dict[str, Any] = {"default": strawberry.UNSET} if optional else {}
        namespace[field.name] = strawberry.field(description=field.metadata["label"], **options)
    if versioned:
        annotations["expected_version"] = int | None
        namespace["expected_version"] = strawberry.field(
            description="您依据的纠纷版本；若已被改过则不保存，返回 conflict。", default=strawberry.UNSET
        )
    if keyed and "happened_at" in hints:
        annotations["late_reason"] = str | None
        namespace["late_reason"] = strawberry.field(
            description=f"迟记的原因，不写个人信息；发生逾 {LATE_AFTER_DAYS} 日才记录的必写，随办理经过备查。",
            default=strawberry.UNSET,
        )
    if keyed:
        annotations["idempotency_key"] = str | None
        namespace["idempotency_key"] = strawberry.field(
            description="幂等键，至多 100 个字符：同键同内容只办一次，重发得到同样的答复；同键不同内容报 CONFLICT。",
            default=strawberry.UNSET,
        )
    namespace["__annotations__"] = annotations
    cls: Any = types.new_class(name, (), exec_body=lambda body: body.update(namespace))
    return strawberry.input(cls, description=description)


def _annotation(hint: Any, field: dataclasses.Field[Any], owner: str) -> Any:
    """What strawberry takes for a type hint of an input's field; `owner`: the name of the input type."""
    arguments = [one for one in typing.get_args(hint) if one is not type(None)]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return _annotation(arguments[0], field, owner)
    if typing.get_origin(hint) is tuple:
        return list[_annotation(arguments[0], field, owner)]  # type: ignore[misc]
    codes = field.metadata["codes"]
    if codes is not None:
        return column_enum(codes) or _input_enum(
            codes, owner + pascal(field.name), field.metadata["label"].split("；")[0]
        )
    if hint is UUID:
        if field.metadata["of"] not in NODE_TYPES:
            raise ValueError(f"{owner}.{field.name}: an id says whose it is (`of`)")
        return strawberry.ID
    if dataclasses.is_dataclass(hint):
        assert isinstance(hint, type)
        return input_type(hint, hint.__name__, INPUT_LABELS[hint.__name__], keyed=False, versioned=False)
    return _SCALARS[hint]


@cache
def _input_enum(codes: tuple[str, ...], name: str, description: str) -> Any:
    """The enum of a closed list that only one input takes."""
    make: Any = Enum
    return code_enum(f"{description}。", codes)(make(name, {code: LABELS.get(code, code) for code in codes}))


def _command_input(command: Command) -> Any:
    # Disputes have versions that a caller may name, and their parts go with them.
    versioned = command.target is not None and (command.target == "Dispute" or RESOURCES[command.target].part)
    name, label = f"{pascal(_python_name(command))}Input", action_words(command.resource, command.action)
    return input_type(command.input_type, name, f"{label}的输入。", keyed=True, versioned=versioned)


def _python_name(command: Command) -> str:
    """`dispute_accept`"""
    return f"{snake(command.noun)}_{command.verb}"


def _mutation_field(command: Command) -> Any:
    command_input = _command_input(command)

    def resolve(input: Any) -> Any:
        return planned()

    resolve.__annotations__ = {
        "input": Annotated[command_input, strawberry.argument(description="输入。")],
        # Nullable: an error of one command, a reused key, leaves the payloads of the others.
        "return": payload_type(command.shows, reveals=command.reveals) | None,
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
        namespace[_python_name(command)] = _mutation_field(command)
    namespace["submit_outbox"] = outbox_field(
        tuple((_python_name(command), _command_input(command), command.label) for command in offline_commands()),
        UserError,
        Conflict,
    )
    return strawberry.type(
        types.new_class("Mutation", (), exec_body=lambda body: body.update(namespace)),
        description="办理。每个变更或者全部保存，或者什么都不保存；保存后按所选字段返回。一次至多四个，依次办理。",
    )


# The command of each root field; `submitOutbox` has none.
COMMAND_OF = {field_name(command): command for command in COMMANDS.values()}
