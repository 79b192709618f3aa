"""The cache of plans by itself: by document, operation, shape of access and constraints. No database."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from db.resources.catalog import CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment
from schema.execution.plan_cache import MAX_VARIANTS, PlanCache
from schema.planning.arguments import Constraint
from schema.planning.operation import Document, Operation
from schema.refusal import Code, Refusal

POLICY = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG, 1)


def operation(text: str, index: int = 0) -> Operation:
    document = Document(text, parse(text))
    definition = document.ast.definitions[index]
    assert isinstance(definition, OperationDefinitionNode)
    return Operation(document, definition, None, {})


def access(role: str = "mediator", **claims: Any) -> Access:
    return Access(POLICY, [Appointment(role, {"person_id": 1, "area_code": "1", **claims})])


class Made:
    """Makes plans and counts them; each holds for the variables under which it was made."""

    def __init__(self) -> None:
        self.cache: PlanCache[int] = PlanCache(2)
        self.count = 0

    def get(self, one: Operation, by: Access, variables: Any = None, *, typed: bool = False) -> int:
        def make() -> tuple[list[Constraint], int]:
            self.count += 1
            return [Constraint(lambda values: values, variables)], self.count

        return self.cache.get(one, by, variables, make, typed=typed)


def test_a_plan_is_made_once_for_what_it_depends_on() -> None:
    made, both = Made(), "query A { __typename } query B { __typename }"
    assert made.get(operation(both), access()) == 1
    # The same text, another object; the same shape, other values of the claims.
    assert made.get(operation(both), access(area_code="2")) == 1
    assert made.get(operation(both, 1), access()) == 2


@pytest.mark.parametrize(
    ("other", "typed"), [(access("grid_worker"), False), (access(area_code=None), False), (access(), True)]
)
def test_a_plan_of_another_shape_is_another(other: Access, typed: bool) -> None:
    made = Made()
    assert made.get(operation("{ __typename }"), access()) == 1
    assert made.get(operation("{ __typename }"), other, typed=typed) == 2


def test_variants_of_one_operation() -> None:
    """One for each answer to the constraints; the oldest leaves."""
    made, one = Made(), operation("{ __typename }")
    assert [made.get(one, access(), value) for value in range(MAX_VARIANTS)] == list(range(1, MAX_VARIANTS + 1))
    assert made.get(one, access(), 0) == 1
    assert made.get(one, access(), MAX_VARIANTS) == MAX_VARIANTS + 1
    assert made.get(one, access(), 1) == 2
    assert made.get(one, access(), 0) == MAX_VARIANTS + 2


def test_the_least_recently_used_operation_leaves() -> None:
    made = Made()
    texts = ("{ a: __typename }", "{ b: __typename }", "{ c: __typename }")
    assert [made.get(operation(text), access()) for text in texts] == [1, 2, 3]
    assert made.get(operation(texts[0]), access()) == 4
    assert made.get(operation(texts[2]), access()) == 3


def test_a_refused_plan_is_not_kept() -> None:
    made, one = Made(), operation("{ __typename }")

    def refuse() -> tuple[list[Constraint], int]:
        raise Refusal(Code.FIELD_NOT_READABLE, "不能。")

    with pytest.raises(Refusal):
        made.cache.get(one, access(), None, refuse)
    assert made.get(one, access()) == 1
