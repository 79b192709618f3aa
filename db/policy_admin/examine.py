"""What is worked out of the text of a policy once, when it is drafted: its tests with their result, and its difference to the live policy.

It asks no database. It decides on sets of cells, never on names of roles but for the three administrators' posts, which the law names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from db.resources.catalog import CATALOG
from db.tables.person import ADMINISTRATORS
from policies.compile import compile_policy
from policies.diff import Diff, diff, print_diff
from policies.policy import Policy, PolicyRefused
from policies.testing.mutants import MutationTimeout
from policies.testing.run import Report, run
from policies.testing.suite import SUITE_PATH, load
from policies.text import Problem

# So many sentences of a kind are stored with a version.
MAX_SENTENCES = 500
# Testing changes every rule in several ways. What takes longer than this (seconds) holds up a worker.
MAX_SECONDS = 20.0


@dataclass(frozen=True)
class Examined:
    """A text with all that is worked out of it. `difference`: to the version that is live."""

    policy: Policy
    tests: str
    report: Report
    difference: Diff

    @property
    def proof(self) -> str:
        """The SHA-256 (hex) of the tests and of their result."""
        report = self.report
        result = [
            self.tests,
            report.cases,
            report.mutants,
            [[one.line, one.title, one.text] for one in report.failures],
            [[one.line, one.text] for one in report.survivors],
        ]
        return hashlib.sha256(orjson.dumps(result)).hexdigest()

    def values(self, gains: Sequence[str], needed: int) -> dict[str, Any]:
        """The columns of its row that never change."""
        report = self.report
        return {
            "text": self.policy.text,
            "sha256": self.policy.sha256,
            "tests": self.tests,
            "green": report.green,
            "cases": report.cases,
            "mutants": report.mutants,
            "failures": _limited(f"第 {one.line} 行 {one.title}：{one.text}" for one in report.failures),
            "survivors": _limited(f"第 {one.line} 行 {one.text}" for one in report.survivors),
            "widens": self.difference.widens,
            "differences": _limited(line.strip() for line in print_diff(self.difference).splitlines()),
            "gains": _limited(gains),
            "approvals_needed": needed,
            "proof_sha256": self.proof,
        }


def _limited(sentences: Iterable[str]) -> list[str]:
    listed = list(sentences)
    if len(listed) <= MAX_SENTENCES:
        return listed
    return [*listed[:MAX_SENTENCES], f"另有 {len(listed) - MAX_SENTENCES} 项。"]


def shipped_tests() -> str:
    """The tests that came with the software."""
    return SUITE_PATH.read_text(encoding="utf-8")


def examine(text: str, tests: str, live: Policy) -> Examined:
    """Everything that can be said of a text without asking the database. Raises PolicyRefused and SuiteRefused."""
    policy, report = _tested(text, tests)
    return Examined(policy, tests, report, diff(live, policy))


# The same text is examined when it is drafted and again, soon after, when it is published.
@lru_cache(maxsize=8)
def _tested(text: str, tests: str) -> tuple[Policy, Report]:
    policy = compile_policy(text, CATALOG)
    problems = list(_administrators(policy))
    if problems:
        raise PolicyRefused(problems)
    try:
        return policy, run(policy, load(tests, policy), seconds=MAX_SECONDS)
    except MutationTimeout:
        message = f"规则过多（{len(policy.rules)} 条），逐条测试超过 {MAX_SECONDS:.0f} 秒；请以角色继承、命名条件合并"
        raise PolicyRefused([Problem(0, message)]) from None


def _administrators(policy: Policy) -> Iterator[Problem]:
    """SECURITY: nobody gets two of the three posts by way of a role that inherits one."""
    for role, sources in policy.inherited.items():
        for post in ADMINISTRATORS:
            if post in sources[1:]:
                yield Problem(
                    0, f"{role} 不能继承 {post}：系统管理员、安全管理员、审计管理员三员分立，其权限不得由其他角色取得"
                )
