"""What a draft would give to one person, and whom it would leave in charge of the policy itself: sets compared, never names of roles.

Knows no database: appointments come in as the shapes that people hold.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from policies.grant import Access, Appointment, cells_of
from policies.policy import Policy
from policies.predicate import Never, follows
from policies.words import words

# The policy as a resource of the catalog: who may do what about it is a rule like any other.
POLICY = "PolicyVersion"
POLICY_ACTIONS = frozenset({"read", "draft", "approve", "publish", "rollback", "impact", "explain"})

Person = TypeVar("Person", bound=Hashable)


@dataclass(frozen=True)
class Gain:
    """A cell that a person would have on rows on which he does not have it today. `before`, `after`: conditions in words; `before` is
    None where he has nothing."""

    resource: str
    action: str
    field_class: str | None
    form: str
    before: str | None
    after: str


def gains(live: Policy, draft: Policy, appointments: Sequence[Appointment]) -> Iterator[Gain]:
    """What the draft gives to whoever holds these appointments, beyond what he has under the live policy.

    What cannot be shown to be within today's rights is a gain: the guard errs on the safe side.
    """
    today, then = Access(live, appointments), Access(draft, appointments)
    held = sorted({key for one in appointments for key in draft.held.get(one.role, ())})
    for resource, action in held:
        was, is_ = today.grant(resource, action), then.grant(resource, action)
        for cell, field_class, form in cells_of(draft.catalog.resources[resource], action):
            before, after = was.cell(cell), is_.cell(cell)
            if follows(after, before):
                continue
            said = None if isinstance(before, Never) else words(before, live, resource)
            yield Gain(resource, action, field_class, form, said, words(after, draft, resource))


def holders(
    policy: Policy, action: str, people: Mapping[Person, Sequence[Appointment]], resource: str = POLICY
) -> tuple[Person, ...]:
    """Who of these people may take an action on any row at all; for `publish` nobody is a draft that locks everybody out."""
    return tuple(
        person
        for person, appointments in people.items()
        if not isinstance(Access(policy, appointments).grant(resource, action).rows, Never)
    )
