"""The documents that this process has accepted, by their text: parsed, checked against the limits and validated once.

Bounded by bytes. It knows no HTTP and no caller.
"""

import sys
from dataclasses import dataclass, field

from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, validate

from api.http.document_limits import parse_document
from api.http.limits import Limits
from db.lru_cache import LruCache
from schema.planning.operation import Document
from schema.refusal import Code, Refusal

# What a node of the tree takes in memory with its place and its tokens, as measured.
_NODE_BYTES = 400


class InvalidDocument(Exception):
    """A document that does not parse or does not fit the schema; `errors` are graphql-core's."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(len(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class AcceptedDocument:
    """An accepted document with its operations by name."""

    document: Document
    operations: dict[str | None, OperationDefinitionNode]
    sole: OperationDefinitionNode | None

    def select_operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation of a name, or the only one. Raises Refusal where the name selects none."""
        if name is None and self.sole is not None:
            return self.sole
        selected = self.operations.get(name)
        if selected is None or name is None:
            several = "请求里有多个操作，请用 operationName 指明一个。"
            raise Refusal(Code.BAD_USER_INPUT, several if name is None else "请求里没有 operationName 指明的操作。")
        return selected


@dataclass(slots=True)
class Documents:
    """A least-recently-used cache of accepted documents, bounded by the bytes of their texts and trees."""

    schema: GraphQLSchema
    limits: Limits
    max_bytes: int = 25_000_000
    _accepted: LruCache[AcceptedDocument] = field(init=False)

    def __post_init__(self) -> None:
        self._accepted = LruCache(self.max_bytes, lambda accepted: accepted.document.weight)

    @property
    def weight(self) -> int:
        """The bytes of all documents."""
        return self._accepted.weight

    def find(self, text: str) -> AcceptedDocument | None:
        """An accepted document; None where this text is not in the cache."""
        return self._accepted.find(text)

    def accept(self, text: str) -> AcceptedDocument:
        """Check a document and keep it. Raises InvalidDocument or Refusal, and then keeps nothing."""
        accepted = self.check(text)
        self.keep(accepted)
        return accepted

    def keep(self, accepted: AcceptedDocument) -> None:
        """Put an accepted document into the cache."""
        self._accepted.store(accepted.document.text, accepted)

    def check(self, text: str) -> AcceptedDocument:
        """Parse, check and validate a document, in any thread. Raises InvalidDocument or Refusal."""
        try:
            ast, nodes = parse_document(text, self.limits)
        except GraphQLError as error:
            raise InvalidDocument([error]) from None
        # SECURITY: suggestions would spell the schema out name by name, and cost a comparison with each of them.
        errors = validate(self.schema, ast, max_errors=self.limits.max_errors, hide_suggestions=True)
        if errors:
            raise InvalidDocument(errors)
        operations = {
            definition.name.value if definition.name else None: definition
            for definition in ast.definitions
            if isinstance(definition, OperationDefinitionNode)
        }
        if not operations:
            raise Refusal(Code.BAD_USER_INPUT, "请求里没有操作，请写一个 query 或 mutation。")
        sole = next(iter(operations.values())) if len(operations) == 1 else None
        weight = sys.getsizeof(text) + _NODE_BYTES * nodes
        return AcceptedDocument(Document(text, ast, weight), operations, sole)

    def __len__(self) -> int:
        return len(self._accepted)
