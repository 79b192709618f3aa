"""What a command is: a noun, a verb, an input and a function that executes it in a unit of work.

One verb everywhere: the action of the policy, the function, the mutation `nounVerb`, the event `noun.verb`. The input is a frozen
dataclass whose fields carry their Chinese labels; the schema makes the input type from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.resources.guards import Guard
from db.resources.transitions import Transition, register_transition
from db.write.example import NOW, complete, row_of
from db.write.row_locks import Fact


@dataclass(frozen=True)
class UserError:
    """One thing wrong with an input: the field (camelCase path, empty for the whole), a stable code, a sentence in Chinese."""

    field: str
    code: str
    message: str


class Refused(Exception):
    """The input is refused for its user errors; nothing is stored."""

    def __init__(self, *user_errors: UserError) -> None:
        super().__init__(len(user_errors))
        self.user_errors = user_errors


class Absent(Exception):
    """There is no such row, or the caller may not do this to it: the same answer for both."""

    def __init__(self, field: str = "id") -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True)
class Difference:
    """A field that was changed meanwhile: its value at the caller's version if any is recorded, the caller's and the present one."""

    field: str
    base: str | None
    yours: str | None
    theirs: str | None


@dataclass(frozen=True)
class Conflict:
    """Somebody changed the dispute since the version that the caller has. Only fields that the caller reads in clear occur."""

    expected: int
    current: int
    differences: tuple[Difference, ...] = ()


class VersionConflict(Exception):
    """`expectedVersion` is not the row's version."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(conflict.current)
        self.conflict = conflict


class KeyReused(Exception):
    """The idempotency key was used before with another input."""


# No text of an input is longer, unless its field says so.
LONGEST = 20_000


def input_field(
    label: str, *, of: str | None = None, codes: tuple[str, ...] | None = None, longest: int = LONGEST, **options: Any
) -> Any:
    """A field of an input. `of`: the resource that a UUID names (a global id in the schema); `codes`: a closed list of codes;
    `longest`: the length of a text at most.

    Optional with `default=None`; a list with `default=()`.
    """
    return dataclasses.field(
        kw_only=True, metadata={"label": label, "of": of, "codes": codes, "longest": longest}, **options
    )


@dataclass(frozen=True)
class Outcome:
    """The result of a command: the row that it is about (`kind`, `id`), and what the event says. `fields`: names changed, never values.

    The row is one that the command made, or where it made none, one that it changed: the event is filed under it, and its entry in a
    timeline shows only where that row is seen. `UnitOfWork.finish` refuses any other.
    """

    kind: str
    id: UUID
    happened_at: Any = None
    from_state: str | None = None
    to_state: str | None = None
    fields: tuple[str, ...] = ()
    reason: str | None = None
    # What the timeline may show: (resource, row, field, value as text); shown only to those who read that cell.
    changes: tuple[tuple[str, UUID, str, str | None], ...] = ()
    # The dispute that the event belongs to, where it is not that of the row that the command names.
    dispute_id: UUID | None = None
    # SECURITY: cells in clear, for the answer of a command that reveals; never stored, never printed.
    revealed: Mapping[str, str | None] | None = dataclasses.field(default=None, repr=False)


@dataclass(frozen=True)
class Command:
    """A registered command.

    `target`: the resource of the row that `input.id` names, locked and checked before `run`; None where `run` asks the policy itself.
    `shows`: the noun of the payload. `resource`, `action`: what the policy is asked. `row_field`: the input's field that names the row
    on which it is asked; None for a new object. `example`: the smallest valid input (db/write/example.py).
    """

    noun: str
    verb: str
    label: str
    input_type: type
    run: Callable[..., Awaitable[Outcome]]
    target: str | None
    shows: str
    resource: str
    action: str
    row_field: str | None
    example: Mapping[str, Any]
    # The caller may have no more to do with the dispute afterwards (by stepping back, or sending it back).
    leaves: bool = False
    # It answers with cells in clear, once: its receipt is not given again.
    reveals: bool = False
    # The caller waits for what becomes of it: nothing to be kept for later while offline.
    online: bool = False
    # What it must know of the row beside its columns; they are in the record.
    facts: tuple[Fact, ...] = ()

    @property
    def name(self) -> str:
        """`dispute.accept`"""
        return f"{self.noun}.{self.verb}"

    @property
    def payload(self) -> str:
        """The name of its payload: that of the noun it shows, or its own."""
        return f"{self.shows}RevealPayload" if self.reveals else f"{self.shows}Payload"


COMMANDS: dict[str, Command] = {}


def command(
    noun: str,
    verb: str,
    label: str,
    input_type: type,
    *,
    target: str | None,
    shows: str,
    example: Mapping[str, Any] | None = None,
    asks: tuple[str, str] | None = None,
    row_field: str | None = None,
    states: tuple[str, ...] | None = None,
    guards: tuple[Guard, ...] = (),
    on_archived: bool = False,
    leaves: bool = False,
    reveals: bool = False,
    online: bool = False,
    facts: tuple[Fact, ...] = (),
) -> Callable[[Any], Any]:
    """Registers the function as `noun.verb`. With a target it is called with (work, record, input), else with (work, input).

    The policy is asked for the verb on the target; without one, for `asks` (resource, action), or for the verb on what it shows. `states`,
    `guards`, `on_archived`: where the action may start (db/resources/transitions.py). `example`: the smallest valid input; the row and
    the time (`happened_at`: now) are added where they are required. Raises ValueError where the name, the action or the example does not fit.
    """
    resource, action = asks or (target or shows, verb)
    if target is not None:
        row_field = "id"
    required = {field.name for field in dataclasses.fields(input_type) if field.default is dataclasses.MISSING}
    added = {"happened_at": NOW, row_field: row_of(resource)}

    def register(run: Callable[..., Awaitable[Outcome]]) -> Callable[..., Awaitable[Outcome]]:
        registered = Command(
            noun,
            verb,
            label,
            input_type,
            run,
            target,
            shows,
            resource,
            action,
            row_field,
            complete(input_type, {name: added[name] for name in required & added.keys()} | dict(example or {})),
            leaves,
            reveals,
            online,
            facts,
        )
        if registered.name in COMMANDS:
            raise ValueError(f"{registered.name} is registered twice")
        register_transition(resource, action, Transition(states, guards, row_field is None, on_archived))
        COMMANDS[registered.name] = registered
        return run

    return register
