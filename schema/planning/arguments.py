"""Where the values of an operation come from: constants of the document, or variables of the call.

The planner evaluates some values while it plans (is it there, is it true, which enum) and only names the others. Every evaluation of
a value that may differ from call to call is recorded as a constraint, so a plan is reused for a call that satisfies the constraints,
whatever its other values are.

SECURITY: what cannot be coerced is never taken for absent. Whether it can is graphql-core's verdict; the call is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    ListValueNode,
    NonNullTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableNode,
    coerce_input_literal,
    get_argument_values,
    get_nullable_type,
    is_non_null_type,
)
from graphql.execution.values import VariableValues

from schema.refusal import Code, Refusal


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation: its coerced variables, the person who calls, and the key of the marks of cursors."""

    variables: VariableValues
    person_id: UUID
    cursor_key: bytes


# A value of a call. May raise Refusal.
Extract = Callable[[Call], Any]


def _positions(node: ValueNode, input_type: GraphQLInputType) -> Iterator[tuple[str, GraphQLInputType]]:
    """The variables in a value node, each with the type of its position."""
    inner: Any = get_nullable_type(input_type)
    if isinstance(node, VariableNode):
        yield node.name.value, input_type
    elif isinstance(inner, GraphQLList):
        for item in node.values if isinstance(node, ListValueNode) else (node,):
            yield from _positions(item, inner.of_type)
    elif isinstance(node, ObjectValueNode) and isinstance(inner, GraphQLInputObjectType):
        for field in node.fields:
            yield from _positions(field.value, inner.fields[field.name.value].type)


def _null_refused(name: str | None, path: tuple[str, ...] | None = None) -> Refusal:
    """What is answered to a null where there must be a value. Validation admits it for a variable with a default value, or at a position
    with one."""
    variable = "参数中的变量" if name is None else f"变量 ${name} "
    return Refusal(Code.BAD_USER_INPUT, f"{variable}为 null，而它所在的位置不能为空；请给出值，或不写这个变量。", path)


@dataclass(frozen=True)
class Argument:
    """A value of an input type: read from a call. None stands for absent and for null alike.

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
        definition = input_type.fields[name]
        if isinstance(self.node, ObjectValueNode):
            written = (field.value for field in self.node.fields if field.name.value == name)
            return argument_of(next(written, None), definition)

        def read(call: Call) -> Any:
            parent = self.read(call)
            return None if parent is None else parent.get(name)

        return Argument(read, definition.type, constant=self.constant)


def argument_of(node: ValueNode | None, definition: GraphQLArgument | GraphQLInputField) -> Argument:
    """The argument that a value node of the document gives; None is an argument that is not written."""
    input_type = definition.type
    default = None if definition.default_value is Undefined else definition.default_value
    if node is None:
        return Argument(lambda _: default, input_type, constant=True)
    if isinstance(node, VariableNode):
        name, required = node.name.value, is_non_null_type(input_type)

        def read_variable(call: Call) -> Any:
            value = call.variables.coerced.get(name, default)
            if value is None and required:
                raise _null_refused(name)
            return value

        return Argument(read_variable, input_type, node)
    if next(_positions(node, input_type), None) is None:
        constant = coerce_input_literal(node, input_type)
        assert constant is not Undefined, "validation refuses a literal of another type"
        return Argument(lambda _: constant, input_type, node, constant=True)

    def read(call: Call) -> Any:
        value = coerce_input_literal(node, input_type, call.variables)
        if value is Undefined:
            raise _null_refused(None)
        return value

    return Argument(read, input_type, node)


def arguments_of(node: FieldNode, definition: GraphQLField) -> dict[str, Argument]:
    """All arguments of a field by their GraphQL names, those that are not written included."""
    written = {argument.name.value: argument.value for argument in node.arguments or ()}
    return {name: argument_of(written.get(name), argument) for name, argument in definition.args.items()}


class Constraint(NamedTuple):
    """What `evaluate` says of a call must equal `expected` for a plan to hold."""

    evaluate: Extract
    expected: Any


class Constraints:
    """Evaluates the values of one call while planning, and records what the plan rests on."""

    def __init__(self, operation: OperationDefinitionNode, call: Call) -> None:
        self._call = call
        self._nullable = {
            definition.variable.name.value
            for definition in operation.variable_definitions or ()
            if not isinstance(definition.type, NonNullTypeNode)
        }
        self.recorded: list[Constraint] = []

    def evaluate(self, argument: Argument, facet: Callable[[Any], Any]) -> Any:
        """What `facet` says of the value; recorded unless it says the same at every call."""

        def evaluate(call: Call) -> Any:
            return facet(argument.read(call))

        value = evaluate(self._call)
        if not argument.constant:
            self.recorded.append(Constraint(evaluate, value))
        return value

    def is_present(self, argument: Argument) -> bool:
        """Whether the argument is written and not null."""
        return bool(self.evaluate(argument, lambda value: value is not None))

    def coerce(self, key: str, node: FieldNode, definition: GraphQLField) -> None:
        """Raises Refusal unless graphql-core coerces the arguments of a field, at this call and at every other that uses the plan.

        A valid document fails only where a variable that may be null stands where null may not, so only such fields are asked again.
        """
        if not any(
            name in self._nullable and is_non_null_type(input_type)
            for argument in node.arguments or ()
            for name, input_type in _positions(argument.value, definition.args[argument.name.value].type)
        ):
            return

        def coerces(call: Call) -> bool:
            try:
                get_argument_values(definition, node, call.variables)
            except GraphQLError as error:
                variables = (one.name.value for one in error.nodes or () if isinstance(one, VariableNode))
                raise _null_refused(next(variables, None), (key,)) from None
            return True

        self.recorded.append(Constraint(coerces, coerces(self._call)))


def satisfied(constraints: Iterable[Constraint], call: Call) -> bool:
    """Whether another call satisfies all constraints."""
    return all(evaluate(call) == expected for evaluate, expected in constraints)
