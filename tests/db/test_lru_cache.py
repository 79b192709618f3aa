"""The cache: bounded, and the least recently used entry is evicted."""

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
