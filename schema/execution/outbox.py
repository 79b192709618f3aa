"""Temporary ids in an outbox: later items name what earlier ones made."""

from __future__ import annotations

from typing import Any

from db.write.command import UserError
from schema.outbox import TEMPORARY


def substitute(value: Any, global_ids: dict[str, str], path: str, user_errors: list[UserError]) -> Any:
    """The input with temporary ids replaced by global ids.

    `global_ids`: those of the objects made so far, by temporary id. A temporary id without an object adds to `user_errors`, under its
    path in the input.
    """
    if isinstance(value, dict):
        return {name: substitute(item, global_ids, f"{path}{name}.", user_errors) for name, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, global_ids, f"{path}{i}.", user_errors) for i, item in enumerate(value)]
    if isinstance(value, str) and value.startswith(TEMPORARY):
        if value in global_ids:
            return global_ids[value]
        user_errors.append(
            UserError(path.rstrip("."), "UNKNOWN_TEMPORARY_ID", "没有这个临时标识，或者建立它的那一条没有保存。")
        )
    return value
