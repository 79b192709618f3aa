"""What the benchmark's five callers may read, written by hand in SQL for those contestants that have no policy of their own.

The same rules as in policies/policy.csv, as far as the workloads touch them; that they are the same is checked row by row
before anything is measured. `$1` is the one claim that a caller's rule needs.
"""

from dataclasses import dataclass
from typing import Any

# A position before every row in page order, newest first: a page without a cursor needs no second statement.
FIRST = ("infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff")

_RECENT = "(d.closed_at IS NULL OR d.closed_at > now() - interval '30 days')"
_MASKED_NAME = "CASE WHEN p.is_natural_person THEN mask_name(p.name) ELSE p.name END"


@dataclass(frozen=True)
class RoleAccess:
    """What one role reads. `d` is a dispute, `p` a party, `f` a follow-up; the parts are those of a dispute that is visible.

    `keys` scans the visible disputes in page order from ($2, $3), at most $4 of them. A part that the role never reads is
    None, and so is a column.
    """

    claim: str  # which of the caller's claims is $1
    kind: str  # its SQL type
    visible: str
    keys: str
    party: str
    name: str
    phone: str
    parts: frozenset[str]
    address: str = "p.address"
    exact: bool = False  # whether small numbers of statistics are shown


def _page_keys(table: str, instant: str, key: str, condition: str) -> str:
    return (
        f"SELECT {instant} AS registered_at, {key} AS id FROM {table} WHERE {condition} AND ({instant}, {key}) < ($2, $3)"
        f" ORDER BY {instant} DESC, {key} DESC LIMIT $4"
    )


_ALL = frozenset({"assignment", "session", "agreement", "obligation", "follow_up", "referral"})
_REFERRED = (
    "EXISTS (SELECT FROM referral r WHERE r.dispute_id = d.id AND r.organization_id = $1 AND r.state <> 'WITHDRAWN')"
)
_REPORTED = "d.source_organization_id = $1"

ACCESS: dict[str, RoleAccess] = {
    "bureau_admin": RoleAccess(
        "area_code",
        "text",
        "d.county_code = $1",
        _page_keys("dispute", "registered_at", "id", "county_code = $1"),
        "true",
        _MASKED_NAME,
        "mask_phone(p.phone)",
        _ALL,
        "mask_address(p.address)",
        exact=True,
    ),
    "mediator": RoleAccess(
        "person_id",
        "uuid",
        "EXISTS (SELECT FROM assignment a WHERE a.dispute_id = d.id AND a.person_id = $1 AND a.ended_at IS NULL)",
        _page_keys("assignment", "dispute_registered_at", "dispute_id", "person_id = $1 AND ended_at IS NULL"),
        "true",
        "p.name",
        "p.phone",
        _ALL,
    ),
    "grid_worker": RoleAccess(
        "area_code",
        "text",
        "d.grid_code = $1",
        _page_keys("dispute", "registered_at", "id", "grid_code = $1"),
        "d.tier = 'TEAM'",
        f"CASE WHEN {_RECENT} THEN p.name ELSE {_MASKED_NAME} END",
        f"CASE WHEN {_RECENT} THEN mask_phone(p.phone) END",
        frozenset({"assignment", "follow_up"}),
        f"CASE WHEN {_RECENT} THEN p.address ELSE mask_address(p.address) END",
    ),
    "court": RoleAccess(
        "organization_id",
        "uuid",
        # Not EXISTS or an equation: under an OR neither index would be scanned.
        "d.id IN (SELECT dispute_id FROM referral WHERE organization_id = $1 AND state <> 'WITHDRAWN'"
        " UNION ALL SELECT id FROM dispute WHERE source_organization_id = $1)",
        "SELECT registered_at, id FROM ("
        "(SELECT DISTINCT dispute_registered_at AS registered_at, dispute_id AS id FROM referral"
        " WHERE organization_id = $1 AND state <> 'WITHDRAWN' AND (dispute_registered_at, dispute_id) < ($2, $3)"
        " ORDER BY dispute_registered_at DESC, dispute_id DESC LIMIT $4)"
        f" UNION ({_page_keys('dispute', 'registered_at', 'id', 'source_organization_id = $1')})) AS both_ways"
        " ORDER BY registered_at DESC, id DESC LIMIT $4",
        _REFERRED,
        "p.name",
        "p.phone",
        frozenset(),
    ),
    "agency_hotline": RoleAccess(
        "organization_id",
        "uuid",
        _REPORTED,
        _page_keys("dispute", "registered_at", "id", "source_organization_id = $1"),
        "p.supplied_by_id = $1",
        "p.name",
        "p.phone",
        frozenset({"follow_up"}),
    ),
}

ROLES = tuple(ACCESS)


def fragments(role: str) -> dict[str, Any]:
    """The pieces of SQL of a role with the types of their parameters, as the peers with loaders of their own use them."""
    reach = ACCESS[role]

    def typed(text: str) -> str:
        return text.replace("$1", f"$1::{reach.kind}")

    keys = typed(reach.keys).replace("($2, $3)", "($2::timestamptz, $3::uuid)").replace("$4", "$4::int")
    return {
        "kind": reach.kind,
        "visible": typed(reach.visible),
        "keys": keys,
        "party": typed(reach.party),
        "name": reach.name,
        "phone": reach.phone,
        "address": reach.address,
        "parts": sorted(reach.parts),
        "exact": reach.exact,
    }
