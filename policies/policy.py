"""A compiled policy: its roles, rules and named conditions, and which rules apply to a role. A frozen value; `policies.compile` builds it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from casbin.model import Model

from policies.catalog import Catalog
from policies.condition import Condition, ConditionRefused, translate
from policies.predicate import Predicate
from policies.text import Problem


class PolicyRefused(Exception):
    """The text does not compile; `problems` lists every mistake, in the order of the lines."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(f"第 {problem.line} 行：{problem.message}" for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class NamedCondition:
    """A p2 line: the name of a row condition, its expression, and its label in Chinese."""

    name: str
    text: str
    label: str
    condition: Condition = field(repr=False, compare=False)


@dataclass(frozen=True)
class Rule:
    """A p line. `condition`: its text, `rows`: its predicate with unbound claims. `fields` maps a field class to True (clear) or False
    (masked); `all_classes` is `*`, which only a deny may have."""

    line: int
    role: str
    resource: str
    action: str
    condition: str
    rows: Predicate
    fields: Mapping[str, bool]
    all_classes: bool
    allow: bool

    def covers(self, cell: str) -> bool:
        """Whether the rule covers the cell: see `covers` below."""
        return covers(self.cells, "allow" if self.allow else "deny", cell)

    @property
    def cells(self) -> str:
        """The fields column, normalised: `*`, `-`, or classes such as `public|~contact`."""
        if self.all_classes:
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
    """A compiled policy: immutable, safe to share. `version` is the row in `policy_version` (0: not stored).

    `roles`: name -> label, in the order of the text. `named`: name -> condition. `inherited`: each role -> itself and all roles that it
    inherits, directly or through others. `casbin_model`: the model with the rules loaded, named conditions expanded.
    """

    text: str
    version: int
    rules: tuple[Rule, ...]
    roles: Mapping[str, str]
    named: Mapping[str, NamedCondition]
    inherited: Mapping[str, tuple[str, ...]]
    catalog: Catalog = field(repr=False, compare=False)
    casbin_model: Model = field(repr=False, compare=False)
    # A cache of `policies.grant`: merged once for each shape of caller, so that no request pays for a rule, of its own roles or of others.
    grants: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    # Caches of what others make of this policy, by whose they are; they go with it.
    caches: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def sha256(self) -> str:
        """Of the UTF-8 text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def _rules_by_key(self) -> dict[tuple[str, str, str], tuple[Rule, ...]]:
        rules: dict[tuple[str, str, str], list[Rule]] = defaultdict(list)
        for rule in self.rules:
            rules[rule.role, rule.resource, rule.action].append(rule)
        return {key: tuple(of_key) for key, of_key in rules.items()}

    @cached_property
    def actions_by_role(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """Each role -> the (resource, action) pairs that it has rules for, inherited ones included, sorted."""
        own: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for role, resource, action in self._rules_by_key:
            own[role].add((resource, action))
        return {
            role: tuple(sorted(set().union(*(own.get(source, set()) for source in sources))))
            for role, sources in self.inherited.items()
        }

    @cached_property
    def condition_labels(self) -> Mapping[str, tuple[tuple[Predicate, str], ...]]:
        """Each resource -> the predicates of the named conditions there, each with its label; without the conditions that do not translate
        for the resource."""
        by_resource: dict[str, tuple[tuple[Predicate, str], ...]] = {}
        for resource in self.catalog.resources.values():
            labels: dict[Predicate, str] = {}
            for named in self.named.values():
                try:
                    labels.setdefault(translate(named.condition, resource, self.catalog), named.label)
                except ConditionRefused:
                    continue
            by_resource[resource.name] = tuple(labels.items())
        return by_resource

    def rules_for(self, role: str, resource: str, action: str) -> tuple[Rule, ...]:
        """The rules that apply to a role, inherited ones included, in the order of the text."""
        rules = (
            rule
            for source in self.inherited.get(role, ())
            for rule in self._rules_by_key.get((source, resource, action), ())
        )
        return tuple(sorted(rules, key=lambda rule: rule.line))
