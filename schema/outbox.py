"""The outbox of a client that was offline: commands in order, each a transaction of its own, later ones naming what earlier ones made.

A temporary id (`temp:…`) given to one item stands for the object that it makes; where that item was refused, the items that name it are
refused too.
"""

from __future__ import annotations

import types
from functools import cache
from typing import Annotated, Any

import strawberry

from db.commands import COMMANDS
from db.write.command import Command
from schema.page import planned

MAX_ITEMS = 50
TEMPORARY = "temp:"
ITEM = "OutboxItemInput"


def offline_commands() -> list[Command]:
    """The commands that may wait in an outbox: all but those that reveal cells, and those whose outcome the caller waits for."""
    return [command for command in COMMANDS.values() if not (command.reveals or command.online)]


@cache
def _item_input(inputs: tuple[tuple[str, Any, str], ...]) -> Any:
    """`OutboxItemInput`: a temporary id and exactly one command's input. `inputs`: names, input types and what the commands do."""
    namespace: dict[str, Any] = {
        "__annotations__": {"temporary_id": str | None, **{name: input_type | None for name, input_type, _ in inputs}},
        "temporary_id": strawberry.field(
            description="本条所建对象的临时标识，形如 temp:1；后面各条可用它代替全局标识；其中登记的当事人依次为 temp:1.parties.0 等。",
            default=strawberry.UNSET,
        ),
    }
    for name, _, label in inputs:
        namespace[name] = strawberry.field(description=label, default=strawberry.UNSET)
    cls: Any = types.new_class(ITEM, (), exec_body=lambda body: body.update(namespace))
    return strawberry.input(cls, description="离线时所办的一件事；每条须且只须写一项。")


def _payload_type(user_error: Any, conflict: Any) -> Any:
    """`OutboxPayload`: one result for each item."""
    result: Any = strawberry.type(
        type(
            "OutboxResult",
            (),
            {
                "__annotations__": {
                    "temporary_id": str | None,
                    "id": strawberry.ID | None,
                    "user_errors": list[user_error],
                    "conflict": conflict | None,
                    "replayed": bool,
                },
                "temporary_id": strawberry.field(description="该条的临时标识。"),
                "id": strawberry.field(description="办成后对象的全局标识；未保存为 null。"),
                "user_errors": strawberry.field(description="该条的全部错误；没有即已保存。"),
                "conflict": strawberry.field(description="版本冲突；没有即为 null。"),
                "replayed": strawberry.field(description="同一幂等键先前已办过，这次只是重复答复。"),
            },
        ),
        description="一条的结果。",
    )
    return strawberry.type(
        type(
            "OutboxPayload",
            (),
            {
                "__annotations__": {"results": list[result]},
                "results": strawberry.field(description="各条的结果，次序与提交相同。"),
            },
        ),
        description="离线提交的结果。",
    )


def outbox_field(inputs: tuple[tuple[str, Any, str], ...], user_error: Any, conflict: Any) -> Any:
    """The mutation `submitOutbox`. `inputs`: names, input types and labels of the commands; the types of user errors and conflicts."""

    def resolve(items: Any) -> Any:
        return planned()

    resolve.__annotations__ = {
        "items": Annotated[
            list[_item_input(inputs)],  # type: ignore[misc]
            strawberry.argument(description=f"依次办理的各条，至多 {MAX_ITEMS} 条；每条须有 idempotencyKey。"),
        ],
        "return": _payload_type(user_error, conflict) | None,
    }
    return strawberry.field(
        resolver=resolve,
        description="提交离线期间所办的事项：依次办理，各条自成一体，或者保存，或者不保存；变量中某一条的值不合类型的，只不办这一条。",
    )
