"""Compiles a policy text to a Policy: model.conf + text + catalog -> Policy.

A text that says anything else than what is specified here is refused, with all mistakes at once, each with its line and column
(PolicyRefused). Casbin drops what it does not know in silence; therefore every line is checked here first. Casbin's own loader and role
manager then read the checked rules, so that Casbin (`enforce`, the oracle of the tests) and the compiled policy have the same rules.

Steps
-----

`compile_policy` runs these steps in this order. Steps 1 to 5 collect problems; if there is any, step 6 is not reached.

1. Lines (`policies.text.parse_lines`). One line is a key and its columns, divided by commas. Comments (`#`) and empty lines are left out. A
   line with an invisible character, an unknown key, a wrong number of columns, an empty column, a trailing blank, or one of `"[]#` in a
   column is refused.
2. Roles (`_roles`). `p3, name, label`: each role is declared once. A name begins with a lower-case letter and has
   lower-case letters, digits and underscores only, 63 at most.
3. Named conditions (`_named_conditions`). `p2, name, expression, label`: each name is defined once, and before another p2 line uses it. An
   expression is parsed against a whitelist (`policies.condition.parse`) and must translate for one resource of the catalog at least.
4. Inheritance (`_inheritance`). `g, role, inherited`: both roles are declared, no edge is repeated, no cycle, no chain of more than
   MAX_INHERITANCE edges.
5. Rules (`_rule`, `_fields`). `p, role, resource, action, condition, fields, effect`: the role is declared, the catalog has the resource and
   its action, the condition translates to a predicate on that resource (`policies.condition.translate`), the resource has the field
   classes, the effect is exactly `allow` or `deny`. Two rules that differ in their fields alone are refused, and so is a text without rules.
   Fields are `-` (none), `*` (deny only: all), or classes divided by `|`: `name` in clear, `~name` masked (only `read`, only allow, only
   where a field of the class has a mask). A `read` rule names its classes, or denies `*`; so does a deny of another action.
6. Loading (`_load`). Casbin loads the rules, with named conditions expanded (`policies.condition.expand`), and the inheritance. What it holds
   must be what was checked. Its role manager computes the transitive closure of the inheritance, `Policy.inherited`.
7. Bounds (`_too_many_rules`). One role has at most MAX_RULES_TOGETHER rules on one action of one resource, inherited ones included.

Decisions
---------

The compiled rules decide one cell at a time: `row` (the row as such, or the action), a field class in clear (`contact`), or a field class at
least masked (`~contact`). `policies.grant.Access` merges them for a caller with several appointments. In order of precedence:

1. Rules of a role: its own and those of all inherited roles (`Policy.rules_for`).
2. Claims: each rule is bound to the claims of the appointment that brings it; claims of different appointments are never mixed
   (`Access.grant`, `policies.predicate.bind`).
3. A missing claim never matches in an allow and always matches in a deny, so that both fail closed (`bind`). No claim may stand under `not`
   or `!=` (`translate`), where a missing one would match in an allow. An empty set is no missing claim; it matches nothing. A missing
   attribute of a row never matches, in either effect; `not` and `!=` are true of it (`policies.predicate.evaluate`).
4. Cells of a rule (`policies.policy.covers`): an allow covers the row, the classes that it names, and with a class in clear also its masked
   form. A deny of a class covers both its forms, not the row. A deny of `*` covers every cell, so that it hides the row.
5. A cell is granted on the rows where any rule of any appointment allows it and no rule of any appointment denies it (`Grant.cell`).
   Without a rule nothing is granted.
6. A field of a visible row shows in clear where its class is granted, else through its mask where `~class` is granted and it has one, else
   not at all; a field that is stored masked never shows in clear (`Grant.field`).
7. A field serves to filter, sort, group or count only if it is in clear on every visible row (`Grant.reads`).
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
from policies.condition import Condition, ConditionRefused, expand, parse, translate
from policies.policy import NamedCondition, Policy, PolicyRefused, Rule
from policies.predicate import Predicate
from policies.text import COLUMNS, Line, Problem, parse_lines

MODEL_PATH = Path(__file__).with_name("model.conf")
POLICY_PATH = Path(__file__).with_name("policy.csv")
# Casbin's role manager follows this many edges and no more; it would drop what lies deeper in silence.
MAX_INHERITANCE = 9
# Merging grants compares each rule with each: the number is bounded so that no policy stalls a process.
MAX_RULES_TOGETHER = 100

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def compile_policy(text: str, catalog: Catalog, version: int = 0) -> Policy:
    """Compiles a text; `version` is its row in `policy_version` (0: not stored). Raises PolicyRefused with every mistake."""
    return _Compiler(text, catalog, version).compile()


class _Compiler:
    """One run of the compiler; `problems` collects the mistakes."""

    def __init__(self, text: str, catalog: Catalog, version: int) -> None:
        self.text, self.catalog, self.version = text, catalog, version
        self.problems: list[Problem] = []
        self.lines: dict[str, list[Line]] = {key: [] for key in COLUMNS}
        # By resource and condition: the predicate, and the text that Casbin evaluates.
        self.predicates: dict[tuple[str, str], tuple[Predicate, str]] = {}
        # Roles and conditions whose own line was refused: the mistake is reported there, not wherever the name is used.
        self.refused_names: set[str] = set()

    def compile(self) -> Policy:
        for line in parse_lines(self.text, self.problems.append):
            self.lines[line.key].append(line)
        roles = self._roles()
        named = self._named_conditions()
        edges = self._inheritance(roles)
        rules, casbin_lines = self._rules(roles, named)
        if not self.lines["p"] and not self.problems:
            self.problems.append(Problem(0, "策略没有任何规则"))
        self._raise_problems()
        model, inherited = self._load(casbin_lines, edges, roles)
        policy = Policy(self.text, self.version, tuple(rules), roles, named, inherited, self.catalog, model)
        self.problems += _too_many_rules(policy)
        self._raise_problems()
        return policy

    def refuse(self, line: Line, column: int, message: str, offset: int = 0) -> None:
        """Reports a mistake in a column of a line, `offset` characters behind its start."""
        self.problems.append(Problem(line.number, message, line.span(column)[0] + offset + 1))

    def _refuse_condition(self, line: Line, column: int, refused: ConditionRefused) -> None:
        if refused.undefined not in self.refused_names:
            self.refuse(line, column, str(refused), refused.offset)

    def _raise_problems(self) -> None:
        if self.problems:
            raise PolicyRefused(sorted(self.problems, key=lambda problem: (problem.line, problem.column)))

    # -- p3

    def _roles(self) -> dict[str, str]:
        """Role -> label."""
        roles: dict[str, str] = {}
        for line in self.lines["p3"]:
            role, label = line.columns
            if not _NAME.fullmatch(role):
                self.refuse(line, 1, f"角色名 {role[:40]!r} 须以小写字母开头，由小写字母、数字、下划线组成")
                self.refused_names.add(role)
            elif role in roles:
                self.refuse(line, 1, f"角色 {role} 重复声明")
            else:
                roles[role] = label
        return roles

    # -- p2

    def _named_conditions(self) -> dict[str, NamedCondition]:
        named: dict[str, NamedCondition] = {}
        conditions: dict[str, Condition] = {}
        for line in self.lines["p2"]:
            name, text, label = line.columns
            if not _NAME.fullmatch(name) or name == "r":
                self.refuse(line, 1, f"条件名 {name[:40]!r} 须以小写字母开头，由小写字母、数字、下划线组成，且不能为 r")
            elif name in named:
                self.refuse(line, 1, f"条件名 {name} 重复定义")
            else:
                try:
                    # All conditions share this dictionary: no name is redefined, so that later names change none of the earlier ones.
                    condition = parse(text, conditions)
                    self._check_translates(condition)
                    conditions[name] = condition
                    named[name] = NamedCondition(name, text, label, condition)
                except ConditionRefused as refused:
                    self._refuse_condition(line, 2, refused)
                    self.refused_names.add(name)
        return named

    def _check_translates(self, condition: Condition) -> None:
        """Raises ConditionRefused unless the condition translates for one resource at least, whether a rule uses it or not."""
        furthest = ConditionRefused("没有可用的资源")
        for resource in self.catalog.resources.values():
            try:
                translate(condition, resource, self.catalog)
                return
            except ConditionRefused as refused:
                if refused.offset >= furthest.offset:
                    furthest = refused
        raise furthest

    # -- g

    def _inheritance(self, roles: Mapping[str, str]) -> list[tuple[str, str]]:
        """Edges of role and inherited role."""
        edges: list[tuple[str, str]] = []
        inherits: dict[str, list[str]] = {}
        for line in self.lines["g"]:
            role, inherited = line.columns
            if self.refused_names.intersection(line.columns):
                continue
            undeclared = [(column, name) for column, name in enumerate(line.columns, start=1) if name not in roles]
            if undeclared:
                column, name = undeclared[0]
                self.refuse(line, column, f"未声明的角色 {name[:40]!r}，请先用 p3 行声明")
            elif role == inherited or _reaches(inherits, inherited, role):
                self.refuse(line, 1, f"角色继承成环：{role} 与 {inherited}")
            elif inherited in inherits.get(role, ()):
                self.refuse(line, 1, "角色继承重复")
            else:
                edges.append((role, inherited))
                inherits.setdefault(role, []).append(inherited)
        for line in self.lines["g"]:
            if _too_deep(inherits, line.columns[0]):
                self.refuse(line, 1, f"角色 {line.columns[0][:40]!r} 以下的继承超过 {MAX_INHERITANCE} 层")
        return edges

    # -- p

    def _rules(self, roles: Mapping[str, str], named: Mapping[str, NamedCondition]) -> tuple[list[Rule], list[str]]:
        """The rules, and the same as lines for Casbin's loader."""
        conditions = {name: condition.condition for name, condition in named.items()}
        rules: list[Rule] = []
        casbin_lines: list[str] = []
        first_lines: dict[tuple[str, ...], int] = {}
        for line in self.lines["p"]:
            before = len(self.problems)
            rule = self._rule(line, roles, conditions)
            if len(self.problems) > before or rule is None:
                continue
            effect = line.columns[5]
            key = (rule.role, rule.resource, rule.action, rule.condition, effect)
            first = first_lines.setdefault(key, line.number)
            if first != line.number:
                self.refuse(line, 1, f"与第 {first} 行重复（角色、资源、动作、条件、效果相同），请合并其字段")
            rules.append(rule)
            condition = self.predicates[rule.resource, rule.condition][1]
            casbin_lines.append(", ".join(["p", *line.columns[:3], condition, rule.cells, effect]))
        return rules, casbin_lines

    def _rule(self, line: Line, roles: Mapping[str, str], conditions: Mapping[str, Condition]) -> Rule | None:
        """The rule of a line; None where its resource is unknown or its condition does not translate."""
        role, resource_name, action, condition, fields, effect = line.columns
        if role not in roles and role not in self.refused_names:
            self.refuse(line, 1, f"未声明的角色 {role[:40]!r}，请先用 p3 行声明")
        if effect not in ("allow", "deny"):
            self.refuse(line, 6, f"未知的效果 {effect[:40]!r}，只允许 allow 或 deny（小写）")
        resource = self.catalog.resources.get(resource_name)
        if resource is None:
            self.refuse(line, 2, f"未知的资源 {resource_name[:40]!r}")
            return None
        if action not in resource.actions:
            actions = "、".join(sorted(resource.actions))
            self.refuse(line, 3, f"{resource_name} 没有动作 {action[:40]!r}，只有：{actions}")
        granted = self._fields(line, fields, effect, action, resource)
        if (resource_name, condition) not in self.predicates:
            try:
                parsed = parse(condition, conditions)
                rows = translate(parsed, resource, self.catalog)
                self.predicates[resource_name, condition] = (rows, expand(parsed))
            except ConditionRefused as refused:
                self._refuse_condition(line, 4, refused)
                return None
        rows = self.predicates[resource_name, condition][0]
        return Rule(
            line.number, role, resource_name, action, condition, rows, granted, fields == "*", effect == "allow"
        )

    def _fields(self, line: Line, text: str, effect: str, action: str, resource: Resource) -> dict[str, bool]:
        """Field class -> True (clear) or False (masked); empty for `*` and `-`."""
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
        offset = 0
        for token in text.split("|"):
            name = token.removeprefix("~")
            message = _field_problem(token, granted, effect, action, resource)
            if message is None:
                granted[name] = token == name
            else:
                self.refuse(line, 5, message, offset)
            offset += len(token) + 1
        return granted

    # -- Casbin

    def _load(
        self, rules: list[str], edges: list[tuple[str, str]], roles: Mapping[str, str]
    ) -> tuple[Model, dict[str, tuple[str, ...]]]:
        """Casbin's model with rules and edges, and `Policy.inherited`."""
        model = Model()
        model.load_model(str(MODEL_PATH))
        for line in rules:
            load_policy_line(line, model)
        for role, inherited in edges:
            load_policy_line(f"g, {role}, {inherited}", model)
        # SECURITY: what Casbin holds must be what was checked; a line that its loader dropped or split otherwise is a refusal.
        if model.model["p"]["p"].policy != [[column.strip() for column in line.split(",")][1:] for line in rules]:
            raise PolicyRefused([Problem(0, "Casbin 载入的规则与文本不一致")])
        enforcer = casbin.Enforcer(model)
        enforcer.build_role_links()
        return model, {role: (role, *enforcer.get_implicit_roles_for_user(role)) for role in roles}


def _field_problem(token: str, granted: Mapping[str, bool], effect: str, action: str, resource: Resource) -> str | None:
    """Why a rule that has the classes `granted` may not add this one, such as `contact` or `~contact`; None if it may."""
    name = token.removeprefix("~")
    if name not in FIELD_CLASSES:
        return f"未知的字段类别 {token[:40]!r}"
    if name not in resource.classes:
        return f"{resource.name} 没有类别为 {name} 的字段"
    if name in granted:
        return f"字段类别 {name} 重复"
    if token == name:
        return None
    if effect == "deny":
        return "deny 不能写 ~：拒绝一类字段即同时拒绝其掩码"
    if action != "read":
        return "~ 只用于 read"
    if "masked" not in resource.classes[name]:
        return f"{resource.name} 中类别为 {name} 的字段没有掩码，不能写 ~{name}"
    return None


def _too_many_rules(policy: Policy) -> Iterator[Problem]:
    """A problem for each role, resource and action with more than MAX_RULES_TOGETHER rules, inherited ones included."""
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


def _reaches(inherits: Mapping[str, list[str]], start: str, target: str) -> bool:
    """Whether a role inherits another by MAX_INHERITANCE + 1 edges at most; a cycle of more edges is refused as too deep."""
    level, seen = {start}, {start}
    for _ in range(MAX_INHERITANCE + 1):
        level = {inherited for role in level for inherited in inherits.get(role, ())} - seen
        seen |= level
    return target in seen


def _too_deep(inherits: Mapping[str, list[str]], start: str) -> bool:
    """Whether a chain of more than MAX_INHERITANCE edges begins at the role. Cycles of fewer edges were left out before."""
    level = {start}
    for _ in range(MAX_INHERITANCE + 1):
        level = {inherited for role in level for inherited in inherits.get(role, ())}
    return bool(level)
