"""The request as a value: a validated document with the variables of one call, and the answer to it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphql import DocumentNode, FieldNode, FragmentDefinitionNode, InlineFragmentNode, OperationDefinitionNode


@dataclass(frozen=True)
class Document:
    """A GraphQL document that was parsed, checked against the limits and validated once. `text` is its identity; `weight`: the bytes that
    it takes with its tree."""

    text: str
    ast: DocumentNode
    weight: int = 0

    @cached_property
    def introspects(self) -> bool:
        """Whether some operation may ask for `__schema` or `__type`."""
        sets = [
            definition.selection_set
            for definition in self.ast.definitions
            if isinstance(definition, OperationDefinitionNode)
            or (isinstance(definition, FragmentDefinitionNode) and definition.type_condition.name.value == "Query")
        ]
        while sets:
            for node in sets.pop().selections:
                if isinstance(node, FieldNode) and node.name.value in ("__schema", "__type"):
                    return True
                if isinstance(node, InlineFragmentNode):
                    sets.append(node.selection_set)
        return False

    def __hash__(self) -> int:
        return hash(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and self.text == other.text


@dataclass(frozen=True)
class Operation:
    """One operation of a document with the raw (not yet coerced) variables of one call."""

    document: Document
    definition: OperationDefinitionNode
    name: str | None
    variables: dict[str, Any]
    request_id: str | None = None


@dataclass
class Answer:
    """What goes back: `data` as JSON text (None: no data key, the request was refused), errors, and extensions."""

    data: bytes | None
    errors: tuple[dict[str, Any], ...] = ()
    extensions: dict[str, Any] = field(default_factory=dict)
