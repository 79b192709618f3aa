"""What is refused before validation: documents and variables too large, too deep or too tangled to be worth reading.

One pass over the syntax tree, then arithmetic over fragments (each measured once), then one bounded expansion: the work
is linear in the tokens whatever the document says. It knows neither the schema nor who is asking.
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
from schema.refusal import Code, Refusal

_LITERAL = (StringValueNode, EnumValueNode, IntValueNode, FloatValueNode)


_META = frozenset({"__schema", "__type"})


def read(text: str, limits: Limits = DEFAULT) -> tuple[DocumentNode, int]:
    """Parse and hold against the limits; returns the document and the nodes visited. Raises GraphQLError or Refusal."""
    _at_most(len(text), limits.max_document_length, "查询的长度", "个字符", costly=True)
    # SECURITY: the parser counts while it reads, so that an endless document is never read to its end.
    try:
        ast = parse(text, max_lexical_tokens=limits.max_tokens, max_comments=limits.max_tokens)
    except GraphQLSyntaxError as error:
        if not error.message.endswith("Parsing aborted."):
            raise
        wanted = f"查询超过 {limits.max_tokens} 个词法单位或注释，或嵌套过深；请缩小或拆分请求。"
        raise Refusal(Code.TOO_COSTLY, wanted) from None
    return ast, measure(ast, limits)


def measure(ast: DocumentNode, limits: Limits = DEFAULT) -> int:
    """Raise Refusal when the document exceeds a limit; otherwise return how many nodes were visited to find out."""
    census = _Census(limits)
    for definition in ast.definitions:
        if isinstance(definition, OperationDefinitionNode):
            census.operations.append(definition)
        elif isinstance(definition, FragmentDefinitionNode):
            if definition.name.value in census.fragments:
                raise _bad(f"片段名 {_shown(definition.name.value)} 重复；请为每个片段取不同的名字。")
            census.fragments[definition.name.value] = definition
        else:
            raise _bad("请求里只能有操作和片段，不能定义类型。")
    _at_most(len(census.operations), limits.max_operations, "操作", "个")
    _at_most(len(census.fragments), limits.max_fragments, "片段", "个")
    for name, fragment in census.fragments.items():
        census.parts[name] = census.survey(fragment)
    for operation in census.operations:
        census.whole.append(census.survey(operation))
    sums = _Sums(limits, census.parts)
    total = sum(sums.of(part).selections for part in census.whole)
    # Fragments that nothing uses are an error for validation, which walks them all the same.
    loose = [census.fragments[name] for name in census.parts if name not in sums.used]
    total += sum(sums.named(fragment.name.value).selections for fragment in loose)
    _at_most(total, limits.max_selections, "展开片段后的字段", "个", costly=True)
    for part in census.whole:
        whole = sums.of(part)
        _at_most(whole.depth, limits.max_depth, "查询嵌套", "层", costly=True)
        _at_most(whole.meta_depth, limits.max_introspection_depth, "内省嵌套", "层", costly=True)
        _at_most(whole.metas, limits.max_introspections, "内省字段", "个", costly=True)
    merged = _merge(census, loose)
    return census.visited + merged


def measure_variables(variables: dict[str, Any], limits: Limits = DEFAULT) -> int:
    """Raise Refusal when the JSON variables are too many, too deep or not storable; returns the values visited."""
    _at_most(len(variables), limits.max_variables, "变量", "个")
    visited = 0
    stack: list[tuple[Any, int]] = [(variables, 0)]
    while stack:
        value, depth = stack.pop()
        visited += 1
        if isinstance(value, str):
            # SECURITY: PostgreSQL stores no NUL; refused here it can never surface as a database error.
            if "\0" in value:
                raise _bad("变量里含有空字符（U+0000），请去掉后重试。")
        elif isinstance(value, dict):
            _at_most(depth, limits.max_value_depth, "变量嵌套", "层")
            _at_most(len(value), limits.max_object_length, "变量中的对象", "项")
            visited += len(value)
            for key, inner in value.items():
                stack.append((inner, depth + 1))
                if "\0" in key:
                    raise _bad("变量里含有空字符（U+0000），请去掉后重试。")
        elif isinstance(value, list):
            _at_most(depth, limits.max_value_depth, "变量嵌套", "层")
            _at_most(len(value), limits.max_list_length, "变量中的列表", "项")
            stack.extend((inner, depth + 1) for inner in value)
        if visited + len(stack) > limits.max_value_nodes:
            raise _over(limits.max_value_nodes + 1, limits.max_value_nodes, "变量中的值", "个", costly=True)
    return visited


@dataclass(slots=True)
class _Part:
    """One definition by itself: how deep its own fields go, and where it calls for fragments."""

    selections: int = 0
    depth: int = 0
    meta_depth: int = 0
    metas: int = 0
    spreads: list[tuple[str, int, bool]] = field(default_factory=list)  # fragment, depth, inside introspection


@dataclass(slots=True)
class _Census:
    """The counts over the whole text, and the parts found on the way."""

    limits: Limits
    operations: list[OperationDefinitionNode] = field(default_factory=list)
    fragments: dict[str, FragmentDefinitionNode] = field(default_factory=dict)
    parts: dict[str, _Part] = field(default_factory=dict)
    whole: list[_Part] = field(default_factory=list)
    visited: int = 0
    aliases: int = 0
    directives: int = 0
    spreads: int = 0
    variables: int = 0

    def survey(self, definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Part:
        """Visit every node of one definition once."""
        part, limits = _Part(), self.limits
        stack: list[tuple[Node, int, int, bool]] = [(definition, 0, 0, False)]  # node, fields above, nesting, meta
        while stack:
            node, depth, nesting, meta = stack.pop()
            self.visited += 1
            if isinstance(node, NameNode):
                _at_most(len(node.value), limits.max_name_length, "名称长度", "个字符")
                continue
            if isinstance(node, SelectionSetNode):
                if not node.selections:
                    raise _bad("花括号里至少要写一个字段。")
                nesting += 1
                _at_most(nesting, limits.max_nesting, "花括号嵌套", "层", costly=True)
                part.selections += len(node.selections)
            elif isinstance(node, FieldNode):
                depth += 1
                self._field(node)
                if node.name.value in _META:
                    meta = True
                    part.metas += 1
                if meta:
                    part.meta_depth = max(part.meta_depth, depth)
                else:
                    part.depth = max(part.depth, depth)
            elif isinstance(node, FragmentSpreadNode):
                self.spreads += 1
                _at_most(self.spreads, limits.max_spreads, "片段引用", "处", costly=True)
                part.spreads.append((node.name.value, depth, meta))
            elif isinstance(node, DirectiveNode):
                self.directives += 1
                _at_most(self.directives, limits.max_directives, "指令", "个", costly=True)
            elif isinstance(node, VariableDefinitionNode):
                self.variables += 1
                _at_most(self.variables, limits.max_variables, "变量", "个")
            elif isinstance(node, (ListValueNode, ObjectValueNode, ListTypeNode, NonNullTypeNode)):
                self._value(node)
                continue
            elif isinstance(node, _LITERAL):
                self._literal(node)
            stack.extend((child, depth, nesting, meta) for child in _children(node))
        return part

    def _field(self, node: FieldNode) -> None:
        if node.alias is not None:
            self.aliases += 1
            _at_most(self.aliases, self.limits.max_aliases, "别名", "个", costly=True)
        key = node.alias or node.name
        _at_most(len(key.value), self.limits.max_key_length, "字段名或别名的长度", "个字符")

    def _literal(self, node: StringValueNode | EnumValueNode | IntValueNode | FloatValueNode) -> None:
        if isinstance(node, (IntValueNode, FloatValueNode)):
            # SECURITY: Python converts long digit strings in quadratic time, and raises beyond 4,300 digits.
            _at_most(len(node.value), self.limits.max_number_length, "数字长度", "个字符")
            return
        _at_most(len(node.value), self.limits.max_string_length, "字符串长度", "个字符")
        # SECURITY: PostgreSQL stores no NUL; refused here it can never surface as a database error.
        if "\0" in node.value:
            raise _bad("查询里含有空字符（U+0000），请去掉后重试。")

    def _value(self, top: Node) -> None:
        stack: list[tuple[Node, int]] = [(top, 1)]
        while stack:
            node, depth = stack.pop()
            self.visited += 1
            if isinstance(node, _LITERAL):
                self._literal(node)
            elif isinstance(node, NameNode):
                _at_most(len(node.value), self.limits.max_name_length, "名称长度", "个字符")
            elif isinstance(node, (ListValueNode, ObjectValueNode, ListTypeNode, NonNullTypeNode)):
                _at_most(depth, self.limits.max_value_depth, "参数值嵌套", "层")
                depth += 1
                if isinstance(node, ListValueNode):
                    _at_most(len(node.values), self.limits.max_list_length, "参数中的列表", "项")
                elif isinstance(node, ObjectValueNode):
                    _at_most(len(node.fields), self.limits.max_object_length, "参数中的对象", "项")
            stack.extend((child, depth) for child in _children(node))


@dataclass(slots=True)
class _Whole:
    selections: int
    depth: int
    meta_depth: int
    metas: int


class _Sums:
    """Adds fragments to the parts that spread them. Each fragment is summed once; a cycle is refused."""

    def __init__(self, limits: Limits, parts: dict[str, _Part]) -> None:
        self._limits = limits
        self._parts = parts
        self._known: dict[str, _Whole] = {}
        self._open: set[str] = set()
        self.used: set[str] = set()

    def named(self, name: str) -> _Whole:
        if name not in self._known:
            if name in self._open:
                raise _bad(f"片段 {_shown(name)} 循环引用了自己；请去掉这条引用。")
            self._open.add(name)
            self._known[name] = self.of(self._parts[name])  # as deep as there are fragments, which is limited
            self._open.discard(name)
        return self._known[name]

    def of(self, part: _Part) -> _Whole:
        whole = _Whole(part.selections, part.depth, part.meta_depth, part.metas)
        for name, depth, meta in part.spreads:
            if name not in self._parts:
                continue  # an unknown fragment has no weight: validation names it
            self.used.add(name)
            inner = self.named(name)
            whole.selections += inner.selections
            whole.metas += inner.metas
            if meta:
                whole.meta_depth = max(whole.meta_depth, depth + max(inner.depth, inner.meta_depth))
            else:
                whole.depth = max(whole.depth, depth + inner.depth)
                whole.meta_depth = max(whole.meta_depth, depth + inner.meta_depth if inner.meta_depth else 0)
            # SECURITY: doubling fragments reach any number in a few lines; stop at the limit, before the digits grow.
            _at_most(whole.selections, self._limits.max_selections, "展开片段后的字段", "个", costly=True)
        return whole


def _merge(census: _Census, loose: list[FragmentDefinitionNode]) -> int:
    """Expand as execution will (at most `max_selections` nodes) and count the pairs that validation must compare.

    OverlappingFieldsCanBeMerged compares every two fields under one response key: quadratic, so the pairs are limited.
    """
    limits, pairs, visited = census.limits, 0, 0
    roots: list[OperationDefinitionNode | FragmentDefinitionNode] = [*census.operations, *loose]
    for root in roots:
        stack: list[list[SelectionSetNode]] = [[root.selection_set]]
        top = isinstance(root, OperationDefinitionNode)
        while stack:
            groups: dict[str, list[FieldNode]] = {}
            for node in _flat(stack.pop(), census.fragments):
                visited += 1
                groups.setdefault((node.alias or node.name).value, []).append(node)
            if top:
                top = False
                writes = isinstance(root, OperationDefinitionNode) and root.operation is OperationType.MUTATION
                _at_most(len(groups), limits.max_root_fields, "顶层字段", "个", costly=True)
                if writes:
                    _at_most(len(groups), limits.max_mutations, "一次请求中的变更", "个", costly=True)
            for group in groups.values():
                pairs += len(group) * (len(group) - 1) // 2
                inner = [node.selection_set for node in group if node.selection_set is not None]
                if inner:
                    stack.append(inner)
            _at_most(pairs, limits.max_merges, "同名字段的重复", "对", costly=True)
    return visited


def _flat(sets: Iterable[SelectionSetNode], fragments: dict[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    """The fields of several selection sets, fragments put in place."""
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


def _at_most(actual: int, limit: int, what: str, unit: str, costly: bool = False) -> None:
    if actual > limit:
        raise _over(actual, limit, what, unit, costly)


def _over(actual: int, limit: int, what: str, unit: str, costly: bool = False) -> Refusal:
    code = Code.TOO_COSTLY if costly else Code.BAD_USER_INPUT
    return Refusal(code, f"{what}达到 {actual} {unit}，上限是 {limit} {unit}；请缩小或拆分请求。")


def _bad(message: str) -> Refusal:
    return Refusal(Code.BAD_USER_INPUT, message)


def _shown(name: str) -> str:
    return name if len(name) <= 40 else name[:40] + "…"
