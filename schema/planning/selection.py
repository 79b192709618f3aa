"""What a client selects: the fields of a selection set, and the selected members of an object that is no row.

CollectFields of the GraphQL spec, with `@skip` and `@include`; it knows types by their names, and no value but the two directives'.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SchemaMetaFieldDef,
    SelectionSetNode,
    TypeMetaFieldDef,
    get_named_type,
)

from schema.names import snake
from schema.planning.arguments import Constraints, argument_of
from schema.planning.operation import Document
from schema.refusal import TooCostly

# Selections that planning visits: those of a fragment once for each place and, below an interface, for each type that is asked for.
MAX_VISITED = 4_000

_META = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}


@dataclass(frozen=True)
class Selection:
    """The members selected of an object that is no row: response key, name, and the selection below it (None: a leaf)."""

    type_name: str
    members: tuple[tuple[str, str, Selection | None], ...]

    def project(self, value: Any) -> Any:
        """The selected members of an object (a dict by GraphQL names), of each object of a list; None of None."""
        if value is None:
            return None
        if isinstance(value, list):
            return [self.project(item) for item in value]
        return {
            key: self.type_name
            if name == "__typename"
            else value[name]
            if below is None
            else below.project(value[name])
            for key, name, below in self.members
        }


class FieldCollector:
    """Collects the fields of one operation's selection sets."""

    def __init__(self, schema: GraphQLSchema, document: Document, constraints: Constraints) -> None:
        self._schema, self._constraints = schema, constraints
        self.visited = 0
        self._fragments = {
            fragment.name.value: fragment
            for fragment in document.ast.definitions
            if isinstance(fragment, FragmentDefinitionNode)
        }

    def collect(
        self, sets: Iterable[SelectionSetNode], type_name: str, *, coerced: bool = True
    ) -> dict[str, list[FieldNode]]:
        """The fields selected on a type by response key, fragments merged (GraphQL spec, CollectFields).

        Raises Refusal where the arguments of one cannot be coerced. `coerced`: False leaves that to whoever reads them.
        """
        fields: dict[str, list[FieldNode]] = {}
        self._collect(sets, type_name, fields, set())
        for key, nodes in fields.items():
            if coerced and nodes[0].arguments:
                self._constraints.coerce(key, nodes[0], self._definition(type_name, nodes[0].name.value))
        return fields

    def _definition(self, type_name: str, name: str) -> GraphQLField:
        parent: Any = self._schema.type_map[type_name]
        definition: GraphQLField = _META.get(name) or parent.fields[name]
        return definition

    def _collect(
        self, sets: Iterable[SelectionSetNode], type_name: str, fields: dict[str, list[FieldNode]], visited: set[str]
    ) -> None:
        for selections in sets:
            for node in selections.selections:
                self.visited += 1
                if self.visited > MAX_VISITED:
                    message = f"逐个类型展开后的字段超过 {MAX_VISITED} 个；请少取几种类型，分几次取。"
                    raise TooCostly(message, self.visited, MAX_VISITED)
                if not self._is_included(node):
                    continue
                if isinstance(node, FieldNode):
                    fields.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
                    continue
                fragment: InlineFragmentNode | FragmentDefinitionNode
                if isinstance(node, FragmentSpreadNode):
                    name = node.name.value
                    if name in visited:
                        continue
                    visited.add(name)
                    fragment = self._fragments[name]
                else:
                    assert isinstance(node, InlineFragmentNode)
                    fragment = node
                condition = fragment.type_condition
                if condition is None or condition.name.value in (type_name, "Node"):
                    self._collect([fragment.selection_set], type_name, fields, visited)

    def _is_included(self, node: Any) -> bool:
        for directive in node.directives or ():
            name = directive.name.value
            if name in ("skip", "include"):
                definition = next(each for each in self._schema.directives if each.name == name)
                condition = argument_of(directive.arguments[0].value, definition.args["if"])
                if self._constraints.evaluate(condition, bool) is (name == "skip"):
                    return False
        return True

    def subfields(self, nodes: list[FieldNode], type_name: str) -> dict[str, list[FieldNode]]:
        """The fields selected below fields of the same response key."""
        return self.collect([node.selection_set for node in nodes if node.selection_set], type_name)

    def members(self, nodes: list[FieldNode], type_name: str) -> tuple[tuple[str, str], ...]:
        """The leaves selected of an object that the statement builds: response key and the plan's name of the member."""
        return tuple((key, member_name(below[0])) for key, below in self.subfields(nodes, type_name).items())

    def selection(self, nodes: list[FieldNode], type_name: str) -> Selection:
        """What is selected of an object that Python builds, all the way down."""
        fields = self.subfields(nodes, type_name)
        return Selection(type_name, tuple(self.member(key, below, type_name) for key, below in fields.items()))

    def member(self, key: str, nodes: list[FieldNode], type_name: str) -> tuple[str, str, Selection | None]:
        """One member of `selection`."""
        name = nodes[0].name.value
        if name == "__typename":
            return key, name, None
        target = get_named_type(self._definition(type_name, name).type)
        return key, name, self.selection(nodes, target.name) if isinstance(target, GraphQLObjectType) else None

    def introspection(self, nodes: list[FieldNode], type_name: str) -> None:
        """Collect what is asked of the schema itself, all the way down. Raises Refusal."""
        for below in self.subfields(nodes, type_name).values():
            if below[0].selection_set:
                self.introspection(below, get_named_type(self._definition(type_name, below[0].name.value).type).name)


def member_name(node: FieldNode) -> str:
    """What a plan calls a selected member: `endCursor` is `end_cursor`, `__typename` is `typename`."""
    return plan_name(node.name.value)


@lru_cache(maxsize=2_000)
def plan_name(name: str) -> str:
    """What a plan calls a field of the schema."""
    return "typename" if name == "__typename" else snake(name)
