"""A bounded cache that evicts the least recently used entry. It knows neither the entries nor who uses them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class LruCache(Generic[Value]):
    """Entries of at most `max_weight` together, for one thread: what is expensive to make, such as compiled statements.

    `weigh`: the weight of a value, in bytes where the client chooses how large it is; without it each entry weighs 1. What alone weighs
    more than the bound is not kept.

    SECURITY: a key must hold all that its value depends on; for what a policy decides that is the shape of the access.
    """

    def __init__(self, max_weight: int, weigh: Callable[[Value], int] = lambda _: 1) -> None:
        self._max_weight, self._weigh = max_weight, weigh
        self._entries: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self.weight = 0

    def find(self, key: Hashable) -> Value | None:
        """The value of the key, used most recently from now on; None if it is not there."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def store(self, key: Hashable, value: Value) -> None:
        """Keep the value, in place of another one of the key or of the same one before it grew."""
        self.drop(key)
        weight = self._weigh(value)
        if weight > self._max_weight:
            return
        self._entries[key] = value, weight
        self.weight += weight
        while self.weight > self._max_weight:
            _, (_, evicted) = self._entries.popitem(last=False)
            self.weight -= evicted

    def drop(self, key: Hashable) -> None:
        """Forget the value of the key, if there is one."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.weight -= entry[1]

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of the key, made now if it is not there. What `make` raises is raised, and nothing is stored."""
        value = self.find(key)
        if value is None:
            value = make()
            self.store(key, value)
        return value

    def __len__(self) -> int:
        return len(self._entries)
