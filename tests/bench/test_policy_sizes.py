"""Policies of other sizes are policies that compile, with as many rules as were asked for."""

import pytest

from db.resources.catalog import CATALOG
from policies.compile import POLICY_PATH, compile_policy
from tests.bench.policy_sizes import OPEN, SHIPPED, variant

_SHIPPED = len(compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG).rules)


@pytest.mark.parametrize(("name", "rules"), [("20", 20), (SHIPPED, _SHIPPED), ("1000", 1000)])
def test_as_many_rules_as_asked_for(name: str, rules: int) -> None:
    assert len(compile_policy(variant(name, "mediator"), CATALOG).rules) == rules


def test_everything_is_granted_to_one_role() -> None:
    policy = compile_policy(variant(OPEN, "bureau_admin"), CATALOG)
    own = [rule for rule in policy.rules if rule.role == "bureau_admin"]
    assert {rule.resource for rule in own} == set(CATALOG.resources)
    assert not any(rule.role != "bureau_admin" and rule.action == "nothing" for rule in policy.rules)
