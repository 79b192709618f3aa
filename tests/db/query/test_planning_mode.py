"""Whether one plan is good for all values of a statement, by what its lists are filtered and ordered by."""

import pytest

from db.query.statement import CUSTOM, GENERIC, PlanMode, Planning, per_codes
from tests.db.query.statements import statement_of


@pytest.mark.parametrize(
    ("role", "arguments", "planning"),
    [
        # Nothing to filter by, and a filter whose index within the scope is in page order.
        ("bureau_admin", "first: 5", GENERIC),
        ("bureau_admin", "filter: {state: [CLOSED]}", GENERIC),
        ("justice_office", "filter: {subCategory: [P02], state: [CLOSED]}", GENERIC),
        # No index of a town has the source: whether its rows are many decides.
        ("justice_office", "filter: {source: [GRID]}", per_codes(["v1_source"])),
        # Two filters of which an index meets one.
        (
            "bureau_admin",
            "filter: {state: [CLOSED], source: [GRID]}",
            per_codes(["v1_state", "v2_source"]),
        ),
        # Few visible rows are sorted, however rare the values.
        ("grid_worker", "filter: {source: [GRID]}, orderBy: [{field: TITLE}, {field: STATE}]", GENERIC),
        # A bound on the order only tells where its scan begins; another bound may leave few rows or many.
        ("bureau_admin", 'filter: {registeredFrom: "2024-01-01"}', GENERIC),
        ("bureau_admin", 'filter: {closedFrom: "2024-01-01"}', CUSTOM),
        # An order that no index gives.
        ("bureau_admin", "orderBy: [{field: TITLE}, {field: STATE}]", CUSTOM),
    ],
)
def test_how_a_list_is_planned(role: str, arguments: str, planning: Planning) -> None:
    statement = statement_of((role,), f"{{ disputes({arguments}) {{ nodes {{ id }} }} }}")
    assert statement.planning == planning


def test_the_most_sensitive_part_decides() -> None:
    codes, others = per_codes(["b", "a"]), per_codes(["c", "a"])
    assert per_codes([]) == GENERIC
    assert codes == Planning(PlanMode.PER_CODES, ("a", "b"))
    assert GENERIC.joined(codes) == codes.joined(GENERIC) == codes
    assert codes.joined(others) == per_codes("abc")
    assert codes.joined(CUSTOM) == CUSTOM.joined(codes) == GENERIC.joined(CUSTOM) == CUSTOM
    nested = statement_of(
        ("bureau_admin",),
        '{ disputes(first: 3) { nodes { id } } areas { nodes { disputes(filter: {closedFrom: "2024-01-01"}) { totalCount } } } }',
    )
    assert nested.planning == CUSTOM
