"""The cache of plans by itself: by document, operation, shape of access and constraints. No database."""

import asyncio
import random
import threading
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from db.resources.catalog import CATALOG
from db.worker import Worker
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment
from schema.execution.plan_cache import MAX_VARIANTS, MAX_WAITING, Made, PlanCache
from schema.planning.arguments import Constraint
from schema.planning.operation import Document, Operation
from schema.refusal import Code, Refusal, TooCostly

POLICY = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG, 1)


def operation(text: str, index: int = 0) -> Operation:
    document = Document(text, parse(text))
    definition = document.ast.definitions[index]
    assert isinstance(definition, OperationDefinitionNode)
    return Operation(document, definition, None, {})


def access(role: str = "mediator", **claims: Any) -> Access:
    return Access(POLICY, [Appointment(role, {"person_id": 1, "area_code": "1", **claims})])


WORKER = Worker()


class Maker:
    """Makes plans and counts them; each holds for the variables under which it was made."""

    def __init__(self, max_bytes: int = 10_000, weight: int = 10) -> None:
        self.cache: PlanCache[int] = PlanCache(max_bytes, WORKER)
        self.count, self.weight = 0, weight
        self.threads: set[int] = set()

    async def get(self, one: Operation, by: Access, variables: Any = None, *, typed: bool = False) -> int:
        def make() -> Made[int]:
            self.count += 1
            self.threads.add(threading.get_ident())
            return Made([Constraint(lambda values: values, variables)], self.count, self.weight)

        return await self.cache.get(one, by, variables, make, typed=typed)


async def test_a_plan_is_made_once_for_what_it_depends_on() -> None:
    made, both = Maker(), "query A { __typename } query B { __typename }"
    assert await made.get(operation(both), access()) == 1
    # The same text, another object; the same shape, other values of the claims.
    assert await made.get(operation(both), access(area_code="2")) == 1
    assert await made.get(operation(both, 1), access()) == 2


@pytest.mark.parametrize(
    ("other", "typed"), [(access("grid_worker"), False), (access(area_code=None), False), (access(), True)]
)
async def test_a_plan_of_another_shape_is_another(other: Access, typed: bool) -> None:
    made = Maker()
    assert await made.get(operation("{ __typename }"), access()) == 1
    assert await made.get(operation("{ __typename }"), other, typed=typed) == 2


async def test_variants_of_one_operation() -> None:
    """One for each answer to the constraints; the oldest leaves."""
    made, one = Maker(), operation("{ __typename }")
    assert [await made.get(one, access(), value) for value in range(MAX_VARIANTS)] == list(range(1, MAX_VARIANTS + 1))
    assert await made.get(one, access(), 0) == 1
    assert await made.get(one, access(), MAX_VARIANTS) == MAX_VARIANTS + 1
    assert await made.get(one, access(), 1) == 2
    assert await made.get(one, access(), 0) == MAX_VARIANTS + 2


async def test_the_least_recently_used_document_leaves() -> None:
    made = Maker(max_bytes=300, weight=30)
    texts = [f"{{ a{number}: __typename }}" for number in range(11)]
    assert [await made.get(operation(text), access()) for text in texts] == list(range(1, 12))
    assert await made.get(operation(texts[0]), access()) == 12
    assert await made.get(operation(texts[10]), access()) == 11


async def test_all_variants_of_all_documents_are_bounded_together() -> None:
    """Documents, operations, shapes of access and values at random: never more bytes than the bound, and one document never takes it all."""
    dice = random.Random(11)
    made = Maker()
    for _ in range(1_500):
        made.weight = dice.choice((10, 100, 900, 1_200, 20_000))
        text = dice.choice(("{ __typename }", "{ a: __typename }", "{ b: __typename }"))
        by = access(dice.choice(("mediator", "grid_worker", "police")))
        await made.get(operation(text), by, dice.randrange(30), typed=dice.random() < 0.5)
        assert made.cache.weight <= 3 * (10_000 // 8)


async def test_plans_are_made_beside_the_event_loop_and_each_once() -> None:
    made, one = Maker(), operation("{ __typename }")
    assert await asyncio.gather(*(made.get(one, access()) for _ in range(20))) == [1] * 20
    assert made.count == 1
    assert threading.get_ident() not in made.threads


async def test_no_more_wait_than_may() -> None:
    made, one = Maker(), operation("{ __typename }")
    answers = await asyncio.gather(
        *(made.get(one, access(), value) for value in range(MAX_WAITING + 5)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, TooCostly)]
    assert (len(refused), refused[0].limit) == (5, MAX_WAITING)


async def test_a_refused_plan_is_not_kept() -> None:
    made, one = Maker(), operation("{ __typename }")

    def refuse() -> Made[int]:
        raise Refusal(Code.FIELD_NOT_READABLE, "不能。")

    with pytest.raises(Refusal):
        await made.cache.get(one, access(), None, refuse)
    assert await made.get(one, access()) == 1
