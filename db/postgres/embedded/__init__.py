"""A private PostgreSQL out of an installed wheel, for `demo`, `serve` without a database of its own, and the tests."""
