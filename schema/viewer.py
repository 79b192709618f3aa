"""Whom an answer is for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from db.query.visibility import claim_values
from policies.grant import Access


@dataclass(frozen=True)
class Viewer:
    """Whom the answer is for: his access, and what `viewer` says of him."""

    access: Access
    person_id: Any
    roles: tuple[str, ...]
    token_expires_at: Any

    @cached_property
    def values(self) -> dict[str, Any]:
        """The binds of a statement that are the same in all that he asks: his claims, and what `viewer` shows."""
        found = claim_values(self.access)
        found["viewer_person_id"] = self.person_id
        found["viewer_roles"] = list(self.roles)
        found["viewer_token_expires_at"] = self.token_expires_at
        found["viewer_policy_version"] = self.access.policy.version
        return found
