"""Every command as a client writes it: the mutation, what it does, when it may start, and the smallest valid input.

All of it is what the commands declare in `@command(...)`; `python -m api schema commands` prints it.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import Any
from uuid import UUID

from db.resources.catalog import RESOURCES
from db.resources.transitions import transition_of
from db.tables.dispute import STATES
from db.write.command import Command
from db.write.example import Placeholder
from schema.mutation import COMMAND_OF
from schema.names import camel
from schema.node import code_labels

# What stands for a value that depends on the caller's data.
_PLAIN = {
    "time": "2024-01-29T02:00:00Z",
    "date": "2024-02-01",
    "code": "371525001001001",
    "role": "…",
    "text": "…",
}
_ANY_ID = UUID(int=0)


def print_commands() -> str:
    """One paragraph a mutation, in the order of the contract, ending in a newline."""
    labels = dict(code_labels(STATES))
    return "\n".join(_paragraph(name, command, labels) for name, command in COMMAND_OF.items())


def example_of(command: Command) -> dict[str, Any]:
    """The variable `input` of an example: GraphQL names; ids that are valid in form stand for the caller's own."""
    return {camel(name): _value(value) for name, value in command.example.items()}


def _paragraph(name: str, command: Command, state_labels: dict[str, str]) -> str:
    transition = transition_of(command.resource, command.action)
    lines = [f"{name}：{command.label}", f"  动作：{RESOURCES[command.resource].label} {command.action}"]
    if transition.states is not None:
        lines.append(f"  纠纷状态：{'、'.join(state_labels[state] for state in transition.states)}")
    lines += [f"  不符时：{guard.code} {guard.message}" for guard in transition.guards]
    lines.append(f"  示例：{json.dumps(example_of(command), ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def _value(value: Any) -> Any:
    match value:
        case Placeholder(of=of, many=many):
            plain = _PLAIN.get(of, f"{of}:{_ANY_ID}")
            return [plain] if many else plain
        case dict():
            return {camel(name): _value(one) for name, one in value.items()}
        case tuple() | list():
            return [_value(one) for one in value]
        case Enum():
            return value.value
    return value
