"""What the indexes lead to is derived from the tables: with an index goes its access path."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Index

from db.query.indexes import INDEXES, ResourceIndexes, derive_indexes
from db.query.statement import Statement
from db.resources.catalog import RESOURCES
from tests.db.query.statements import statement_of

IN_STATE = "{ disputes(filter: {state: [CLOSED]}) { nodes { id } } }"
BY_AMOUNT = "{ disputes(orderBy: [{field: AMOUNT_CLAIMED}]) { nodes { id } } }"


@contextmanager
def without(resource: str, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The access paths of a resource as they are if its table lacks an index."""
    indexes: set[Index] = RESOURCES[resource].table.indexes
    index = next(one for one in indexes if one.name == name)
    indexes.remove(index)
    try:
        with monkeypatch.context() as patch:
            patch.setitem(INDEXES, resource, derive_indexes(RESOURCES[resource]))
            yield
    finally:
        indexes.add(index)


def test_what_the_indexes_of_disputes_lead_to() -> None:
    dispute = INDEXES["Dispute"]
    assert dispute.scopes == {
        "county_code", "town_code", "community_code", "grid_code", "team_id", "squad_id", "centre_id", "source_organization_id",
    }  # fmt: skip
    by_state = (("sub_category", "state"), ("state",))
    assert dispute.scoped_filters == {
        "county_code": (*by_state, ("source",), ("tier",), ("risk_level",)),
        "town_code": by_state,
        "squad_id": by_state,
        "centre_id": by_state,
    }
    assert dispute.filters == frozenset()
    assert dispute.orders == {
        "occurred_on", "accepted_at", "due_on", "concluded_at", "closed_at", "amount_claimed", "people_count", "case_number", "title",
        "state",
    }  # fmt: skip


def test_what_the_indexes_of_parts_lead_to() -> None:
    parts = {name: one for name, one in INDEXES.items() if RESOURCES[name].part}
    assert {name: one.filters for name, one in parts.items() if one.filters} == {
        "Obligation": {"state", "kind"},
        "Agreement": {"state", "scope", "form"},
        "FollowUp": {"result", "method"},
    }
    assert {name: one.orders for name, one in parts.items() if one.orders} == {
        "FollowUp": {"done_at", "satisfaction"},
        "Obligation": {"amount"},
    }
    assert not any(one.scopes or one.scoped_filters for one in parts.values())


def test_what_belongs_to_no_dispute_is_sorted() -> None:
    for name, one in INDEXES.items():
        if name != "Dispute" and not RESOURCES[name].part:
            assert one == ResourceIndexes(frozenset(), {}, frozenset(), frozenset()), name


@pytest.mark.parametrize(
    ("index", "kind", "lost"),
    [
        ("ix_dispute_grid_code", "scopes", "grid_code"),
        ("ix_dispute_source_organization_id", "scopes", "source_organization_id"),
        ("ix_dispute_amount_claimed", "orders", "amount_claimed"),
    ],
)
def test_a_path_goes_with_its_index(index: str, kind: str, lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before: frozenset[str] = getattr(INDEXES["Dispute"], kind)
    with without("Dispute", index, monkeypatch):
        assert getattr(INDEXES["Dispute"], kind) == before - {lost}
    assert getattr(INDEXES["Dispute"], kind) == before


def test_a_list_without_its_index_has_another_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scan of a state in a town, and that of an order, end with their indexes; the rest stays."""

    def statements() -> list[Statement]:
        return [statement_of(("justice_office",), query) for query in (IN_STATE, BY_AMOUNT)]

    in_state, by_amount = statements()
    with without("Dispute", "ix_dispute_town_code_state", monkeypatch):
        assert INDEXES["Dispute"].scoped_filters["town_code"] == (("sub_category", "state"),)
        other_in_state, same_by_amount = statements()
    assert "unnest" in in_state.sql
    assert "unnest" not in other_in_state.sql
    assert same_by_amount == by_amount
    with without("Dispute", "ix_dispute_amount_claimed", monkeypatch):
        same_in_state, other_by_amount = statements()
    assert same_in_state == in_state
    assert "UNION ALL" in by_amount.sql
    assert "UNION ALL" not in other_by_amount.sql
    assert statements() == [in_state, by_amount]


def test_a_partial_index_leads_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """But one over all rows in which its leading column has a value does."""
    before = INDEXES["FollowUp"]
    with without("FollowUp", "ix_follow_up_owing", monkeypatch):
        assert INDEXES["FollowUp"] == before
    with without("FollowUp", "ix_follow_up_done_at", monkeypatch):
        assert INDEXES["FollowUp"].orders == before.orders - {"done_at"}
