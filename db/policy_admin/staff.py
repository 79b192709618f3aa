"""Who holds which posts, what a draft would give them, and whether somebody is left in charge of the policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ClauseElement, select

from db import tables as t
from db.identity.appointments import claims_of, in_force, is_active, not_ended, not_withdrawn
from db.resources.resource import today
from policies.escalation import escalations, permission_holders
from policies.grant import Appointment
from policies.policy import Policy
from policies.words import action_words, class_words


@dataclass(frozen=True)
class Staff:
    """Active people with the appointments that they hold or are to hold, and the organizations of those."""

    appointments: Mapping[UUID, Sequence[Appointment]]
    organizations: Mapping[UUID, frozenset[UUID]]

    def organizations_of(self, person: UUID) -> frozenset[UUID]:
        """The organizations in which a person has a post."""
        return self.organizations.get(person, frozenset())

    def within(self, person: UUID, organizations: frozenset[UUID]) -> frozenset[UUID]:
        """The person and all who have a post in one of the organizations."""
        return frozenset({person} | {one for one, of_one in self.organizations.items() if of_one & organizations})

    def is_outside(self, person: UUID, organizations: frozenset[UUID]) -> bool:
        """Whether a person is of another organization: has posts, and none of them in one of these."""
        own = self.organizations_of(person)
        return bool(own) and not own & organizations


def gained(live: Policy, draft: Policy, people: Iterable[UUID], staff: Staff) -> list[str]:
    """What a draft gives people beyond what they have, one sentence each.

    SECURITY: two people with posts of the same roles gain the same, whatever their claims are; each such set is compared once.
    """
    by_roles: dict[tuple[str, ...], Sequence[Appointment]] = {}
    for person in sorted(people):
        posts = staff.appointments.get(person, ())
        by_roles.setdefault(tuple(sorted(post.role for post in posts)), posts)
    sentences: dict[str, None] = {}
    for roles, posts in by_roles.items():
        holder = "、".join(draft.roles.get(role, role) for role in dict.fromkeys(roles))
        for escalation in escalations(live, draft, posts):
            label = draft.catalog.resources[escalation.resource].label
            cell = "" if escalation.field_class is None else f"的{class_words(escalation.field_class, escalation.form)}"
            what = f"{action_words(escalation.resource, escalation.action)}{label}{cell}"
            sentences[f"{holder}：{what}，由「{escalation.before or '无'}」变为「{escalation.after}」"] = None
    return list(sentences)


def governed(policy: Policy, staff: Staff) -> bool:
    """Whether somebody could still draft and publish, and another approve."""
    able = {
        action: set(permission_holders(policy, action, staff.appointments))
        for action in ("draft", "publish", "approve")
    }
    return any(able["approve"] - {one} for one in able["draft"] & able["publish"])


_A = t.appointment.c
_ACTIVE = (
    select(_A.person_id, _A.role, _A.organization_id, _A.area_code)
    .select_from(t.appointment.join(t.person, t.person.c.id == _A.person_id))
    .where(is_active(t.person))
)
# Whoever is in charge must be so today; whatever somebody gains may be gained later, but not by a post that was withdrawn before it
# began.
_IN_FORCE = _ACTIVE.where(in_force(t.appointment, today()))
_IN_FORCE_OR_TO_COME = _ACTIVE.where(not_ended(t.appointment, today()), not_withdrawn(t.appointment))


async def read_staff(fetch: Callable[[ClauseElement], Awaitable[list[Any]]], *, of_today: bool) -> Staff:
    """All active people, by their posts of today, or by those to come as well."""
    posts: dict[UUID, list[Appointment]] = defaultdict(list)
    organizations: dict[UUID, set[UUID]] = defaultdict(set)
    for row in await fetch(_IN_FORCE if of_today else _IN_FORCE_OR_TO_COME):
        # Teams play no part: who is in charge, and who gains, is decided by roles.
        claims = claims_of(row["person_id"], row["organization_id"], row["area_code"], ())
        posts[row["person_id"]].append(Appointment(row["role"], claims))
        organizations[row["person_id"]].add(row["organization_id"])
    return Staff(posts, {person: frozenset(of_person) for person, of_person in organizations.items()})
