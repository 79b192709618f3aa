"""What a client selected of an object that is no row: response keys, names, and what is below. It knows no value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, GraphQLObjectType, get_named_type

if TYPE_CHECKING:
    from schema.planning.planner import Planner


@dataclass(frozen=True)
class Picks:
    """The members selected of an object that is no row: response key, name, and the picks of what is below."""

    kind: str
    items: tuple[tuple[str, str, Picks | None], ...]

    def of(self, value: Any) -> Any:
        """What is selected of a value, of each of a list, of nothing nothing."""
        if value is None:
            return None
        if isinstance(value, list):
            return [self.of(one) for one in value]
        return {
            key: self.kind if name == "__typename" else below.of(value[name]) if below is not None else value[name]
            for key, name, below in self.items
        }


def picks_of(planner: Planner, nodes: list[FieldNode], kind: str) -> Picks:
    """The picks of the fields that ask for an object of the kind."""
    return Picks(kind, tuple(pick(planner, key, found, kind) for key, found in planner.below(nodes, kind).items()))


def pick(planner: Planner, key: str, nodes: list[FieldNode], kind: str) -> tuple[str, str, Picks | None]:
    """One field of an object of the kind."""
    name = nodes[0].name.value
    if name == "__typename":
        return key, name, None
    of: Any = planner.schema.type_map[kind]
    target = get_named_type(of.fields[name].type)
    return key, name, picks_of(planner, nodes, target.name) if isinstance(target, GraphQLObjectType) else None
