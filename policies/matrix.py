"""The policy as an access control matrix: role x resource x action x field class, each with its condition and the lines of its rules.

After inheritance and denials, so that an entry is what a holder of the role is granted. Depends on no row and no caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policies.grant import granted_cells, role_grant
from policies.policy import Policy
from policies.predicate import Predicate
from policies.words import action_words, class_words, condition_words


@dataclass(frozen=True)
class Entry:
    """One cell of one role. `field_class` is None for the row as such; `form`: `row`, `clear`, `masked`. `rows` is the condition, `words`
    the same in Chinese, `lines` where the rules that cover the cell stand in the text."""

    role: str
    resource: str
    action: str
    field_class: str | None
    form: str
    rows: Predicate
    words: str
    lines: tuple[int, ...]


def matrix(policy: Policy, roles: Iterable[str] | None = None) -> Iterator[Entry]:
    """The cells that are granted on any row at all, role by role; `roles`: names, None for all. Whatever is not listed is withheld, but a
    class that is masked on no more rows than it is clear on is listed in clear alone."""
    for role in policy.roles if roles is None else roles:
        for resource, action in policy.actions_by_role[role]:
            grant = role_grant(policy, role, resource, action)
            for cell, field_class, form, rows in granted_cells(grant, policy.catalog.resources[resource], action):
                text = condition_words(rows, policy, resource)
                lines = tuple(bound.rule.line for bound in grant.rules if bound.rule.covers(cell))
                yield Entry(role, resource, action, field_class, form, rows, text, lines)


def print_matrix(policy: Policy, roles: Iterable[str] | None = None) -> str:
    """The matrix as tab-separated values for a spreadsheet: a header, then one line a cell."""
    lines = ["角色\t对象\t动作\t字段类别\t形式\t范围\t规则所在行"]
    for entry in matrix(policy, roles):
        lines.append(
            "\t".join(
                (
                    policy.roles[entry.role],
                    policy.catalog.resources[entry.resource].label,
                    action_words(entry.resource, entry.action),
                    "（行）" if entry.field_class is None else class_words(entry.field_class),
                    {"row": "", "clear": "明文", "masked": "掩码"}[entry.form],
                    entry.words,
                    "、".join(str(line) for line in entry.lines),
                )
            )
        )
    return "\n".join(lines) + "\n"
