"""Model + text + catalog -> Policy. Refuses what it cannot explain, all mistakes at once, each with its line and column.

Casbin's own loader and role manager read the rules, so that Casbin (`enforce`, the oracle of the tests) and the compiled policy
speak of the same text. Casbin drops what it does not know in silence; therefore every line is checked here first.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import casbin
from casbin.model import Model
from casbin.persist import load_policy_line

from policies.catalog import FIELD_CLASSES, Catalog, Resource
from policies.condition import Condition, ConditionRefused, parse, translate, write
from policies.policy import Named, Policy, PolicyRefused, Rule
from policies.predicate import Predicate
from policies.text import COLUMNS, Line, Problem, read

MODEL_PATH = Path(__file__).with_name("model.conf")
POLICY_PATH = Path(__file__).with_name("policy.csv")
# Casbin follows this many steps of inheritance and no more; what lies deeper it would drop in silence.
MAX_INHERITANCE = 9
# Merging grants compares each rule with each: what one role may hold of one action is bounded, so that no policy stalls a process.
MAX_RULES_TOGETHER = 100

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def compile_policy(text: str, catalog: Catalog, version: int = 0) -> Policy:
    """The policy of a text. Raises PolicyRefused with every mistake found."""
    return _Compiler(text, catalog, version).policy()


class _Compiler:
    def __init__(self, text: str, catalog: Catalog, version: int) -> None:
        self.text, self.catalog, self.version = text, catalog, version
        self.problems: list[Problem] = []
        self.lines: dict[str, list[Line]] = {key: [] for key in COLUMNS}
        self.predicates: dict[tuple[str, str], tuple[Predicate, str]] = {}
        # Names of roles and conditions whose own line was refused: one mistake is told once, not wherever the name is used.
        self.broken: set[str] = set()

    def refuse(self, line: Line, part: int, message: str, offset: int = 0) -> None:
        """A mistake in a column of a line."""
        self.problems.append(Problem(line.number, message, line.span(part)[0] + offset + 1))

    def _refuse_condition(self, line: Line, part: int, refused: ConditionRefused) -> None:
        if refused.undefined not in self.broken:
            self.refuse(line, part, str(refused), refused.offset)

    def policy(self) -> Policy:
        for line in read(self.text, self.problems.append):
            self.lines[line.key].append(line)
        roles = self._roles()
        named = self._named()
        conditions = {name: one.condition for name, one in named.items()}
        edges = self._inheritance(roles)
        rules: list[Rule] = []
        expanded: list[str] = []
        seen: dict[tuple[str, ...], int] = {}
        for line in self.lines["p"]:
            before = len(self.problems)
            rule = self._rule(line, roles, conditions)
            if len(self.problems) > before or rule is None:
                continue
            effect = line.parts[5]
            twin = seen.setdefault((rule.role, rule.resource, rule.action, rule.condition, effect), line.number)
            if twin != line.number:
                self.refuse(line, 1, f"与第 {twin} 行重复（角色、资源、动作、条件、效果相同），请合并其字段")
            rules.append(rule)
            condition = self.predicates[rule.resource, rule.condition][1]
            expanded.append(", ".join(["p", *line.parts[:3], condition, rule.cells, effect]))
        if not self.lines["p"] and not self.problems:
            self.problems.append(Problem(0, "策略没有任何规则"))
        self._stop()
        model, inherited = self._load(expanded, edges, roles)
        policy = Policy(self.text, self.version, tuple(rules), roles, named, inherited, self.catalog, model)
        self.problems += _too_many(policy)
        self._stop()
        return policy

    def _stop(self) -> None:
        if self.problems:
            raise PolicyRefused(sorted(self.problems, key=lambda problem: (problem.line, problem.column)))

    def _roles(self) -> dict[str, str]:
        roles: dict[str, str] = {}
        for line in self.lines["p3"]:
            role, label = line.parts
            if not _NAME.fullmatch(role):
                self.refuse(line, 1, f"角色名 {role[:40]!r} 须以小写字母开头，由小写字母、数字、下划线组成")
                self.broken.add(role)
            elif role in roles:
                self.refuse(line, 1, f"角色 {role} 重复声明")
            else:
                roles[role] = label
        return roles

    def _named(self) -> dict[str, Named]:
        named: dict[str, Named] = {}
        known: dict[str, Condition] = {}
        for line in self.lines["p2"]:
            name, text, label = line.parts
            if not _NAME.fullmatch(name) or name == "r":
                self.refuse(line, 1, f"条件名 {name[:40]!r} 须以小写字母开头，由小写字母、数字、下划线组成，且不能为 r")
            elif name in named:
                self.refuse(line, 1, f"条件名 {name} 重复定义")
            else:
                try:
                    # One dictionary for all: a name is never defined anew, so that those to come change nothing of this condition.
                    condition = parse(text, known)
                    self._fits_somewhere(condition)
                    known[name] = condition
                    named[name] = Named(name, text, label, condition)
                except ConditionRefused as refused:
                    self._refuse_condition(line, 2, refused)
                    self.broken.add(name)
        return named

    def _fits_somewhere(self, condition: Condition) -> None:
        """A name is for several resources, so its expression has to mean something on one of them at least, used or not."""
        nearest = ConditionRefused("没有可用的资源")
        for resource in self.catalog.resources.values():
            try:
                translate(condition, resource, self.catalog)
                return
            except ConditionRefused as refused:
                if refused.offset >= nearest.offset:
                    nearest = refused
        raise nearest

    def _inheritance(self, roles: Mapping[str, str]) -> list[tuple[str, str]]:
        edges: list[tuple[str, str]] = []
        below: dict[str, list[str]] = {}
        for line in self.lines["g"]:
            role, inherited = line.parts
            unknown = [(part, name) for part, name in enumerate(line.parts, start=1) if name not in roles]
            if self.broken.intersection(line.parts):
                continue
            if unknown:
                part, name = unknown[0]
                self.refuse(line, part, f"未声明的角色 {name[:40]!r}，请先用 p3 行声明")
            elif role == inherited or _reaches(below, inherited, role):
                self.refuse(line, 1, f"角色继承成环：{role} 与 {inherited}")
            elif inherited in below.get(role, ()):
                self.refuse(line, 1, "角色继承重复")
            else:
                edges.append((role, inherited))
                below.setdefault(role, []).append(inherited)
        for line in self.lines["g"]:
            if _deep(below, line.parts[0]):
                self.refuse(line, 1, f"角色 {line.parts[0][:40]!r} 以下的继承超过 {MAX_INHERITANCE} 层")
        return edges

    def _rule(self, line: Line, roles: Mapping[str, str], conditions: Mapping[str, Condition]) -> Rule | None:
        role, resource_name, action, condition, fields, effect = line.parts
        if role not in roles and role not in self.broken:
            self.refuse(line, 1, f"未声明的角色 {role[:40]!r}，请先用 p3 行声明")
        if effect not in ("allow", "deny"):
            self.refuse(line, 6, f"未知的效果 {effect[:40]!r}，只允许 allow 或 deny（小写）")
        resource = self.catalog.resources.get(resource_name)
        if resource is None:
            self.refuse(line, 2, f"未知的资源 {resource_name[:40]!r}")
            return None
        if action not in resource.actions:
            known = "、".join(sorted(resource.actions))
            self.refuse(line, 3, f"{resource_name} 没有动作 {action[:40]!r}，只有：{known}")
        granted = self._fields(line, fields, effect, action, resource)
        if (resource_name, condition) not in self.predicates:
            try:
                parsed = parse(condition, conditions)
                rows = translate(parsed, resource, self.catalog)
                self.predicates[resource_name, condition] = (rows, write(parsed))
            except ConditionRefused as refused:
                self._refuse_condition(line, 4, refused)
                return None
        rows = self.predicates[resource_name, condition][0]
        return Rule(
            line.number, role, resource_name, action, condition, rows, granted, fields == "*", effect == "allow"
        )

    def _fields(self, line: Line, text: str, effect: str, action: str, resource: Resource) -> dict[str, bool]:
        granted: dict[str, bool] = {}
        if text == "*":
            if effect == "allow":
                self.refuse(line, 5, "allow 不能写 *：日后新增的字段类别会被一并放开，请逐类写出")
            return granted
        if text == "-":
            if action == "read":
                self.refuse(line, 5, "read 规则须写出字段类别")
            elif effect == "deny":
                # SECURITY: a deny covers the cells that it names, and `-` names none: it would deny nothing.
                self.refuse(line, 5, "deny 不能写 -：那样什么也没有拒绝，整行拒绝请写 *")
            return granted
        classes = resource.classes
        offset = 0
        for token in text.split("|"):
            name = token.removeprefix("~")
            message = None
            if name not in FIELD_CLASSES:
                message = f"未知的字段类别 {token[:40]!r}"
            elif name not in classes:
                message = f"{resource.name} 没有类别为 {name} 的字段"
            elif name in granted:
                message = f"字段类别 {name} 重复"
            elif token != name and effect == "deny":
                message = "deny 不能写 ~：拒绝一类字段即同时拒绝其掩码"
            elif token != name and action != "read":
                message = "~ 只用于 read"
            elif token != name and "masked" not in classes[name]:
                message = f"{resource.name} 中类别为 {name} 的字段没有掩码，不能写 ~{name}"
            else:
                granted[name] = token == name
            if message:
                self.refuse(line, 5, message, offset)
            offset += len(token) + 1
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


def _too_many(policy: Policy) -> Iterator[Problem]:
    own: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for rule in policy.rules:
        own[rule.role][rule.resource, rule.action] += 1
    for role, sources in policy.inherited.items():
        together: Counter[tuple[str, str]] = Counter()
        for source in sources:
            together.update(own[source])
        for (resource, action), count in together.items():
            if count > MAX_RULES_TOGETHER:
                line = policy.rules_for(role, resource, action)[MAX_RULES_TOGETHER].line
                yield Problem(
                    line,
                    f"角色 {role} 对 {resource} 的 {action} 连同继承的规则超过 {MAX_RULES_TOGETHER} 条，请合并条件",
                )


def _reaches(below: Mapping[str, list[str]], start: str, target: str) -> bool:
    """Whether a role inherits another; no further than Casbin follows, for what goes round more roles is too deep anyway."""
    level, seen = {start}, {start}
    for _ in range(MAX_INHERITANCE + 1):
        level = {inherited for role in level for inherited in below.get(role, ())} - seen
        seen |= level
    return target in seen


def _deep(below: Mapping[str, list[str]], start: str) -> bool:
    """Whether a chain of more than MAX_INHERITANCE steps begins at the role. Nothing here is a cycle."""
    level = {start}
    for _ in range(MAX_INHERITANCE + 1):
        level = {inherited for role in level for inherited in below.get(role, ())}
    return bool(level)
