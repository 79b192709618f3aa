"""Model + text + catalog -> Policy. Refuses what it cannot explain, all mistakes at once, each with its line.

Casbin's own loader and role manager read the rules, so that Casbin (`enforce`, the oracle of the tests) and the compiled policy
speak of the same text. Casbin drops what it does not know in silence; therefore every line is checked here first.
"""

from __future__ import annotations

import ast
import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import casbin
from casbin.model import Model
from casbin.persist import load_policy_line

from policies.catalog import FIELD_CLASSES, Catalog, Resource
from policies.condition import ConditionRefused, expand, parse, translate
from policies.predicate import Predicate

MODEL_PATH = Path(__file__).with_name("model.conf")
POLICY_PATH = Path(__file__).with_name("policy.csv")
MAX_BYTES = 8 * 1024 * 1024
# Casbin follows this many steps of inheritance and no more; what lies deeper it would drop in silence.
MAX_INHERITANCE = 9
# Merging grants compares each rule with each: what one role may hold of one action is bounded, so that no policy stalls a process.
MAX_RULES_TOGETHER = 100

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_COLUMNS = {"p": 6, "p2": 3, "p3": 2, "g": 2}


@dataclass(frozen=True)
class Problem:
    """One mistake: the line (1-based; 0 for the whole text) and a sentence in Chinese."""

    line: int
    message: str


class PolicyRefused(Exception):
    """The text cannot become a policy; `problems` lists every mistake."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(f"第 {problem.line} 行：{problem.message}" for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Named:
    """A named row condition: the text it stands for and the words that people read."""

    name: str
    text: str
    label: str


@dataclass(frozen=True)
class Rule:
    """One p line. `fields` maps a class to True (clear) or False (masked); `every` is `*`, allowed for deny only."""

    line: int
    role: str
    resource: str
    action: str
    condition: str
    rows: Predicate
    fields: Mapping[str, bool]
    every: bool
    allow: bool

    def covers(self, cell: str) -> bool:
        """Whether the rule speaks of the cell: see `covers` below."""
        return covers(self.cells, "allow" if self.allow else "deny", cell)

    @property
    def cells(self) -> str:
        """The fields column, normalised."""
        if self.every:
            return "*"
        return "|".join(name if clear else f"~{name}" for name, clear in self.fields.items()) or "-"


def covers(fields: str, effect: str, cell: str) -> bool:
    """Whether a rule's fields column covers a cell: `row` (the row as such), `contact` (in clear) or `~contact` (at least masked).

    An allow covers the row whatever its fields are; a deny covers it only with `*`, which hides the row altogether.
    A deny of a class covers both its clear and its masked form. Registered as a function of the Casbin model.
    """
    if cell == "row":
        return effect == "allow" or fields == "*"
    granted = fields.split("|")
    return fields == "*" or cell in granted or (cell.startswith("~") and cell[1:] in granted)


@dataclass(frozen=True)
class Policy:
    """A compiled policy: immutable, safe to share. `version` is the row in `policy_version` (0: not stored)."""

    text: str
    version: int
    rules: tuple[Rule, ...]
    roles: Mapping[str, str]
    named: Mapping[str, Named]
    inherited: Mapping[str, tuple[str, ...]]
    loaded: Model = field(repr=False, compare=False)

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def _index(self) -> dict[tuple[str, str, str], tuple[Rule, ...]]:
        found: dict[tuple[str, str, str], list[Rule]] = defaultdict(list)
        for rule in self.rules:
            found[rule.role, rule.resource, rule.action].append(rule)
        return {key: tuple(rules) for key, rules in found.items()}

    def rules_for(self, role: str, resource: str, action: str) -> tuple[Rule, ...]:
        """The rules that a holder of `role` has, inherited ones included, in the order of the text."""
        rules = (
            rule for source in self.inherited.get(role, ()) for rule in self._index.get((source, resource, action), ())
        )
        return tuple(sorted(rules, key=lambda rule: rule.line))


def compile_policy(text: str, catalog: Catalog, version: int = 0) -> Policy:
    """The policy of a text. Raises PolicyRefused with every mistake found."""
    return _Compiler(text, catalog, version).policy()


class _Compiler:
    def __init__(self, text: str, catalog: Catalog, version: int) -> None:
        self.text, self.catalog, self.version = text, catalog, version
        self.problems: list[Problem] = []
        self.lines: dict[str, list[tuple[int, list[str]]]] = {key: [] for key in _COLUMNS}

    def refuse(self, line: int, message: str) -> None:
        self.problems.append(Problem(line, message))

    def policy(self) -> Policy:
        self._split()
        roles = self._roles()
        named = self._named()
        trees = {name: tree for name, (_, tree) in named.items()}
        inherited_lines = self._inheritance(roles)
        rules: list[Rule] = []
        expanded: list[str] = []
        seen: dict[tuple[str, ...], int] = {}
        predicates: dict[tuple[str, str], tuple[Predicate, str]] = {}
        for line, columns in self.lines["p"]:
            before = len(self.problems)
            rule = self._rule(line, columns, roles, trees, predicates)
            if len(self.problems) > before or rule is None:
                continue
            twin = seen.setdefault((rule.role, rule.resource, rule.action, rule.condition, columns[5]), line)
            if twin != line:
                self.refuse(line, f"与第 {twin} 行重复（角色、资源、动作、条件、效果相同），请合并其字段")
            rules.append(rule)
            expanded.append(
                ", ".join(["p", *columns[:3], predicates[rule.resource, rule.condition][1], rule.cells, columns[5]])
            )
        if not self.lines["p"]:
            self.refuse(0, "策略没有任何规则")
        if self.problems:
            raise PolicyRefused(sorted(self.problems, key=lambda problem: problem.line))
        model, inherited = self._load(expanded, inherited_lines, roles)
        policy = Policy(
            self.text,
            self.version,
            tuple(rules),
            roles,
            {name: entry for name, (entry, _) in named.items()},
            inherited,
            model,
        )
        for role in roles:
            self._count(role, policy)
        if self.problems:
            raise PolicyRefused(sorted(self.problems, key=lambda problem: problem.line))
        return policy

    def _count(self, role: str, policy: Policy) -> None:
        for resource, action in {(rule.resource, rule.action) for rule in policy.rules}:
            together = policy.rules_for(role, resource, action)
            if len(together) > MAX_RULES_TOGETHER:
                message = (
                    f"角色 {role} 对 {resource} 的 {action} 连同继承的规则超过 {MAX_RULES_TOGETHER} 条，请合并条件"
                )
                self.refuse(together[MAX_RULES_TOGETHER].line, message)

    def _split(self) -> None:
        if len(self.text.encode(errors="surrogatepass")) > MAX_BYTES:
            self.refuse(0, "策略过大（至多 8 MB）")
            return
        for line, raw in enumerate(self.text.split("\n"), start=1):
            content = raw.rstrip("\r").strip(" \t")
            # Cc: control characters, Cf: invisible ones such as bidirectional overrides, which make a text read otherwise than it works,
            # Cs: halves of a character, which no file can hold.
            if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in content.replace("\t", " ")):
                self.refuse(line, "含有控制字符或不可见字符")
            elif content and not content.startswith("#"):
                columns = [column.strip(" \t") for column in content.split(",")]
                self._take(line, columns)

    def _take(self, line: int, columns: list[str]) -> None:
        key = columns[0]
        if key not in _COLUMNS:
            self.refuse(line, f"未知的行类型 {key[:40]!r}，只允许 p、p2、p3、g")
        elif len(columns) - 1 != _COLUMNS[key]:
            self.refuse(line, f"{key} 行应有 {_COLUMNS[key]} 列，实有 {len(columns) - 1} 列（条件中不能有逗号）")
        elif any(not column or any(sign in column for sign in '"[]#') for column in columns):
            self.refuse(line, "列不能为空，也不能含有双引号、方括号或 #")
        else:
            self.lines[key].append((line, columns[1:]))

    def _roles(self) -> dict[str, str]:
        roles: dict[str, str] = {}
        for line, (role, label) in self.lines["p3"]:
            if not _NAME.fullmatch(role):
                self.refuse(line, f"角色名 {role[:40]!r} 须以小写字母开头，由小写字母、数字、下划线组成")
            elif role in roles:
                self.refuse(line, f"角色 {role} 重复声明")
            else:
                roles[role] = label
        return roles

    def _named(self) -> dict[str, tuple[Named, ast.expr]]:
        named: dict[str, tuple[Named, ast.expr]] = {}
        for line, (name, text, label) in self.lines["p2"]:
            if not _NAME.fullmatch(name) or name == "r":
                self.refuse(line, f"条件名 {name[:40]!r} 须以小写字母开头，由小写字母、数字、下划线组成，且不能为 r")
            elif name in named:
                self.refuse(line, f"条件名 {name} 重复定义")
            else:
                try:
                    tree = expand(parse(text), {known: entry[1] for known, entry in named.items()})
                except ConditionRefused as refused:
                    self.refuse(line, str(refused))
                else:
                    named[name] = (Named(name, text, label), tree)
        return named

    def _inheritance(self, roles: Mapping[str, str]) -> list[tuple[str, str]]:
        edges: list[tuple[str, str]] = []
        below: dict[str, list[str]] = {}
        for line, (role, inherited) in self.lines["g"]:
            unknown = [name for name in (role, inherited) if name not in roles]
            if unknown:
                self.refuse(line, f"未声明的角色 {unknown[0][:40]!r}，请先用 p3 行声明")
            elif role == inherited or _reaches(below, inherited, role):
                self.refuse(line, f"角色继承成环：{role} 与 {inherited}")
            elif inherited in below.get(role, ()):
                self.refuse(line, "角色继承重复")
            else:
                edges.append((role, inherited))
                below.setdefault(role, []).append(inherited)
        for line, (role, _) in self.lines["g"]:
            if _deep(below, role):
                self.refuse(line, f"角色 {role[:40]!r} 以下的继承超过 {MAX_INHERITANCE} 层")
        return edges

    def _rule(
        self,
        line: int,
        columns: list[str],
        roles: Mapping[str, str],
        trees: Mapping[str, ast.expr],
        predicates: dict[tuple[str, str], tuple[Predicate, str]],
    ) -> Rule | None:
        role, resource_name, action, condition, fields, effect = columns
        if role not in roles:
            self.refuse(line, f"未声明的角色 {role[:40]!r}，请先用 p3 行声明")
        if effect not in ("allow", "deny"):
            self.refuse(line, f"未知的效果 {effect[:40]!r}，只允许 allow 或 deny（小写）")
        resource = self.catalog.resources.get(resource_name)
        if resource is None:
            self.refuse(line, f"未知的资源 {resource_name[:40]!r}")
            return None
        if action not in resource.actions:
            self.refuse(line, f"{resource_name} 没有动作 {action[:40]!r}，只有：{'、'.join(sorted(resource.actions))}")
        granted = self._fields(line, fields, effect, action, resource)
        if (resource_name, condition) not in predicates:
            try:
                tree = expand(parse(condition), trees)
                predicates[resource_name, condition] = (translate(tree, resource, self.catalog), ast.unparse(tree))
            except ConditionRefused as refused:
                self.refuse(line, str(refused))
                return None
        rows = predicates[resource_name, condition][0]
        return Rule(line, role, resource_name, action, condition, rows, granted, fields == "*", effect == "allow")

    def _fields(self, line: int, text: str, effect: str, action: str, resource: Resource) -> dict[str, bool]:
        granted: dict[str, bool] = {}
        if text == "*":
            if effect == "allow":
                self.refuse(line, "allow 不能写 *：日后新增的字段类别会被一并放开，请逐类写出")
            return granted
        if text == "-":
            if action == "read":
                self.refuse(line, "read 规则须写出字段类别")
            elif effect == "deny":
                # SECURITY: a deny covers the cells that it names, and `-` names none: it would deny nothing.
                self.refuse(line, "deny 不能写 -：那样什么也没有拒绝，整行拒绝请写 *")
            return granted
        classes = {field.field_class for field in resource.fields.values()}
        for token in text.split("|"):
            name = token.removeprefix("~")
            if name not in FIELD_CLASSES:
                self.refuse(line, f"未知的字段类别 {token[:40]!r}")
            elif name not in classes:
                self.refuse(line, f"{resource.name} 没有类别为 {name} 的字段")
            elif name in granted:
                self.refuse(line, f"字段类别 {name} 重复")
            elif token != name and effect == "deny":
                self.refuse(line, "deny 不能写 ~：拒绝一类字段即同时拒绝其掩码")
            elif token != name and action != "read":
                self.refuse(line, "~ 只用于 read")
            elif token != name and not any(
                field.mask for field in resource.fields.values() if field.field_class == name
            ):
                self.refuse(line, f"{resource.name} 中类别为 {name} 的字段没有掩码，不能写 ~{name}")
            else:
                granted[name] = token == name
        return granted

    def _load(
        self, rules: list[str], edges: list[tuple[str, str]], roles: Mapping[str, str]
    ) -> tuple[Model, dict[str, tuple[str, ...]]]:
        model = Model()
        model.load_model(str(MODEL_PATH))
        for line in rules:
            load_policy_line(line, model)
        for role, inherited in edges:
            load_policy_line(f"g, {role}, {inherited}", model)
        # SECURITY: what Casbin holds must be what was checked; a line that its loader dropped or split otherwise is a refusal.
        if model.model["p"]["p"].policy != [[part.strip() for part in line.split(",")][1:] for line in rules]:
            raise PolicyRefused([Problem(0, "Casbin 载入的规则与文本不一致")])
        enforcer = casbin.Enforcer(model)
        enforcer.build_role_links()
        return model, {role: (role, *enforcer.get_implicit_roles_for_user(role)) for role in roles}


def _reaches(below: Mapping[str, list[str]], start: str, target: str) -> bool:
    open_roles, seen = [start], set()
    while open_roles:
        role = open_roles.pop()
        if role == target:
            return True
        if role not in seen:
            seen.add(role)
            open_roles.extend(below.get(role, ()))
    return False


def _deep(below: Mapping[str, list[str]], start: str) -> bool:
    """Whether a chain of more than MAX_INHERITANCE steps begins at the role. Nothing here is a cycle."""
    level = {start}
    for _ in range(MAX_INHERITANCE + 1):
        level = {inherited for role in level for inherited in below.get(role, ())}
    return bool(level)
