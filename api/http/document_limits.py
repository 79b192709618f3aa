"""What is refused before validation: documents and variables too large, too deep or too tangled to be worth reading.

One pass over the syntax tree, then arithmetic over fragments (each measured once), then one bounded expansion: the work
is linear in the tokens whatever the document says. It knows neither the schema nor the caller.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    IntValueNode,
    ListTypeNode,
    ListValueNode,
    NameNode,
    Node,
    NonNullTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    VariableDefinitionNode,
    parse,
)

from api.http.limits import DEFAULT, Limits
from schema.refusal import Code, Refusal, TooCostly

_LITERALS = (StringValueNode, EnumValueNode, IntValueNode, FloatValueNode)


_INTROSPECTION = frozenset({"__schema", "__type"})


def parse_document(text: str, limits: Limits = DEFAULT) -> tuple[DocumentNode, int]:
    """Parse a document within the limits; returns it and the number of nodes visited. Raises GraphQLError or Refusal."""
    _check_limit(len(text), limits.max_document_length, "查询的长度", "个字符", costly=True)
    # SECURITY: the parser counts while it reads, so that an endless document is never read to its end.
    try:
        ast = parse(text, max_lexical_tokens=limits.max_tokens, max_comments=limits.max_tokens)
    except GraphQLSyntaxError as error:
        if not error.message.endswith("Parsing aborted."):
            raise
        wanted = f"查询超过 {limits.max_tokens} 个词法单位或注释，或嵌套过深；请缩小或拆分请求。"
        raise TooCostly(wanted, limits.max_tokens + 1, limits.max_tokens) from None
    return ast, check_document(ast, limits)


def check_document(ast: DocumentNode, limits: Limits = DEFAULT) -> int:
    """The number of nodes visited to check a document. Raises Refusal where it exceeds a limit."""
    counts = _DocumentCounts(limits)
    for definition in ast.definitions:
        if isinstance(definition, OperationDefinitionNode):
            counts.operations.append(definition)
        elif isinstance(definition, FragmentDefinitionNode):
            if definition.name.value in counts.fragments:
                raise _bad_input(f"片段名 {_shortened(definition.name.value)} 重复；请为每个片段取不同的名字。")
            counts.fragments[definition.name.value] = definition
        else:
            raise _bad_input("请求里只能有操作和片段，不能定义类型。")
    _check_limit(len(counts.operations), limits.max_operations, "操作", "个")
    _check_limit(len(counts.fragments), limits.max_fragments, "片段", "个")
    for name, fragment in counts.fragments.items():
        counts.of_fragments[name] = counts.count_definition(fragment)
    for operation in counts.operations:
        counts.of_operations.append(counts.count_definition(operation))
    expansion = _FragmentExpansion(limits, counts.of_fragments)
    total = sum(expansion.of(part).selections for part in counts.of_operations)
    # Fragments that nothing spreads are an error for validation, which visits them all the same.
    unused = [counts.fragments[name] for name in counts.of_fragments if name not in expansion.used]
    total += sum(expansion.fragment_counts(fragment.name.value).selections for fragment in unused)
    _check_limit(total, limits.max_selections, "展开片段后的字段", "个", costly=True)
    for part in counts.of_operations:
        expanded = expansion.of(part)
        _check_limit(expanded.depth, limits.max_depth, "查询嵌套", "层", costly=True)
        _check_limit(expanded.meta_depth, limits.max_introspection_depth, "内省嵌套", "层", costly=True)
        _check_limit(expanded.metas, limits.max_introspections, "内省字段", "个", costly=True)
    overlaps = _count_overlaps(counts, unused)
    return counts.visited + overlaps


def check_variables(variables: dict[str, Any], limits: Limits = DEFAULT) -> int:
    """The number of values visited to check JSON variables. Raises Refusal where they are too many, too deep or not storable."""
    _check_limit(len(variables), limits.max_variables, "变量", "个")
    visited = 0
    stack: list[tuple[Any, int]] = [(variables, 0)]
    while stack:
        value, depth = stack.pop()
        visited += 1
        if isinstance(value, str):
            # SECURITY: PostgreSQL stores no NUL; refused here it can never surface as a database error.
            if "\0" in value:
                raise _bad_input("变量里含有空字符（U+0000），请去掉后重试。")
        elif isinstance(value, dict):
            _check_limit(depth, limits.max_value_depth, "变量嵌套", "层")
            _check_limit(len(value), limits.max_object_length, "变量中的对象", "项")
            visited += len(value)
            for key, inner in value.items():
                stack.append((inner, depth + 1))
                if "\0" in key:
                    raise _bad_input("变量里含有空字符（U+0000），请去掉后重试。")
        elif isinstance(value, list):
            _check_limit(depth, limits.max_value_depth, "变量嵌套", "层")
            _check_limit(len(value), limits.max_list_length, "变量中的列表", "项")
            stack.extend((inner, depth + 1) for inner in value)
        if visited + len(stack) > limits.max_value_nodes:
            raise _limit_exceeded(limits.max_value_nodes + 1, limits.max_value_nodes, "变量中的值", "个", costly=True)
    return visited


@dataclass(slots=True)
class _DefinitionCounts:
    """One definition by itself: the depth of its own fields, and where it spreads fragments."""

    selections: int = 0
    depth: int = 0
    meta_depth: int = 0
    metas: int = 0
    spreads: list[tuple[str, int, bool]] = field(default_factory=list)  # fragment, depth, inside introspection


@dataclass(slots=True)
class _DocumentCounts:
    """The counts over the whole document, and those of each fragment and operation."""

    limits: Limits
    operations: list[OperationDefinitionNode] = field(default_factory=list)
    fragments: dict[str, FragmentDefinitionNode] = field(default_factory=dict)
    of_fragments: dict[str, _DefinitionCounts] = field(default_factory=dict)
    of_operations: list[_DefinitionCounts] = field(default_factory=list)
    visited: int = 0
    aliases: int = 0
    directives: int = 0
    spreads: int = 0
    variables: int = 0

    def count_definition(self, definition: OperationDefinitionNode | FragmentDefinitionNode) -> _DefinitionCounts:
        """Visit every node of one definition once."""
        part, limits = _DefinitionCounts(), self.limits
        stack: list[tuple[Node, int, int, bool]] = [(definition, 0, 0, False)]  # node, fields above, nesting, meta
        while stack:
            node, depth, nesting, meta = stack.pop()
            self.visited += 1
            if isinstance(node, NameNode):
                _check_limit(len(node.value), limits.max_name_length, "名称长度", "个字符")
                continue
            if isinstance(node, SelectionSetNode):
                if not node.selections:
                    raise _bad_input("花括号里至少要写一个字段。")
                nesting += 1
                _check_limit(nesting, limits.max_nesting, "花括号嵌套", "层", costly=True)
                part.selections += len(node.selections)
            elif isinstance(node, FieldNode):
                depth += 1
                self._field(node)
                if node.name.value in _INTROSPECTION:
                    meta = True
                    part.metas += 1
                if meta:
                    part.meta_depth = max(part.meta_depth, depth)
                else:
                    part.depth = max(part.depth, depth)
            elif isinstance(node, FragmentSpreadNode):
                self.spreads += 1
                _check_limit(self.spreads, limits.max_spreads, "片段引用", "处", costly=True)
                part.spreads.append((node.name.value, depth, meta))
            elif isinstance(node, DirectiveNode):
                self.directives += 1
                _check_limit(self.directives, limits.max_directives, "指令", "个", costly=True)
            elif isinstance(node, VariableDefinitionNode):
                self.variables += 1
                _check_limit(self.variables, limits.max_variables, "变量", "个")
            elif isinstance(node, (ListValueNode, ObjectValueNode, ListTypeNode, NonNullTypeNode)):
                self._value(node)
                continue
            elif isinstance(node, _LITERALS):
                self._literal(node)
            stack.extend((child, depth, nesting, meta) for child in _children(node))
        return part

    def _field(self, node: FieldNode) -> None:
        if node.alias is not None:
            self.aliases += 1
            _check_limit(self.aliases, self.limits.max_aliases, "别名", "个", costly=True)
        key = node.alias or node.name
        _check_limit(len(key.value), self.limits.max_key_length, "字段名或别名的长度", "个字符")

    def _literal(self, node: StringValueNode | EnumValueNode | IntValueNode | FloatValueNode) -> None:
        if isinstance(node, (IntValueNode, FloatValueNode)):
            # SECURITY: Python converts long digit strings in quadratic time, and raises beyond 4,300 digits.
            _check_limit(len(node.value), self.limits.max_number_length, "数字长度", "个字符")
            return
        _check_limit(len(node.value), self.limits.max_string_length, "字符串长度", "个字符")
        # SECURITY: PostgreSQL stores no NUL; refused here it can never surface as a database error.
        if "\0" in node.value:
            raise _bad_input("查询里含有空字符（U+0000），请去掉后重试。")

    def _value(self, top: Node) -> None:
        stack: list[tuple[Node, int]] = [(top, 1)]
        while stack:
            node, depth = stack.pop()
            self.visited += 1
            if isinstance(node, _LITERALS):
                self._literal(node)
            elif isinstance(node, NameNode):
                _check_limit(len(node.value), self.limits.max_name_length, "名称长度", "个字符")
            elif isinstance(node, (ListValueNode, ObjectValueNode, ListTypeNode, NonNullTypeNode)):
                _check_limit(depth, self.limits.max_value_depth, "参数值嵌套", "层")
                depth += 1
                if isinstance(node, ListValueNode):
                    _check_limit(len(node.values), self.limits.max_list_length, "参数中的列表", "项")
                elif isinstance(node, ObjectValueNode):
                    _check_limit(len(node.fields), self.limits.max_object_length, "参数中的对象", "项")
            stack.extend((child, depth) for child in _children(node))


@dataclass(slots=True)
class _ExpandedCounts:
    """The counts of a definition with its fragments in place of their spreads."""

    selections: int
    depth: int
    meta_depth: int
    metas: int


class _FragmentExpansion:
    """Adds the counts of fragments to those of the definitions that spread them. Each fragment is summed once; a cycle is refused."""

    def __init__(self, limits: Limits, parts: dict[str, _DefinitionCounts]) -> None:
        self._limits = limits
        self._parts = parts
        self._expanded: dict[str, _ExpandedCounts] = {}
        self._expanding: set[str] = set()
        self.used: set[str] = set()

    def fragment_counts(self, name: str) -> _ExpandedCounts:
        """The expanded counts of a fragment. Raises Refusal where it spreads itself."""
        if name not in self._expanded:
            if name in self._expanding:
                raise _bad_input(f"片段 {_shortened(name)} 循环引用了自己；请去掉这条引用。")
            self._expanding.add(name)
            self._expanded[name] = self.of(
                self._parts[name]
            )  # recursion as deep as there are fragments, which is limited
            self._expanding.discard(name)
        return self._expanded[name]

    def of(self, part: _DefinitionCounts) -> _ExpandedCounts:
        """The expanded counts of a definition. Raises Refusal where they exceed `max_selections`."""
        expanded = _ExpandedCounts(part.selections, part.depth, part.meta_depth, part.metas)
        for name, depth, meta in part.spreads:
            if name not in self._parts:
                continue  # an unknown fragment has no weight: validation names it
            self.used.add(name)
            inner = self.fragment_counts(name)
            expanded.selections += inner.selections
            expanded.metas += inner.metas
            if meta:
                expanded.meta_depth = max(expanded.meta_depth, depth + max(inner.depth, inner.meta_depth))
            else:
                expanded.depth = max(expanded.depth, depth + inner.depth)
                expanded.meta_depth = max(expanded.meta_depth, depth + inner.meta_depth if inner.meta_depth else 0)
            # SECURITY: doubling fragments reach any number in a few lines; stop at the limit, before the digits grow.
            _check_limit(expanded.selections, self._limits.max_selections, "展开片段后的字段", "个", costly=True)
        return expanded


def _count_overlaps(counts: _DocumentCounts, unused: list[FragmentDefinitionNode]) -> int:
    """Expand as execution will (at most `max_selections` nodes) and count the pairs that validation must compare.

    OverlappingFieldsCanBeMerged compares every two fields under one response key: quadratic, so the pairs are limited.
    """
    limits, pairs, visited = counts.limits, 0, 0
    roots: list[OperationDefinitionNode | FragmentDefinitionNode] = [*counts.operations, *unused]
    for root in roots:
        stack: list[list[SelectionSetNode]] = [[root.selection_set]]
        top = isinstance(root, OperationDefinitionNode)
        while stack:
            groups: dict[str, list[FieldNode]] = {}
            for node in _fields_of(stack.pop(), counts.fragments):
                visited += 1
                groups.setdefault((node.alias or node.name).value, []).append(node)
            if top:
                top = False
                writes = isinstance(root, OperationDefinitionNode) and root.operation is OperationType.MUTATION
                _check_limit(len(groups), limits.max_root_fields, "顶层字段", "个", costly=True)
                if writes:
                    _check_limit(len(groups), limits.max_mutations, "一次请求中的变更", "个", costly=True)
            for group in groups.values():
                pairs += len(group) * (len(group) - 1) // 2
                inner = [node.selection_set for node in group if node.selection_set is not None]
                if inner:
                    stack.append(inner)
            _check_limit(pairs, limits.max_merges, "同名字段的重复", "对", costly=True)
    return visited


def _fields_of(sets: Iterable[SelectionSetNode], fragments: dict[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    """The fields of several selection sets, with those of the fragments that they spread."""
    stack = list(sets)
    while stack:
        for node in stack.pop().selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                stack.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments:
                stack.append(fragments[node.name.value].selection_set)


def _children(node: Node) -> Iterator[Node]:
    for key in node.keys:
        if key == "loc":
            continue
        value = getattr(node, key)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from value


def _check_limit(actual: int, limit: int, what: str, unit: str, costly: bool = False) -> None:
    if actual > limit:
        raise _limit_exceeded(actual, limit, what, unit, costly)


def _limit_exceeded(actual: int, limit: int, what: str, unit: str, costly: bool = False) -> Refusal:
    message = f"{what}达到 {actual} {unit}，上限是 {limit} {unit}；请缩小或拆分请求。"
    return TooCostly(message, actual, limit) if costly else Refusal(Code.BAD_USER_INPUT, message)


def _bad_input(message: str) -> Refusal:
    return Refusal(Code.BAD_USER_INPUT, message)


def _shortened(name: str) -> str:
    return name if len(name) <= 40 else name[:40] + "…"
