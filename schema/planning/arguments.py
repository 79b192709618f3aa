"""Where the values of an operation come from: constants of the document, or variables of the call.

The planner looks at some values (is it there, is it true, which enum) and only names the others. Every look is recorded, so a
plan is reused for a call whose looks give the same answers, whatever its other values are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_nullable_type,
    value_from_ast,
)
from graphql.language import visit
from graphql.language.visitor import BREAK, Visitor


class _FindVariable(Visitor):
    found = False

    def enter_variable(self, *_: Any) -> Any:
        self.found = True
        return BREAK


def _has_variable(node: ValueNode) -> bool:
    finder = _FindVariable()
    visit(node, finder)
    return finder.found


@dataclass(frozen=True)
class Source:
    """A value of a given input type: read from the coerced variables of a call. None stands for absent and for null alike.

    `constant`: the same for every call.
    """

    read: Callable[[Any], Any]
    type: GraphQLInputType
    node: ValueNode | None = None
    constant: bool = False

    def child(self, name: str) -> Source:
        """The value of an input object's field."""
        kind = get_nullable_type(self.type)
        assert isinstance(kind, GraphQLInputObjectType)
        of = kind.fields[name].type
        if isinstance(self.node, ObjectValueNode):
            node = next((field.value for field in self.node.fields if field.name.value == name), None)
            if node is not None:
                return source_of(node, of)
            if kind.fields[name].default_value is Undefined:
                return Source(lambda _: None, of, constant=True)

        def read(variables: Any) -> Any:
            parent = self.read(variables)
            return None if parent is None else parent.get(name)

        return Source(read, of, constant=self.constant)


def source_of(node: ValueNode | None, kind: GraphQLInputType) -> Source:
    """The source of an argument's value."""
    if node is None:
        return Source(lambda _: None, kind, constant=True)
    if isinstance(node, VariableNode):
        name = node.name.value
        return Source(lambda variables: variables.coerced.get(name), kind, node)
    if _has_variable(node):

        def read(variables: Any) -> Any:
            value = value_from_ast(node, kind, variables.coerced)
            return None if value is Undefined else value

        return Source(read, kind, node)
    value = value_from_ast(node, kind)
    constant = None if value is Undefined else value
    return Source(lambda _: constant, kind, node, constant=True)


class Looks:
    """The looks taken at the values of one call while planning."""

    def __init__(self, variables: Any) -> None:
        self.variables = variables
        self.taken: list[tuple[Callable[[Any], Any], Any]] = []

    def at(self, source: Source, facet: Callable[[Any], Any]) -> Any:
        """What `facet` says of the value; recorded unless it says the same at every call."""

        def look(variables: Any) -> Any:
            return facet(source.read(variables))

        answer = look(self.variables)
        if not source.constant:
            self.taken.append((look, answer))
        return answer

    def given(self, source: Source) -> bool:
        return bool(self.at(source, lambda value: value is not None))


def same_looks(taken: list[tuple[Callable[[Any], Any], Any]], variables: Any) -> bool:
    """Whether another call gives the same answers to all looks."""
    return all(look(variables) == answer for look, answer in taken)
