"""Plans of one process, kept by what they depend on: document, operation, shape of access, and the constraints on the variables."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from db.lru_cache import LruCache
from db.query.statement import Statement
from db.worker import Worker
from policies.grant import Access
from schema.computation import compute
from schema.planning.arguments import Call, Constraint, Extract, satisfied
from schema.planning.operation import Document, Operation
from schema.refusal import TooCostly

# Variants of one operation, which differ in the constraints under which they hold; the oldest leaves.
MAX_VARIANTS = 16
# Requests that wait for a plan while others are made.
MAX_WAITING = 100

P = TypeVar("P")


@dataclass(frozen=True)
class Made(Generic[P]):
    """A plan with the constraints under which it holds. `weight`: the bytes that it takes, its statement included."""

    constraints: Sequence[Constraint]
    plan: P
    weight: int


def plan_weight(
    visited: int, extracts: Mapping[str, Extract], constraints: Sequence[Constraint], *statements: Statement | None
) -> int:
    """The bytes of a plan, as measured: its items, its closures, and the text and binds of its statements."""
    texts = sum(sys.getsizeof(one.sql) + 80 * len(one.binds) for one in statements if one is not None)
    return 1_500 + 300 * visited + 1_200 * len(extracts) + 600 * len(constraints) + texts


@dataclass
class _DocumentPlans(Generic[P]):
    """All plans of one document, whose tree they refer to."""

    document: Document
    variants: dict[Hashable, list[Made[P]]] = field(default_factory=dict)

    @property
    def weight(self) -> int:
        return self.document.weight + sum(made.weight for variants in self.variants.values() for made in variants)


class PlanCache(Generic[P]):
    """A cache of plans, bounded in bytes; those of the least recently used document leave first, all together.

    Plans are made one at a time and beside the event loop, which goes on answering others.

    SECURITY: a plan holds for all accesses of one shape (the same rules, whatever the claims), and for no other.
    """

    def __init__(self, max_bytes: int, worker: Worker) -> None:
        self._documents: LruCache[_DocumentPlans[P]] = LruCache(max_bytes, lambda plans: plans.weight)
        self._max_bytes = max_bytes
        self._worker = worker
        self._turn = asyncio.Lock()
        self._waiting = 0

    @property
    def weight(self) -> int:
        """The bytes of all plans."""
        return self._documents.weight

    async def get(
        self,
        operation: Operation,
        access: Access,
        call: Call,
        make: Callable[[], Made[P]],
        *,
        typed: bool = False,
    ) -> P:
        """The plan whose constraints the call satisfies, or one made now. `typed`: see `plan_operation`.

        Raises what `make` raises, and Refusal TOO_COSTLY where too many wait; nothing is kept then.
        """
        name = operation.definition.name and operation.definition.name.value
        key = name, access.shape, typed
        made = self._find(operation.document, key, call)
        if made is None:
            made = await self._make(operation.document, key, call, make)
        return made.plan

    async def _make(self, document: Document, key: Hashable, call: Call, make: Callable[[], Made[P]]) -> Made[P]:
        if self._waiting >= MAX_WAITING:
            raise TooCostly(f"已有 {self._waiting} 个请求在等待，请稍后重试。", self._waiting, MAX_WAITING)
        self._waiting += 1
        try:
            async with self._turn:
                # The one before may have been the same.
                made = self._find(document, key, call)
                if made is None:
                    made = await compute(self._worker, make)
                    self._keep(document, key, made)
                return made
        finally:
            self._waiting -= 1

    def _find(self, document: Document, key: Hashable, call: Call) -> Made[P] | None:
        plans = self._documents.find(document.text)
        if plans is not None:
            for made in plans.variants.get(key, ()):
                if satisfied(made.constraints, call):
                    return made
        return None

    def _keep(self, document: Document, key: Hashable, made: Made[P]) -> None:
        plans = self._documents.find(document.text) or _DocumentPlans(document)
        variants = plans.variants.setdefault(key, [])
        if len(variants) >= MAX_VARIANTS:
            variants.pop(0)
        variants.append(made)
        if plans.weight > self._max_bytes // 8:
            # One document does not drive the others out: it begins anew.
            plans = _DocumentPlans(document, {key: [made]})
        self._documents.store(document.text, plans)
