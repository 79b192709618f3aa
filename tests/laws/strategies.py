"""Random policies and callers for the laws: texts in the whole grammar of conditions, and appointments with and without claims."""

from __future__ import annotations

import random
import uuid
from typing import Any

from db.resources.catalog import CATALOG
from db.tables.dispute import RISK_LEVELS, STATES, TIERS
from db.tables.organization import ORGANIZATION_KINDS
from db.tables.party import SIDES
from db.tables.session import VISIBILITIES
from policies.catalog import Resource
from policies.compile import compile_policy
from policies.condition import ConditionRefused, parse
from policies.grant import Access, Appointment
from policies.policy import Policy, PolicyRefused
from tests.laws.dataset import Dataset

# Conditions on a dispute hold for all of its parts, so names may stand in the rules of any of them.
PARTS = tuple(name for name, one in CATALOG.resources.items() if "mediator_ids" in one.attributes)
ROLES = tuple(f"r{number}" for number in range(5))
_PERSONS = ("person_id", "lead_mediator_id", "author_id", "actor_id", "id", "mediator_ids")


class Draw:
    """Draws from one world with one source of chance."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        self.dataset, self.random = dataset, random.Random(seed)
        self.literals: dict[str, tuple[str, ...]] = {
            "state": STATES, "tier": TIERS, "risk_level": RISK_LEVELS, "visibility": VISIBILITIES, "side": SIDES,
            "kind": (*ORGANIZATION_KINDS, "INVITATION", "CONFIRMATION"), "form": ("WRITTEN", "ORAL"),
        }  # fmt: skip

    # -- policies

    def policy(self, version: int) -> Policy:
        """A policy. Its last role inherits nothing and is denied nothing."""
        while True:
            try:
                return compile_policy(self.text(), CATALOG, version)
            except PolicyRefused as refused:
                # Names that stand for names may add up to more than the compiler takes.
                if not all("过于复杂" in problem.message for problem in refused.problems):
                    raise

    def text(self, rules: int = 26) -> str:
        """The text of a policy."""
        lines = [f"p3, {role}, 角色{role}" for role in ROLES]
        names: dict[str, bool] = {}
        for number in range(4):
            claims = self._chance(0.5)
            text = self.short(CATALOG.resources["Dispute"], names, claims=claims)
            names[f"n{number}"] = "r.sub" in text or any(names[name] for name in names if name in text)
            lines.append(f"p2, n{number}, {text}, 条件{number}")
        for lower, role in enumerate(ROLES[:-1]):
            if self._chance(0.4):
                lines.append(f"g, {role}, {self.random.choice(ROLES[lower + 1 :])}")
        drawn: dict[tuple[str, ...], str] = {}
        for _ in range(rules):
            resource = CATALOG.resources[
                self.random.choice(("Dispute", "Dispute", "Party", "Party", "Note", "Event", *CATALOG.resources))
            ]
            conditions = names if resource.name in PARTS else {}
            condition = "True" if self._chance(0.2) else self.short(resource, conditions)
            action = self.random.choice(sorted(resource.actions)) if self._chance(0.15) else "read"
            role = self.random.choice(ROLES)
            effect = "deny" if role != ROLES[-1] and self._chance(0.3) else "allow"
            key = (role, resource.name, action, condition, effect)
            drawn[key] = f"p, {', '.join(key[:4])}, {self._fields(resource, action, effect)}, {effect}"
        return "\n".join((*lines, *drawn.values())) + "\n"

    def short(self, resource: Resource, names: dict[str, bool], *, claims: bool = True) -> str:
        """A row condition that is not too long for the compiler."""
        while True:
            text = self.condition(resource, names, claims=claims)
            try:
                parse(text)
            except ConditionRefused:
                continue
            return text

    def condition(self, resource: Resource, names: dict[str, bool], *, claims: bool = True, depth: int = 3) -> str:
        """A row condition: names by whether they speak of claims, which `not` does not suffer."""
        if depth > 0 and self._chance(0.55):
            match self.random.choice(("and", "or", "not")):
                case "not":
                    return f"not ({self.condition(resource, names, claims=False, depth=depth - 1)})"
                case word:
                    parts = [
                        self.condition(resource, names, claims=claims, depth=depth - 1)
                        for _ in range(self.random.randint(2, 3))
                    ]
                    return f" {word} ".join(f"({part})" for part in parts)
        usable = [name for name, claiming in names.items() if claims or not claiming]
        if usable and self._chance(0.25):
            return self.random.choice(usable)
        attributes = [one for one in resource.attributes.values() if claims or one.kind in ("text", "boolean")]
        if not attributes or self._chance(0.05):
            return "True"
        attribute = self.random.choice(attributes)
        left = f"r.obj.{attribute.name}"
        match attribute.kind:
            case "boolean":
                return self.random.choice(
                    (left, f"not {left}", *(f"{left} {op} {value}" for op in ("==", "!=") for value in (True, False)))
                )
            case "text":
                if claims and attribute.name.endswith("code") and self._chance(0.7):
                    return f"{left} == r.sub.area_code"
                return f"{left} {self.random.choice(('==', '!='))} '{self._literal(attribute.name)}'"
            case "set":
                return f"r.sub.{self._claim(attribute.name)} in {left}"
        if attribute.name in ("team_id", "id") and self._chance(0.7):
            return f"{left} in r.sub.team_ids"
        return f"{left} == r.sub.{self._claim(attribute.name)}"

    def _literal(self, attribute: str) -> str:
        return self.random.choice(self.literals.get(attribute) or (self.dataset.code(),))

    def _claim(self, attribute: str) -> str:
        return "person_id" if (attribute in _PERSONS) == self._chance(0.9) else "organization_id"

    def _fields(self, resource: Resource, action: str, effect: str) -> str:
        if action != "read":
            return "-" if effect == "allow" else "*"
        classes = sorted({field.field_class for field in resource.fields.values()})
        chosen = self.random.sample(classes, self.random.randint(1, len(classes)))
        if effect == "deny":
            return "*" if self._chance(0.4) else "|".join(chosen)
        masked = {field.field_class for field in resource.fields.values() if field.mask}
        return "|".join(f"~{name}" if name in masked and self._chance(0.4) else name for name in chosen)

    # -- callers

    def access(self, policy: Policy) -> Access:
        """A caller with one to three appointments in roles of the policy."""
        return Access(policy, [self.appointment(policy) for _ in range(self.random.randint(1, 3))])

    def accesses(self, policy: Policy) -> list[Access]:
        """Callers who between them hold every role once."""
        roles = list(policy.roles)
        self.random.shuffle(roles)
        found = []
        while roles:
            held = [roles.pop() for _ in range(min(len(roles), self.random.randint(1, 3)))]
            found.append(Access(policy, [self.appointment(policy, role) for role in held]))
        return found

    def appointment(self, policy: Policy, role: str | None = None) -> Appointment:
        """An appointment whose claims mostly fit some dispute; any of them may be missing, and a team may come twice."""
        dataset, chance = self.dataset, self.random
        grid = str(dataset.pick("Dispute")["grid_code"])
        area = grid[: chance.choice((6, 9, 12, 15))]
        teams: list[uuid.UUID] = [chance.choice(dataset.rows["Team"])["id"] for _ in range(chance.randint(0, 3))]
        claims: dict[str, Any] = {
            "person_id": chance.choice(dataset.rows["Mediator"])["person_id"],
            "organization_id": chance.choice(dataset.rows["Organization"])["id"],
            "area_code": area,
            "team_ids": teams + teams[:1],
        }
        for name in claims:
            if self._chance(0.06):
                claims[name] = None
        return Appointment(role or chance.choice(list(policy.roles)), claims)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share
