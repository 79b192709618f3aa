"""A served application on loopback, and the same endpoint without a network."""

from collections.abc import Iterator

import pytest

from tests.api.serving import Served, serve_small


@pytest.fixture(scope="session")
def served_app() -> Iterator[Served]:
    """Base URL and token of a running application; the small one here."""
    with serve_small() as served:
        yield served
