"""Row conditions: text such as `r.obj.town_code == r.sub.area_code and is_open` to a Predicate.

The text is parsed with Python's `ast` against a whitelist and never evaluated here. What is not on the list is refused with a
sentence: comparison of an attribute of the row with a literal or a claim, `in`, `and`, `or`, `not`, and names of conditions.
"""

import ast
from collections.abc import Mapping

from policies.catalog import Attribute, Catalog, Claim, Resource
from policies.predicate import Always, ClaimRef, Eq, Has, In, Predicate, all_of, any_of, claims_of, negate

MAX_LENGTH = 500
MAX_NODES = 120
MAX_EXPANDED_NODES = 1200


class ConditionRefused(Exception):
    """The condition cannot be explained; the message says why, in Chinese."""


def parse(text: str) -> ast.expr:
    """The syntax tree. Raises ConditionRefused for anything that is not one short expression."""
    if len(text) > MAX_LENGTH:
        raise ConditionRefused(f"条件过长（{len(text)} 字，至多 {MAX_LENGTH} 字）")
    if not text.isascii():
        # Python reads a full-width letter in a name as the plain one: the text would read otherwise than it works.
        raise ConditionRefused("条件只能由 ASCII 字符组成")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConditionRefused("条件不是合法的表达式") from None
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise ConditionRefused("条件过于复杂")
    return tree


class _Expansion(ast.NodeTransformer):
    def __init__(self, named: Mapping[str, ast.expr]) -> None:
        self.named = named

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.named.get(node.id, node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return node  # r.obj.x is a path, not a name to expand


def expand(tree: ast.expr, named: Mapping[str, ast.expr]) -> ast.expr:
    """The tree with every named condition put in. Both evaluators see the result, never the names. Raises ConditionRefused."""
    expanded: ast.expr = _Expansion(named).visit(ast.parse(ast.unparse(tree), mode="eval").body)
    # Names may stand for names: a few lines that each double the one before would fill any memory.
    if sum(1 for _ in ast.walk(expanded)) > MAX_EXPANDED_NODES:
        raise ConditionRefused("条件代入后过于复杂")
    return expanded


def translate(tree: ast.expr, resource: Resource, catalog: Catalog) -> Predicate:
    """The predicate of an expanded tree for one resource. Raises ConditionRefused."""
    match tree:
        case ast.Constant(value=True):
            return Always()
        case ast.BoolOp(op=ast.And(), values=values):
            return all_of(translate(value, resource, catalog) for value in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any_of(translate(value, resource, catalog) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            part = translate(operand, resource, catalog)
            if claims_of(part):
                raise ConditionRefused("not 之后不能涉及 r.sub：缺少该属性时将意外放行")
            return negate(part)
        case ast.Attribute():
            attribute = _attribute(tree, resource)
            if attribute.kind != "boolean":
                raise ConditionRefused(f"r.obj.{attribute.name} 不是真假值，须与某值比较")
            return Eq(attribute.name, True)
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            return _comparison(left, operator, right, resource, catalog)
        case ast.Name(id=name):
            raise ConditionRefused(f"未定义的条件名 {name}")
    raise ConditionRefused(f"不允许的写法：{ast.unparse(tree)[:80]}")


def _comparison(
    left: ast.expr, operator: ast.cmpop, right: ast.expr, resource: Resource, catalog: Catalog
) -> Predicate:
    match operator:
        case ast.Eq() | ast.NotEq():
            attribute = _attribute(left, resource)
            if attribute.kind == "set":
                raise ConditionRefused(f"r.obj.{attribute.name} 是集合，请写作：r.sub.… in r.obj.{attribute.name}")
            if isinstance(right, ast.Constant):
                literal = _literal(right, attribute)
                equal = Eq(attribute.name, literal)
                return equal if isinstance(operator, ast.Eq) else negate(equal)
            claim = _claim(right, catalog)
            if isinstance(operator, ast.NotEq):
                raise ConditionRefused("!= 只能与常量比较：缺少 r.sub 属性时将意外放行")
            if claim.kind != attribute.kind:
                raise ConditionRefused(f"r.sub.{claim.name} 与 r.obj.{attribute.name} 类型不同")
            return Eq(attribute.name, ClaimRef(claim.name))
        case ast.In():
            if _root(left) == "sub":
                claim, attribute = _claim(left, catalog), _attribute(right, resource)
                if attribute.kind != "set" or claim.kind != "key":
                    raise ConditionRefused(f"r.obj.{attribute.name} 须为集合，r.sub.{claim.name} 须为标识")
                return Has(attribute.name, ClaimRef(claim.name))
            attribute, claim = _attribute(left, resource), _claim(right, catalog)
            if claim.kind != "set" or attribute.kind != "key":
                raise ConditionRefused(f"r.sub.{claim.name} 须为集合，r.obj.{attribute.name} 须为标识")
            return In(attribute.name, ClaimRef(claim.name))
    raise ConditionRefused("只允许 ==、!=、in 三种比较")


def _root(tree: ast.expr) -> str | None:
    match tree:
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="r"), attr=root)):
            return root
    return None


def _attribute(tree: ast.expr, resource: Resource) -> Attribute:
    if _root(tree) == "obj" and isinstance(tree, ast.Attribute):
        if tree.attr in resource.attributes:
            return resource.attributes[tree.attr]
        raise ConditionRefused(f"{resource.name} 没有可用于条件的属性 {tree.attr}")
    raise ConditionRefused(f"此处应为 r.obj 的属性：{ast.unparse(tree)[:80]}")


def _claim(tree: ast.expr, catalog: Catalog) -> Claim:
    if _root(tree) == "sub" and isinstance(tree, ast.Attribute):
        if tree.attr in catalog.claims:
            return catalog.claims[tree.attr]
        raise ConditionRefused(f"任职没有属性 {tree.attr}")
    raise ConditionRefused(f"此处应为 r.sub 的属性或常量：{ast.unparse(tree)[:80]}")


def _literal(tree: ast.Constant, attribute: Attribute) -> str | bool:
    value = tree.value
    if attribute.kind == "boolean" and isinstance(value, bool):
        return value
    if attribute.kind == "text" and isinstance(value, str) and value.isascii() and value.replace("_", "a").isalnum():
        return value
    raise ConditionRefused(
        f"r.obj.{attribute.name} 不能与常量 {str(value)[:40]!r} 比较（只允许由字母、数字、下划线组成的文本，或 True/False）"
    )
