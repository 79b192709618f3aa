"""What the stages of planning share: the schema, the access, the constraints, and the binds of the statement with their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLSchema

from policies.grant import Access
from schema.planning import coercion
from schema.planning.arguments import Argument, Call, Constraints, Extract
from schema.planning.operation import Operation
from schema.planning.selection import FieldCollector
from schema.refusal import Code, Refusal


class PlanningContext:
    """The state of planning one operation. `typed`: interface rows carry their type name under `-type`, for graphql-core."""

    def __init__(self, schema: GraphQLSchema, operation: Operation, access: Access, call: Call, *, typed: bool) -> None:
        self.schema, self.access, self.typed = schema, access, typed
        self.constraints = Constraints(operation.definition, call)
        self.fields = FieldCollector(schema, operation.document, self.constraints)
        self.extracts: dict[str, Extract] = {}
        # Rows of each page and batch, by their binds: what the cost is computed from.
        self.sizes: dict[str, Extract] = {}
        self._serial = 0

    def bind(self, name: str) -> str:
        """A name for a bind that no other bind of the operation has."""
        self._serial += 1
        return f"v{self._serial}_{name}"


def converted(argument: Argument, convert: Callable[[Any], Any], name: str, path: tuple[str | int, ...]) -> Extract:
    """The value of an argument, converted. `name`: what the client calls it."""
    return refusing(lambda call: convert(argument.read(call)), name, path)


def refusing(extract: Extract, name: str, path: tuple[str | int, ...]) -> Extract:
    """The extract, raising a Refusal that names the argument in place of a BadValue."""

    def extract_or_refuse(call: Call) -> Any:
        try:
            return extract(call)
        except coercion.BadValue as bad:
            raise Refusal(Code.BAD_USER_INPUT, f"{name}：{bad}", path) from None

    return extract_or_refuse
