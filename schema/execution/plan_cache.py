"""Plans of one process, kept by what they depend on: document, operation, shape of access, and the constraints on the variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from db.lru_cache import LruCache
from policies.grant import Access
from schema.planning.arguments import Call, Constraint, satisfied
from schema.planning.operation import Operation

# Variants of one operation, which differ in the constraints under which they hold; the oldest leaves.
MAX_VARIANTS = 16

P = TypeVar("P")


class PlanCache(Generic[P]):
    """A bounded cache of plans, least recently used out first.

    SECURITY: a plan holds for all accesses of one shape (the same rules, whatever the claims), and for no other.
    """

    def __init__(self, max_operations: int) -> None:
        self._operations: LruCache[list[tuple[Sequence[Constraint], P]]] = LruCache(max_operations)

    def get(
        self,
        operation: Operation,
        access: Access,
        call: Call,
        make: Callable[[], tuple[Sequence[Constraint], P]],
        *,
        typed: bool = False,
    ) -> P:
        """The plan whose constraints the call satisfies, or one made now, with its constraints. `typed`: see `plan_operation`.

        Raises what `make` raises; nothing is kept then.
        """
        name = operation.definition.name and operation.definition.name.value
        variants = self._operations.get((operation.document, name, access.shape, typed), list)
        for constraints, plan in variants:
            if satisfied(constraints, call):
                return plan
        constraints, plan = make()
        if len(variants) >= MAX_VARIANTS:
            variants.pop(0)
        variants.append((constraints, plan))
        return plan
