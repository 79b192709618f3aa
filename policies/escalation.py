"""Privilege escalation by a policy draft: what it would grant to a person beyond today, and who could still administer the policy.

Both compare sets of cells and rows, never names of roles.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from policies.grant import Access, Appointment, cells_of
from policies.policy import Policy
from policies.predicate import Never, entails
from policies.words import condition_words

# The policy as a resource of the catalog: who may do what about it is decided by rules like any other.
POLICY = "PolicyVersion"
POLICY_ACTIONS = frozenset({"read", "draft", "approve", "publish", "rollback", "impact", "explain"})

Person = TypeVar("Person", bound=Hashable)


@dataclass(frozen=True)
class Escalation:
    """A cell that a person would have on rows on which they do not have it today. `field_class` is None for the row as such; `form`:
    `row`, `clear`, `masked`. `before`, `after`: conditions in Chinese; `before` is None where they have it on no row."""

    resource: str
    action: str
    field_class: str | None
    form: str
    before: str | None
    after: str


def escalations(live: Policy, draft: Policy, appointments: Sequence[Appointment]) -> Iterator[Escalation]:
    """What the draft grants to a holder of these appointments beyond what the live policy grants them.

    SECURITY: a cell counts as an escalation unless `entails` proves that it is within today's grant.
    """
    access_live, access_draft = Access(live, appointments), Access(draft, appointments)
    roles = {appointment.role for appointment in appointments}
    for resource, action in sorted({pair for role in roles for pair in draft.actions_by_role.get(role, ())}):
        grant_live, grant_draft = access_live.grant(resource, action), access_draft.grant(resource, action)
        for cell, field_class, form in cells_of(draft.catalog.resources[resource], action):
            before, after = grant_live.cell(cell), grant_draft.cell(cell)
            if entails(after, before):
                continue
            before_text = None if isinstance(before, Never) else condition_words(before, live, resource)
            yield Escalation(resource, action, field_class, form, before_text, condition_words(after, draft, resource))


def permission_holders(
    policy: Policy, action: str, people: Mapping[Person, Sequence[Appointment]], resource: str = POLICY
) -> tuple[Person, ...]:
    """Those of these people, with their appointments, who may take an action on any row at all.

    An empty result for `publish` means that the policy locks everybody out of changing it.
    """
    return tuple(
        person
        for person, appointments in people.items()
        if not isinstance(Access(policy, appointments).grant(resource, action).rows, Never)
    )
