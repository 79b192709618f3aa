"""The judge of policy tests and of the laws: Casbin's own `enforce`, asked cell by cell. It knows no predicate and no grant of ours.

An allow is asked of one enforcer and a deny of another, both with the matcher of model.conf and the rules that the policy was
checked with; a caller may what any of his appointments is allowed and none is denied.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import casbin
from casbin.model import Model

from policies.compile import MODEL_PATH
from policies.condition import PARSING
from policies.policy import Policy, covers

Form = Literal["clear", "masked", "hidden"]

_EFFECT = "e = some(where (p.eft == allow)) && !some(where (p.eft == deny))"
_ALLOWED = "e = some(where (p.eft == allow))"
_NOT_DENIED = "e = !some(where (p.eft == deny))"

# It writes each refusal with every value of the request.
logging.getLogger("casbin.enforcer").setLevel(logging.ERROR)


class Missing:
    """A claim that the appointment lacks: neither equal nor unequal to anything, unless `matches`, as a deny has it."""

    def __init__(self, matches: bool) -> None:
        self.matches = matches

    def __eq__(self, other: object) -> bool:
        return self.matches

    def __ne__(self, other: object) -> bool:
        return False

    def __contains__(self, other: object) -> bool:
        return self.matches

    def __hash__(self) -> int:
        return id(self)


class Absent(float):
    """An attribute without a value: equal to nothing and never true. Casbin takes a bare truth only as a bool or as a float that
    it compares with 0, which no condition can do."""

    def __new__(cls) -> Absent:
        return super().__new__(cls, 0.0)

    def __eq__(self, other: object) -> Any:
        return NotImplemented if isinstance(other, Missing) else type(other) is int and other == 0

    def __ne__(self, other: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return False

    def __hash__(self) -> int:
        return 0


class Held(frozenset[Any]):
    """The values of an attribute that is a set."""

    def __contains__(self, other: object) -> bool:
        return other.matches if isinstance(other, Missing) else super().__contains__(other)


class Thing:
    """What a rule calls `r.sub` or `r.obj`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


def thing(attributes: Mapping[str, Any]) -> Thing:
    """A row as Casbin sees it."""
    values: dict[str, Any] = {}
    for name, value in attributes.items():
        values[name] = Absent() if value is None else Held(value) if isinstance(value, set | frozenset) else value
    return Thing(values)


class _Enforcer(casbin.Enforcer):  # type: ignore[misc]
    """Casbin, which parses every rule's text for every request, with the parsed texts kept."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._parsed: dict[str, Any] = {}

    def _get_expression(self, expr: str, functions: Any = None) -> Any:
        if expr not in self._parsed:
            with PARSING:
                self._parsed[expr] = super()._get_expression(expr, functions)
        return self._parsed[expr]


class Oracle:
    """Casbin over one policy. `asked` counts its judgements.

    Each enforcer holds only the rules that the first three clauses of the matcher let through (same resource, same action, a
    role that Casbin's role manager reaches), for speed; `whole` asks one that holds them all.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.asked = 0
        self._enforcers: dict[tuple[str, str, str, str], casbin.Enforcer | None] = {}
        self._rules: list[list[str]] = policy.loaded.model["p"]["p"].policy
        self._edges: list[list[str]] = policy.loaded.model["g"]["g"].policy
        self._model = MODEL_PATH.read_text(encoding="utf-8")
        assert _EFFECT in self._model
        self._all = self._enforcer(_EFFECT, self._rules)
        self._reaches = self._all.get_role_manager().has_link

    def _enforcer(self, effect: str, rules: list[list[str]]) -> casbin.Enforcer:
        model = Model()
        model.load_model_from_text(self._model.replace(_EFFECT, effect))
        for rule in rules:
            model.add_policy("p", "p", rule)
        for edge in self._edges:
            model.add_policy("g", "g", edge)
        enforcer = _Enforcer(model)
        enforcer.add_function("covers", covers)
        enforcer.build_role_links()
        return enforcer

    def whole(self, role: str, claims: Mapping[str, Any], resource: str, action: str, row: Thing, cell: str) -> bool:
        """Casbin's verdict with model.conf as it stands and every rule: one appointment, no claim missing."""
        return bool(self._all.enforce(Thing({**claims, "role": role}), resource, action, row, cell))

    def enforce(self, effect: str, role: str, claims: Thing, resource: str, action: str, row: Thing, cell: str) -> bool:
        key = (effect, role, resource, action)
        if key not in self._enforcers:
            rules = [rule for rule in self._rules if rule[1:3] == [resource, action] and self._reaches(role, rule[0])]
            # Without any rule Casbin raises.
            self._enforcers[key] = self._enforcer(effect, rules) if rules else None
        enforcer = self._enforcers[key]
        self.asked += 1
        if enforcer is None:
            return effect == _NOT_DENIED
        claims.role = role  # type: ignore[attr-defined]
        return bool(enforcer.enforce(claims, resource, action, row, cell))

    def caller(self, appointments: Iterable[tuple[str, Mapping[str, Any]]]) -> Judge:
        """The judge of one caller's cells: his appointments, each a role and its claims."""
        return Judge(self, tuple(appointments))


class Judge:
    """One caller before the oracle."""

    def __init__(self, oracle: Oracle, appointments: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        self.oracle = oracle
        self._allowing = [(role, _subject(claims, matches=False)) for role, claims in appointments]
        self._denying = [(role, _subject(claims, matches=True)) for role, claims in appointments]

    def may(self, resource: str, row: Thing, cell: str = "row", action: str = "read") -> bool:
        """Any appointment allows the cell and none denies it."""
        ask = self.oracle.enforce
        return any(ask(_ALLOWED, role, sub, resource, action, row, cell) for role, sub in self._allowing) and all(
            ask(_NOT_DENIED, role, sub, resource, action, row, cell) for role, sub in self._denying
        )

    def form(self, resource: str, row: Thing, field_class: str, mask: str | None) -> Form:
        """How a field of the class shows on a row that he sees."""
        if mask != "stored" and self.may(resource, row, field_class):
            return "clear"
        return "masked" if mask is not None and self.may(resource, row, f"~{field_class}") else "hidden"


def _subject(claims: Mapping[str, Any], matches: bool) -> Thing:
    return Thing({name: Missing(matches) if value is None else value for name, value in claims.items()})
