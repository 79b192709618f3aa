"""Why and why not: the rules that decide one cell of one row, what the others lack, and what would change the answer.

Pure: a row comes in as the values of its attributes, a caller as his access. Whoever asks names the attributes he may not see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.catalog import Field, Resource
from policies.grant import Access, Appointment, Bound, Grant
from policies.policy import Policy
from policies.predicate import (
    And,
    ClaimRef,
    Eq,
    Has,
    In,
    Not,
    Or,
    Predicate,
    atoms_of,
    claims_of,
    conjuncts,
    evaluate,
    unbound,
)

Row = Mapping[str, Any]
CONCEALED = "（不予显示）"


@dataclass(frozen=True)
class Verdict:
    """One rule for one row. `failed`: the first condition that does not hold, in words; None where the rule matches."""

    bound: Bound
    failed: str | None


@dataclass(frozen=True)
class Change:
    """One way to another answer: what would have to be so, in words. `role`: whose rule would then decide, on line `line`.
    `held`: whether he has the role already, so that the row or his claims would have to change."""

    role: str
    line: int
    held: bool
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """Whether the row shows (or the action may be taken), how the field does (`clear`, `masked`, `hidden`; None if no field was asked),
    every rule's part, the rule that decided (None: no rule speaks for it), and what would change the answer."""

    visible: bool
    field: str | None
    verdicts: tuple[Verdict, ...]
    decisive: Bound | None
    changes: tuple[Change, ...]


def explain(
    access: Access,
    resource: Resource,
    row: Row,
    field: Field | None = None,
    action: str = "read",
    concealed: frozenset[str] = frozenset(),
) -> Explanation:
    """Which rules decide about a row (its attributes by name) and a field of it, and what the others lack. The values of the
    attributes named in `concealed` are not told."""
    grant, claims = access.grant(resource.name, action), access.claims
    visible, shown = outcome(access, resource, row, field, action)
    cell, wanted = "row", "row"
    if field is not None:
        wanted = f"~{field.field_class}" if field.mask == "stored" else field.field_class
        cell = f"~{field.field_class}" if shown == "masked" else wanted
    voice = _Voice(access.policy, resource, row, claims, concealed)
    verdicts = []
    for bound in speaking(grant, field):
        failed = next((part for part in conjuncts(bound.rows) if not evaluate(part, row, claims)), None)
        verdicts.append(Verdict(bound, None if failed is None else voice.spell(failed)))
    matching = [one.bound for one in verdicts if one.failed is None and one.bound.rule.covers(cell)]
    # A denial goes before whatever allows.
    decisive = next((one for one in matching if not one.rule.allow), None) or next(iter(matching), None)
    full = visible if field is None else shown == "clear" or (field.mask == "stored" and shown == "masked")
    changes = () if full else tuple(_changes(access, voice, action, wanted))
    return Explanation(visible, shown, tuple(verdicts), decisive, changes)


def outcome(
    access: Access, resource: Resource, row: Row, field: Field | None = None, action: str = "read"
) -> tuple[bool, str | None]:
    """Whether the row shows (or the action may be taken), and how the field does: an explanation without the reasons."""
    grant, claims = access.grant(resource.name, action), access.claims
    visible = evaluate(grant.rows, row, claims)
    if field is None:
        return visible, None
    reading = grant.field(field)
    if visible and evaluate(reading.clear, row, claims):
        return visible, "clear"
    return visible, "masked" if visible and evaluate(reading.masked, row, claims) else "hidden"


def speaking(grant: Grant, field: Field | None) -> Iterator[Bound]:
    """The rules that have a say about the row as such, or about a field of it, whatever the row is."""
    for bound in grant.bounds:
        if field is None or bound.rule.covers(f"~{field.field_class}"):
            yield bound


def _changes(access: Access, voice: _Voice, action: str, wanted: str) -> Iterator[Change]:
    """For each role the rule that lacks least: first his own roles, then others that he could be appointed to."""
    policy, resource, row = access.policy, voice.resource, voice.row
    own = {source for one in access.appointments for source in policy.inherited.get(one.role, ())}
    denials = [
        f"第 {bound.rule.line} 行的禁止不再适用"
        for bound in access.grant(resource.name, action).bounds
        if not bound.rule.allow and bound.rule.covers(wanted) and evaluate(bound.rows, row, access.claims)
    ]
    best: dict[str, Change] = {}
    for bound in access.grant(resource.name, action).bounds:
        if not bound.rule.allow or not bound.rule.covers(wanted):
            continue
        lacking = [part for part in conjuncts(bound.rows) if not evaluate(part, row, access.claims)]
        # Where a claim is missing nothing is left of the condition that speaks of it: the rule says it.
        lacking = list(conjuncts(bound.rule.rows)) if any(not atoms_of(part) for part in lacking) else lacking
        _keep(best, Change(bound.rule.role, bound.rule.line, True, (*map(voice.need, lacking), *denials)))
    for role in policy.roles:
        if role in own:
            continue
        for rule in policy.rules_for(role, resource.name, action):
            if rule.role != role or not rule.allow or not rule.covers(wanted):
                continue
            # SECURITY: what the asker may not know of the row is not told by what it lacks either.
            lacking = [
                part
                for part in conjuncts(rule.rows)
                if voice.conceals(part) or not _fits(part, row, access.appointments)
            ]
            # An appointment changes what he is, not what the row is.
            if all(claims_of(part) and voice.can_be(part) for part in lacking):
                _keep(best, Change(role, rule.line, False, (*map(voice.need, lacking), *denials)))
    yield from sorted(best.values(), key=lambda one: (not one.held, len(one.needs), one.line))


def _keep(best: dict[str, Change], change: Change) -> None:
    known = best.get(change.role)
    if known is None or len(change.needs) < len(known.needs):
        best[change.role] = change


def _fits(part: Predicate, row: Row, appointments: tuple[Appointment, ...]) -> bool:
    """Whether a condition would hold with the claims of one of his appointments."""
    if not claims_of(part):
        return evaluate(part, row, ({},))
    return any(not claims_of(part) & one.missing and evaluate(part, row, (one.claims,)) for one in appointments)


class _Voice:
    """Conditions in words, with the values of one row and of one caller's claims."""

    def __init__(
        self,
        policy: Policy,
        resource: Resource,
        row: Row,
        claims: tuple[Mapping[str, Any], ...],
        concealed: frozenset[str],
    ) -> None:
        self.policy, self.resource, self.row, self.claims, self.concealed = policy, resource, row, claims, concealed

    def spell(self, predicate: Predicate) -> str:
        """A condition that does not hold, with the values compared."""
        match predicate:
            case Eq(attribute=name, value=value):
                wanted = self._claimed(value) if isinstance(value, ClaimRef) else _text(value)
                return f"{self._label(name)} 为 {self._value(name)}，要求 {wanted}"
            case In(attribute=name, claim=reference):
                return f"{self._label(name)} {self._value(name)} 不在 {self._claimed(reference)} 之中"
            case Has(attribute=name, claim=reference):
                return f"{self._label(name)} {self._value(name)} 不含 {self._claimed(reference)}"
            case And(parts=parts):
                return "且".join(self.spell(part) for part in parts)
            case Or(parts=parts):
                return "以下皆不成立：" + "；".join(self.spell(part) for part in parts)
            case Not(part=part):
                return f"不得 {self.spell(part)}"
        return "任职缺少条件所需的属性"

    def need(self, predicate: Predicate) -> str:
        """What would have to be so: the name of the condition, and what it asks for on this row."""
        rows = unbound(predicate)
        label = next((said for meaning, said in self.policy.meanings[self.resource.name] if meaning == rows), None)
        asked = self._asked(rows)
        return f"{label}（{asked}）" if label else asked

    def can_be(self, predicate: Predicate) -> bool:
        """Whether claims could meet a condition on this row: what the row does not have, nobody's claim equals."""
        return all(
            one.attribute in self.concealed or self.row.get(one.attribute) is not None
            for one in atoms_of(predicate)
            if isinstance(one, Eq | In) and claims_of(one)
        )

    def conceals(self, predicate: Predicate) -> bool:
        """Whether a condition speaks of what the asker may not know."""
        return any(one.attribute in self.concealed for one in atoms_of(predicate) if isinstance(one, Eq | In | Has))

    def _asked(self, predicate: Predicate) -> str:
        match predicate:
            case Eq(attribute=name, value=ClaimRef(name=claim)):
                return f"{self._claim(claim)}为 {self._value(name)}"
            case Eq(attribute=name, value=value):
                return f"{self._label(name)}为 {_text(value)}"
            case In(attribute=name, claim=ClaimRef(name=claim)):
                return f"{self._claim(claim)}包括 {self._value(name)}"
            case Has(attribute=name, claim=ClaimRef(name=claim)):
                return f"{self._label(name)}包括{self._claim(claim)}"
            case And(parts=parts):
                return "且".join(self._asked(part) for part in parts)
            case Or(parts=parts):
                return "或".join(self._asked(part) for part in parts)
            case Not(part=part):
                return f"并非{self._asked(part)}"
        return "任职写明所需的属性"

    def _label(self, attribute: str) -> str:
        return self.resource.attributes[attribute].label or attribute

    def _claim(self, name: str) -> str:
        return self.policy.catalog.claims[name].label or name

    def _value(self, attribute: str) -> str:
        return CONCEALED if attribute in self.concealed else _text(self.row[attribute])

    def _claimed(self, reference: ClaimRef) -> str:
        return _text(self.claims[reference.slot or 0].get(reference.name))


def _text(value: Any) -> str:
    if value is None:
        return "（空）"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list | tuple | set | frozenset):
        return "｛" + "、".join(sorted(_text(one) for one in value)) + "｝"
    return str(value)
