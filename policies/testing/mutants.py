"""Mutates every rule of a policy, and names those that no test would miss."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from policies.grant import Bound, Grant, cells_of, role_grant
from policies.policy import Policy, Rule
from policies.predicate import Always, Never, Predicate, all_of, any_of, bind, conjuncts, disjuncts, evaluate, follows
from policies.testing.suite import Case, Suite
from policies.text import read
from policies.words import action_words, class_words, words


@dataclass(frozen=True)
class Survivor:
    """A change of a rule or of an inheritance that no test notices: the line in the policy, and the change."""

    line: int
    text: str


class TooLong(Exception):
    """The mutants were not all tried in the time that was allowed."""


# Whoever has so many rules to write tests for need not be told of the next one yet.
MOST_SURVIVORS = 500


class Mutants:
    def __init__(self, policy: Policy, suite: Suite, until: float | None = None) -> None:
        self.policy, self.until = policy, until
        self.mutants = 0
        self.decisions: list[_Decision] = []
        self.by_rule: dict[int, list[_Decision]] = defaultdict(list)
        for case in suite.cases:
            for action in case.expected:
                rules = policy.rules_for(case.appointment.role, case.resource, action)
                matching = [rule for rule in rules if _matches(rule, case)]
                decision = _Decision(
                    case,
                    action,
                    rules,
                    {rule.line: self._cells(rule) for rule in matching if rule.allow},
                    {rule.line: self._cells(rule) for rule in matching if not rule.allow},
                )
                self.decisions.append(decision)
                for rule in rules:
                    self.by_rule[rule.line].append(decision)

    def _cells(self, rule: Rule) -> frozenset[str]:
        resource = self.policy.catalog.resources[rule.resource]
        return frozenset(cell for cell, _, _ in cells_of(resource, rule.action) if rule.covers(cell))

    def survivors(self) -> Iterator[Survivor]:
        for rule in self.policy.rules:
            self._in_time()
            for what, mutant in self._mutants(rule):
                self.mutants += 1
                cells = self._cells(mutant) if mutant else frozenset()
                if any(
                    decision.shown((rule.line,), mutant, cells) != decision.case.expected[decision.action]
                    for decision in self.by_rule[rule.line]
                ):
                    continue
                if not self._same(rule, mutant):
                    yield Survivor(rule.line, f"{self._name(rule)}：{what}，没有测试发现")
                elif mutant is None:
                    yield Survivor(rule.line, f"{self._name(rule)}：多余，其他规则已经给了同样的权限")
        yield from self._edges()

    def _in_time(self) -> None:
        if self.until is not None and time.thread_time() > self.until:
            raise TooLong

    def _name(self, rule: Rule) -> str:
        resource = self.policy.catalog.resources[rule.resource].label
        return f"{self.policy.roles[rule.role]} {action_words(rule.resource, rule.action)}{resource}（{self._say(rule.rows, rule)}）"

    def _say(self, rows: Predicate, rule: Rule) -> str:
        return words(rows, self.policy, rule.resource)

    def _mutants(self, rule: Rule) -> Iterator[tuple[str, Rule | None]]:
        resource = self.policy.catalog.resources[rule.resource]
        yield "删去", None
        fields = rule.fields or dict.fromkeys(resource.classes, True)
        yield "允许与禁止对调", replace(rule, allow=not rule.allow, every=rule.allow and not rule.fields, fields=fields)
        parts = conjuncts(rule.rows)
        for part in parts:
            rest = all_of(one for one in parts if one is not part)
            yield f"去掉条件「{self._say(part, rule)}」", replace(rule, rows=rest)
            alternatives = disjuncts(part)
            for one in alternatives if len(alternatives) > 1 else ():
                fewer = any_of(other for other in alternatives if other is not one)
                rows = all_of([*(other for other in parts if other is not part), fewer])
                yield f"去掉「{self._say(one, rule)}」一种情形", replace(rule, rows=rows)
        if len(parts) > 1:
            yield "去掉全部条件", replace(rule, rows=Always())
        if rule.every or (rule.action != "read" and not rule.fields):
            return
        for name, clear in rule.fields.items():
            less = {one: shown for one, shown in rule.fields.items() if one != name}
            yield f"去掉{class_words(name)}", replace(rule, fields=less)
            if rule.allow and rule.action == "read" and len(resource.classes[name]) > 1:
                said = f"{class_words(name)}改为{'掩码' if clear else '明文'}"
                yield said, replace(rule, fields={**rule.fields, name: not clear})
        for name in resource.classes:
            if name not in rule.fields:
                yield f"加上{class_words(name)}", replace(rule, fields={**rule.fields, name: True})

    def _same(self, rule: Rule, mutant: Rule | None) -> bool:
        """Whether the change changes nothing for any role that has the rule."""
        resource = self.policy.catalog.resources[rule.resource]
        for role, sources in self.policy.inherited.items():
            if rule.role not in sources:
                continue
            grant = role_grant(self.policy, role, rule.resource, rule.action)
            kept = tuple(bound for bound in grant.bounds if bound.rule.line != rule.line)
            other = Grant((*kept, Bound(mutant, 0, mutant.rows)) if mutant else kept)
            for cell, _, _ in cells_of(resource, rule.action):
                left, right = (all_of([one.cell("row"), one.cell(cell)]) for one in (grant, other))
                if not (follows(left, right) and follows(right, left)):
                    return False
        return True

    def _edges(self) -> Iterator[Survivor]:
        """Each inheritance taken away."""
        edges = [line for line in read(self.policy.text, lambda problem: None) if line.key == "g"]
        for edge in edges:
            self._in_time()
            self.mutants += 1
            left = [line.parts for line in edges if line is not edge]
            reached = {role: _reached(role, left) for role in self.policy.roles}
            if not any(self._notices(decision, reached[decision.case.appointment.role]) for decision in self.decisions):
                role, inherited = (self.policy.roles[name] for name in edge.parts)
                yield Survivor(edge.number, f"{role}继承{inherited}：删去，没有测试发现")

    @staticmethod
    def _notices(decision: _Decision, reached: set[str]) -> bool:
        """Whether a case comes out otherwise when its role has the rules of these roles only."""
        gone = [rule.line for rule in decision.rules if rule.role not in reached]
        return bool(gone) and decision.shown(gone) != decision.case.expected[decision.action]


@dataclass(frozen=True)
class _Decision:
    """One case and action: the rules that its role has, each with whether it matches the row and the cells that it speaks of."""

    case: Case
    action: str
    rules: tuple[Rule, ...]
    allowed: Mapping[int, frozenset[str]]
    denied: Mapping[int, frozenset[str]]

    def shown(
        self, without: Iterable[int] = (), other: Rule | None = None, cells: frozenset[str] = frozenset()
    ) -> frozenset[str]:
        """The cells that show without some rules, and with another rule that covers cells if it matches."""
        gone = set(without)
        allow = frozenset().union(*(found for line, found in self.allowed.items() if line not in gone))
        deny = frozenset().union(*(found for line, found in self.denied.items() if line not in gone))
        if other is not None and _matches(other, self.case):
            allow, deny = (allow | cells, deny) if other.allow else (allow, deny | cells)
        return visible(allow - deny)


def _matches(rule: Rule, case: Case) -> bool:
    bound = bind(rule.rows, 0, case.appointment.missing, Never() if rule.allow else Always())
    return evaluate(bound, case.row, (case.appointment.claims,))


def _reached(role: str, edges: list[tuple[str, ...]]) -> set[str]:
    found, waiting = {role}, [role]
    while waiting:
        one = waiting.pop()
        for source, inherited in edges:
            if source == one and inherited not in found:
                found.add(inherited)
                waiting.append(inherited)
    return found


def visible(cells: Iterable[str]) -> frozenset[str]:
    """The cells of a row that is there."""
    found = frozenset(cells)
    return found if "row" in found else frozenset()
