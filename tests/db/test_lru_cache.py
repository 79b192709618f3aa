"""The cache: bounded, and the least recently used entry is evicted."""

import random

from db.lru_cache import LruCache


def test_the_least_recently_used_is_evicted() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key.upper()

    cache: LruCache[str] = LruCache(2)
    for key in ("a", "b", "a", "c", "a", "b"):
        assert cache.get(key, lambda key=key: make(key)) == key.upper()  # type: ignore[misc]  # a default binds the key of the turn
        assert len(cache) <= 2
    assert made == ["a", "b", "c", "b"]


def test_entries_are_weighed() -> None:
    """Whatever is stored, grows and is dropped: never more than the bound together, and the weight is that of what is there."""
    dice, values = random.Random(7), {}
    cache: LruCache[bytes] = LruCache(1_000, len)
    for number in range(2_000):
        key = dice.randrange(50)
        values[key] = bytes(dice.choice((1, 30, 300, 999, 1_001)))
        cache.store(key, values[key])
        assert cache.weight <= 1_000
        found = {key: value for key in range(50) if (value := cache.find(key)) is not None}
        assert sum(map(len, found.values())) == cache.weight
        assert (key in found) is (len(values[key]) <= 1_000)
        assert all(value is values[key] for key, value in found.items())
        if number % 7 == 0:
            cache.drop(dice.randrange(50))
