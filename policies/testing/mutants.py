"""Mutation testing of a policy: mutates every rule and every inheritance, and names the mutants that no test case kills."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from policies.grant import BoundRule, Grant, cells_of, role_grant
from policies.policy import Policy, Rule
from policies.predicate import Always, Never, Predicate, all_of, any_of, bind, conjuncts, disjuncts, entails, evaluate
from policies.testing.suite import Case, Suite
from policies.text import parse_lines
from policies.words import action_words, class_words, condition_words


@dataclass(frozen=True)
class Survivor:
    """A mutant that no test case kills: the line of the rule or inheritance in the policy, and the mutation in Chinese."""

    line: int
    text: str


class MutationTimeout(Exception):
    """The time limit passed before all mutants were tried."""


# Whoever has to write tests for so many rules needs no longer list.
MAX_SURVIVORS = 500


class MutationRun:
    """The mutants of one policy against one suite. `mutants` counts those tried so far.

    `deadline`: the value of `time.thread_time()` at which to give up, None for no limit.
    """

    def __init__(self, policy: Policy, suite: Suite, deadline: float | None = None) -> None:
        self.policy, self.deadline = policy, deadline
        self.mutants = 0
        self.decisions: list[Decision] = []
        self._decisions_by_rule: dict[int, list[Decision]] = defaultdict(list)
        for case in suite.cases:
            for action in case.expected:
                rules = policy.rules_for(case.appointment.role, case.resource, action)
                matching = [rule for rule in rules if _matches(rule, case)]
                decision = Decision(
                    case,
                    action,
                    rules,
                    {rule.line: self._cells(rule) for rule in matching if rule.allow},
                    {rule.line: self._cells(rule) for rule in matching if not rule.allow},
                )
                self.decisions.append(decision)
                for rule in rules:
                    self._decisions_by_rule[rule.line].append(decision)

    def survivors(self) -> Iterator[Survivor]:
        """The surviving mutants of the rules, in the order of the text, then those of the inheritances. Raises MutationTimeout."""
        for rule in self.policy.rules:
            self._check_deadline()
            for mutation, mutant in self._mutants(rule):
                self.mutants += 1
                cells = self._cells(mutant) if mutant else frozenset()
                if any(
                    decision.cells((rule.line,), mutant, cells) != decision.expected
                    for decision in self._decisions_by_rule[rule.line]
                ):
                    continue
                if not self._is_equivalent(rule, mutant):
                    yield Survivor(rule.line, f"{self._rule_words(rule)}：{mutation}，没有测试发现")
                elif mutant is None:
                    yield Survivor(rule.line, f"{self._rule_words(rule)}：多余，其他规则已经给了同样的权限")
        yield from self._surviving_edges()

    def _check_deadline(self) -> None:
        if self.deadline is not None and time.thread_time() > self.deadline:
            raise MutationTimeout

    def _cells(self, rule: Rule) -> frozenset[str]:
        resource = self.policy.catalog.resources[rule.resource]
        return frozenset(cell for cell, _, _ in cells_of(resource, rule.action) if rule.covers(cell))

    def _rule_words(self, rule: Rule) -> str:
        resource = self.policy.catalog.resources[rule.resource].label
        action = action_words(rule.resource, rule.action)
        return f"{self.policy.roles[rule.role]} {action}{resource}（{self._condition_words(rule.rows, rule)}）"

    def _condition_words(self, rows: Predicate, rule: Rule) -> str:
        return condition_words(rows, self.policy, rule.resource)

    def _mutants(self, rule: Rule) -> Iterator[tuple[str, Rule | None]]:
        """Each mutation in Chinese with the mutated rule, None where the rule is removed."""
        yield "删去", None
        fields = rule.fields or dict.fromkeys(self.policy.catalog.resources[rule.resource].classes, True)
        yield (
            "允许与禁止对调",
            replace(rule, allow=not rule.allow, all_classes=rule.allow and not rule.fields, fields=fields),
        )
        yield from self._condition_mutants(rule)
        if not rule.all_classes and (rule.action == "read" or rule.fields):
            yield from self._class_mutants(rule)

    def _condition_mutants(self, rule: Rule) -> Iterator[tuple[str, Rule]]:
        """Without one conjunct, without one alternative of a conjunct, and without any condition."""
        parts = conjuncts(rule.rows)
        for part in parts:
            rest = all_of(other for other in parts if other is not part)
            yield f"去掉条件「{self._condition_words(part, rule)}」", replace(rule, rows=rest)
            alternatives = disjuncts(part)
            for alternative in alternatives if len(alternatives) > 1 else ():
                fewer = any_of(other for other in alternatives if other is not alternative)
                rows = all_of([*(other for other in parts if other is not part), fewer])
                yield f"去掉「{self._condition_words(alternative, rule)}」一种情形", replace(rule, rows=rows)
        if len(parts) > 1:
            yield "去掉全部条件", replace(rule, rows=Always())

    def _class_mutants(self, rule: Rule) -> Iterator[tuple[str, Rule]]:
        """Without one field class, with its other form, and with one class more."""
        classes = self.policy.catalog.resources[rule.resource].classes
        for name, clear in rule.fields.items():
            fewer = {other: form for other, form in rule.fields.items() if other != name}
            yield f"去掉{class_words(name)}", replace(rule, fields=fewer)
            if rule.allow and rule.action == "read" and len(classes[name]) > 1:
                mutation = f"{class_words(name)}改为{'掩码' if clear else '明文'}"
                yield mutation, replace(rule, fields={**rule.fields, name: not clear})
        for name in classes:
            if name not in rule.fields:
                yield f"加上{class_words(name)}", replace(rule, fields={**rule.fields, name: True})

    def _is_equivalent(self, rule: Rule, mutant: Rule | None) -> bool:
        """Whether the mutant grants the same as the rule to every role that has it: an equivalent mutant, which no test can kill."""
        resource = self.policy.catalog.resources[rule.resource]
        for role, sources in self.policy.inherited.items():
            if rule.role not in sources:
                continue
            grant = role_grant(self.policy, role, rule.resource, rule.action)
            others = tuple(bound for bound in grant.rules if bound.rule.line != rule.line)
            mutated = Grant((*others, BoundRule(mutant, 0, mutant.rows)) if mutant else others)
            for cell, _, _ in cells_of(resource, rule.action):
                before, after = (all_of([each.rows, each.cell(cell)]) for each in (grant, mutated))
                if not (entails(before, after) and entails(after, before)):
                    return False
        return True

    def _surviving_edges(self) -> Iterator[Survivor]:
        """Removes each inheritance in turn."""
        edges = [line for line in parse_lines(self.policy.text, lambda problem: None) if line.key == "g"]
        for edge in edges:
            self._check_deadline()
            self.mutants += 1
            remaining = [line.columns for line in edges if line is not edge]
            reachable = {role: _reachable(role, remaining) for role in self.policy.roles}
            if not any(_is_killed(decision, reachable[decision.case.appointment.role]) for decision in self.decisions):
                role, inherited = (self.policy.roles[name] for name in edge.columns)
                yield Survivor(edge.number, f"{role}继承{inherited}：删去，没有测试发现")


@dataclass(frozen=True)
class Decision:
    """One case and action: the rules that its role has and, by line, the cells that the matching rules allow and deny."""

    case: Case
    action: str
    rules: tuple[Rule, ...]
    allowed: Mapping[int, frozenset[str]]
    denied: Mapping[int, frozenset[str]]

    @property
    def expected(self) -> frozenset[str]:
        return self.case.expected[self.action]

    def cells(
        self, removed: Iterable[int] = (), added: Rule | None = None, added_cells: frozenset[str] = frozenset()
    ) -> frozenset[str]:
        """The granted cells without the rules on the `removed` lines, and with the rule `added`, which covers `added_cells`."""
        lines = set(removed)
        allow = frozenset().union(*(cells for line, cells in self.allowed.items() if line not in lines))
        deny = frozenset().union(*(cells for line, cells in self.denied.items() if line not in lines))
        if added is not None and _matches(added, self.case):
            allow, deny = (allow | added_cells, deny) if added.allow else (allow, deny | added_cells)
        return row_cells(allow - deny)


def row_cells(cells: Iterable[str]) -> frozenset[str]:
    """The cells that show: none where the row as such (`row`) is not among them."""
    shown = frozenset(cells)
    return shown if "row" in shown else frozenset()


def _matches(rule: Rule, case: Case) -> bool:
    rows = bind(rule.rows, 0, case.appointment.missing, Never() if rule.allow else Always())
    return evaluate(rows, case.row, (case.appointment.claims,))


def _is_killed(decision: Decision, reachable: set[str]) -> bool:
    """Whether the case fails when its role has only the rules of the reachable roles."""
    removed = [rule.line for rule in decision.rules if rule.role not in reachable]
    return bool(removed) and decision.cells(removed) != decision.expected


def _reachable(role: str, edges: list[tuple[str, ...]]) -> set[str]:
    """The role and all that it inherits, directly or through others."""
    reachable, queue = {role}, [role]
    while queue:
        current = queue.pop()
        for source, inherited in edges:
            if source == current and inherited not in reachable:
                reachable.add(inherited)
                queue.append(inherited)
    return reachable
