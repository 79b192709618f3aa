"""Where each action may start: the states of the dispute and the guards, as its command declares them.

`db.commands` fills the registry when it is imported; `access.can`, the statements that lock a row and the checks behind the lock
read it. Whoever builds the service imports `db.commands` first.
"""

from __future__ import annotations

from dataclasses import dataclass

from db.resources.guards import Guard

# Actions that are questions: nothing is done to the row, so they have no command and are never offered on it.
ASKING = frozenset({"read", "count", "impact", "explain"})


@dataclass(frozen=True)
class Transition:
    """What must hold of a row, beside the policy, for an action to start.

    `states`: of a dispute on which the action is asked; None on other resources. `creates`: the action makes a new row, so it is never
    offered on one that is there. `on_archived`: it is possible on a part of an archived dispute too. `impartial`: on a dispute or a part
    of one, whoever does it must have no interest in the dispute (db/resources/interest.py).
    """

    states: tuple[str, ...] | None = None
    guards: tuple[Guard, ...] = ()
    creates: bool = False
    on_archived: bool = False
    impartial: bool = True


# (resource, action) -> its transition.
TRANSITIONS: dict[tuple[str, str], Transition] = {}


def register_transition(resource: str, action: str, transition: Transition) -> None:
    """Raises ValueError where the action has one, or where the states of a dispute are missing or out of place."""
    if (resource, action) in TRANSITIONS:
        raise ValueError(f"{resource} {action} is registered twice")
    if (transition.states is not None) is not (resource == "Dispute" and not transition.creates):
        raise ValueError(f"{resource} {action}: states belong to an action on a dispute")
    TRANSITIONS[resource, action] = transition


def transition_of(resource: str, action: str) -> Transition:
    """SECURITY: fails closed, with LookupError: no row is locked for an action of which nobody said where it may start."""
    transition = TRANSITIONS.get((resource, action))
    if transition is None:
        raise LookupError(f"{resource} has no transition {action}")
    return transition


def offered_actions(resource: str, actions: frozenset[str]) -> list[tuple[str, Transition]]:
    """SECURITY: those of the actions that a row may be offered: no question, nothing that makes a new row, nothing unregistered."""
    return [
        (action, transition)
        for action in sorted(actions - ASKING)
        if (transition := TRANSITIONS.get((resource, action))) is not None and not transition.creates
    ]
