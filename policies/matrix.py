"""The whole policy as a table: role x resource x action x field class, each with its condition in words and the lines that say so.

After inheritance and denials, so that a cell says what a holder of the role may. Knows no row and no caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policies.grant import Grant, cells_of, role_grant
from policies.policy import Policy
from policies.predicate import Never, Predicate, follows
from policies.words import action_words, class_words, words


@dataclass(frozen=True)
class Entry:
    """One cell of the table. `field_class` is None for the row as such; `form`: `row`, `clear`, `masked`. `lines`: whose rules say so."""

    role: str
    resource: str
    action: str
    field_class: str | None
    form: str
    rows: Predicate
    words: str
    lines: tuple[int, ...]


def matrix(policy: Policy, roles: Iterable[str] | None = None) -> Iterator[Entry]:
    """The cells that are granted on any row at all, role by role; whatever is not listed is withheld."""
    for role in policy.roles if roles is None else roles:
        for resource, action in policy.held[role]:
            grant = role_grant(policy, role, resource, action)
            for cell, field_class, form in cells_of(policy.catalog.resources[resource], action):
                rows = grant.cell(cell)
                if isinstance(rows, Never) or (form == "masked" and follows(rows, grant.cell(cell[1:]))):
                    continue
                said = words(rows, policy, resource)
                yield Entry(role, resource, action, field_class, form, rows, said, _lines(grant, cell))


def _lines(grant: Grant, cell: str) -> tuple[int, ...]:
    return tuple(bound.rule.line for bound in grant.bounds if bound.rule.covers(cell))


def print_matrix(policy: Policy, roles: Iterable[str] | None = None) -> str:
    """The table as text: one line a cell, columns divided by tabs, for a spreadsheet."""
    lines = ["角色\t对象\t动作\t字段类别\t形式\t范围\t规则所在行"]
    for one in matrix(policy, roles):
        lines.append(
            "\t".join(
                (
                    policy.roles[one.role],
                    policy.catalog.resources[one.resource].label,
                    action_words(one.resource, one.action),
                    "（行）" if one.field_class is None else class_words(one.field_class),
                    {"row": "", "clear": "明文", "masked": "掩码"}[one.form],
                    one.words,
                    "、".join(str(line) for line in one.lines),
                )
            )
        )
    return "\n".join(lines) + "\n"
