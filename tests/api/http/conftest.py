"""A client of an endpoint of its own for each test."""

import pytest

from tests.api.http.client import Caller


@pytest.fixture
def caller() -> Caller:
    return Caller()
