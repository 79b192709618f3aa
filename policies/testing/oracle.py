"""The test oracle for policy tests and for the laws: Casbin's own `enforce`, called for each cell. It uses no predicate and no grant of ours.

One enforcer answers for allow and another for deny, both with the matcher of model.conf and with the rules that the compiler checked.
A caller may do what any of their appointments is allowed and none is denied.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import casbin
from casbin.model import Model

from policies.compile import MODEL_PATH
from policies.condition import PARSE_LOCK
from policies.policy import Policy, covers

Form = Literal["clear", "masked", "hidden"]

_EFFECT = "e = some(where (p.eft == allow)) && !some(where (p.eft == deny))"
_ALLOWED = "e = some(where (p.eft == allow))"
_NOT_DENIED = "e = !some(where (p.eft == deny))"

# Casbin logs each refusal with every value of the request.
logging.getLogger("casbin.enforcer").setLevel(logging.ERROR)


class MissingClaim:
    """A claim that the appointment lacks: neither equal nor unequal to anything, unless `matches`, which holds in a deny."""

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


class MissingAttribute(float):
    """An attribute without a value: equal to nothing and never true.

    Casbin accepts a bare truth value only as a bool or as a float that it compares with 0, which no condition can do.
    """

    def __new__(cls) -> MissingAttribute:
        return super().__new__(cls, 0.0)

    def __eq__(self, other: object) -> Any:
        return NotImplemented if isinstance(other, MissingClaim) else type(other) is int and other == 0

    def __ne__(self, other: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return False

    def __hash__(self) -> int:
        return 0


class SetAttribute(frozenset[Any]):
    """The values of an attribute that is a set."""

    def __contains__(self, other: object) -> bool:
        return other.matches if isinstance(other, MissingClaim) else super().__contains__(other)


class Entity:
    """A subject (`r.sub`) or an object (`r.obj`) of a Casbin request; its attributes are those of the Python object."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


def row_entity(attributes: Mapping[str, Any]) -> Entity:
    """A row (attribute -> value, None where it has none) as the object of a Casbin request."""
    values: dict[str, Any] = {}
    for name, value in attributes.items():
        if value is None:
            values[name] = MissingAttribute()
        else:
            values[name] = SetAttribute(value) if isinstance(value, set | frozenset) else value
    return Entity(values)


def _subject(claims: Mapping[str, Any], matches: bool) -> Entity:
    return Entity({name: MissingClaim(matches) if value is None else value for name, value in claims.items()})


class _Enforcer(casbin.Enforcer):  # type: ignore[misc]
    """A Casbin enforcer that caches parsed expressions; Casbin itself parses the condition of every rule for every request."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._parsed: dict[str, Any] = {}

    def _get_expression(self, expr: str, functions: Any = None) -> Any:
        if expr not in self._parsed:
            with PARSE_LOCK:
                self._parsed[expr] = super()._get_expression(expr, functions)
        return self._parsed[expr]


class Oracle:
    """Casbin over one policy. `enforcements` counts the calls of `enforce`.

    For speed each enforcer holds only the rules that the first three clauses of the matcher let through: same resource, same action,
    a role that Casbin's role manager reaches. `enforce_whole_policy` uses an enforcer with all rules.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.enforcements = 0
        self._enforcers: dict[tuple[str, str, str, str], casbin.Enforcer | None] = {}
        self._rules: list[list[str]] = policy.casbin_model.model["p"]["p"].policy
        self._edges: list[list[str]] = policy.casbin_model.model["g"]["g"].policy
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

    def enforce_whole_policy(
        self, role: str, claims: Mapping[str, Any], resource: str, action: str, row: Entity, cell: str
    ) -> bool:
        """Casbin's decision with model.conf unchanged and every rule, for one appointment that misses no claim."""
        return bool(self._all.enforce(Entity({**claims, "role": role}), resource, action, row, cell))

    def enforce(
        self, effect: str, role: str, claims: Entity, resource: str, action: str, row: Entity, cell: str
    ) -> bool:
        """Casbin's decision with another policy effect than that of model.conf, for one appointment."""
        key = (effect, role, resource, action)
        if key not in self._enforcers:
            rules = [rule for rule in self._rules if rule[1:3] == [resource, action] and self._reaches(role, rule[0])]
            # Without any rule Casbin raises.
            self._enforcers[key] = self._enforcer(effect, rules) if rules else None
        enforcer = self._enforcers[key]
        self.enforcements += 1
        if enforcer is None:
            return effect == _NOT_DENIED
        claims.role = role  # type: ignore[attr-defined]
        return bool(enforcer.enforce(claims, resource, action, row, cell))

    def caller(self, appointments: Iterable[tuple[str, Mapping[str, Any]]]) -> Judge:
        """The judge of one caller's cells. `appointments`: each a role and its claims, None for a missing claim."""
        return Judge(self, tuple(appointments))


class Judge:
    """One caller's access, as the oracle decides it."""

    def __init__(self, oracle: Oracle, appointments: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        self.oracle = oracle
        self._allow_subjects = [(role, _subject(claims, matches=False)) for role, claims in appointments]
        self._deny_subjects = [(role, _subject(claims, matches=True)) for role, claims in appointments]

    def may(self, resource: str, row: Entity, cell: str = "row", action: str = "read") -> bool:
        """Whether any appointment allows the cell and none denies it."""
        enforce = self.oracle.enforce
        return any(
            enforce(_ALLOWED, role, subject, resource, action, row, cell) for role, subject in self._allow_subjects
        ) and all(
            enforce(_NOT_DENIED, role, subject, resource, action, row, cell) for role, subject in self._deny_subjects
        )

    def form(self, resource: str, row: Entity, field_class: str, mask: str | None) -> Form:
        """How a field of the class shows on a row that the caller sees."""
        if mask != "stored" and self.may(resource, row, field_class):
            return "clear"
        return "masked" if mask is not None and self.may(resource, row, f"~{field_class}") else "hidden"
