"""Runs policy tests, on the compiled predicates and by Casbin's `enforce` as their oracle, and then mutation testing.

Each rule is removed, reversed, loosened and changed in its field classes, and some test must fail. A rule of which a mutant survives is
a rule that nobody tested.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from policies.grant import Access, cells_of
from policies.policy import Policy
from policies.predicate import evaluate
from policies.testing.mutants import MAX_SURVIVORS, MutationRun, Survivor, row_cells
from policies.testing.oracle import Oracle, row_entity
from policies.testing.suite import Case, Suite
from policies.words import action_words, class_words


@dataclass(frozen=True)
class Failure:
    """A test case that does not meet its expectation: its text of tests, the line in it, the title of the test, and the difference in
    Chinese."""

    source: str
    line: int
    title: str
    text: str


@dataclass(frozen=True)
class Report:
    """The result of a run. `cases` and `mutants` count what was run. Mutants are tried only where no case fails."""

    cases: int
    mutants: int
    failures: tuple[Failure, ...]
    survivors: tuple[Survivor, ...]

    @property
    def green(self) -> bool:
        return not self.failures and not self.survivors


def run(policy: Policy, suite: Suite, *, seconds: float | None = None) -> Report:
    """Runs all cases, then all mutants until MAX_SURVIVORS survive. `seconds` limits the CPU time that this thread spends on mutants.

    Raises MutationTimeout beyond that limit.
    """
    failures = tuple(_failures(policy, suite))
    if failures:
        return Report(len(suite.cases), 0, failures, ())
    mutation = MutationRun(policy, suite, None if seconds is None else time.thread_time() + seconds)
    survivors = tuple(sorted(islice(mutation.survivors(), MAX_SURVIVORS), key=lambda survivor: survivor.line))
    return Report(len(suite.cases), mutation.mutants, (), survivors)


def _failures(policy: Policy, suite: Suite) -> Iterator[Failure]:
    oracle = Oracle(policy)
    for case in suite.cases:
        access = Access(policy, [case.appointment])
        judge = oracle.caller([(case.appointment.role, case.appointment.claims)])
        row = row_entity(case.row)
        for action, expected in case.expected.items():
            cells = [cell for cell, _, _ in cells_of(policy.catalog.resources[case.resource], action)]
            grant = access.grant(case.resource, action)
            actual = row_cells(cell for cell in cells if evaluate(grant.cell(cell), case.row, access.claims))
            casbin = row_cells(cell for cell in cells if judge.may(case.resource, row, cell, action))
            subject = f"{case.person}对{policy.catalog.resources[case.resource].label}（{case.facts or '任意一行'}）"
            if actual != expected:
                text = f"应为{_cell_words(case, action, expected)}，实为{_cell_words(case, action, actual)}"
                yield Failure(case.source, case.line, case.title, subject + text)
            if actual != casbin:
                text = f"的{action_words(case.resource, action)}：编译结果与 Casbin 不一致"
                yield Failure(case.source, case.line, case.title, subject + text)


def _cell_words(case: Case, action: str, cells: frozenset[str]) -> str:
    """The cells of a row in Chinese, such as `可查看（姓名、联系电话（掩码））`."""
    action_label = action_words(case.resource, action)
    if not cells:
        return f"不可{action_label}"
    clear = sorted(cell for cell in cells if cell != "row" and not cell.startswith("~"))
    masked = sorted(cell[1:] for cell in cells if cell.startswith("~") and cell[1:] not in clear)
    classes = [class_words(name) for name in clear] + [class_words(name, "masked") for name in masked]
    return f"可{action_label}（{'、'.join(classes)}）" if classes else f"可{action_label}"
