"""The documents that the endpoint keeps: only accepted ones, within bounds."""

import pytest

from api.http.documents import Documents, InvalidDocument
from api.http.limits import Limits
from tests.api.http.client import SCHEMA


def test_accepted_documents_are_kept_within_bounds() -> None:
    documents = Documents(SCHEMA, Limits(), max_bytes=40_000)
    first = documents.accept("{ hello }")
    assert documents.find("{ hello }") is first
    for n in range(40):
        documents.accept(f"query Q{n} {{ hello }} " + "# x" * n)
        documents.find("{ hello }")
        assert documents.weight <= 40_000
    assert documents.find("{ hello }") is first  # the one in use stays
    assert documents.find("query Q0 { hello } ") is None
    documents.accept("{ hello } # " + "x" * 50_000)
    assert len(documents) > 2  # nothing heavier than the whole is kept, nor drives others out


def test_rejected_documents_are_not_kept() -> None:
    documents = Documents(SCHEMA, Limits())
    for n in range(20):
        with pytest.raises(InvalidDocument):
            documents.accept("{ nothing" + str(n) + " }")
    assert len(documents) == 0
