"""Row conditions: compiles text such as `r.obj.town_code == r.sub.area_code and is_open` to a Predicate.

The text is parsed with Python's `ast` against a whitelist and never evaluated here. The whitelist: comparison of an attribute of the row
with a literal or a claim, `in`, `and`, `or`, `not`, `True`, and names of conditions. Anything else is refused with a sentence in Chinese.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from policies.catalog import Attribute, Catalog, Claim, Resource
from policies.predicate import Always, ClaimRef, Eq, Has, In, Predicate, all_of, any_of, claims_of, negate

# One `ast.parse` at a time in a process: Python 3.11 counts the depth of a syntax tree in one place for all threads, and fails with a
# SystemError where two of them parse at once. Policies are compiled in threads.
PARSE_LOCK = threading.Lock()

# In characters.
MAX_LENGTH = 500
# Comparisons and the operators between them, once every name is expanded.
MAX_SIZE = 100


class ConditionRefused(Exception):
    """The condition is not on the whitelist; the message says why, in Chinese. `offset`: where in the text, from 0; `undefined`: the
    undefined name, if that is why."""

    def __init__(self, message: str, at: ast.expr | int = 0, undefined: str | None = None) -> None:
        super().__init__(message)
        self.offset = at if isinstance(at, int) else at.col_offset
        self.undefined = undefined


@dataclass(frozen=True)
class Condition:
    """A parsed condition with the conditions that its names stand for. `size`: see MAX_SIZE."""

    text: str
    tree: ast.expr
    named: Mapping[str, Condition]
    size: int


def parse(text: str, named: Mapping[str, Condition] | None = None) -> Condition:
    """Parses a text; `named`: the conditions that it may name.

    Raises ConditionRefused unless it is one short expression over defined names.
    """
    if len(text) > MAX_LENGTH:
        raise ConditionRefused(f"条件过长（{len(text)} 字，至多 {MAX_LENGTH} 字）")
    if not text.isascii():
        # Python reads a full-width letter in a name as the plain one: the text would look otherwise than it works.
        index = next(index for index, character in enumerate(text) if not character.isascii())
        raise ConditionRefused("条件只能由 ASCII 字符组成", index)
    try:
        with PARSE_LOCK:
            tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ConditionRefused("条件不是合法的表达式", max((error.offset or 1) - 1, 0)) from None
    except (ValueError, RecursionError, MemoryError):
        raise ConditionRefused("条件不是合法的表达式") from None
    named = named or {}
    size = _size(tree, named)
    if size > MAX_SIZE:
        # Names may stand for names: a few lines that each double the one before would fill any memory.
        raise ConditionRefused("条件（代入条件名之后）过于复杂")
    return Condition(text, tree, named, size)


def _size(tree: ast.expr, named: Mapping[str, Condition]) -> int:
    match tree:
        case ast.BoolOp(values=values):
            return len(values) - 1 + sum(_size(value, named) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return 1 + _size(operand, named)
        case ast.Name(id=name):
            if name not in named:
                raise ConditionRefused(f"未定义的条件名 {name}", tree, name)
            return named[name].size
    return 1


def expand(condition: Condition) -> str:
    """The text of a translated condition with its names expanded and its blanks normalised: what Casbin evaluates."""

    def text(tree: ast.expr, named: Mapping[str, Condition], inside: bool) -> str:
        match tree:
            case ast.BoolOp(op=operator, values=values):
                separator = " and " if isinstance(operator, ast.And) else " or "
                joined = separator.join(text(value, named, True) for value in values)
                return f"({joined})" if inside else joined
            case ast.UnaryOp(operand=operand):
                return f"not {text(operand, named, True)}"
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                symbol = "in" if isinstance(operator, ast.In) else "==" if isinstance(operator, ast.Eq) else "!="
                return f"{text(left, named, True)} {symbol} {text(right, named, True)}"
            case ast.Attribute(value=ast.Attribute(attr=root), attr=name):
                return f"r.{root}.{name}"
            case ast.Name(id=name):
                return text(named[name].tree, named[name].named, inside)
            case ast.Constant(value=value):
                return repr(value)
        raise AssertionError("not translated")

    return text(condition.tree, condition.named, False)


def translate(condition: Condition, resource: Resource, catalog: Catalog) -> Predicate:
    """Compiles a condition to a predicate on one resource, with unbound claims. Raises ConditionRefused."""
    return _Translation(condition, resource, catalog).predicate(condition.tree)


@dataclass(frozen=True)
class _Translation:
    """The whitelist, applied to one condition and one resource."""

    condition: Condition
    resource: Resource
    catalog: Catalog

    def predicate(self, tree: ast.expr) -> Predicate:
        match tree:
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return self._comparison(left, operator, right)
            case ast.BoolOp(op=ast.And(), values=values):
                return all_of([self.predicate(value) for value in values])
            case ast.BoolOp(op=ast.Or(), values=values):
                return any_of([self.predicate(value) for value in values])
            case ast.Name(id=name):
                try:
                    return translate(self.condition.named[name], self.resource, self.catalog)
                except ConditionRefused as refused:
                    raise ConditionRefused(f"条件 {name}：{refused}", tree) from None
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                part = self.predicate(operand)
                if claims_of(part):
                    raise ConditionRefused("not 之后不能涉及 r.sub：缺少该属性时将意外放行", tree)
                return negate(part)
            case ast.Constant(value=True):
                return Always()
            case ast.Attribute():
                attribute = self._attribute(tree)
                if attribute.kind != "boolean":
                    raise ConditionRefused(f"r.obj.{attribute.name} 不是真假值，须与某值比较", tree)
                return Eq(attribute.name, True)
        raise ConditionRefused(f"不允许的写法：{self._quote(tree)}", tree)

    def _comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Predicate:
        match operator:
            case ast.Eq() | ast.NotEq():
                attribute = self._attribute(left)
                if attribute.kind == "set":
                    raise ConditionRefused(
                        f"r.obj.{attribute.name} 是集合，请写作：r.sub.… in r.obj.{attribute.name}", left
                    )
                if isinstance(right, ast.Constant):
                    equal = Eq(attribute.name, self._literal(right, attribute))
                    return equal if isinstance(operator, ast.Eq) else negate(equal)
                claim = self._claim(right)
                if isinstance(operator, ast.NotEq):
                    raise ConditionRefused("!= 只能与常量比较：缺少 r.sub 属性时将意外放行", right)
                if claim.kind != attribute.kind:
                    raise ConditionRefused(f"r.sub.{claim.name} 与 r.obj.{attribute.name} 类型不同", right)
                return Eq(attribute.name, ClaimRef(claim.name))
            case ast.In():
                if _root(left) == "sub":
                    claim, attribute = self._claim(left), self._attribute(right)
                    if attribute.kind != "set" or claim.kind != "key":
                        raise ConditionRefused(f"r.obj.{attribute.name} 须为集合，r.sub.{claim.name} 须为标识", left)
                    return Has(attribute.name, ClaimRef(claim.name))
                attribute, claim = self._attribute(left), self._claim(right)
                if claim.kind != "set" or attribute.kind != "key":
                    raise ConditionRefused(f"r.sub.{claim.name} 须为集合，r.obj.{attribute.name} 须为标识", left)
                return In(attribute.name, ClaimRef(claim.name))
        raise ConditionRefused("只允许 ==、!=、in 三种比较", left)

    def _attribute(self, tree: ast.expr) -> Attribute:
        if isinstance(tree, ast.Attribute) and _root(tree) == "obj":
            if tree.attr in self.resource.attributes:
                return self.resource.attributes[tree.attr]
            raise ConditionRefused(f"{self.resource.name} 没有可用于条件的属性 {tree.attr}", tree)
        raise ConditionRefused(f"此处应为 r.obj 的属性：{self._quote(tree)}", tree)

    def _claim(self, tree: ast.expr) -> Claim:
        if isinstance(tree, ast.Attribute) and _root(tree) == "sub":
            if tree.attr in self.catalog.claims:
                return self.catalog.claims[tree.attr]
            raise ConditionRefused(f"任职没有属性 {tree.attr}", tree)
        raise ConditionRefused(f"此处应为 r.sub 的属性或常量：{self._quote(tree)}", tree)

    def _literal(self, tree: ast.Constant, attribute: Attribute) -> str | bool:
        value = tree.value
        if attribute.kind == "boolean" and isinstance(value, bool):
            return value
        if (
            attribute.kind == "text"
            and isinstance(value, str)
            and value.isascii()
            and value.replace("_", "a").isalnum()
        ):
            return value
        raise ConditionRefused(
            f"r.obj.{attribute.name} 不能与常量 {self._quote(tree)} 比较（只允许由字母、数字、下划线组成的文本，或 True/False）",
            tree,
        )

    def _quote(self, tree: ast.expr) -> str:
        """The source text of a tree, at most 80 characters. A tree that was not translated is not unparsed: it may be too deep to walk."""
        return self.condition.text[tree.col_offset : tree.end_col_offset][:80]


def _root(tree: ast.expr) -> str | None:
    """`obj` of `r.obj.name`, `sub` of `r.sub.name`; None for any other expression."""
    match tree:
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="r"), attr=root)):
            return root
    return None
