"""Explains a decision: the rules that decide one cell of one row, what the others lack, and what would change the answer.

Pure: the row is its attributes by name, the caller is their Access. Whoever asks names the attributes that the reader may not see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.catalog import Field, Resource
from policies.grant import Access, Appointment, BoundRule, Grant
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
    """One rule on one row. `failed`: the first condition that does not hold, in Chinese; None where the rule matches."""

    bound: BoundRule
    failed: str | None


@dataclass(frozen=True)
class NeededChange:
    """One way to the full answer: the rule that would then decide, by its role and line, and what it needs, in Chinese.

    `held`: whether the caller has the role already, so that the row or their claims would have to change.
    """

    role: str
    line: int
    held: bool
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """A decision with its reasons.

    `visible`: whether the row shows, or the action may be taken. `field`: how the field shows, `clear`, `masked` or `hidden`; None if no
    field was asked for. `verdicts`: every rule's part. `decisive`: the rule that decided; None where no rule matches. `changes`: what
    would change the answer; empty where it is the full one.
    """

    visible: bool
    field: str | None
    verdicts: tuple[Verdict, ...]
    decisive: BoundRule | None
    changes: tuple[NeededChange, ...]


def explain(
    access: Access,
    resource: Resource,
    row: Row,
    field: Field | None = None,
    action: str = "read",
    concealed: frozenset[str] = frozenset(),
) -> Explanation:
    """Explains the decision on a row (attribute -> value), or on a field of it.

    `concealed`: attributes whose values the texts must not contain.
    """
    grant, claims = access.grant(resource.name, action), access.claims
    visible, shown = outcome(access, resource, row, field, action)
    cell, full_cell = "row", "row"
    if field is not None:
        full_cell = f"~{field.field_class}" if field.mask == "stored" else field.field_class
        cell = f"~{field.field_class}" if shown == "masked" else full_cell
    describer = _RowDescriber(access.policy, resource, row, claims, concealed)
    verdicts = []
    for bound in applicable_rules(grant, field):
        failed = next((part for part in conjuncts(bound.rows) if not evaluate(part, row, claims)), None)
        verdicts.append(Verdict(bound, None if failed is None else describer.failure(failed)))
    matching = [verdict.bound for verdict in verdicts if verdict.failed is None and verdict.bound.rule.covers(cell)]
    # A deny takes precedence over every allow.
    decisive = next((bound for bound in matching if not bound.rule.allow), None) or next(iter(matching), None)
    full = visible if field is None else shown == "clear" or (field.mask == "stored" and shown == "masked")
    changes = () if full else tuple(_changes(access, describer, action, full_cell))
    return Explanation(visible, shown, tuple(verdicts), decisive, changes)


def outcome(
    access: Access, resource: Resource, row: Row, field: Field | None = None, action: str = "read"
) -> tuple[bool, str | None]:
    """The decision without reasons: `visible` and `field` of Explanation."""
    grant, claims = access.grant(resource.name, action), access.claims
    visible = evaluate(grant.rows, row, claims)
    if field is None:
        return visible, None
    forms = grant.field(field)
    if visible and evaluate(forms.clear, row, claims):
        return visible, "clear"
    return visible, "masked" if visible and evaluate(forms.masked, row, claims) else "hidden"


def applicable_rules(grant: Grant, field: Field | None) -> Iterator[BoundRule]:
    """The rules that bear on the row as such, or on a field of it, whatever the row is."""
    for bound in grant.rules:
        if field is None or bound.rule.covers(f"~{field.field_class}"):
            yield bound


def _changes(access: Access, describer: _RowDescriber, action: str, cell: str) -> Iterator[NeededChange]:
    """For each role the rule that lacks least: first the caller's own roles, then others that they could be appointed to."""
    grant = access.grant(describer.resource.name, action)
    denials = tuple(
        f"第 {bound.rule.line} 行的禁止不再适用"
        for bound in grant.rules
        if not bound.rule.allow and bound.rule.covers(cell) and evaluate(bound.rows, describer.row, access.claims)
    )
    best: dict[str, NeededChange] = {}
    for change in (
        *_own_changes(access, grant, describer, cell, denials),
        *_appointment_changes(access, describer, action, cell, denials),
    ):
        if change.role not in best or len(change.needs) < len(best[change.role].needs):
            best[change.role] = change
    yield from sorted(best.values(), key=lambda change: (not change.held, len(change.needs), change.line))


def _own_changes(
    access: Access, grant: Grant, describer: _RowDescriber, cell: str, denials: tuple[str, ...]
) -> Iterator[NeededChange]:
    """What the caller's own rules lack."""
    for bound in grant.rules:
        if not bound.rule.allow or not bound.rule.covers(cell):
            continue
        lacking = [part for part in conjuncts(bound.rows) if not evaluate(part, describer.row, access.claims)]
        if any(not atoms_of(part) for part in lacking):
            # A comparison with a missing claim was bound to Never, which has no words: the unbound rule has.
            lacking = list(conjuncts(bound.rule.rows))
        yield NeededChange(bound.rule.role, bound.rule.line, True, (*map(describer.need, lacking), *denials))


def _appointment_changes(
    access: Access, describer: _RowDescriber, action: str, cell: str, denials: tuple[str, ...]
) -> Iterator[NeededChange]:
    """What the rules of other roles lack, where claims alone could make up for it."""
    policy = access.policy
    own = {role for appointment in access.appointments for role in policy.inherited.get(appointment.role, ())}
    for role in policy.roles:
        if role in own:
            continue
        for rule in policy.rules_for(role, describer.resource.name, action):
            if rule.role != role or not rule.allow or not rule.covers(cell):
                continue
            # SECURITY: whether a concealed attribute satisfies a condition must not show in what the rule lacks.
            lacking = [
                part
                for part in conjuncts(rule.rows)
                if describer.conceals(part) or not _satisfied_by_any(part, describer.row, access.appointments)
            ]
            # An appointment changes the claims, not the row.
            if all(claims_of(part) and describer.claims_could_match(part) for part in lacking):
                yield NeededChange(role, rule.line, False, (*map(describer.need, lacking), *denials))


def _satisfied_by_any(part: Predicate, row: Row, appointments: tuple[Appointment, ...]) -> bool:
    """Whether a condition holds with the claims of any one appointment."""
    if not claims_of(part):
        return evaluate(part, row, ({},))
    return any(
        not claims_of(part) & appointment.missing and evaluate(part, row, (appointment.claims,))
        for appointment in appointments
    )


class _RowDescriber:
    """Describes conditions in Chinese with the values of one row and of one caller's claims, but for those of concealed attributes."""

    def __init__(
        self,
        policy: Policy,
        resource: Resource,
        row: Row,
        claims: tuple[Mapping[str, Any], ...],
        concealed: frozenset[str],
    ) -> None:
        self.policy, self.resource, self.row, self.claims, self.concealed = policy, resource, row, claims, concealed

    def failure(self, predicate: Predicate) -> str:
        """A bound condition that does not hold, with the values compared."""
        match predicate:
            case Eq(attribute=name, value=value):
                required = self._claim_value(value) if isinstance(value, ClaimRef) else _text(value)
                return f"{self._label(name)} 为 {self._value(name)}，要求 {required}"
            case In(attribute=name, claim=reference):
                return f"{self._label(name)} {self._value(name)} 不在 {self._claim_value(reference)} 之中"
            case Has(attribute=name, claim=reference):
                return f"{self._label(name)} {self._value(name)} 不含 {self._claim_value(reference)}"
            case And(parts=parts):
                return "且".join(self.failure(part) for part in parts)
            case Or(parts=parts):
                return "以下皆不成立：" + "；".join(self.failure(part) for part in parts)
            case Not(part=part):
                return f"不得 {self.failure(part)}"
        return "任职缺少条件所需的属性"

    def need(self, predicate: Predicate) -> str:
        """What would have to be so: the label of the condition, if it is named, and what it requires on this row."""
        rows = unbound(predicate)
        labels = self.policy.condition_labels[self.resource.name]
        label = next((label for named, label in labels if named == rows), None)
        requirement = self._requirement(rows)
        return f"{label}（{requirement}）" if label else requirement

    def claims_could_match(self, predicate: Predicate) -> bool:
        """Whether any claims could satisfy a condition on this row: a missing attribute equals no claim."""
        return all(
            atom.attribute in self.concealed or self.row.get(atom.attribute) is not None
            for atom in atoms_of(predicate)
            if isinstance(atom, Eq | In) and claims_of(atom)
        )

    def conceals(self, predicate: Predicate) -> bool:
        """Whether a condition uses a concealed attribute."""
        return any(atom.attribute in self.concealed for atom in atoms_of(predicate) if isinstance(atom, Eq | In | Has))

    def _requirement(self, predicate: Predicate) -> str:
        match predicate:
            case Eq(attribute=name, value=ClaimRef(name=claim)):
                return f"{self._claim_label(claim)}为 {self._value(name)}"
            case Eq(attribute=name, value=value):
                return f"{self._label(name)}为 {_text(value)}"
            case In(attribute=name, claim=ClaimRef(name=claim)):
                return f"{self._claim_label(claim)}包括 {self._value(name)}"
            case Has(attribute=name, claim=ClaimRef(name=claim)):
                return f"{self._label(name)}包括{self._claim_label(claim)}"
            case And(parts=parts):
                return "且".join(self._requirement(part) for part in parts)
            case Or(parts=parts):
                return "或".join(self._requirement(part) for part in parts)
            case Not(part=part):
                return f"并非{self._requirement(part)}"
        return "任职写明所需的属性"

    def _label(self, attribute: str) -> str:
        return self.resource.attributes[attribute].label or attribute

    def _claim_label(self, name: str) -> str:
        return self.policy.catalog.claims[name].label or name

    def _value(self, attribute: str) -> str:
        return CONCEALED if attribute in self.concealed else _text(self.row[attribute])

    def _claim_value(self, reference: ClaimRef) -> str:
        return _text(self.claims[reference.slot or 0].get(reference.name))


def _text(value: Any) -> str:
    if value is None:
        return "（空）"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list | tuple | set | frozenset):
        return "｛" + "、".join(sorted(_text(item) for item in value)) + "｝"
    return str(value)
