"""The difference of two compiled policies: which cells of which role became wider, narrower or incomparable, in Chinese.

It compares grants, after inheritance and denials, not lines: a text that grants the same in other words is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from policies.grant import cells_of, role_grant
from policies.policy import Policy
from policies.predicate import Never, entails
from policies.words import action_words, class_words, condition_words

# incomparable: some rows may be gained and others lost, or it cannot be decided. A check against widening has to treat it as widening.
Change = Literal["widens", "narrows", "incomparable"]


@dataclass(frozen=True)
class Difference:
    """One cell of one role. `field_class` is None for the row as such; `form`: `row`, `clear`, `masked`. `before`, `after`: conditions
    in Chinese, None where nothing is granted."""

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
    """The same change of several cells and roles, in Chinese."""

    change: Change
    text: str


@dataclass(frozen=True)
class Diff:
    """All differences, and the sentences for them. `notes`: sentences on changes of roles, names and labels that change no access."""

    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    sentences: tuple[Sentence, ...]

    @property
    def widens(self) -> bool:
        """Whether anybody may gain anything."""
        return any(difference.change != "narrows" for difference in self.differences)


def diff(before: Policy, after: Policy) -> Diff:
    """The difference from one policy to another, compiled against the same catalog."""
    differences = tuple(_differences(before, after))
    labels = {**before.roles, **after.roles}
    return Diff(differences, tuple(_notes(before, after)), tuple(_sentences(differences, labels, after)))


def _differences(before: Policy, after: Policy) -> Iterator[Difference]:
    for role in {**after.roles, **before.roles}:
        for resource, action in sorted({*before.actions_by_role.get(role, ()), *after.actions_by_role.get(role, ())}):
            yield from _grant_differences(before, after, role, resource, action)


def _grant_differences(before: Policy, after: Policy, role: str, resource: str, action: str) -> Iterator[Difference]:
    """The cells of one role, resource and action that differ."""
    old, new = (role_grant(policy, role, resource, action) for policy in (before, after))
    if [(bound.rule.rows, bound.rule.cells, bound.rule.allow) for bound in old.rules] == [
        (bound.rule.rows, bound.rule.cells, bound.rule.allow) for bound in new.rules
    ]:
        return
    clear: dict[str | None, tuple[str | None, str | None]] = {}
    for cell, field_class, form in cells_of(after.catalog.resources[resource], action):
        old_rows, new_rows = old.cell(cell), new.cell(cell)
        widens, narrows = entails(old_rows, new_rows), entails(new_rows, old_rows)
        if widens and narrows:
            continue
        change: Change = "widens" if widens else "narrows" if narrows else "incomparable"
        old_text, new_text = (
            None if isinstance(rows, Never) else condition_words(rows, policy, resource)
            for rows, policy in ((old_rows, before), (new_rows, after))
        )
        if form == "clear":
            clear[field_class] = (old_text, new_text)
        # What is clear is masked at least: the same change of both is reported once.
        if form != "masked" or clear.get(field_class) != (old_text, new_text):
            yield Difference(role, resource, action, field_class, form, change, old_text, new_text)


def _sentences(differences: tuple[Difference, ...], labels: Mapping[str, str], policy: Policy) -> Iterator[Sentence]:
    """One sentence for the same change of several cells and several roles. `labels`: of the roles; `policy`: for other labels."""
    cells: dict[Difference, list[tuple[str | None, str]]] = {}
    for difference in differences:
        change = replace(difference, field_class=None, form="row")
        cells.setdefault(change, []).append((difference.field_class, difference.form))
    roles: dict[tuple[Difference, tuple[tuple[str | None, str], ...]], list[str]] = {}
    for change, changed in cells.items():
        roles.setdefault((replace(change, role=""), tuple(changed)), []).append(labels[change.role])
    for (change, forms), role_labels in roles.items():
        yield Sentence(change.change, f"{'、'.join(role_labels)}：{_sentence(change, forms, policy)}")


def _sentence(change: Difference, cells: tuple[tuple[str | None, str], ...], policy: Policy) -> str:
    """A change of these cells (field class and form) in Chinese, without the roles."""
    label = policy.catalog.resources[change.resource].label
    classes = "、".join(class_words(name, form) for name, form in cells if name is not None)
    whole_row = any(name is None for name, _ in cells)
    action = action_words(change.resource, change.action)
    access = f"看到{label}" if change.action == "read" else f"对{label}办理「{action}」"
    access += f"（{classes}）" if whole_row and classes else "" if whole_row else f"的{classes}"
    if change.before is None:
        return f"现在可以{access}，范围：{change.after}"
    if change.after is None:
        return f"不再可以{access}，原范围：{change.before}"
    direction = {"widens": "扩大", "narrows": "缩小", "incomparable": "改变，可能有增有减"}[change.change]
    return f"可以{access}的范围{direction}，由「{change.before}」变为「{change.after}」"


def _notes(before: Policy, after: Policy) -> Iterator[str]:
    """Roles and named conditions that were added, removed or relabelled."""
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


def print_diff(difference: Diff) -> str:
    """The sentences and notes as text; a line begins with + for a widening, - for a narrowing, ? for what may be either."""
    marks = {"widens": "+", "narrows": "-", "incomparable": "?"}
    lines = [f"{marks[sentence.change]} {sentence.text}" for sentence in difference.sentences]
    lines += [f"  {note}" for note in difference.notes]
    return "\n".join(lines or ["两份策略的授权相同。"]) + "\n"
