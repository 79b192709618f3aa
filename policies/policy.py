"""A compiled policy: its roles, rules and conditions, and what of them covers a question. A frozen value; `compile` makes it."""

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
    condition: Condition = field(repr=False, compare=False)


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
    catalog: Catalog = field(repr=False, compare=False)
    loaded: Model = field(repr=False, compare=False)
    # Merged once for each shape of caller (`policies.grant`): a request pays for no rule, whether of its own roles or of others.
    grants: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def _index(self) -> dict[tuple[str, str, str], tuple[Rule, ...]]:
        found: dict[tuple[str, str, str], list[Rule]] = defaultdict(list)
        for rule in self.rules:
            found[rule.role, rule.resource, rule.action].append(rule)
        return {key: tuple(rules) for key, rules in found.items()}

    @cached_property
    def held(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """What each role has rules for, inherited ones included: resource and action, sorted."""
        own: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for role, resource, action in self._index:
            own[role].add((resource, action))
        return {
            role: tuple(sorted(set().union(*(own.get(source, set()) for source in sources))))
            for role, sources in self.inherited.items()
        }

    @cached_property
    def meanings(self) -> Mapping[str, tuple[tuple[Predicate, str], ...]]:
        """By resource what the named conditions mean there, each with its label; a name that means nothing there is left out."""
        found: dict[str, tuple[tuple[Predicate, str], ...]] = {}
        for resource in self.catalog.resources.values():
            meant: dict[Predicate, str] = {}
            for named in self.named.values():
                try:
                    meant.setdefault(translate(named.condition, resource, self.catalog), named.label)
                except ConditionRefused:
                    continue
            found[resource.name] = tuple(meant.items())
        return found

    def rules_for(self, role: str, resource: str, action: str) -> tuple[Rule, ...]:
        """The rules that a holder of `role` has, inherited ones included, in the order of the text."""
        rules = (
            rule for source in self.inherited.get(role, ()) for rule in self._index.get((source, resource, action), ())
        )
        return tuple(sorted(rules, key=lambda rule: rule.line))
