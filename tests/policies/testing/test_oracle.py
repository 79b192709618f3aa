"""Casbin as the oracle: a decision of ours that differs from it is a failure, and under random policies none differs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.testing.oracle import Judge, Oracle, row_entity
from policies.testing.run import run
from policies.testing.suite import load
from tests.policies.small import policy, row
from tests.policies.testing.report import CLOSE_TEST, READ_TEST, report


def test_a_decision_that_differs_from_the_oracle_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the compiled policy meets the expectation."""
    cells: list[str] = []

    def deny(self: Judge, resource: str, row: object, cell: str = "row", action: str = "read") -> bool:
        cells.append(cell)
        return False

    monkeypatch.setattr(Judge, "may", deny)
    failures = report(READ_TEST + CLOSE_TEST).failures
    assert {failure.text for failure in failures} == {
        "办事员对案件（本镇）的查看：编译结果与 Casbin 不一致",
        "办事员对案件（本镇 在办）的查看：编译结果与 Casbin 不一致",
        "办事员对案件（本镇 在办）的结案：编译结果与 Casbin 不一致",
    }
    assert {"row", "public", "~contact"} <= set(cells)


def test_a_missing_claim_never_matches_in_an_allow_and_always_in_a_deny() -> None:
    text = "p, clerk, Case, read, r.obj.town == r.sub.area, public, allow\n"
    text += "p, chief, Case, read, True, public|name, allow\np, chief, Case, read, r.sub.person in r.obj.helpers, name, deny\n"
    oracle, case = Oracle(policy(text)), row_entity(row(town="一镇", helpers=frozenset({2})))
    for role, claims, cell, expected in [
        ("clerk", {"area": "一镇"}, "row", True),
        ("clerk", {"area": None}, "row", False),
        ("chief", {"person": 1}, "name", True),
        ("chief", {"person": 2}, "name", False),
        ("chief", {"person": None}, "name", False),
        ("chief", {"person": None}, "row", True),
    ]:
        assert oracle.caller([(role, claims)]).may("Case", case, cell) is expected, (role, claims, cell)


def test_a_missing_attribute_never_matches() -> None:
    oracle = Oracle(
        policy(
            "p, clerk, Case, read, r.obj.town == r.sub.area, public, allow\np, chief, Case, read, r.obj.open, public, allow\n"
        )
    )
    missing = row_entity(row(town=None, open=None))
    assert not oracle.caller([("clerk", {"area": "一镇"}), ("chief", {"area": None})]).may("Case", missing)


rules = st.lists(
    st.tuples(
        st.sampled_from(["clerk", "chief"]),
        st.sampled_from(["read", "read", "close", "reveal"]),
        st.sampled_from(
            [
                "True",
                "here",
                "r.obj.open",
                "not r.obj.open",
                "here and r.obj.open",
                "r.sub.person in r.obj.helpers or here",
            ]
        ),
        st.sampled_from(["public", "public|contact", "~contact|name", "identity|narrative", "~identity"]),
        st.sampled_from(["allow", "allow", "deny"]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda rule: (rule[0], rule[1], rule[2], rule[4]),
)


@given(rules, st.booleans())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_compiled_policy_decides_as_casbin_does(
    drawn: list[tuple[str, str, str, str, str]], inherits: bool
) -> None:
    """Also where claims and attributes are missing."""
    text = "p2, here, r.obj.town == r.sub.area, 本镇\n" + ("g, chief, clerk\n" if inherits else "")
    for role, action, rows, fields, effect in drawn:
        granted = fields if action == "read" and effect == "allow" else fields.replace("~", "")
        text += f"p, {role}, Case, {action}, {rows}, {granted}, {effect}\n"
    compiled = policy(text)
    suite = load(
        """people:
  办事员: {role: clerk, person: 甲, area: 一镇}
  无辖区: {role: clerk, person: 甲}
  主任: {role: chief, area: 一镇}
facts:
  本镇: {town: 一镇, open: true, helpers: [甲]}
  邻镇: {town: 二镇, open: false, helpers: [甲, 乙]}
  不明: {}
tests:
  - {says: 一, who: 办事员 无辖区 主任, given: 本镇, nothing: 案件}
  - {says: 二, who: 办事员 无辖区 主任, given: 邻镇, nothing: 案件}
  - {says: 三, who: 办事员 无辖区 主任, given: 不明, nothing: 案件}
""",
        compiled,
    )
    assert [failure for failure in run(compiled, suite).failures if "Casbin" in failure.text] == []
