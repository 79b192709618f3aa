"""A served application on loopback, and the same endpoint without a network."""

from collections.abc import Iterator

import pytest

from tests.api.serving import serve_small
from tests.server import Served


@pytest.fixture(scope="session")
def served_app() -> Iterator[Served]:
    """Base URL and token of a running application; the small one here."""
    with serve_small() as served:
        yield served
