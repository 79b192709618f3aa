"""Runs policy tests: on our compiled predicates, and by Casbin's `enforce` as the judge of them.

Then mutates: each rule is taken away, turned round, loosened and changed in its classes, and some test must notice. A rule whose
change nobody notices is a rule that nobody tested.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from policies.grant import Access, cells_of
from policies.policy import Policy
from policies.predicate import evaluate
from policies.testing.mutants import MOST_SURVIVORS, Mutants, Survivor, visible
from policies.testing.oracle import Oracle, thing
from policies.testing.suite import Case, Suite
from policies.words import action_words, class_words


@dataclass(frozen=True)
class Failure:
    """A case that is not as expected: its line in a text of tests, and what differs."""

    source: str
    line: int
    says: str
    text: str


@dataclass(frozen=True)
class Report:
    """What came of the tests. Survivors are looked for only where nothing failed."""

    cases: int
    mutants: int
    failures: tuple[Failure, ...]
    survivors: tuple[Survivor, ...]

    @property
    def green(self) -> bool:
        return not self.failures and not self.survivors


def run(policy: Policy, suite: Suite, *, seconds: float | None = None) -> Report:
    """All tests, then all mutants, until MOST_SURVIVORS are found. Raises TooLong after so many seconds of this thread's work."""
    failures = tuple(_failures(policy, suite))
    if failures:
        return Report(len(suite.cases), 0, failures, ())
    mutants = Mutants(policy, suite, None if seconds is None else time.thread_time() + seconds)
    survivors = tuple(sorted(islice(mutants.survivors(), MOST_SURVIVORS), key=lambda one: one.line))
    return Report(len(suite.cases), mutants.mutants, (), survivors)


# -- tests


def _failures(policy: Policy, suite: Suite) -> Iterator[Failure]:
    oracle = Oracle(policy)
    for case in suite.cases:
        access = Access(policy, [case.appointment])
        judge = oracle.caller([(case.appointment.role, case.appointment.claims)])
        row = thing(case.row)
        for action, expected in case.expected.items():
            cells = [cell for cell, _, _ in cells_of(policy.catalog.resources[case.resource], action)]
            grant = access.grant(case.resource, action)
            shown = visible(cell for cell in cells if evaluate(grant.cell(cell), case.row, access.claims))
            judged = visible(cell for cell in cells if judge.may(case.resource, row, cell, action))
            who = f"{case.who}对{policy.catalog.resources[case.resource].label}（{case.given or '任意一行'}）"
            if shown != expected:
                text = f"{who}{_difference(case, action, expected, shown)}"
                yield Failure(case.source, case.line, case.says, text)
            if shown != judged:
                yield Failure(
                    case.source,
                    case.line,
                    case.says,
                    f"{who}的{action_words(case.resource, action)}：编译结果与 Casbin 不一致",
                )


def _difference(case: Case, action: str, expected: frozenset[str], shown: frozenset[str]) -> str:
    def said(cells: frozenset[str]) -> str:
        if not cells:
            return "不可" + action_words(case.resource, action)
        clear = sorted(cell for cell in cells if cell != "row" and not cell.startswith("~"))
        masked = sorted(cell[1:] for cell in cells if cell.startswith("~") and cell[1:] not in clear)
        classes = [class_words(name) for name in clear] + [class_words(name, "masked") for name in masked]
        return (
            f"可{action_words(case.resource, action)}（{'、'.join(classes)}）"
            if classes
            else f"可{action_words(case.resource, action)}"
        )

    return f"应为{said(expected)}，实为{said(shown)}"
