"""The documents that this process has accepted, by their text: parsed, checked against the limits and validated once.

Bounded by count and by bytes. It knows no HTTP and no caller.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, validate

from api.http.document_limits import parse_document
from api.http.limits import Limits
from schema.planning.operation import Document
from schema.refusal import Code, Refusal


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
    weight: int

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
    """A least-recently-used cache of accepted documents."""

    schema: GraphQLSchema
    limits: Limits
    max_count: int = 500
    max_bytes: int = 500_000  # of text; the trees in memory are up to a hundred times as large
    _accepted: OrderedDict[str, AcceptedDocument] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def find(self, text: str) -> AcceptedDocument | None:
        """An accepted document; None where this text is not in the cache."""
        accepted = self._accepted.get(text)
        if accepted is not None:
            self._accepted.move_to_end(text)
        return accepted

    def accept(self, text: str) -> AcceptedDocument:
        """Parse, check, validate and cache a document. Raises InvalidDocument or Refusal, and then caches nothing."""
        try:
            ast, _ = parse_document(text, self.limits)
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
        accepted = AcceptedDocument(Document(text, ast), operations, sole, len(text))
        self._cache(accepted)
        return accepted

    def _cache(self, accepted: AcceptedDocument) -> None:
        self._accepted[accepted.document.text] = accepted
        self._bytes += accepted.weight
        while self._bytes > self.max_bytes or len(self._accepted) > self.max_count:
            _, dropped = self._accepted.popitem(last=False)
            self._bytes -= dropped.weight

    def __len__(self) -> int:
        return len(self._accepted)
