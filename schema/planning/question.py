"""Root fields that Python answers instead of the planned statement: as they are declared, and as an operation selects them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLField, get_named_type

from schema.names import snake
from schema.planning.arguments import Argument, arguments_of
from schema.planning.context import PlanningContext
from schema.planning.selection import Selection

# Questions of one operation, at most: each costs as much as a query.
MAX_QUESTIONS = 5


@dataclass(frozen=True)
class QuestionDefinition:
    """A question as declared: the function that answers it, and what it costs, in rows."""

    answer: Callable[..., Awaitable[Any]]
    cost: int


# By the name of the root field.
QUESTIONS: dict[str, QuestionDefinition] = {}


@dataclass(frozen=True)
class Question:
    """A question in an operation. `arguments` by their Python names."""

    key: str
    name: str
    arguments: Mapping[str, Argument]
    selection: Selection


def plan_question(context: PlanningContext, key: str, nodes: list[FieldNode], definition: GraphQLField) -> Question:
    """A question with its arguments and what is selected of its answer."""
    arguments = {snake(name): argument for name, argument in arguments_of(nodes[0], definition).items()}
    selection = context.fields.selection(nodes, get_named_type(definition.type).name)
    return Question(key, nodes[0].name.value, arguments, selection)
