"""The cache of compiled statements: bounded, and the least used leave."""

from db.lru_cache import LruCache


def test_what_is_asked_for_again_stays() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key.upper()

    kept: LruCache[str] = LruCache(2)
    for key in ("a", "b", "a", "c", "a", "b"):
        assert kept.get(key, lambda key=key: make(key)) == key.upper()  # type: ignore[misc]  # a default binds the key of the turn
        assert len(kept) <= 2
    assert made == ["a", "b", "c", "b"]
