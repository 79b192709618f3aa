"""Where the values of an operation come from: constants of the document, or variables of the call.

The planner evaluates some values while it plans (is it there, is it true, which enum) and only names the others. Every evaluation of
a value that may differ from call to call is recorded as a constraint, so a plan is reused for a call that satisfies the constraints,
whatever its other values are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_nullable_type,
    value_from_ast,
)
from graphql.execution.values import VariableValues
from graphql.language import visit
from graphql.language.visitor import BREAK, Visitor

# A value from the coerced variables of a call. May raise Refusal.
Extract = Callable[[VariableValues], Any]


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
class Argument:
    """A value of an input type: read from the coerced variables of a call. None stands for absent and for null alike.

    `constant`: the same for every call.
    """

    read: Extract
    type: GraphQLInputType
    node: ValueNode | None = None
    constant: bool = False

    def child(self, name: str) -> Argument:
        """The value of an input object's field."""
        input_type = get_nullable_type(self.type)
        assert isinstance(input_type, GraphQLInputObjectType)
        field_type = input_type.fields[name].type
        if isinstance(self.node, ObjectValueNode):
            node = next((field.value for field in self.node.fields if field.name.value == name), None)
            if node is not None:
                return argument_of(node, field_type)
            if input_type.fields[name].default_value is Undefined:
                return Argument(lambda _: None, field_type, constant=True)

        def read(variables: VariableValues) -> Any:
            parent = self.read(variables)
            return None if parent is None else parent.get(name)

        return Argument(read, field_type, constant=self.constant)


def argument_of(node: ValueNode | None, input_type: GraphQLInputType) -> Argument:
    """The argument that a value node of the document gives; None is an argument that is not written."""
    if node is None:
        return Argument(lambda _: None, input_type, constant=True)
    if isinstance(node, VariableNode):
        name = node.name.value
        return Argument(lambda variables: variables.coerced.get(name), input_type, node)
    if _has_variable(node):

        def read(variables: VariableValues) -> Any:
            value = value_from_ast(node, input_type, variables.coerced)
            return None if value is Undefined else value

        return Argument(read, input_type, node)
    value = value_from_ast(node, input_type)
    constant = None if value is Undefined else value
    return Argument(lambda _: constant, input_type, node, constant=True)


def arguments_of(node: FieldNode, definition: GraphQLField) -> dict[str, Argument]:
    """All arguments of a field by their GraphQL names, those that are not written included."""
    written = {argument.name.value: argument.value for argument in node.arguments or ()}
    return {name: argument_of(written.get(name), argument.type) for name, argument in definition.args.items()}


class Constraint(NamedTuple):
    """What `evaluate` says of a call's variables must equal `expected` for a plan to hold."""

    evaluate: Extract
    expected: Any


class Constraints:
    """Evaluates the values of one call while planning, and records what the plan rests on."""

    def __init__(self, variables: VariableValues) -> None:
        self.variables = variables
        self.recorded: list[Constraint] = []

    def evaluate(self, argument: Argument, facet: Callable[[Any], Any]) -> Any:
        """What `facet` says of the value; recorded unless it says the same at every call."""

        def evaluate(variables: VariableValues) -> Any:
            return facet(argument.read(variables))

        value = evaluate(self.variables)
        if not argument.constant:
            self.recorded.append(Constraint(evaluate, value))
        return value

    def is_present(self, argument: Argument) -> bool:
        """Whether the argument is written and not null."""
        return bool(self.evaluate(argument, lambda value: value is not None))


def satisfied(constraints: Iterable[Constraint], variables: VariableValues) -> bool:
    """Whether the variables of another call satisfy all constraints."""
    return all(evaluate(variables) == expected for evaluate, expected in constraints)
