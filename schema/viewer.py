"""The viewer: the person that an operation is answered for, with their access."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from db.query.visibility import claim_values
from policies.grant import Access


@dataclass(frozen=True)
class Viewer:
    """A person with their access, and what the root field `viewer` shows of them."""

    access: Access
    person_id: Any
    roles: tuple[str, ...]
    token_expires_at: Any

    @cached_property
    def values(self) -> dict[str, Any]:
        """The binds of a statement that depend on the viewer alone: the claims, and what `viewer` shows."""
        values = claim_values(self.access)
        values["viewer_person_id"] = self.person_id
        values["viewer_roles"] = list(self.roles)
        values["viewer_token_expires_at"] = self.token_expires_at
        values["viewer_policy_version"] = self.access.policy.version
        return values
