"""The bounds of compilation: large texts compile, and in time that grows with the text."""

import sys
from typing import Any

from policies.compile import MAX_RULES_TOGETHER
from tests.policies.small import (
    policy,
    problems,
)


def _large(rules: int) -> str:
    """A text of many rules, a few for each role, with some inheritance."""
    role_count = rules // 20
    roles = "".join(f"p3, n{number}, 角色{number}\n" for number in range(role_count))
    edges = "".join(f"g, n{number}, n{number // 2}\n" for number in range(1, role_count, 7))
    return f"{roles}{edges}" + "".join(
        f"p, n{number % role_count}, Case, read, r.obj.state == 'S{number}' and r.obj.town == r.sub.area, public, allow\n"
        for number in range(rules)
    )


def test_ten_thousand_rules_compile() -> None:
    compiled = policy(_large(10_000))
    assert len(compiled.rules) == len(compiled.casbin_model.model["p"]["p"].policy) == 10_000


def test_the_work_grows_with_the_text_and_not_with_its_square() -> None:
    """Counted, not timed: the calls of our own functions."""

    def calls(rules: int) -> int:
        text, count = _large(rules), 0

        def count_call(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event == "call" and "/policies/" in frame.f_code.co_filename

        sys.setprofile(count_call)
        try:
            policy(text)
        finally:
            sys.setprofile(None)
        return count

    assert calls(2_000) < 12 * calls(200)


def test_rules_that_are_merged_with_each_other_are_bounded() -> None:
    """Merging two thousand of them took a process twenty seconds."""

    def rules(number: int, role: str) -> str:
        return "".join(f"p, {role}, Case, read, r.obj.state == 'S{state}', public, allow\n" for state in range(number))

    assert policy(rules(MAX_RULES_TOGETHER, "clerk"))
    refusals = problems(
        "g, chief, clerk\n" + rules(MAX_RULES_TOGETHER, "clerk") + "p, chief, Case, read, r.obj.open, name, allow\n"
    )
    assert [line for line, message in refusals if "角色 chief" in message] == [5 + MAX_RULES_TOGETHER]
    assert len(refusals) == 1
