"""The outbox of somebody who was offline: commands in order, each a transaction of its own, later ones naming what earlier ones made.

A temporary id (`temp:…`) given to one item stands for the object that it makes; where that item was refused, those that name it are too.
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


@cache
def item_input(inputs: tuple[tuple[str, Any], ...]) -> Any:
    """`OutboxItemInput`: a temporary id and exactly one command's input."""
    namespace: dict[str, Any] = {
        "__annotations__": {"temporary_id": str | None, **{name: kind | None for name, kind in inputs}},
        "temporary_id": strawberry.field(
            description="本条所建对象的临时标识，形如 temp:1；后面各条可用它代替全局标识。", default=strawberry.UNSET
        ),
    }
    for name, _ in inputs:
        namespace[name] = strawberry.field(description="办理此事项；每条须且只须写一项。", default=strawberry.UNSET)
    made: Any = types.new_class("OutboxItemInput", (), exec_body=lambda body: body.update(namespace))
    return strawberry.input(made, description="离线时所办的一件事。")


def outbox_field(inputs: tuple[tuple[str, Any], ...], error: Any, conflict: Any) -> Any:
    """The mutation `submitOutbox`."""
    result: Any = strawberry.type(
        type(
            "OutboxResult",
            (),
            {
                "__annotations__": {
                    "temporary_id": str | None,
                    "id": strawberry.ID | None,
                    "user_errors": list[error],
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
    payload: Any = strawberry.type(
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

    def resolve(items: Any) -> Any:
        return planned()

    resolve.__annotations__ = {
        "items": Annotated[
            list[item_input(inputs)],  # type: ignore[misc]
            strawberry.argument(description=f"依次办理的各条，至多 {MAX_ITEMS} 条；每条须有 idempotencyKey。"),
        ],
        "return": payload,
    }
    return strawberry.field(
        resolver=resolve, description="提交离线期间所办的事项：依次办理，各条自成一体，或者保存，或者不保存。"
    )


def offered() -> list[Command]:
    """The commands that may wait in an outbox: all but those that show a secret, and those whose outcome is waited for."""
    return [command for command in COMMANDS.values() if not (command.reveals or command.online)]
