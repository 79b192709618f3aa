"""What changed between two compiled policies: which cells of which role became wider, narrower or merely different, in words.

It compares what is granted after inheritance and denials, not lines: a text that says the same otherwise is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from policies.grant import cells_of, role_grant
from policies.policy import Policy
from policies.predicate import Never, follows
from policies.words import action_words, class_words, words

# incomparable: some rows may be gained and others lost, or it cannot be told. Whoever fears a widening takes it for one.
Change = Literal["widens", "narrows", "incomparable"]


@dataclass(frozen=True)
class Difference:
    """One cell of one role. `field_class` is None for the row as such; `form`: `row`, `clear`, `masked`. `before`, `after`: conditions
    in words, None where nothing is granted."""

    role: str
    resource: str
    action: str
    field_class: str | None
    form: str
    change: Change
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Sentence:
    """The same change of several cells and roles, in words."""

    change: Change
    text: str


@dataclass(frozen=True)
class Diff:
    """All differences; `notes` are changes of words that change no access, in sentences."""

    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    sentences: tuple[Sentence, ...]

    @property
    def widens(self) -> bool:
        """Whether anybody may gain anything."""
        return any(one.change != "narrows" for one in self.differences)


def diff(before: Policy, after: Policy) -> Diff:
    """From one policy to another."""
    differences = tuple(_differences(before, after))
    labels = {**before.roles, **after.roles}
    return Diff(differences, tuple(_notes(before, after)), tuple(_sentences(differences, labels, after)))


def _differences(before: Policy, after: Policy) -> Iterator[Difference]:
    for role in {**after.roles, **before.roles}:
        for resource, action in sorted({*before.held.get(role, ()), *after.held.get(role, ())}):
            old, new = (role_grant(policy, role, resource, action) for policy in (before, after))
            if [(bound.rule.rows, bound.rule.cells, bound.rule.allow) for bound in old.bounds] == [
                (bound.rule.rows, bound.rule.cells, bound.rule.allow) for bound in new.bounds
            ]:
                continue
            found: list[Difference] = []
            for cell, field_class, form in cells_of(after.catalog.resources[resource], action):
                was, is_ = old.cell(cell), new.cell(cell)
                wider, narrower = follows(was, is_), follows(is_, was)
                if wider and narrower:
                    continue
                change: Change = "widens" if wider else "narrows" if narrower else "incomparable"
                said = [
                    None if isinstance(rows, Never) else words(rows, policy, resource)
                    for rows, policy in ((was, before), (is_, after))
                ]
                one = Difference(role, resource, action, field_class, form, change, *said)
                # What is clear is masked at least: the same change of both is told once.
                if form == "masked" and any(
                    (other.field_class, other.form, other.before, other.after)
                    == (field_class, "clear", one.before, one.after)
                    for other in found
                ):
                    continue
                found.append(one)
            yield from found


def _sentences(differences: tuple[Difference, ...], labels: Mapping[str, str], policy: Policy) -> Iterator[Sentence]:
    """One sentence for the same change of several classes, and of several roles."""
    cells: dict[Difference, list[tuple[str | None, str]]] = {}
    for one in differences:
        cells.setdefault(replace(one, field_class=None, form="row"), []).append((one.field_class, one.form))
    roles: dict[tuple[Difference, tuple[tuple[str | None, str], ...]], list[str]] = {}
    for one, changed in cells.items():
        roles.setdefault((replace(one, role=""), tuple(changed)), []).append(labels[one.role])
    for (one, kinds), who in roles.items():
        yield Sentence(one.change, f"{'、'.join(who)}：{_sentence(one, kinds, policy)}")


def _sentence(one: Difference, cells: tuple[tuple[str | None, str], ...], policy: Policy) -> str:
    label = policy.catalog.resources[one.resource].label
    classes = "、".join(class_words(name, form) for name, form in cells if name is not None)
    whole = any(name is None for name, _ in cells)
    what = f"看到{label}" if one.action == "read" else f"对{label}办理「{action_words(one.resource, one.action)}」"
    what += f"（{classes}）" if whole and classes else "" if whole else f"的{classes}"
    if one.before is None:
        return f"现在可以{what}，范围：{one.after}"
    if one.after is None:
        return f"不再可以{what}，原范围：{one.before}"
    how = {"widens": "扩大", "narrows": "缩小", "incomparable": "改变，可能有增有减"}[one.change]
    return f"可以{what}的范围{how}，由「{one.before}」变为「{one.after}」"


def _notes(before: Policy, after: Policy) -> Iterator[str]:
    for role, label in after.roles.items():
        if role not in before.roles:
            yield f"新增角色 {label}（{role}）"
        elif before.roles[role] != label:
            yield f"角色 {role} 改称「{label}」，原称「{before.roles[role]}」"
    for role, label in before.roles.items():
        if role not in after.roles:
            yield f"删去角色 {label}（{role}）"
    for name, named in after.named.items():
        old = before.named.get(name)
        if old is None:
            yield f"新增条件名 {name}「{named.label}」"
        elif old.label != named.label:
            yield f"条件 {name} 改称「{named.label}」，原称「{old.label}」"
    for name, old in before.named.items():
        if name not in after.named:
            yield f"删去条件名 {name}「{old.label}」"


def print_diff(found: Diff) -> str:
    """The differences as text; a line begins with + for a widening, - for a narrowing, ? for what may be either."""
    marks = {"widens": "+", "narrows": "-", "incomparable": "?"}
    lines = [f"{marks[one.change]} {one.text}" for one in found.sentences]
    lines += [f"  {note}" for note in found.notes]
    return "\n".join(lines or ["两份策略的授权相同。"]) + "\n"
